//! Media: files that messages carry.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::accounts::AccountSid;
use super::conversations::ConversationSid;
use super::errors::{Error, Invalid};
use super::messages::MessageSid;
use super::services::ServiceSid;
use super::sids::{Kind, Sid};
use super::time::Timestamp;

/// The SID of media.
pub type MediaSid = Sid<Media>;

/// The largest file, in bytes (media page: 150 MB between chat participants).
pub const MAX_BYTES: u64 = 150 * 1024 * 1024;
/// The most pieces of media of one message (as many as the SDK attaches).
pub const MAX_PIECES: usize = 10;
/// The longest name of a file, in characters (our choice: as other names).
pub const MAX_FILENAME_CHARACTERS: usize = super::MAX_NAME_CHARACTERS;
/// How long a temporary URL is good (media page).
pub const TEMPORARY_URL_LIFE: TimeDelta = TimeDelta::seconds(300);
/// How many of its first bytes tell what a file is.
pub const TELLING_BYTES: usize = 8 * 1024;
/// What a file is that nobody can tell more of.
const ANY_BYTES: &str = "application/octet-stream";

/// One uploaded file.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Media {
    /// Its SID.
    pub sid: MediaSid,
    /// The account.
    pub account_sid: AccountSid,
    /// The service it belongs to.
    pub service_sid: ServiceSid,
    /// How far it has come.
    pub state: MediaState,
    /// What it is to a message.
    pub category: Category,
    /// The identity of the user who uploaded it; none for a program.
    pub author: Option<String>,
    /// The name of the file, if it has one.
    pub filename: Option<String>,
    /// What the upload said it is.
    pub content_type: String,
    /// What its first bytes say it is, if they say anything.
    pub sniffed_type: Option<String>,
    /// How many bytes it has.
    pub size: i64,
    /// Whether it came as a form.
    pub is_multipart_upstream: bool,
    /// The conversation of its message.
    pub conversation_sid: Option<ConversationSid>,
    /// The message that carries it.
    pub message_sid: Option<MessageSid>,
    /// When the upload began.
    pub date_created: Timestamp,
    /// When the upload ended.
    pub date_uploaded: Timestamp,
    /// When it last changed.
    pub date_updated: Timestamp,
}

impl Kind for Media {
    const PREFIX: &'static str = "ME";
}

/// How far media have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum MediaState {
    /// The bytes are arriving: it cannot be seen yet.
    Uploading,
    /// All bytes are there.
    Ready,
    /// It is gone; its bytes are not yet.
    Removed,
}

/// What media are to a message.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Deserialize,
    sqlx::Type,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
#[schemars(inline)]
pub enum Category {
    /// A file that goes with it.
    #[default]
    Media,
    /// Another form of its text: the HTML of a mail, what a content template says.
    Body,
    /// The history of a mail.
    History,
}

impl Category {
    /// Reads the word of the API.
    ///
    /// # Errors
    /// 20422.
    pub fn parse(word: &str) -> Result<Self, Error> {
        match word.to_ascii_lowercase().as_str() {
            "media" => Ok(Self::Media),
            "body" => Ok(Self::Body),
            "history" => Ok(Self::History),
            _ => Err(Invalid::Parameter {
                name: "Category",
                wants: "media, body or history",
            }
            .into()),
        }
    }
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

impl From<Media> for Piece {
    fn from(media: Media) -> Self {
        Self {
            sid: media.sid,
            category: media.category,
            filename: media.filename,
            content_type: media.content_type,
            size: media.size,
        }
    }
}

/// Reads the SIDs of the media that a message is to carry.
///
/// # Errors
/// 50510; 20422 for too many.
pub fn sids(texts: &[String]) -> Result<Vec<MediaSid>, Error> {
    if texts.len() > MAX_PIECES {
        return Err(Invalid::Parameter {
            name: "MediaSid",
            wants: "at most 10 pieces of media",
        }
        .into());
    }
    texts
        .iter()
        .map(|text| text.parse().map_err(|_| Invalid::MediaSidMalformed.into()))
        .collect()
}

/// Checks the name of a file; an empty one is none.
///
/// # Errors
/// 20422 for one that is too long or has characters that no name has.
pub fn filename(name: String) -> Result<Option<String>, Error> {
    if name.chars().count() > MAX_FILENAME_CHARACTERS || name.contains(char::is_control) {
        return Err(Invalid::Parameter {
            name: "Filename",
            wants: "at most 256 characters, and no control characters",
        }
        .into());
    }
    Ok(Some(name).filter(|name| !name.is_empty()))
}

/// What an upload is said to be; one that says nothing, or nothing that is a media type, is any bytes.
///
/// Parameters with a comma are left out: a browser may take what follows it for another type, and that for the true one
/// (WHATWG Fetch, "extract a MIME type").
#[must_use]
pub fn claimed_type(claim: Option<&str>) -> String {
    let mut claim = claim.unwrap_or_default().trim();
    if claim.contains(',') {
        claim = essence(claim);
    }
    let is_token = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let fits = claim.len() <= 255
        && claim.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && essence(claim)
            .split_once('/')
            .is_some_and(|(kind, part)| is_token(kind) && is_token(part));
    if fits { claim } else { ANY_BYTES }.to_owned()
}

/// What the first bytes of a file say it is, if they say anything.
#[must_use]
pub fn sniff(first: &[u8]) -> Option<String> {
    infer::get(first).map(|found| found.mime_type().to_owned())
}

/// The media type without its parameters.
fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

impl Media {
    /// What its bytes are, as far as anybody can tell: channels go by this.
    #[must_use]
    pub fn true_type(&self) -> &str {
        self.sniffed_type.as_deref().unwrap_or(&self.content_type)
    }

