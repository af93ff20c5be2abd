//! The listener: plain, or encrypted.
//!
//! Connections are handed to hyper here, because axum's own loop has no limits for a client that never sends the header
//! of its request, or never reads the answer: it would hold its socket for ever.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::serve::{Listener, ListenerExt as _};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::Layer as _;
use tracing::{debug, warn};

use super::stalling::Stalling;
use super::tls::{Certificate, TlsListener};

/// The longest header of a request: a token of 8 KiB, and the cookies and the long addresses of a proxy beside it.
const MAX_HEADER_BYTES: usize = 32 * 1024;
/// What is read and written at once. Hyper's 400 KiB could be held by each of thousands of strangers, and large bodies
/// come and go no faster with them.
const BUFFER_BYTES: usize = 64 * 1024;

/// How long clients are waited for before their connections are closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For the header of the next request.
    pub header: Duration,
    /// While they read nothing of what is written; also after an upgrade.
    pub stall: Duration,
}

/// Serves until told to stop, then lets requests under way end.
pub(super) async fn serve(
    listener: TcpListener,
    certificate: Option<Arc<Certificate>>,
    router: Router,
    patience: Patience,
    stopped: CancellationToken,
) {
    match certificate {
        None => {
            serve_on(
                listener.tap_io(|stream| nodelay(stream)),
                router,
                patience,
                stopped,
            )
            .await
        }
        Some(certificate) => match TlsListener::new(listener, certificate) {
            Ok(listener) => serve_on(listener, router, patience, stopped).await,
            Err(error) => warn!(error = %error, "TLS cannot be served"),
        },
    }
}

/// A small answer must not wait for the next one.
pub(super) fn nodelay(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        warn!(error = %error, "a connection keeps Nagle's delay");
    }
}

async fn serve_on<L: Listener<Addr = SocketAddr>>(
    mut listener: L,
    router: Router,
    patience: Patience,
    stopped: CancellationToken,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(patience.header)
        .max_header_size(MAX_HEADER_BYTES)
        .max_buf_size(BUFFER_BYTES);
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = stopped.cancelled() => break,
        };
        // Around the router, not around each of its routes, which would be made anew.
        let service = Extension(ConnectInfo(peer)).layer(router.clone());
        let service = TowerToHyperService::new(service);
        let stream = Stalling::new(stream, patience.stall);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let stopped = stopped.clone();
        connections.spawn(async move {
            let mut connection = pin!(connection.with_upgrades());
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stopped.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                debug!(%peer, error = %error, "a connection was given up");
            }
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
