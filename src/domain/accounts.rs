//! Accounts and their API keys.

use serde::{Deserialize, Serialize};

use super::services::{MessagingServiceSid, ServiceSid};
use super::sids::{Kind, Sid};
use super::time::Timestamp;

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
    /// The service of requests that name none.
    pub default_chat_service_sid: ServiceSid,
    /// The Messaging Service of new conversations.
    pub default_messaging_service_sid: MessagingServiceSid,
    /// The inactive timer of new conversations, an ISO 8601 duration.
    pub default_inactive_timer: Option<String>,
    /// The closed timer of new conversations, an ISO 8601 duration.
    pub default_closed_timer: Option<String>,
    /// When it was created.
    pub date_created: Timestamp,
    /// When it was last changed.
    pub date_updated: Timestamp,
}

impl Kind for Account {
    const PREFIX: &'static str = "AC";
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
    /// When it was created.
    pub date_created: Timestamp,
    /// When it was last changed.
    pub date_updated: Timestamp,
}

impl Kind for ApiKey {
    const PREFIX: &'static str = "SK";
}

/// How much credentials may do beyond conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Credentials {
    /// The account's auth token: everything.
    AuthToken,
    /// A standard API key: everything but accounts and keys.
    StandardKey,
}

/// How many characters auth tokens and key secrets have. They are `[A-Za-z0-9]` only, because twilio-go refuses
/// other credentials before it sends anything.
pub const SECRET_CHARACTERS: usize = 32;
