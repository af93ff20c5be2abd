//! `/2010-04-01/Accounts/{account}/…`: the account that such a path names.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::Rest;
use super::caller::Caller;
use super::error::ApiError;
use super::path::Names;
use crate::domain::{Account, AccountSid, Error};
use crate::ops;

/// The beginning of all paths of this API.
pub(super) const BASE: &str = "/2010-04-01/Accounts";

/// A caller who may manage accounts and keys.
#[derive(Debug)]
pub(super) struct Manager(pub Caller);

impl FromRequestParts<Rest> for Manager {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, rest: &Rest) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, rest).await?;
        caller.may_manage()?;
        Ok(Self(caller))
    }
}

/// The account whose resources are asked for: the caller's own or a subaccount of it; any other is absent.
#[derive(Debug)]
pub(super) struct InAccount {
    /// Who asks.
    pub caller: Caller,
    /// The account.
    pub account: Account,
    /// The names in the path.
    pub names: Names,
}

impl InAccount {
    /// The path of a resource or list of the account.
    pub fn path(&self, rest: &str) -> String {
        format!("{BASE}/{}/{rest}", self.account.sid)
    }

    /// The account's SID.
    pub const fn sid(&self) -> AccountSid {
        self.account.sid
    }
}

impl FromRequestParts<Rest> for InAccount {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, rest: &Rest) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, rest).await?;
        let names = Names::from_request_parts(parts, rest).await?;
        let account = named(rest, &caller, names.sid("account")?).await?;
        account.accepts_requests()?;
        Ok(Self {
            caller,
            account,
            names,
        })
    }
}

/// The same, of a caller who may manage accounts and keys.
#[derive(Debug)]
pub(super) struct ManagingAccount(pub InAccount);

impl FromRequestParts<Rest> for ManagingAccount {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, rest: &Rest) -> Result<Self, ApiError> {
        let within = InAccount::from_request_parts(parts, rest).await?;
        within.caller.may_manage()?;
        Ok(Self(within))
    }
}

/// Finds the account that a request names.
///
/// # Errors
/// [`Error::NotFound`] for any but the caller's own and its subaccounts.
pub(super) async fn named(rest: &Rest, caller: &Caller, sid: AccountSid) -> Result<Account, Error> {
    if sid == caller.ctx.account.sid {
        return Ok((*caller.ctx.account).clone());
    }
    let found = ops::accounts::fetch(&rest.core, caller.ctx.account.sid, sid).await?;
    Ok(found.account)
}
