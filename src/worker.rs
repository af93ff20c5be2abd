//! Runs jobs: claim, run, retry, drain.
//!
//! A worker claims what is due in one short statement, works outside of any transaction, and finishes in another. It is
//! told when this process writes a job, looks once a second for jobs of other processes, and sleeps otherwise. A job
//! that was running when the process died is claimed again when its lease is over.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::domain::jobs::{Claimed, MAX_ATTEMPTS, Outcome, retry_after};
use crate::domain::{Clock, Error, Timestamp};
use crate::store::{self, Store};

/// How long an idle worker waits before it looks for jobs that other processes wrote.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Does what a job asks for.
pub type Run = Arc<dyn Fn(Claimed) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// Works off the queue.
pub struct Worker {
    store: Store,
    clock: Arc<dyn Clock>,
    work: Arc<Notify>,
    concurrency: usize,
    run: Run,
}

impl Worker {
    /// A worker that runs up to `concurrency` jobs at a time and is woken by `work`.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        work: Arc<Notify>,
        concurrency: usize,
        run: Run,
    ) -> Self {
        Self {
            store,
            clock,
            work,
            concurrency: concurrency.max(1),
            run,
        }
    }

    /// Runs jobs until told to stop; those under way are finished.
    pub async fn run(self: Arc<Self>, stopped: CancellationToken) {
        let mut running = JoinSet::new();
        while !stopped.is_cancelled() {
            let free = self.concurrency - running.len();
            let started = self
                .start(&mut running, free)
                .await
                .unwrap_or_else(|error| {
                    warn!(error = error.inside(), "jobs could not be claimed");
                    0
                });
            // After a full claim there may be more; otherwise wait until there can be.
            if started > 0 && started == free && running.len() < self.concurrency {
                continue;
            }
            tokio::select! {
                () = stopped.cancelled() => break,
                Some(_) = running.join_next() => {}
                () = self.work.notified(), if running.len() < self.concurrency => {}
                () = self.next_due(), if running.len() < self.concurrency => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Waits until the next job is due, at most [`LOOK_EVERY`].
    async fn next_due(&self) {
        let due = async {
            let mut conn = self.store.visit().await.ok()?;
            store::jobs::next_due(&mut conn).await.ok()?
        };
        let wait = match due.await {
            Some(at) => (at - self.clock.now())
                .to_std()
                .unwrap_or(Duration::from_millis(5)),
            None => LOOK_EVERY,
        };
        // The elapsed time is the point, not an error. Time passes here, it is not looked at: a job is due by the clock.
        let _ = timeout(wait.min(LOOK_EVERY), std::future::pending::<()>()).await;
    }

    /// Claims up to `free` jobs and starts them; answers how many.
    async fn start(
        self: &Arc<Self>,
        running: &mut JoinSet<()>,
        free: usize,
    ) -> Result<usize, Error> {
        if free == 0 {
            return Ok(0);
        }
        let claimed = self.claim(free).await?;
        let count = claimed.len();
        for job in claimed {
            let worker = Arc::clone(self);
            running.spawn(async move { worker.work_off(job).await });
        }
        Ok(count)
    }

    async fn claim(&self, most: usize) -> Result<Vec<Claimed>, Error> {
        let mut conn = self.store.visit().await?;
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        Ok(store::jobs::claim(&mut conn, self.clock.now(), limit).await?)
    }

    /// Runs one job and writes down how it ended.
    async fn work_off(&self, claimed: Claimed) {
        let (id, failures) = (claimed.id, claimed.failures);
        let kind = claimed.job.kind();
        let ended = AssertUnwindSafe((self.run)(claimed)).catch_unwind().await;
        let outcome = ended.unwrap_or_else(|_| Outcome::Failed("the job panicked".to_owned()));
        metrics::counter!("convoke_jobs", "kind" => kind, "outcome" => outcome.word()).increment(1);
        if let Err(error) = self.settle(id, kind, failures, outcome).await {
            // The lease ends by itself, and then the job runs again.
            error!(
                job.id = id,
                error = error.inside(),
                "how a job ended could not be written down"
            );
        }
        self.work.notify_one();
    }

    async fn settle(
        &self,
        id: i64,
        kind: &str,
        failures: i32,
        outcome: Outcome,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let mut conn = self.store.visit().await?;
        match outcome {
            Outcome::Done => store::jobs::finish(&mut conn, id).await?,
            Outcome::Again(wait) => {
                store::jobs::put_back(&mut conn, id, later(now, wait), failures, None).await?;
            }
            Outcome::Failed(why) if failures + 1 < MAX_ATTEMPTS => {
                warn!(
                    job.id = id,
                    job.kind = kind,
                    failures = failures + 1,
                    error = why,
                    "a job failed; it will be tried again"
                );
                let run_at = later(now, retry_after(failures + 1));
                store::jobs::put_back(&mut conn, id, run_at, failures + 1, Some(&why)).await?;
            }
            Outcome::Failed(why) | Outcome::Never(why) => {
                error!(
                    job.id = id,
                    job.kind = kind,
                    error = why,
                    "a job is given up; it is kept as a dead letter"
                );
                store::jobs::bury(&mut conn, id, &why, now).await?;
            }
        }
        Ok(())
    }

    /// Runs jobs until none is due; for tests, which move the clock and then look at what came of it.
    pub async fn drain(&self) {
        while let Ok(claimed) = self.claim(self.concurrency).await
            && !claimed.is_empty()
        {
            futures_util::future::join_all(claimed.into_iter().map(|job| self.work_off(job))).await;
        }
    }
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX)
}
