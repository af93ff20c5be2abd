//! The requests of one connection that are under way.
//!
//! Requests that only read run beside each other, and reads of sync objects that come while such reads are under way
//! are answered together after them. Requests that change something run one after the other, so that two messages sent
//! in a row arrive in a row.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;
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
pub type Ended = Result<(Id, Answers), JoinError>;

/// What is under way, and what waits for it.
pub struct Requests {
    running: JoinSet<Answers>,
    changing: Option<Id>,
    /// Changes that wait for the one under way.
    changes: VecDeque<Request>,
    /// The reads of sync objects that are under way together, and their number.
    reading: Option<(Id, usize)>,
    /// Reads of sync objects that wait for those.
    reads: Vec<Request>,
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
            reads: Vec::new(),
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
            self.reads.push(request);
            self.read(gateway, session);
        } else if request.http.method == "GET" {
            self.start(gateway, session, request);
        } else if self.changing.is_some() {
            self.changes.push_back(request);
        } else {
            self.changing = Some(self.start(gateway, session, request));
        }
    }

    fn start(&mut self, gateway: &Gateway, session: &Arc<Session>, request: Request) -> Id {
        let (gateway, session) = (gateway.clone(), Arc::clone(session));
        let turns = Arc::clone(&self.turns);
        let task = self.running.spawn(async move {
            let Request { id, http, payload } = request;
            let mut answer = commands::answer(&gateway, &session, &http, &payload).await;
            if let Answer::Subscriptions(wishes) = &mut answer {
                wishes.wait_for_turn(turns).await;
            }
            vec![(id, answer)]
        });
        task.id()
    }

    /// Starts the reads that wait, if none are under way.
    fn read(&mut self, gateway: &Gateway, session: &Arc<Session>) {
        if self.reading.is_some() || self.reads.is_empty() {
            return;
        }
        let (gateway, session) = (gateway.clone(), Arc::clone(session));
        let (ids, reads): (Vec<_>, Vec<_>) = std::mem::take(&mut self.reads)
            .into_iter()
            .map(|read| (read.id, read.http))
            .unzip();
        let count = reads.len();
        let task = self.running.spawn(async move {
            let answers = commands::answer_jointly(&gateway, &session, &reads).await;
            ids.into_iter().zip(answers).collect()
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
        let (task, answers) = ended.unwrap_or_else(|fault| (fault.id(), Vec::new()));
        if self.changing == Some(task) {
            let next = self.changes.pop_front();
            self.changing = next.map(|next| self.start(gateway, session, next));
        }
        if self.reading.is_some_and(|(reading, _)| reading == task) {
            self.reading = None;
            self.read(gateway, session);
        }
        answers
    }
}
