//! Configuration of accounts and services: the defaults of what is created, and what is said to devices.

use super::Core;
use super::record::Change;
use super::services::misplaced_role;
use crate::domain::accounts::AccountChanges;
use crate::domain::notifications::{NotificationChanges, Notifications};
use crate::domain::services::ServiceChanges;
use crate::domain::{Account, Ctx, Error, Invalid, RoleSid, RoleType, Service};
use crate::store;

/// Fetches the account as it is now: what the caller's credentials were checked with may be a moment old.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch(core: &Core, ctx: &Ctx) -> Result<Account, Error> {
    let mut conn = core.store.visit().await?;
    store::accounts::find(&mut conn, ctx.account.sid)
        .await?
        .map(|row| row.account)
        .ok_or(Error::NotFound)
}

/// Changes the account's configuration. It holds for the next request, on this node; on others within a second.
///
/// # Errors
/// 50050 and 50342 for services that are not the account's.
pub async fn update(core: &Core, ctx: &Ctx, changes: AccountChanges) -> Result<Account, Error> {
    let mut change = Change::begin(core).await?;
    let mut account = store::accounts::lock(&mut change.tx, ctx.account.sid)
        .await?
        .ok_or(Error::NotFound)?;
    if let Some(service) = changes.default_chat_service_sid
        && !store::services::hold(&mut change.tx, account.sid, service).await?
    {
        return Err(Error::from(Invalid::ServiceNotFound).naming("DefaultChatServiceSid"));
    }
    if let Some(service) = changes.default_messaging_service_sid
        && !store::accounts::has_messaging_service(&mut change.tx, account.sid, service).await?
    {
        let what = Error::from(Invalid::MessagingServiceForeign);
        return Err(what.naming("DefaultMessagingServiceSid"));
    }
    changes.apply(&mut account);
    account.date_updated = change.now;
    store::accounts::update_defaults(&mut change.tx, &account).await?;
    change.commit().await?;
    core.credentials.forget_account(account.sid);
    Ok(account)
}

/// Changes the configuration of the occasion's service.
///
/// # Errors
/// [`Error::NotFound`]; 50100 for a role that is not there, 50102 and 50109 for one of the other type.
pub async fn update_service(
    core: &Core,
    ctx: &Ctx,
    changes: ServiceChanges,
) -> Result<Service, Error> {
    let mut change = Change::begin(core).await?;
    // Each with what it must be. Roles are held in the order of their SIDs, as everything of one kind.
    let mut given = [
        (
            changes.default_conversation_creator_role_sid,
            RoleType::Conversation,
            "DefaultConversationCreatorRoleSid",
        ),
        (
            changes.default_conversation_role_sid,
            RoleType::Conversation,
            "DefaultConversationRoleSid",
        ),
        (
            changes.default_chat_service_role_sid,
            RoleType::Service,
            "DefaultChatServiceRoleSid",
        ),
    ];
    given.sort_by_key(|(sid, ..)| *sid);
    for (sid, scope, name) in given {
        if let Some(sid) = sid {
            hold_default(&mut change, ctx, sid, scope)
                .await
                .map_err(|refusal| refusal.naming(name))?;
        }
    }
    let service = store::services::update(
        &mut change.tx,
        ctx.account.sid,
        ctx.service,
        &changes,
        change.now,
    )
    .await?
    .ok_or(Error::NotFound)?;
    match changes.reachability_enabled {
        Some(true) => super::presence::begin_in(&mut change).await?,
        Some(false) => super::presence::forget_in(&mut change, service.sid).await?,
        None => {}
    }
    change.commit().await?;
    Ok(service)
}

async fn hold_default(
    change: &mut Change<'_>,
    ctx: &Ctx,
    sid: RoleSid,
    scope: RoleType,
) -> Result<(), Error> {
    match store::roles::hold(&mut change.tx, ctx.service, sid).await? {
        None => Err(Invalid::RoleNotFound.into()),
        Some(role) if role.scope != scope => Err(misplaced_role(scope).into()),
        Some(_) => Ok(()),
    }
}

/// Fetches what the occasion's service says to devices.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch_notifications(core: &Core, ctx: &Ctx) -> Result<Notifications, Error> {
    let mut conn = core.store.visit().await?;
    store::services::find_notifications(&mut conn, ctx.account.sid, ctx.service)
        .await?
        .ok_or(Error::NotFound)
}

/// Changes what the occasion's service says to devices.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn update_notifications(
    core: &Core,
    ctx: &Ctx,
    changes: NotificationChanges,
) -> Result<Notifications, Error> {
    let mut change = Change::begin(core).await?;
    let mut notifications =
        store::services::lock_notifications(&mut change.tx, ctx.account.sid, ctx.service)
            .await?
            .ok_or(Error::NotFound)?;
    changes.apply(&mut notifications);
    store::services::set_notifications(&mut change.tx, ctx.service, &notifications).await?;
    change.commit().await?;
    Ok(notifications)
}
