//! `/v1/simulator`: virtual handsets. Our own calls, so bodies are JSON.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use chrono::SecondsFormat;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Rest;
use super::caller::Caller;
use super::error::ApiResult;
use super::form::{Fields, read_body};
use super::params::{Param, text};
use super::path::Names;
use super::resource::{Created, NoContent};
use crate::domain::addresses::AddressPair;
use crate::domain::handsets::{Direction, Handset, HandsetMessage, HandsetState};
use crate::domain::{Address, Error, Invalid, ReceiptStatus};
use crate::ops;

#[derive(Serialize)]
pub(super) struct HandsetView {
    address: String,
    channel: &'static str,
    name: Option<String>,
    state: HandsetState,
    unread: i64,
}

fn view_handset(handset: Handset) -> HandsetView {
    HandsetView {
        channel: handset.address.channel().as_str(),
        address: handset.address.to_string(),
        name: handset.name,
        state: handset.state,
        unread: handset.unread,
    }
}

#[derive(Serialize)]
pub(super) struct MessageView {
    id: Uuid,
    direction: Direction,
    /// Told where a thread is of all proxy addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<Address>,
    text: Option<String>,
    media: Value,
    status: Option<ReceiptStatus>,
    segments: i32,
    encoding: Option<String>,
    at: String,
}

fn view(message: HandsetMessage, with_proxy: bool) -> MessageView {
    MessageView {
        id: message.id,
        direction: message.direction,
        proxy: with_proxy.then_some(message.proxy_address),
        text: message.text,
        media: message.media,
        status: message.status,
        segments: message.segments,
        encoding: message.encoding,
        at: message.at.to_rfc3339_opts(SecondsFormat::Millis, true),
    }
}

#[derive(Serialize)]
pub(super) struct Handsets {
    handsets: Vec<HandsetView>,
}

#[derive(Serialize)]
pub(super) struct Thread {
    messages: Vec<MessageView>,
}

#[derive(Deserialize)]
struct Put {
    name: Option<String>,
    state: Option<String>,
}

#[derive(Deserialize)]
struct Send {
    to: Option<String>,
    text: Option<String>,
    #[serde(default)]
    media: Vec<SentMedia>,
}

#[derive(Deserialize)]
struct SentMedia {
    url: Option<String>,
    data: Option<String>,
    content_type: Option<String>,
    filename: Option<String>,
}

#[derive(Deserialize)]
struct Force {
    status: Option<ReceiptStatus>,
    error_code: Option<i32>,
}

/// What narrows a thread.
const FILTERS: &[Param] = &[text("to")];

/// There are no handsets where the simulator is off.
fn there(rest: &Rest) -> Result<(), Error> {
    match rest.core.simulator {
        ops::Simulator::On => Ok(()),
        ops::Simulator::Off => Err(Error::NotFound),
    }
}

async fn read<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Error> {
    let bytes = read_body(headers, body).await?;
    let bytes = if bytes.is_empty() { &b"{}"[..] } else { &bytes };
    if spells_nul(bytes) {
        return Err(Error::NUL);
    }
    serde_json::from_slice(bytes)
        .map_err(|_| Error::Malformed("the body is not the JSON object that is wanted"))
}

/// Whether a JSON text spells a NUL character, which no text column can hold.
fn spells_nul(json: &[u8]) -> bool {
    json.contains(&0) || json.windows(6).any(|window| window == b"\\u0000")
}

fn address(names: &Names) -> ApiResult<Address> {
    let wants = Invalid::Parameter {
        name: "address",
        wants: "an address, such as +15558675310",
    };
    Ok(Address::parse(names.text("address")?).ok_or(wants)?)
}

fn id(names: &Names) -> ApiResult<Uuid> {
    Ok(names.text("id")?.parse().map_err(|_| Error::NotFound)?)
}

