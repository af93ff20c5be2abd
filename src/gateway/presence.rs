//! Who is connected to this node, told to the operations.
//!
//! Typing is never stored and goes its own way. Whether a user is online is part of the user: REST prints it, the user's
//! info map replays it. So connections are counted here, and the first and the last one of a user are written down, by
//! one task, those that wait together in one transaction. Sockets of services that have reachability switched off never
//! come here.
//!
//! What could not be written stays to be written, and is tried again. A node that others took for dead because it was
//! silent for too long learns it when it speaks again, and writes down everybody anew.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::domain::presence::{NodeSid, SEEN_EVERY};
use crate::domain::{Error, Timestamp, UserSid};
use crate::ops::users::SignedIn;
use crate::ops::{self, Core};

/// How often it is looked whose grace has ended.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many looks are left out while nobody is written down, as where no service keeps who is online. A node that writes
/// somebody down meanwhile is believed to live for longer than that ([`BELIEVED_FOR`], held by a test), so its death is
/// found as soon as ever.
///
/// [`BELIEVED_FOR`]: crate::domain::presence::BELIEVED_FOR
const LEFT_OUT: u32 = 8;
/// How many wishes are carried out together.
const MOST_AT_ONCE: usize = 1000;

enum Order {
    /// A connection begins; told when it is written down that the user is online.
    Arrive(UserSid, oneshot::Sender<()>),
    /// A connection ends.
    Depart(UserSid),
}

/// The way to the register.
pub struct Presence(mpsc::UnboundedSender<Order>);

/// A connection that counts. When it is dropped, it does no longer.
#[derive(Debug)]
pub struct Present {
    user: UserSid,
    orders: mpsc::UnboundedSender<Order>,
}

impl Drop for Present {
    fn drop(&mut self) {
        // An error means that the server is stopping, and everybody leaves.
        let _ = self.orders.send(Order::Depart(self.user));
    }
}

impl Presence {
    /// Makes the register of a node; [`Register::run`] sets it to work.
    #[must_use]
    pub fn new(core: &Arc<Core>, offline_after_seconds: u32) -> (Self, Register) {
        // Never more orders than connections begin and end.
        let (sender, orders) = mpsc::unbounded_channel();
        let register = Register {
            core: Arc::clone(core),
            node: NodeSid::new(core.clock.now()),
            grace: TimeDelta::seconds(offline_after_seconds.into()),
            orders,
            here: HashMap::new(),
            unwritten: BTreeSet::new(),
            seen: None,
            left_out: 0,
        };
        (Self(sender), register)
    }

    /// Counts a connection of somebody whose service keeps who is online. The user is shown as online when this returns,
    /// unless the database is away: then as soon as it is back.
    pub async fn arrive(&self, who: &SignedIn) -> Option<Present> {
        if !who.reachability_enabled {
            return None;
        }
        let (done, written) = oneshot::channel();
        self.0.send(Order::Arrive(who.user, done)).ok()?;
        // From here on it counts, also if whoever waits for it is dropped.
        let present = Present {
            user: who.user,
            orders: self.0.clone(),
        };
        let _ = written.await;
        Some(present)
    }
}

/// The connections to this node that count.
pub struct Register {
    core: Arc<Core>,
    node: NodeSid,
    grace: TimeDelta,
    orders: mpsc::UnboundedReceiver<Order>,
    here: HashMap<UserSid, u32>,
    /// Users whose first or last connection is not written down yet.
    unwritten: BTreeSet<UserSid>,
    /// When it was last written down that this node lives.
    seen: Option<Timestamp>,
    /// How many looks are still left out.
    left_out: u32,
}

impl Register {
    /// Keeps the register until told to stop, then writes down that everybody has left.
    pub async fn run(mut self, stopped: CancellationToken) {
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut orders = Vec::new();
        loop {
            let done = tokio::select! {
                () = stopped.cancelled() => break,
                1.. = self.orders.recv_many(&mut orders, MOST_AT_ONCE) => {
                    let waiting = self.count(orders.drain(..));
                    let done = self.write().await;
                    for arrived in waiting {
                        let _ = arrived.send(());
                    }
                    done
                }
                _ = tick.tick() => self.look().await,
            };
            if let Err(error) = done {
                warn!(
                    error = error.inside(),
                    "who is online could not be written down; it will be tried again"
                );
            }
        }
        if let Err(error) = self.leave().await {
            warn!(
                error = error.inside(),
                "that everybody has left could not be written down; others will find it"
            );
        }
    }

    /// Counts connections; answers who waits until that is written down.
    fn count(&mut self, orders: impl Iterator<Item = Order>) -> Vec<oneshot::Sender<()>> {
        let mut waiting = Vec::new();
        for order in orders {
            match order {
                Order::Arrive(user, arrived) => {
                    let count = self.here.entry(user).or_insert(0);
                    *count += 1;
                    self.left_out = 0;
                    if *count == 1 {
                        self.unwritten.insert(user);
                    }
                    waiting.push(arrived);
                }
                Order::Depart(user) => {
                    let Some(count) = self.here.get_mut(&user) else {
                        continue;
                    };
                    *count -= 1;
                    if *count == 0 {
                        self.here.remove(&user);
                        self.unwritten.insert(user);
                    }
                }
            }
        }
        waiting
    }

    /// Writes down what is not written yet, if anything.
    async fn write(&mut self) -> Result<(), Error> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        self.say_alive().await?;
        let (arrived, departed): (Vec<UserSid>, Vec<UserSid>) = self
            .unwritten
            .iter()
            .partition(|user| self.here.contains_key(user));
        if !departed.is_empty() {
            ops::presence::depart(&self.core, self.node, &departed, self.offline_at()).await?;
        }
        if !arrived.is_empty() {
            ops::presence::arrive(&self.core, self.node, &arrived).await?;
        }
        self.unwritten.clear();
        Ok(())
    }

    /// Says that this node lives, if it is time to and anybody is here.
    async fn say_alive(&mut self) -> Result<(), Error> {
        let now = self.core.clock.now();
        let is_due = self.seen.is_none_or(|seen| now - seen >= SEEN_EVERY);
        if is_due && !self.here.is_empty() {
            if !ops::presence::see_node(&self.core, self.node).await? {
                self.unwritten.extend(self.here.keys());
            }
            self.seen = Some(now);
        }
        Ok(())
    }

    /// Says that this node lives, tries again what failed, and finds who is offline now, here or elsewhere.
    async fn look(&mut self) -> Result<(), Error> {
        self.say_alive().await?;
        self.write().await?;
        if self.left_out > 0 {
            self.left_out -= 1;
            return Ok(());
        }
        if !ops::presence::expire(&self.core, self.offline_at()).await? {
            self.left_out = LEFT_OUT;
        }
        Ok(())
    }

    /// Writes down that everybody has left.
    async fn leave(&self) -> Result<(), Error> {
        if self.seen.is_some() {
            ops::presence::leave(&self.core, self.node, self.offline_at()).await?;
        }
        Ok(())
    }

    fn offline_at(&self) -> Timestamp {
        self.core.clock.now() + self.grace
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::presence::BELIEVED_FOR;

    #[test]
    fn nobody_dies_unseen_while_looks_are_left_out() {
        let between = LOOK_EVERY * (LEFT_OUT + 1);
        assert!(TimeDelta::from_std(between).is_ok_and(|between| between < BELIEVED_FOR));
    }
}
