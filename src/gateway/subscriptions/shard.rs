//! One shard: some topics, and one thing after the other.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::time::Instant;
use tracing::{debug, warn};

use super::farewell::Waiting;
use super::topic::{Topic, left, of_conversation, of_gone, of_user};
use super::{Order, Subscriptions, digits, shard_of};
use crate::bus::{Parcel, Typist};
use crate::domain::{Announcement, Conversation, Error, Event, Message, Scope, User, UserSid};
use crate::gateway::TYPING_TIMEOUT_SECONDS;
use crate::gateway::sync::events::SyncEvent;
use crate::gateway::sync::{Object, last_event_of_conversation, last_event_of_user};
use crate::ops::{self, Core};

/// Some topics of this node.
pub struct Shard {
    pub(super) core: Arc<Core>,
    pub(super) all: Subscriptions,
    number: usize,
    pub(super) topics: HashMap<Scope, Topic>,
    /// Messages that the followers of each topic are to be told of together.
    news: HashMap<Scope, Vec<Arc<Message>>>,
    pub(super) waiting: Waiting,
}

/// What was read of a topic.
pub(super) struct Read {
    /// Where the answer ends.
    pub position: i64,
    /// Whether nothing lies behind it.
    pub complete: bool,
    /// What happened, in order.
    pub events: Vec<SyncEvent>,
    /// What it is about, as it is now.
    about: About,
    /// Whether somebody left, so that it must be looked who may still hear.
    somebody_left: bool,
}

/// What is left to do when an announcement was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Nothing.
    All,
    /// To look whether the user is still there, who was told of a conversation that was left. Whoever is deleted leaves
    /// all conversations, and can be told so from the announcements only: nothing can be read of the user any more.
    Left,
}

enum About {
    Conversation(Box<Conversation>),
    User(Box<User>),
}

impl Read {
    /// The event id of an object.
    pub(super) fn last_event(&self, object: Object) -> i64 {
        match &self.about {
            About::Conversation(conversation) => last_event_of_conversation(object, conversation),
            About::User(user) => last_event_of_user(object, user),
        }
    }

    /// Only what happened after a position.
    pub(super) fn after(mut self, position: i64) -> Self {
        self.events.retain(|event| event.id > position);
        self
    }
}

impl Shard {
    pub(super) fn new(core: Arc<Core>, all: Subscriptions, number: usize) -> Self {
        Self {
            core,
            all,
            number,
            topics: HashMap::new(),
            news: HashMap::new(),
            waiting: Waiting::default(),
        }
    }

    /// Hears what the bus carries; [`Self::hand_out_due`] comes when nothing more waits.
    pub(super) async fn hear(&mut self, parcel: &Parcel) {
        match parcel {
            Parcel::Committed(announcements) => {
                let mut left = HashSet::new();
                for announcement in announcements {
                    if shard_of(announcement.scope) == self.number
                        && self.announce(announcement).await == Told::Left
                    {
                        left.insert(announcement.scope);
                    }
                }
                for scope in left {
                    self.refresh(scope).await;
                }
            }
            Parcel::Typing(typist) => self.typing(typist),
        }
    }

    async fn announce(&mut self, what: &Announcement) -> Told {
        let Some(topic) = self.topics.get_mut(&what.scope) else {
            return Told::All;
        };
        if what.position <= topic.delivered {
            return Told::All;
        }
        match (&what.event, what.scope) {
            (Event::MessageAdded(message), _)
                if what.position == topic.delivered + 1 && topic.is_awake() =>
            {
                topic.take_up(message);
                let news = self.news.entry(what.scope).or_default();
                news.push(Arc::clone(message));
            }
            (Event::ConversationRemoved, _) => self.remove(what.scope, what.position),
            (Event::MembershipRemoved { conversation }, Scope::User(user))
                if what.position == topic.delivered + 1 =>
            {
                let event = left(user, *conversation, what.position, self.core.clock.now());
                self.hand_out();
                if let Some(topic) = self.topics.get_mut(&what.scope) {
                    topic.tell(&[event]);
                    topic.catch_up(what.position, None);
                }
                return Told::Left;
            }
            _ => {
                self.refresh(what.scope).await;
            }
        }
        Told::All
    }

    /// Tells of the messages that were collected, but for topics that are still busy with those before; answers when
    /// the first of these is not any more.
    pub(super) fn hand_out_due(&mut self) -> Option<Instant> {
        let now = Instant::now();
        let mut due: Option<Instant> = None;
        for (scope, news) in std::mem::take(&mut self.news) {
            let Some(topic) = self.topics.get_mut(&scope) else {
                continue;
            };
            if let Some(until) = topic.busy_until(now, news.len()) {
                due = due.into_iter().chain([until]).min();
                self.news.insert(scope, news);
            } else {
                topic.tell_messages(&news, self.core.clock.now());
            }
        }
        due
    }

    /// Tells of all messages that were collected, before something else is told or read.
    pub(super) fn hand_out(&mut self) {
        for (scope, news) in self.news.drain() {
            if let Some(topic) = self.topics.get_mut(&scope) {
                topic.tell_messages(&news, self.core.clock.now());
            }
        }
    }