/// `GET /v1/simulator/handsets`
pub(super) async fn list(State(rest): State<Rest>, caller: Caller) -> ApiResult<Json<Handsets>> {
    there(&rest)?;
    let handsets = ops::handsets::list(&rest.core, &caller.ctx).await?;
    Ok(Json(Handsets {
        handsets: handsets.into_iter().map(view_handset).collect(),
    }))
}

/// `PUT /v1/simulator/handsets/{address}`
pub(super) async fn put(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<HandsetView>> {
    there(&rest)?;
    let address = address(&names)?;
    let Put { name, state } = read(&headers, body).await?;
    let state = state.map(|word| word.parse()).transpose()?;
    let handset =
        ops::handsets::put(&rest.core, &caller.ctx, &address, name.as_deref(), state).await?;
    Ok(Json(view_handset(handset)))
}

/// `DELETE /v1/simulator/handsets`
pub(super) async fn clear(State(rest): State<Rest>, caller: Caller) -> ApiResult<NoContent> {
    there(&rest)?;
    ops::handsets::clear(&rest.core, &caller.ctx).await?;
    Ok(NoContent)
}

/// `GET /v1/simulator/handsets/{address}/messages`
pub(super) async fn thread(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    query: RawQuery,
) -> ApiResult<Json<Thread>> {
    there(&rest)?;
    let address = address(&names)?;
    let mut query = Fields::query(query, FILTERS)?;
    // A plus that was not escaped reads as a space; no address has one.
    let proxy = query
        .take_filled("to")
        .map(|text| text.replacen(' ', "+", 1));
    let wants = Invalid::Parameter {
        name: "to",
        wants: "an address, such as +15550100000",
    };
    let proxy = proxy
        .map(|text| Address::parse(&text).ok_or(wants))
        .transpose()?;
    let messages = ops::handsets::thread(&rest.core, &caller.ctx, &address, proxy.as_ref()).await?;
    let messages = messages
        .into_iter()
        .map(|message| view(message, proxy.is_none()))
        .collect();
    Ok(Json(Thread { messages }))
}

/// `POST /v1/simulator/handsets/{address}/messages`
pub(super) async fn send(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<MessageView>> {
    there(&rest)?;
    let from = address(&names)?;
    let Send { to, text, media } = read(&headers, body).await?;
    let wants = Invalid::Parameter {
        name: "to",
        wants: "the proxy address it is sent to, such as +15550100000",
    };
    let to = to.filter(|to| Address::parse(to).is_some()).ok_or(wants)?;
    let pair = AddressPair::parse(from.as_str(), &to)?;
    let media: Vec<Value> = media.into_iter().map(describe).collect();
    let message = ops::handsets::send(&rest.core, &caller.ctx, pair, text, media.into()).await?;
    Ok(Created(view(message, false)))
}

fn describe(media: SentMedia) -> Value {
    // Four characters of base64 are three bytes.
    let size = media
        .data
        .as_ref()
        .map(|data| data.trim_end_matches('=').len() * 3 / 4);
    json!({
        "url": media.url,
        "content_type": media.content_type,
        "size": size,
        "filename": media.filename,
    })
}

/// `POST /v1/simulator/messages/{id}/status`
pub(super) async fn force(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<MessageView>> {
    there(&rest)?;
    let id = id(&names)?;
    let Force { status, error_code } = read(&headers, body).await?;
    let wants = Invalid::Parameter {
        name: "status",
        wants: "sent, delivered, read, undelivered or failed",
    };
    let status = status.ok_or(wants)?;
    let message =
        ops::handsets::force(&rest.core, &caller.ctx, id, status, error_code.unwrap_or(0)).await?;
    Ok(Json(view(message, false)))
}

/// `POST /v1/simulator/messages/{id}/read`
pub(super) async fn read_message(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<Json<MessageView>> {
    there(&rest)?;
    let message =
        ops::handsets::force(&rest.core, &caller.ctx, id(&names)?, ReceiptStatus::Read, 0).await?;
    Ok(Json(view(message, false)))
}
