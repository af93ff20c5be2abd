//! Announcing: the only place where events and jobs are written.
//!
//! # Why a change is a value
//! Events are published after the commit, in the order they were recorded, and not at all if the transaction does not
//! commit. A [`Change`] holds both, the transaction and what it will announce, so neither can be forgotten.
//!
//! # Why a commit has a task of its own
//! Whoever waits for a change may be dropped at any moment: a client hangs up, and its door drops the request. Before the
//! commit that is as if nothing had been asked for, because the transaction is rolled back. From the commit on it must
//! not come between what was done and the telling of it, or everybody would hear of the change only when the next sweep
//! finds it. [`Commits`] knows these tasks, so that a node that stops waits for them.

use std::sync::Arc;

use tokio::sync::watch;
use tracing::Instrument as _;

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

    /// Writes down what happened to what belongs to a user; answers the position it took, none when the user is gone.
    /// Comes after the conversation's event, if there is one: locks are taken in that order.
    pub async fn record_for_user(
        &mut self,
        user: UserSid,
        event: Event,
    ) -> Result<Option<i64>, Error> {
        let position = store::events::append_for_user(&mut self.tx, user, &event, self.now).await?;
        if let Some(position) = position {
            self.announce(Scope::User(user), position, event);
        }
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

    /// Commits, then announces, also when the caller is dropped meanwhile.
    pub async fn commit(self) -> Result<(), Error> {
        let Self {
            tx,
            core,
            announcements,
            work_due,
            ..
        } = self;
        let (outlet, work) = (Arc::clone(&core.outlet), Arc::clone(&core.work));
        let under_way = core.commits.begin();
        let commit = async move {
            // Whether it was committed when the connection broke, nobody knows: that is never "try again".
            let committed = tx.commit().await;
            committed.map_err(|fault| Error::Internal(Box::new(fault)))?;
            if !announcements.is_empty() {
                outlet(&announcements);
            }
            if work_due {
                work.notify_one();
            }
            drop(under_way);
            Ok(())
        };
        let ended = tokio::spawn(commit.in_current_span()).await;
        ended.unwrap_or_else(|_| Err(Error::internal("a commit was cut off")))
    }
}

/// The commits that are under way on this node, until what they did is announced.
#[derive(Debug)]
pub struct Commits(watch::Sender<usize>);

impl Default for Commits {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

/// A commit that is under way until this is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(watch::Sender<usize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Commits {
    pub(super) fn begin(&self) -> UnderWay {
        self.0.send_modify(|count| *count += 1);
        UnderWay(self.0.clone())
    }

    /// Waits until none is under way.
    pub async fn ended(&self) {
        // An error means that nobody can begin one any more; this holds the sender, so there is none.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}
