//! Services: the walls between sets of conversations, users and roles of one account.

use super::accounts::AccountSid;
use super::roles::RoleSid;
use super::sids::{Kind, Sid};
use super::time::Timestamp;

/// The SID of a service.
pub type ServiceSid = Sid<Service>;

/// A conversation service. Services of one account share nothing but the account's addresses.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Service {
    /// Its SID.
    pub sid: ServiceSid,
    /// Whose it is.
    pub account_sid: AccountSid,
    /// A name for people.
    pub friendly_name: String,
    /// The role of the user who creates a conversation, when joining it.
    pub default_conversation_creator_role_sid: RoleSid,
    /// The role of participants with an identity.
    pub default_conversation_role_sid: RoleSid,
    /// The role of new users.
    pub default_chat_service_role_sid: RoleSid,
    /// Whether it is kept and shown who is online.
    pub reachability_enabled: bool,
    /// When it was created.
    pub date_created: Timestamp,
    /// When it was last changed.
    pub date_updated: Timestamp,
}

/// What is to change in a service's configuration; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct ServiceChanges {
    /// The role of the user who creates a conversation, when joining it.
    pub default_conversation_creator_role_sid: Option<RoleSid>,
    /// The role of participants with an identity.
    pub default_conversation_role_sid: Option<RoleSid>,
    /// The role of new users.
    pub default_chat_service_role_sid: Option<RoleSid>,
    /// Whether it is kept and shown who is online.
    pub reachability_enabled: Option<bool>,
}

impl ServiceChanges {
    /// Whether there is nothing to change.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.default_conversation_creator_role_sid.is_none()
            && self.default_conversation_role_sid.is_none()
            && self.default_chat_service_role_sid.is_none()
            && self.reachability_enabled.is_none()
    }
}

impl Kind for Service {
    const PREFIX: &'static str = "IS";
}
