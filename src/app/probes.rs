//! Probes: is the process alive, can it serve, what does it count.

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
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
        .get_or_init(|| PrometheusBuilder::new().install_recorder().ok())
        .as_ref()
}
