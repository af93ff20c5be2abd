//! `/2010-04-01/Accounts/{account}/Tokens.json`: credentials for relays of calls.
//!
//! There are no relays here, so `ice_servers` is empty and the credentials open nothing (our choice, so that programs
//! which ask for a token before they connect go on).

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::account_paths::InAccount;
use super::error::ApiResult;
use super::form::Fields;
use super::params::{Param, integer};
use super::resource::{Created, OldMoment};
use crate::domain::sealing::new_secret;
use crate::domain::{AccountSid, Error, Invalid};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "token")]
pub(super) struct View {
    account_sid: AccountSid,
    username: String,
    password: String,
    ttl: String,
    ice_servers: Vec<IceServer>,
    date_created: OldMoment,
    date_updated: OldMoment,
}

/// A relay.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ice_server")]
struct IceServer {
    url: String,
    urls: String,
    username: String,
    credential: String,
}

/// The parameters of a new token.
pub(super) const NEW: &[Param] = &[integer("Ttl")];

/// How long a token is good unless the caller says otherwise, and at most, in seconds (API reference of tokens).
const DAY: u32 = 86_400;

fn ttl(text: Option<String>) -> Result<u32, Error> {
    let Some(text) = text else { return Ok(DAY) };
    let seconds = text.parse().ok().filter(|ttl| (1..=DAY).contains(ttl));
    seconds.ok_or_else(|| {
        let (name, wants) = ("Ttl", "a whole number of seconds, at most 86400");
        Invalid::Parameter { name, wants }.into()
    })
}

/// `POST …/Tokens.json`
pub(super) async fn create(
    State(rest): State<Rest>,
    within: InAccount,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<View>> {
    let mut form = Fields::read(&headers, body, NEW).await?;
    let ttl = ttl(form.take_filled("Ttl"))?;
    let now = rest.core.clock.now();
    Ok(Created(View {
        account_sid: within.sid(),
        username: new_secret(),
        password: new_secret(),
        ttl: ttl.to_string(),
        ice_servers: Vec::new(),
        date_created: now.into(),
        date_updated: now.into(),
    }))
}
