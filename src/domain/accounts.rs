//! Accounts and their API keys.

use std::str::FromStr;
use std::sync::Arc;

use super::Field;
use super::errors::{Error, Invalid};
use super::messaging_services::MessagingServiceSid;
use super::policies::Policy;
use super::services::ServiceSid;
use super::sids::{Kind, Sid};
use super::time::Timestamp;
use super::timers::Timer;

/// The SID of an account.
pub type AccountSid = Sid<Account>;
/// The SID of an API key.
pub type ApiKeySid = Sid<ApiKey>;

/// A tenant: everything else belongs to exactly one.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Account {
    /// Its SID; also the user name of its main credentials.
    pub sid: AccountSid,
    /// A name for people.
    pub friendly_name: String,
    /// The account that made it; none for one that is nobody's subaccount.
    pub owner_account_sid: Option<AccountSid>,
    /// Whether its credentials open anything.
    pub status: AccountStatus,
    /// The service of requests that name none.
    pub default_chat_service_sid: ServiceSid,
    /// The Messaging Service of new conversations.
    pub default_messaging_service_sid: MessagingServiceSid,
    /// The inactive timer of new conversations.
    pub default_inactive_timer: Option<Timer>,
    /// The closed timer of new conversations.
    pub default_closed_timer: Option<Timer>,
    /// When it was created.
    pub date_created: Timestamp,
    /// When it was last changed.
    pub date_updated: Timestamp,
}

impl Kind for Account {
    const PREFIX: &'static str = "AC";
}

impl Account {
    /// Checks that the account may act.
    ///
    /// # Errors
    /// [`Error::AccountNotActive`].
    pub fn accepts_requests(&self) -> Result<(), Error> {
        match self.status {
            AccountStatus::Active => Ok(()),
            AccountStatus::Suspended | AccountStatus::Closed => Err(Error::AccountNotActive),
        }
    }
}

/// What is to change in an account's configuration.
#[derive(Debug, Clone, Default)]
pub struct AccountChanges {
    /// The service of requests that name none.
    pub default_chat_service_sid: Option<ServiceSid>,
    /// The Messaging Service of new conversations.
    pub default_messaging_service_sid: Option<MessagingServiceSid>,
    /// The inactive timer of new conversations.
    pub default_inactive_timer: Field<Timer>,
    /// The closed timer of new conversations.
    pub default_closed_timer: Field<Timer>,
}

impl AccountChanges {
    /// Whether there is nothing to change.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.default_chat_service_sid.is_none()
            && self.default_messaging_service_sid.is_none()
            && self.default_inactive_timer.is_keep()
            && self.default_closed_timer.is_keep()
    }

    /// Makes the changes.
    pub fn apply(self, to: &mut Account) {
        if let Some(sid) = self.default_chat_service_sid {
            to.default_chat_service_sid = sid;
        }
        if let Some(sid) = self.default_messaging_service_sid {
            to.default_messaging_service_sid = sid;
        }
        self.default_inactive_timer
            .apply(&mut to.default_inactive_timer);
        self.default_closed_timer
            .apply(&mut to.default_closed_timer);
    }
}

/// Whether an account's credentials open anything (API reference of accounts).
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum AccountStatus {
    /// They do.
    Active,
    /// They do not, until the owner lets them again.
    Suspended,
    /// They never will again.
    Closed,
}

impl AccountStatus {
    /// The words of the API.
    pub const WORDS: &'static [&'static str] = &["active", "suspended", "closed"];

    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
        }
    }
}

impl FromStr for AccountStatus {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.to_ascii_lowercase().as_str() {
            "active" => Ok(Self::Active),
            "suspended" => Ok(Self::Suspended),
            "closed" => Ok(Self::Closed),
            _ => Err(Invalid::Parameter {
                name: "Status",
                wants: "active, suspended or closed",
            }
            .into()),
        }
    }
}

/// An API key: credentials that can be revoked alone, and the signer of access tokens.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ApiKey {
    /// Its SID, the user name of its credentials.
    pub sid: ApiKeySid,
    /// Whose it is.
    pub account_sid: AccountSid,
    /// A name for people.
    pub friendly_name: String,
    /// How much it may do.
    pub kind: KeyKind,
    /// What a restricted key may do.
    #[sqlx(json(nullable))]
    pub policy: Option<Policy>,
    /// When it was created.
    pub date_created: Timestamp,
    /// When it was last changed.
    pub date_updated: Timestamp,
}

impl Kind for ApiKey {
    const PREFIX: &'static str = "SK";
}

/// How much an API key may do (API page of the Key resource).
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum KeyKind {
    /// As much as the auth token. The API makes none; the operator does.
    Main,
    /// Everything but accounts and keys.
    Standard,
    /// What its policy allows, and it signs no access tokens.
    Restricted,
}

impl ApiKey {
    /// What its secret opens.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        match (self.kind, &self.policy) {
            (KeyKind::Main, _) => Credentials::Main,
            (KeyKind::Standard, _) => Credentials::StandardKey,
            (KeyKind::Restricted, policy) => {
                Credentials::RestrictedKey(Arc::new(policy.clone().unwrap_or_default()))
            }
        }
    }
}

/// How much credentials may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The account's auth token, or a main key: everything.
    Main,
    /// A standard API key: everything but accounts and keys.
    StandardKey,
    /// A restricted API key: what its policy allows.
    RestrictedKey(Arc<Policy>),
}

/// How many characters auth tokens and key secrets have. They are `[A-Za-z0-9]` only, because twilio-go refuses
/// other credentials before it sends anything.
pub const SECRET_CHARACTERS: usize = 32;

/// The longest name of an account, a key or a number, in characters (API reference of each).
const MAX_NAME_CHARACTERS: usize = 64;

/// Checks the name of an account, a key or a number.
///
/// # Errors
/// [`Invalid::ShortName`].
pub fn short_name(name: String) -> Result<String, Error> {
    if name.chars().count() > MAX_NAME_CHARACTERS {
        return Err(Invalid::ShortName.into());
    }
    Ok(name)
}
