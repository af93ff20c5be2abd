//! Webhooks: which servers hear of what happens. Targets of an account, of a service, and of one conversation.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Field;
use super::conversations::ConversationSid;
use super::errors::{Error, Invalid};
use super::sids::{Kind, Sid};
use super::time::Timestamp;

/// The SID of a webhook of one conversation.
pub type WebhookSid = Sid<ScopedWebhook>;
/// The SID of a Studio flow, which lives elsewhere.
pub type FlowSid = Sid<Flow>;

/// Webhooks of one conversation (API limits page).
pub const MAX_SCOPED: i64 = 5;
/// Trigger words of one webhook (our choice; the documentation names no figure).
pub const MAX_TRIGGERS: usize = 5;
/// The longest URL, in characters (our choice: what common servers take).
pub const MAX_URL_CHARACTERS: usize = 2048;

/// Events that are told before they happen, and may be refused (API page of webhooks).
const PRE_EVENTS: &[&str] = &[
    "onMessageAdd",
    "onMessageUpdate",
    "onMessageRemove",
    "onConversationAdd",
    "onConversationUpdate",
    "onConversationRemove",
    "onParticipantAdd",
    "onParticipantUpdate",
    "onParticipantRemove",
    "onUserUpdate",
];
/// Events of a conversation that are told after they happened (API page of webhooks).
const CONVERSATION_EVENTS: &[&str] = &[
    "onMessageAdded",
    "onMessageUpdated",
    "onMessageRemoved",
    "onConversationUpdated",
    "onConversationStateUpdated",
    "onConversationRemoved",
    "onParticipantAdded",
    "onParticipantUpdated",
    "onParticipantRemoved",
    "onDeliveryUpdated",
];
/// The others that are told after they happened (API page of webhooks).
const SERVICE_EVENTS: &[&str] = &["onConversationAdded", "onUserAdded", "onUserUpdated"];

/// Checks the filters of an account's or a service's webhooks.
///
/// # Errors
/// [`Invalid::FilterUnknown`].
pub fn filters(names: Vec<String>) -> Result<Vec<String>, Error> {
    known(names, &[PRE_EVENTS, CONVERSATION_EVENTS, SERVICE_EVENTS])
}

/// Checks the filters of one conversation's webhook: only what happened in it is told there.
///
/// # Errors
/// [`Invalid::FilterUnknown`].
pub fn conversation_filters(names: Vec<String>) -> Result<Vec<String>, Error> {
    known(names, &[CONVERSATION_EVENTS])
}

fn known(names: Vec<String>, lists: &[&[&str]]) -> Result<Vec<String>, Error> {
    let is_known = |name: &String| lists.iter().any(|list| list.contains(&name.as_str()));
    if names.iter().all(is_known) {
        Ok(names)
    } else {
        Err(Invalid::FilterUnknown.into())
    }
}

/// Checks the filters of the webhook that an address configuration makes: those of one conversation, and its creation
/// (the tutorial of Messenger names it).
///
/// # Errors
/// [`Invalid::FilterUnknown`].
pub fn address_filters(names: Vec<String>) -> Result<Vec<String>, Error> {
    known(names, &[CONVERSATION_EVENTS, &["onConversationAdded"]])
}

/// Checks the URL of a webhook: absolute, of the web, not too long.
///
/// # Errors
/// [`Invalid::UrlTooLong`], [`Invalid::WebhookMalformed`].
pub fn webhook_url(text: String) -> Result<String, Error> {
    if text.chars().count() > MAX_URL_CHARACTERS {
        return Err(Invalid::UrlTooLong.into());
    }
    // The parser drops spaces and line breaks, which would be kept here.
    let is_plain = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let is_web = is_plain
        && url::Url::parse(&text)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if is_web {
        Ok(text)
    } else {
        Err(Invalid::WebhookMalformed.into())
    }
}

/// The HTTP method of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Method {
    Get,
    Post,
}

impl Method {
    /// The word as webhooks of one conversation print it.
    #[must_use]
    pub const fn lower(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
        }
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.to_ascii_lowercase().as_str() {
            "get" => Ok(Self::Get),
            "post" => Ok(Self::Post),
            _ => Err(Invalid::WebhookMethod.into()),
        }
    }
}

/// Who takes an account's webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Receiver {
    Webhook,
    Flex,
}

impl FromStr for Receiver {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.to_ascii_lowercase().as_str() {
            "webhook" => Ok(Self::Webhook),
            "flex" => Ok(Self::Flex),
            _ => Err(Invalid::TargetUnknown.into()),
        }
    }
}

/// The webhooks of an account or a service. What is none was never set.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct WebhookConfiguration {
    /// The HTTP method.
    pub method: Option<Method>,
    /// The events that are told.
    pub filters: Option<Vec<String>>,
    /// Where is asked before something happens.
    pub pre_webhook_url: Option<String>,
    /// Where is told what happened.
    pub post_webhook_url: Option<String>,
    /// Who takes them; of accounts only.
    pub target: Option<Receiver>,
}

/// What is to change in the webhooks of an account or a service; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct WebhookConfigurationChanges {
    /// The HTTP method.
    pub method: Option<Method>,
    /// The events that are told.
    pub filters: Option<Vec<String>>,
    /// Where is asked before something happens.
    pub pre_webhook_url: Field<String>,
    /// Where is told what happened.
    pub post_webhook_url: Field<String>,
    /// Who takes them; of accounts only.
    pub target: Option<Receiver>,
}

