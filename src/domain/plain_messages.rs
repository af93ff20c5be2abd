//! Plain messages: sent as they are, outside of conversations.

use url::Url;

use super::accounts::AccountSid;
use super::addresses::{Address, Channel};
use super::errors::{Error, Invalid, Unsendable};
use super::messages::MAX_CHANNEL_BODY_CHARACTERS;
use super::messaging_services::MessagingServiceSid;
use super::receipts::ReceiptStatus;
use super::sids::{Kind, Sid};
use super::time::Timestamp;

/// The SID of a plain message.
pub type PlainMessageSid = Sid<PlainMessage>;

/// A plain message.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PlainMessage {
    /// Its SID.
    pub sid: PlainMessageSid,
    /// Whose it is.
    pub account_sid: AccountSid,
    /// Through which Messaging Service it goes.
    pub messaging_service_sid: Option<MessagingServiceSid>,
    /// Which way it goes, in the word of the API.
    pub direction: String,
    /// The sender.
    pub from_address: Address,
    /// The recipient.
    pub to_address: Address,
    /// The text.
    pub body: Option<String>,
    /// Where its media are.
    pub media_urls: Vec<String>,
    /// How many parts the text takes.
    pub segments: i32,
    /// How far it has come; none while it has not left the server.
    pub status: Option<ReceiptStatus>,
    /// Why it failed, a code of the published dictionary; 0 when it did not.
    pub error_code: i32,
    /// When it was written.
    pub date_created: Timestamp,
    /// When it left.
    pub date_sent: Option<Timestamp>,
    /// When it was last changed.
    pub date_updated: Timestamp,
}

impl Kind for PlainMessage {
    const PREFIX: &'static str = "SM";
}

/// The letters before the SID of a message with media.
const WITH_MEDIA: &str = "MM";

impl PlainMessage {
    /// What `direction` says of a message that a program sent.
    pub const OUTBOUND: &'static str = "outbound-api";

    /// The SID as it is printed: the letters tell whether there are media (API reference of messages).
    #[must_use]
    pub fn printed_sid(&self) -> String {
        if self.media_urls.is_empty() {
            self.sid.to_string()
        } else {
            format!("{WITH_MEDIA}{}", self.sid.uuid().simple())
        }
    }

    /// The status in the word of the API.
    #[must_use]
    pub fn status_word(&self) -> &'static str {
        self.status.map_or("queued", ReceiptStatus::as_str)
    }
}

/// Reads the SID of a plain message, with either pair of letters.
#[must_use]
pub fn sid(text: &str) -> Option<PlainMessageSid> {
    match text.strip_prefix(WITH_MEDIA) {
        Some(digits) => format!("{}{digits}", PlainMessage::PREFIX).parse().ok(),
        None => text.parse().ok(),
    }
}

/// A message that is to be sent, before it is known from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The recipient.
    pub to: Address,
    /// From which address, or through which Messaging Service.
    pub by: Sender,
    /// The text.
    pub body: Option<String>,
    /// Where its media are.
    pub media_urls: Vec<String>,
}

/// Where a message is to come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// From this address.
    Address(Address),
    /// From an address of this Messaging Service.
    Service(MessagingServiceSid),
    /// From this address, through this Messaging Service.
    Both(Address, MessagingServiceSid),
}

/// What a request says of a message that is to be sent, unchecked.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// `To`.
    pub to: Option<String>,
    /// `From`: an address, or the SID of a Messaging Service (error dictionary, 21603).
    pub from: Option<String>,
    /// `MessagingServiceSid`.
    pub service: Option<String>,
    /// `Body`.
    pub body: Option<String>,
    /// `MediaUrl`.
    pub media_urls: Vec<String>,
}

/// The most media of a message (API reference of messages).
const MAX_MEDIA: usize = 10;
/// The longest URL of media, in characters (our choice, as of webhooks).
const MAX_URL_CHARACTERS: usize = 2048;

impl Asked {
    /// Checks what is asked for.
    ///
    /// # Errors
    /// [`Unsendable`], the recipient first, then the sender, then what is to be sent.
    pub fn check(self) -> Result<Wanted, Error> {
        let refuse = |what: Unsendable| Error::from(Invalid::Unsendable(what));
        let to = self.to.ok_or_else(|| refuse(Unsendable::ToMissing))?;
        let to = Address::parse(&to).ok_or_else(|| refuse(Unsendable::ToMalformed))?;
        let by = sender(self.from, self.service, &to).map_err(refuse)?;
        let through_service = !matches!(by, Sender::Address(_));
        if self.body.is_none() && self.media_urls.is_empty() {
            return Err(refuse(if through_service {
                Unsendable::EmptyThroughService
            } else {
                Unsendable::Empty
            }));
        }
        let characters = self.body.as_ref().map_or(0, |body| body.chars().count());
        if characters > MAX_CHANNEL_BODY_CHARACTERS {
            return Err(refuse(Unsendable::TooLong));
        }
        if self.media_urls.len() > MAX_MEDIA {
            return Err(refuse(Unsendable::TooManyMedia));
        }
        if !self.media_urls.iter().all(|url| is_media_url(url)) {
            return Err(refuse(Unsendable::MediaUrl));
        }
        Ok(Wanted {
            to,
            by,
            body: self.body,
            media_urls: self.media_urls,
        })
    }
}

