//! `/v1/Configuration/Webhooks` and `/v1/Services/{service}/Configuration/Webhooks`.

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
use super::params::{Param, text, url, word};
use crate::domain::webhooks::{
    Method, Receiver, WebhookConfiguration, WebhookConfigurationChanges, filters, webhook_url,
};
use crate::domain::{AccountSid, Error, ServiceSid};
use crate::ops;
use crate::ops::webhooks::Owner;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "configuration_webhook")]
pub(super) struct View {
    account_sid: AccountSid,
    method: Method,
    filters: Option<Vec<String>>,
    pre_webhook_url: Option<String>,
    post_webhook_url: Option<String>,
    target: Receiver,
    url: String,
}

/// The account's; what was never set is printed as it is taken.
fn view(caller: &Caller, set: WebhookConfiguration) -> View {
    View {
        account_sid: caller.ctx.account.sid,
        method: set.method.unwrap_or(Method::Post),
        filters: set.filters,
        pre_webhook_url: set.pre_webhook_url,
        post_webhook_url: set.post_webhook_url,
        target: set.target.unwrap_or(Receiver::Webhook),
        url: format!("{}/v1/Configuration/Webhooks", caller.base),
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "service_webhook_configuration")]
pub(super) struct ServiceView {
    account_sid: AccountSid,
    chat_service_sid: ServiceSid,
    pre_webhook_url: Option<String>,
    post_webhook_url: Option<String>,
    filters: Option<Vec<String>>,
    method: Option<Method>,
    url: String,
}

fn service_view(caller: &Caller, set: WebhookConfiguration) -> ServiceView {
    ServiceView {
        account_sid: caller.ctx.account.sid,
        chat_service_sid: caller.ctx.service,
        pre_webhook_url: set.pre_webhook_url,
        post_webhook_url: set.post_webhook_url,
        filters: set.filters,
        method: set.method,
        url: format!("{}/Configuration/Webhooks", caller.scope()),
    }
}

/// The parameters of an update.
pub(super) const CHANGES: &[Param] = &[
    word("Method", &["GET", "POST"]),
    text("Filters").repeated(),
    url("PreWebhookUrl"),
    url("PostWebhookUrl"),
    word("Target", &["webhook", "flex"]),
];
/// The parameters of an update of a service's.
pub(super) const SERVICE_CHANGES: &[Param] = &[
    url("PreWebhookUrl"),
    url("PostWebhookUrl"),
    text("Filters").repeated(),
    word("Method", &["GET", "POST"]),
];

fn read(form: &mut Fields) -> Result<WebhookConfigurationChanges, Error> {
    Ok(WebhookConfigurationChanges {
        method: form
            .take_filled("Method")
            .map(|word| word.parse())
            .transpose()?,
        filters: form.take_list("Filters").map(filters).transpose()?,
        pre_webhook_url: form.take_field("PreWebhookUrl").try_map(webhook_url)?,
        post_webhook_url: form.take_field("PostWebhookUrl").try_map(webhook_url)?,
        target: None,
    })
}

/// `GET /v1/Configuration/Webhooks`
pub(super) async fn fetch(State(rest): State<Rest>, caller: Caller) -> ApiResult<Json<View>> {
    let set = ops::webhooks::configuration(&rest.core, &caller.ctx, Owner::Account).await?;
    Ok(Json(view(&caller, set)))
}

/// `POST /v1/Configuration/Webhooks`
pub(super) async fn update(
    State(rest): State<Rest>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<View>> {
    let mut form = Fields::read(&headers, body, CHANGES).await?;
    let mut changes = read(&mut form)?;
    changes.target = form
        .take_filled("Target")
        .map(|word| word.parse())
        .transpose()?;
    let set = configure(&rest, &caller, Owner::Account, changes).await?;
    Ok(Json(view(&caller, set)))
}

/// `GET /v1/Services/{service}/Configuration/Webhooks`
pub(super) async fn fetch_service(
    State(rest): State<Rest>,
    caller: Caller,
) -> ApiResult<Json<ServiceView>> {
    let set = ops::webhooks::configuration(&rest.core, &caller.ctx, Owner::Service).await?;
    Ok(Json(service_view(&caller, set)))
}

/// `POST /v1/Services/{service}/Configuration/Webhooks`
pub(super) async fn update_service(
    State(rest): State<Rest>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<ServiceView>> {
    let changes = read(&mut Fields::read(&headers, body, SERVICE_CHANGES).await?)?;
    let set = configure(&rest, &caller, Owner::Service, changes).await?;
    Ok(Json(service_view(&caller, set)))
}

async fn configure(
    rest: &Rest,
    caller: &Caller,
    of: Owner,
    changes: WebhookConfigurationChanges,
) -> Result<WebhookConfiguration, Error> {
    if changes.is_empty() {
        return Err(Error::NothingToUpdate);
    }
    ops::webhooks::configure(&rest.core, &caller.ctx, of, changes).await
}
