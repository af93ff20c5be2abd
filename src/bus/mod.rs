//! The bus: committed events, from the node that committed them to the nodes that need them.
//!
//! # Promise
//! At most once, in order per conversation from one node, fast. Not durable. Publishing never waits and never fails.
//!
//! # Why not durable
//! The event log already is. A durable bus would give two histories that can disagree; a client would have to know which
//! one to believe. Instead every gap, whatever its cause, is closed by asking for what came after a position; the
//! gateway does so, and a slow comparison of positions finds gaps that nothing else shows.
//!
//! # Not here
//! Webhooks and channels: they need every event exactly recorded, so they are jobs.

pub mod local;
pub mod nats;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::domain::{Announcement, ConversationSid, Identity, UserSid};

/// What travels over the bus.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Parcel {
    /// Events that were committed together, in order.
    Committed(Vec<Announcement>),
    /// Somebody is typing: never stored, and no harm if it is lost.
    Typing(Typist),
}

/// Who is typing, and where.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Typist {
    /// Where.
    pub conversation: ConversationSid,
    /// Who.
    pub user: UserSid,
    /// How programs name the user.
    pub identity: Identity,
}

/// Carries parcels between nodes.
pub trait Bus: Send + Sync {
    /// Hands a parcel to everybody who listens, on this node and the others.
    fn publish(&self, parcel: Parcel);

    /// Listens from now on.
    fn listen(&self) -> Listener;

    /// Whether the other nodes could be reached once since the start; a node that never could is not set up right.
    fn was_reached(&self) -> bool;
}

/// One listener's end of the bus.
pub struct Listener(broadcast::Receiver<Signal>);

/// What a bus tells its listeners.
#[derive(Debug, Clone)]
enum Signal {
    Parcel(Arc<Parcel>),
    Gap,
}

/// What a listener hears.
#[derive(Debug, Clone)]
pub enum Heard {
    /// A parcel.
    Parcel(Arc<Parcel>),
    /// Parcels were lost, because the listener was too slow or the bus broke: everything that matters must be compared
    /// with the log.
    Gap,
    /// The bus is gone.
    End,
}

impl Listener {
    /// Waits for the next parcel.
    pub async fn hear(&mut self) -> Heard {
        match self.0.recv().await {
            Ok(Signal::Parcel(parcel)) => Heard::Parcel(parcel),
            Ok(Signal::Gap) | Err(broadcast::error::RecvError::Lagged(_)) => Heard::Gap,
            Err(broadcast::error::RecvError::Closed) => Heard::End,
        }
    }

    /// The next parcel if it is there already.
    pub fn try_hear(&mut self) -> Option<Heard> {
        match self.0.try_recv() {
            Ok(Signal::Parcel(parcel)) => Some(Heard::Parcel(parcel)),
            Ok(Signal::Gap) | Err(broadcast::error::TryRecvError::Lagged(_)) => Some(Heard::Gap),
            Err(broadcast::error::TryRecvError::Closed) => Some(Heard::End),
            Err(broadcast::error::TryRecvError::Empty) => None,
        }
    }
}
