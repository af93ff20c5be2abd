//! Messaging Services.

use super::Core;
use super::record::Change;
use crate::domain::messaging_services::MessagingServiceChanges;
use crate::domain::{
    Ctx, Error, MessagingService, MessagingServiceSid, MomentKey, Page, PageRequest,
};
use crate::store;

/// Creates a Messaging Service.
///
/// # Errors
/// As the database.
pub async fn create(
    core: &Core,
    ctx: &Ctx,
    friendly_name: String,
    settings: MessagingServiceChanges,
) -> Result<MessagingService, Error> {
    let mut service = MessagingService::new(ctx.account.sid, friendly_name, core.clock.now());
    settings.apply(&mut service);
    let mut conn = core.store.visit().await?;
    store::messaging_services::insert(&mut conn, &service).await?;
    Ok(service)
}

/// Fetches a Messaging Service.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch(
    core: &Core,
    ctx: &Ctx,
    sid: MessagingServiceSid,
) -> Result<MessagingService, Error> {
    let mut conn = core.store.visit().await?;
    store::messaging_services::find(&mut conn, ctx.account.sid, sid)
        .await?
        .ok_or(Error::NotFound)
}

/// Lists the account's Messaging Services, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    core: &Core,
    ctx: &Ctx,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<MessagingService, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let rows = store::messaging_services::list(&mut conn, ctx.account.sid, asked).await?;
    Ok(Page::from_rows(rows, asked, |service| {
        (service.date_created, service.sid.uuid())
    }))
}

/// Changes a Messaging Service.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::NothingToUpdate`].
pub async fn update(
    core: &Core,
    ctx: &Ctx,
    sid: MessagingServiceSid,
    changes: MessagingServiceChanges,
) -> Result<MessagingService, Error> {
    if changes.is_empty() {
        return Err(Error::NothingToUpdate);
    }
    let mut change = Change::begin(core).await?;
    let mut service = store::messaging_services::lock(&mut change.tx, ctx.account.sid, sid)
        .await?
        .ok_or(Error::NotFound)?;
    changes.apply(&mut service);
    service.date_updated = change.now;
    store::messaging_services::update(&mut change.tx, &service).await?;
    change.commit().await?;
    Ok(service)
}

/// Deletes a Messaging Service and sets its senders free.
///
/// Conversations that name it keep its SID and go on: who carries their messages is decided by the proxy addresses of
/// their participants (our choice; nothing is published about it, and changing all of them here would take as long as
/// there are many).
///
/// # Errors
/// [`Error::NotFound`]; [`Error::DefaultMessagingServiceKept`].
pub async fn remove(core: &Core, ctx: &Ctx, sid: MessagingServiceSid) -> Result<(), Error> {
    fetch(core, ctx, sid).await?;
    let mut change = Change::begin(core).await?;
    // With the account's row held it cannot become the default meanwhile.
    store::accounts::lock(&mut change.tx, ctx.account.sid).await?;
    if !store::messaging_services::delete(&mut change.tx, ctx.account.sid, sid).await? {
        return Err(Error::DefaultMessagingServiceKept);
    }
    change.commit().await
}
