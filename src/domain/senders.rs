//! Senders: the addresses that a Messaging Service sends from.
//!
//! An address belongs to one Messaging Service of its account. Taken out of it, it stays known to the account, so that
//! its SID may be put into another.

use uuid::Uuid;

use super::accounts::AccountSid;
use super::addresses::{Address, Channel};
use super::errors::{Error, Invalid};
use super::messaging_services::MessagingServiceSid;
use super::time::Timestamp;

/// The longest alphanumeric sender, in characters (API reference of alpha senders).
const MAX_ALPHA_CHARACTERS: usize = 11;

/// What kind of address a sender is; each is a resource of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum SenderKind {
    /// A long number of the account.
    PhoneNumber,
    /// A short number.
    ShortCode,
    /// A name that recipients see instead of a number, and cannot answer.
    AlphaSender,
    /// An address on a channel other than SMS.
    ChannelSender,
}

impl SenderKind {
    /// What its SIDs begin with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::PhoneNumber => "PN",
            Self::ShortCode => "SC",
            Self::AlphaSender => "AI",
            Self::ChannelSender => "XE",
        }
    }

    /// Prints a SID.
    #[must_use]
    pub fn sid(self, id: Uuid) -> String {
        format!("{}{}", self.prefix(), id.simple())
    }

    /// Reads a SID; none when it is not one of this kind.
    #[must_use]
    pub fn id(self, sid: &str) -> Option<Uuid> {
        let hex = sid.strip_prefix(self.prefix())?;
        (hex.len() == 32).then(|| Uuid::try_parse(hex).ok())?
    }
}

/// An address of a Messaging Service.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Sender {
    /// The part of its SID behind the prefix of its kind.
    pub sid: Uuid,
    /// Whose it is.
    pub account_sid: AccountSid,
    /// The Messaging Service; none after it was taken out of one.
    pub messaging_service_sid: Option<MessagingServiceSid>,
    /// What it is.
    pub kind: SenderKind,
    /// The address, spelt as proxy addresses are where it can be one: `+15558675310`, `whatsapp:+15558675310`.
    pub address: String,
    /// When it was put into the Messaging Service.
    pub date_created: Timestamp,
    /// When it was last changed.
    pub date_updated: Timestamp,
}

impl Sender {
    /// What the API calls the channel of a channel sender.
    #[must_use]
    pub fn channel_name(&self) -> &'static str {
        match Address::parse(&self.address).map(|address| address.channel()) {
            Some(Channel::Whatsapp) => "WhatsApp",
            Some(Channel::Messenger) => "Messenger",
            Some(Channel::Gbm) => "GBM",
            Some(Channel::Rcs) => "RCS",
            Some(Channel::Apple) => "Apple",
            Some(Channel::Email) => "Email",
            Some(Channel::Sms) | None => "SMS",
        }
    }
}

/// How a caller names an address that is to be put into a Messaging Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSender {
    /// What it is.
    pub kind: SenderKind,
    /// Its SID, if it is known by one.
    pub sid: Option<Uuid>,
    /// The address itself, if it is told.
    pub address: Option<String>,
}

impl NewSender {
    /// Reads the SID and the address of one kind; an empty text counts as absent. The published API knows addresses by
    /// SIDs that other parts of it gave out; here, where nobody else does, the address itself may be told, alone or to go
    /// with the SID that it is to have.
    ///
    /// # Errors
    /// 20422 when neither is there, or one is malformed.
    pub fn parse(
        kind: SenderKind,
        sid: Option<String>,
        address: Option<String>,
    ) -> Result<Self, Error> {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let sid = filled(sid)
            .map(|text| kind.id(&text).ok_or_else(|| malformed_sid(kind)))
            .transpose()?;
        let address = filled(address)
            .map(|text| address_of(kind, text))
            .transpose()?;
        if sid.is_none() && address.is_none() {
            return Err(malformed_sid(kind));
        }
        Ok(Self { kind, sid, address })
    }
}

fn malformed_sid(kind: SenderKind) -> Error {
    let (name, wants) = match kind {
        SenderKind::PhoneNumber => ("PhoneNumberSid", "the SID of a phone number of the account"),
        SenderKind::ShortCode => ("ShortCodeSid", "the SID of a short code, or a ShortCode"),
        SenderKind::AlphaSender => (
            "AlphaSender",
            "at most 11 letters, digits, spaces and -+_&, not without a letter",
        ),
        SenderKind::ChannelSender => ("Sid", "the SID of a channel sender, or a Sender"),
    };
    Invalid::Parameter { name, wants }.into()
}

/// The refusal of a SID that names nothing of the account.
#[must_use]
pub fn unknown(kind: SenderKind) -> Error {
    malformed_sid(kind)
}

fn address_of(kind: SenderKind, text: String) -> Result<String, Error> {
    let address = Address::parse(&text);
    let channel = address.map(|address| address.channel());
    match kind {
        SenderKind::PhoneNumber if channel == Some(Channel::Sms) => Ok(text),
        SenderKind::ShortCode if is_short_code(&text) => Ok(text),
        SenderKind::AlphaSender if is_alpha(&text) => Ok(text),
        SenderKind::ChannelSender if channel.is_some_and(|channel| channel != Channel::Sms) => {
            Ok(text)
        }
        SenderKind::PhoneNumber | SenderKind::AlphaSender => Err(malformed_sid(kind)),
        SenderKind::ShortCode => Err(Invalid::Parameter {
            name: "ShortCode",
            wants: "3 to 8 digits",
        }
        .into()),
        SenderKind::ChannelSender => Err(Invalid::Parameter {
            name: "Sender",
            wants: "an address on a channel, such as whatsapp:+15558675310",
        }
        .into()),
    }
}

/// Whether a text has the shape of a short code.
#[must_use]
pub fn is_short_code(text: &str) -> bool {
    (3..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text can be an alphanumeric sender (API reference of alpha senders).
fn is_alpha(text: &str) -> bool {
    text.len() <= MAX_ALPHA_CHARACTERS
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'+' | b'_' | b'&')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_takes_addresses_of_its_own() {
        use SenderKind::{AlphaSender, ChannelSender, PhoneNumber, ShortCode};
        for (text, wanted) in [
            ("+15558675310", Some(PhoneNumber)),
            ("12345", Some(ShortCode)),
            ("Twilio & Co", Some(AlphaSender)),
            ("+1 a", Some(AlphaSender)),
            ("whatsapp:+15558675310", Some(ChannelSender)),
            ("messenger:1047945", Some(ChannelSender)),
            ("rcs:agent", Some(ChannelSender)),
            ("whatsapp:bob", None),
            ("12", None),
            ("123456789", None),
            ("twelve chars", None),
            ("naïve", None),
            ("+-_&", None),
        ] {
            for kind in [PhoneNumber, ShortCode, AlphaSender, ChannelSender] {
                let read = NewSender::parse(kind, None, Some(text.to_owned()));
                assert_eq!(read.is_ok(), wanted == Some(kind), "{kind:?} {text}");
            }
        }
    }

    #[test]
    fn a_sid_is_of_its_kind() {
        let id = Uuid::from_u128(7);
        let sid = SenderKind::ShortCode.sid(id);
        assert_eq!(sid, "SC00000000000000000000000000000007");
        assert_eq!(SenderKind::ShortCode.id(&sid), Some(id));
        assert_eq!(SenderKind::PhoneNumber.id(&sid), None);
        for text in ["", "SC", "SC7", "SC0000000000000000000000000000000x"] {
            assert_eq!(SenderKind::ShortCode.id(text), None, "{text}");
        }
    }
}