    /// Whether a browser may show it in its place: what it does not run, and what is by its bytes what it is said to be
    /// (our choice: a file from a stranger must not run in the name of the server). Anything else it may only save.
    #[must_use]
    pub fn may_be_shown(&self) -> bool {
        let kind = essence(&self.content_type).to_ascii_lowercase();
        match kind.split_once('/') {
            Some(("image", "jpg")) => self.sniffed_type.as_deref() == Some("image/jpeg"),
            Some(("image", _)) => self.sniffed_type.as_ref() == Some(&kind),
            Some(("audio" | "video", _)) | Some(("text", "plain")) => true,
            _ => self.is_pdf(),
        }
    }

    /// Whether it is a PDF, by what it is said to be and by its bytes: browsers show these by a program of their own,
    /// which a sandbox would keep from running.
    #[must_use]
    pub fn is_pdf(&self) -> bool {
        const PDF: &str = "application/pdf";
        essence(&self.content_type).eq_ignore_ascii_case(PDF)
            && self.sniffed_type.as_deref() == Some(PDF)
    }

    /// Whether it is still there at `now`, when what hangs on no message is kept for so long.
    #[must_use]
    pub fn is_kept(&self, now: Timestamp, unattached_for: TimeDelta) -> bool {
        self.state == MediaState::Ready
            && (self.message_sid.is_some() || now < self.date_uploaded + unattached_for)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn what_is_no_media_type_is_any_bytes() {
        for (claim, stored) in [
            (None, ANY_BYTES),
            (Some(""), ANY_BYTES),
            (Some("text"), ANY_BYTES),
            (Some("text/"), ANY_BYTES),
            (Some("a b/c"), ANY_BYTES),
            (Some("text/plain\u{e4}"), ANY_BYTES),
            (
                Some(" text/plain; charset=utf-8 "),
                "text/plain; charset=utf-8",
            ),
            (Some("image/svg+xml"), "image/svg+xml"),
            (Some("text/plain;x=x,text/html"), "text/plain"),
            (Some("application/pdf;,image/svg+xml"), "application/pdf"),
            (Some("video/mp4; codecs=\"avc1, mp4a\""), "video/mp4"),
            (Some("text/plain,text/html"), ANY_BYTES),
        ] {
            assert_eq!(claimed_type(claim), stored, "{claim:?}");
        }
    }

    #[test]
    fn only_what_is_harmless_is_shown() {
        let media = |claimed: &str, sniffed: Option<&str>| Media {
            sid: MediaSid::from_uuid(Uuid::nil()),
            account_sid: AccountSid::from_uuid(Uuid::nil()),
            service_sid: ServiceSid::from_uuid(Uuid::nil()),
            state: MediaState::Ready,
            category: Category::Media,
            author: None,
            filename: None,
            content_type: claimed.to_owned(),
            sniffed_type: sniffed.map(str::to_owned),
            size: 1,
            is_multipart_upstream: false,
            conversation_sid: None,
            message_sid: None,
            date_created: Timestamp::UNIX_EPOCH,
            date_uploaded: Timestamp::UNIX_EPOCH,
            date_updated: Timestamp::UNIX_EPOCH,
        };
        for (claimed, sniffed, shown) in [
            ("text/plain", None, true),
            ("TEXT/HTML; charset=utf-8", None, false),
            ("application/xhtml+xml", None, false),
            ("image/svg+xml", None, false),
            ("text/xml", None, false),
            ("text/javascript", None, false),
            ("image/png", Some("image/png"), true),
            ("image/jpg", Some("image/jpeg"), true),
            ("image/png", Some("image/gif"), false),
            ("image/png", None, false),
            ("application/pdf", Some("application/pdf"), true),
            ("application/pdf", None, false),
            ("text/xsl", None, false),
            ("application/json", None, false),
            ("video/mp4", None, true),
        ] {
            assert_eq!(
                media(claimed, sniffed).may_be_shown(),
                shown,
                "{claimed} {sniffed:?}"
            );
        }
    }

    #[test]
    fn the_first_bytes_tell() {
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n").as_deref(), Some("image/png"));
        assert_eq!(sniff(b"hello"), None);
        assert_eq!(sniff(b""), None);
    }
}
