//! SDK sockets.
use crate::bus::Bus;
use crate::ops::Core;
use axum::Router;
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::watch;

/// How sockets are served.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "config/default.toml says what each key means")]
pub struct Settings {
    pub max_frame_bytes: usize,
    pub max_requests: usize,
    pub max_queue_bytes: usize,
    pub max_subscriptions: usize,
    pub ping_seconds: u32,
    pub token_warning_seconds: u32,
    pub sweep_seconds: u32,
}
/// stub
#[derive(Clone)]
pub struct Gateway;
impl Gateway {
    /// stub
    pub fn new(
        _core: Arc<Core>,
        _bus: Arc<dyn Bus>,
        _settings: Settings,
        _public_url: Option<String>,
    ) -> Self {
        Self
    }
    /// stub
    pub async fn run(self, _stopped: watch::Receiver<bool>) {}
    /// stub
    pub async fn close(&self) {}
}
/// stub
pub fn router(_gateway: Gateway) -> Router {
    Router::new()
}
