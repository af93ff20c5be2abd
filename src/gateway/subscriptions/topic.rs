//! One topic: who follows it, and what they are told.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Farewell;
use crate::domain::{Conversation, ConversationSid, Message, Scope, Timestamp, User, UserSid};
use crate::gateway::news::News;
use crate::gateway::outgoing::Outgoing;
use crate::gateway::protocol::{self, TYPING};
use crate::gateway::sync::Object;
use crate::gateway::sync::events::{SyncEvent, notifications};
use crate::gateway::sync::items::{self, Place};
use crate::ops::events::{ConversationChanges, LastMessage, UserChanges};

/// A conversation or user that somebody follows.
pub(super) struct Topic {
    /// Followers have heard everything up to here.
    pub delivered: i64,
    /// The conversation as it was at `delivered`, for the document that each message changes. Only while messages come:
    /// most conversations are silent most of the time.
    conversation: Option<Box<Conversation>>,
    /// Whether a message came since this was last asked.
    was_busy: bool,
    /// Until when it is busy with what it told last.
    busy_until: Option<Instant>,
    /// One for each client, in the order of their ids.
    followers: Vec<Follower>,
}

/// How long a topic is busy with each follower it has told of messages. What comes meanwhile is told together, for a
/// notification costs a server, a network and a client as much as a message does. Our choice: a little more than it takes
/// to write to one and to read its acknowledgement, so that a conversation of two is never held up, and one of hundreds
/// is told in strides.
const STRIDE: Duration = Duration::from_micros(30);
/// How many messages are told at once, however busy the topic is: what a notification costs is shared by enough of them,
/// and more would only keep those waiting who write when they have heard.
const ENOUGH: usize = 16;
/// How long a message may wait for that, however many the followers are. Nobody sees it.
const LONGEST_STRIDE: Duration = Duration::from_millis(20);

struct Follower {
    client: u64,
    outgoing: Arc<Outgoing>,
    user: UserSid,
    /// The bits of the objects.
    objects: u8,
    /// Whether it follows as one who takes part, not as an onlooker.
    takes_part: bool,
}

/// Tells the objects of one topic apart.
const fn bit(of: Object) -> u8 {
    match of {
        Object::Document(_) | Object::OwnConversations(_) => 1,
        Object::Messages(_) | Object::UserInfo(_) => 2,
        Object::Roster(_) => ROSTER,
    }
}

const ROSTER: u8 = 4;

impl Topic {
    pub(super) const fn new(delivered: i64) -> Self {
        Self {
            delivered,
            conversation: None,
            was_busy: false,
            busy_until: None,
            followers: Vec::new(),
        }
    }

    /// Whether a message can be told without reading anything.
    pub(super) const fn is_awake(&self) -> bool {
        self.conversation.is_some()
    }

