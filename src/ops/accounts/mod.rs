//! Accounts and subaccounts.
//!
//! A subaccount is a tenant of its own with default services of its own. Its owner may look at it, rename it, suspend it
//! and use its resources of the API of 2010; it never sees its owner.

mod checking;

pub use checking::{
    Authenticated, Bearer, Checked, UserName, authenticate, check_token, good_signers,
};

use super::Core;
use super::services::new_service;
use crate::domain::sealing::{Sealing, new_secret};
use crate::domain::{
    Account, AccountSid, AccountStatus, Clock, Error, Invalid, MessagingService, MomentKey, Page,
    PageRequest,
};
use crate::store::accounts::AccountRow;
use crate::store::{self, Store};

pub use crate::store::accounts::Filter;

/// An account with its secret.
#[derive(Debug)]
pub struct WithToken {
    /// The account.
    pub account: Account,
    /// The auth token.
    pub auth_token: String,
}

/// Makes an account with its default service and Messaging Service; answers the existing one's SID when the wanted SID
/// is taken, after giving it the wanted auth token.
///
/// # Errors
/// As the database.
pub async fn create(
    store: &Store,
    clock: &dyn Clock,
    sealing: &Sealing,
    friendly_name: &str,
    wanted: Option<(AccountSid, String)>,
) -> Result<WithToken, Error> {
    let (sid, auth_token) = wanted.unwrap_or_else(|| (AccountSid::new(clock.now()), new_secret()));
    write(store, clock, sealing, friendly_name, None, sid, auth_token).await
}

async fn write(
    store: &Store,
    clock: &dyn Clock,
    sealing: &Sealing,
    friendly_name: &str,
    owner: Option<AccountSid>,
    sid: AccountSid,
    auth_token: String,
) -> Result<WithToken, Error> {
    let now = clock.now();
    let sealed = sealing.seal(&sid.to_string(), &auth_token)?;
    let name = "Default Messaging Service for Conversations".to_owned();
    let messaging_service = MessagingService::new(sid, name, now);
    let (service, roles) = new_service(sid, "Default Conversations Service".to_owned(), now);
    let account = Account {
        sid,
        friendly_name: friendly_name.to_owned(),
        owner_account_sid: owner,
        status: AccountStatus::Active,
        default_chat_service_sid: service.sid,
        default_messaging_service_sid: messaging_service.sid,
        default_inactive_timer: None,
        default_closed_timer: None,
        date_created: now,
        date_updated: now,
    };
    let mut tx = store.begin().await?;
    if !store::accounts::insert(&mut tx, &account, &sealed).await? {
        store::accounts::set_auth_token(&mut tx, sid, &sealed, now).await?;
        tx.commit().await?;
        return Ok(WithToken {
            account,
            auth_token,
        });
    }
    store::services::insert(&mut tx, &service).await?;
    for role in roles {
        store::roles::insert(&mut tx, &role).await?;
    }
    store::messaging_services::insert(&mut tx, &messaging_service).await?;
    tx.commit().await?;
    Ok(WithToken {
        account,
        auth_token,
    })
}

/// Finds an account, or the oldest one when none is named.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(store: &Store, sid: Option<AccountSid>) -> Result<Account, Error> {
    let mut conn = store.visit().await?;
    let row = match sid {
        Some(sid) => store::accounts::find(&mut conn, sid).await?,
        None => store::accounts::find_first(&mut conn).await?,
    };
    row.map(|row| row.account).ok_or(Error::NotFound)
}

/// Makes a subaccount.
///
/// # Errors
/// [`Error::NoSubaccounts`] for an owner that is a subaccount itself.
pub async fn create_subaccount(
    core: &Core,
    owner: &Account,
    friendly_name: Option<String>,
) -> Result<WithToken, Error> {
    if owner.owner_account_sid.is_some() {
        return Err(Error::NoSubaccounts);
    }
    let now = core.clock.now();
    let name = friendly_name
        .unwrap_or_else(|| format!("SubAccount Created at {}", now.format("%Y-%m-%d %I:%M %p")));
    write(
        &core.store,
        core.clock.as_ref(),
        &core.sealing,
        &name,
        Some(owner.sid),
        AccountSid::new(now),
        new_secret(),
    )
    .await
}

/// Fetches an account as another one sees it: itself or a subaccount of it.
///
/// # Errors
/// [`Error::NotFound`] for any other.
pub async fn fetch(core: &Core, caller: AccountSid, sid: AccountSid) -> Result<WithToken, Error> {
    let mut conn = core.store.visit().await?;
    let row = store::accounts::find(&mut conn, sid).await?;
    let row = row
        .filter(|row| sid == caller || row.account.owner_account_sid == Some(caller))
        .ok_or(Error::NotFound)?;
    open(core, row)
}

fn open(core: &Core, row: AccountRow) -> Result<WithToken, Error> {
    let auth_token = core
        .sealing
        .open(&row.account.sid.to_string(), &row.auth_token)?;
    Ok(WithToken {
        account: row.account,
        auth_token,
    })
}

/// Lists an account and its subaccounts, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    core: &Core,
    of: &Account,
    filter: &Filter,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<WithToken, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let rows = store::accounts::list(&mut conn, of, filter, asked).await?;
    let rows: Vec<WithToken> = rows
        .into_iter()
        .map(|row| open(core, row))
        .collect::<Result<_, _>>()?;
    Ok(Page::from_rows(rows, asked, |row| {
        (row.account.date_created, row.account.sid.uuid())
    }))
}

/// Renames an account, or has a subaccount suspended, opened again or closed for good. Its credentials open nothing from
/// then on, here at once and on other nodes a second later.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::NothingToUpdate`]; 20422 for the caller's own status, because nobody could undo it;
/// [`Error::AccountNotActive`] for a closed one, which stays as it is.
pub async fn update(
    core: &Core,
    caller: AccountSid,
    sid: AccountSid,
    friendly_name: Option<String>,
    status: Option<AccountStatus>,
) -> Result<WithToken, Error> {
    let name = friendly_name.as_deref();
    fetch(core, caller, sid).await?;
    if name.is_none() && status.is_none() {
        return Err(Error::NothingToUpdate);
    }
    if status.is_some() && sid == caller {
        return Err(Invalid::Parameter {
            name: "Status",
            wants: "a subaccount: no account can change its own",
        }
        .into());
    }
    let mut conn = core.store.visit().await?;
    let row = store::accounts::update(&mut conn, sid, name, status, core.clock.now())
        .await?
        .ok_or(Error::AccountNotActive)?;
    core.credentials.forget_account(sid);
    open(core, row)
}
