//! Lanes: drafts that wait together are committed together.
//!
//! # Why
//! A conversation's counter is held over the flush of a commit. With a connection per caller, 64 callers in one
//! conversation stand in line for 64 flushes; in a lane they share one. A lane adds no delay: it takes whatever
//! waits when it comes back from its last commit. Few lanes make large batches; a conversation keeps to one lane of a
//! node, so lanes do not wait for each other's rows.
//!
//! Correctness never depends on lanes: the row's lock puts messages in order, across lanes and nodes.
//!
//! # When something breaks
//! One refused draft refuses only itself. When a batch fails for a reason outside of it, the lane makes a new
//! connection, looks which drafts were written after all (the commit may have been what broke), and tries the others
//! one by one.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use sqlx::{Connection as _, PgConnection};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

use super::{Core, access, messages};
use crate::domain::{Announcement, Ctx, Error, Event, Message, MessageSid, Scope};
use crate::store;
use crate::store::messages::{Hold, NewMessage, Written};

/// The most drafts in one commit.
const MOST_IN_BATCH: usize = 256;
/// How many drafts may wait for a lane; further callers wait before they get in line.
const MOST_WAITING: usize = 1024;

/// The ways into the lanes.
pub struct Lanes(Vec<mpsc::Sender<Waiting>>);

/// One lane's end of the line; `run` works it off.
pub struct Lane(mpsc::Receiver<Waiting>);

struct Waiting {
    ctx: Ctx,
    new: NewMessage,
    answer: oneshot::Sender<Result<Message, Error>>,
}

impl Lanes {
    /// Makes `count` lanes, at least one, and what is needed to run them.
    #[must_use]
    pub fn new(count: usize) -> (Self, Vec<Lane>) {
        let (senders, lanes) = (0..count.max(1))
            .map(|_| {
                let (sender, receiver) = mpsc::channel(MOST_WAITING);
                (sender, Lane(receiver))
            })
            .unzip();
        (Self(senders), lanes)
    }

    /// Hands a draft to its conversation's lane and waits for the commit.
    pub(super) async fn post(&self, ctx: &Ctx, new: NewMessage) -> Result<Message, Error> {
        let lane =
            usize::try_from(new.conversation.uuid().as_u128() % self.0.len() as u128).unwrap_or(0);
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting {
            ctx: ctx.clone(),
            new,
            answer,
        };
        self.0[lane]
            .send(waiting)
            .await
            .map_err(|_| Error::Unavailable)?;
        answered.await.map_err(|_| Error::Unavailable)?
    }
}

/// Runs a lane until the last way into it is gone and everything that waited is answered.
pub async fn run(core: Arc<Core>, Lane(mut line): Lane) {
    let mut connection = None;
    let mut batch = Vec::with_capacity(MOST_IN_BATCH);
    while line.recv_many(&mut batch, MOST_IN_BATCH).await > 0 {
        // The callers may be gone, and then nothing else keeps the node from stopping before it is told.
        let _under_way = core.commits.begin();
        let work = commit(&core, &mut connection, std::mem::take(&mut batch));
        // A panic must not end the lane with everything that will ever wait for it. Those whose answers it took along
        // are refused as unavailable; the connection, whose state is unknown, is gone with it.
        if AssertUnwindSafe(work).catch_unwind().await.is_err() {
            connection = None;
        }
    }
}

/// Commits what waited together, and answers each.
async fn commit(core: &Core, connection: &mut Option<PgConnection>, batch: Vec<Waiting>) {
    // What is there twice cannot be written by one statement: the second is found to be a repeat after the first.
    let mut seen = HashSet::with_capacity(batch.len());
    let (batch, again): (Vec<Waiting>, Vec<Waiting>) = batch
        .into_iter()
        .partition(|waiting| waiting.new.draft.sid.is_none_or(|sid| seen.insert(sid)));
    let batch = admit(core, connection, batch).await;
    let (new, rest): (Vec<NewMessage>, Vec<_>) = batch
        .into_iter()
        .map(|waiting| (waiting.new, (waiting.ctx, waiting.answer)))
        .unzip();
    metrics::histogram!("convoke_lane_batch_size").record(new.len() as f64);
    let outcomes = match insert(core, connection, &new).await {
        Ok(written) => written.into_iter().map(Ok).collect(),
        Err(fault) => recover(core, connection, &new, fault).await,
    };
    let mut announcements = Vec::with_capacity(new.len());
    let mut answers = Vec::with_capacity(new.len());
    for ((new, (ctx, answer)), outcome) in new.into_iter().zip(rest).zip(outcomes) {
        let result = match outcome {
            Ok(Written::Added {
                index,
                position,
                participant_sid,
            }) => {
                let message = Arc::new(new.into_message(index, position, participant_sid));
                announcements.push(Announcement {
                    scope: Scope::Conversation(message.conversation_sid),
                    position,
                    event: Event::MessageAdded(Arc::clone(&message)),
                });
                Ok(Message::clone(&message))
            }
            Ok(Written::NoConversation) => Err(Error::NotFound),
            Ok(Written::Held) => messages::post_alone(core, &ctx, new).await,
            Err(fault) => Err(fault),
        };
        answers.push((answer, result));
    }
    if !announcements.is_empty() {
        (core.outlet)(&announcements);
    }
    for (answer, result) in answers {
        // A caller who went away meanwhile has its message written all the same.
        let _ = answer.send(result);
    }
    for Waiting { ctx, new, answer } in again {
        let _ = answer.send(messages::post_alone(core, &ctx, new).await);
    }
}

