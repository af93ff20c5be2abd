//! Messages.

use serde::{Deserialize, Serialize};

use super::attributes::Attributes;
use super::contents::ContentSid;
use super::conversations::ConversationSid;
use super::errors::{Error, Invalid};
use super::fillings::Rich;
use super::media::{MediaSid, Piece};
use super::participants::ParticipantSid;
use super::receipts::{Delivery, ReceiptStatus};
use super::roles::Permission;
use super::sids::{Kind, Sid};
use super::time::Timestamp;
use super::too_long;
use super::users::SYSTEM;

/// The SID of a message.
pub type MessageSid = Sid<Message>;

/// The longest body, in bytes of UTF-8 (API limits page: 32 KB between chat participants).
pub const MAX_BODY_BYTES: usize = 32 * 1024;
/// The longest body that SMS and WhatsApp carry, in characters (API limits page).
pub const MAX_CHANNEL_BODY_CHARACTERS: usize = 1600;
/// The longest subject, in characters (API reference of messages).
pub const MAX_SUBJECT_CHARACTERS: usize = 256;

/// A message.
#[derive(Debug, Clone, Serialize, Deserialize, sqlx::FromRow)]
pub struct Message {
    /// Its SID.
    pub sid: MessageSid,
    /// The conversation.
    pub conversation_sid: ConversationSid,
    /// Its place in the conversation: 0 for the first, never used twice.
    pub index: i64,
    /// Who wrote it: an identity, an address, `system`, or any name a program gives.
    pub author: String,
    /// The text; none for a message without.
    pub body: Option<String>,
    /// The subject of a mail.
    pub subject: Option<String>,
    /// The program's own data.
    pub attributes: Attributes,
    /// Its media, in the order given; none for a message without.
    #[serde(default)]
    #[sqlx(json(nullable))]
    pub media: Option<Vec<Piece>>,
    /// The content template it was made from.
    #[serde(default)]
    pub content_sid: Option<ContentSid>,
    /// The participant who is the author, if one is.
    pub participant_sid: Option<ParticipantSid>,
    /// Who changed it last: an identity, or `system` for a program; none before the first change.
    pub last_updated_by: Option<String>,
    /// The position of the conversation at which it was added.
    pub created_position: i64,
    /// The position of the conversation at which it last changed.
    pub position: i64,
    /// When it was created, or what the program says of that.
    pub date_created: Timestamp,
    /// When it was last edited, or created.
    pub date_updated: Timestamp,
    /// The state of each copy that went to a channel; none where nobody is reached on one.
    #[sqlx(rename = "receipts")]
    pub receipt_statuses: Option<Vec<Option<ReceiptStatus>>>,
}

impl Kind for Message {
    const PREFIX: &'static str = "IM";
}

impl Message {
    /// How far its copies to channels have come; none where nobody is reached on a channel.
    #[must_use]
    pub fn delivery(&self) -> Option<Delivery> {
        self.receipt_statuses.as_deref().and_then(Delivery::of)
    }
}

/// A message to be written, checked as far as that goes without looking anything up.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The SID it must get, if it may be a repeat: then a message of this SID may be there already.
    pub sid: Option<MessageSid>,
    /// Who writes it.
    pub author: String,
    /// The text.
    pub body: Option<String>,
    /// The subject of a mail.
    pub subject: Option<String>,
    /// The program's own data.
    pub attributes: Attributes,
    /// The media it brings, to be claimed when it is written.
    pub media: Vec<MediaSid>,
    /// The content template it was made from.
    pub content_sid: Option<ContentSid>,
    /// What the template makes of it beside the text, to be kept as its only piece of media.
    pub rich: Option<Rich>,
    /// What the program says of the creation.
    pub date_created: Option<Timestamp>,
    /// What the program says of the last change.
    pub date_updated: Option<Timestamp>,
}

