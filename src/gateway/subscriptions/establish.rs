//! Taking followers on: what a client wants to follow at once, in as few reads as can be.

use std::sync::Arc;

use tracing::{debug, warn};

use super::shard::{Read, Shard};
use super::topic::Topic;
use super::{Client, Establish, Wish};
use crate::domain::{Error, Scope};
use crate::gateway::protocol::SYNC_EVENT;
use crate::gateway::sync::events::{Answer, SyncEvent, answer};
use crate::gateway::sync::sight::Sight;
use crate::gateway::sync::{Object, items};
use crate::ops::Core;

impl Shard {
    /// Catches a client up with objects and has it follow them.
    ///
    /// One read tells which objects changed since the client read them; most did not. A wish that cannot be looked into
    /// is not answered: the SDK asks again after a while.
    pub(super) async fn establish(&mut self, request: Establish) {
        let Establish { client, wishes } = request;
        if client.outgoing.is_cut() {
            return;
        }
        let sight = match client.look(&self.core, &wishes).await {
            Ok(sight) => sight,
            Err(fault) => {
                warn!(error = %fault, "subscriptions could not be established");
                return;
            }
        };
        let mut changed: Vec<(Scope, Vec<Wish>)> = Vec::new();
        for wish in wishes {
            let scope = wish.object.scope();
            let Some(wish) = self.follow_unchanged(&client, &sight, wish) else {
                continue;
            };
            match changed.iter_mut().find(|(other, _)| *other == scope) {
                Some((_, wishes)) => wishes.push(wish),
                None => changed.push((scope, vec![wish])),
            }
        }
        for (scope, wishes) in changed {
            if let Err(fault) = self.follow_changed(&client, scope, wishes).await {
                warn!(error = %fault, "a subscription could not be established");
            }
        }
    }

    /// Has a client follow an object of which it knows everything but, at most, the newest value of a document; gives
    /// the wish back otherwise.
    fn follow_unchanged(&mut self, client: &Client, sight: &Sight, wish: Wish) -> Option<Wish> {
        let (last_event, position) = match sight.last_event(wish.object) {
            Ok(found) => found,
            Err(refusal) => {
                client.refuse(&wish, &refusal);
                return None;
            }
        };
        let scope = wish.object.scope();
        if self.is_behind(scope, position) {
            return Some(wish);
        }
        if wish.since.is_some_and(|since| since < last_event) {
            let document = match wish.object {
                Object::Document(sid) => sight.conversation(sid).ok(),
                _ => None,
            };
            let Some(seen) = document.filter(|_| client.outgoing.has_room()) else {
                return Some(wish);
            };
            let data = items::document(&seen.conversation, seen.last_message);
            client.replay(&SyncEvent::document(
                wish.object,
                data,
                last_event,
                self.core.clock.now(),
            ));
        }
        let topic = self
            .topics
            .entry(scope)
            .or_insert_with(|| Topic::new(position));
        let takes_part = sight.takes_part(scope);
        topic.follow(&client.outgoing, client.user, wish.object, takes_part);
        client.answer(&wish, Answer::Established(last_event));
        None
    }

    /// Catches a client up with objects of one topic, from the oldest event id of them on, and has it follow.
    ///
    /// # Errors
    /// As the database.
    async fn follow_changed(
        &mut self,
        client: &Client,
        scope: Scope,
        wishes: Vec<Wish>,
    ) -> Result<(), Error> {
        let oldest = wishes.iter().filter_map(|wish| wish.since).min();
        // Those who follow already are brought up to date in the same read, so that the topic has one position.
        let (delivered, read) = loop {
            let delivered = self.topics.get(&scope).map(|topic| topic.delivered);
            let since = oldest
                .into_iter()
                .chain(delivered)
                .min()
                .unwrap_or(i64::MAX);
            let Some(read) = self.read(scope, since).await? else {
                for wish in &wishes {
                    client.refuse(wish, &Error::NotFound);
                }
                return Ok(());
            };
            if read.complete || delivered != Some(since) {
                break (delivered, read);
            }
            // The topic itself is so far behind that it catches up in steps.
            if !self.refresh(scope).await {
                return Err(Error::internal("a topic could not be caught up"));
            }
        };
        // The rows were read first, and the right to see them comes second: whoever loses it after that is let go by
        // the event that tells of it, whose position lies behind what was read.
        let sight = client.look(&self.core, &wishes).await?;
        let mut caught_up = Vec::new();
        for mut wish in wishes {
            if let Err(refusal) = sight.last_event(wish.object) {
                client.refuse(&wish, &refusal);
            } else if let Some(reached) = replay(&read, client, &wish) {
                wish.since = Some(reached);
                client.outgoing.resume(Box::new(Establish {
                    client: client.clone(),
                    wishes: vec![wish],
                }));
            } else {
                caught_up.push((read.last_event(wish.object), wish));
            }
        }
        if caught_up.is_empty() {
            return Ok(());
        }
        let position = read.position;
        if let Some(delivered) = delivered {
            self.tell(scope, read.after(delivered)).await;
        }
        let topic = self
            .topics
            .entry(scope)
            .or_insert_with(|| Topic::new(position));
        let takes_part = sight.takes_part(scope);
        for (last_event, wish) in caught_up {
            topic.follow(&client.outgoing, client.user, wish.object, takes_part);
            client.answer(&wish, Answer::Established(last_event));
        }
        Ok(())
    }
}

/// Tells a client of one object what it has not seen; without an event id nothing. Answers the event id that was
/// reached if that is not the end.
fn replay(read: &Read, client: &Client, wish: &Wish) -> Option<i64> {
    let since = wish.since?;
    let mut reached = since;
    let unseen = |event: &&SyncEvent| event.object == wish.object && event.id > since;
    for event in read.events.iter().filter(unseen) {
        if !client.outgoing.has_room() {
            return Some(reached);
        }
        client.replay(event);
        reached = event.id;
    }
    (!read.complete).then_some(read.position.max(since))
}

impl Client {
    async fn look(&self, core: &Arc<Core>, wishes: &[Wish]) -> Result<Sight, Error> {
        let objects = wishes.iter().map(|wish| wish.object);
        Sight::of(core, &self.ctx, self.user, objects).await
    }

    fn replay(&self, event: &SyncEvent) {
        let payload = event.payload(Some(self.correlation_id));
        self.outgoing.notify(SYNC_EVENT, &payload);
    }

    fn answer(&self, wish: &Wish, what: Answer) {
        let text = answer(&wish.sid, wish.object.kind(), self.correlation_id, what);
        self.outgoing.notify(SYNC_EVENT, &text);
    }

    fn refuse(&self, wish: &Wish, reason: &Error) {
        debug!(object = %wish.object, %reason, "a subscription was refused");
        self.answer(wish, Answer::Failed);
    }
}
