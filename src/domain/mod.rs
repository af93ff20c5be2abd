//! What the words mean: values and pure rules.
//!
//! Nothing here does I/O, reads a clock or knows of another floor. A value that exists is valid: it was checked by
//! its constructor, and nobody checks it again. Rules that depend on what is stored are functions of what was read.

pub mod accounts;
pub mod actors;
pub mod address_configurations;
pub mod addresses;
pub mod attributes;
pub mod bases;
pub mod bindings;
pub mod content_texts;
pub mod content_types;
pub mod contents;
pub mod conversations;
pub mod credentials;
pub mod errors;
pub mod events;
pub mod fillings;
pub mod handsets;
pub mod idempotency;
pub mod jobs;
pub mod media;
pub mod memberships;
pub mod messages;
pub mod messaging_services;
pub mod notifications;
pub mod pages;
pub mod participants;
pub mod phone_numbers;
pub mod plain_messages;
pub mod policies;
pub mod presence;
pub mod receipts;
pub mod roles;
pub mod sealing;
pub mod segments;
pub mod senders;
pub mod services;
pub mod sids;
pub mod time;
pub mod timers;
pub mod tokens;
pub mod users;
pub mod webhooks;

pub use accounts::{Account, AccountSid, AccountStatus, ApiKey, ApiKeySid};
pub use actors::{Actor, Ctx, Origin};
pub use addresses::{Address, Channel};
pub use attributes::Attributes;
pub use contents::ContentSid;
pub use conversations::{Conversation, ConversationRef, ConversationSid, State};
pub use errors::{Error, Invalid, Published, SocketLimit, TokenFault};
pub use events::{Announcement, Event, Scope};
pub use jobs::Job;
pub use media::MediaSid;
pub use messages::{Draft, Message, MessageSid};
pub use messaging_services::{MessagingService, MessagingServiceSid};
pub use pages::{Cursor, ListKind, MomentKey, Order, Page, PageRequest, PageSize, Search, Toward};
pub use participants::{Participant, ParticipantRef, ParticipantSid};
pub use receipts::{CopyOf, Delivery, Receipt, ReceiptSid, ReceiptStatus};
pub use roles::{Permission, Role, RoleSid, RoleType};
pub use services::{Service, ServiceSid};
pub use sids::{Kind, Sid};
pub use time::{Clock, Timestamp};
pub use users::{Identity, User, UserRef, UserSid};

/// What a form says of a field: nothing, that it is to be emptied, or a value.
///
/// Three states of a form field are three; an `Option` would fold two of them into one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Field<T> {
    /// The parameter was absent: leave the field as it is.
    #[default]
    Keep,
    /// The parameter was empty: clear the field.
    Clear,
    /// The parameter had a value.
    Set(T),
}

impl<T> Field<T> {
    /// Whether the parameter was absent.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// What the field holds after the change.
    pub fn apply(self, to: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *to = None,
            Self::Set(value) => *to = Some(value),
        }
    }

    /// The value, if one was given.
    pub fn set(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    /// Checks the value, if one was given.
    ///
    /// # Errors
    /// What `check` answers.
    pub fn try_map<U, E>(self, check: impl FnOnce(T) -> Result<U, E>) -> Result<Field<U>, E> {
        Ok(match self {
            Self::Keep => Field::Keep,
            Self::Clear => Field::Clear,
            Self::Set(value) => Field::Set(check(value)?),
        })
    }
}

/// The longest friendly name, unique name, author and identity, in characters (API limits page; for unique names
/// and authors our choice, to have one figure).
pub const MAX_NAME_CHARACTERS: usize = 256;

/// Whether a text is longer than names may be.
#[must_use]
pub fn too_long(name: &str) -> bool {
    // A character has at least one byte, so short texts need no counting.
    name.len() > MAX_NAME_CHARACTERS && name.chars().count() > MAX_NAME_CHARACTERS
}

/// Checks the length of a friendly name.
///
/// # Errors
/// [`Invalid::FriendlyNameTooLong`].
pub fn friendly_name(name: String) -> Result<String, Error> {
    if too_long(&name) {
        return Err(Invalid::FriendlyNameTooLong.into());
    }
    Ok(name)
}
