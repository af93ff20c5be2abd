//! `/v1/Credentials`.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::caller::Caller;
use super::error::ApiResult;
use super::form::Fields;
use super::pages::{Asked, Listed, lists};
use super::params::{self, Param, boolean, short, text, word};
use super::path::Names;
use super::resource::{Created, Moment, NoContent};
use crate::domain::credentials::{
    Credential, CredentialChanges, CredentialSid, Platform, Secrets, friendly_name,
};
use crate::domain::{AccountSid, Error, MomentKey};
use crate::ops;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "credential")]
pub(super) struct View {
    sid: CredentialSid,
    account_sid: AccountSid,
    friendly_name: Option<String>,
    #[serde(rename = "type")]
    platform: Platform,
    /// A word, not a boolean: so it is published, and twilio-go takes nothing else.
    sandbox: &'static str,
    date_created: Moment,
    date_updated: Moment,
    url: String,
}

fn view(caller: &Caller, row: Credential) -> View {
    View {
        sid: row.sid,
        account_sid: row.account_sid,
        friendly_name: row.friendly_name,
        platform: row.platform,
        sandbox: if row.sandbox { "True" } else { "False" },
        date_created: row.date_created.into(),
        date_updated: row.date_updated.into(),
        url: format!("{}/v1/Credentials/{}", caller.base, row.sid),
    }
}

const TYPE: Param = word("Type", &["apn", "gcm", "fcm"]);
const NAME: Param = short("FriendlyName", 64);
const CERTIFICATE: Param = text("Certificate");
const PRIVATE_KEY: Param = text("PrivateKey");
const SANDBOX: Param = boolean("Sandbox");
const API_KEY: Param = text("ApiKey");
const SECRET: Param = text("Secret");

/// The parameters of a new credential.
#[rustfmt::skip] // a list: the same as in an update
pub(super) const NEW: &[Param] =
    &[TYPE.required(), NAME, CERTIFICATE, PRIVATE_KEY, SANDBOX, API_KEY, SECRET];
/// The parameters of an update.
#[rustfmt::skip] // as above
pub(super) const CHANGES: &[Param] =
    &[TYPE, NAME, CERTIFICATE, PRIVATE_KEY, SANDBOX, API_KEY, SECRET];
/// The list is never narrowed.
pub(super) const FILTERS: &[Param] = params::NONE;

fn read(mut form: Fields) -> Result<CredentialChanges, Error> {
    Ok(CredentialChanges {
        platform: form
            .take_filled(TYPE.name)
            .map(|word| word.parse())
            .transpose()?,
        friendly_name: form.take_field(NAME.name).try_map(friendly_name)?,
        sandbox: form.take_bool(SANDBOX.name)?,
        secrets: Secrets {
            certificate: form.take_filled(CERTIFICATE.name),
            private_key: form.take_filled(PRIVATE_KEY.name),
            api_key: form.take_filled(API_KEY.name),
            secret: form.take_filled(SECRET.name),
        },
    })
}

/// `POST /v1/Credentials`
pub(super) async fn create(
    State(rest): State<Rest>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<View>> {
    let new = read(Fields::read(&headers, body, NEW).await?)?;
    let made = ops::credentials::create(&rest.core, &caller.ctx, new).await?;
    Ok(Created(view(&caller, made)))
}

/// `GET /v1/Credentials`
pub(super) async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    query: RawQuery,
) -> ApiResult<Listed<View>> {
    let mut query = Fields::query(query, FILTERS)?;
    let url = format!("{}/v1/Credentials", caller.base);
    let asked: Asked<MomentKey> = Asked::read(lists::CREDENTIALS, url, &mut query, &[])?;
    let page = ops::credentials::list(&rest.core, &caller.ctx, &asked.page).await?;
    Ok(asked.answer(page, |row| view(&caller, row)))
}

/// `GET /v1/Credentials/{credential}`
pub(super) async fn fetch(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<Json<View>> {
    let sid = names.sid("credential")?;
    let found = ops::credentials::fetch(&rest.core, &caller.ctx, sid).await?;
    Ok(Json(view(&caller, found)))
}

/// `POST /v1/Credentials/{credential}`
pub(super) async fn update(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<View>> {
    let sid = names.sid("credential")?;
    ops::credentials::fetch(&rest.core, &caller.ctx, sid).await?;
    let changes = read(Fields::read(&headers, body, CHANGES).await?)?;
    if changes == CredentialChanges::default() {
        return Err(Error::NothingToUpdate.into());
    }
    let changed = ops::credentials::update(&rest.core, &caller.ctx, sid, changes).await?;
    Ok(Json(view(&caller, changed)))
}

/// `DELETE /v1/Credentials/{credential}`
pub(super) async fn remove(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<NoContent> {
    ops::credentials::remove(&rest.core, &caller.ctx, names.sid("credential")?).await?;
    Ok(NoContent)
}
