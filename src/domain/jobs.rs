//! Jobs: work that is left to do after an answer was given.
//!
//! A job is a row written in the same transaction as the change it follows from, so it exists exactly if the change
//! does. Jobs of one order key run one at a time and in order; different keys run in parallel. A job may run twice:
//! each looks at the state and does what is missing.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::accounts::AccountSid;
use super::addresses::AddressPair;
use super::conversations::ConversationSid;
use super::media::MediaSid;
use super::messages::MessageSid;
use super::plain_messages::PlainMessageSid;
use super::receipts::{ReceiptSid, ReceiptStatus};
use super::services::ServiceSid;
use super::time::Timestamp;

/// Work that is left to do.
///
/// Jobs of an older version may still be in the table after an upgrade: add variants, keep the old ones readable.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Job {
    /// Sends one copy of a message to one person on a channel.
    SendToChannel {
        /// The conversation.
        conversation: ConversationSid,
        /// The message.
        message: MessageSid,
        /// The receipt of the copy.
        receipt: ReceiptSid,
        /// Who it goes to, and from which address.
        pair: AddressPair,
    },
    /// Sends a plain message.
    SendPlain {
        /// The message.
        message: PlainMessageSid,
        /// Who it goes to, and from which address.
        pair: AddressPair,
    },
    /// Turns a conversation inactive or closed if its timers say so.
    ApplyTimers {
        /// The conversation.
        conversation: ConversationSid,
        /// When a timer ends, as things stood.
        end: Timestamp,
    },
    /// Removes an upload that did not end, or that no message took.
    ExpireMedia {
        /// The upload.
        media: MediaSid,
    },
    /// Removes the bytes of a conversation's media that went with their messages.
    RemoveMedia {
        /// The conversation, which may be gone.
        conversation: ConversationSid,
    },
    /// Forgets who is online in a service that switched reachability off.
    ForgetReachability {
        /// The service, which may be gone.
        service: ServiceSid,
    },
    /// Takes in what a virtual handset sent.
    ReceiveFromHandset {
        /// The account whose handset it is.
        account: AccountSid,
        /// The message in the handset's thread.
        message: Uuid,
    },
    /// Moves a message on its way to a virtual handset one step on.
    ReportFromHandset {
        /// The message in the handset's thread.
        message: Uuid,
        /// The step.
        status: ReceiptStatus,
        /// Why it failed, a code of the published dictionary; 0 when it did not.
        error_code: i32,
    },
}

impl Job {
    /// The kind, for the log and for counting.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SendToChannel { .. } => "send_to_channel",
            Self::SendPlain { .. } => "send_plain",
            Self::ApplyTimers { .. } => "apply_timers",
            Self::ExpireMedia { .. } => "expire_media",
            Self::RemoveMedia { .. } => "remove_media",
            Self::ForgetReachability { .. } => "forget_reachability",
            Self::ReceiveFromHandset { .. } => "receive_from_handset",
            Self::ReportFromHandset { .. } => "report_from_handset",
        }
    }

    /// The order key: jobs that share it run one at a time, in the order they were written.
    #[must_use]
    pub fn order_key(&self) -> String {
        match self {
            Self::SendToChannel { pair, .. } | Self::SendPlain { pair, .. } => {
                format!("send {}", pair.order_key())
            }
            // Ends of timers do not wait for each other, and the same end is looked at once.
            Self::ApplyTimers { conversation, end } => {
                format!("timers {conversation} {}", end.timestamp_micros())
            }
            Self::ExpireMedia { media } => format!("media {media}"),
            Self::RemoveMedia { conversation } => format!("media {conversation}"),
            Self::ForgetReachability { service } => format!("reachability {service}"),
            Self::ReceiveFromHandset { message, .. } => format!("handset {message}"),
            Self::ReportFromHandset { message, .. } => format!("report {message}"),
        }
    }
}

/// How a run of a job ended. The job decides, the worker obeys.
#[derive(Debug)]
pub enum Outcome {
    /// It is finished.
    Done,
    /// It is to be run again after this time; not a failure.
    Again(Duration),
    /// It failed and is to be tried again by [`retry_after`].
    Failed(String),
    /// It can never succeed; it is kept as a dead letter.
    Never(String),
}

impl Outcome {
    /// A word for counting.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Again(_) => "again",
            Self::Failed(_) => "failed",
            Self::Never(_) => "never",
        }
    }
}

/// How often a failing job is tried before it becomes a dead letter.
pub const MAX_ATTEMPTS: i32 = 15;

/// How long a worker may hold a job before another one may take it: longer than any time limit inside a job.
pub const LEASE: Duration = Duration::from_secs(60);

/// How long a job waits after its n-th failure: from one second, doubling, up to five minutes.
#[must_use]
pub fn retry_after(failures: i32) -> Duration {
    let doublings = u32::try_from(failures.saturating_sub(1))
        .unwrap_or(0)
        .min(9);
    Duration::from_secs((1_u64 << doublings).min(300))
}

/// A job that was taken from the queue.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Its number in the queue.
    pub id: i64,
    /// What to do.
    pub job: Job,
    /// How often it has failed so far.
    pub failures: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes() {
        assert_eq!(retry_after(1), Duration::from_secs(1));
        assert_eq!(retry_after(4), Duration::from_secs(8));
        assert_eq!(retry_after(100), Duration::from_secs(300));
        assert_eq!(retry_after(0), Duration::from_secs(1));
    }
}
