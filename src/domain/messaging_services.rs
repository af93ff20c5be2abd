//! Messaging Services: what carries messages to and from addresses on channels, and how it is set.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Field;
use super::accounts::AccountSid;
use super::errors::{Error, Invalid};
use super::sids::{Kind, Sid};
use super::time::Timestamp;
use super::webhooks::Method;

/// The SID of a Messaging Service.
pub type MessagingServiceSid = Sid<MessagingService>;

/// The longest friendly name, in characters (API reference of Messaging Services).
pub const MAX_NAME_CHARACTERS: usize = 64;
/// The longest time that a message may wait, in seconds (API reference of Messaging Services).
const MAX_VALIDITY_SECONDS: u32 = 36_000;

/// A Messaging Service.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct MessagingService {
    /// Its SID.
    pub sid: MessagingServiceSid,
    /// Whose it is.
    pub account_sid: AccountSid,
    /// A name for people.
    pub friendly_name: String,
    /// How it is set.
    #[sqlx(json)]
    pub settings: Settings,
    /// When it was created.
    pub date_created: Timestamp,
    /// When it was last changed.
    pub date_updated: Timestamp,
}

impl Kind for MessagingService {
    const PREFIX: &'static str = "MG";
}

impl MessagingService {
    /// A new Messaging Service with the published defaults.
    #[must_use]
    pub fn new(account: AccountSid, friendly_name: String, now: Timestamp) -> Self {
        Self {
            sid: MessagingServiceSid::new(now),
            account_sid: account,
            friendly_name,
            settings: Settings::default(),
            date_created: now,
            date_updated: now,
        }
    }
}

/// How a Messaging Service is set. They are kept and answered; what they ask for is up to the provider behind it.
///
/// A row may hold settings of an older version: what is not in it has its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are the published ones")]
pub struct Settings {
    pub inbound_request_url: Option<String>,
    pub inbound_method: Method,
    pub fallback_url: Option<String>,
    pub fallback_method: Method,
    pub status_callback: Option<String>,
    pub sticky_sender: bool,
    pub mms_converter: bool,
    pub smart_encoding: bool,
    pub scan_message_content: Scan,
    pub fallback_to_long_code: bool,
    pub area_code_geomatch: bool,
    pub synchronous_validation: bool,
    /// In seconds.
    pub validity_period: u32,
    pub usecase: Usecase,
    pub use_inbound_webhook_on_number: bool,
}

impl Default for Settings {
    /// The published defaults; where none is published, what the documentation calls switched on for new services.
    fn default() -> Self {
        Self {
            inbound_request_url: None,
            inbound_method: Method::Post,
            fallback_url: None,
            fallback_method: Method::Post,
            status_callback: None,
            sticky_sender: true,
            mms_converter: true,
            smart_encoding: true,
            scan_message_content: Scan::Inherit,
            fallback_to_long_code: true,
            area_code_geomatch: true,
            synchronous_validation: false,
            validity_period: MAX_VALIDITY_SECONDS,
            usecase: Usecase::Undeclared,
            use_inbound_webhook_on_number: false,
        }
    }
}

/// Whether contents of messages are scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the published ones")]
pub enum Scan {
    Inherit,
    Enable,
    Disable,
}

impl Scan {
    /// The words of the API.
    pub const WORDS: &[&str] = &["inherit", "enable", "disable"];
}

/// What a Messaging Service is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the published ones")]
pub enum Usecase {
    Notifications,
    Marketing,
    Verification,
    Discussion,
    Poll,
    Undeclared,
}

impl Usecase {
    /// The words of the API.
    pub const WORDS: &[&str] = &[
        "notifications",
        "marketing",
        "verification",
        "discussion",
        "poll",
        "undeclared",
    ];
}

/// What a caller wants to change of a Messaging Service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the published ones")]
pub struct MessagingServiceChanges {
    pub friendly_name: Option<String>,
    pub inbound_request_url: Field<String>,
    pub inbound_method: Option<Method>,
    pub fallback_url: Field<String>,
    pub fallback_method: Option<Method>,
    pub status_callback: Field<String>,
    pub sticky_sender: Option<bool>,
    pub mms_converter: Option<bool>,
    pub smart_encoding: Option<bool>,
    pub scan_message_content: Option<Scan>,
    pub fallback_to_long_code: Option<bool>,
    pub area_code_geomatch: Option<bool>,
    pub synchronous_validation: Option<bool>,
    /// In seconds.
    pub validity_period: Option<u32>,
    pub usecase: Option<Usecase>,
    pub use_inbound_webhook_on_number: Option<bool>,
}

impl MessagingServiceChanges {
    /// Whether nothing is to be changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Makes the changes.
    pub fn apply(self, to: &mut MessagingService) {
        if let Some(name) = self.friendly_name {
            to.friendly_name = name;
        }
        let to = &mut to.settings;
        self.inbound_request_url.apply(&mut to.inbound_request_url);
        self.fallback_url.apply(&mut to.fallback_url);
        self.status_callback.apply(&mut to.status_callback);
        set(&mut to.inbound_method, self.inbound_method);
        set(&mut to.fallback_method, self.fallback_method);
        set(&mut to.sticky_sender, self.sticky_sender);
        set(&mut to.mms_converter, self.mms_converter);
        set(&mut to.smart_encoding, self.smart_encoding);
        set(&mut to.scan_message_content, self.scan_message_content);
        set(&mut to.fallback_to_long_code, self.fallback_to_long_code);
        set(&mut to.area_code_geomatch, self.area_code_geomatch);
        set(&mut to.synchronous_validation, self.synchronous_validation);
        set(&mut to.validity_period, self.validity_period);
        set(&mut to.usecase, self.usecase);
        set(
            &mut to.use_inbound_webhook_on_number,
            self.use_inbound_webhook_on_number,
        );
    }
}

fn set<T>(to: &mut T, wanted: Option<T>) {
    if let Some(wanted) = wanted {
        *to = wanted;
    }
}

/// Checks a friendly name.
///
/// # Errors
/// 20422 when it is missing or over 64 characters.
pub fn name(text: Option<String>) -> Result<String, Error> {
    text.filter(|name| (1..=MAX_NAME_CHARACTERS).contains(&name.chars().count()))
        .ok_or_else(|| {
            Invalid::Parameter {
                name: "FriendlyName",
                wants: "a text of at most 64 characters",
            }
            .into()
        })
}

/// Reads how long messages may wait.
///
/// # Errors
/// 20422 for what is no number from 1 to 36,000.
pub fn validity_period(text: &str) -> Result<u32, Error> {
    text.parse()
        .ok()
        .filter(|seconds| (1..=MAX_VALIDITY_SECONDS).contains(seconds))
        .ok_or_else(|| {
            Invalid::Parameter {
                name: "ValidityPeriod",
                wants: "a whole number of seconds from 1 to 36000",
            }
            .into()
        })
}
