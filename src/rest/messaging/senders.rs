//! The senders of a Messaging Service: four resources that differ in what they are called.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::super::Rest;
use super::super::caller::Caller;
use super::super::error::ApiResult;
use super::super::form::Fields;
use super::super::pages::{Asked, Listed, lists};
use super::super::params::{NONE, Param, sid, text};
use super::super::path::Names;
use super::super::resource::{Moment, NoContent};
use super::services::path;
use crate::domain::senders::{NewSender, Sender, SenderKind};
use crate::domain::{AccountSid, Error, ListKind, MessagingServiceSid, MomentKey};
use crate::ops::messaging_services;
use crate::ops::senders::{self, Added};

/// How one kind of sender is read and printed.
pub(in super::super) trait Shown: Serialize + JsonSchema + Send + 'static {
    /// The kind.
    const KIND: SenderKind;
    /// Its list.
    const LIST: ListKind;
    /// The segment of its list in paths.
    const SEGMENT: &'static str;
    /// The parameters of an addition.
    const NEW: &'static [Param];
    /// Which of them holds the SID.
    const SID: Option<&'static str>;
    /// Which of them holds the address itself.
    const ADDRESS: Option<&'static str>;
    /// What an addition answers: what is new, then what was there before.
    const STATUSES: &'static [u16];

    /// Prints a sender; `at` holds what all kinds print alike.
    fn of(at: Printed, sender: Sender) -> Self;
}

/// What all kinds of sender print alike.
pub(in super::super) struct Printed {
    sid: String,
    account_sid: AccountSid,
    service_sid: MessagingServiceSid,
    date_created: Moment,
    date_updated: Moment,
    url: String,
}

fn view<V: Shown>(caller: &Caller, of: MessagingServiceSid, sender: Sender) -> V {
    let sid = V::KIND.sid(sender.sid);
    let at = Printed {
        url: format!("{}/{}/{sid}", path(caller, of), V::SEGMENT),
        sid,
        account_sid: sender.account_sid,
        service_sid: of,
        date_created: sender.date_created.into(),
        date_updated: sender.date_updated.into(),
    };
    V::of(at, sender)
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "messaging_service_phone_number")]
pub(in super::super) struct PhoneNumber {
    sid: String,
    account_sid: AccountSid,
    service_sid: MessagingServiceSid,
    date_created: Moment,
    date_updated: Moment,
    phone_number: String,
    /// Numbers are not looked up.
    country_code: Option<String>,
    capabilities: [&'static str; 2],
    url: String,
}

impl Shown for PhoneNumber {
    const KIND: SenderKind = SenderKind::PhoneNumber;
    const LIST: ListKind = lists::SENDERS_PHONE_NUMBERS;
    const SEGMENT: &'static str = "PhoneNumbers";
    const NEW: &'static [Param] = &[sid("PhoneNumberSid", "PN").required()];
    const SID: Option<&'static str> = Some("PhoneNumberSid");
    const ADDRESS: Option<&'static str> = None;
    const STATUSES: &'static [u16] = &[201, 200];

    fn of(at: Printed, sender: Sender) -> Self {
        Self {
            sid: at.sid,
            account_sid: at.account_sid,
            service_sid: at.service_sid,
            date_created: at.date_created,
            date_updated: at.date_updated,
            phone_number: sender.address,
            country_code: None,
            capabilities: ["MMS", "SMS"],
            url: at.url,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "messaging_service_short_code")]
pub(in super::super) struct ShortCode {
    sid: String,
    account_sid: AccountSid,
    service_sid: MessagingServiceSid,
    date_created: Moment,
    date_updated: Moment,
    short_code: String,
    /// Numbers are not looked up.
    country_code: Option<String>,
    capabilities: [&'static str; 1],
    url: String,
}

impl Shown for ShortCode {
    const KIND: SenderKind = SenderKind::ShortCode;
    const LIST: ListKind = lists::SENDERS_SHORT_CODES;
    const SEGMENT: &'static str = "ShortCodes";
    /// `ShortCode` is ours: nothing else of the published API that is served here gives out SIDs of short codes.
    const NEW: &'static [Param] = &[sid("ShortCodeSid", "SC"), text("ShortCode")];
    const SID: Option<&'static str> = Some("ShortCodeSid");
    const ADDRESS: Option<&'static str> = Some("ShortCode");
    const STATUSES: &'static [u16] = &[201, 200];

    fn of(at: Printed, sender: Sender) -> Self {
        Self {
            sid: at.sid,
            account_sid: at.account_sid,
            service_sid: at.service_sid,
            date_created: at.date_created,
            date_updated: at.date_updated,
            short_code: sender.address,
            country_code: None,
            capabilities: ["SMS"],
            url: at.url,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "messaging_service_alpha_sender")]
pub(in super::super) struct AlphaSender {
    sid: String,
    account_sid: AccountSid,
    service_sid: MessagingServiceSid,
    date_created: Moment,
    date_updated: Moment,
    alpha_sender: String,
    capabilities: [&'static str; 1],
    url: String,
}

impl Shown for AlphaSender {
    const KIND: SenderKind = SenderKind::AlphaSender;
    const LIST: ListKind = lists::SENDERS_ALPHA;
    const SEGMENT: &'static str = "AlphaSenders";
    const NEW: &'static [Param] = &[text("AlphaSender").required()];
    const SID: Option<&'static str> = None;
    const ADDRESS: Option<&'static str> = Some("AlphaSender");
    const STATUSES: &'static [u16] = &[201];

