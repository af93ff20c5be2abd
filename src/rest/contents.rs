//! Content v1: `/v1/Content`.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::caller::Caller;
use super::error::ApiResult;
use super::form::{Fields, read_json};
use super::pages::{Asked, Listed, lists};
use super::params::{self, Param};
use super::path::Names;
use super::resource::{Created, Moment, NoContent};
use crate::domain::contents::{Content, JsonText, NewContent};
use crate::domain::{AccountSid, ContentSid, MomentKey};
use crate::ops;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "content")]
pub(super) struct View {
    sid: ContentSid,
    account_sid: AccountSid,
    friendly_name: Option<String>,
    language: String,
    variables: JsonText,
    types: JsonText,
    date_created: Moment,
    date_updated: Moment,
    url: String,
    links: Links,
}

/// Approvals are given by providers and not served here; the links are part of the published shape.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "content_links")]
struct Links {
    approval_create: String,
    approval_fetch: String,
}

fn view(caller: &Caller, row: Content) -> View {
    let url = format!("{}/v1/Content/{}", caller.base, row.sid);
    View {
        sid: row.sid,
        account_sid: row.account_sid,
        friendly_name: row.friendly_name,
        language: row.language,
        variables: row.variables,
        types: row.types,
        date_created: row.date_created.into(),
        date_updated: row.date_updated.into(),
        links: Links {
            approval_create: format!("{url}/ApprovalRequests/whatsapp"),
            approval_fetch: format!("{url}/ApprovalRequests"),
        },
        url,
    }
}

/// The list is never narrowed.
pub(super) const FILTERS: &[Param] = params::NONE;

/// `POST /v1/Content`
pub(super) async fn create(
    State(rest): State<Rest>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<View>> {
    let new = NewContent::parse(&read_json(&headers, body).await?)?;
    let content = ops::contents::create(&rest.core, &caller.ctx, new).await?;
    Ok(Created(view(&caller, content)))
}

/// `GET /v1/Content`
pub(super) async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    query: RawQuery,
) -> ApiResult<Listed<View>> {
    let mut query = Fields::query(query, FILTERS)?;
    let url = format!("{}/v1/Content", caller.base);
    let asked: Asked<MomentKey> = Asked::read(lists::CONTENTS, url, &mut query, &[])?;
    let page = ops::contents::list(&rest.core, &caller.ctx, &asked.page).await?;
    Ok(asked.answer(page, |content| view(&caller, content)))
}

/// `GET /v1/Content/{content}`
pub(super) async fn fetch(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<Json<View>> {
    let content = ops::contents::fetch(&rest.core, &caller.ctx, names.sid("content")?).await?;
    Ok(Json(view(&caller, content)))
}

/// `DELETE /v1/Content/{content}`
pub(super) async fn remove(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<NoContent> {
    ops::contents::remove(&rest.core, &caller.ctx, names.sid("content")?).await?;
    Ok(NoContent)
}
