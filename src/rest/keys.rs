//! `/2010-04-01/Accounts/{account}/Keys` and `…/SigningKeys`: one set of keys under two names.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::account_paths::{InAccount, ManagingAccount};
use super::error::ApiResult;
use super::form::Fields;
use super::pages::{Asked, OldListed};
use super::params::{self, Param, short};
use super::resource::{Created, NoContent, OldMoment};
use crate::domain::accounts::{Credentials, KeyKind, short_name};
use crate::domain::{ApiKey, ApiKeySid, Error, MomentKey};
use crate::ops;
use crate::ops::keys::{NewKey, WithSecret};

/// A key, without its secret.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "key")]
pub(super) struct View {
    sid: ApiKeySid,
    friendly_name: String,
    date_created: OldMoment,
    date_updated: OldMoment,
}

/// A key that was just made: the secret is shown this once.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "new_key")]
pub(super) struct NewView {
    #[serde(flatten)]
    key: View,
    secret: String,
}

pub(super) fn view(key: ApiKey) -> View {
    View {
        sid: key.sid,
        friendly_name: key.friendly_name,
        date_created: key.date_created.into(),
        date_updated: key.date_updated.into(),
    }
}

/// The parameters of a new key, and of an update.
pub(super) const NAME: &[Param] = &[short("FriendlyName", 64)];
/// The lists are never narrowed.
pub(super) const FILTERS: &[Param] = params::NONE;

/// `POST …/Keys.json`, `POST …/SigningKeys.json`: a standard key. A restricted key, whatever its policy, makes none,
/// because it would make what may do more than itself.
pub(super) async fn create(
    State(rest): State<Rest>,
    ManagingAccount(within): ManagingAccount,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<NewView>> {
    if matches!(within.caller.credentials, Credentials::RestrictedKey(_)) {
        return Err(Error::KeyNotAuthorised.into());
    }
    let mut form = Fields::read(&headers, body, NAME).await?;
    let new = NewKey {
        account: within.sid(),
        friendly_name: short_name(form.take("FriendlyName").unwrap_or_default())?,
        kind: KeyKind::Standard,
        policy: None,
    };
    let WithSecret { key, secret } = ops::keys::create_in(&rest.core, new).await?;
    let key = view(key);
    Ok(Created(NewView { key, secret }))
}

async fn list(
    rest: &Rest,
    within: &InAccount,
    query: RawQuery,
    key: &'static str,
    file: &str,
) -> ApiResult<OldListed<View>> {
    let mut query = Fields::query(query, FILTERS)?;
    let asked: Asked<MomentKey> = Asked::read_old(key, within.path(file), &mut query, &[])?;
    let page = ops::keys::list(&rest.core, within.sid(), &asked.page).await?;
    Ok(asked.answer_old(page, view))
}

/// `GET …/Keys.json`
pub(super) async fn list_keys(
    State(rest): State<Rest>,
    ManagingAccount(within): ManagingAccount,
    query: RawQuery,
) -> ApiResult<OldListed<View>> {
    list(&rest, &within, query, "keys", "Keys.json").await
}

/// `GET …/SigningKeys.json`
pub(super) async fn list_signing_keys(
    State(rest): State<Rest>,
    ManagingAccount(within): ManagingAccount,
    query: RawQuery,
) -> ApiResult<OldListed<View>> {
    list(&rest, &within, query, "signing_keys", "SigningKeys.json").await
}

/// `GET …/Keys/{key}.json`
pub(super) async fn fetch(
    State(rest): State<Rest>,
    ManagingAccount(within): ManagingAccount,
) -> ApiResult<Json<View>> {
    let sid = within.names.sid_before_json("key")?;
    let key = ops::keys::fetch(&rest.core, within.sid(), sid).await?;
    Ok(Json(view(key)))
}

/// `POST …/Keys/{key}.json`
pub(super) async fn update(
    State(rest): State<Rest>,
    ManagingAccount(within): ManagingAccount,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<View>> {
    let sid = within.names.sid_before_json("key")?;
    ops::keys::fetch(&rest.core, within.sid(), sid).await?;
    let mut form = Fields::read(&headers, body, NAME).await?;
    let name = form.take("FriendlyName").map(short_name).transpose()?;
    let key = ops::keys::update(&rest.core, within.sid(), sid, name, None).await?;
    Ok(Json(view(key)))
}

/// `DELETE …/Keys/{key}.json`
pub(super) async fn remove(
    State(rest): State<Rest>,
    ManagingAccount(within): ManagingAccount,
) -> ApiResult<NoContent> {
    let sid = within.names.sid_before_json("key")?;
    ops::keys::remove(&rest.core, within.sid(), sid).await?;
    Ok(NoContent)
}
