//! Who on this node hears what, and catching up after a gap.
//!
//! A *topic* is a conversation or a user that somebody on this node follows, with the position up to which its followers
//! have heard everything. Topics are spread over a few shards; each is one task that does one thing after the other, so
//! within a topic nothing overtakes: events are delivered in order, and a new follower is caught up between two events,
//! without a gap and without a repeat.
//!
//! A new message is delivered from its announcement when its position is the next one; so is that a user left a
//! conversation, which cannot be read any more when the user was deleted. Everything else, and every gap whatever its
//! cause, is read from the rows: *what changed since position N*. There is no second, cleverer path.

mod establish;
mod farewell;
mod followed;
mod shard;
mod topic;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::outgoing::Outgoing;
use super::sync::Object;
use crate::bus::{Bus, Heard, Listener};
use crate::domain::{Ctx, Scope, UserSid};
use crate::ops::Core;
pub use followed::Followed;
use shard::Shard;

/// How many tasks deliver.
const SHARDS: usize = 4;

/// How many parcels that wait are told of together: one write to a socket costs as much as many small ones.
const TOLD_TOGETHER: usize = 64;

/// What a shard is asked to do.
enum Order {
    /// Have a client follow objects, each from an event id on; none for the present one, without a replay.
    Establish(Box<Establish>),
    /// Have a client follow an object no longer.
    Cancel {
        /// The client.
        client: u64,
        /// The object.
        object: Object,
    },
    /// A client is gone, with everything it followed.
    Forget {
        /// The client.
        client: u64,
        /// The topics it followed.
        scopes: Vec<Scope>,
    },
    /// Tell clients that something is not there, each after everything that its user is to hear before.
    Farewell(Vec<Farewell>),
}

/// What a client is told of a conversation that is gone, or of what it wished to follow and cannot.
pub struct Farewell {
    /// Whose client it is.
    pub user: UserSid,
    /// The client.
    pub outgoing: Arc<Outgoing>,
    /// The notification.
    pub payload: Bytes,
    /// The turn of the request that it answers.
    pub _turn: Option<Turn>,
}

/// A place among the requests of one connection that are carried out, given back when nobody holds it any more.
pub type Turn = Arc<OwnedSemaphorePermit>;

/// A client that wants to follow objects.
#[derive(Clone)]
pub struct Client {
    /// The way to it.
    pub outgoing: Arc<Outgoing>,
    /// Who it is.
    pub user: UserSid,
    /// The occasion.
    pub ctx: Ctx,
    /// What it follows, or has asked to follow.
    pub followed: Arc<Followed>,
    /// What the answers repeat.
    pub correlation_id: i64,
    /// The turn of the request, held until all of it is carried out.
    pub turn: Option<Turn>,
}

/// What a client wants to follow, of the topics of one shard.
pub struct Establish {
    /// The client.
    pub client: Client,
    /// The objects.
    pub wishes: Vec<Wish>,
}

/// A wish to follow an object.
pub struct Wish {
    /// The object.
    pub object: Object,
    /// Tells the wishes of a connection for the same object apart.
    pub number: u32,
    /// The SID as the client gave it.
    pub sid: String,
    /// The last event id it has seen.
    pub since: Option<i64>,
}

/// The way to the shards.
#[derive(Clone)]
pub struct Subscriptions(Arc<Vec<mpsc::UnboundedSender<Order>>>);

const fn digits(of: Scope) -> Uuid {
    match of {
        Scope::Conversation(sid) => sid.uuid(),
        Scope::User(sid) => sid.uuid(),
    }
}

fn shard_of(scope: Scope) -> usize {
    usize::try_from(digits(scope).as_u128() % SHARDS as u128).unwrap_or(0)
}

impl Subscriptions {
    /// Makes the shards; [`Shards::run`] sets them to work.
    #[must_use]
    pub fn new(core: &Arc<Core>, bus: &Arc<dyn Bus>) -> (Self, Shards) {
        let (senders, shards) = (0..SHARDS)
            .map(|number| {
                let (sender, orders) = mpsc::unbounded_channel();
                (sender, (number, orders, bus.listen()))
            })
            .unzip();
        let all = Self(Arc::new(senders));
        let shards: Vec<(usize, _, _)> = shards;
        let shards = shards
            .into_iter()
            .map(|(number, orders, listener)| {
                let shard = Shard::new(Arc::clone(core), all.clone(), number);
                (shard, orders, listener)
            })
            .collect();
        (all, Shards(shards))
    }

