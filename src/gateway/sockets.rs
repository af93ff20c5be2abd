//! The sockets of this node: who is there, and how all of them are let go.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, interval, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::limits::{Counts, Full, Limits, NotNow};
use super::outgoing::Outgoing;
use crate::domain::{AccountSid, ApiKeySid, Timestamp, UserSid};
use crate::ops::users::SignedIn;

/// The sockets of this node.
#[derive(Debug)]
pub struct Sockets {
    limits: Limits,
    state: Mutex<State>,
    /// How many there are, those that have not signed in yet among them.
    open: watch::Sender<usize>,
    closing: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    counts: Counts,
    signed_in: HashMap<u64, Client>,
    next_client: u64,
    /// Whether it was said that there is no room, since there was some.
    said_full: bool,
}

/// A socket whose user is known.
#[derive(Debug)]
struct Client {
    outgoing: Arc<Outgoing>,
    /// The key that signed its token.
    key: ApiKeySid,
}

/// Why a socket is not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoEntry {
    /// The node is stopping.
    Closing,
    /// There is no room.
    Full(Full),
}

/// A socket's place among those of this node, from the upgrade to its end.
#[derive(Debug)]
pub struct Place {
    sockets: Arc<Sockets>,
    /// Tells connections of one process apart.
    pub client: u64,
    whose: Option<(AccountSid, UserSid)>,
}

impl Sockets {
    /// No sockets, and how many there may be.
    #[must_use]
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            state: Mutex::default(),
            open: watch::Sender::new(0),
            closing: CancellationToken::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a new socket in, if there is room and the node is not stopping. Nothing was spent on it yet.
    pub fn enter(self: &Arc<Self>) -> Result<Place, NoEntry> {
        if self.closing.is_cancelled() {
            return Err(NoEntry::Closing);
        }
        let mut state = self.state();
        if let Err(full) = state.counts.enter(&self.limits) {
            if !state.said_full {
                state.said_full = true;
                warn!(
                    sockets = state.counts.open(),
                    limit = full.as_str(),
                    "there is no room for more sockets; new ones are refused until some end"
                );
            }
            return Err(NoEntry::Full(full));
        }
        state.said_full = false;
        let client = state.next_client;
        state.next_client += 1;
        self.open.send_replace(state.counts.open());
        Ok(Place {
            sockets: Arc::clone(self),
            client,
            whose: None,
        })
    }

    /// Waits until the node is stopping.
    pub async fn closing(&self) {
        self.closing.cancelled().await;
    }

    /// A socket's token was replaced, perhaps by one of another key.
    pub fn renew(&self, client: u64, key: ApiKeySid) {
        if let Some(client) = self.state().signed_in.get_mut(&client) {
            client.key = key;
        }
    }

    /// The keys that signed the tokens of all sockets.
    pub fn keys(&self) -> HashSet<ApiKeySid> {
        let state = self.state();
        state.signed_in.values().map(|client| client.key).collect()
    }

    /// Cuts the sockets whose tokens were signed by none of these keys, among those that were looked at. Answers how many.
    pub fn keep_only(&self, good: &HashSet<ApiKeySid>, among: &HashSet<ApiKeySid>) -> usize {
        let state = self.state();
        let bad = |client: &&Client| among.contains(&client.key) && !good.contains(&client.key);
        let cut = state.signed_in.values().filter(bad);
        cut.map(|client| client.outgoing.cut_off()).count()
    }

    /// Lets all sockets go, one after the other over a time, each between two requests; at the deadline all that are
    /// left. No new one is taken in from now on.
    ///
    /// # Why spread
    /// SDKs are back a second after they lost their socket, and each then signs in and subscribes everything. All of a
    /// node's clients in the same second are a storm for the nodes that take them.
    pub async fn leave(&self, over: Duration, deadline: Instant) {
        self.closing.cancel();
        let all: Vec<Arc<Outgoing>> = (self.state().signed_in.values())
            .map(|client| Arc::clone(&client.outgoing))
            .collect();
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
        for client in self.state().signed_in.values() {
            client.outgoing.cut_off();
        }
        warn!(
            sockets = left,
            duration_ms, "sockets were cut off in the middle: their requests did not end in time"
        );
    }
}

impl Place {
    /// Counts the socket as somebody's, who may have too many.
    ///
    /// # Errors
    /// [`NotNow`].
    pub fn sign_in(&mut self, who: &SignedIn, now: Timestamp) -> Result<(), NotNow> {
        let (account, user) = (who.ctx.account.sid, who.user);
        let (sockets, mut state) = (&self.sockets, self.sockets.state());
        state.counts.sign_in(&sockets.limits, account, user, now)?;
        self.whose = Some((account, user));
        Ok(())
    }

    /// The socket has signed in, with a token of this key. While the node is stopping it is let go at once.
    pub fn settle(&self, outgoing: &Arc<Outgoing>, key: ApiKeySid) {
        let client = Client {
            outgoing: Arc::clone(outgoing),
            key,
        };
        self.sockets.state().signed_in.insert(self.client, client);
        // Whoever closes says so first and looks who is there second.
        if self.sockets.closing.is_cancelled() {
            outgoing.part();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.sockets.state();
        state.signed_in.remove(&self.client);
        state.counts.leave(self.whose);
        self.sockets.open.send_replace(state.counts.open());
    }
}
