//! Bindings: devices of users that want to be pushed to. Clients make them, programs look at them.

use super::Core;
use super::presence::devices_changed_in;
use super::record::Change;
use crate::domain::bindings::{Binding, BindingFilter, BindingSid, Device, MAX_PER_IDENTITY};
use crate::domain::credentials::CredentialSid;
use crate::domain::{Actor, Ctx, Error, MomentKey, Page, PageRequest, User};
use crate::store;

/// Registers a device of the acting user. A device that is known already keeps its SID.
///
/// `credential` is what the user's token names; one that is not the account's counts as none.
///
/// # Errors
/// [`Error::NotFound`] for a caller who is no user, or none any more.
pub async fn register(
    core: &Core,
    ctx: &Ctx,
    credential: Option<CredentialSid>,
    device: Device,
    message_types: Vec<String>,
) -> Result<Binding, Error> {
    let mut change = Change::begin(core).await?;
    if !store::services::hold(&mut change.tx, ctx.account.sid, ctx.service).await? {
        return Err(Error::NotFound);
    }
    let user = hold_acting(&mut change, ctx)
        .await?
        .ok_or(Error::NotFound)?;
    let identity = &user.identity;
    let credential_sid = match credential {
        Some(sid) => store::credentials::find(&mut change.tx, ctx.account.sid, sid)
            .await?
            .map(|found| found.sid),
        None => None,
    };
    let wanted = Binding {
        sid: BindingSid::new(change.now),
        account_sid: ctx.account.sid,
        service_sid: ctx.service,
        credential_sid,
        identity: identity.clone(),
        binding_type: device.binding_type,
        address: device.address,
        message_types,
        date_created: change.now,
        date_updated: change.now,
    };
    let binding = store::bindings::upsert(&mut change.tx, &wanted).await?;
    store::bindings::delete_beyond(&mut change.tx, ctx.service, identity, MAX_PER_IDENTITY).await?;
    devices_changed_in(&mut change, &user).await?;
    change.commit().await?;
    Ok(binding)
}

/// Ends a registration of the acting user; nothing happens when there is none.
///
/// # Errors
/// [`Error::NotFound`] for a caller who is no user.
pub async fn unregister(core: &Core, ctx: &Ctx, sid: BindingSid) -> Result<(), Error> {
    let mut change = Change::begin(core).await?;
    let Some(user) = hold_acting(&mut change, ctx).await? else {
        return Ok(());
    };
    let of = Some(&user.identity);
    if store::bindings::delete(&mut change.tx, ctx.service, sid, of).await? {
        devices_changed_in(&mut change, &user).await?;
    }
    change.commit().await
}

/// Ends the registration of a device of the acting user; nothing happens when there is none.
///
/// # Errors
/// [`Error::NotFound`] for a caller who is no user.
pub async fn unregister_device(core: &Core, ctx: &Ctx, device: &Device) -> Result<(), Error> {
    let mut change = Change::begin(core).await?;
    let Some(user) = hold_acting(&mut change, ctx).await? else {
        return Ok(());
    };
    if store::bindings::delete_device(&mut change.tx, ctx.service, &user.identity, device).await? {
        devices_changed_in(&mut change, &user).await?;
    }
    change.commit().await
}

/// Locks the acting user; none when the user was deleted, and all bindings with it.
///
/// Everybody who changes bindings holds their user first: of two changes at the same time the later sees both, and none
/// comes after the user is gone.
async fn hold_acting(change: &mut Change<'_>, ctx: &Ctx) -> Result<Option<User>, Error> {
    let Actor::User { sid, .. } = &ctx.actor else {
        return Err(Error::NotFound);
    };
    Ok(store::users::lock(&mut change.tx, *sid).await?)
}

/// Fetches a binding.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch(core: &Core, ctx: &Ctx, sid: BindingSid) -> Result<Binding, Error> {
    let mut conn = core.store.visit().await?;
    store::bindings::find(&mut conn, ctx.service, sid)
        .await?
        .ok_or(Error::NotFound)
}

/// Lists the service's bindings, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    core: &Core,
    ctx: &Ctx,
    filter: &BindingFilter,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<Binding, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let rows = store::bindings::list(&mut conn, ctx.service, filter, asked).await?;
    Ok(Page::from_rows(rows, asked, |row| {
        (row.date_created, row.sid.uuid())
    }))
}

/// Deletes a binding.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn remove(core: &Core, ctx: &Ctx, sid: BindingSid) -> Result<(), Error> {
    let mut change = Change::begin(core).await?;
    let binding = store::bindings::find(&mut change.tx, ctx.service, sid)
        .await?
        .ok_or(Error::NotFound)?;
    let user = store::users::lock_identity(&mut change.tx, ctx.service, &binding.identity).await?;
    if !store::bindings::delete(&mut change.tx, ctx.service, sid, None).await? {
        return Err(Error::NotFound);
    }
    if let Some(user) = user {
        devices_changed_in(&mut change, &user).await?;
    }
    change.commit().await
}
