//! `/v1/Configuration/Addresses`.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::caller::Caller;
use super::error::{ApiError, ApiResult};
use super::form::Fields;
use super::pages::{Asked, Listed, lists};
use super::params::{Param, boolean, integer, short, sid, text, url, word};
use super::path::Names;
use super::resource::{Created, Moment, NoContent};
use crate::domain::address_configurations::{
    AddressConfiguration, AddressConfigurationChanges, AddressConfigurationRef,
    AddressConfigurationSid, AutoCreation, AutoCreationChanges, AutoCreationType,
    NewAddressConfiguration, TYPES, address, country, kind,
};
use crate::domain::webhooks::{FlowSid, Method, address_filters, webhook_url};
use crate::domain::{AccountSid, Error, Invalid, MomentKey, ServiceSid, friendly_name};
use crate::ops;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "configuration_address")]
pub(super) struct View {
    sid: AddressConfigurationSid,
    account_sid: AccountSid,
    #[serde(rename = "type")]
    kind: String,
    address: String,
    friendly_name: Option<String>,
    address_country: Option<String>,
    auto_creation: AutoCreationView,
    date_created: Moment,
    date_updated: Moment,
    url: String,
}

/// Only what belongs to the type is printed.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "configuration_address_auto_creation")]
enum AutoCreationView {
    Webhook {
        enabled: bool,
        r#type: AutoCreationType,
        conversation_service_sid: Option<ServiceSid>,
        webhook_url: Option<String>,
        webhook_method: Method,
        webhook_filters: Option<Vec<String>>,
    },
    Studio {
        enabled: bool,
        r#type: AutoCreationType,
        conversation_service_sid: Option<ServiceSid>,
        studio_flow_sid: Option<FlowSid>,
        studio_retry_count: Option<i64>,
    },
    Default {
        enabled: bool,
        r#type: AutoCreationType,
        #[serde(skip_serializing_if = "Option::is_none")]
        conversation_service_sid: Option<ServiceSid>,
    },
}

impl From<AutoCreation> for AutoCreationView {
    fn from(set: AutoCreation) -> Self {
        let (enabled, r#type) = (set.enabled, set.r#type);
        let conversation_service_sid = set.conversation_service_sid;
        match r#type {
            AutoCreationType::Webhook => Self::Webhook {
                enabled,
                r#type,
                conversation_service_sid,
                webhook_url: set.webhook_url,
                webhook_method: set.webhook_method.unwrap_or(Method::Post),
                webhook_filters: set.webhook_filters,
            },
            AutoCreationType::Studio => Self::Studio {
                enabled,
                r#type,
                conversation_service_sid,
                studio_flow_sid: set.studio_flow_sid,
                studio_retry_count: set.studio_retry_count,
            },
            AutoCreationType::Default => Self::Default {
                enabled,
                r#type,
                conversation_service_sid,
            },
        }
    }
}

fn list_url(caller: &Caller) -> String {
    format!("{}/v1/Configuration/Addresses", caller.base)
}

fn view(caller: &Caller, row: AddressConfiguration) -> View {
    View {
        sid: row.sid,
        account_sid: row.account_sid,
        kind: row.kind,
        address: row.address,
        friendly_name: row.friendly_name,
        address_country: row.address_country,
        auto_creation: row.auto_creation.into(),
        date_created: row.date_created.into(),
        date_updated: row.date_updated.into(),
        url: format!("{}/{}", list_url(caller), row.sid),
    }
}

const ENABLED: Param = boolean("AutoCreation.Enabled");
const KIND: Param = word("AutoCreation.Type", &["webhook", "studio", "default"]);
const SERVICE: Param = sid("AutoCreation.ConversationServiceSid", "IS");
const URL: Param = url("AutoCreation.WebhookUrl");
const METHOD: Param = word("AutoCreation.WebhookMethod", &["get", "post"]);
const EVENTS: Param = text("AutoCreation.WebhookFilters").repeated();
const FLOW: Param = sid("AutoCreation.StudioFlowSid", "FW");
const RETRIES: Param = integer("AutoCreation.StudioRetryCount");

/// The parameters of a new configuration.
#[rustfmt::skip] // a list: those of autocreation are the same as in an update
pub(super) const NEW: &[Param] = &[
    word("Type", TYPES).required(),
    text("Address").required(),
    short("FriendlyName", 256),
    ENABLED, KIND, SERVICE, URL, METHOD, EVENTS, FLOW, RETRIES,
    text("AddressCountry"),
];
/// The parameters of an update.
#[rustfmt::skip] // as above
pub(super) const CHANGES: &[Param] = &[
    short("FriendlyName", 256),
    ENABLED, KIND, SERVICE, URL, METHOD, EVENTS, FLOW, RETRIES,
];
/// What narrows the list.
pub(super) const FILTERS: &[Param] = &[word("Type", TYPES)];

