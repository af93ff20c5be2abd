//! The statements that a server runs.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

/// Notes statements that are run on this thread, on which all of a test runs.
#[derive(Clone, Default)]
pub struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    /// Notes them from now on.
    pub fn note() -> (Self, DefaultGuard) {
        let noted = Self::default();
        let subscriber = tracing_subscriber::registry().with(noted.clone());
        (noted, tracing::subscriber::set_default(subscriber))
    }

    /// How each began that was run since the last time.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            event.record(&mut self.clone());
        }
    }
}

impl Visit for Statements {
    fn record_str(&mut self, field: &Field, text: &str) {
        if field.name() == "summary" {
            let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            noted.push(text.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
