//! Bindings: devices of users that want to be pushed to.

use super::accounts::AccountSid;
use super::credentials::CredentialSid;
use super::errors::{Error, Invalid};
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

/// The longest token of a device, in bytes (our choice: those of Apple and Google are a few hundred long, and what is
/// unique must fit into an index).
pub const MAX_ADDRESS_BYTES: usize = 1024;
/// Devices of one user in one service; beyond that the one that was heard of longest ago goes (our choice).
pub const MAX_PER_IDENTITY: i64 = 100;

/// A device that wants to be pushed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// How it is reached.
    pub binding_type: String,
    /// Where: the token of the device.
    pub address: String,
}

impl Device {
    /// Checks what a client says of its device.
    ///
    /// # Errors
    /// [`Invalid::BindingTypeUnknown`]; 20422 for an address that no device has.
    pub fn new(binding_type: &str, address: String) -> Result<Self, Error> {
        let fits = (1..=MAX_ADDRESS_BYTES).contains(&address.len())
            && !address.contains(|c: char| c.is_whitespace() || c.is_control());
        if !fits {
            return Err(Invalid::Parameter {
                name: "registration_id",
                wants: "the token of a device",
            }
            .into());
        }
        Ok(Self {
            binding_type: binding_type_of(binding_type)?,
            address,
        })
    }
}

/// Reads the kind of a binding.
///
/// # Errors
/// [`Invalid::BindingTypeUnknown`].
pub fn binding_type_of(word: &str) -> Result<String, Error> {
    let word = word.to_ascii_lowercase();
    if TYPES.contains(&word.as_str()) {
        Ok(word)
    } else {
        Err(Invalid::BindingTypeUnknown.into())
    }
}

/// What narrows the list of bindings; an empty list narrows nothing.
#[derive(Debug, Clone, Default)]
pub struct BindingFilter {
    /// Only these kinds.
    pub binding_types: Vec<String>,
    /// Only of these users.
    pub identities: Vec<String>,
}

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
