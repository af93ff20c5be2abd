//! Media: files that messages carry.

use serde::{Deserialize, Serialize};

use super::sids::{Kind, Sid};

/// The SID of media.
pub type MediaSid = Sid<Media>;

/// The most pieces of media of one message (as many as the SDK attaches).
pub const MAX_PIECES: usize = 10;

/// One uploaded file.
#[derive(Debug)]
pub struct Media;

impl Kind for Media {
    const PREFIX: &'static str = "ME";
}

/// What media are to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Category {
    /// A file that goes with it.
    #[default]
    Media,
    /// Another form of its text: the HTML of a mail, what a content template says.
    Body,
    /// The history of a mail.
    History,
}

/// A piece of media of a message, as the message's row keeps it: everything in it is fixed when the message is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Its SID.
    pub sid: MediaSid,
    /// What it is to the message.
    #[serde(default)]
    pub category: Category,
    /// The name of the file, if it has one.
    pub filename: Option<String>,
    /// What the upload said it is.
    pub content_type: String,
    /// How many bytes it has.
    pub size: i64,
}
