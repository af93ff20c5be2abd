//! Virtual handsets: phones of the simulator.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::addresses::Address;
use super::conversations::ConversationSid;
use super::errors::{Error, Invalid};
use super::messages::MessageSid;
use super::receipts::{ReceiptSid, ReceiptStatus};
use super::time::Timestamp;

/// A virtual handset.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Handset {
    /// Its address.
    pub address: Address,
    /// A name for people.
    pub name: Option<String>,
    /// Whether it can be reached.
    pub state: HandsetState,
    /// Messages it received that were not read.
    pub unread: i64,
}

/// Whether a virtual handset can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum HandsetState {
    /// It takes everything.
    On,
    /// Messages wait until it is switched on.
    Off,
    /// Its memory is full: undelivered, 30003.
    Full,
    /// Its owner blocked us: undelivered, 30004.
    Blocked,
}

impl FromStr for HandsetState {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            "full" => Ok(Self::Full),
            "blocked" => Ok(Self::Blocked),
            _ => Err(Invalid::Parameter {
                name: "state",
                wants: "on, off, full or blocked",
            }
            .into()),
        }
    }
}

/// A message as a handset sees it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct HandsetMessage {
    /// Its id in the thread.
    pub id: Uuid,
    /// The handset.
    pub address: Address,
    /// The address of ours.
    pub proxy_address: Address,
    /// Whether the handset received or sent it.
    pub direction: Direction,
    /// The text.
    pub text: Option<String>,
    /// Media, as `[{"url", "content_type", "size", "filename"}]`.
    pub media: Value,
    /// Of a received one its receipt's; of a sent one none, then delivered or undelivered.
    pub status: Option<ReceiptStatus>,
    /// How many parts it took.
    pub segments: i32,
    /// Its alphabet; none off SMS.
    pub encoding: Option<String>,
    /// When it was sent.
    pub at: Timestamp,
    /// Of a received one, the conversation.
    pub conversation_sid: Option<ConversationSid>,
    /// Of a received one, the message.
    pub message_sid: Option<MessageSid>,
    /// Of a received one, the receipt.
    pub receipt_sid: Option<ReceiptSid>,
}

/// Which way a message went, as the handset sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Direction {
    Received,
    Sent,
}

/// What becomes of a message to a number that has its outcome built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// As the handset's state says.
    Usual,
    /// Refused when it is sent.
    Refused(i32),
    /// `sent`, then `undelivered`.
    Undelivered(i32),
    /// Failed.
    Failed(i32),
}

/// The outcome built into a number: Twilio's test recipients, and `+150055` with a code of five digits.
#[must_use]
pub fn fate(address: &Address) -> Fate {
    let number = address.as_str().rsplit(':').next().unwrap_or_default();
    match number {
        "+15005550001" => return Fate::Refused(21211),
        "+15005550002" => return Fate::Refused(21612),
        "+15005550003" => return Fate::Refused(21408),
        "+15005550004" => return Fate::Refused(21610),
        "+15005550009" => return Fate::Refused(21614),
        _ => {}
    }
    let code = number
        .strip_prefix("+150055")
        .filter(|code| code.len() == 5)
        .and_then(|code| code.parse().ok());
    match code {
        Some(code @ 20_000..=29_999) => Fate::Refused(code),
        Some(code @ 30_000..=39_999) => Fate::Undelivered(code),
        Some(code @ 60_000..=69_999) => Fate::Failed(code),
        _ => Fate::Usual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_outcome_built_in() {
        let of = |text: &str| fate(&Address::parse(text).expect("an address"));
        assert_eq!(of("+15005550001"), Fate::Refused(21211));
        assert_eq!(of("+15005530003"), Fate::Undelivered(30003));
        assert_eq!(of("whatsapp:+15005563016"), Fate::Failed(63016));
        assert_eq!(of("+15558675310"), Fate::Usual);
    }
}