impl Draft {
    /// What somebody whom roles bind must be allowed to send it: text and media each need their own (permissions page;
    /// which of them a message of both needs is our choice: both). What a template says is text.
    #[must_use]
    pub fn permissions(&self) -> &'static [Permission] {
        let has_text = self.body.as_ref().is_some_and(|body| !body.is_empty());
        let has_media = !self.media.is_empty() && self.content_sid.is_none();
        match (!has_media, has_text) {
            (true, _) => &[Permission::SendMessage],
            (false, false) => &[Permission::SendMediaMessage],
            (false, true) => &[Permission::SendMessage, Permission::SendMediaMessage],
        }
    }

    /// A message of an author with a text and nothing else.
    ///
    /// # Errors
    /// As [`author`] and [`body`].
    pub fn new(by: Option<String>, text: Option<String>) -> Result<Self, Error> {
        Ok(Self {
            sid: None,
            author: author(by)?,
            body: text.map(body).transpose()?,
            subject: None,
            attributes: Attributes::default(),
            media: Vec::new(),
            content_sid: None,
            rich: None,
            date_created: None,
            date_updated: None,
        })
    }
}

/// Checks an author; without one it is `system`.
///
/// # Errors
/// [`Invalid::AuthorTooLong`].
pub fn author(name: Option<String>) -> Result<String, Error> {
    match name.filter(|name| !name.is_empty()) {
        None => Ok(SYSTEM.to_owned()),
        Some(name) if too_long(&name) => Err(Invalid::AuthorTooLong.into()),
        Some(name) => Ok(name),
    }
}

/// Checks a body.
///
/// # Errors
/// [`Invalid::BodyTooLong`].
pub fn body(text: String) -> Result<String, Error> {
    if text.len() > MAX_BODY_BYTES {
        return Err(Invalid::BodyTooLong.into());
    }
    Ok(text)
}

/// Checks a subject.
///
/// # Errors
/// 20422 over 256 characters.
pub fn subject(text: String) -> Result<String, Error> {
    if text.chars().count() > MAX_SUBJECT_CHARACTERS {
        return Err(Invalid::Parameter {
            name: "Subject",
            wants: "at most 256 characters",
        }
        .into());
    }
    Ok(text)
}

/// A wish to change a message. Fields that are none stay as they are.
#[derive(Debug, Clone, Default)]
pub struct MessageChanges {
    /// Who wrote it.
    pub author: Option<String>,
    /// The text; an empty one is stored as it is.
    pub body: Option<String>,
    /// The subject of a mail.
    pub subject: Option<String>,
    /// The program's own data.
    pub attributes: Option<Attributes>,
    /// What the program says of the creation.
    pub date_created: Option<Timestamp>,
    /// What the program says of the last change.
    pub date_updated: Option<Timestamp>,
}

impl MessageChanges {
    /// Whether there is nothing to change.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.author.is_none()
            && self.body.is_none()
            && self.subject.is_none()
            && self.attributes.is_none()
            && self.date_created.is_none()
            && self.date_updated.is_none()
    }

    /// Makes the changes; answers whether anything differs now.
    pub fn apply(self, to: &mut Message, by: String, now: Timestamp) -> bool {
        let before = to.clone();
        if let Some(author) = self.author {
            to.author = author;
        }
        if let Some(body) = self.body {
            to.body = Some(body);
        }
        if let Some(subject) = self.subject {
            to.subject = Some(subject);
        }
        if let Some(attributes) = self.attributes {
            to.attributes = attributes;
        }
        if let Some(date) = self.date_created {
            to.date_created = date;
        }
        let changed = before.author != to.author
            || before.body != to.body
            || before.subject != to.subject
            || before.attributes != to.attributes
            || before.date_created != to.date_created
            || self
                .date_updated
                .is_some_and(|date| date != before.date_updated);
        if changed {
            to.date_updated = self.date_updated.unwrap_or(now);
            to.last_updated_by = Some(by);
        }
        changed
    }
}
