//! `/2010-04-01/Accounts`.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::account_paths::{BASE, Manager};
use super::caller::Caller;
use super::error::ApiResult;
use super::form::Fields;
use super::pages::{Asked, OldListed};
use super::params::{Param, short, text, word};
use super::path::Names;
use super::resource::{Created, OldMoment};
use crate::domain::accounts::{Credentials, short_name};
use crate::domain::{AccountSid, AccountStatus, Error, MomentKey};
use crate::ops;
use crate::ops::accounts::{Filter, WithToken};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "account")]
pub(super) struct View {
    sid: AccountSid,
    owner_account_sid: AccountSid,
    friendly_name: String,
    status: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    auth_token: Option<String>,
    date_created: OldMoment,
    date_updated: OldMoment,
    uri: String,
    subresource_uris: SubresourceUris,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "account_subresource_uris")]
struct SubresourceUris {
    incoming_phone_numbers: String,
    keys: String,
    messages: String,
    signing_keys: String,
    tokens: String,
}

/// The auth token is shown to whom it opens nothing more: a restricted key does not see it.
fn view(caller: &Caller, found: WithToken) -> View {
    let account = found.account;
    let below = |name: &str| format!("{BASE}/{}/{name}.json", account.sid);
    View {
        sid: account.sid,
        owner_account_sid: account.owner_account_sid.unwrap_or(account.sid),
        friendly_name: account.friendly_name,
        status: account.status.as_str(),
        kind: "Full",
        auth_token: (caller.credentials == Credentials::Main).then_some(found.auth_token),
        date_created: account.date_created.into(),
        date_updated: account.date_updated.into(),
        uri: format!("{BASE}/{}.json", account.sid),
        subresource_uris: SubresourceUris {
            incoming_phone_numbers: below("IncomingPhoneNumbers"),
            keys: below("Keys"),
            messages: below("Messages"),
            signing_keys: below("SigningKeys"),
            tokens: below("Tokens"),
        },
    }
}

/// The parameters of a new subaccount.
pub(super) const NEW: &[Param] = &[short("FriendlyName", 64)];
/// The parameters of an update.
pub(super) const CHANGES: &[Param] = &[
    short("FriendlyName", 64),
    word("Status", AccountStatus::WORDS),
];
/// What narrows the list.
pub(super) const FILTERS: &[Param] = &[text("FriendlyName"), word("Status", AccountStatus::WORDS)];

fn status(fields: &mut Fields) -> Result<Option<AccountStatus>, Error> {
    fields
        .take_filled("Status")
        .map(|word| word.parse())
        .transpose()
}

/// `POST /2010-04-01/Accounts.json`
pub(super) async fn create(
    State(rest): State<Rest>,
    Manager(caller): Manager,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<View>> {
    let mut form = Fields::read(&headers, body, NEW).await?;
    let name = form
        .take_filled("FriendlyName")
        .map(short_name)
        .transpose()?;
    let owner = &caller.ctx.account;
    let new = ops::accounts::create_subaccount(&rest.core, owner, name).await?;
    Ok(Created(view(&caller, new)))
}

/// `GET /2010-04-01/Accounts.json`
pub(super) async fn list(
    State(rest): State<Rest>,
    Manager(caller): Manager,
    query: RawQuery,
) -> ApiResult<OldListed<View>> {
    let mut query = Fields::query(query, FILTERS)?;
    let filter = Filter {
        friendly_name: query.take_filled("FriendlyName"),
        status: status(&mut query)?,
    };
    let filters = [
        ("FriendlyName", filter.friendly_name.clone()),
        ("Status", filter.status.map(|word| word.as_str().to_owned())),
    ];
    let asked: Asked<MomentKey> =
        Asked::read_old("accounts", format!("{BASE}.json"), &mut query, &filters)?;
    let own = &caller.ctx.account;
    let page = ops::accounts::list(&rest.core, own, &filter, &asked.page).await?;
    Ok(asked.answer_old(page, |account| view(&caller, account)))
}

/// `GET /2010-04-01/Accounts/{account}.json`
pub(super) async fn fetch(
    State(rest): State<Rest>,
    Manager(caller): Manager,
    names: Names,
) -> ApiResult<Json<View>> {
    let sid = names.sid_before_json("account")?;
    let found = ops::accounts::fetch(&rest.core, caller.ctx.account.sid, sid).await?;
    Ok(Json(view(&caller, found)))
}

/// `POST /2010-04-01/Accounts/{account}.json`
pub(super) async fn update(
    State(rest): State<Rest>,
    Manager(caller): Manager,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<View>> {
    let own = caller.ctx.account.sid;
    let sid = names.sid_before_json("account")?;
    ops::accounts::fetch(&rest.core, own, sid).await?;
    let mut form = Fields::read(&headers, body, CHANGES).await?;
    let name = form
        .take_filled("FriendlyName")
        .map(short_name)
        .transpose()?;
    let status = status(&mut form)?;
    let changed = ops::accounts::update(&rest.core, own, sid, name, status).await?;
    Ok(Json(view(&caller, changed)))
}
