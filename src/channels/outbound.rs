//! The jobs: one copy of a message to one address.

use super::{Channels, Outbound, Sent};
use crate::domain::addresses::AddressPair;
use crate::domain::jobs::{MAX_ATTEMPTS, Outcome};
use crate::domain::messages::MAX_CHANNEL_BODY_CHARACTERS;
use crate::domain::plain_messages::PlainMessageSid;
use crate::domain::{
    Channel, ConversationSid, CopyOf, Error, MessageSid, ReceiptSid, ReceiptStatus,
};
use crate::ops::plain_messages;
use crate::ops::receipts::{self, Report};

/// The body is longer than the channel carries.
const BODY_TOO_LONG: i32 = 21617;
/// No Messaging Service has the address that is to be sent from.
const SENDER_NOT_OURS: i32 = 21606;
/// Every attempt failed, and no better reason is known.
const GAVE_UP: i32 = 30008;

/// What is to be sent.
#[derive(Debug, Clone)]
pub struct Copy {
    /// The conversation.
    pub conversation: ConversationSid,
    /// The message.
    pub message: MessageSid,
    /// The receipt of the copy.
    pub receipt: ReceiptSid,
    /// Who it goes to, and from which address.
    pub pair: AddressPair,
}

/// Hands one copy of a conversation's message to the provider: the job of that name. It may run twice: a copy that has a
/// status is on its way.
///
/// # Errors
/// As the database.
pub async fn send(channels: &Channels, copy: Copy, failures: i32) -> Result<Outcome, Error> {
    let core = &channels.core;
    let (conversation, message, receipt) = (copy.conversation, copy.message, copy.receipt);
    let found = receipts::to_send(core, conversation, message, receipt).await?;
    let Some(to_send) = found else {
        return Ok(Outcome::Done);
    };
    let outbound = Outbound {
        account: to_send.account,
        of: CopyOf::Message {
            conversation,
            message,
            receipt,
        },
        pair: copy.pair,
        text: to_send.body,
        media_urls: Vec::new(),
    };
    let (outcome, failed) = hand_over(channels, &outbound, failures).await;
    if let Some(error_code) = failed {
        let report = Report {
            conversation,
            message,
            receipt,
            status: ReceiptStatus::Failed,
            error_code,
        };
        receipts::report(core, report).await?;
    }
    Ok(outcome)
}

/// Hands a plain message to the provider: the job of that name. It may run twice, as the other.
///
/// # Errors
/// As the database.
pub async fn send_plain(
    channels: &Channels,
    sid: PlainMessageSid,
    failures: i32,
) -> Result<Outcome, Error> {
    let core = &channels.core;
    let Some(message) = plain_messages::to_send(core, sid).await? else {
        return Ok(Outcome::Done);
    };
    let outbound = Outbound {
        account: message.account_sid,
        of: CopyOf::Plain(sid),
        pair: AddressPair {
            address: message.to_address,
            proxy_address: message.from_address,
        },
        text: message.body,
        media_urls: message.media_urls,
    };
    let (outcome, failed) = hand_over(channels, &outbound, failures).await;
    if let Some(error_code) = failed {
        plain_messages::report(core, sid, ReceiptStatus::Failed, error_code).await?;
    }
    Ok(outcome)
}

/// Hands a copy over. Answers how its job ends, and the code of a failure that is final.
async fn hand_over(channels: &Channels, copy: &Outbound, failures: i32) -> (Outcome, Option<i32>) {
    if is_too_long(copy) {
        return (Outcome::Done, Some(BODY_TOO_LONG));
    }
    let Some(backend) = channels.backend_of(copy) else {
        return (Outcome::Done, Some(SENDER_NOT_OURS));
    };
    match backend.send(copy).await {
        Sent::Accepted => (Outcome::Done, None),
        Sent::Rejected(code) => (Outcome::Done, Some(code)),
        Sent::Retry(why) => {
            let gave_up = (failures + 1 >= MAX_ATTEMPTS).then_some(GAVE_UP);
            (Outcome::Failed(why), gave_up)
        }
    }
}

fn is_too_long(copy: &Outbound) -> bool {
    let limited = matches!(
        copy.pair.address.channel(),
        Channel::Sms | Channel::Whatsapp
    );
    limited
        && copy
            .text
            .as_ref()
            .is_some_and(|text| text.chars().count() > MAX_CHANNEL_BODY_CHARACTERS)
}
