//! Waiting for a condition that nobody announces: looks often, gives up late.

use std::time::{Duration, Instant};

/// How long a condition may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(10);

/// Waits until `condition` holds; panics with `what` when it does not come to hold.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    let mut tick = tokio::time::interval(EVERY);
    while !condition().await {
        assert!(begin.elapsed() < PATIENCE, "never: {what}");
        tick.tick().await;
    }
}