fn sender(
    from: Option<String>,
    service: Option<String>,
    to: &Address,
) -> Result<Sender, Unsendable> {
    let service = service
        .map(|text| text.parse().map_err(|_| Unsendable::ServiceMalformed))
        .transpose()?;
    let from = match from {
        None => return service.map(Sender::Service).ok_or(Unsendable::FromMissing),
        Some(text) => match text.parse() {
            Ok(service) => return Ok(Sender::Service(service)),
            Err(_) => Address::parse(&text).ok_or(Unsendable::FromMalformed)?,
        },
    };
    if from == *to {
        return Err(Unsendable::FromEqualsTo);
    }
    if from.channel() != to.channel() {
        return Err(Unsendable::ChannelsDiffer);
    }
    Ok(match service {
        None => Sender::Address(from),
        Some(service) => Sender::Both(from, service),
    })
}

fn is_media_url(text: &str) -> bool {
    text.chars().count() <= MAX_URL_CHARACTERS
        && Url::parse(text)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// The address that virtual handsets are written to from, when a Messaging Service of the simulator has no sender of its
/// own: the published number for tests.
#[must_use]
pub fn simulated_sender(channel: Channel) -> Option<Address> {
    match channel {
        Channel::Sms => Address::parse("+15005550006"),
        Channel::Whatsapp => Address::parse("whatsapp:+15005550006"),
        _ => None,
    }
}

/// What narrows a list of plain messages.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those to this address.
    pub to: Option<String>,
    /// Only those from this address.
    pub from: Option<String>,
    /// Only those that left then or later.
    pub sent_from: Option<Timestamp>,
    /// Only those that left before.
    pub sent_before: Option<Timestamp>,
}

/// What a code of a failed message means, for people; none for one that is not met here.
#[must_use]
pub const fn meaning(error_code: i32) -> Option<&'static str> {
    Some(match error_code {
        21211 => "The recipient's address is invalid",
        21408 => "Messages to this region are not enabled",
        21606 => "No messaging service of the account has the sender",
        21610 => "The recipient has opted out",
        21612 => "The recipient cannot be reached from this sender",
        21614 => "The recipient's number is no mobile number",
        21617 => "The message body is too long",
        30003 => "The handset cannot be reached",
        30004 => "The message was blocked",
        30005 => "The handset is unknown",
        30006 => "The number is a landline, or its carrier cannot be reached",
        30007 => "The message was filtered",
        30008 => "Unknown error",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(change: impl FnOnce(&mut Asked)) -> Option<u32> {
        let mut asked = Asked {
            to: Some("+15558675310".to_owned()),
            from: Some("+15550100000".to_owned()),
            body: Some("hello".to_owned()),
            ..Asked::default()
        };
        change(&mut asked);
        asked.check().err().map(|error| error.published().code)
    }

    #[test]
    fn each_fault_has_its_code() {
        let some = |text: &str| Some(text.to_owned());
        let service = format!("MG{}", "0".repeat(32));
        assert_eq!(code(|_| {}), None);
        assert_eq!(code(|asked| asked.to = None), Some(21604));
        assert_eq!(code(|asked| asked.to = some("555")), Some(21211));
        assert_eq!(code(|asked| asked.from = None), Some(21603));
        assert_eq!(code(|asked| asked.from = some("me")), Some(21212));
        assert_eq!(code(|asked| asked.from = some(&service)), None);
        assert_eq!(code(|asked| asked.from.clone_from(&asked.to)), Some(21266));
        let from = some("whatsapp:+15550100000");
        assert_eq!(code(|asked| asked.from = from), Some(21910));
        assert_eq!(code(|asked| asked.service = some("MG1")), Some(21705));
        assert_eq!(code(|asked| asked.body = None), Some(21602));
        let through = |asked: &mut Asked| (asked.body, asked.service) = (None, some(&service));
        assert_eq!(code(through), Some(21619));
        assert_eq!(code(|asked| asked.body = some(&"ü".repeat(1600))), None);
        assert_eq!(
            code(|asked| asked.body = some(&"x".repeat(1601))),
            Some(21617)
        );
        let many = vec!["https://example.com/a.png".to_owned(); 11];
        assert_eq!(code(|asked| asked.media_urls = many), Some(21623));
        for url in [
            "a.png",
            "ftp://example.com/a.png",
            "http://",
            "file:///etc/passwd",
        ] {
            assert_eq!(
                code(|asked| asked.media_urls = vec![url.to_owned()]),
                Some(21620),
                "{url}"
            );
        }
    }

    #[test]
    fn a_sid_may_begin_either_way() {
        let digits = "0123456789abcdef0123456789abcdef";
        let plain = sid(&format!("SM{digits}"));
        assert!(plain.is_some());
        assert_eq!(sid(&format!("MM{digits}")), plain);
        for text in ["", "MM", "IM0123456789abcdef0123456789abcdef", digits] {
            assert_eq!(sid(text), None, "{text}");
        }
    }
}
