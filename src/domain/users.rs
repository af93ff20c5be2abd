//! Users: identities of a service, as SDK clients know them.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::accounts::AccountSid;
use super::attributes::Attributes;
use super::errors::{Error, Invalid};
use super::participants::ParticipantSid;
use super::roles::RoleSid;
use super::services::ServiceSid;
use super::sids::{Kind, Sid};
use super::time::Timestamp;
use super::{Field, too_long};

/// The SID of a user.
pub type UserSid = Sid<User>;

/// The author of messages that nobody signed, and the creator of what a program creates. No user may have this
/// identity.
pub const SYSTEM: &str = "system";

/// A name by which a program knows a person: case-sensitive, unique in its service, up to 256 characters.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    sqlx::Type,
    schemars::JsonSchema,
)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Identity(String);

impl Identity {
    /// Checks an identity that is to be used for a user.
    ///
    /// # Errors
    /// Empty, over 256 characters, with a NUL, `system`, or of the form of the SID of a user or a
    /// participant (identities share the URL's slot with both).
    pub fn parse(text: String) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Invalid::IdentityMissing.into());
        }
        if too_long(&text) {
            return Err(Invalid::IdentityTooLong.into());
        }
        if text.contains('\0') {
            return Err(Error::NUL);
        }
        if text == SYSTEM {
            return Err(Invalid::IdentityReserved.into());
        }
        if UserSid::has_shape(&text) || ParticipantSid::has_shape(&text) {
            return Err(Invalid::IdentityLooksLikeSid.into());
        }
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A user of a service.
#[derive(Debug, Clone, Serialize, Deserialize, sqlx::FromRow)]
pub struct User {
    /// Its SID.
    pub sid: UserSid,
    /// The account.
    pub account_sid: AccountSid,
    /// The service.
    pub service_sid: ServiceSid,
    /// How programs name the user.
    pub identity: Identity,
    /// A name for people.
    pub friendly_name: Option<String>,
    /// The program's own data.
    pub attributes: Attributes,
    /// The service role.
    pub role_sid: RoleSid,
    /// The user's position: how many changes the user's own objects have seen.
    pub position: i64,
    /// The position of the last change of the user's own conversations.
    pub conversations_position: i64,
    /// The position of the last change of the friendly name.
    pub friendly_name_position: i64,
    /// The position of the last change of the attributes.
    pub attributes_position: i64,
    /// Whether the user is connected. None while the service has reachability switched off, and until the user is online
    /// for the first time after it was switched on.
    pub is_online: Option<bool>,
    /// Whether the user has a device that can be pushed to. None as above.
    pub is_notifiable: Option<bool>,
    /// The position of the last change of these two.
    pub reachability_position: i64,
    /// When the user was created.
    pub date_created: Timestamp,
    /// When the user's own fields last changed.
    pub date_updated: Timestamp,
}

impl Kind for User {
    const PREFIX: &'static str = "US";
}

/// How a caller names a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserRef {
    /// By SID.
    Sid(UserSid),
    /// By identity; any text, also one that no user can have.
    Identity(String),
}

impl FromStr for UserRef {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text
            .parse()
            .map_or_else(|_| Self::Identity(text.to_owned()), Self::Sid))
    }
}

/// A user to be created.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// How programs name the user.
    pub identity: Identity,
    /// A name for people.
    pub friendly_name: Option<String>,
    /// The program's own data.
    pub attributes: Attributes,
    /// The service role; none for the service's default.
    pub role_sid: Option<RoleSid>,
}

impl NewUser {
    /// A user of whom only the identity is known.
    #[must_use]
    pub fn of(identity: Identity) -> Self {
        Self {
            identity,
            friendly_name: None,
            attributes: Attributes::default(),
            role_sid: None,
        }
    }
}

/// A wish to change a user.
#[derive(Debug, Clone, Default)]
pub struct UserChanges {
    /// A name for people.
    pub friendly_name: Field<String>,
    /// The program's own data.
    pub attributes: Option<Attributes>,
    /// The service role.
    pub role_sid: Option<RoleSid>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_any_text_but_a_few() {
        for good in ["alice", "a/b?c#d", "élise", "US12", "System"] {
            assert!(Identity::parse(good.to_owned()).is_ok(), "{good}");
        }
        let sid = format!("US{}", "0".repeat(32));
        let long = "é".repeat(257);
        for bad in ["", "system", sid.as_str(), long.as_str()] {
            assert!(Identity::parse(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(Identity::parse("é".repeat(256)).is_ok());
    }
}
