//! `/v1/Services`.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use serde::Serialize;

use super::Rest;
use super::caller::Caller;
use super::error::ApiResult;
use super::form::Fields;
use super::pages::{Asked, Listed, lists};
use super::resource::{Created, NoContent};
use crate::domain::time::whole_seconds;
use crate::domain::{AccountSid, MomentKey, Service, ServiceSid, Timestamp};
use crate::ops;

#[derive(Serialize)]
pub(super) struct View {
    sid: ServiceSid,
    account_sid: AccountSid,
    friendly_name: String,
    #[serde(with = "whole_seconds")]
    date_created: Timestamp,
    #[serde(with = "whole_seconds")]
    date_updated: Timestamp,
    url: String,
    links: Links,
}

#[derive(Serialize)]
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
        date_created: service.date_created,
        date_updated: service.date_updated,
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

/// `POST /v1/Services`
pub(super) async fn create(
    State(rest): State<Rest>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<View>> {
    let mut form = Fields::read(&headers, body).await?;
    let service = ops::services::create(&rest.core, &caller.ctx, form.take("FriendlyName")).await?;
    Ok(Created(view(&caller, service)))
}

/// `GET /v1/Services`
pub(super) async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> ApiResult<Listed<View>> {
    let mut query = Fields::parse(query.unwrap_or_default().as_bytes())?;
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