    /// Has a client follow objects. The shard of its user is asked first: there it is told what the others refuse, and
    /// that is to come behind what the same request has it told of its user's own.
    pub fn establish(&self, request: Establish) {
        let Establish { client, wishes } = request;
        let first = shard_of(Scope::User(client.user));
        let mut by_shard: Vec<Vec<Wish>> = (0..SHARDS).map(|_| Vec::new()).collect();
        for wish in wishes {
            by_shard[shard_of(wish.object.scope())].push(wish);
        }
        for shard in (first..SHARDS).chain(0..first) {
            let wishes = std::mem::take(&mut by_shard[shard]);
            if !wishes.is_empty() {
                let client = client.clone();
                self.order(
                    shard,
                    Order::Establish(Box::new(Establish { client, wishes })),
                );
            }
        }
    }

    /// Has a client follow an object no longer.
    pub fn cancel(&self, client: u64, object: Object) {
        self.order(shard_of(object.scope()), Order::Cancel { client, object });
    }

    fn order(&self, shard: usize, order: Order) {
        // An error means that the server is stopping: clients come back to another one.
        let _ = self.0[shard].send(order);
    }

    /// Tells clients that something is not there, by the shards of their users.
    fn farewell(&self, to: impl Iterator<Item = Farewell>) {
        let mut by_shard: Vec<Vec<Farewell>> = (0..SHARDS).map(|_| Vec::new()).collect();
        for farewell in to {
            by_shard[shard_of(Scope::User(farewell.user))].push(farewell);
        }
        for (sender, farewells) in self.0.iter().zip(by_shard) {
            if !farewells.is_empty() {
                let _ = sender.send(Order::Farewell(farewells));
            }
        }
    }

    /// Has a client that is gone forgotten.
    pub fn forget(&self, client: u64, scopes: impl Iterator<Item = Scope>) {
        let mut by_shard: Vec<Vec<Scope>> = vec![Vec::new(); SHARDS];
        for scope in scopes {
            by_shard[shard_of(scope)].push(scope);
        }
        for (shard, scopes) in by_shard.into_iter().enumerate() {
            if !scopes.is_empty() {
                self.order(shard, Order::Forget { client, scopes });
            }
        }
    }
}

/// The tasks that deliver.
pub struct Shards(Vec<(Shard, mpsc::UnboundedReceiver<Order>, Listener)>);

impl Shards {
    /// Delivers until told to stop. Every `sweep` the positions of all followed topics are compared with the database:
    /// a publication that was lost costs that long, never a message.
    pub async fn run(self, sweep: Duration, stopped: CancellationToken) {
        let mut tasks = JoinSet::new();
        for (shard, orders, listener) in self.0 {
            tasks.spawn(run(shard, orders, listener, sweep, stopped.clone()));
        }
        tasks.join_all().await;
    }
}

async fn run(
    mut shard: Shard,
    mut orders: mpsc::UnboundedReceiver<Order>,
    mut bus: Listener,
    sweep: Duration,
    stopped: CancellationToken,
) {
    let mut tick = interval(sweep);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut due = None;
    loop {
        tokio::select! {
            () = stopped.cancelled() => return,
            heard = bus.hear() => {
                let (mut next, mut count) = (Some(heard), 0);
                while let Some(heard) = next {
                    match heard {
                        Heard::Parcel(parcel) => shard.hear(&parcel).await,
                        Heard::Gap => shard.sweep().await,
                        Heard::End => return,
                    }
                    count += 1;
                    next = if count < TOLD_TOGETHER { bus.try_hear() } else { None };
                }
                due = shard.hand_out_due();
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => due = shard.hand_out_due(),
            Some(order) = orders.recv() => shard.obey(order).await,
            _ = tick.tick() => shard.sweep().await,
        }
    }
}
