//! One shard: some topics, and one thing after the other.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tracing::{debug, warn};

use super::topic::{Topic, of_conversation, of_gone, of_user};
use super::{Establish, Order, digits, scope, shard_of};
use crate::bus::{Parcel, Typist};
use crate::domain::{Actor, Announcement, Ctx, Error, Event, Scope, UserSid};
use crate::gateway::TYPING_TIMEOUT_SECONDS;
use crate::gateway::protocol::SYNC_EVENT;
use crate::gateway::sync::events::{Answer, SyncEvent, answer};
use crate::gateway::sync::{Object, last_event_of_conversation, last_event_of_user};
use crate::ops::access::For;
use crate::ops::{self, Core};

/// Some topics of this node.
pub struct Shard {
    core: Arc<Core>,
    number: usize,
    topics: HashMap<Scope, Topic>,
}

/// How far a replay got.
enum Replayed {
    /// To the end; the client follows, and this is its object's event id.
    All(i64),
    /// Until this event id; the rest when the client has read that much.
    Until(i64),
}

/// What was read of a topic.
struct Read {
    /// Where the answer ends.
    position: i64,
    /// Whether nothing lies behind it.
    complete: bool,
    /// The event id of the object that was asked about.
    last_event_id: i64,
    events: Vec<SyncEvent>,
    conversation: Option<crate::domain::Conversation>,
    /// Whether somebody left, so that it must be looked who may still hear.
    somebody_left: bool,
}

impl Shard {
    pub(super) fn new(core: Arc<Core>, number: usize) -> Self {
        Self {
            core,
            number,
            topics: HashMap::new(),
        }
    }

    /// Hears what the bus carries.
    pub(super) async fn hear(&mut self, parcel: &Parcel) {
        match parcel {
            Parcel::Committed(announcements) => {
                for announcement in announcements {
                    if shard_of(announcement.scope) == self.number {
                        self.announce(announcement).await;
                    }
                }
            }
            Parcel::Typing(typist) => self.typing(typist),
        }
    }

    async fn announce(&mut self, what: &Announcement) {
        let Some(topic) = self.topics.get_mut(&what.scope) else {
            return;
        };
        if what.position <= topic.delivered {
            return;
        }
        match &what.event {
            Event::MessageAdded(message) if what.position == topic.delivered + 1 => {
                topic.tell_message(message, self.core.clock.now());
            }
            Event::ConversationRemoved => self.remove(what.scope, what.position),
            _ => {
                self.refresh(what.scope).await;
            }
        }
    }

    fn typing(&self, typist: &Typist) {
        let Some(topic) = self.topics.get(&Scope::Conversation(typist.conversation)) else {
            return;
        };
        let payload = serde_json::json!({
            "channel_sid": typist.conversation,
            "identity": typist.identity,
            "typing_timeout": TYPING_TIMEOUT_SECONDS + 1,
        });
        topic.tell_typing(
            typist.user,
            &serde_json::to_vec(&payload).unwrap_or_default(),
        );
    }

    fn remove(&mut self, scope: Scope, position: i64) {
        if let Some(topic) = self.topics.remove(&scope) {
            topic.tell(&of_gone(scope, position, self.core.clock.now()));
        }
    }

    /// Reads what a topic's followers have not heard and tells them. Answers whether they have heard everything now.
    async fn refresh(&mut self, scope: Scope) -> bool {
        while let Some(topic) = self.topics.get(&scope) {
            let since = topic.delivered;
            match self.read(scope, since, None).await {
                Ok(Some(read)) => {
                    let complete = read.complete;
                    let told = self.tell(scope, read).await;
                    if complete || !told {
                        return told;
                    }
                }
                Ok(None) => self.remove(scope, since + 1),
                Err(error) => {
                    // The sweep tries again.
                    warn!(error = %error, "changes could not be read for their followers");
                    return false;
                }
            }
        }
        true
    }

