//! `/v1/Services` of Messaging.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::de::value::{Error as NoWord, StrDeserializer};

use super::super::Rest;
use super::super::caller::Caller;
use super::super::error::ApiResult;
use super::super::form::Fields;
use super::super::pages::{Asked, Listed, lists};
use super::super::params::{self, Param, boolean, integer, short, url, word};
use super::super::path::Names;
use super::super::resource::{Created, Moment, NoContent};
use crate::domain::messaging_services::{
    MessagingServiceChanges, Scan, Settings, Usecase, name, validity_period,
};
use crate::domain::webhooks::webhook_url;
use crate::domain::{
    AccountSid, Error, Field, Invalid, MessagingService, MessagingServiceSid, MomentKey,
};
use crate::ops::messaging_services;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "messaging_service")]
pub(in super::super) struct View {
    sid: MessagingServiceSid,
    account_sid: AccountSid,
    friendly_name: String,
    #[serde(flatten)]
    settings: Settings,
    /// Campaigns are registered with carriers elsewhere.
    us_app_to_person_registered: bool,
    date_created: Moment,
    date_updated: Moment,
    url: String,
    links: Links,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "messaging_service_links")]
struct Links {
    phone_numbers: String,
    short_codes: String,
    alpha_senders: String,
    channel_senders: String,
    messages: String,
    us_app_to_person: String,
    us_app_to_person_usecases: String,
    destination_alpha_senders: String,
}

fn view(caller: &Caller, row: MessagingService) -> View {
    let url = path(caller, row.sid);
    let link = |name: &str| format!("{url}/{name}");
    View {
        sid: row.sid,
        account_sid: row.account_sid,
        friendly_name: row.friendly_name,
        settings: row.settings,
        us_app_to_person_registered: false,
        date_created: row.date_created.into(),
        date_updated: row.date_updated.into(),
        links: Links {
            phone_numbers: link("PhoneNumbers"),
            short_codes: link("ShortCodes"),
            alpha_senders: link("AlphaSenders"),
            channel_senders: link("ChannelSenders"),
            messages: link("Messages"),
            us_app_to_person: link("Compliance/Usa2p"),
            us_app_to_person_usecases: link("Compliance/Usa2p/Usecases"),
            destination_alpha_senders: link("DestinationAlphaSenders"),
        },
        url,
    }
}

/// The URL of a Messaging Service.
pub(super) fn path(caller: &Caller, sid: MessagingServiceSid) -> String {
    format!("{}/v1/Services/{sid}", caller.base)
}

const METHODS: &[&str] = &["GET", "POST"];

/// The parameters of an update.
pub(in super::super) const CHANGES: &[Param] = &wanted(false);
/// The parameters of a new Messaging Service.
pub(in super::super) const NEW: &[Param] = &wanted(true);

const fn wanted(name_required: bool) -> [Param; 16] {
    let name = short("FriendlyName", 64);
    [
        if name_required { name.required() } else { name },
        url("InboundRequestUrl"),
        word("InboundMethod", METHODS),
        url("FallbackUrl"),
        word("FallbackMethod", METHODS),
        url("StatusCallback"),
        boolean("StickySender"),
        boolean("MmsConverter"),
        boolean("SmartEncoding"),
        word("ScanMessageContent", Scan::WORDS),
        boolean("FallbackToLongCode"),
        boolean("AreaCodeGeomatch"),
        integer("ValidityPeriod"),
        boolean("SynchronousValidation"),
        word("Usecase", Usecase::WORDS),
        boolean("UseInboundWebhookOnNumber"),
    ]
}

/// The list is never narrowed.
pub(in super::super) const FILTERS: &[Param] = params::NONE;

