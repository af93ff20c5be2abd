//! One topic: who follows it, and what they are told.

use std::sync::Arc;

use super::Farewell;
use crate::domain::{Conversation, ConversationSid, Message, Scope, Timestamp, User, UserSid};
use crate::gateway::outgoing::Outgoing;
use crate::gateway::protocol::{SYNC_EVENT, TYPING};
use crate::gateway::sync::Object;
use crate::gateway::sync::events::SyncEvent;
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
    followers: Vec<Follower>,
}

struct Follower {
    outgoing: Arc<Outgoing>,
    user: UserSid,
    object: Object,
}

impl Topic {
    pub(super) const fn new(delivered: i64) -> Self {
        Self {
            delivered,
            conversation: None,
            was_busy: false,
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
    pub(super) fn follow(&mut self, outgoing: &Arc<Outgoing>, user: UserSid, object: Object) {
        self.leave(outgoing.id, Some(object));
        self.followers.push(Follower {
            outgoing: Arc::clone(outgoing),
            user,
            object,
        });
    }

    /// Cuts the sockets of a user.
    pub(super) fn cut(&self, user: UserSid) {
        for follower in self.followers.iter().filter(|f| f.user == user) {
            follower.outgoing.cut_off();
        }
    }

    /// Lets a client go: from one object, or from all.
    pub(super) fn leave(&mut self, client: u64, object: Option<Object>) {
        self.followers
            .retain(|f| f.outgoing.id != client || object.is_some_and(|object| object != f.object));
    }

    /// Lets users go who take no part any more, and clients that are gone.
    pub(super) fn retain_users(&mut self, stays: impl Fn(UserSid) -> bool) {
        self.followers
            .retain(|f| !f.outgoing.is_cut() && stays(f.user));
    }

    /// Tells everybody who follows the objects of these events.
    pub(super) fn tell(&self, events: &[SyncEvent]) {
        for event in events {
            // One text for all who hear it.
            let payload = event.payload(None);
            for follower in self.followers.iter().filter(|f| f.object == event.object) {
                follower.outgoing.notify(SYNC_EVENT, &payload);
            }
        }
    }

    /// What each follower is to be told of these events.
    pub(super) fn farewells(&self, events: &[SyncEvent]) -> impl Iterator<Item = Farewell> {
        events.iter().flat_map(|event| {
            let payload = event.payload(None);
            let followers = self.followers.iter().filter(|f| f.object == event.object);
            followers.map(move |follower| Farewell {
                user: follower.user,
                outgoing: Arc::clone(&follower.outgoing),
                payload: payload.clone(),
            })
        })
    }

    /// Tells of a message whose position is the next one.
    pub(super) fn tell_message(&mut self, message: &Message, now: Timestamp) {
        let talk = message.conversation_sid;
        let item = items::message(message);
        let (since, until) = (self.delivered, message.position);
        let mut events: Vec<SyncEvent> =
            SyncEvent::item(Object::Messages(talk), &item, since, until).collect();
        if let Some(conversation) = &mut self.conversation {
            let last = LastMessage {
                index: message.index,
                date_created: message.date_created,
            };
            let data = items::document(conversation, Some(last));
            events.push(SyncEvent::document(
                Object::Document(talk),
                data,
                message.position,
                now,
            ));
        }
        self.delivered = message.position;
        self.was_busy = true;
        self.tell(&events);
    }

    /// Tells the other participants that somebody is typing.
    pub(super) fn tell_typing(&self, typist: UserSid, payload: &[u8]) {
        // Who follows the roster takes part; a client follows it once.
        for follower in &self.followers {
            if matches!(follower.object, Object::Roster(_)) && follower.user != typist {
                follower.outgoing.notify(TYPING, payload);
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
        let place = Place::Key(talk.to_string());
        events.push(SyncEvent::item_removed(own, &place, *position, now));
    }
    for item in items::user_info(user) {
        events.extend(SyncEvent::item(info, &item, since, until));
    }
    events.sort_by_key(|event| event.id);
    events
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
