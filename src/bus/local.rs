//! The bus of one process.

use std::sync::Arc;

use tokio::sync::broadcast;

use super::{Bus, Listener, Parcel, Signal};

/// How many parcels a slow listener may be behind before it is told of a gap.
const MOST_WAITING: usize = 4096;

/// A bus for one process.
#[derive(Debug)]
pub struct LocalBus(broadcast::Sender<Signal>);

impl LocalBus {
    /// A bus that nobody listens to yet.
    #[must_use]
    pub fn new() -> Self {
        Self(broadcast::channel(MOST_WAITING).0)
    }

    /// Hands a parcel to the listeners.
    pub(super) fn hand(&self, parcel: Arc<Parcel>) {
        // An error only says that nobody listens.
        let _ = self.0.send(Signal::Parcel(parcel));
    }

    /// Another way to the listeners.
    pub(super) fn sender(&self) -> broadcast::Sender<Signal> {
        self.0.clone()
    }
}

impl Default for LocalBus {
    fn default() -> Self {
        Self::new()
    }
}

impl Bus for LocalBus {
    fn publish(&self, parcel: Parcel) {
        self.hand(Arc::new(parcel));
    }

    fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }

    fn was_reached(&self) -> bool {
        true
    }
}
