//! What a user sees of conversations and users, read once for many objects.

use std::collections::HashMap;

use super::{Object, last_event_of_conversation, last_event_of_user};
use crate::domain::{ConversationSid, Ctx, Error, Scope, User, UserSid};
use crate::ops::Core;
use crate::ops::access::Seen;
use crate::ops::events;

/// What a user sees.
pub struct Sight {
    reader: UserSid,
    conversations: HashMap<ConversationSid, Seen>,
    users: HashMap<UserSid, User>,
}

impl Sight {
    /// Nothing yet.
    #[must_use]
    pub fn new(reader: UserSid) -> Self {
        Self {
            reader,
            conversations: HashMap::new(),
            users: HashMap::new(),
        }
    }

    /// What lies behind some objects.
    ///
    /// # Errors
    /// As the database.
    pub async fn of(
        core: &Core,
        ctx: &Ctx,
        reader: UserSid,
        objects: impl Iterator<Item = Object>,
    ) -> Result<Self, Error> {
        let (mut talks, mut users) = (Vec::new(), Vec::new());
        for object in objects {
            match object.scope() {
                Scope::Conversation(sid) => talks.push(sid),
                Scope::User(sid) => users.push(sid),
            }
        }
        let mut sight = Self::new(reader);
        sight.see(core, ctx, talks).await?;
        sight.meet(core, ctx, users).await?;
        Ok(sight)
    }

    /// Looks at conversations, in one snapshot.
    ///
    /// # Errors
    /// As the database.
    pub async fn see(
        &mut self,
        core: &Core,
        ctx: &Ctx,
        mut talks: Vec<ConversationSid>,
    ) -> Result<(), Error> {
        talks.sort_unstable();
        talks.dedup();
        if !talks.is_empty() {
            self.conversations = events::see(core, ctx, &talks).await?;
        }
        Ok(())
    }

    /// Looks at users, in one snapshot.
    ///
    /// # Errors
    /// As the database.
    pub async fn meet(&mut self, core: &Core, ctx: &Ctx, users: Vec<UserSid>) -> Result<(), Error> {
        if !users.is_empty() {
            self.users = events::users(core, ctx, &users).await?;
        }
        Ok(())
    }

    /// A conversation.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn conversation(&self, sid: ConversationSid) -> Result<&Seen, Error> {
        self.conversations.get(&sid).ok_or(Error::NotFound)
    }

    /// The user behind an object. Of others everything is seen but their own conversations.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn user(&self, sid: UserSid, object: Object) -> Result<&User, Error> {
        let hidden = matches!(object, Object::OwnConversations(_)) && sid != self.reader;
        self.users
            .get(&sid)
            .filter(|_| !hidden)
            .ok_or(Error::NotFound)
    }

    /// Whether the reader takes part, in what is a conversation.
    #[must_use]
    pub fn takes_part(&self, scope: Scope) -> bool {
        match scope {
            Scope::Conversation(sid) => self
                .conversation(sid)
                .is_ok_and(|seen| seen.require_part().is_ok()),
            Scope::User(_) => false,
        }
    }

    /// The event id of an object, and the position of what lies behind it, for a reader who may follow it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotParticipant`].
    pub fn last_event(&self, object: Object) -> Result<(i64, i64), Error> {
        match object.scope() {
            Scope::Conversation(sid) => {
                let seen = self.conversation(sid)?;
                if !matches!(object, Object::Document(_)) {
                    seen.require_part()?;
                }
                let conversation = &seen.conversation;
                let last_event = last_event_of_conversation(object, conversation);
                Ok((last_event, conversation.position))
            }
            Scope::User(sid) => {
                let user = self.user(sid, object)?;
                Ok((last_event_of_user(object, user), user.position))
            }
        }
    }
}