impl WebhookConfigurationChanges {
    /// Whether there is nothing to change.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.method.is_none()
            && self.filters.is_none()
            && self.pre_webhook_url.is_keep()
            && self.post_webhook_url.is_keep()
            && self.target.is_none()
    }

    /// Makes the changes.
    pub fn apply(self, to: &mut WebhookConfiguration) {
        to.method = self.method.or(to.method);
        to.filters = self.filters.or_else(|| to.filters.take());
        self.pre_webhook_url.apply(&mut to.pre_webhook_url);
        self.post_webhook_url.apply(&mut to.post_webhook_url);
        to.target = self.target.or(to.target);
    }
}

/// What a webhook of one conversation does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "target", rename_all = "lowercase")]
pub enum Target {
    /// A server hears of events.
    Webhook {
        /// Where.
        url: String,
        /// How.
        method: Method,
        /// Of which events.
        filters: Vec<String>,
        /// From the message of this index on, also those that were there before.
        replay_after: Option<i64>,
    },
    /// A server hears of messages that have one of these words.
    Trigger {
        /// Where.
        url: String,
        /// How.
        method: Method,
        /// The words.
        triggers: Vec<String>,
        /// From the message of this index on, also those that were there before.
        replay_after: Option<i64>,
    },
    /// A Studio flow takes over.
    Studio {
        /// The flow.
        flow_sid: FlowSid,
        /// From the message of this index on, also those that were there before.
        replay_after: Option<i64>,
    },
}

impl Target {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Trigger { .. } => "trigger",
            Self::Studio { .. } => "studio",
        }
    }
}

/// A webhook of one conversation.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ScopedWebhook {
    /// Its SID.
    pub sid: WebhookSid,
    /// The conversation.
    pub conversation_sid: ConversationSid,
    /// What it does.
    #[sqlx(json, rename = "configuration")]
    pub target: Target,
    /// When it was created.
    pub date_created: Timestamp,
    /// When it was last changed.
    pub date_updated: Timestamp,
}

impl Kind for ScopedWebhook {
    const PREFIX: &'static str = "WH";
}

/// A Studio flow.
#[derive(Debug)]
pub struct Flow;

impl Kind for Flow {
    const PREFIX: &'static str = "FW";
}

/// What a caller says of a webhook of one conversation.
#[derive(Debug, Clone, Default)]
pub struct TargetChanges {
    /// Where.
    pub url: Option<String>,
    /// How.
    pub method: Option<Method>,
    /// Of which events.
    pub filters: Option<Vec<String>>,
    /// The words.
    pub triggers: Option<Vec<String>>,
    /// The flow.
    pub flow_sid: Option<FlowSid>,
}

impl TargetChanges {
    /// Whether there is nothing to change.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.url.is_none()
            && self.method.is_none()
            && self.filters.is_none()
            && self.triggers.is_none()
            && self.flow_sid.is_none()
    }

    /// A new target of the kind that `word` names.
    ///
    /// # Errors
    /// 50364 and 50368 for the kind, 50369 to 50371 for what its kind needs and was not said.
    pub fn create(self, word: Option<&str>, replay_after: Option<i64>) -> Result<Target, Error> {
        let method = self.method.unwrap_or(Method::Post);
        let url = self.url.ok_or(Invalid::WebhookUrlMissing);
        match word.map(str::to_ascii_lowercase).as_deref() {
            None | Some("") => Err(Invalid::TargetMissing.into()),
            Some("webhook") => Ok(Target::Webhook {
                url: url?,
                method,
                filters: filled(self.filters, Invalid::FiltersMissing)?,
                replay_after,
            }),
            Some("trigger") => Ok(Target::Trigger {
                url: url?,
                method,
                triggers: filled(self.triggers, Invalid::TriggersMissing)?,
                replay_after,
            }),
            Some("studio") => Ok(Target::Studio {
                flow_sid: self.flow_sid.ok_or(Invalid::FlowSid)?,
                replay_after,
            }),
            Some(_) => Err(Invalid::TargetUnknown.into()),
        }
    }

    /// Makes the changes; what the kind of target does not have is ignored.
    ///
    /// # Errors
    /// 50370 and 50371 for lists that would become empty.
    pub fn apply(self, to: &mut Target) -> Result<(), Error> {
        match to {
            Target::Webhook {
                url,
                method,
                filters,
                ..
            } => {
                set(url, self.url);
                set(method, self.method);
                if let Some(names) = self.filters {
                    *filters = filled(Some(names), Invalid::FiltersMissing)?;
                }
            }
            Target::Trigger {
                url,
                method,
                triggers,
                ..
            } => {
                set(url, self.url);
                set(method, self.method);
                if let Some(words) = self.triggers {
                    *triggers = filled(Some(words), Invalid::TriggersMissing)?;
                }
            }
            Target::Studio { flow_sid, .. } => set(flow_sid, self.flow_sid),
        }
        Ok(())
    }
}

fn set<T>(to: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *to = value;
    }
}

fn filled(list: Option<Vec<String>>, refusal: Invalid) -> Result<Vec<String>, Error> {
    list.filter(|list| !list.is_empty())
        .ok_or_else(|| refusal.into())
}

/// Checks trigger words.
///
/// # Errors
/// [`Invalid::TooManyTriggers`], [`Invalid::TriggerMalformed`] for an empty or overlong one.
pub fn triggers(words: Vec<String>) -> Result<Vec<String>, Error> {
    if words.len() > MAX_TRIGGERS {
        return Err(Invalid::TooManyTriggers.into());
    }
    let fits = |word: &String| !word.trim().is_empty() && !super::too_long(word);
    if words.iter().all(fits) {
        Ok(words)
    } else {
        Err(Invalid::TriggerMalformed.into())
    }
}