    /// Tells followers what was read since they heard the last; not if it cannot be seen who still may hear it.
    async fn tell(&mut self, scope: Scope, read: Read) -> bool {
        if read.somebody_left && !self.retain_members(scope).await {
            return false;
        }
        let Some(topic) = self.topics.get_mut(&scope) else {
            return true;
        };
        topic.tell(&read.events);
        topic.catch_up(read.position, read.conversation);
        if topic.is_empty() {
            self.topics.remove(&scope);
        }
        true
    }

    /// Lets those go who take no part any more; before they are told who left. Answers whether it could be looked up.
    async fn retain_members(&mut self, scope: Scope) -> bool {
        let (Scope::Conversation(talk), Some(topic)) = (scope, self.topics.get_mut(&scope)) else {
            return true;
        };
        match ops::events::member_users(&self.core, talk).await {
            Ok(users) => {
                let users: HashSet<UserSid> = users.into_iter().collect();
                topic.retain_users(|user| users.contains(&user));
                true
            }
            Err(error) => {
                warn!(error = %error, "members could not be read; nothing is delivered until they can");
                false
            }
        }
    }

    /// Reads what changed since a position; none when the topic is gone.
    async fn read(
        &self,
        scope: Scope,
        since: i64,
        object: Option<Object>,
    ) -> Result<Option<Read>, Error> {
        let now = self.core.clock.now();
        Ok(match scope {
            Scope::Conversation(talk) => ops::events::conversation_since(&self.core, talk, since)
                .await?
                .map(|changes| Read {
                    position: changes.until,
                    complete: changes.until == changes.conversation.position,
                    last_event_id: object.map_or(0, |object| {
                        last_event_of_conversation(object, &changes.conversation)
                    }),
                    events: of_conversation(&changes, since, now),
                    somebody_left: !changes.removed_participants.is_empty(),
                    conversation: Some(changes.conversation),
                }),
            Scope::User(user) => {
                ops::events::user_since(&self.core, user, since)
                    .await?
                    .map(|changes| Read {
                        position: changes.user.position,
                        complete: true,
                        last_event_id: object
                            .map_or(0, |object| last_event_of_user(object, &changes.user)),
                        events: of_user(&changes, since, now),
                        somebody_left: false,
                        conversation: None,
                    })
            }
        })
    }

    /// Does what a connection asks for.
    pub(super) async fn obey(&mut self, order: Order) {
        match order {
            Order::Establish(wish) => self.establish(wish).await,
            Order::Cancel { client, object } => self.leave(client, scope(object), Some(object)),
            Order::Forget { client, scopes } => {
                for scope in scopes {
                    self.leave(client, scope, None);
                }
            }
        }
    }

    fn leave(&mut self, client: u64, scope: Scope, object: Option<Object>) {
        if let Some(topic) = self.topics.get_mut(&scope) {
            topic.leave(client, object);
            if topic.is_empty() {
                self.topics.remove(&scope);
            }
        }
    }

    /// Catches a client up with an object and has it follow.
    ///
    /// The rows are read first and the right to see them second: whoever loses it after that is let go by the event that
    /// tells of it, whose position lies behind what was read.
    async fn establish(&mut self, mut wish: Box<Establish>) {
        if wish.outgoing.is_cut() {
            return;
        }
        let answered = match self.try_establish(&wish).await {
            Ok(Replayed::All(last_event_id)) => Answer::Established(last_event_id),
            Ok(Replayed::Until(reached)) => {
                wish.since = Some(reached);
                let outgoing = Arc::clone(&wish.outgoing);
                return outgoing.resume(wish);
            }
            Err(Error::Internal(fault)) => {
                // No answer: the SDK asks again after a while.
                warn!(error = %fault, "a subscription could not be established");
                return;
            }
            Err(refusal) => {
                debug!(object = %wish.object, reason = %refusal, "a subscription was refused");
                Answer::Failed
            }
        };
        let text = answer(&wish.sid, wish.object.kind(), wish.correlation_id, answered);
        wish.outgoing.notify(SYNC_EVENT, &text);
    }