fn auto_creation(form: &mut Fields) -> Result<AutoCreationChanges, Error> {
    let retries = form.take_filled(RETRIES.name);
    let retries = retries.map(|text| match text.parse::<u16>() {
        Ok(count) => Ok(i64::from(count)),
        Err(_) => Err(Invalid::Parameter {
            name: RETRIES.name,
            wants: "a number of retries",
        }),
    });
    Ok(AutoCreationChanges {
        enabled: form.take_bool(ENABLED.name)?,
        r#type: form
            .take_filled(KIND.name)
            .map(|word| word.parse())
            .transpose()?,
        conversation_service_sid: form
            .take_filled(SERVICE.name)
            .map(|sid| sid.parse().map_err(|_| Invalid::ServiceNotFound))
            .transpose()?,
        webhook_url: form.take_filled(URL.name).map(webhook_url).transpose()?,
        webhook_method: form
            .take_filled(METHOD.name)
            .map(|word| word.parse())
            .transpose()?,
        webhook_filters: form
            .take_list(EVENTS.name)
            .map(address_filters)
            .transpose()?,
        studio_flow_sid: form
            .take_filled(FLOW.name)
            .map(|sid| sid.parse().map_err(|_| Invalid::FlowSid))
            .transpose()?,
        studio_retry_count: retries.transpose()?,
    })
}

fn read_new(mut form: Fields) -> Result<NewAddressConfiguration, Error> {
    let kind = kind(form.take("Type"))?;
    Ok(NewAddressConfiguration {
        address: address(form.take("Address"), &kind)?,
        kind,
        friendly_name: form
            .take_filled("FriendlyName")
            .map(friendly_name)
            .transpose()?,
        address_country: form
            .take_filled("AddressCountry")
            .map(country)
            .transpose()?,
        auto_creation: auto_creation(&mut form)?,
    })
}

/// `POST /v1/Configuration/Addresses`
pub(super) async fn create(
    State(rest): State<Rest>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<View>> {
    let new = read_new(Fields::read(&headers, body, NEW).await?)?;
    let made = ops::address_configurations::create(&rest.core, &caller.ctx, new).await?;
    Ok(Created(view(&caller, made)))
}

/// `GET /v1/Configuration/Addresses`
pub(super) async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    query: RawQuery,
) -> ApiResult<Listed<View>> {
    let mut query = Fields::query(query, FILTERS)?;
    let given = query.take_filled("Type");
    let wanted = given.clone().map(|word| kind(Some(word))).transpose()?;
    let asked: Asked<MomentKey> = Asked::read(
        lists::ADDRESS_CONFIGURATIONS,
        list_url(&caller),
        &mut query,
        &[("Type", given)],
    )?;
    let page =
        ops::address_configurations::list(&rest.core, &caller.ctx, wanted.as_deref(), &asked.page)
            .await?;
    Ok(asked.answer(page, |row| view(&caller, row)))
}

fn named(names: &Names) -> Result<AddressConfigurationRef, ApiError> {
    names.text("address").map(AddressConfigurationRef::from)
}

/// `GET /v1/Configuration/Addresses/{address}`
pub(super) async fn fetch(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<Json<View>> {
    let found =
        ops::address_configurations::fetch(&rest.core, &caller.ctx, &named(&names)?).await?;
    Ok(Json(view(&caller, found)))
}

/// `POST /v1/Configuration/Addresses/{address}`
pub(super) async fn update(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<View>> {
    let found =
        ops::address_configurations::fetch(&rest.core, &caller.ctx, &named(&names)?).await?;
    let mut form = Fields::read(&headers, body, CHANGES).await?;
    let changes = AddressConfigurationChanges {
        friendly_name: form.take_field("FriendlyName").try_map(friendly_name)?,
        auto_creation: auto_creation(&mut form)?,
    };
    if changes.is_empty() {
        return Err(Error::NothingToUpdate.into());
    }
    let changed =
        ops::address_configurations::update(&rest.core, &caller.ctx, found.sid, changes).await?;
    Ok(Json(view(&caller, changed)))
}

/// `DELETE /v1/Configuration/Addresses/{address}`
pub(super) async fn remove(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<NoContent> {
    ops::address_configurations::remove(&rest.core, &caller.ctx, &named(&names)?).await?;
    Ok(NoContent)
}
