//! API keys.
//!
//! The key resources of 2010, its signing keys and those of IAM are one set of keys under three names: each opens the
//! API, and each but a restricted one signs access tokens.

use chrono::TimeDelta;

use super::Core;
use super::accounts::UserName;
use crate::domain::accounts::KeyKind;
use crate::domain::policies::Policy;
use crate::domain::sealing::{Sealing, new_secret};
use crate::domain::tokens::NewToken;
use crate::domain::{
    Account, AccountSid, ApiKey, ApiKeySid, Clock, Error, Identity, Invalid, MomentKey, Page,
    PageRequest, Service, ServiceSid,
};
use crate::store::{self, Store};

/// An API key that was just made, with its secret.
#[derive(Debug)]
pub struct WithSecret {
    /// The key.
    pub key: ApiKey,
    /// The secret, shown once.
    pub secret: String,
}

/// An API key that is wanted.
#[derive(Debug)]
pub struct NewKey {
    /// Whose it will be.
    pub account: AccountSid,
    /// A name for people.
    pub friendly_name: String,
    /// How much it may do.
    pub kind: KeyKind,
    /// What a restricted key may do.
    pub policy: Option<Policy>,
}

/// Makes an API key, or gives the key of the wanted SID the wanted secret.
///
/// # Errors
/// As the database.
pub async fn create(
    store: &Store,
    clock: &dyn Clock,
    sealing: &Sealing,
    new: NewKey,
    wanted: Option<(ApiKeySid, String)>,
) -> Result<WithSecret, Error> {
    let now = clock.now();
    let (sid, secret) = wanted.unwrap_or_else(|| (ApiKeySid::new(now), new_secret()));
    let sealed = sealing.seal(&sid.to_string(), &secret)?;
    let key = ApiKey {
        sid,
        account_sid: new.account,
        friendly_name: new.friendly_name,
        kind: new.kind,
        policy: new.policy,
        date_created: now,
        date_updated: now,
    };
    let mut conn = store.visit().await?;
    store::keys::upsert(&mut conn, &key, &sealed).await?;
    Ok(WithSecret { key, secret })
}

/// Makes an API key.
///
/// # Errors
/// As the database.
pub async fn create_in(core: &Core, new: NewKey) -> Result<WithSecret, Error> {
    create(&core.store, core.clock.as_ref(), &core.sealing, new, None).await
}

/// Fetches a key of an account.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch(core: &Core, account: AccountSid, sid: ApiKeySid) -> Result<ApiKey, Error> {
    let mut conn = core.store.visit().await?;
    store::keys::find(&mut conn, sid)
        .await?
        .filter(|key| key.account_sid == account)
        .ok_or(Error::NotFound)
}

/// Whose key it is, if the caller may know: its own, or a subaccount's.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn account_of(core: &Core, caller: AccountSid, sid: ApiKeySid) -> Result<Account, Error> {
    let mut conn = core.store.visit().await?;
    let key = store::keys::find(&mut conn, sid)
        .await?
        .ok_or(Error::NotFound)?;
    drop(conn);
    let owner = super::accounts::fetch(core, caller, key.account_sid).await?;
    Ok(owner.account)
}

/// Lists an account's keys, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    core: &Core,
    account: AccountSid,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<ApiKey, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let rows = store::keys::list(&mut conn, account, asked).await?;
    Ok(Page::from_rows(rows, asked, |key| {
        (key.date_created, key.sid.uuid())
    }))
}

/// Renames a key, or gives a restricted one another policy.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::NothingToUpdate`]; 20422 for the policy of a key that is not restricted.
pub async fn update(
    core: &Core,
    account: AccountSid,
    sid: ApiKeySid,
    friendly_name: Option<String>,
    policy: Option<Policy>,
) -> Result<ApiKey, Error> {
    let key = fetch(core, account, sid).await?;
    if friendly_name.is_none() && policy.is_none() {
        return Err(Error::NothingToUpdate);
    }
    if policy.is_some() && key.kind != KeyKind::Restricted {
        return Err(Invalid::Parameter {
            name: "Policy",
            wants: "a restricted key",
        }
        .into());
    }
    let mut conn = core.store.visit().await?;
    let now = core.clock.now();
    let (name, policy) = (friendly_name.as_deref(), policy.as_ref());
    let key = store::keys::update(&mut conn, sid, name, policy, now)
        .await?
        .ok_or(Error::NotFound)?;
    core.credentials.forget(UserName::Key(sid));
    Ok(key)
}

/// Deletes a key. It opens nothing from then on, and its access tokens neither: here at once, and on other nodes a second
/// later.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn remove(core: &Core, account: AccountSid, sid: ApiKeySid) -> Result<(), Error> {
    fetch(core, account, sid).await?;
    let mut conn = core.store.visit().await?;
    let was_there = store::keys::delete(&mut conn, sid).await?;
    core.credentials.forget(UserName::Key(sid));
    if was_there {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

/// Mints an access token with an account's newest API key that may sign; none when the account has no such key.
///
/// # Errors
/// [`Error::NotFound`] when the account has no such service.
pub async fn mint_token(
    store: &Store,
    clock: &dyn Clock,
    sealing: &Sealing,
    account: &Account,
    service: Option<ServiceSid>,
    identity: &Identity,
    lifetime: TimeDelta,
) -> Result<Option<String>, Error> {
    let mut conn = store.visit().await?;
    let service = service.unwrap_or(account.default_chat_service_sid);
    let service: Service = store::services::find(&mut conn, account.sid, service)
        .await?
        .ok_or(Error::NotFound)?;
    let Some(row) = store::keys::find_newest_signer(&mut conn, account.sid).await? else {
        return Ok(None);
    };
    let secret = sealing.open(&row.key.sid.to_string(), &row.secret)?;
    let token = NewToken {
        account: account.sid,
        issuer: row.key.sid,
        service: service.sid,
        identity,
        lifetime,
    };
    token.mint(&secret, clock.now()).map(Some)
}
