//! Services.

use super::Core;
use super::record::Change;
use crate::domain::MomentKey;
use crate::domain::roles::{DEFAULT_ROLES, RoleType};
use crate::domain::{
    AccountSid, Ctx, Error, Invalid, Page, PageRequest, Role, RoleSid, Service, ServiceSid,
    Timestamp, friendly_name,
};
use crate::store;

/// How many conversations of a service that is being deleted go in one transaction.
const BATCH: i64 = 100;

/// A service with its default roles, not yet stored.
pub(super) fn new_service(
    account: AccountSid,
    friendly_name: String,
    now: Timestamp,
) -> (Service, Vec<Role>) {
    let sid = ServiceSid::new(now);
    let roles = DEFAULT_ROLES.map(|role| Role {
        sid: RoleSid::new(now),
        account_sid: account,
        service_sid: sid,
        friendly_name: role.friendly_name.to_owned(),
        scope: role.scope,
        permissions: role.permissions(),
        date_created: now,
        date_updated: now,
    });
    let [_service_admin, service_user, channel_admin, channel_user] = &roles;
    let service = Service {
        sid,
        account_sid: account,
        friendly_name,
        default_conversation_creator_role_sid: channel_admin.sid,
        default_conversation_role_sid: channel_user.sid,
        default_chat_service_role_sid: service_user.sid,
        reachability_enabled: false,
        date_created: now,
        date_updated: now,
    };
    (service, roles.to_vec())
}

/// Creates a service with the four default roles.
///
/// # Errors
/// [`Invalid::FriendlyNameMissing`], [`Invalid::FriendlyNameTooLong`].
pub async fn create(core: &Core, ctx: &Ctx, name: Option<String>) -> Result<Service, Error> {
    let name = name
        .filter(|name| !name.is_empty())
        .ok_or(Invalid::FriendlyNameMissing)?;
    let mut change = Change::begin(core).await?;
    let (service, roles) = new_service(ctx.account.sid, friendly_name(name)?, change.now);
    store::services::insert(&mut change.tx, &service).await?;
    for role in roles {
        store::roles::insert(&mut change.tx, &role).await?;
    }
    change.commit().await?;
    Ok(service)
}

/// Fetches the service of the occasion.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch(core: &Core, ctx: &Ctx) -> Result<Service, Error> {
    let mut conn = core.store.visit().await?;
    store::services::find(&mut conn, ctx.account.sid, ctx.service)
        .await?
        .ok_or(Error::NotFound)
}

/// Lists the account's services, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    core: &Core,
    ctx: &Ctx,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<Service, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let rows = store::services::list(&mut conn, ctx.account.sid, asked).await?;
    Ok(Page::from_rows(rows, asked, |service| {
        (service.date_created, service.sid.uuid())
    }))
}

/// Deletes the service of the occasion with everything in it.
///
/// Its conversations go in batches, so that a big service does not hold its rows for minutes. If the server dies in
/// between, the service is still there and can be deleted again.
///
/// # Errors
/// [`Error::NotFound`], [`Error::DefaultServiceKept`].
pub async fn remove(core: &Core, ctx: &Ctx) -> Result<(), Error> {
    fetch(core, ctx).await?;
    // Not the occasion's account: that may be a moment old.
    if super::configuration::fetch(core, ctx)
        .await?
        .default_chat_service_sid
        == ctx.service
    {
        return Err(Error::DefaultServiceKept);
    }
    loop {
        let mut change = Change::begin(core).await?;
        let mut batch = store::conversations::some_of(&mut change.tx, ctx.service, BATCH).await?;
        if batch.is_empty() {
            if remove_empty_in(&mut change, ctx).await? {
                return change.commit().await;
            }
            change.tx.rollback().await?;
            continue;
        }
        batch.sort_unstable();
        super::conversations::remove_in(&mut change, &batch).await?;
        change.commit().await?;
    }
}

/// Deletes a service that has no conversations left. Answers false, and has changed nothing, when one was created
/// meanwhile.
async fn remove_empty_in(change: &mut Change<'_>, ctx: &Ctx) -> Result<bool, Error> {
    // It may have become the default meanwhile; from here on it cannot, and nothing more is created in it.
    let account = store::accounts::lock(&mut change.tx, ctx.account.sid).await?;
    if account.is_some_and(|now| now.default_chat_service_sid == ctx.service) {
        return Err(Error::DefaultServiceKept);
    }
    if !store::services::lock(&mut change.tx, ctx.account.sid, ctx.service).await? {
        return Err(Error::NotFound);
    }
    let left = store::conversations::some_of(&mut change.tx, ctx.service, 1).await?;
    if !left.is_empty() {
        return Ok(false);
    }
    super::media::forget_in_service(change, ctx.service).await?;
    store::services::delete(&mut change.tx, ctx.account.sid, ctx.service).await?;
    Ok(true)
}

/// Finds a role that is to be given to somebody, of the right type; it stays at least until the change ends.
///
/// # Errors
/// 50109 for a conversation role, 50102 for a service role that is not there.
pub(super) async fn role_to_give(
    change: &mut Change<'_>,
    service: ServiceSid,
    sid: RoleSid,
    scope: RoleType,
) -> Result<RoleSid, Error> {
    match store::roles::hold(&mut change.tx, service, sid).await? {
        Some(role) if role.scope == scope => Ok(role.sid),
        _ => Err(misplaced_role(scope).into()),
    }
}

/// The refusal of what is no role of this type.
pub(super) const fn misplaced_role(scope: RoleType) -> Invalid {
    match scope {
        RoleType::Conversation => Invalid::ConversationRoleNotFound,
        RoleType::Service => Invalid::ServiceRoleNotFound,
    }
}
