//! The listener: plain, or encrypted.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener, ListenerExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tracing::warn;

use super::tls::{Certificate, TlsListener};

/// Serves until told to stop, then lets requests under way end.
pub(super) async fn serve(
    listener: TcpListener,
    certificate: Option<Arc<Certificate>>,
    router: Router,
    stopped: watch::Receiver<bool>,
) {
    match certificate {
        None => serve_on(listener.tap_io(nodelay), router, stopped).await,
        // The tap does nothing; with one the address of the peer is known.
        Some(certificate) => match TlsListener::new(listener, certificate) {
            Ok(listener) => serve_on(listener.tap_io(|_| {}), router, stopped).await,
            Err(error) => warn!(error = %error, "TLS cannot be served"),
        },
    }
}

/// A small answer must not wait for the next one.
pub(super) fn nodelay(stream: &mut TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        warn!(error = %error, "a connection keeps Nagle's delay");
    }
}

async fn serve_on<L>(listener: L, router: Router, mut stopped: watch::Receiver<bool>)
where
    L: Listener<Addr = SocketAddr>,
    SocketAddr: for<'a> Connected<IncomingStream<'a, L>>,
{
    let told = async move {
        // An error means that nobody can tell any more, which is the same.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, service)
        .with_graceful_shutdown(told)
        .await
    {
        warn!(error = %error, "the listener failed");
    }
}
