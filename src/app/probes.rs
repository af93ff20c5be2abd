//! Probes: is the process alive, can it serve, what does it count.

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use metrics::{describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::bus::Bus;
use crate::ops::{self, Core};

/// A database that takes longer than this to answer is no database to serve from.
const PATIENCE: Duration = Duration::from_secs(2);

/// What tells whether the process can serve.
type Asked = (Arc<Core>, Arc<dyn Bus>, CancellationToken);

/// The routes of the probes: `/healthz` (the process lives), `/readyz` (it is not stopping, the database answers, the
/// schema is ours, the bus was reached), `/metrics` (Prometheus).
pub(super) fn routes(core: Arc<Core>, bus: Arc<dyn Bus>, is_stopping: CancellationToken) -> Router {
    let metrics = recorder();
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready).with_state((core, bus, is_stopping)))
        .route(
            "/metrics",
            get(async move || metrics.map(PrometheusHandle::render).unwrap_or_default()),
        )
}

/// A bus that was reached once and is away now takes no node out of service: all would go at the same time, and each is
/// right without it, only later.
async fn ready(State((core, bus, is_stopping)): State<Asked>) -> (StatusCode, &'static str) {
    if is_stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n");
    }
    if !bus.was_reached() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "the bus was not reached yet\n",
        );
    }
    match timeout(PATIENCE, ops::ready(&core)).await {
        Ok(Ok(())) => (StatusCode::OK, "ready\n"),
        Ok(Err(error)) => {
            warn!(error = error.inside(), "not ready");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the database cannot be used\n",
            )
        }
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the database does not answer\n",
        ),
    }
}

/// Installs the process's recorder of metrics, once: tests start several servers in one process.
fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new().install_recorder().ok()?;
            describe();
            Some(recorder)
        })
        .as_ref()
}

/// Says what each metric is, for whoever reads `/metrics`.
fn describe() {
    describe_counter!(
        "convoke_http_requests",
        "Requests over HTTP that were answered, by the class of their status."
    );
    describe_gauge!(
        "convoke_sockets",
        "SDK sockets of this node that are signed in."
    );
    describe_counter!(
        "convoke_sockets_refused",
        "SDK sockets that were refused, by the limit that was reached."
    );
    describe_histogram!(
        "convoke_lane_batch_size",
        "Messages that were committed together."
    );
    describe_counter!("convoke_jobs", "Jobs that were run, by kind and outcome.");
    describe_gauge!(
        "convoke_bus_connected",
        "Whether NATS is connected; absent where there is one node."
    );
}
