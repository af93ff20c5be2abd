//! What is done now and then: forgetting events that are older than the log is kept, and idempotency keys.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, warn};

use crate::config::EventSettings;
use crate::ops::{self, Core};

/// How often it is looked for.
const EVERY: Duration = Duration::from_secs(60);

/// Forgets what is old until it is aborted. Nodes may do it at the same time: they find less.
pub(super) async fn run(core: Arc<Core>, settings: EventSettings) {
    let keep = TimeDelta::days(settings.keep_days.into());
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        match ops::events::forget(&core, core.clock.now() - keep).await {
            Ok(0) => {}
            Ok(count) => debug!(count, "forgot old events"),
            Err(error) => warn!(error = error.inside(), "old events could not be forgotten"),
        }
        match ops::idempotency::forget(&core).await {
            Ok(0) => {}
            Ok(count) => debug!(count, "forgot old idempotency keys"),
            Err(error) => warn!(
                error = error.inside(),
                "old idempotency keys could not be forgotten"
            ),
        }
    }
}
