//! The requests of one connection that are under way.
//!
//! Requests that only read run beside each other, and reads of sync objects that come while such reads are under way
//! are answered together after them. Requests that change something run one after the other, so that two messages sent
//! in a row arrive in a row.
//!
//! # Memory
//! However much a client asks for, and whether or not it reads the answers, its connection holds no more than this
//! (of ordinary text; what JSON has to escape is up to six times as long when it is printed):
//! - the requests as they were sent: `max_requests` of `max_frame_bytes`, 8 MiB unless an operator wants it otherwise;
//! - of sync objects the answers of two turns ([`commands::fit_together`]), of 4.5 MiB each: one that is made, and the
//!   one before it, which is being written. One page at a time is also there as it was read, twice;
//! - of other reads [`MOST_ALONE`] answers, the longest of which are lists of a hundred conversations, 2 MiB; and one
//!   that is being written.
//!
//! That is some 30 MiB at the very most, and a tenth of it for all that an SDK asks for. What was not asked for has a
//! bound of its own, in [`outgoing`](super::outgoing).

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{Id, JoinError, JoinSet};

use super::Gateway;
use super::commands::subscriptions::MOST_CARRIED_OUT;
use super::commands::{self, Answer, Session};
use super::protocol::HttpRequest;

/// A request from a client.
pub struct Request {
    /// What its answer repeats.
    pub id: String,
    /// What is wanted.
    pub http: HttpRequest,
    /// What it carries.
    pub payload: Bytes,
}

/// Answers with the ids of their requests.
pub type Answers = Vec<(String, Answer)>;

/// A task that ended, with its answers unless it panicked.
pub type Ended = Result<(Id, Done), JoinError>;

/// What a task leaves.
pub struct Done {
    answers: Answers,
    /// Its turn ends when its answers are handed out.
    _turn: Option<OwnedSemaphorePermit>,
}

/// How many reads of one connection, other than those of sync objects, are under way at a time. The others wait; that it
/// is not one only keeps them from all waiting for a slow one.
const MOST_ALONE: usize = 4;

/// What is under way, and what waits for it.
pub struct Requests {
    running: JoinSet<Done>,
    changing: Option<Id>,
    /// Changes that wait for the one under way.
    changes: VecDeque<Request>,
    /// The reads of sync objects that are under way together, and their number.
    reading: Option<(Id, usize)>,
    /// Reads of sync objects that wait for those.
    reads: VecDeque<Request>,
    /// For reads that are answered alone.
    alone: Arc<Semaphore>,
    /// For requests to follow objects, which are not done when they are answered.
    turns: Arc<Semaphore>,
}

impl Requests {
    /// None yet.
    pub fn new() -> Self {
        Self {
            running: JoinSet::new(),
            changing: None,
            changes: VecDeque::new(),
            reading: None,
            reads: VecDeque::new(),
            alone: Arc::new(Semaphore::new(MOST_ALONE)),
            turns: Arc::new(Semaphore::new(MOST_CARRIED_OUT)),
        }
    }

    /// How many are not answered yet.
    pub fn count(&self) -> usize {
        let together = self.reading.map_or(0, |(_, count)| count - 1);
        self.running.len() + together + self.changes.len() + self.reads.len()
    }

    /// Starts a request, or has it wait.
    pub fn accept(&mut self, gateway: &Gateway, session: &Arc<Session>, request: Request) {
        if commands::is_joint(&request.http) {
            self.reads.push_back(request);
            self.read(gateway, session);
        } else if request.http.method == "GET" {
            let turns = Some(Arc::clone(&self.alone));
            self.start(gateway, session, request, turns);
        } else if self.changing.is_some() {
            self.changes.push_back(request);
        } else {
            self.changing = Some(self.start(gateway, session, request, None));
        }
    }

    /// Starts a request, which first waits for one of some turns.
    fn start(
        &mut self,
        gateway: &Gateway,
        session: &Arc<Session>,
        request: Request,
        one_of: Option<Arc<Semaphore>>,
    ) -> Id {
        let (gateway, session) = (gateway.clone(), Arc::clone(session));
        let turns = Arc::clone(&self.turns);
        let task = self.running.spawn(async move {
            let turn = match one_of {
                Some(turns) => turns.acquire_owned().await.ok(),
                None => None,
            };
            let Request { id, http, payload } = request;
            let mut answer = commands::answer(&gateway, &session, &http, &payload).await;
            if let Answer::Subscriptions(wishes) = &mut answer {
                wishes.wait_for_turn(turns).await;
            }
            Done {
                answers: vec![(id, answer)],
                _turn: turn,
            }
        });
        task.id()
    }

    /// Starts the reads that wait, or as many of them as are answered together, if none are under way.
    fn read(&mut self, gateway: &Gateway, session: &Arc<Session>) {
        if self.reading.is_some() || self.reads.is_empty() {
            return;
        }
        let (gateway, session) = (gateway.clone(), Arc::clone(session));
        let count = commands::fit_together(self.reads.iter().map(|read| &read.http));
        // Splitting leaves nothing behind where nothing waits: an idle connection is not to hold an empty queue.
        let rest = self.reads.split_off(count);
        let (ids, reads): (Vec<_>, Vec<_>) = std::mem::replace(&mut self.reads, rest)
            .into_iter()
            .map(|read| (read.id, read.http))
            .unzip();
        let task = self.running.spawn(async move {
            let answers = commands::answer_jointly(&gateway, &session, &reads).await;
            Done {
                answers: ids.into_iter().zip(answers).collect(),
                _turn: None,
            }
        });
        self.reading = Some((task.id(), count));
    }

    /// Waits until something ended; none while nothing is under way.
    pub async fn next(&mut self) -> Option<Ended> {
        self.running.join_next_with_id().await
    }

    /// Starts what waited for something that ended, and hands its answers out. Requests that panicked get none; the
    /// SDK's own time limit ends them.
    pub fn settle(&mut self, gateway: &Gateway, session: &Arc<Session>, ended: Ended) -> Answers {
        let (task, answers) = ended.map_or_else(
            |fault| (fault.id(), Vec::new()),
            |(task, done)| (task, done.answers),
        );
        if self.changing == Some(task) {
            let next = self.changes.pop_front();
            if self.changes.is_empty() {
                self.changes = VecDeque::new();
            }
            self.changing = next.map(|next| self.start(gateway, session, next, None));
        }
        if self.reading.is_some_and(|(reading, _)| reading == task) {
            self.reading = None;
            self.read(gateway, session);
        }
        answers
    }
}
