//! Push credentials. Their secrets go in and never come out.

use super::Core;
use super::record::Change;
use crate::domain::credentials::{Credential, CredentialChanges, CredentialSid, Platform, Secrets};
use crate::domain::{Ctx, Error, Invalid, MomentKey, Page, PageRequest};
use crate::store;

/// Creates a push credential.
///
/// # Errors
/// 20422 for a platform that is not said, or lacks what it needs.
pub async fn create(core: &Core, ctx: &Ctx, new: CredentialChanges) -> Result<Credential, Error> {
    let platform = new.platform.ok_or(Invalid::Parameter {
        name: "Type",
        wants: "apn, gcm or fcm",
    })?;
    let secrets = new.secrets.of(platform);
    secrets.check(platform)?;
    let now = core.clock.now();
    let credential = Credential {
        sid: CredentialSid::new(now),
        account_sid: ctx.account.sid,
        friendly_name: new.friendly_name.set(),
        platform,
        sandbox: new.sandbox.unwrap_or(false),
        date_created: now,
        date_updated: now,
    };
    let secret = seal(core, credential.sid, &secrets)?;
    let mut conn = core.store.visit().await?;
    store::credentials::insert(&mut conn, &credential, &secret).await?;
    Ok(credential)
}

fn seal(core: &Core, of: CredentialSid, secrets: &Secrets) -> Result<Vec<u8>, Error> {
    let text = serde_json::to_string(secrets).map_err(Error::internal)?;
    core.sealing.seal(&of.to_string(), &text)
}

/// Fetches a push credential.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch(core: &Core, ctx: &Ctx, sid: CredentialSid) -> Result<Credential, Error> {
    let mut conn = core.store.visit().await?;
    store::credentials::find(&mut conn, ctx.account.sid, sid)
        .await?
        .ok_or(Error::NotFound)
}

/// Lists the account's push credentials, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    core: &Core,
    ctx: &Ctx,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<Credential, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let rows = store::credentials::list(&mut conn, ctx.account.sid, asked).await?;
    Ok(Page::from_rows(rows, asked, |row| {
        (row.date_created, row.sid.uuid())
    }))
}

/// Changes a push credential. What it holds afterwards must serve its platform.
///
/// # Errors
/// [`Error::NotFound`]; 20422 for a platform that lacks what it needs.
pub async fn update(
    core: &Core,
    ctx: &Ctx,
    sid: CredentialSid,
    changes: CredentialChanges,
) -> Result<Credential, Error> {
    let mut change = Change::begin(core).await?;
    let row = store::credentials::lock(&mut change.tx, ctx.account.sid, sid)
        .await?
        .ok_or(Error::NotFound)?;
    let mut credential = row.credential;
    let kept = core.sealing.open(&sid.to_string(), &row.secret)?;
    let kept: Secrets = serde_json::from_str(&kept).map_err(Error::internal)?;
    let platform: Platform = changes.platform.unwrap_or(credential.platform);
    let secrets = kept.replaced_by(changes.secrets).of(platform);
    secrets.check(platform)?;
    credential.platform = platform;
    changes.friendly_name.apply(&mut credential.friendly_name);
    credential.sandbox = changes.sandbox.unwrap_or(credential.sandbox);
    credential.date_updated = change.now;
    let secret = seal(core, sid, &secrets)?;
    store::credentials::update(&mut change.tx, &credential, &secret).await?;
    change.commit().await?;
    Ok(credential)
}

/// Deletes a push credential. Devices that were registered with it are no longer reached.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn remove(core: &Core, ctx: &Ctx, sid: CredentialSid) -> Result<(), Error> {
    let mut conn = core.store.visit().await?;
    if store::credentials::delete(&mut conn, ctx.account.sid, sid).await? {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}
