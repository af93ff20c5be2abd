//! `/2010-04-01/Accounts/{account}/IncomingPhoneNumbers`.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::account_paths::InAccount;
use super::error::ApiResult;
use super::form::Fields;
use super::pages::{Asked, OldListed};
use super::params::{Param, boolean, short, text, word};
use super::resource::{Created, NoContent, OldMoment};
use crate::domain::accounts::short_name;
use crate::domain::phone_numbers::{Filter, PhoneNumber, PhoneNumberSid, number, pattern};
use crate::domain::{AccountSid, Address, Invalid, MomentKey, Page};
use crate::ops;

/// A number as it is published. What belongs to calls and to the trade in numbers is empty: neither is done here.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "incoming_phone_number")]
pub(super) struct View {
    sid: PhoneNumberSid,
    account_sid: AccountSid,
    friendly_name: String,
    phone_number: Address,
    origin: &'static str,
    status: &'static str,
    #[serde(rename = "type")]
    kind: Option<&'static str>,
    beta: bool,
    capabilities: Capabilities,
    api_version: &'static str,
    date_created: OldMoment,
    date_updated: OldMoment,
    address_requirements: &'static str,
    address_sid: Option<&'static str>,
    identity_sid: Option<&'static str>,
    bundle_sid: Option<&'static str>,
    trunk_sid: Option<&'static str>,
    sms_application_sid: Option<&'static str>,
    sms_url: Option<&'static str>,
    sms_method: Option<&'static str>,
    sms_fallback_url: Option<&'static str>,
    sms_fallback_method: Option<&'static str>,
    status_callback: Option<&'static str>,
    status_callback_method: Option<&'static str>,
    voice_receive_mode: &'static str,
    voice_application_sid: Option<&'static str>,
    voice_caller_id_lookup: bool,
    voice_url: Option<&'static str>,
    voice_method: Option<&'static str>,
    voice_fallback_url: Option<&'static str>,
    voice_fallback_method: Option<&'static str>,
    emergency_status: &'static str,
    emergency_address_sid: Option<&'static str>,
    emergency_address_status: &'static str,
    uri: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "incoming_phone_number_capabilities")]
#[expect(clippy::struct_excessive_bools, reason = "the published shape")]
struct Capabilities {
    voice: bool,
    sms: bool,
    mms: bool,
    fax: bool,
}

fn view(within: &InAccount, number: PhoneNumber) -> View {
    View {
        sid: number.sid,
        account_sid: number.account_sid,
        friendly_name: number.friendly_name,
        phone_number: number.phone_number,
        origin: HOSTED,
        status: "in-use",
        kind: None,
        beta: false,
        capabilities: Capabilities {
            voice: false,
            sms: true,
            mms: true,
            fax: false,
        },
        api_version: "2010-04-01",
        date_created: number.date_created.into(),
        date_updated: number.date_updated.into(),
        address_requirements: "none",
        address_sid: None,
        identity_sid: None,
        bundle_sid: None,
        trunk_sid: None,
        sms_application_sid: None,
        sms_url: None,
        sms_method: None,
        sms_fallback_url: None,
        sms_fallback_method: None,
        status_callback: None,
        status_callback_method: None,
        voice_receive_mode: "voice",
        voice_application_sid: None,
        voice_caller_id_lookup: false,
        voice_url: None,
        voice_method: None,
        voice_fallback_url: None,
        voice_fallback_method: None,
        emergency_status: "Inactive",
        emergency_address_sid: None,
        emergency_address_status: "unregistered",
        uri: within.path(&format!("IncomingPhoneNumbers/{}.json", number.sid)),
    }
}

/// Where the numbers come from: they live with another provider.
const HOSTED: &str = "hosted";

/// The parameters of a new number.
pub(super) const NEW: &[Param] = &[text("PhoneNumber").required(), short("FriendlyName", 64)];
/// What narrows the list. No number is a beta one, so `Beta` excludes none.
pub(super) const FILTERS: &[Param] = &[
    boolean("Beta"),
    text("FriendlyName"),
    text("PhoneNumber"),
    word("Origin", &["twilio", HOSTED]),
];

/// `POST …/IncomingPhoneNumbers.json`
pub(super) async fn create(
    State(rest): State<Rest>,
    within: InAccount,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<View>> {
    let mut form = Fields::read(&headers, body, NEW).await?;
    let wanted = number(&form.take("PhoneNumber").unwrap_or_default())?;
    let name = form
        .take_filled("FriendlyName")
        .map(short_name)
        .transpose()?;
    let new = ops::phone_numbers::create(&rest.core, within.sid(), wanted, name).await?;
    Ok(Created(view(&within, new)))
}

/// `GET …/IncomingPhoneNumbers.json`
pub(super) async fn list(
    State(rest): State<Rest>,
    within: InAccount,
    query: RawQuery,
) -> ApiResult<OldListed<View>> {
    let mut query = Fields::query(query, FILTERS)?;
    let beta = query.take_bool("Beta")?;
    let (name, part) = (
        query.take_filled("FriendlyName"),
        query.take_filled("PhoneNumber"),
    );
    let origin = query
        .take_filled("Origin")
        .map(|word| word.to_ascii_lowercase());
    if !matches!(origin.as_deref(), None | Some("twilio" | HOSTED)) {
        let (name, wants) = ("Origin", "twilio or hosted");
        return Err(Invalid::Parameter { name, wants }.into());
    }
    let filters = [
        ("Beta", beta.map(|beta| beta.to_string())),
        ("FriendlyName", name.clone()),
        ("PhoneNumber", part.clone()),
        ("Origin", origin.clone()),
    ];
    let path = within.path("IncomingPhoneNumbers.json");
    let asked: Asked<MomentKey> =
        Asked::read_old("incoming_phone_numbers", path, &mut query, &filters)?;
    let filter = Filter {
        friendly_name: name,
        pattern: part.as_deref().map(pattern),
    };
    let page = if origin.is_some_and(|origin| origin != HOSTED) {
        Page::from_rows(Vec::new(), &asked.page, |number: &PhoneNumber| {
            (number.date_created, number.sid.uuid())
        })
    } else {
        ops::phone_numbers::list(&rest.core, within.sid(), &filter, &asked.page).await?
    };
    Ok(asked.answer_old(page, |number| view(&within, number)))
}

/// `GET …/IncomingPhoneNumbers/{number}.json`
pub(super) async fn fetch(State(rest): State<Rest>, within: InAccount) -> ApiResult<Json<View>> {
    let sid = within.names.sid_before_json("number")?;
    let number = ops::phone_numbers::fetch(&rest.core, within.sid(), sid).await?;
    Ok(Json(view(&within, number)))
}

/// `DELETE …/IncomingPhoneNumbers/{number}.json`
pub(super) async fn remove(State(rest): State<Rest>, within: InAccount) -> ApiResult<NoContent> {
    let sid = within.names.sid_before_json("number")?;
    ops::phone_numbers::remove(&rest.core, within.sid(), sid).await?;
    Ok(NoContent)
}
