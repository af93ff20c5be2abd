//! Delivery receipts.

use super::Core;
use super::access::{self, For};
use super::record::Change;
use crate::domain::{
    AccountSid, ConversationRef, ConversationSid, Ctx, Error, Event, MessageSid, MomentKey, Page,
    PageRequest, Receipt, ReceiptSid, ReceiptStatus,
};
use crate::store;

/// What a provider says of one copy of a message.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// The conversation.
    pub conversation: ConversationSid,
    /// The message.
    pub message: MessageSid,
    /// The receipt of the copy.
    pub receipt: ReceiptSid,
    /// How far it has come.
    pub status: ReceiptStatus,
    /// Why it failed, a code of the published dictionary; 0 when it did not.
    pub error_code: i32,
}

/// Writes down how far a copy has come. Reports come late, twice and out of order: what does not lead on changes nothing
/// and is no event. Answers the receipt as it is now; none when it is gone.
///
/// # Errors
/// As the database.
pub async fn report(core: &Core, report: Report) -> Result<Option<Receipt>, Error> {
    let mut change = Change::begin(core).await?;
    if store::conversations::lock(&mut change.tx, report.conversation)
        .await?
        .is_none()
    {
        return Ok(None);
    }
    let found = store::receipts::find(
        &mut change.tx,
        report.conversation,
        report.message,
        report.receipt,
    )
    .await?;
    let Some(mut receipt) = found else {
        return Ok(None);
    };
    if !report.status.may_follow(receipt.status) {
        return Ok(Some(receipt));
    }
    receipt.status = Some(report.status);
    receipt.error_code = if report.status.is_failure() {
        report.error_code
    } else {
        0
    };
    receipt.date_updated = change.now;
    store::receipts::update(&mut change.tx, &receipt).await?;
    let event = Event::ReceiptUpdated {
        sid: receipt.sid,
        message: receipt.message_sid,
    };
    let position = change.record(report.conversation, event).await?;
    store::messages::touch(
        &mut change.tx,
        report.conversation,
        report.message,
        position,
    )
    .await?;
    change.commit().await?;
    Ok(Some(receipt))
}

/// Lists a message's receipts, oldest first.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotParticipant`].
pub async fn list(
    core: &Core,
    ctx: &Ctx,
    of: &ConversationRef,
    message: MessageSid,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<Receipt, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let held = access::conversation(&mut conn, ctx, of, For::TakingPart).await?;
    let sid = held.conversation.sid;
    store::messages::find(&mut conn, sid, message)
        .await?
        .ok_or(Error::NotFound)?;
    let rows = store::receipts::list(&mut conn, sid, message, asked).await?;
    Ok(Page::from_rows(rows, asked, |row| {
        (row.date_created, row.sid.uuid())
    }))
}

/// Fetches a receipt.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotParticipant`].
pub async fn fetch(
    core: &Core,
    ctx: &Ctx,
    of: &ConversationRef,
    message: MessageSid,
    sid: ReceiptSid,
) -> Result<Receipt, Error> {
    let mut conn = core.store.visit().await?;
    let held = access::conversation(&mut conn, ctx, of, For::TakingPart).await?;
    store::receipts::find(&mut conn, held.conversation.sid, message, sid)
        .await?
        .ok_or(Error::NotFound)
}

/// What a copy says that has not been handed over yet.
#[derive(Debug)]
pub struct ToSend {
    /// The account.
    pub account: AccountSid,
    /// The text.
    pub body: Option<String>,
}

/// Reads what a copy says; none when it is on its way, or the message or conversation is gone.
///
/// # Errors
/// As the database.
pub async fn to_send(
    core: &Core,
    conversation: ConversationSid,
    message: MessageSid,
    receipt: ReceiptSid,
) -> Result<Option<ToSend>, Error> {
    let mut conn = core.store.visit().await?;
    let found = store::receipts::find(&mut conn, conversation, message, receipt).await?;
    if found.is_none_or(|receipt| receipt.status.is_some()) {
        return Ok(None);
    }
    let row = store::messages::find(&mut conn, conversation, message).await?;
    let of = store::conversations::list_by_sids(&mut conn, &[conversation])
        .await?
        .pop();
    Ok(row.zip(of).map(|(row, of)| ToSend {
        account: of.account_sid,
        body: row.body,
    }))
}
