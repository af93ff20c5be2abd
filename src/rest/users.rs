//! `…/Users`.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::caller::Caller;
use super::error::ApiResult;
use super::extensions;
use super::form::Fields;
use super::pages::{Asked, Listed, lists};
use super::params::{Param, WEBHOOKS, json, short, sid};
use super::path::Names;
use super::resource::{Created, Moment, NoContent};
use crate::domain::attributes::MAX_LARGE_BYTES;
use crate::domain::users::{NewUser, UserChanges};
use crate::domain::{
    AccountSid, Attributes, Error, Field, Identity, Invalid, MomentKey, RoleSid, ServiceSid, User,
    UserSid, friendly_name,
};
use crate::ops;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "user")]
pub(super) struct View {
    sid: UserSid,
    account_sid: AccountSid,
    chat_service_sid: ServiceSid,
    role_sid: RoleSid,
    identity: Identity,
    friendly_name: Option<String>,
    attributes: Attributes,
    /// Null while reachability is off, until the user has been online since it is on, and in lists.
    is_online: Option<bool>,
    is_notifiable: Option<bool>,
    date_created: Moment,
    date_updated: Moment,
    url: String,
    links: Links,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "user_links")]
struct Links {
    user_conversations: String,
}

fn view(caller: &Caller, user: User) -> View {
    let url = format!("{}/Users/{}", caller.scope(), user.sid);
    View {
        sid: user.sid,
        account_sid: user.account_sid,
        chat_service_sid: user.service_sid,
        role_sid: user.role_sid,
        identity: user.identity,
        friendly_name: user.friendly_name,
        attributes: user.attributes,
        is_online: user.is_online,
        is_notifiable: user.is_notifiable,
        date_created: user.date_created.into(),
        date_updated: user.date_updated.into(),
        links: Links {
            user_conversations: format!("{url}/Conversations"),
        },
        url,
    }
}

/// The parameters of a new user.
pub(super) const NEW: &[Param] = &[
    WEBHOOKS,
    short("Identity", 256).required(),
    short("FriendlyName", 256),
    json("Attributes"),
    sid("RoleSid", "RL"),
];
/// The parameters of an update.
pub(super) const CHANGES: &[Param] = &[
    WEBHOOKS,
    short("FriendlyName", 256),
    json("Attributes"),
    sid("RoleSid", "RL"),
];
/// What narrows the list.
pub(super) const FILTERS: &[Param] = &[extensions::SEARCH];

fn read_new(mut form: Fields) -> Result<NewUser, Error> {
    let identity = Identity::parse(form.take("Identity").ok_or(Invalid::IdentityMissing)?)?;
    let changes = read(form)?;
    Ok(NewUser {
        identity,
        friendly_name: changes.friendly_name.set(),
        attributes: changes.attributes.unwrap_or_default(),
        role_sid: changes.role_sid,
    })
}

fn read(mut form: Fields) -> Result<UserChanges, Error> {
    Ok(UserChanges {
        friendly_name: form.take_field("FriendlyName").try_map(friendly_name)?,
        attributes: form
            .take("Attributes")
            .map(|text| Attributes::parse(text, MAX_LARGE_BYTES))
            .transpose()?,
        role_sid: form
            .take_filled("RoleSid")
            .map(|sid| sid.parse().map_err(|_| Invalid::ServiceRoleNotFound))
            .transpose()?,
    })
}

/// `POST …/Users`
pub(super) async fn create(
    State(rest): State<Rest>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<View>> {
    let new = read_new(Fields::read(&headers, body, NEW).await?)?;
    let user = ops::users::create(&rest.core, &caller.ctx, new).await?;
    Ok(Created(view(&caller, user)))
}

/// `GET …/Users`
pub(super) async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    query: RawQuery,
) -> ApiResult<Listed<View>> {
    let mut query = Fields::query(query, FILTERS)?;
    let (search, given) = extensions::search(&mut query)?;
    let url = format!("{}/Users", caller.scope());
    let asked: Asked<MomentKey> = Asked::read(lists::USERS, url, &mut query, &[given])?;
    let page = ops::users::list(&rest.core, &caller.ctx, search.as_ref(), &asked.page).await?;
    Ok(asked.answer(page, |user| View {
        // Only single users say (API page of users).
        is_online: None,
        is_notifiable: None,
        ..view(&caller, user)
    }))
}

/// `GET …/Users/{user}`
pub(super) async fn fetch(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<Json<View>> {
    let user = ops::users::fetch(&rest.core, &caller.ctx, &names.user()?).await?;
    Ok(Json(view(&caller, user)))
}

/// `POST …/Users/{user}`
pub(super) async fn update(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<View>> {
    let which = names.user()?;
    ops::users::fetch(&rest.core, &caller.ctx, &which).await?;
    let changes = read(Fields::read(&headers, body, CHANGES).await?)?;
    if changes.friendly_name == Field::Keep
        && changes.attributes.is_none()
        && changes.role_sid.is_none()
    {
        return Err(Error::NothingToUpdate.into());
    }
    let user = ops::users::update(&rest.core, &caller.ctx, &which, changes).await?;
    Ok(Json(view(&caller, user)))
}

/// `DELETE …/Users/{user}`
pub(super) async fn remove(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<NoContent> {
    ops::users::remove(&rest.core, &caller.ctx, &names.user()?).await?;
    Ok(NoContent)
}