    fn typing(&mut self, typist: &Typist) {
        let scope = Scope::Conversation(typist.conversation);
        let Some(topic) = self.topics.get_mut(&scope) else {
            return;
        };
        // To a client, a message ends its author's typing: what was written before must not come behind what is typed
        // next. Others' messages may, so that people who type do not have a busy conversation told in smaller strides.
        let author = typist.identity.as_str();
        let has_written =
            |news: &Vec<Arc<Message>>| news.iter().any(|message| message.author == author);
        if self.news.get(&scope).is_some_and(has_written)
            && let Some(news) = self.news.remove(&scope)
        {
            topic.tell_messages(&news, self.core.clock.now());
        }
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

    /// Tells the followers of a topic that is gone. Of a conversation they hear by the shards of their users: a member
    /// is to hear first that it left, which an SDK that has heard of the end does not tell any more.
    fn remove(&mut self, scope: Scope, position: i64) {
        self.hand_out();
        let Some(topic) = self.topics.remove(&scope) else {
            return;
        };
        let events = of_gone(scope, position, self.core.clock.now());
        match scope {
            Scope::Conversation(_) => self.all.farewell(topic.farewells(&events)),
            Scope::User(user) => {
                topic.tell(&events);
                // Whoever was deleted is told so when the client comes back.
                topic.part(user);
            }
        }
    }

    /// Reads what a topic's followers have not heard and tells them. Answers whether they have heard everything now.
    pub(super) async fn refresh(&mut self, scope: Scope) -> bool {
        self.hand_out();
        while let Some(topic) = self.topics.get(&scope) {
            let since = topic.delivered;
            match self.read(scope, since).await {
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
                    warn!(
                        error = error.inside(),
                        "changes could not be read for their followers"
                    );
                    return false;
                }
            }
        }
        true
    }

    /// Tells followers what was read since they heard the last; not if it cannot be seen who still may hear it.
    pub(super) async fn tell(&mut self, scope: Scope, read: Read) -> bool {
        if read.somebody_left && !self.retain_members(scope).await {
            return false;
        }
        let Some(topic) = self.topics.get_mut(&scope) else {
            return true;
        };
        topic.tell(&read.events);
        let conversation = match read.about {
            About::Conversation(conversation) => Some(conversation),
            About::User(_) => None,
        };
        topic.catch_up(read.position, conversation);
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
                warn!(
                    error = error.inside(),
                    "members could not be read; nothing is delivered until they can"
                );
                false
            }
        }
    }

    /// Reads what changed since a position; none when the topic is gone.
    pub(super) async fn read(&self, scope: Scope, since: i64) -> Result<Option<Read>, Error> {
        let now = self.core.clock.now();
        Ok(match scope {
            Scope::Conversation(talk) => ops::events::conversation_since(&self.core, talk, since)
                .await?
                .map(|changes| Read {
                    position: changes.until,
                    complete: changes.until == changes.conversation.position,
                    events: of_conversation(&changes, since, now),
                    somebody_left: !changes.removed_participants.is_empty(),
                    about: About::Conversation(Box::new(changes.conversation)),
                }),
            Scope::User(user) => {
                ops::events::user_since(&self.core, user, since)
                    .await?
                    .map(|changes| Read {
                        position: changes.until,
                        complete: changes.until == changes.user.position,
                        events: of_user(&changes, since, now),
                        somebody_left: false,
                        about: About::User(Box::new(changes.user)),
                    })
            }
        })
    }

    /// Does what a connection asks for.
    pub(super) async fn obey(&mut self, order: Order) {
        self.hand_out();
        match order {
            Order::Establish(request) => self.establish(*request).await,
            Order::Farewell(to) => self.farewell(to).await,
            Order::Cancel { client, object } => {
                self.leave(client, object.scope(), Some(object));
                if matches!(object, Object::OwnConversations(_)) {
                    let waited = self.waiting.release(client);
                    self.farewell(waited).await;
                }
            }
            Order::Forget { client, scopes } => {
                self.waiting.release(client);
                for scope in scopes {
                    self.leave(client, scope, None);
                }
            }
        }
    }

    pub(super) fn leave(&mut self, client: u64, scope: Scope, object: Option<Object>) {
        if let Some(topic) = self.topics.get_mut(&scope) {
            topic.leave(client, object);
            if topic.is_empty() {
                self.topics.remove(&scope);
            }
        }
    }

    /// Whether a topic's followers have not heard of everything up to a position.
    pub(super) fn is_behind(&self, scope: Scope, position: i64) -> bool {
        self.topics
            .get(&scope)
            .is_some_and(|topic| topic.delivered != position)
    }

    /// Compares the positions of all topics with the database, and tells what was missed.
    pub(super) async fn sweep(&mut self) {
        self.hand_out();
        if self.topics.is_empty() {
            return;
        }
        for topic in self.topics.values_mut() {
            topic.rest();
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
                warn!(error = error.inside(), "positions could not be compared");
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
        self.send_strangers_away().await;
    }

    /// Lets onlookers go who may not look on any more. Roles are no part of a topic, so nothing tells when they change;
    /// onlookers are few, and one statement looks at all of them.
    async fn send_strangers_away(&mut self) {
        let mut onlookers = Vec::new();
        for (scope, topic) in &self.topics {
            if let Scope::Conversation(talk) = scope {
                onlookers.extend(topic.onlookers().map(|user| (user, *talk)));
            }
        }
        if onlookers.is_empty() {
            return;
        }
        let strangers = match ops::events::strangers(&self.core, &onlookers).await {
            Ok(strangers) => strangers,
            Err(error) => {
                warn!(
                    error = error.inside(),
                    "it could not be seen who may look on"
                );
                return;
            }
        };
        for (user, talk) in strangers {
            let scope = Scope::Conversation(talk);
            if let Some(topic) = self.topics.get_mut(&scope) {
                topic.send_away(user);
                if topic.is_empty() {
                    self.topics.remove(&scope);
                }
            }
        }
    }
}
