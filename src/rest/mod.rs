//! The published HTTP API: translates requests into operations, and their answers back.
//!
//! Every resource exists under the default service and under a named one; the list of routes is written once and
//! mounted for both. Checks come in this order: credentials, route and method, what the URL names, the parameters,
//! what is stored.

mod caller;
mod conversations;
mod error;
mod form;
mod handsets;
mod layers;
mod messages;
mod pages;
mod participants;
mod path;
mod receipts;
mod resource;
mod roles;
mod services;
mod users;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};

use crate::domain::{ConversationRef, Error};
use crate::ops::{self, Core};
use caller::Caller;
use error::ApiError;

/// The product's prefix; requests may come with it (as often as they like: twilio-ruby repeats it) or without.
const PREFIX: &str = "/conversations";

/// The state of this door.
#[derive(Clone)]
pub struct Rest {
    core: Arc<Core>,
    public_url: Option<String>,
    trusts: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
}

impl Rest {
    /// A door on `core`. Printed URLs begin with `public_url`, or with the host of the request; `trusts` tells whose
    /// forwarding headers count.
    pub fn new(
        core: Arc<Core>,
        public_url: Option<String>,
        trusts: impl Fn(IpAddr) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            core,
            public_url,
            trusts: Arc::new(trusts),
        }
    }

    /// The refusal of parameters, unless what the URL names is absent, which counts first. Looking only when there is
    /// something to refuse keeps good requests free of it.
    async fn refuse(&self, caller: &Caller, named: &ConversationRef, refusal: Error) -> ApiError {
        match ops::conversations::fetch(&self.core, &caller.ctx, named).await {
            Err(absent) => absent.into(),
            Ok(_) => refusal.into(),
        }
    }
}

/// The door: every path is answered, those that are no route with the documented error.
pub fn router(rest: Rest) -> Router {
    let clock = Arc::clone(&rest.core.clock);
    let routes = Router::new()
        .nest("/v1", resources())
        .nest("/v1/Services/{service}", resources())
        .route("/v1/Services", get(services::list).post(services::create))
        .route(
            "/v1/Services/{service}",
            get(services::fetch).delete(services::remove),
        )
        .route(
            "/v1/simulator/handsets",
            get(handsets::list).delete(handsets::clear),
        )
        .route("/v1/simulator/handsets/{address}", put(handsets::put))
        .route(
            "/v1/simulator/handsets/{address}/messages",
            get(handsets::thread).post(handsets::send),
        )
        .route("/v1/simulator/messages/{id}/status", post(handsets::force))
        .route(
            "/v1/simulator/messages/{id}/read",
            post(handsets::read_message),
        )
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .with_state(rest);
    // The path is tidied before it is routed, so the routes sit behind a fallback.
    Router::new().fallback_service(layers::around(clock, routes))
}

/// The resources that exist in both forms.
fn resources() -> Router<Rest> {
    Router::new()
        .route(
            "/Conversations",
            get(conversations::list).post(conversations::create),
        )
        .route(
            "/Conversations/{conversation}",
            get(conversations::fetch)
                .post(conversations::update)
                .delete(conversations::remove),
        )
        .route(
            "/Conversations/{conversation}/Participants",
            get(participants::list).post(participants::create),
        )
        .route(
            "/Conversations/{conversation}/Participants/{participant}",
            get(participants::fetch)
                .post(participants::update)
                .delete(participants::remove),
        )
        .route(
            "/Conversations/{conversation}/Messages",
            get(messages::list).post(messages::create),
        )
        .route(
            "/Conversations/{conversation}/Messages/{message}",
            get(messages::fetch)
                .post(messages::update)
                .delete(messages::remove),
        )
        .route(
            "/Conversations/{conversation}/Messages/{message}/Receipts",
            get(receipts::list),
        )
        .route(
            "/Conversations/{conversation}/Messages/{message}/Receipts/{receipt}",
            get(receipts::fetch),
        )
        .route("/Users", get(users::list).post(users::create))
        .route(
            "/Users/{user}",
            get(users::fetch).post(users::update).delete(users::remove),
        )
        .route("/Roles", get(roles::list).post(roles::create))
        .route(
            "/Roles/{role}",
            get(roles::fetch).post(roles::update).delete(roles::remove),
        )
}

/// No such route. Strangers learn nothing about routes.
async fn unknown(State(rest): State<Rest>, method: Method, headers: HeaderMap) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    refuse_route(&rest, &headers, Error::NotFound).await
}

/// The route exists for other methods; which ones, stands in `Allow`.
async fn wrong_method(State(rest): State<Rest>, method: Method, headers: HeaderMap) -> Response {
    unknown_method(&rest, &method, &headers).await
}

async fn unknown_method(rest: &Rest, method: &Method, headers: &HeaderMap) -> Response {
    if *method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    refuse_route(rest, headers, Error::MethodNotAllowed).await
}

async fn refuse_route(rest: &Rest, headers: &HeaderMap, refusal: Error) -> Response {
    match caller::authenticate(rest, headers).await {
        Ok(_) => ApiError::from(refusal).into_response(),
        Err(stranger) => ApiError::from(stranger).into_response(),
    }
}

/// The URI as the client sent it, before it was tidied.
fn sent(request: &axum::extract::Request) -> OriginalUri {
    OriginalUri(request.uri().clone())
}
