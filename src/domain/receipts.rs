//! Delivery receipts: how far the copies of a message to people on channels have come.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::conversations::ConversationSid;
use super::messages::MessageSid;
use super::participants::ParticipantSid;
use super::plain_messages::PlainMessageSid;
use super::sids::{Kind, Sid};
use super::time::Timestamp;

/// The SID of a delivery receipt.
pub type ReceiptSid = Sid<Receipt>;

/// The state of one copy of a message, to one person.
#[derive(Debug, Clone, Serialize, Deserialize, sqlx::FromRow)]
pub struct Receipt {
    /// Its SID.
    pub sid: ReceiptSid,
    /// The conversation.
    pub conversation_sid: ConversationSid,
    /// The message.
    pub message_sid: MessageSid,
    /// Who it went to.
    pub participant_sid: ParticipantSid,
    /// The SID of the copy on the channel, two letters and 32 hex digits.
    pub channel_message_sid: String,
    /// How far it has come; none while it has not left the server.
    pub status: Option<ReceiptStatus>,
    /// Why it failed, a code of the published dictionary; 0 when it did not.
    pub error_code: i32,
    /// When the message was written.
    pub date_created: Timestamp,
    /// When the status last changed.
    pub date_updated: Timestamp,
}

impl Kind for Receipt {
    const PREFIX: &'static str = "DY";
}

/// What a copy on its way to an address is a copy of: where reports of it go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyOf {
    /// A message of a conversation, for one participant.
    Message {
        /// The conversation.
        conversation: ConversationSid,
        /// The message.
        message: MessageSid,
        /// The receipt of the copy.
        receipt: ReceiptSid,
    },
    /// A plain message.
    Plain(PlainMessageSid),
}

impl CopyOf {
    /// The key of every attempt to hand it over, so that a provider who honours one sends it once.
    #[must_use]
    pub const fn key(self) -> Uuid {
        match self {
            Self::Message { receipt, .. } => receipt.uuid(),
            Self::Plain(sid) => sid.uuid(),
        }
    }
}

/// How far a copy has come (API page of receipts).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum ReceiptStatus {
    /// Handed to the carrier or the channel.
    Sent,
    /// Confirmed on the handset.
    Delivered,
    /// Opened.
    Read,
    /// Accepted once, then reported as not delivered.
    Undelivered,
    /// Never got out.
    Failed,
}

impl ReceiptStatus {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
        }
    }

    /// Whether the copy did not arrive; nothing else has an error code.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Undelivered | Self::Failed)
    }

    /// Whether this status may follow `before`: never back, and a failure ends only what was not yet delivered. A
    /// delivery after a failure counts: the failure was a wrong guess (our choice).
    #[must_use]
    pub const fn may_follow(self, before: Option<Self>) -> bool {
        match before {
            None => true,
            Some(Self::Sent) => !matches!(self, Self::Sent),
            Some(Self::Delivered) => matches!(self, Self::Read),
            Some(Self::Read) => false,
            Some(Self::Undelivered | Self::Failed) => matches!(self, Self::Delivered | Self::Read),
        }
    }
}

/// How many of the copies have come how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[expect(missing_docs, reason = "the names are the published ones")]
pub struct Delivery {
    pub total: usize,
    pub sent: Share,
    pub delivered: Share,
    pub read: Share,
    pub failed: Share,
    pub undelivered: Share,
}

/// How many of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the published ones")]
pub enum Share {
    All,
    Some,
    None,
}

impl Delivery {
    /// Sums up receipts; none when there are none. Cumulative: a read copy was delivered, a delivered one sent.
    #[must_use]
    pub fn of(receipts: &[Option<ReceiptStatus>]) -> Option<Self> {
        use ReceiptStatus as S;
        if receipts.is_empty() {
            return None;
        }
        let share = |counts: &[S]| {
            let count = receipts
                .iter()
                .flatten()
                .filter(|status| counts.contains(status))
                .count();
            match count {
                0 => Share::None,
                count if count == receipts.len() => Share::All,
                _ => Share::Some,
            }
        };
        Some(Self {
            total: receipts.len(),
            sent: share(&[S::Sent, S::Delivered, S::Read]),
            delivered: share(&[S::Delivered, S::Read]),
            read: share(&[S::Read]),
            failed: share(&[S::Failed]),
            undelivered: share(&[S::Undelivered]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReceiptStatus as S;
    use proptest::prelude::*;

    fn status() -> impl Strategy<Value = S> {
        prop::sample::select(vec![
            S::Sent,
            S::Delivered,
            S::Read,
            S::Undelivered,
            S::Failed,
        ])
    }

    const fn rank(status: Option<S>) -> u8 {
        match status {
            None => 0,
            Some(S::Sent) => 1,
            Some(S::Undelivered | S::Failed) => 2,
            Some(S::Delivered) => 3,
            Some(S::Read) => 4,
        }
    }

    proptest! {
        #[test]
        fn receipts_never_go_backwards(reports in prop::collection::vec(status(), 0..12)) {
            let mut now = None;
            for report in &reports {
                let before = now;
                if report.may_follow(now) {
                    now = Some(*report);
                }
                prop_assert!(rank(now) >= rank(before));
            }
            if reports.contains(&S::Read) {
                prop_assert_eq!(now, Some(S::Read));
            }
        }
    }

    #[test]
    fn summaries_are_cumulative() {
        let sum = Delivery::of(&[Some(S::Read), Some(S::Delivered), Some(S::Sent), None]);
        assert_eq!(
            sum,
            Some(Delivery {
                total: 4,
                sent: Share::Some,
                delivered: Share::Some,
                read: Share::Some,
                failed: Share::None,
                undelivered: Share::None,
            })
        );
        assert_eq!(
            Delivery::of(&[Some(S::Read)]).map(|d| (d.sent, d.delivered)),
            Some((Share::All, Share::All))
        );
        assert_eq!(Delivery::of(&[]), None);
    }
}