fn read(form: &mut Fields) -> Result<MessagingServiceChanges, Error> {
    let methods = "GET or POST";
    let period = form.take_filled("ValidityPeriod");
    Ok(MessagingServiceChanges {
        friendly_name: form
            .take("FriendlyName")
            .map(|text| name(Some(text)))
            .transpose()?,
        inbound_request_url: take_url(form, "InboundRequestUrl")?,
        inbound_method: take_word(form, "InboundMethod", str::to_ascii_uppercase, methods)?,
        fallback_url: take_url(form, "FallbackUrl")?,
        fallback_method: take_word(form, "FallbackMethod", str::to_ascii_uppercase, methods)?,
        status_callback: take_url(form, "StatusCallback")?,
        sticky_sender: form.take_bool("StickySender")?,
        mms_converter: form.take_bool("MmsConverter")?,
        smart_encoding: form.take_bool("SmartEncoding")?,
        scan_message_content: take_word(
            form,
            "ScanMessageContent",
            str::to_ascii_lowercase,
            "inherit, enable or disable",
        )?,
        fallback_to_long_code: form.take_bool("FallbackToLongCode")?,
        area_code_geomatch: form.take_bool("AreaCodeGeomatch")?,
        synchronous_validation: form.take_bool("SynchronousValidation")?,
        validity_period: period.as_deref().map(validity_period).transpose()?,
        usecase: take_word(
            form,
            "Usecase",
            str::to_ascii_lowercase,
            "notifications, marketing, verification, discussion, poll or undeclared",
        )?,
        use_inbound_webhook_on_number: form.take_bool("UseInboundWebhookOnNumber")?,
    })
}

fn take_url(form: &mut Fields, name: &'static str) -> Result<Field<String>, Error> {
    let wants = "an absolute http or https URL of at most 2048 characters";
    form.take_field(name)
        .try_map(|text| webhook_url(text).map_err(|_| Invalid::Parameter { name, wants }.into()))
}

/// Takes one of the words of a type, in any case of letters; an empty text counts as absent.
fn take_word<T: DeserializeOwned>(
    form: &mut Fields,
    name: &'static str,
    spelt: fn(&str) -> String,
    wants: &'static str,
) -> Result<Option<T>, Error> {
    let Some(text) = form.take_filled(name) else {
        return Ok(None);
    };
    let word = spelt(&text);
    T::deserialize(StrDeserializer::<NoWord>::new(&word))
        .map(Some)
        .map_err(|_| Invalid::Parameter { name, wants }.into())
}

/// `POST /v1/Services`
pub(in super::super) async fn create(
    State(rest): State<Rest>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<View>> {
    let mut form = Fields::read(&headers, body, NEW).await?;
    let mut settings = read(&mut form)?;
    let friendly_name = name(settings.friendly_name.take())?;
    let service =
        messaging_services::create(&rest.core, &caller.ctx, friendly_name, settings).await?;
    Ok(Created(view(&caller, service)))
}

/// `GET /v1/Services`
pub(in super::super) async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    query: RawQuery,
) -> ApiResult<Listed<View>> {
    let mut query = Fields::query(query, FILTERS)?;
    let url = format!("{}/v1/Services", caller.base);
    let asked: Asked<MomentKey> = Asked::read(lists::MESSAGING_SERVICES, url, &mut query, &[])?;
    let page = messaging_services::list(&rest.core, &caller.ctx, &asked.page).await?;
    Ok(asked.answer(page, |service| view(&caller, service)))
}

/// `GET /v1/Services/{messaging_service}`
pub(in super::super) async fn fetch(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<Json<View>> {
    let sid = names.sid("messaging_service")?;
    let service = messaging_services::fetch(&rest.core, &caller.ctx, sid).await?;
    Ok(Json(view(&caller, service)))
}

/// `POST /v1/Services/{messaging_service}`
pub(in super::super) async fn update(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<View>> {
    let sid = names.sid("messaging_service")?;
    messaging_services::fetch(&rest.core, &caller.ctx, sid).await?;
    let changes = read(&mut Fields::read(&headers, body, CHANGES).await?)?;
    let service = messaging_services::update(&rest.core, &caller.ctx, sid, changes).await?;
    Ok(Json(view(&caller, service)))
}

/// `DELETE /v1/Services/{messaging_service}`
pub(in super::super) async fn remove(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<NoContent> {
    let sid = names.sid("messaging_service")?;
    messaging_services::remove(&rest.core, &caller.ctx, sid).await?;
    Ok(NoContent)
}
