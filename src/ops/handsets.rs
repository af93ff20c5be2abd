//! The simulator's own operations: virtual handsets, for development, tests and first steps.
//!
//! A handset comes into being by use. What it receives passed through the same receipts and jobs as with a real
//! provider; what it sends comes in as from one. Its steps are jobs, so they survive a restart and are the same on every
//! node.

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Core;
use super::inbound::{self, Inbound, Taken};
use super::plain_messages;
use super::receipts::{self, Report};
use super::record::Change;
use crate::domain::addresses::AddressPair;
use crate::domain::handsets::{Direction, Handset, HandsetMessage, HandsetState};
use crate::domain::jobs::Outcome;
use crate::domain::segments::{self, Encoding};
use crate::domain::{
    AccountSid, Address, Channel, CopyOf, Ctx, Error, Invalid, Job, ReceiptStatus, Sid,
};
use crate::store;

/// How virtual handsets behave.
#[derive(Debug, Clone, Deserialize)]
pub struct Settings {
    /// How long after it was sent a message is reported as sent, in milliseconds.
    pub sent_after_ms: u32,
    /// How long after it was sent a message is reported as delivered, in milliseconds.
    pub delivered_after_ms: u32,
    /// Messages kept per handset.
    pub retain: u32,
}

/// A marker for the ids of messages in threads, which are no SIDs of the API.
struct InThread;

impl crate::domain::Kind for InThread {
    const PREFIX: &'static str = "HM";
}

/// Lists the account's handsets, last used first.
///
/// # Errors
/// As the database.
pub async fn list(core: &Core, ctx: &Ctx) -> Result<Vec<Handset>, Error> {
    let mut conn = core.store.visit().await?;
    Ok(store::handsets::list(&mut conn, ctx.account.sid).await?)
}

/// Names a handset or sets its state. One that is switched on receives what waited for it.
///
/// # Errors
/// As the database.
pub async fn put(
    core: &Core,
    ctx: &Ctx,
    address: &Address,
    name: Option<&str>,
    state: Option<HandsetState>,
) -> Result<Handset, Error> {
    let account = ctx.account.sid;
    let mut change = Change::begin(core).await?;
    let now = change.now;
    store::handsets::put(&mut change.tx, account, address, name, state, now).await?;
    if state == Some(HandsetState::On) {
        let waiting = store::handsets::waiting(&mut change.tx, account, address).await?;
        let jobs: Vec<Job> = waiting
            .into_iter()
            .map(|id| step(id, ReceiptStatus::Delivered, 0))
            .collect();
        change.enqueue(&jobs, now).await?;
    }
    let handset = store::handsets::find(&mut change.tx, account, address)
        .await?
        .ok_or(Error::NotFound)?;
    change.commit().await?;
    Ok(handset)
}

/// Forgets all handsets of the account.
///
/// # Errors
/// As the database.
pub async fn clear(core: &Core, ctx: &Ctx) -> Result<(), Error> {
    let mut conn = core.store.visit().await?;
    Ok(store::handsets::clear(&mut conn, ctx.account.sid).await?)
}

/// Lists a handset's thread, oldest first; empty for one that was never used.
///
/// # Errors
/// As the database.
pub async fn thread(
    core: &Core,
    ctx: &Ctx,
    address: &Address,
    proxy_address: Option<&Address>,
) -> Result<Vec<HandsetMessage>, Error> {
    let mut conn = core.store.visit().await?;
    Ok(store::handsets::thread(&mut conn, ctx.account.sid, address, proxy_address).await?)
}

/// Sends a message from a handset; it is stored when this returns, and taken in by a job.
///
/// # Errors
/// As the database.
pub async fn send(
    core: &Core,
    ctx: &Ctx,
    pair: AddressPair,
    text: Option<String>,
    media: Value,
) -> Result<HandsetMessage, Error> {
    let account = ctx.account.sid;
    let mut change = Change::begin(core).await?;
    let now = change.now;
    let message = in_thread(
        Sid::<InThread>::new(now).uuid(),
        pair,
        Direction::Sent,
        text,
        media,
        now,
    );
    store::handsets::touch(&mut change.tx, account, &message.address, now).await?;
    store::handsets::insert_message(&mut change.tx, account, &message, true).await?;
    trim(&mut change, account, &message.address).await?;
    change
        .enqueue(
            &[Job::ReceiveFromHandset {
                account,
                message: message.id,
            }],
            now,
        )
        .await?;
    change.commit().await?;
    Ok(message)
}

