//! The job: one copy of a message to one address.

use super::{Channels, Outbound, Sent};
use crate::domain::addresses::AddressPair;
use crate::domain::jobs::{MAX_ATTEMPTS, Outcome};
use crate::domain::messages::MAX_CHANNEL_BODY_CHARACTERS;
use crate::domain::{Channel, ConversationSid, Error, MessageSid, ReceiptSid, ReceiptStatus};
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

/// Hands one copy to the provider: the job of that name. It may run twice: a copy that has a status is on its way.
///
/// # Errors
/// As the database.
pub async fn send(channels: &Channels, copy: Copy, failures: i32) -> Result<Outcome, Error> {
    let core = &channels.core;
    let found = receipts::to_send(core, copy.conversation, copy.message, copy.receipt).await?;
    let Some(to_send) = found else {
        return Ok(Outcome::Done);
    };
    let fail = async |code: i32| {
        let (status, error_code) = (ReceiptStatus::Failed, code);
        let (conversation, message, receipt) = (copy.conversation, copy.message, copy.receipt);
        receipts::report(
            core,
            Report {
                conversation,
                message,
                receipt,
                status,
                error_code,
            },
        )
        .await
    };
    let outbound = Outbound {
        account: to_send.account,
        conversation: copy.conversation,
        message: copy.message,
        receipt: copy.receipt,
        pair: copy.pair.clone(),
        text: to_send.body,
    };
    if is_too_long(&outbound) {
        fail(BODY_TOO_LONG).await?;
        return Ok(Outcome::Done);
    }
    let Some(backend) = channels.backend_of(&outbound) else {
        fail(SENDER_NOT_OURS).await?;
        return Ok(Outcome::Done);
    };
    match backend.send(&outbound).await {
        Sent::Accepted => Ok(Outcome::Done),
        Sent::Rejected(code) => {
            fail(code).await?;
            Ok(Outcome::Done)
        }
        Sent::Retry(why) => {
            if failures + 1 >= MAX_ATTEMPTS {
                fail(GAVE_UP).await?;
            }
            Ok(Outcome::Failed(why))
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
