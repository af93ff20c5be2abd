//! Address configurations: what becomes of a message to an address of ours that belongs to no conversation yet.

use sqlx::PgConnection;

use super::record::Change;
use super::{Core, addresses};
use crate::domain::address_configurations::{
    AddressConfiguration, AddressConfigurationChanges, AddressConfigurationRef,
    AddressConfigurationSid, AutoCreation, AutoCreationChanges, CHAT, NewAddressConfiguration,
};
use crate::domain::{Ctx, Error, Invalid, MomentKey, Page, PageRequest};
use crate::store;

/// Configures an address.
///
/// # Errors
/// 50413 for an address that is not the account's, 50050 for a foreign service, [`Error::AddressConfigured`].
pub async fn create(
    core: &Core,
    ctx: &Ctx,
    new: NewAddressConfiguration,
) -> Result<AddressConfiguration, Error> {
    let mut change = Change::begin(core).await?;
    let account = ctx.account.sid;
    if new.kind != CHAT {
        let refusal = Invalid::ProxyAddressNotOwned;
        addresses::own(&mut change.tx, core, account, &new.address, refusal).await?;
    }
    own_service(&mut change.tx, ctx, &new.auto_creation).await?;
    let mut auto_creation = AutoCreation::default();
    new.auto_creation.apply(&mut auto_creation);
    let configuration = AddressConfiguration {
        sid: AddressConfigurationSid::new(change.now),
        account_sid: account,
        kind: new.kind,
        address: new.address,
        friendly_name: new.friendly_name,
        address_country: new.address_country,
        auto_creation,
        date_created: change.now,
        date_updated: change.now,
    };
    if !store::address_configurations::insert(&mut change.tx, &configuration).await? {
        return Err(Error::AddressConfigured);
    }
    change.commit().await?;
    Ok(configuration)
}

async fn own_service(
    conn: &mut PgConnection,
    ctx: &Ctx,
    wanted: &AutoCreationChanges,
) -> Result<(), Error> {
    match wanted.conversation_service_sid {
        Some(sid) if !store::services::hold(conn, ctx.account.sid, sid).await? => {
            Err(Invalid::ServiceNotFound.into())
        }
        _ => Ok(()),
    }
}

/// Fetches an address configuration.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch(
    core: &Core,
    ctx: &Ctx,
    which: &AddressConfigurationRef,
) -> Result<AddressConfiguration, Error> {
    let mut conn = core.store.visit().await?;
    store::address_configurations::find(&mut conn, ctx.account.sid, which)
        .await?
        .ok_or(Error::NotFound)
}

/// Lists the account's address configurations, of one type if it is given, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    core: &Core,
    ctx: &Ctx,
    kind: Option<&str>,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<AddressConfiguration, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let rows = store::address_configurations::list(&mut conn, ctx.account.sid, kind, asked).await?;
    Ok(Page::from_rows(rows, asked, |row| {
        (row.date_created, row.sid.uuid())
    }))
}

/// Changes an address configuration.
///
/// # Errors
/// [`Error::NotFound`]; 50050 for a foreign service.
pub async fn update(
    core: &Core,
    ctx: &Ctx,
    sid: AddressConfigurationSid,
    changes: AddressConfigurationChanges,
) -> Result<AddressConfiguration, Error> {
    let mut change = Change::begin(core).await?;
    let mut configuration =
        store::address_configurations::lock(&mut change.tx, ctx.account.sid, sid)
            .await?
            .ok_or(Error::NotFound)?;
    own_service(&mut change.tx, ctx, &changes.auto_creation).await?;
    changes
        .friendly_name
        .apply(&mut configuration.friendly_name);
    changes
        .auto_creation
        .apply(&mut configuration.auto_creation);
    configuration.date_updated = change.now;
    store::address_configurations::update(&mut change.tx, &configuration).await?;
    change.commit().await?;
    Ok(configuration)
}

/// Deletes an address configuration.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn remove(core: &Core, ctx: &Ctx, which: &AddressConfigurationRef) -> Result<(), Error> {
    let found = fetch(core, ctx, which).await?;
    let mut conn = core.store.visit().await?;
    if store::address_configurations::delete(&mut conn, ctx.account.sid, found.sid).await? {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}
