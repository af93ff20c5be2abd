//! Plain messages: sent as they are, outside of conversations.

use super::record::Change;
use super::{Core, Simulator, addresses};
use crate::domain::addresses::AddressPair;
use crate::domain::errors::Unsendable;
use crate::domain::plain_messages::{
    Filter, PlainMessage, PlainMessageSid, Sender, Wanted, simulated_sender,
};
use crate::domain::{
    Account, AccountSid, Address, Error, Invalid, Job, MessagingServiceSid, MomentKey, Page,
    PageRequest, ReceiptStatus, segments,
};
use crate::store;

/// Takes a message to be sent: it is stored when this returns, and handed over by a job. Messages of one sender to one
/// recipient go in the order they were taken, those of conversations among them.
///
/// # Errors
/// [`Unsendable`], for a Messaging Service or a sender that is not the account's.
pub async fn create(core: &Core, account: &Account, wanted: Wanted) -> Result<PlainMessage, Error> {
    let mut change = Change::begin(core).await?;
    let (from, service) = sender(&mut change, account, &wanted).await?;
    let now = change.now;
    let words = wanted.body.as_deref().unwrap_or_default();
    let message = PlainMessage {
        sid: PlainMessageSid::new(now),
        account_sid: account.sid,
        messaging_service_sid: Some(service),
        direction: PlainMessage::OUTBOUND.to_owned(),
        segments: i32::try_from(segments::count(words)).unwrap_or(i32::MAX),
        from_address: from,
        to_address: wanted.to,
        body: wanted.body,
        media_urls: wanted.media_urls,
        status: None,
        error_code: 0,
        date_created: now,
        date_sent: None,
        date_updated: now,
    };
    store::plain_messages::insert(&mut change.tx, &message).await?;
    let job = Job::SendPlain {
        message: message.sid,
        pair: AddressPair {
            address: message.to_address.clone(),
            proxy_address: message.from_address.clone(),
        },
    };
    change.enqueue(&[job], now).await?;
    change.commit().await?;
    Ok(message)
}

/// From which address a message goes, and through which Messaging Service.
async fn sender(
    change: &mut Change<'_>,
    account: &Account,
    wanted: &Wanted,
) -> Result<(Address, MessagingServiceSid), Error> {
    let simulated = change.core().simulator == Simulator::On;
    let refuse = |what: Unsendable| Error::from(Invalid::Unsendable(what));
    let (from, service) = match &wanted.by {
        Sender::Address(from) => (Some(from), None),
        Sender::Service(service) => (None, Some(*service)),
        Sender::Both(from, service) => (Some(from), Some(*service)),
    };
    if let Some(service) = service
        && !store::accounts::has_messaging_service(&mut change.tx, account.sid, service).await?
    {
        return Err(refuse(Unsendable::ServiceAbsent));
    }
    if let Some(from) = from {
        let foreign = Invalid::Unsendable(Unsendable::FromNotOwned);
        let core = change.core();
        addresses::own(&mut change.tx, core, account.sid, from.as_str(), foreign).await?;
        let service = match service {
            Some(service) => service,
            None => store::senders::find_by_address(&mut change.tx, account.sid, from.as_str())
                .await?
                .and_then(|sender| sender.messaging_service_sid)
                .unwrap_or(account.default_messaging_service_sid),
        };
        return Ok((from.clone(), service));
    }
    let service = service.unwrap_or(account.default_messaging_service_sid);
    let channel = wanted.to.channel();
    let pool = store::plain_messages::senders(&mut change.tx, service).await?;
    let from = pool
        .iter()
        .filter_map(|text| Address::parse(text))
        .find(|address| address.channel() == channel && *address != wanted.to)
        .or_else(|| simulated_sender(channel).filter(|_| simulated))
        .ok_or_else(|| refuse(Unsendable::ServiceWithoutSender))?;
    Ok((from, service))
}

/// Fetches a message.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch(
    core: &Core,
    account: AccountSid,
    sid: PlainMessageSid,
) -> Result<PlainMessage, Error> {
    let mut conn = core.store.visit().await?;
    store::plain_messages::find(&mut conn, Some(account), sid)
        .await?
        .ok_or(Error::NotFound)
}

/// Lists an account's messages, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    core: &Core,
    account: AccountSid,
    filter: &Filter,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<PlainMessage, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let rows = store::plain_messages::list(&mut conn, account, filter, asked).await?;
    Ok(Page::from_rows(rows, asked, |message| {
        (message.date_created, message.sid.uuid())
    }))
}

/// Reads a message that has not been handed over yet; none when it is on its way or gone.
///
/// # Errors
/// As the database.
pub async fn to_send(core: &Core, sid: PlainMessageSid) -> Result<Option<PlainMessage>, Error> {
    let mut conn = core.store.visit().await?;
    let found = store::plain_messages::find(&mut conn, None, sid).await?;
    Ok(found.filter(|message| message.status.is_none()))
}

/// Writes down how far a message has come. Reports come late, twice and out of order: what does not lead on changes
/// nothing.
///
/// # Errors
/// As the database.
pub async fn report(
    core: &Core,
    sid: PlainMessageSid,
    status: ReceiptStatus,
    error_code: i32,
) -> Result<(), Error> {
    let mut change = Change::begin(core).await?;
    let Some(message) = store::plain_messages::lock(&mut change.tx, sid).await? else {
        return Ok(());
    };
    if !status.may_follow(message.status) {
        return Ok(());
    }
    let error_code = if status.is_failure() { error_code } else { 0 };
    let now = change.now;
    store::plain_messages::set_status(&mut change.tx, sid, status, error_code, now).await?;
    change.commit().await
}