    async fn try_establish(&mut self, wish: &Establish) -> Result<Replayed, Error> {
        let scope = scope(wish.object);
        // Those who follow already are brought up to date in the same read, so that the topic has one position.
        let (delivered, read) = loop {
            let delivered = self.topics.get(&scope).map(|topic| topic.delivered);
            let since = wish
                .since
                .unwrap_or(i64::MAX)
                .min(delivered.unwrap_or(i64::MAX));
            let read = self
                .read(scope, since, Some(wish.object))
                .await?
                .ok_or(Error::NotFound)?;
            if read.complete || delivered != Some(since) {
                break (delivered, read);
            }
            // The topic itself is so far behind that it catches up in steps.
            if !self.refresh(scope).await {
                return Err(Error::internal("a topic could not be caught up"));
            }
        };
        may_follow(&self.core, &wish.ctx, wish.object).await?;
        let Actor::User { sid: user, .. } = wish.ctx.actor else {
            return Err(Error::NotFound);
        };
        let last_event_id = read.last_event_id;
        if let Some(reached) = replay(&read, wish) {
            return Ok(Replayed::Until(reached));
        }
        match delivered {
            Some(delivered) => {
                let news = Read {
                    events: after(read.events, delivered),
                    ..read
                };
                self.tell(scope, news).await;
            }
            None => {
                self.topics
                    .insert(scope, Topic::new(read.position, read.conversation));
            }
        }
        let topic = self
            .topics
            .entry(scope)
            .or_insert_with(|| Topic::new(read.position, None));
        topic.follow(&wish.outgoing, user, wish.object);
        Ok(Replayed::All(last_event_id))
    }

    /// Compares the positions of all topics with the database, and tells what was missed.
    pub(super) async fn sweep(&mut self) {
        if self.topics.is_empty() {
            return;
        }
        let (mut talks, mut users) = (Vec::new(), Vec::new());
        for scope in self.topics.keys() {
            match scope {
                Scope::Conversation(sid) => talks.push(*sid),
                Scope::User(sid) => users.push(*sid),
            }
        }
        let positions = match ops::events::positions(&self.core, &talks, &users).await {
            Ok(positions) => positions,
            Err(error) => {
                warn!(error = %error, "positions could not be compared");
                return;
            }
        };
        let behind: Vec<Scope> = self
            .topics
            .iter()
            .filter(|(scope, topic)| {
                positions
                    .get(&digits(**scope))
                    .is_none_or(|position| *position > topic.delivered)
            })
            .map(|(scope, _)| *scope)
            .collect();
        for scope in behind {
            debug!(?scope, "a publication was missed");
            self.refresh(scope).await;
        }
    }
}

/// Tells a new follower of one object what it has not seen; without an event id nothing. Answers the event id that was
/// reached if that is not the end.
fn replay(read: &Read, wish: &Establish) -> Option<i64> {
    let since = wish.since?;
    let mut reached = since;
    let unseen = |event: &&SyncEvent| event.object == wish.object && event.id > since;
    for event in read.events.iter().filter(unseen) {
        if !wish.outgoing.has_room() {
            return Some(reached);
        }
        wish.outgoing
            .notify(SYNC_EVENT, &event.payload(Some(wish.correlation_id)));
        reached = event.id;
    }
    (!read.complete).then_some(read.position)
}

fn after(events: Vec<SyncEvent>, position: i64) -> Vec<SyncEvent> {
    events
        .into_iter()
        .filter(|event| event.id > position)
        .collect()
}

/// Checks that a client may hear of an object.
async fn may_follow(core: &Core, ctx: &Ctx, object: Object) -> Result<(), Error> {
    match object {
        Object::Document(talk) => ops::events::may_follow(core, ctx, &talk.into(), For::Peeking)
            .await
            .map(|_| ()),
        Object::Messages(talk) | Object::Roster(talk) => {
            ops::events::may_follow(core, ctx, &talk.into(), For::TakingPart)
                .await
                .map(|_| ())
        }
        Object::OwnConversations(user) => match &ctx.actor {
            Actor::User { sid, .. } if *sid == user => Ok(()),
            _ => Err(Error::NotFound),
        },
        Object::UserInfo(user) => ops::events::user(core, ctx, user).await.map(|_| ()),
    }
}
