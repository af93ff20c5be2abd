//! The sockets of this node: who is there, and how all of them are let go.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, interval, timeout_at};
use tracing::{info, warn};

use super::outgoing::Outgoing;

/// The sockets of this node.
#[derive(Debug)]
pub struct Sockets {
    signed_in: Mutex<HashMap<u64, Arc<Outgoing>>>,
    next_client: AtomicU64,
    /// How many there are, those that have not signed in yet among them.
    open: watch::Sender<usize>,
    closing: watch::Sender<bool>,
}

/// A socket's place among those of this node, from the upgrade to its end.
#[derive(Debug)]
pub struct Place {
    sockets: Arc<Sockets>,
    /// Tells connections of one process apart.
    pub client: u64,
}

impl Sockets {
    /// No sockets.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            signed_in: Mutex::default(),
            next_client: AtomicU64::new(0),
            open: watch::Sender::new(0),
            closing: watch::Sender::new(false),
        })
    }

    /// Takes a new socket in; not while the node is stopping.
    pub fn enter(self: &Arc<Self>) -> Option<Place> {
        if *self.closing.borrow() {
            return None;
        }
        self.open.send_modify(|open| *open += 1);
        Some(Place {
            sockets: Arc::clone(self),
            client: self.next_client.fetch_add(1, Ordering::Relaxed),
        })
    }

    fn signed_in(&self) -> MutexGuard<'_, HashMap<u64, Arc<Outgoing>>> {
        self.signed_in
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets all sockets go, one after the other over a time, each between two requests; at the deadline all that are
    /// left. No new one is taken in from now on.
    ///
    /// # Why spread
    /// SDKs are back a second after they lost their socket, and each then signs in and subscribes everything. All of a
    /// node's clients in the same second are a storm for the nodes that take them.
    pub async fn leave(&self, over: Duration, deadline: Instant) {
        self.closing.send_replace(true);
        let all: Vec<Arc<Outgoing>> = self.signed_in().values().cloned().collect();
        let (begin, count) = (Instant::now(), all.len());
        if count > 0 {
            info!(
                sockets = count,
                spread_seconds = over.as_secs(),
                "sockets are dropped one after the other"
            );
        }
        let mut open = self.open.subscribe();
        let empty = async {
            // An error means that nobody can tell any more; this holds the sender, so there is none.
            let _ = open.wait_for(|open| *open == 0).await;
        };
        let dropping = async {
            // As a map has them, which is no order that clients could share.
            let each = over / u32::try_from(count).unwrap_or(u32::MAX).max(1);
            let mut tick = (!each.is_zero()).then(|| interval(each));
            for client in all.iter().filter(|client| !client.is_cut()) {
                if let Some(tick) = &mut tick {
                    tick.tick().await;
                }
                client.part();
            }
            std::future::pending::<()>().await;
        };
        let gone = async {
            tokio::select! {
                () = empty => {}
                () = dropping => {}
            }
        };
        let left_in_time = timeout_at(deadline, gone).await.is_ok();
        let duration_ms = begin.elapsed().as_millis();
        if left_in_time {
            if count > 0 {
                info!(sockets = count, duration_ms, "all sockets are dropped");
            }
            return;
        }
        let left = *self.open.borrow();
        for client in self.signed_in().values() {
            client.cut_off();
        }
        warn!(
            sockets = left,
            duration_ms, "sockets were cut off in the middle: their requests did not end in time"
        );
    }
}

impl Place {
    /// The socket has signed in. While the node is stopping it is let go at once.
    pub fn settle(&self, outgoing: &Arc<Outgoing>) {
        self.sockets
            .signed_in()
            .insert(self.client, Arc::clone(outgoing));
        // Whoever closes says so first and looks who is there second.
        if *self.sockets.closing.borrow() {
            outgoing.part();
        }
    }

    /// Waits until the node is stopping.
    pub async fn closing(&self) {
        let mut closing = self.sockets.closing.subscribe();
        // An error means that nobody can tell any more, which is the same.
        let _ = closing.wait_for(|closing| *closing).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.sockets.signed_in().remove(&self.client);
        self.sockets.open.send_modify(|open| *open -= 1);
    }
}