    /// Lets go of what is only kept for the next message, if none came since the last time.
    pub(super) fn rest(&mut self) {
        if !std::mem::take(&mut self.was_busy) {
            self.conversation = None;
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.followers.is_empty()
    }

    /// Takes a follower on, who has been caught up to `delivered`. Following twice is following once.
    pub(super) fn follow(
        &mut self,
        outgoing: &Arc<Outgoing>,
        user: UserSid,
        object: Object,
        takes_part: bool,
    ) {
        let at = self.place(outgoing.id).unwrap_or_else(|at| {
            let follower = Follower {
                client: outgoing.id,
                outgoing: Arc::clone(outgoing),
                user,
                objects: 0,
                takes_part,
            };
            self.followers.insert(at, follower);
            at
        });
        self.followers[at].objects |= bit(object);
        self.followers[at].takes_part |= takes_part;
    }

    fn place(&self, client: u64) -> Result<usize, usize> {
        self.followers.binary_search_by_key(&client, |f| f.client)
    }

    /// Ends the sockets of a user, when they were told what waits for them.
    pub(super) fn part(&self, user: UserSid) {
        for follower in self.followers.iter().filter(|f| f.user == user) {
            follower.outgoing.part();
        }
    }

    /// Lets a client go: from one object, or from all.
    pub(super) fn leave(&mut self, client: u64, object: Option<Object>) {
        let Ok(at) = self.place(client) else {
            return;
        };
        let follower = &mut self.followers[at];
        follower.objects &= object.map_or(0, |object| !bit(object));
        if follower.objects == 0 {
            self.followers.remove(at);
        }
    }

    /// Lets users go who take no part any more, and clients that are gone. Onlookers never took part, and stay.
    pub(super) fn retain_users(&mut self, stays: impl Fn(UserSid) -> bool) {
        self.followers
            .retain(|f| !f.outgoing.is_cut() && (!f.takes_part || stays(f.user)));
    }

    /// The users who look on without taking part.
    pub(super) fn onlookers(&self) -> impl Iterator<Item = UserSid> {
        let onlookers = self.followers.iter().filter(|f| !f.takes_part);
        onlookers.map(|f| f.user)
    }

    /// Lets a user's clients go that look on without taking part.
    pub(super) fn send_away(&mut self, onlooker: UserSid) {
        self.followers
            .retain(|f| f.takes_part || f.user != onlooker);
    }

    /// Tells everybody who follows the objects of these events: each client of all together.
    pub(super) fn tell(&self, events: &[SyncEvent]) {
        let news: Vec<(u8, Arc<News>)> = notifications(events, None)
            .map(|what| (bit(what.object), News::of(what)))
            .collect();
        for follower in &self.followers {
            let mine = news
                .iter()
                .filter(|(object, _)| follower.objects & object != 0);
            follower.outgoing.tell(mine.map(|(_, news)| news));
        }
    }

    /// What each follower is to be told of these events.
    pub(super) fn farewells(&self, events: &[SyncEvent]) -> impl Iterator<Item = Farewell> {
        notifications(events, None).flat_map(|what| {
            let (object, payload) = (bit(what.object), what.payload());
            let followers = self
                .followers
                .iter()
                .filter(move |f| f.objects & object != 0);
            followers.map(move |follower| Farewell {
                user: follower.user,
                outgoing: Arc::clone(&follower.outgoing),
                payload: payload.clone(),
                _turn: None,
            })
        })
    }

    /// Takes up a message whose position is the next one; [`Self::tell_messages`] tells of it.
    pub(super) const fn take_up(&mut self, message: &Message) {
        self.delivered = message.position;
        self.was_busy = true;
    }

    /// Until when messages had better be collected, of which there are so many; none if they can be told now.
    pub(super) fn busy_until(&self, now: Instant, collected: usize) -> Option<Instant> {
        self.busy_until
            .filter(|until| *until > now && collected < ENOUGH)
    }

    /// Tells of messages that were taken up one after the other. Each changed the document; its last value is enough.
    pub(super) fn tell_messages(&mut self, messages: &[Arc<Message>], now: Timestamp) {
        let Some(newest) = messages.last() else {
            return;
        };
        let talk = newest.conversation_sid;
        let mut events: Vec<SyncEvent> = messages
            .iter()
            .map(|message| SyncEvent::added(Object::Messages(talk), &items::message(message)))
            .collect();
        if let Some(conversation) = &self.conversation {
            let last = LastMessage {
                index: newest.index,
                date_created: newest.date_created,
            };
            events.push(SyncEvent::document(
                Object::Document(talk),
                items::document(conversation, Some(last)),
                newest.position,
                now,
            ));
        }
        self.tell(&events);
        let count = u32::try_from(self.followers.len()).unwrap_or(u32::MAX);
        self.busy_until = Some(Instant::now() + STRIDE.saturating_mul(count).min(LONGEST_STRIDE));
    }

    /// Tells the other participants that somebody is typing.
    pub(super) fn tell_typing(&self, typist: UserSid, payload: &[u8]) {
        // Who follows the roster takes part; a client follows it once.
        let frame = protocol::notify(TYPING, payload);
        for follower in &self.followers {
            if follower.objects & ROSTER != 0 && follower.user != typist {
                follower.outgoing.send(frame.clone());
            }
        }
    }

    /// Notes how things are now.
    pub(super) fn catch_up(&mut self, position: i64, conversation: Option<Box<Conversation>>) {
        self.delivered = self.delivered.max(position);
        if conversation.is_some() {
            self.was_busy = true;
            self.conversation = conversation;
        }
    }
}

/// What a reader of a conversation's objects who has seen everything up to `since` must be told, in order for each
/// object.
pub(super) fn of_conversation(
    changes: &ConversationChanges,
    since: i64,
    now: Timestamp,
) -> Vec<SyncEvent> {
    let talk = changes.conversation.sid;
    let (document, list, roster) = (
        Object::Document(talk),
        Object::Messages(talk),
        Object::Roster(talk),
    );
    let until = changes.until;
    let mut events = Vec::new();
    for message in &changes.messages {
        events.extend(SyncEvent::item(
            list,
            &items::message(message),
            since,
            until,
        ));
    }
    for (index, position) in &changes.removed_messages {
        let place = Place::Index(*index);
        events.push(SyncEvent::item_removed(list, &place, *position, now));
    }
    for participant in &changes.participants {
        let item = items::participant(participant);
        events.extend(SyncEvent::item(roster, &item, since, until));
    }
    for (sid, position) in &changes.removed_participants {
        let place = Place::Key(sid.to_string());
        events.push(SyncEvent::item_removed(roster, &place, *position, now));
    }
    let document_position = changes.conversation.document_position;
    if document_position > since && document_position <= until {
        let data = items::document(&changes.conversation, changes.last_message);
        events.push(SyncEvent::document(document, data, document_position, now));
    }
    events.sort_by_key(|event| event.id);
    events
}

/// The same for what belongs to a user.
pub(super) fn of_user(changes: &UserChanges, since: i64, now: Timestamp) -> Vec<SyncEvent> {
    let user: &User = &changes.user;
    let (own, info) = (
        Object::OwnConversations(user.sid),
        Object::UserInfo(user.sid),
    );
    let until = changes.until;
    let mut events = Vec::new();
    for membership in &changes.memberships {
        let item = items::membership(membership, user);
        events.extend(SyncEvent::item(own, &item, since, until));
    }
    for (talk, position) in &changes.left {
        events.push(left(user.sid, *talk, *position, now));
    }
    for item in items::user_info(user) {
        events.extend(SyncEvent::item(info, &item, since, until));
    }
    events.sort_by_key(|event| event.id);
    events
}

/// What a user's clients are told of a conversation that was left.
pub(super) fn left(
    user: UserSid,
    talk: ConversationSid,
    position: i64,
    now: Timestamp,
) -> SyncEvent {
    let place = Place::Key(talk.to_string());
    SyncEvent::item_removed(Object::OwnConversations(user), &place, position, now)
}

/// What readers of a conversation that is gone must be told.
pub(super) fn of_gone(scope: Scope, position: i64, now: Timestamp) -> Vec<SyncEvent> {
    let objects = |talk: ConversationSid| {
        [
            Object::Document(talk),
            Object::Messages(talk),
            Object::Roster(talk),
        ]
    };
    match scope {
        Scope::Conversation(talk) => objects(talk)
            .map(|object| SyncEvent::removed(object, position, now))
            .to_vec(),
        Scope::User(user) => [Object::OwnConversations(user), Object::UserInfo(user)]
            .map(|object| SyncEvent::removed(object, position, now))
            .to_vec(),
    }
}
