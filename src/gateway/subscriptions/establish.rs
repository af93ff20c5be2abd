//! Taking followers on: what a client wants to follow at once, in as few reads as can be.

use std::sync::Arc;

use tracing::{debug, warn};

use super::shard::{Read, Shard};
use super::topic::Topic;
use super::{Client, Establish, Wish};
use crate::domain::{Error, Scope};
use crate::gateway::protocol::SYNC_EVENT;
use crate::gateway::sync::events::{Answer, Outcome, SyncEvent, answers, notifications};
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
        let own = Object::OwnConversations(client.user);
        let waited = if wishes.iter().any(|wish| wish.object == own) {
            self.waiting.release(client.outgoing.id)
        } else {
            Vec::new()
        };
        self.take_on(&client, wishes).await;
        self.farewell(waited).await;
    }

    async fn take_on(&mut self, client: &Client, wishes: Vec<Wish>) {
        let sight = match client.look(&self.core, &wishes).await {
            Ok(sight) => sight,
            Err(fault) => {
                warn!(
                    error = fault.inside(),
                    "subscriptions could not be established"
                );
                return;
            }
        };
        let mut changed: Vec<(Scope, Vec<Wish>)> = Vec::new();
        let mut done = Vec::new();
        for wish in wishes {
            let scope = wish.object.scope();
            if let Some(outcome) = self.follow_unchanged(client, &sight, &wish) {
                done.push((wish, outcome));
                continue;
            }
            match changed.iter_mut().find(|(other, _)| *other == scope) {
                Some((_, wishes)) => wishes.push(wish),
                None => changed.push((scope, vec![wish])),
            }
        }
        self.answer(client, done);
        for (scope, wishes) in changed {
            if let Err(fault) = self.follow_changed(client, scope, wishes).await {
                warn!(
                    error = fault.inside(),
                    "a subscription could not be established"
                );
            }
        }
    }

    /// Has a client follow an object of which it knows everything but, at most, the newest value of a document, or
    /// refuses; none where more must be read first.
    fn follow_unchanged(&mut self, client: &Client, sight: &Sight, wish: &Wish) -> Option<Outcome> {
        let (last_event, position) = match sight.last_event(wish.object) {
            Ok(found) => found,
            Err(reason) => return Some(client.refuse(wish, &reason)),
        };
        let scope = wish.object.scope();
        if self.is_behind(scope, position) {
            return None;
        }
        if wish.since.is_some_and(|since| since < last_event) {
            let Object::Document(sid) = wish.object else {
                return None;
            };
            let seen = sight.conversation(sid).ok()?;
            if !client.outgoing.has_room() {
                return None;
            }
            let data = items::document(&seen.conversation, seen.last_message);
            let now = self.core.clock.now();
            let newest = SyncEvent::document(wish.object, data, last_event, now);
            for what in notifications([&newest], Some(client.correlation_id)) {
                client.outgoing.notify(SYNC_EVENT, &what.payload());
            }
        }
        self.follow(client, sight, wish.object, position);
        Some(Outcome::Established(last_event))
    }

    /// Has a client that was caught up follow an object.
    fn follow(&mut self, client: &Client, sight: &Sight, object: Object, position: i64) {
        let scope = object.scope();
        let topic = self
            .topics
            .entry(scope)
            .or_insert_with(|| Topic::new(position));
        let takes_part = sight.takes_part(scope);
        topic.follow(&client.outgoing, client.user, object, takes_part);
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
                let refuse = |wish| {
                    let outcome = client.refuse(&wish, &Error::NotFound);
                    (wish, outcome)
                };
                self.answer(client, wishes.into_iter().map(refuse).collect());
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
        let mut done = Vec::new();
        for mut wish in wishes {
            if let Err(reason) = sight.last_event(wish.object) {
                let outcome = client.refuse(&wish, &reason);
                done.push((wish, outcome));
            } else if let Some(reached) = replay(&read, client, &wish) {
                wish.since = Some(reached);
                if matches!(wish.object, Object::OwnConversations(_)) {
                    self.waiting.hold(client.outgoing.id);
                }
                client.outgoing.resume(Box::new(Establish {
                    client: client.clone(),
                    wishes: vec![wish],
                }));
            } else {
                let outcome = Outcome::Established(read.last_event(wish.object));
                done.push((wish, outcome));
            }
        }
        let position = read.position;
        let caught_up: Vec<Object> = done
            .iter()
            .filter(|(_, outcome)| matches!(outcome, Outcome::Established(_)))
            .map(|(wish, _)| wish.object)
            .collect();
        if let Some(delivered) = delivered.filter(|_| !caught_up.is_empty()) {
            self.tell(scope, read.after(delivered)).await;
        }
        for object in caught_up {
            self.follow(client, &sight, object, position);
        }
        self.answer(client, done);
        Ok(())
    }
}

/// Tells a client of one object what it has not seen; without an event id nothing. Answers the event id that was
/// reached if that is not the end.
fn replay(read: &Read, client: &Client, wish: &Wish) -> Option<i64> {
    let since = wish.since?;
    let mut reached = since;
    let unseen = |event: &&SyncEvent| event.object == wish.object && event.id > since;
    let events = read.events.iter().filter(unseen);
    for what in notifications(events, Some(client.correlation_id)) {
        if !client.outgoing.has_room() {
            return Some(reached);
        }
        client.outgoing.notify(SYNC_EVENT, &what.payload());
        reached = what.until;
    }
    (!read.complete).then_some(read.position.max(since))
}

impl Client {
    async fn look(&self, core: &Arc<Core>, wishes: &[Wish]) -> Result<Sight, Error> {
        let objects = wishes.iter().map(|wish| wish.object);
        Sight::of(core, &self.ctx, self.user, objects).await
    }

    /// How a wish ends that cannot be fulfilled. Whose own objects are not there was deleted before following them, and
    /// is sent away like those who are deleted later.
    fn refuse(&self, wish: &Wish, reason: &Error) -> Outcome {
        debug!(object = %wish.object, %reason, "a subscription was refused");
        if wish.object.scope() == Scope::User(self.user) && matches!(reason, Error::NotFound) {
            self.outgoing.part();
        }
        Outcome::Failed
    }

    /// Tells how wishes ended.
    pub fn tell_outcomes<'a>(&self, all: impl Iterator<Item = Answer<'a>>) {
        let all: Vec<Answer<'_>> = all.collect();
        for payload in answers(self.correlation_id, &all) {
            self.outgoing.notify(SYNC_EVENT, &payload);
        }
    }
}
