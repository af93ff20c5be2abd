//! What is done around every request: the path is tidied, panics are contained, and every answer carries the request's
//! id and the headers that browsers need.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderName, HeaderValue, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Router, body::Body};
use futures_util::FutureExt as _;
use tower::util::BoxCloneSyncService;
use tower::{ServiceExt as _, service_fn};
use tracing::{Instrument as _, info_span};

use super::error::{NeedsPath, print};
use super::{Rest, product};
use crate::domain::{Error, Kind, Sid};

/// Headers of every answer (the published examples show them on each); errors need them too, or a browser's program
/// cannot read why.
const BROWSERS: [(HeaderName, HeaderValue); 5] = [
    (
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    ),
    (
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, DELETE, OPTIONS"),
    ),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static(
            "Content-Type, Authorization, X-Twilio-Token, X-Twilio-Webhook-Enabled, Idempotency-Key",
        ),
    ),
    (
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        HeaderValue::from_static("true"),
    ),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Twilio-Request-Id"),
    ),
];

/// A request; its id is a SID that callers can quote.
struct Asked;

impl Kind for Asked {
    const PREFIX: &'static str = "RQ";
}

/// Wraps the routes.
pub(super) fn around(
    rest: Rest,
    routes: Router,
) -> BoxCloneSyncService<Request, Response, Infallible> {
    BoxCloneSyncService::new(service_fn(move |request: Request| {
        let (rest, routes) = (rest.clone(), routes.clone());
        async move {
            let id = Sid::<Asked>::new(rest.core.clock.now()).to_string();
            let span = info_span!("request", request.id = id, method = %request.method(), path = request.uri().path());
            let path = request.uri().path().to_owned();
            let mut response = match tidy(request, &rest.hosts) {
                Some(request) => {
                    match AssertUnwindSafe(routes.oneshot(request))
                        .catch_unwind()
                        .instrument(span)
                        .await
                    {
                        Ok(Ok(response)) => response,
                        Err(_) => print(&Error::internal("a handler panicked"), None),
                    }
                }
                None => print(&Error::NotFound, Some(&path)),
            };
            if response.extensions_mut().remove::<NeedsPath>().is_some() {
                response = print(&Error::NotFound, Some(&path));
            }
            let headers = response.headers_mut();
            for (name, value) in BROWSERS {
                headers.insert(name, value);
            }
            if let Ok(id) = HeaderValue::try_from(id) {
                headers.insert("twilio-request-id", id);
            }
            metrics::counter!("convoke_http_requests", "status" => class(&response)).increment(1);
            Ok::<Response, Infallible>(response.map(Body::new).into_response())
        }
    }))
}

fn class(response: &Response) -> &'static str {
    match response.status().as_u16() {
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

/// How a request came, before its path was tidied.
#[derive(Debug, Clone)]
pub(super) struct Came {
    /// The prefix of its product, if the path named it: printed URLs repeat it.
    pub prefix: &'static str,
}

/// Puts the product in front of the path and strips one slash at its end. None for a path that no product has.
fn tidy(mut request: Request, domains: &[String]) -> Option<Request> {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| request.uri().host())
        .unwrap_or_default();
    let path = request.uri().path();
    let found = product::find(request.method().as_str(), host, path, domains)?;
    let (prefix, within) = (found.product.prefix(), found.path);
    let within = within.strip_suffix('/').unwrap_or(within);
    let came = Came {
        prefix: if found.prefixed { prefix } else { "" },
    };
    let query = request.uri().query();
    let mut tidied = format!("{prefix}{within}");
    if let Some(query) = query {
        tidied.push('?');
        tidied.push_str(query);
    }
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(tidied.parse::<PathAndQuery>().ok()?);
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    request.extensions_mut().insert(came);
    Some(request)
}