    fn of(at: Printed, sender: Sender) -> Self {
        Self {
            sid: at.sid,
            account_sid: at.account_sid,
            service_sid: at.service_sid,
            date_created: at.date_created,
            date_updated: at.date_updated,
            alpha_sender: sender.address,
            capabilities: ["SMS"],
            url: at.url,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "messaging_service_channel_sender")]
pub(in super::super) struct ChannelSender {
    sid: String,
    account_sid: AccountSid,
    messaging_service_sid: MessagingServiceSid,
    sender: String,
    sender_type: &'static str,
    /// Numbers are not looked up.
    country_code: Option<String>,
    date_created: Moment,
    date_updated: Moment,
    url: String,
}

impl Shown for ChannelSender {
    const KIND: SenderKind = SenderKind::ChannelSender;
    const LIST: ListKind = lists::SENDERS_CHANNEL;
    const SEGMENT: &'static str = "ChannelSenders";
    /// `Sender` is ours: nothing else of the published API that is served here gives out SIDs of channel senders.
    const NEW: &'static [Param] = &[sid("Sid", "XE"), text("Sender")];
    const SID: Option<&'static str> = Some("Sid");
    const ADDRESS: Option<&'static str> = Some("Sender");
    const STATUSES: &'static [u16] = &[201];

    fn of(at: Printed, sender: Sender) -> Self {
        Self {
            sid: at.sid,
            account_sid: at.account_sid,
            messaging_service_sid: at.service_sid,
            sender_type: sender.channel_name(),
            sender: sender.address,
            country_code: None,
            date_created: at.date_created,
            date_updated: at.date_updated,
            url: at.url,
        }
    }
}

/// The Messaging Service of the path, which the account must have.
async fn of_path(rest: &Rest, caller: &Caller, names: &Names) -> ApiResult<MessagingServiceSid> {
    let sid = names.sid("messaging_service")?;
    Ok(messaging_services::fetch(&rest.core, &caller.ctx, sid)
        .await?
        .sid)
}

fn named<V: Shown>(names: &Names) -> ApiResult<(MessagingServiceSid, Uuid)> {
    let sender = V::KIND.id(names.text("sender")?).ok_or(Error::NotFound)?;
    Ok((names.sid("messaging_service")?, sender))
}

/// `POST /v1/Services/{messaging_service}/…`: 201, or where that is published 200 when it is in it already.
pub(in super::super) async fn create<V: Shown>(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<(StatusCode, Json<V>)> {
    let to = of_path(&rest, &caller, &names).await?;
    let mut form = Fields::read(&headers, body, V::NEW).await?;
    let sid = V::SID.and_then(|name| form.take(name));
    let address = V::ADDRESS.and_then(|name| form.take(name));
    let new = NewSender::parse(V::KIND, sid, address)?;
    let (status, sender) = match senders::add(&rest.core, &caller.ctx, to, new).await? {
        Added::New(sender) => (V::STATUSES.first(), sender),
        Added::Before(sender) => (V::STATUSES.last(), sender),
    };
    let status = status.and_then(|code| StatusCode::from_u16(*code).ok());
    let status = status.unwrap_or(StatusCode::CREATED);
    Ok((status, Json(view(&caller, to, sender))))
}

/// `GET /v1/Services/{messaging_service}/…`
pub(in super::super) async fn list<V: Shown>(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    query: RawQuery,
) -> ApiResult<Listed<V>> {
    let of = of_path(&rest, &caller, &names).await?;
    let mut query = Fields::query(query, NONE)?;
    let url = format!("{}/{}", path(&caller, of), V::SEGMENT);
    let asked: Asked<MomentKey> = Asked::read(V::LIST, url, &mut query, &[])?;
    let page = senders::list(&rest.core, of, V::KIND, &asked.page).await?;
    Ok(asked.answer(page, |sender| view(&caller, of, sender)))
}

/// `GET /v1/Services/{messaging_service}/…/{sender}`
pub(in super::super) async fn fetch<V: Shown>(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<Json<V>> {
    let (of, sid) = named::<V>(&names)?;
    let sender = senders::fetch(&rest.core, &caller.ctx, of, V::KIND, sid).await?;
    Ok(Json(view(&caller, of, sender)))
}

/// `DELETE /v1/Services/{messaging_service}/…/{sender}`
pub(in super::super) async fn remove<V: Shown>(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<NoContent> {
    let (of, sid) = named::<V>(&names)?;
    senders::remove(&rest.core, &caller.ctx, of, V::KIND, sid).await?;
    Ok(NoContent)
}
