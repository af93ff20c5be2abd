//! Telling clients that something is not there, or not any more.
//!
//! A client that hears of the end of a conversation forgets it at once. Its user's own news must come first: an SDK does
//! not tell any more that it left what it has forgotten. So such ends are told by the shard of the user.

use std::collections::{HashMap, HashSet};

use super::shard::Shard;
use super::{Client, Farewell, Wish};
use crate::domain::{Scope, UserSid};
use crate::gateway::protocol::SYNC_EVENT;
use crate::gateway::sync::events::{Answer, Outcome, answers};

/// What clients are told when they have heard their users' own news, by the clients that are told these in steps.
#[derive(Default)]
pub(super) struct Waiting(HashMap<u64, Vec<Farewell>>);

impl Waiting {
    /// Has what a client is to be told wait until [`Self::release`].
    pub(super) fn hold(&mut self, client: u64) {
        self.0.entry(client).or_default();
    }

    /// What waited.
    pub(super) fn release(&mut self, client: u64) -> Vec<Farewell> {
        self.0.remove(&client).unwrap_or_default()
    }

    /// Keeps what must wait; answers the rest.
    fn keep(&mut self, farewells: Vec<Farewell>) -> Vec<Farewell> {
        let mut rest = Vec::with_capacity(farewells.len());
        for farewell in farewells {
            match self.0.get_mut(&farewell.outgoing.id) {
                Some(waiting) => waiting.push(farewell),
                None => rest.push(farewell),
            }
        }
        rest
    }
}

impl Shard {
    /// Tells clients what they are to hear after their users' own news.
    pub(super) async fn farewell(&mut self, to: Vec<Farewell>) {
        let to = self.waiting.keep(to);
        let users: HashSet<UserSid> = to.iter().map(|farewell| farewell.user).collect();
        for user in users {
            self.refresh(Scope::User(user)).await;
        }
        for farewell in to {
            farewell.outgoing.notify(SYNC_EVENT, &farewell.payload);
        }
    }

    /// Tells a client how its wishes ended. It follows nothing that was refused, even if it did before.
    pub(super) fn answer(&mut self, client: &Client, done: Vec<(Wish, Outcome)>) {
        let is_refused = |(_, outcome): &(Wish, Outcome)| matches!(outcome, Outcome::Failed);
        let (refused, established): (Vec<_>, Vec<_>) = done.into_iter().partition(is_refused);
        client.tell_outcomes(print(&established));
        for (wish, _) in &refused {
            client.followed.strike(wish);
            self.leave(client.outgoing.id, wish.object.scope(), Some(wish.object));
        }
        let refused: Vec<Answer<'_>> = print(&refused).collect();
        let payloads = answers(client.correlation_id, &refused);
        self.all.farewell(payloads.map(|payload| Farewell {
            user: client.user,
            outgoing: client.outgoing.clone(),
            payload,
            _turn: client.turn.clone(),
        }));
    }
}

fn print(done: &[(Wish, Outcome)]) -> impl Iterator<Item = Answer<'_>> {
    done.iter().map(|(wish, outcome)| Answer {
        sid: &wish.sid,
        kind: wish.object.kind(),
        outcome: *outcome,
    })
}
