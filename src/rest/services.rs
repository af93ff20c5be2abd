//! `/v1/Services`.

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
use super::params::{self, Param, short};
use super::resource::{Created, Moment, NoContent};
use crate::domain::{AccountSid, MomentKey, Service, ServiceSid};
use crate::ops;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "service")]
pub(super) struct View {
    sid: ServiceSid,
    account_sid: AccountSid,
    friendly_name: String,
    date_created: Moment,
    date_updated: Moment,
    url: String,
    links: Links,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "service_links")]
struct Links {
    conversations: String,
    users: String,
    roles: String,
    bindings: String,
    configuration: String,
    participant_conversations: String,
    conversation_with_participants: String,
}

fn view(caller: &Caller, service: Service) -> View {
    let url = format!("{}/v1/Services/{}", caller.base, service.sid);
    let link = |name: &str| format!("{url}/{name}");
    View {
        sid: service.sid,
        account_sid: service.account_sid,
        friendly_name: service.friendly_name,
        date_created: service.date_created.into(),
        date_updated: service.date_updated.into(),
        links: Links {
            conversations: link("Conversations"),
            users: link("Users"),
            roles: link("Roles"),
            bindings: link("Bindings"),
            configuration: link("Configuration"),
            participant_conversations: link("ParticipantConversations"),
            conversation_with_participants: link("ConversationWithParticipants"),
        },
        url,
    }
}

/// The parameters of a new service.
pub(super) const NEW: &[Param] = &[short("FriendlyName", 256).required()];
/// The list is never narrowed.
pub(super) const FILTERS: &[Param] = params::NONE;

/// `POST /v1/Services`
pub(super) async fn create(
    State(rest): State<Rest>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<View>> {
    let mut form = Fields::read(&headers, body, NEW).await?;
    let service = ops::services::create(&rest.core, &caller.ctx, form.take("FriendlyName")).await?;
    Ok(Created(view(&caller, service)))
}

/// `GET /v1/Services`
pub(super) async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    query: RawQuery,
) -> ApiResult<Listed<View>> {
    let mut query = Fields::query(query, FILTERS)?;
    let url = format!("{}/v1/Services", caller.base);
    let asked: Asked<MomentKey> = Asked::read(lists::SERVICES, url, &mut query, &[])?;
    let page = ops::services::list(&rest.core, &caller.ctx, &asked.page).await?;
    Ok(asked.answer(page, |service| view(&caller, service)))
}

/// `GET /v1/Services/{service}`
pub(super) async fn fetch(State(rest): State<Rest>, caller: Caller) -> ApiResult<Json<View>> {
    let service = ops::services::fetch(&rest.core, &caller.ctx).await?;
    Ok(Json(view(&caller, service)))
}

/// `DELETE /v1/Services/{service}`
pub(super) async fn remove(State(rest): State<Rest>, caller: Caller) -> ApiResult<NoContent> {
    ops::services::remove(&rest.core, &caller.ctx).await?;
    Ok(NoContent)
}