async fn trim(
    change: &mut Change<'_>,
    account: AccountSid,
    address: &Address,
) -> Result<(), Error> {
    let retain = i64::from(change.core().handsets.retain.max(1));
    Ok(store::handsets::trim(&mut change.tx, account, address, retain).await?)
}

fn in_thread(
    id: Uuid,
    pair: AddressPair,
    direction: Direction,
    text: Option<String>,
    media: Value,
    at: crate::domain::Timestamp,
) -> HandsetMessage {
    let words = text.as_deref().unwrap_or_default();
    let by_sms = pair.address.channel() == Channel::Sms;
    HandsetMessage {
        id,
        direction,
        media,
        status: None,
        segments: i32::try_from(segments::count(words)).unwrap_or(i32::MAX),
        encoding: by_sms.then(|| Encoding::of(words).as_str().to_owned()),
        at,
        conversation_sid: None,
        message_sid: None,
        receipt_sid: None,
        address: pair.address,
        proxy_address: pair.proxy_address,
        text,
    }
}

const fn step(message: Uuid, status: ReceiptStatus, error_code: i32) -> Job {
    Job::ReportFromHandset {
        message,
        status,
        error_code,
    }
}

/// Takes in what a handset sent: the job of that name.
///
/// # Errors
/// As the database.
pub async fn receive(core: &Core, account: AccountSid, id: Uuid) -> Result<Outcome, Error> {
    let mut conn = core.store.visit().await?;
    let Some((_, message)) = store::handsets::find_message(&mut conn, Some(account), id).await?
    else {
        return Ok(Outcome::Done);
    };
    let Some(row) = store::accounts::find(&mut conn, account).await? else {
        return Ok(Outcome::Done);
    };
    drop(conn);
    let taken = inbound::receive(
        core,
        &Inbound {
            account,
            via: row.account.default_messaging_service_sid,
            provider_id: id.to_string(),
            pair: AddressPair {
                address: message.address,
                proxy_address: message.proxy_address,
            },
            text: message.text,
        },
    )
    .await?;
    let status = match taken {
        Taken::Added(_) | Taken::Repeated => ReceiptStatus::Delivered,
        Taken::Nowhere => ReceiptStatus::Undelivered,
    };
    let mut conn = core.store.visit().await?;
    store::handsets::set_status(&mut conn, id, status).await?;
    Ok(Outcome::Done)
}

/// A copy of a message on its way to a handset.
#[derive(Debug)]
pub struct ToHandset {
    /// The account.
    pub account: AccountSid,
    /// Who it goes to, and from which address.
    pub pair: AddressPair,
    /// What it is a copy of, whose key is the message's id in the thread: sending it twice changes nothing.
    pub of: CopyOf,
    /// The text.
    pub text: Option<String>,
    /// Where its media are.
    pub media_urls: Vec<String>,
    /// How it will end: a code, and the status that goes with it; none as the handset's state says.
    pub ends: Option<(ReceiptStatus, i32)>,
}

