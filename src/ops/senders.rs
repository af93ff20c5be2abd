//! Senders of Messaging Services.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Core;
use crate::domain::phone_numbers::PhoneNumberSid;
use crate::domain::senders::{NewSender, Sender, SenderKind, unknown};
use crate::domain::{
    AccountSid, Ctx, Error, MessagingServiceSid, MomentKey, Page, PageRequest, Sid,
};
use crate::store::{self, OnConstraint as _};

/// What became of an address that was to be put into a Messaging Service.
#[derive(Debug)]
pub enum Added {
    /// It is in it now.
    New(Sender),
    /// It was in it before.
    Before(Sender),
}

/// Puts an address into a Messaging Service.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::SenderTaken`] when another Messaging Service of the account has it; 20422 for a SID that
/// names nothing of the account.
pub async fn add(
    core: &Core,
    ctx: &Ctx,
    to: MessagingServiceSid,
    new: NewSender,
) -> Result<Added, Error> {
    let (account, now, kind) = (ctx.account.sid, core.clock.now(), new.kind);
    let mut conn = core.store.visit().await?;
    let (sid, address) = match (new.sid, new.address) {
        (Some(sid), Some(address)) => (sid, address),
        (None, Some(address)) => (Sid::<Sender>::new(now).uuid(), address),
        (Some(sid), None) => {
            let known = known_address(&mut conn, account, kind, sid).await?;
            (sid, known.ok_or_else(|| unknown(kind))?)
        }
        (None, None) => return Err(unknown(kind)),
    };
    let wanted = Sender {
        sid,
        account_sid: account,
        messaging_service_sid: Some(to),
        kind,
        address,
        date_created: now,
        date_updated: now,
    };
    let put = store::senders::put(&mut conn, &wanted)
        .await
        .on_constraint("senders_messaging_service_sid_fkey", || Error::NotFound)?;
    if let Some(sender) = put {
        return Ok(Added::New(sender));
    }
    match store::senders::find_by_address(&mut conn, account, &wanted.address).await? {
        Some(sender) if sender.messaging_service_sid == Some(to) => Ok(Added::Before(sender)),
        _ => Err(Error::SenderTaken),
    }
}

/// The address that a SID of the account names.
async fn known_address(
    conn: &mut PgConnection,
    account: AccountSid,
    kind: SenderKind,
    sid: Uuid,
) -> Result<Option<String>, Error> {
    if kind == SenderKind::PhoneNumber {
        let number = PhoneNumberSid::from_uuid(sid);
        let number = store::phone_numbers::find(conn, account, number).await?;
        return Ok(number.map(|number| number.phone_number.to_string()));
    }
    let sender = store::senders::find(conn, account, kind, sid).await?;
    Ok(sender.map(|sender| sender.address))
}

/// Fetches a sender of a Messaging Service.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch(
    core: &Core,
    ctx: &Ctx,
    of: MessagingServiceSid,
    kind: SenderKind,
    sid: Uuid,
) -> Result<Sender, Error> {
    let mut conn = core.store.visit().await?;
    store::senders::find(&mut conn, ctx.account.sid, kind, sid)
        .await?
        .filter(|sender| sender.messaging_service_sid == Some(of))
        .ok_or(Error::NotFound)
}

/// Lists the senders of one kind of a Messaging Service that the account has, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    core: &Core,
    of: MessagingServiceSid,
    kind: SenderKind,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<Sender, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let rows = store::senders::list(&mut conn, of, kind, asked).await?;
    Ok(Page::from_rows(rows, asked, |sender| {
        (sender.date_created, sender.sid)
    }))
}

/// Takes a sender out of a Messaging Service. Its SID stays good for putting it into another.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn remove(
    core: &Core,
    ctx: &Ctx,
    of: MessagingServiceSid,
    kind: SenderKind,
    sid: Uuid,
) -> Result<(), Error> {
    let (account, now) = (ctx.account.sid, core.clock.now());
    let mut conn = core.store.visit().await?;
    if store::senders::take_out(&mut conn, account, of, kind, sid, now).await? {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}
