//! The statements of a server with their plans, as `auto_explain` tells them to the client.

use std::fmt;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

/// A statement that was run.
#[derive(Debug)]
pub struct Statement {
    /// Its text.
    pub text: String,
    /// The plan, with what really happened.
    pub plan: Value,
}

/// What was told and not yet taken.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Statement>>>);

impl Log {
    /// The statements since the last time.
    pub fn take(&self) -> Vec<Statement> {
        std::mem::take(&mut self.0.lock().expect("no panic before"))
    }
}

/// Listens to notices of the database on this thread, on which all of a test runs.
pub fn start() -> (Log, DefaultGuard) {
    let log = Log::default();
    let subscriber = tracing_subscriber::registry().with(log.clone());
    (log, tracing::subscriber::set_default(subscriber))
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::postgres::notice" {
            event.record(&mut self.clone());
        }
    }
}

impl Visit for Log {
    fn record_str(&mut self, _: &Field, message: &str) {
        let told = message
            .split_once("plan:\n")
            .map(|(_, plan)| serde_json::from_str::<Value>(plan));
        if let Some(Ok(told)) = told {
            self.0.lock().expect("no panic before").push(Statement {
                text: told["Query Text"].as_str().unwrap_or_default().to_owned(),
                plan: told["Plan"].clone(),
            });
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        outline(f, &self.plan, 1)
    }
}

/// A line for each node, as psql would.
fn outline(f: &mut fmt::Formatter<'_>, node: &Value, depth: usize) -> fmt::Result {
    let word = |key: &str| node[key].as_str().unwrap_or_default();
    writeln!(
        f,
        "{:depth$}{} {} {} rows={} removed={} loops={} {}{}",
        "",
        word("Node Type"),
        word("Relation Name"),
        word("Index Name"),
        node["Actual Rows"],
        node["Rows Removed by Filter"],
        node["Actual Loops"],
        word("Index Cond"),
        word("Filter"),
        depth = depth * 2
    )?;
    for below in node["Plans"].as_array().into_iter().flatten() {
        outline(f, below, depth + 1)?;
    }
    Ok(())
}
