//! Addresses on channels: phone numbers and their kin.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::errors::{Error, Invalid};

/// The longest address, in characters (API limits page).
const MAX_CHARACTERS: usize = 256;

/// How people outside are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Channel {
    Sms,
    Whatsapp,
    Messenger,
    Gbm,
    Rcs,
    Apple,
    Email,
}

impl Channel {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Whatsapp => "whatsapp",
            Self::Messenger => "messenger",
            Self::Gbm => "gbm",
            Self::Rcs => "rcs",
            Self::Apple => "apple",
            Self::Email => "email",
        }
    }

    /// The SID of one copy of a message on this channel, as receipts print it: two letters that tell the channel, and
    /// 32 hex digits of ours (a provider's own id goes elsewhere: it need not fit).
    #[must_use]
    pub fn message_sid(self, id: uuid::Uuid) -> String {
        let prefix = match self {
            Self::Whatsapp => "WA",
            _ => "SM",
        };
        format!("{prefix}{}", id.simple())
    }
}

/// An address whose syntax was checked: `+15558675310`, `whatsapp:+15558675310`, `messenger:123`, `a@example.com`.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type, schemars::JsonSchema,
)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Address(String);

impl Address {
    /// Reads an address; none when it has no channel's syntax.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (channel, rest) = split(text)?;
        let fits = match channel {
            Channel::Sms | Channel::Whatsapp => is_e164(rest),
            Channel::Messenger | Channel::Gbm | Channel::Rcs | Channel::Apple => {
                !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
            }
            Channel::Email => rest.split_once('@').is_some_and(|(name, host)| {
                !name.is_empty() && !host.is_empty() && !rest.contains(char::is_whitespace)
            }),
        };
        (fits && text.chars().count() <= MAX_CHARACTERS).then(|| Self(text.to_owned()))
    }

    /// The channel, told by the prefix.
    #[must_use]
    pub fn channel(&self) -> Channel {
        split(&self.0).map_or(Channel::Sms, |(channel, _)| channel)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn split(text: &str) -> Option<(Channel, &str)> {
    match text.split_once(':') {
        Some(("whatsapp", rest)) => Some((Channel::Whatsapp, rest)),
        Some(("messenger", rest)) => Some((Channel::Messenger, rest)),
        Some(("gbm", rest)) => Some((Channel::Gbm, rest)),
        Some(("rcs", rest)) => Some((Channel::Rcs, rest)),
        Some(("apple", rest)) => Some((Channel::Apple, rest)),
        Some(_) => None,
        None if text.contains('@') => Some((Channel::Email, text)),
        None => Some((Channel::Sms, text)),
    }
}

/// `^\+[1-9]\d{6,14}$`: the shape of E.164, so that test and fictional numbers pass.
fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

/// The pair under which a person outside is bound in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressPair {
    /// The person's own address.
    pub address: Address,
    /// The address of ours that the person talks to.
    pub proxy_address: Address,
}

impl AddressPair {
    /// Checks both texts, in the documented order: empty, shape, equal, channels.
    ///
    /// # Errors
    /// 50411, 50412, 50407, 50408, 50409, 50414.
    pub fn parse(address: &str, proxy_address: &str) -> Result<Self, Error> {
        if address.is_empty() {
            return Err(Invalid::AddressEmpty.into());
        }
        if proxy_address.is_empty() {
            return Err(Invalid::ProxyAddressEmpty.into());
        }
        let own = Address::parse(address).ok_or(Invalid::AddressMalformed)?;
        let proxy = Address::parse(proxy_address).ok_or(Invalid::ProxyAddressMalformed)?;
        if own == proxy {
            return Err(Invalid::AddressEqualsProxyAddress.into());
        }
        if own.channel() != proxy.channel() {
            return Err(Invalid::ChannelsDiffer.into());
        }
        Ok(Self {
            address: own,
            proxy_address: proxy,
        })
    }

    /// The order key of messages to this person: one at a time, in order.
    #[must_use]
    pub fn order_key(&self) -> String {
        format!("{}|{}", self.address, self.proxy_address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_tells_the_channel() {
        for (text, channel) in [
            ("+15558675310", Channel::Sms),
            ("whatsapp:+15558675310", Channel::Whatsapp),
            ("messenger:1234567890", Channel::Messenger),
            ("rcs:acme_agent", Channel::Rcs),
            ("a@example.com", Channel::Email),
        ] {
            assert_eq!(
                Address::parse(text).map(|a| a.channel()),
                Some(channel),
                "{text}"
            );
        }
        for text in [
            "",
            "15558675310",
            "+1555",
            "+05558675310",
            "+1555867531012345",
            "whatsapp:alice",
            "tel:+15558675310",
            "@x",
            "+1 5558675310",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[test]
    fn pairs_are_checked_in_order() {
        let code = |a: &str, p: &str| {
            AddressPair::parse(a, p)
                .map_err(|e| e.published().code)
                .err()
        };
        assert_eq!(code("", "+15550000002"), Some(50411));
        assert_eq!(code("+15550000001", ""), Some(50412));
        assert_eq!(code("x", "y"), Some(50407));
        assert_eq!(code("+15550000001", "y"), Some(50408));
        assert_eq!(code("+15550000001", "+15550000001"), Some(50409));
        assert_eq!(code("+15550000001", "whatsapp:+15550000002"), Some(50414));
        assert_eq!(code("+15550000001", "+15550000002"), None);
    }
}
