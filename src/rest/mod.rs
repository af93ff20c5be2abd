//! The published HTTP API: translates requests into operations, and their answers back.
//!
//! Every resource of Conversations exists under the default service and under a named one; the list of routes
//! (`routes`) is written once and mounted for both. Checks come in this order: credentials, route and method, what the
//! URL names, the parameters, what is stored.

mod account_paths;
mod accounts;
mod address_configurations;
mod api;
mod bindings;
mod caller;
mod configuration;
mod contents;
mod conversation_with_participants;
mod conversations;
mod credentials;
mod docs;
mod error;
mod extensions;
mod form;
mod handsets;
mod iam_keys;
mod idempotency;
mod keys;
mod layers;
mod media;
mod messages;
mod messaging;
mod notifications;
mod openapi;
mod pages;
mod params;
mod participant_conversations;
mod participants;
mod path;
mod permissions;
mod phone_numbers;
mod plain_messages;
mod product;
mod receipts;
mod resource;
mod roles;
mod routes;
mod scoped_webhooks;
mod services;
mod tokens;
mod user_conversations;
mod users;
mod webhook_configurations;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::map_request_with_state;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post, put};

use crate::domain::bases::Bases;
use crate::domain::{ConversationRef, Error};
use crate::ops::{self, Core};
use caller::Caller;
use error::ApiError;
use product::Product;

/// The state of this door.
#[derive(Clone)]
pub struct Rest {
    core: Arc<Core>,
    /// What printed URLs begin with.
    bases: Arc<Bases>,
    /// Domains whose first labels name products.
    hosts: Arc<[String]>,
    /// How long the body of a request may take, uploads apart.
    patience: Duration,
}

impl Rest {
    /// A door on `core`. First labels of `hosts` name products. Bodies that are no uploads must come within `patience`.
    pub fn new(core: Arc<Core>, bases: Arc<Bases>, hosts: Vec<String>, patience: Duration) -> Self {
        Self {
            core,
            bases,
            hosts: hosts.into(),
            patience,
        }
    }

    /// A request whose body must come in time.
    fn hurried(&self, request: Request) -> Request {
        request.map(|body| form::within(self.patience, body))
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
    let mut operations = Vec::new();
    let mut products = Router::new();
    for (product, api) in routes::all() {
        let (router, listed) = api.into_parts();
        operations.extend(listed);
        products = products.nest(product.prefix(), router);
    }
    let products = products
        .nest(Product::Conversations.prefix(), simulator(&rest))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .with_state(rest.clone());
    let document = Bytes::from(openapi::document(&operations).to_string());
    let page = docs::page(&operations);
    // The path is tidied before it is routed, so the routes sit behind a fallback.
    Router::new()
        .route(
            "/openapi.json",
            get(async move || {
                let kind = (header::CONTENT_TYPE, "application/json");
                ([kind], document)
            }),
        )
        .route("/docs", get(async move || Html(page)))
        // Whoever opens the server's address in a browser.
        .route("/", get(async || Redirect::to("/docs")))
        .fallback_service(layers::around(rest, products))
}

/// The simulator's own calls.
fn simulator(rest: &Rest) -> Router<Rest> {
    let hurry = async |State(rest): State<Rest>, request: Request| rest.hurried(request);
    Router::new()
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
        .layer(map_request_with_state(rest.clone(), hurry))
}

/// No such route. Strangers learn nothing about routes.
async fn unknown(State(rest): State<Rest>, method: Method, headers: HeaderMap) -> Response {
    refuse_route(&rest, &method, &headers, Error::NotFound).await
}

/// The route exists for other methods; which ones, stands in `Allow`.
async fn wrong_method(State(rest): State<Rest>, method: Method, headers: HeaderMap) -> Response {
    refuse_route(&rest, &method, &headers, Error::MethodNotAllowed).await
}

async fn refuse_route(
    rest: &Rest,
    method: &Method,
    headers: &HeaderMap,
    refusal: Error,
) -> Response {
    if *method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    match caller::authenticate(rest, headers).await {
        Ok(_) => ApiError::from(refusal).into_response(),
        Err(stranger) => ApiError::from(stranger).into_response(),
    }
}
