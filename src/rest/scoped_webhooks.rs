//! `…/Conversations/{conversation}/Webhooks`.

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
use super::params::{self, Param, integer, sid, text, url, word};
use super::path::Names;
use super::resource::{Created, Moment, NoContent};
use crate::domain::webhooks::{
    FlowSid, ScopedWebhook, Target, TargetChanges, WebhookSid, conversation_filters, triggers,
    webhook_url,
};
use crate::domain::{AccountSid, ConversationSid, Error, Invalid, MomentKey, ServiceSid};
use crate::ops;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "scoped_webhook")]
pub(super) struct View {
    sid: WebhookSid,
    account_sid: AccountSid,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_service_sid: Option<ServiceSid>,
    conversation_sid: ConversationSid,
    target: &'static str,
    configuration: Configuration,
    date_created: Moment,
    date_updated: Moment,
    url: String,
}

/// Only what the kind of target has is printed; from where messages are repeated, only with Studio (published examples).
#[derive(Default, Serialize, JsonSchema)]
#[schemars(rename = "scoped_webhook_configuration")]
struct Configuration {
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filters: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    triggers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow_sid: Option<FlowSid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replay_after: Option<i64>,
}

impl From<Target> for Configuration {
    fn from(target: Target) -> Self {
        match target {
            Target::Webhook {
                url,
                method,
                filters,
                ..
            } => Self {
                url: Some(url),
                method: Some(method.lower()),
                filters: Some(filters),
                ..Self::default()
            },
            Target::Trigger {
                url,
                method,
                triggers,
                ..
            } => Self {
                url: Some(url),
                method: Some(method.lower()),
                triggers: Some(triggers),
                ..Self::default()
            },
            Target::Studio {
                flow_sid,
                replay_after,
            } => Self {
                flow_sid: Some(flow_sid),
                replay_after,
                ..Self::default()
            },
        }
    }
}

fn view(caller: &Caller, row: ScopedWebhook) -> View {
    View {
        sid: row.sid,
        account_sid: caller.ctx.account.sid,
        chat_service_sid: caller.shown_service(),
        conversation_sid: row.conversation_sid,
        target: row.target.as_str(),
        date_created: row.date_created.into(),
        date_updated: row.date_updated.into(),
        url: format!(
            "{}/Conversations/{}/Webhooks/{}",
            caller.scope(),
            row.conversation_sid,
            row.sid
        ),
        configuration: row.target.into(),
    }
}

/// The parameters of a new webhook.
pub(super) const NEW: &[Param] = &[
    word("Target", &["webhook", "trigger", "studio"]).required(),
    url("Configuration.Url"),
    word("Configuration.Method", &["get", "post"]),
    text("Configuration.Filters").repeated(),
    text("Configuration.Triggers").repeated(),
    sid("Configuration.FlowSid", "FW"),
    integer("Configuration.ReplayAfter"),
];
/// The parameters of an update.
pub(super) const CHANGES: &[Param] = &[
    url("Configuration.Url"),
    word("Configuration.Method", &["get", "post"]),
    text("Configuration.Filters").repeated(),
    text("Configuration.Triggers").repeated(),
    sid("Configuration.FlowSid", "FW"),
];
/// The list is never narrowed.
pub(super) const FILTERS: &[Param] = params::NONE;

fn read(form: &mut Fields) -> Result<TargetChanges, Error> {
    Ok(TargetChanges {
        url: form
            .take_filled("Configuration.Url")
            .map(webhook_url)
            .transpose()?,
        method: form
            .take_filled("Configuration.Method")
            .map(|word| word.parse())
            .transpose()?,
        filters: form
            .take_list("Configuration.Filters")
            .map(conversation_filters)
            .transpose()?,
        triggers: form
            .take_list("Configuration.Triggers")
            .map(triggers)
            .transpose()?,
        flow_sid: form
            .take_filled("Configuration.FlowSid")
            .map(|sid| sid.parse().map_err(|_| Invalid::FlowSid))
            .transpose()?,
    })
}

fn read_new(mut form: Fields) -> Result<Target, Error> {
    let target = form.take("Target");
    let replay_after = form
        .take_filled("Configuration.ReplayAfter")
        .map(|text| match text.parse() {
            Ok(index) if index >= 0 => Ok(index),
            _ => Err(Invalid::Parameter {
                name: "Configuration.ReplayAfter",
                wants: "the index of a message",
            }),
        })
        .transpose()?;
    read(&mut form)?.create(target.as_deref(), replay_after)
}

/// `POST …/Conversations/{conversation}/Webhooks`
pub(super) async fn create(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<View>> {
    let of = names.conversation()?;
    let target = match Fields::read(&headers, body, NEW).await.and_then(read_new) {
        Ok(target) => target,
        Err(refusal) => return Err(rest.refuse(&caller, &of, refusal).await),
    };
    let webhook = ops::webhooks::create(&rest.core, &caller.ctx, &of, target).await?;
    Ok(Created(view(&caller, webhook)))
}

/// `GET …/Conversations/{conversation}/Webhooks`
pub(super) async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    query: RawQuery,
) -> ApiResult<Listed<View>> {
    let of = names.conversation()?;
    let held = ops::conversations::fetch(&rest.core, &caller.ctx, &of).await?;
    let mut query = Fields::query(query, FILTERS)?;
    let url = format!(
        "{}/Conversations/{}/Webhooks",
        caller.scope(),
        held.conversation.sid
    );
    let asked: Asked<MomentKey> = Asked::read(lists::SCOPED_WEBHOOKS, url, &mut query, &[])?;
    let page = ops::webhooks::list(&rest.core, &caller.ctx, &of, &asked.page).await?;
    Ok(asked.answer(page, |row| view(&caller, row)))
}

/// `GET …/Conversations/{conversation}/Webhooks/{webhook}`
pub(super) async fn fetch(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<Json<View>> {
    let (of, sid) = (names.conversation()?, names.sid("webhook")?);
    let webhook = ops::webhooks::fetch(&rest.core, &caller.ctx, &of, sid).await?;
    Ok(Json(view(&caller, webhook)))
}

/// `POST …/Conversations/{conversation}/Webhooks/{webhook}`
pub(super) async fn update(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<View>> {
    let (of, sid) = (names.conversation()?, names.sid("webhook")?);
    ops::webhooks::fetch(&rest.core, &caller.ctx, &of, sid).await?;
    let changes = read(&mut Fields::read(&headers, body, CHANGES).await?)?;
    if changes.is_empty() {
        return Err(Error::NothingToUpdate.into());
    }
    let webhook = ops::webhooks::update(&rest.core, &caller.ctx, &of, sid, changes).await?;
    Ok(Json(view(&caller, webhook)))
}

/// `DELETE …/Conversations/{conversation}/Webhooks/{webhook}`
pub(super) async fn remove(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<NoContent> {
    let (of, sid) = (names.conversation()?, names.sid("webhook")?);
    ops::webhooks::remove(&rest.core, &caller.ctx, &of, sid).await?;
    Ok(NoContent)
}
