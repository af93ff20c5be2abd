//! Notifications: what a service says to devices while their users are away.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::errors::{Error, Invalid};

/// The longest template, in characters (our choice: what fits into a push message with room to spare).
pub const MAX_TEMPLATE_CHARACTERS: usize = 2048;
/// The longest name of a sound, in characters (our choice, as of names).
pub const MAX_SOUND_CHARACTERS: usize = 256;

/// The settings of a service. Everything is off until it is set (API reference of notifications).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the published ones")]
pub struct Notifications {
    pub log_enabled: bool,
    pub new_message: NewMessage,
    pub added_to_conversation: Occasion,
    pub removed_from_conversation: Occasion,
}

/// A new message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "notification_new_message")]
#[expect(missing_docs, reason = "the names are the published ones")]
pub struct NewMessage {
    pub enabled: bool,
    pub template: String,
    pub badge_count_enabled: bool,
    pub sound: String,
    pub with_media: WithMedia,
}

/// A new message with media.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "notification_with_media")]
#[expect(missing_docs, reason = "the names are the published ones")]
pub struct WithMedia {
    pub enabled: bool,
    pub template: String,
}

/// The user was added to, or removed from, a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "notification_occasion")]
#[expect(missing_docs, reason = "the names are the published ones")]
pub struct Occasion {
    pub enabled: bool,
    pub template: String,
    pub sound: String,
}

/// What is to change; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the published ones")]
pub struct NotificationChanges {
    pub log_enabled: Option<bool>,
    pub new_message: OccasionChanges,
    pub badge_count_enabled: Option<bool>,
    pub with_media: OccasionChanges,
    pub added_to_conversation: OccasionChanges,
    pub removed_from_conversation: OccasionChanges,
}

/// What is to change of one occasion; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the published ones")]
pub struct OccasionChanges {
    pub enabled: Option<bool>,
    pub template: Option<String>,
    pub sound: Option<String>,
}

impl NotificationChanges {
    /// Makes the changes.
    pub fn apply(self, to: &mut Notifications) {
        set(&mut to.log_enabled, self.log_enabled);
        let message = &mut to.new_message;
        set(&mut message.enabled, self.new_message.enabled);
        set(&mut message.template, self.new_message.template);
        set(&mut message.sound, self.new_message.sound);
        set(&mut message.badge_count_enabled, self.badge_count_enabled);
        set(&mut message.with_media.enabled, self.with_media.enabled);
        set(&mut message.with_media.template, self.with_media.template);
        self.added_to_conversation
            .apply(&mut to.added_to_conversation);
        self.removed_from_conversation
            .apply(&mut to.removed_from_conversation);
    }
}

impl OccasionChanges {
    fn apply(self, to: &mut Occasion) {
        set(&mut to.enabled, self.enabled);
        set(&mut to.template, self.template);
        set(&mut to.sound, self.sound);
    }
}

fn set<T>(to: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *to = value;
    }
}

/// Checks a template.
///
/// # Errors
/// [`Invalid::TemplateTooLong`].
pub fn template(text: String) -> Result<String, Error> {
    if text.chars().count() > MAX_TEMPLATE_CHARACTERS {
        return Err(Invalid::TemplateTooLong.into());
    }
    Ok(text)
}

/// Checks the name of a sound.
///
/// # Errors
/// [`Invalid::SoundTooLong`].
pub fn sound(text: String) -> Result<String, Error> {
    if text.chars().count() > MAX_SOUND_CHARACTERS {
        return Err(Invalid::SoundTooLong.into());
    }
    Ok(text)
}
