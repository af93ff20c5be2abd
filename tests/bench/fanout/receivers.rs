//! The receivers: they read, acknowledge each frame as the SDK does (XMPP asks for nothing like it), and note what they heard.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;

use super::board::{Board, Number, SENDERS};
use super::xmpp;
use crate::support::cluster::Result;
use crate::support::sdk::{Client, acknowledge};
use crate::support::wire::Wire;

/// How many threads receive, so that they are not what everything waits for.
const THREADS: usize = 2;
/// How many of a thread's receivers start at a time.
const STARTING: usize = 8;

/// Where receivers connect to.
#[derive(Debug, Clone)]
pub enum Place {
    /// To Convoke, following this conversation.
    Convoke { address: String, talk: String },
    /// To the bare program.
    Bare { address: String },
    /// To ejabberd, in this room.
    Ejabberd { address: String, room: String },
}

impl Place {
    async fn connect(&self, receiver: usize) -> Result<Wire> {
        match self {
            Self::Bare { address } => Wire::open(address, "/").await,
            Self::Convoke { address, talk } => {
                let mut client = Client::sign_in(address, &format!("user{receiver}")).await?;
                let mut objects = client.own_objects().await?;
                objects.extend(client.conversation(talk).await?);
                client.follow(&objects).await?;
                Ok(client.wire)
            }
            Self::Ejabberd { address, room } => {
                xmpp::enter(address, room, &format!("user{receiver}")).await
            }
        }
    }

    /// Whether receivers acknowledge what they hear.
    const fn acknowledges(&self) -> bool {
        !matches!(self, Self::Ejabberd { .. })
    }
}

/// Receivers in threads of their own, until dropped.
pub struct Receivers {
    pub board: Arc<Board>,
    end: watch::Sender<bool>,
    failures: mpsc::UnboundedReceiver<String>,
    threads: Vec<JoinHandle<()>>,
}

impl Receivers {
    /// Connects receivers and waits until all are there.
    pub async fn start(place: &Place, count: usize) -> Result<Self> {
        let board = Arc::new(Board::new(count));
        let (end, ended) = watch::channel(false);
        let (started, mut starting) = mpsc::unbounded_channel();
        let (failed, failures) = mpsc::unbounded_channel();
        let threads = (0..THREADS)
            .map(|thread| {
                let mine: Vec<usize> = (thread..count).step_by(THREADS).collect();
                let (place, board, ended) = (place.clone(), Arc::clone(&board), ended.clone());
                let (started, failed) = (started.clone(), failed.clone());
                std::thread::spawn(move || {
                    let done = in_thread(&place, &mine, &board, &started, ended);
                    if let Err(error) = done {
                        let _ = failed.send(error.to_string());
                    }
                })
            })
            .collect();
        drop(started);
        let mut receivers = Self {
            board,
            end,
            failures,
            threads,
        };
        for _ in 0..count {
            tokio::select! {
                Some(()) = starting.recv() => {}
                failure = receivers.failure() => return Err(failure.into()),
            }
        }
        Ok(receivers)
    }

    /// Waits until a receiver fails.
    pub async fn failure(&mut self) -> String {
        let failure = self.failures.recv().await;
        failure.unwrap_or_else(|| "the receivers ended".to_owned())
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        let _ = self.end.send(true);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn in_thread(
    place: &Place,
    mine: &[usize],
    board: &Arc<Board>,
    started: &mpsc::UnboundedSender<()>,
    mut ended: watch::Receiver<bool>,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (local, acknowledges) = (LocalSet::new(), place.acknowledges());
    local.block_on(&runtime, async {
        let (failed, mut failures) = mpsc::unbounded_channel();
        let connecting = futures_util::stream::iter(mine)
            .map(|receiver| async move { (*receiver, place.connect(*receiver).await) })
            .buffer_unordered(STARTING);
        let mut connecting = std::pin::pin!(connecting);
        let tasks = FuturesUnordered::new();
        while let Some((receiver, wire)) = connecting.next().await {
            let (wire, board, failed) = (wire?, Arc::clone(board), failed.clone());
            tasks.push(tokio::task::spawn_local(async move {
                if let Err(error) = receive(wire, receiver, acknowledges, &board).await {
                    let _ = failed.send(format!("receiver {receiver}: {error}"));
                }
            }));
            let _ = started.send(());
        }
        tokio::select! {
            _ = ended.wait_for(|ended| *ended) => Ok(()),
            failure = failures.recv() => Err(failure.unwrap_or_default().into()),
        }
    })
}

async fn receive(mut wire: Wire, receiver: usize, acknowledges: bool, board: &Board) -> Result<()> {
    let mut next = [0; SENDERS];
    let mut acknowledgements = Vec::new();
    loop {
        wire.fill().await?;
        let now = Instant::now();
        let mut bytes = 0;
        while let Some(frame) = wire.next()? {
            bytes += frame.len();
            if acknowledges {
                acknowledge(&frame, &mut acknowledgements);
            }
            for message in Number::find(&frame) {
                let expected = next
                    .get_mut(message.sender)
                    .ok_or("a message that nobody sent")?;
                if message.count != *expected {
                    return Err(format!("{message:?} instead of {expected}").into());
                }
                *expected += 1;
                board.hear(receiver, message, now);
            }
        }
        board.read(bytes);
        if !acknowledgements.is_empty() {
            wire.write(&acknowledgements).await?;
            acknowledgements.clear();
        }
    }
}