/// Sends those users away who may not send what they want to, and notes of the others when they might.
async fn admit(
    core: &Core,
    connection: &mut Option<PgConnection>,
    batch: Vec<Waiting>,
) -> Vec<Waiting> {
    let decided = match permit(core, connection, &batch).await {
        Ok(decided) => decided,
        // Most likely the connection was lost while nothing waited. Nothing is written yet, so it is simply tried again.
        Err(fault) => {
            error!(error = %fault, "who may send could not be read; trying again");
            match permit(core, connection, &batch).await {
                Ok(decided) => decided,
                Err(fault) => {
                    let reason = fault.to_string();
                    batch.iter().map(|_| Err(unavailable(&reason))).collect()
                }
            }
        }
    };
    let mut admitted = Vec::with_capacity(batch.len());
    for (mut waiting, decided) in batch.into_iter().zip(decided) {
        match decided {
            Ok(seen_membership) => {
                waiting.new.seen_membership = seen_membership;
                admitted.push(waiting);
            }
            Err(refusal) => {
                let _ = waiting.answer.send(Err(refusal));
            }
        }
    }
    admitted
}

async fn permit(
    core: &Core,
    connection: &mut Option<PgConnection>,
    batch: &[Waiting],
) -> Result<Vec<Result<Option<i64>, Error>>, sqlx::Error> {
    let asked: Vec<_> = batch
        .iter()
        .map(|Waiting { ctx, new, .. }| (ctx, new.conversation, new.draft.permissions()))
        .collect();
    let mut mine = take(core, connection).await?;
    let decided = access::permit(&mut mine, &asked).await?;
    *connection = Some(mine);
    Ok(decided)
}

/// Writes a batch on the lane's own connection.
async fn insert(
    core: &Core,
    connection: &mut Option<PgConnection>,
    new: &[NewMessage],
) -> Result<Vec<Written>, sqlx::Error> {
    if new.is_empty() {
        return Ok(Vec::new()); // all were sent away
    }
    let mut mine = take(core, connection).await?;
    let written = store::messages::insert(&mut mine, Hold::Statement, new).await?;
    *connection = Some(mine);
    Ok(written)
}

/// The lane's own connection, which is made when it is needed. It is put back only after it did its work: one that failed,
/// or whose future was dropped, is gone.
async fn take(
    core: &Core,
    connection: &mut Option<PgConnection>,
) -> Result<PgConnection, sqlx::Error> {
    if let Some(mine) = connection.take() {
        return Ok(mine);
    }
    let mut mine = core.store.connect().await?;
    store::messages::settle(&mut mine).await?;
    info!("lane connected");
    Ok(mine)
}

/// Finds out what became of a batch that failed, and writes what was not written one by one.
async fn recover(
    core: &Core,
    connection: &mut Option<PgConnection>,
    new: &[NewMessage],
    fault: sqlx::Error,
) -> Vec<Result<Written, Error>> {
    error!(error = %fault, batch = new.len(), "a batch of messages failed; trying them one by one");
    let mut outcomes = Vec::with_capacity(new.len());
    let written = match already_written(core, connection, new).await {
        Ok(written) => written,
        Err(fault) => {
            let reason = fault.to_string();
            return new.iter().map(|_| Err(unavailable(&reason))).collect();
        }
    };
    for draft in new {
        outcomes.push(match written.get(&draft.sid) {
            Some(written) => Ok(*written),
            None => insert(core, connection, std::slice::from_ref(draft))
                .await
                .map(|written| written.first().copied().unwrap_or(Written::NoConversation))
                .map_err(Error::from),
        });
    }
    outcomes
}

fn unavailable(reason: &str) -> Error {
    error!(reason, "the database is away; messages are refused");
    Error::Unavailable
}

async fn already_written(
    core: &Core,
    connection: &mut Option<PgConnection>,
    new: &[NewMessage],
) -> Result<HashMap<MessageSid, Written>, sqlx::Error> {
    if let Some(old) = connection.take() {
        let _ = old.close().await;
    }
    let mut mine = take(core, connection).await?;
    let mut written = HashMap::new();
    for draft in new {
        if let Some(message) =
            store::messages::find(&mut mine, draft.conversation, draft.sid).await?
        {
            written.insert(
                draft.sid,
                Written::Added {
                    index: message.index,
                    position: message.position,
                    participant_sid: message.participant_sid,
                },
            );
        }
    }
    *connection = Some(mine);
    Ok(written)
}
