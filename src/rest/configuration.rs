//! `/v1/Configuration` and `/v1/Services/{service}/Configuration`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::caller::Caller;
use super::error::ApiResult;
use super::form::Fields;
use super::params::{Param, boolean, duration, sid};
use crate::domain::accounts::AccountChanges;
use crate::domain::services::ServiceChanges;
use crate::domain::timers::Timer;
use crate::domain::{
    Account, AccountSid, Error, Field, Invalid, Kind, MessagingServiceSid, RoleSid, Service,
    ServiceSid, Sid,
};
use crate::ops;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "configuration")]
pub(super) struct View {
    account_sid: AccountSid,
    default_chat_service_sid: ServiceSid,
    default_messaging_service_sid: MessagingServiceSid,
    default_inactive_timer: Option<Timer>,
    default_closed_timer: Option<Timer>,
    url: String,
    links: Links,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "configuration_links")]
struct Links {
    service: String,
    webhooks: String,
}

fn view(caller: &Caller, account: Account) -> View {
    let base = &caller.base;
    let service = account.default_chat_service_sid;
    View {
        account_sid: account.sid,
        default_chat_service_sid: service,
        default_messaging_service_sid: account.default_messaging_service_sid,
        default_inactive_timer: account.default_inactive_timer,
        default_closed_timer: account.default_closed_timer,
        url: format!("{base}/v1/Configuration"),
        links: Links {
            service: format!("{base}/v1/Services/{service}/Configuration"),
            webhooks: format!("{base}/v1/Configuration/Webhooks"),
        },
    }
}

/// The parameters of an update.
pub(super) const CHANGES: &[Param] = &[
    sid("DefaultChatServiceSid", "IS"),
    sid("DefaultMessagingServiceSid", "MG"),
    duration("DefaultInactiveTimer"),
    duration("DefaultClosedTimer"),
];

fn read(mut form: Fields) -> Result<AccountChanges, Error> {
    Ok(AccountChanges {
        default_chat_service_sid: sid_of(
            &mut form,
            "DefaultChatServiceSid",
            Invalid::ServiceNotFound,
        )?,
        default_messaging_service_sid: sid_of(
            &mut form,
            "DefaultMessagingServiceSid",
            Invalid::MessagingServiceMalformed,
        )?,
        default_inactive_timer: timer(&mut form, "DefaultInactiveTimer", Timer::inactive)?,
        default_closed_timer: timer(&mut form, "DefaultClosedTimer", Timer::closed)?,
    })
}

fn sid_of<K: Kind>(
    form: &mut Fields,
    name: &'static str,
    otherwise: Invalid,
) -> Result<Option<Sid<K>>, Error> {
    let given = form.take_filled(name).map(|sid| sid.parse());
    let read = given.transpose();
    read.map_err(|_| Error::from(otherwise).naming(name))
}

fn timer(
    form: &mut Fields,
    name: &'static str,
    read: fn(String) -> Result<Timer, Error>,
) -> Result<Field<Timer>, Error> {
    let given = form.take_field(name).try_map(read);
    given.map_err(|refusal| refusal.naming(name))
}

/// `GET /v1/Configuration`
pub(super) async fn fetch(State(rest): State<Rest>, caller: Caller) -> ApiResult<Json<View>> {
    let account = ops::configuration::fetch(&rest.core, &caller.ctx).await?;
    Ok(Json(view(&caller, account)))
}

/// `POST /v1/Configuration`
pub(super) async fn update(
    State(rest): State<Rest>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<View>> {
    let changes = read(Fields::read(&headers, body, CHANGES).await?)?;
    if changes.is_empty() {
        return Err(Error::NothingToUpdate.into());
    }
    let account = ops::configuration::update(&rest.core, &caller.ctx, changes).await?;
    Ok(Json(view(&caller, account)))
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "service_configuration")]
pub(super) struct ServiceView {
    chat_service_sid: ServiceSid,
    default_conversation_creator_role_sid: RoleSid,
    default_conversation_role_sid: RoleSid,
    default_chat_service_role_sid: RoleSid,
    reachability_enabled: bool,
    url: String,
    links: ServiceLinks,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "service_configuration_links")]
struct ServiceLinks {
    notifications: String,
    webhooks: String,
}

fn service_view(caller: &Caller, service: &Service) -> ServiceView {
    let url = format!("{}/Configuration", caller.scope());
    ServiceView {
        chat_service_sid: service.sid,
        default_conversation_creator_role_sid: service.default_conversation_creator_role_sid,
        default_conversation_role_sid: service.default_conversation_role_sid,
        default_chat_service_role_sid: service.default_chat_service_role_sid,
        reachability_enabled: service.reachability_enabled,
        links: ServiceLinks {
            notifications: format!("{url}/Notifications"),
            webhooks: format!("{url}/Webhooks"),
        },
        url,
    }
}

/// The parameters of an update of a service's.
pub(super) const SERVICE_CHANGES: &[Param] = &[
    sid("DefaultConversationCreatorRoleSid", "RL"),
    sid("DefaultConversationRoleSid", "RL"),
    sid("DefaultChatServiceRoleSid", "RL"),
    boolean("ReachabilityEnabled"),
];

fn read_service(mut form: Fields) -> Result<ServiceChanges, Error> {
    let mut role = |name| sid_of(&mut form, name, Invalid::RoleNotFound);
    Ok(ServiceChanges {
        default_conversation_creator_role_sid: role("DefaultConversationCreatorRoleSid")?,
        default_conversation_role_sid: role("DefaultConversationRoleSid")?,
        default_chat_service_role_sid: role("DefaultChatServiceRoleSid")?,
        reachability_enabled: form.take_bool("ReachabilityEnabled")?,
    })
}

/// `GET /v1/Services/{service}/Configuration`
pub(super) async fn fetch_service(
    State(rest): State<Rest>,
    caller: Caller,
) -> ApiResult<Json<ServiceView>> {
    let service = ops::services::fetch(&rest.core, &caller.ctx).await?;
    Ok(Json(service_view(&caller, &service)))
}

/// `POST /v1/Services/{service}/Configuration`
pub(super) async fn update_service(
    State(rest): State<Rest>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<ServiceView>> {
    let changes = read_service(Fields::read(&headers, body, SERVICE_CHANGES).await?)?;
    if changes.is_empty() {
        return Err(Error::NothingToUpdate.into());
    }
    let service = ops::configuration::update_service(&rest.core, &caller.ctx, changes).await?;
    Ok(Json(service_view(&caller, &service)))
}
