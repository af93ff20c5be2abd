//! Bindings: devices of users that want to be pushed to.

use super::accounts::AccountSid;
use super::credentials::CredentialSid;
use super::services::ServiceSid;
use super::sids::{Kind, Sid};
use super::time::Timestamp;
use super::users::Identity;

/// The SID of a binding.
pub type BindingSid = Sid<Binding>;

/// A device of a user.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Binding {
    /// Its SID.
    pub sid: BindingSid,
    /// The account.
    pub account_sid: AccountSid,
    /// The service.
    pub service_sid: ServiceSid,
    /// The credential that the client's token named.
    pub credential_sid: Option<CredentialSid>,
    /// The user.
    pub identity: Identity,
    /// The device, as the client names it.
    pub endpoint: String,
    /// How it is reached: `apn`, `gcm`, `fcm` or `twilsock`.
    pub binding_type: String,
    /// Where: the token of the device.
    pub address: String,
    /// What it wants to hear of.
    pub message_types: Vec<String>,
    /// When it was created.
    pub date_created: Timestamp,
    /// When it was last changed.
    pub date_updated: Timestamp,
}

impl Kind for Binding {
    const PREFIX: &'static str = "BS";
}

/// The kinds of bindings (API reference).
pub const TYPES: &[&str] = &["apn", "gcm", "fcm", "twilsock"];

/// What a device can hear of: the word of the REST API for that of the SDK; none for those that are never pushed.
#[must_use]
pub fn message_type(of_sdk: &str) -> Option<&'static str> {
    match of_sdk {
        "twilio.conversations.new_message" => Some("new_message"),
        "twilio.conversations.added_to_conversation" => Some("added_to_conversation"),
        "twilio.conversations.removed_from_conversation" => Some("removed_from_conversation"),
        _ => None,
    }
}
