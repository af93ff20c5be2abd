//! Address configurations: what becomes of a message to an address of ours that belongs to no conversation yet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Field;
use super::accounts::AccountSid;
use super::addresses::Address;
use super::errors::{Error, Invalid};
use super::senders::is_short_code;
use super::services::ServiceSid;
use super::sids::{Kind, Sid};
use super::time::Timestamp;
use super::webhooks::{FlowSid, Method};

/// The SID of an address configuration.
pub type AddressConfigurationSid = Sid<AddressConfiguration>;

/// The types of addresses that can be configured (API reference).
pub const TYPES: &[&str] = &[
    "sms",
    "whatsapp",
    "messenger",
    "gbm",
    "email",
    "rcs",
    "apple",
    "chat",
];

/// The type of addresses that no channel has: nobody sends from there, and nobody owns them.
pub const CHAT: &str = "chat";

/// What is done about one address of ours.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AddressConfiguration {
    /// Its SID.
    pub sid: AddressConfigurationSid,
    /// The account.
    pub account_sid: AccountSid,
    /// The channel, in the word of the API.
    #[sqlx(rename = "type")]
    pub kind: String,
    /// The address.
    pub address: String,
    /// A name for people.
    pub friendly_name: Option<String>,
    /// The country of a short code, two letters.
    pub address_country: Option<String>,
    /// Whether and how conversations are made.
    #[sqlx(json)]
    pub auto_creation: AutoCreation,
    /// When it was created.
    pub date_created: Timestamp,
    /// When it was last changed.
    pub date_updated: Timestamp,
}

impl Kind for AddressConfiguration {
    const PREFIX: &'static str = "IG";
}

/// How a caller names an address configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressConfigurationRef {
    /// By SID.
    Sid(AddressConfigurationSid),
    /// By the address itself.
    Address(String),
}

impl From<&str> for AddressConfigurationRef {
    fn from(text: &str) -> Self {
        text.parse()
            .map_or_else(|_| Self::Address(text.to_owned()), Self::Sid)
    }
}

/// What becomes of a new conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the published ones")]
pub enum AutoCreationType {
    Webhook,
    Studio,
    Default,
}

impl std::str::FromStr for AutoCreationType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.to_ascii_lowercase().as_str() {
            "webhook" => Ok(Self::Webhook),
            "studio" => Ok(Self::Studio),
            "default" => Ok(Self::Default),
            _ => Err(Invalid::Parameter {
                name: "AutoCreation.Type",
                wants: "webhook, studio or default",
            }
            .into()),
        }
    }
}

/// Whether and how conversations are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the published ones")]
pub struct AutoCreation {
    pub enabled: bool,
    pub r#type: AutoCreationType,
    pub conversation_service_sid: Option<ServiceSid>,
    pub webhook_url: Option<String>,
    pub webhook_method: Option<Method>,
    pub webhook_filters: Option<Vec<String>>,
    pub studio_flow_sid: Option<FlowSid>,
    pub studio_retry_count: Option<i64>,
}

impl Default for AutoCreation {
    fn default() -> Self {
        Self {
            enabled: false,
            r#type: AutoCreationType::Default,
            conversation_service_sid: None,
            webhook_url: None,
            webhook_method: None,
            webhook_filters: None,
            studio_flow_sid: None,
            studio_retry_count: None,
        }
    }
}

/// What a caller says of autocreation; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the published ones")]
pub struct AutoCreationChanges {
    pub enabled: Option<bool>,
    pub r#type: Option<AutoCreationType>,
    pub conversation_service_sid: Option<ServiceSid>,
    pub webhook_url: Option<String>,
    pub webhook_method: Option<Method>,
    pub webhook_filters: Option<Vec<String>>,
    pub studio_flow_sid: Option<FlowSid>,
    pub studio_retry_count: Option<i64>,
}

