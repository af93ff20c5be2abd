//! Roles.

use super::Core;
use super::record::Change;
use crate::domain::MomentKey;
use crate::domain::roles::{NewRole, permissions};
use crate::domain::{Ctx, Error, Page, PageRequest, Role, RoleSid};
use crate::store::{self, OnConstraint as _};

/// Creates a role.
///
/// # Errors
/// [`Error::NotFound`] when the service was deleted meanwhile.
pub async fn create(core: &Core, ctx: &Ctx, new: NewRole) -> Result<Role, Error> {
    let now = core.clock.now();
    let role = Role {
        sid: RoleSid::new(now),
        account_sid: ctx.account.sid,
        service_sid: ctx.service,
        friendly_name: new.friendly_name,
        scope: new.scope,
        permissions: new.permissions,
        date_created: now,
        date_updated: now,
    };
    let mut conn = core.store.visit().await?;
    store::roles::insert(&mut conn, &role)
        .await
        .on_constraint("roles_service_sid_fkey", || Error::NotFound)?;
    Ok(role)
}

/// Fetches a role.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch(core: &Core, ctx: &Ctx, sid: RoleSid) -> Result<Role, Error> {
    let mut conn = core.store.visit().await?;
    store::roles::find(&mut conn, ctx.service, sid)
        .await?
        .ok_or(Error::NotFound)
}

/// Lists the service's roles, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    core: &Core,
    ctx: &Ctx,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<Role, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let rows = store::roles::list(&mut conn, ctx.service, asked).await?;
    Ok(Page::from_rows(rows, asked, |role| {
        (role.date_created, role.sid.uuid())
    }))
}

/// Replaces a role's permissions.
///
/// # Errors
/// [`Error::NotFound`]; 50104 for a permission that the role's type cannot hold.
pub async fn update(
    core: &Core,
    ctx: &Ctx,
    sid: RoleSid,
    wanted: Vec<String>,
) -> Result<Role, Error> {
    let role = fetch(core, ctx, sid).await?;
    let wanted = permissions(role.scope, wanted)?;
    let mut conn = core.store.visit().await?;
    store::roles::update(&mut conn, ctx.service, sid, &wanted, core.clock.now())
        .await?
        .ok_or(Error::NotFound)
}

/// Deletes a role that nobody holds.
///
/// # Errors
/// [`Error::NotFound`], [`Error::RoleInUse`].
pub async fn remove(core: &Core, ctx: &Ctx, sid: RoleSid) -> Result<(), Error> {
    let mut change = Change::begin(core).await?;
    if !store::roles::lock(&mut change.tx, ctx.service, sid).await? {
        return Err(Error::NotFound);
    }
    if store::roles::in_use(&mut change.tx, sid).await? {
        return Err(Error::RoleInUse);
    }
    store::roles::delete(&mut change.tx, sid).await?;
    change.commit().await
}
