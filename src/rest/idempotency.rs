//! `Idempotency-Key`: around every operation that creates something, so that no handler knows of it.
//!
//! Uploads of media are left out: they are read piece by piece, and an upload that is not attached goes away by itself.
//! Whoever sends no key pays nothing but a look for the header.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts as _, Request};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use tracing::{Instrument as _, error};

use super::Rest;
use super::caller::Caller;
use super::error::{ApiError, print};
use super::form::read_body;
use crate::domain::Error;
use crate::domain::accounts::Credentials;
use crate::domain::idempotency::{self, Answer, Fingerprint, Key};
use crate::ops::idempotency::{Begun, Claim, begin, free, keep};

/// Has a handler answer a request, or answers as it did before to the same key. `operation` is the name of what the
/// handler does: paths alone are the same in several products.
pub(super) async fn once<H, T>(
    rest: Rest,
    operation: Arc<str>,
    request: Request,
    handler: H,
) -> Response
where
    H: Handler<T, Rest>,
    T: 'static,
{
    let Some(key) = request.headers().get(idempotency::HEADER) else {
        return handler.call(request, rest).await;
    };
    let key = Key::parse(key.as_bytes());
    let (mut parts, body) = request.into_parts();
    // Keys belong to an account. Whoever may not come in at all is refused by the handler, in its own words.
    let Ok(caller) = Caller::from_request_parts(&mut parts, &rest).await else {
        return handler.call(Request::from_parts(parts, body), rest).await;
    };
    let begun = match key {
        Ok(key) => begun(&rest, &caller, key, &operation, (parts, body)).await,
        Err(refusal) => Err(refusal),
    };
    let (claim, request) = match begun {
        Ok((Begun::Now(claim), request)) => (claim, request),
        Ok((Begun::Before(answer), _)) => return again(answer),
        Err(refusal) => return ApiError::from(refusal).into_response(),
    };
    // In a task of its own: a caller who gives up, and will repeat, must not end the work between the change and the
    // note of its answer. At shutdown its connection to the database is waited for.
    let work = tokio::spawn(work(rest, claim, request, handler).in_current_span());
    match work.await {
        Ok(response) => response,
        Err(_) => print(&Error::internal("a creation with a key was cut off"), None),
    }
}

/// Takes the key, or learns what became of it; gives the request back whole.
async fn begun(
    rest: &Rest,
    caller: &Caller,
    key: Key,
    operation: &str,
    (parts, body): (Parts, Body),
) -> Result<(Begun, Request), Error> {
    let body = read_body(&parts.headers, body).await?;
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    // Some answers hold secrets, which a lesser key of the account must not learn by repeating the request.
    let rights = match &caller.credentials {
        Credentials::Main => "manager".to_owned(),
        Credentials::StandardKey => "standard".to_owned(),
        Credentials::RestrictedKey(policy) => serde_json::to_string(policy)
            .map_err(|_| Error::internal("a policy cannot be written"))?,
    };
    let fingerprint = Fingerprint::of(&[operation, path, &rights], &body);
    let begun = begin(&rest.core, caller.ctx.account.sid, key, fingerprint).await?;
    Ok((begun, Request::from_parts(parts, Body::from(body))))
}

/// The answer of a handler, noted if it is a success. Any other frees the key: nothing was changed.
async fn work<H, T>(rest: Rest, claim: Claim, request: Request, handler: H) -> Response
where
    H: Handler<T, Rest>,
{
    let core = Arc::clone(&rest.core);
    let answered = AssertUnwindSafe(handler.call(request, rest))
        .catch_unwind()
        .await;
    let response = answered.unwrap_or_else(|_| print(&Error::internal("a handler panicked"), None));
    let (noted, response) = if response.status().is_success() {
        let (parts, body) = response.into_parts();
        // The bytes are ours and in memory: reading them cannot fail, and what is no text is never created.
        let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let answer = Answer {
            status: parts.status.as_u16(),
            body: String::from_utf8_lossy(&bytes).into_owned(),
        };
        let noted = keep(&core, claim, &answer).await;
        (noted, Response::from_parts(parts, Body::from(bytes)))
    } else {
        (free(&core, claim).await, response)
    };
    if let Err(fault) = noted {
        error!(
            error = fault.inside(),
            "what became of an idempotency key could not be noted"
        );
    }
    response
}

/// An answer that was given before.
fn again(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::CREATED);
    let kind = (header::CONTENT_TYPE, "application/json");
    (status, [kind], answer.body).into_response()
}
