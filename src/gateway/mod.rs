//! SDK sockets: the tunnel that the official web SDK speaks.
//!
//! A socket carries frames; most frames carry requests, like HTTP in an envelope. They are routed to the same operations
//! as REST, with the permissions of the socket's user. What changes reaches clients as events of the objects they follow.

mod commands;
mod connection;
mod limits;
mod news;
mod outgoing;
mod presence;
mod protocol;
mod ration;
mod requests;
mod sign_in;
mod sockets;
mod subscriptions;
mod sync;
mod websocket;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::bus::Bus;
use crate::domain::bases::Bases;
use crate::ops::{Core, accounts};
use limits::Limits;
use presence::{Presence, Register};
use sockets::{NoEntry, Sockets};
use subscriptions::{Shards, Subscriptions};
use websocket::WebSocket;

/// How long somebody is shown as typing, in seconds (the SDK is told one more).
const TYPING_TIMEOUT_SECONDS: u32 = 5;
/// When a client that is not taken in now may try again, in seconds. SDKs do not look at it and wait for a second or more.
const RETRY_AFTER_SECONDS: u32 = 2;

/// How sockets are served.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "config/default.toml says what each key means")]
pub struct Settings {
    #[serde(flatten)]
    pub limits: Limits,
    pub max_frame_bytes: usize,
    pub max_requests: usize,
    pub max_queue_bytes: usize,
    pub max_subscriptions: usize,
    pub sign_in_seconds: u32,
    pub ping_seconds: u32,
    pub token_warning_seconds: u32,
    pub sweep_seconds: u32,
    pub offline_after_seconds: u32,
}

/// The door for sockets.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    core: Arc<Core>,
    bus: Arc<dyn Bus>,
    settings: Settings,
    bases: Arc<Bases>,
    subscriptions: Subscriptions,
    presence: Presence,
    work: Mutex<Option<(Shards, Register)>>,
    sockets: Arc<Sockets>,
}

impl Gateway {
    /// A door on `core` that hears of changes from `bus`. Links begin with the base of the upgrade request.
    #[must_use]
    pub fn new(core: Arc<Core>, bus: Arc<dyn Bus>, settings: Settings, bases: Arc<Bases>) -> Self {
        let (subscriptions, shards) = Subscriptions::new(&core, &bus);
        let (presence, register) = Presence::new(&core, settings.offline_after_seconds);
        let sockets = Sockets::new(settings.limits.clone());
        Self(Arc::new(Inner {
            core,
            bus,
            settings,
            bases,
            subscriptions,
            presence,
            work: Mutex::new(Some((shards, register))),
            sockets,
        }))
    }

    /// Delivers changes, and keeps who is online, until told to stop.
    pub async fn run(self, stopped: CancellationToken) {
        let work = self
            .0
            .work
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let sweep = Duration::from_secs(self.0.settings.sweep_seconds.max(1).into());
        if let Some((shards, register)) = work {
            tokio::join!(
                shards.run(sweep, stopped.clone()),
                register.run(stopped.clone()),
                self.check_keys(sweep, stopped)
            );
        }
    }

    /// Cuts the sockets of API keys that were deleted and of accounts that were suspended or closed, until told to stop.
    /// They come back at once and are told why they may not.
    async fn check_keys(&self, every: Duration, stopped: CancellationToken) {
        let mut tick = interval(every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopped.cancelled() => return,
                _ = tick.tick() => {}
            }
            let keys = self.0.sockets.keys();
            if keys.is_empty() {
                continue;
            }
            match accounts::good_signers(self.core(), &keys).await {
                Ok(good) => {
                    let cut = self.0.sockets.keep_only(&good, &keys);
                    if cut > 0 {
                        info!(
                            sockets = cut,
                            "sockets were cut: their keys or accounts are good no more"
                        );
                    }
                }
                // The next time tells.
                Err(error) => warn!(
                    error = error.inside(),
                    "the keys of sockets could not be checked"
                ),
            }
        }
    }

    /// Takes no more sockets in and lets those go that there are, spread over a time, each between two requests and
    /// without a word that would make its SDK wait before it comes back. At the deadline all are gone.
    pub async fn leave(&self, over: Duration, deadline: Instant) {
        self.0.sockets.leave(over, deadline).await;
    }

    fn core(&self) -> &Arc<Core> {
        &self.0.core
    }
}

/// The route of the socket.
pub fn router(gateway: Gateway) -> Router {
    Router::new()
        .route("/v3/wsconnect", get(upgrade))
        .with_state(gateway)
}

async fn upgrade(
    State(gateway): State<Gateway>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Response {
    let welcome = match websocket::shake_hands(&request) {
        Ok(welcome) => welcome,
        Err(refusal) => return refusal.into_response(),
    };
    let place = match gateway.0.sockets.enter() {
        Ok(place) => place,
        Err(why) => return not_now(why),
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let base: Arc<str> = gateway.0.bases.of(Some(peer.ip()), header).into();
    tokio::spawn(async move {
        match upgrade.await {
            Ok(upgraded) => {
                let socket = WebSocket::on(upgraded, gateway.0.settings.max_frame_bytes).await;
                connection::serve(gateway, socket, base, place).await;
            }
            Err(error) => debug!(%peer, error = %error, "a connection did not become a websocket"),
        }
    });
    welcome
}

/// Sends a client away, before anything was spent on it.
fn not_now(why: NoEntry) -> Response {
    let (limit, words) = match why {
        NoEntry::Closing => ("stopping", "the server is stopping\n"),
        NoEntry::Full(full) => (full.as_str(), "there is no room for more sockets\n"),
    };
    metrics::counter!("convoke_sockets_refused", "limit" => limit).increment(1);
    let later = [(RETRY_AFTER, RETRY_AFTER_SECONDS.to_string())];
    (StatusCode::SERVICE_UNAVAILABLE, later, words).into_response()
}