/// Puts a copy on its way: it is `sent` after a moment and then ends as the handset's state says.
///
/// # Errors
/// As the database.
pub async fn deliver(core: &Core, copy: ToHandset) -> Result<(), Error> {
    let mut change = Change::begin(core).await?;
    let now = change.now;
    let state =
        store::handsets::touch(&mut change.tx, copy.account, &copy.pair.address, now).await?;
    let id = copy.of.key();
    let media = copy
        .media_urls
        .iter()
        .map(|url| json!({ "url": url, "content_type": null, "size": null, "filename": null }));
    let mut message = in_thread(
        id,
        copy.pair,
        Direction::Received,
        copy.text,
        media.collect(),
        now,
    );
    if let CopyOf::Message {
        conversation,
        message: of,
        receipt,
    } = copy.of
    {
        message.conversation_sid = Some(conversation);
        message.message_sid = Some(of);
        message.receipt_sid = Some(receipt);
    }
    if !store::handsets::insert_message(&mut change.tx, copy.account, &message, false).await? {
        return Ok(());
    }
    trim(&mut change, copy.account, &message.address).await?;
    let end = match (copy.ends, state) {
        (Some((status, code)), _) => Some((status, code)),
        (None, HandsetState::On) => Some((ReceiptStatus::Delivered, 0)),
        (None, HandsetState::Off) => None,
        (None, HandsetState::Full) => Some((ReceiptStatus::Undelivered, 30003)),
        (None, HandsetState::Blocked) => Some((ReceiptStatus::Undelivered, 30004)),
    };
    let settings = &core.handsets;
    let after = |ms: u32| now + TimeDelta::milliseconds(ms.into());
    if !matches!(end, Some((ReceiptStatus::Failed, _))) {
        change
            .enqueue(
                &[step(id, ReceiptStatus::Sent, 0)],
                after(settings.sent_after_ms),
            )
            .await?;
    }
    if let Some((status, code)) = end {
        let later = settings.delivered_after_ms.max(settings.sent_after_ms);
        change
            .enqueue(&[step(id, status, code)], after(later))
            .await?;
    }
    change.commit().await
}

/// Moves a message on its way to a handset one step on: the job of that name.
///
/// # Errors
/// As the database.
pub async fn report(
    core: &Core,
    id: Uuid,
    status: ReceiptStatus,
    error_code: i32,
) -> Result<Outcome, Error> {
    advance(core, None, id, status, error_code).await?;
    Ok(Outcome::Done)
}

/// Forces the status of a message in the account's threads.
///
/// # Errors
/// [`Error::NotFound`]; 20422 for one that the handset sent.
pub async fn force(
    core: &Core,
    ctx: &Ctx,
    id: Uuid,
    status: ReceiptStatus,
    error_code: i32,
) -> Result<HandsetMessage, Error> {
    let message = advance(core, Some(ctx.account.sid), id, status, error_code)
        .await?
        .ok_or(Error::NotFound)?;
    if message.direction == Direction::Sent {
        return Err(Invalid::Parameter {
            name: "id",
            wants: "a message that the handset received",
        }
        .into());
    }
    Ok(message)
}

/// What a message in a thread is a copy of; none for one that the handset sent. Plain messages have no conversation.
fn copied(message: &HandsetMessage) -> Option<CopyOf> {
    if message.direction == Direction::Sent {
        return None;
    }
    let HandsetMessage {
        conversation_sid,
        message_sid,
        receipt_sid,
        ..
    } = message;
    match (*conversation_sid, *message_sid, *receipt_sid) {
        (Some(conversation), Some(message), Some(receipt)) => Some(CopyOf::Message {
            conversation,
            message,
            receipt,
        }),
        _ => Some(CopyOf::Plain(Sid::from_uuid(message.id))),
    }
}

/// The receipt first: if the server dies before the thread shows it, the job runs again.
async fn advance(
    core: &Core,
    account: Option<AccountSid>,
    id: Uuid,
    status: ReceiptStatus,
    error_code: i32,
) -> Result<Option<HandsetMessage>, Error> {
    let mut conn = core.store.visit().await?;
    let Some((_, mut message)) = store::handsets::find_message(&mut conn, account, id).await?
    else {
        return Ok(None);
    };
    drop(conn);
    match copied(&message) {
        None => return Ok(Some(message)),
        Some(CopyOf::Plain(sid)) => plain_messages::report(core, sid, status, error_code).await?,
        Some(CopyOf::Message {
            conversation,
            message: sid,
            receipt,
        }) => {
            let report = Report {
                conversation,
                message: sid,
                receipt,
                status,
                error_code,
            };
            receipts::report(core, report).await?;
        }
    }
    if status.may_follow(message.status) {
        let mut conn = core.store.visit().await?;
        store::handsets::set_status(&mut conn, id, status).await?;
        message.status = Some(status);
    }
    Ok(Some(message))
}