impl AutoCreationChanges {
    /// Makes the changes.
    pub fn apply(self, to: &mut AutoCreation) {
        to.enabled = self.enabled.unwrap_or(to.enabled);
        to.r#type = self.r#type.unwrap_or(to.r#type);
        to.conversation_service_sid = self
            .conversation_service_sid
            .or(to.conversation_service_sid);
        to.webhook_url = self.webhook_url.or_else(|| to.webhook_url.take());
        to.webhook_method = self.webhook_method.or(to.webhook_method);
        to.webhook_filters = self.webhook_filters.or_else(|| to.webhook_filters.take());
        to.studio_flow_sid = self.studio_flow_sid.or(to.studio_flow_sid);
        to.studio_retry_count = self.studio_retry_count.or(to.studio_retry_count);
    }
}

/// What is to change in an address configuration; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct AddressConfigurationChanges {
    /// A name for people.
    pub friendly_name: Field<String>,
    /// Whether and how conversations are made.
    pub auto_creation: AutoCreationChanges,
}

impl AddressConfigurationChanges {
    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.friendly_name.is_keep() && self.auto_creation == AutoCreationChanges::default()
    }
}

/// An address configuration to be created.
#[derive(Debug, Clone)]
pub struct NewAddressConfiguration {
    /// The channel, in the word of the API.
    pub kind: String,
    /// The address.
    pub address: String,
    /// A name for people.
    pub friendly_name: Option<String>,
    /// The country of a short code, two letters.
    pub address_country: Option<String>,
    /// Whether and how conversations are made.
    pub auto_creation: AutoCreationChanges,
}

/// Reads the type of an address.
///
/// # Errors
/// 20422 when it is missing or unknown.
pub fn kind(word: Option<String>) -> Result<String, Error> {
    let word = word.unwrap_or_default().to_ascii_lowercase();
    if TYPES.contains(&word.as_str()) {
        Ok(word)
    } else {
        Err(Invalid::Parameter {
            name: "Type",
            wants: "sms, whatsapp, messenger, gbm, email, rcs, apple or chat",
        }
        .into())
    }
}

/// Checks a country of an address: two letters (ISO 3166-1).
///
/// # Errors
/// 20422.
pub fn country(code: String) -> Result<String, Error> {
    if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        Ok(code.to_ascii_uppercase())
    } else {
        Err(Invalid::Parameter {
            name: "AddressCountry",
            wants: "a country of two letters",
        }
        .into())
    }
}

/// Checks the address of a configuration: it must be of the channel that is said. Chat has addresses of its own making.
///
/// # Errors
/// 20422 when it is missing or of another channel.
pub fn address(text: Option<String>, kind: &str) -> Result<String, Error> {
    let text = text.unwrap_or_default();
    let is_short_code = kind == "sms" && is_short_code(&text);
    let is_plain = !text.is_empty()
        && !super::too_long(&text)
        && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let fits = match Address::parse(&text) {
        Some(address) if kind != CHAT => address.channel().as_str() == kind,
        // The published examples have Apple's addresses in this form.
        _ if kind == "apple" => is_plain && text.starts_with("urn:"),
        _ => kind == CHAT && is_plain,
    };
    if fits || is_short_code {
        Ok(text)
    } else {
        Err(Invalid::Parameter {
            name: "Address",
            wants: "an address of the type that is given",
        }
        .into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_the_type_that_is_said() {
        let fits = |text: &str, kind| address(Some(text.to_owned()), kind).is_ok();
        for (text, kind) in [
            ("+15550100000", "sms"),
            ("12345", "sms"),
            ("whatsapp:+15550100000", "whatsapp"),
            ("messenger:123", "messenger"),
            ("a@example.com", "email"),
            ("rcs:acme", "rcs"),
            ("urn:mbid:AQAAYyUbut6E4B3T9FLv5EbG", "apple"),
            ("urn:mbid:AQAAYyUbut6E4B3T9FLv5EbG", "chat"),
            ("front-desk", "chat"),
        ] {
            assert!(fits(text, kind), "{text} {kind}");
        }
        for (text, kind) in [
            ("+15550100000", "whatsapp"),
            ("whatsapp:+15550100000", "sms"),
            ("12", "sms"),
            ("", "chat"),
            ("front desk", "chat"),
            ("urn:mbid:AQAAYyUbut6E4B3T9FLv5EbG", "sms"),
        ] {
            assert!(!fits(text, kind), "{text} {kind}");
        }
        assert!(!fits(&"x".repeat(257), "chat"));
    }
}
