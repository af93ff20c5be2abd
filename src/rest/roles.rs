//! `…/Roles`.

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
use super::params::{self, Param, short, text, word};
use super::path::Names;
use super::resource::{Created, Moment, NoContent};
use crate::domain::roles::{NewRole, permissions};
use crate::domain::{
    AccountSid, Error, Invalid, MomentKey, Role, RoleSid, RoleType, ServiceSid, friendly_name,
};
use crate::ops;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "role")]
pub(super) struct View {
    sid: RoleSid,
    account_sid: AccountSid,
    chat_service_sid: ServiceSid,
    friendly_name: String,
    #[serde(rename = "type")]
    scope: &'static str,
    permissions: Vec<String>,
    date_created: Moment,
    date_updated: Moment,
    url: String,
}

fn view(caller: &Caller, role: Role) -> View {
    View {
        sid: role.sid,
        account_sid: role.account_sid,
        chat_service_sid: role.service_sid,
        friendly_name: role.friendly_name,
        scope: role.scope.as_str(),
        permissions: role.permissions,
        date_created: role.date_created.into(),
        date_updated: role.date_updated.into(),
        url: format!("{}/Roles/{}", caller.scope(), role.sid),
    }
}

/// The parameters of a new role.
pub(super) const NEW: &[Param] = &[
    short("FriendlyName", 256).required(),
    word("Type", &["conversation", "service"]).required(),
    text("Permission").required().repeated(),
];
/// The parameters of an update.
pub(super) const CHANGES: &[Param] = &[text("Permission").required().repeated()];
/// The list is never narrowed.
pub(super) const FILTERS: &[Param] = params::NONE;

fn read(mut form: Fields) -> Result<NewRole, Error> {
    let name = form
        .take_filled("FriendlyName")
        .ok_or(Invalid::FriendlyNameMissing)?;
    let scope: RoleType = form.take_filled("Type").unwrap_or_default().parse()?;
    let wanted = form.take_list("Permission").unwrap_or_default();
    Ok(NewRole {
        friendly_name: friendly_name(name)?,
        scope,
        permissions: permissions(scope, wanted)?,
    })
}

/// `POST …/Roles`
pub(super) async fn create(
    State(rest): State<Rest>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<View>> {
    let new = read(Fields::read(&headers, body, NEW).await?)?;
    let role = ops::roles::create(&rest.core, &caller.ctx, new).await?;
    Ok(Created(view(&caller, role)))
}

/// `GET …/Roles`
pub(super) async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    query: RawQuery,
) -> ApiResult<Listed<View>> {
    let mut query = Fields::query(query, FILTERS)?;
    let asked: Asked<MomentKey> = Asked::read(
        lists::ROLES,
        format!("{}/Roles", caller.scope()),
        &mut query,
        &[],
    )?;
    let page = ops::roles::list(&rest.core, &caller.ctx, &asked.page).await?;
    Ok(asked.answer(page, |role| view(&caller, role)))
}

/// `GET …/Roles/{role}`
pub(super) async fn fetch(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<Json<View>> {
    let role = ops::roles::fetch(&rest.core, &caller.ctx, names.sid("role")?).await?;
    Ok(Json(view(&caller, role)))
}

/// `POST …/Roles/{role}`
pub(super) async fn update(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<View>> {
    let sid = names.sid("role")?;
    ops::roles::fetch(&rest.core, &caller.ctx, sid).await?;
    let mut form = Fields::read(&headers, body, CHANGES).await?;
    let wanted = form.take_list("Permission").unwrap_or_default();
    let role = ops::roles::update(&rest.core, &caller.ctx, sid, wanted).await?;
    Ok(Json(view(&caller, role)))
}

/// `DELETE …/Roles/{role}`
pub(super) async fn remove(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<NoContent> {
    ops::roles::remove(&rest.core, &caller.ctx, names.sid("role")?).await?;
    Ok(NoContent)
}
