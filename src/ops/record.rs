//! Announcing: the only place where events and jobs are written.
//!
//! # Why a change is a value
//! Events are published after the commit, in the order they were recorded, and not at all if the transaction does not
//! commit. A [`Change`] holds both, the transaction and what it will announce, so neither can be forgotten.

use super::Core;
use crate::domain::{Announcement, ConversationSid, Error, Event, Job, Scope, Timestamp, UserSid};
use crate::store::{self, Tx};

/// A transaction under way, and what it will announce when it commits.
pub struct Change<'a> {
    /// The transaction.
    pub tx: Tx,
    /// The moment of the change: one for everything in it.
    pub now: Timestamp,
    core: &'a Core,
    announcements: Vec<Announcement>,
    work_due: bool,
}

impl<'a> Change<'a> {
    /// Begins a change.
    pub async fn begin(core: &'a Core) -> Result<Self, Error> {
        let tx = core.store.begin().await?;
        Ok(Self {
            tx,
            now: core.clock.now(),
            core,
            announcements: Vec::new(),
            work_due: false,
        })
    }

    /// The world around the change.
    pub const fn core(&self) -> &'a Core {
        self.core
    }

    /// Writes down what happened in a conversation; answers the position it took. The conversation's row is held from
    /// here on.
    pub async fn record(
        &mut self,
        conversation: ConversationSid,
        event: Event,
    ) -> Result<i64, Error> {
        let position = store::events::append(&mut self.tx, conversation, &event, self.now).await?;
        self.announce(Scope::Conversation(conversation), position, event);
        Ok(position)
    }

    /// Writes down what happened to what belongs to a user; answers the position it took. Comes after the
    /// conversation's event, if there is one: locks are taken in that order.
    pub async fn record_for_user(&mut self, user: UserSid, event: Event) -> Result<i64, Error> {
        let position = store::events::append_for_user(&mut self.tx, user, &event, self.now).await?;
        self.announce(Scope::User(user), position, event);
        Ok(position)
    }

    /// Writes down the same of many users, who are locked: something that moves none of their own conversations.
    pub async fn record_for_users(
        &mut self,
        users: &[UserSid],
        event: &Event,
    ) -> Result<(), Error> {
        let taken = store::events::append_for_users(&mut self.tx, users, event, self.now).await?;
        for (user, position) in taken {
            self.announce(Scope::User(user), position, event.clone());
        }
        Ok(())
    }

    /// Announces an event that is written already, or that outlives its log.
    pub fn announce(&mut self, scope: Scope, position: i64, event: Event) {
        self.announcements.push(Announcement {
            scope,
            position,
            event,
        });
    }

    /// Leaves work to do, from `run_at` on.
    pub async fn enqueue(&mut self, jobs: &[Job], run_at: Timestamp) -> Result<(), Error> {
        store::jobs::enqueue(&mut self.tx, jobs, run_at).await?;
        self.work_due |= !jobs.is_empty();
        Ok(())
    }

    /// Leaves work to do at `run_at`, unless the same is left already.
    pub async fn enqueue_once(&mut self, job: &Job, run_at: Timestamp) -> Result<(), Error> {
        Ok(store::jobs::enqueue_once(&mut self.tx, job, run_at).await?)
    }

    /// Commits, then announces.
    pub async fn commit(self) -> Result<(), Error> {
        self.tx.commit().await?;
        if !self.announcements.is_empty() {
            (self.core.outlet)(&self.announcements);
        }
        if self.work_due {
            self.core.work.notify_one();
        }
        Ok(())
    }
}
