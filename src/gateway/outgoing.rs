//! The way to one client: a bounded queue in front of its socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};

use super::protocol;
use super::subscriptions::Establish;

/// What waits for a client.
pub enum Item {
    /// A frame.
    Frame(Bytes),
    /// The answer to a request.
    Answer(Bytes),
    /// A replay that is to go on behind the frames before it. (The protocol could have the client ask for the rest, but
    /// the official SDK forgets to when it is told in the same breath as the answer to its request.)
    Resume(Box<Establish>),
}

/// One client's end, as the rest of the gateway holds it.
///
/// Queues are bounded in bytes. A client that reads too slowly is cut off, without a word that would make its SDK wait:
/// it comes back and catches up.
#[derive(Debug)]
pub struct Outgoing {
    /// Tells connections of one process apart.
    pub id: u64,
    queue: mpsc::UnboundedSender<Item>,
    waiting: AtomicUsize,
    most: usize,
    next_frame: AtomicU64,
    parting: AtomicBool,
    cut: AtomicBool,
    wake: Notify,
}

impl Outgoing {
    /// A queue of at most `most` bytes, and the end that the connection reads.
    #[must_use]
    pub fn new(id: u64, most: usize) -> (Arc<Self>, mpsc::UnboundedReceiver<Item>) {
        let (queue, receiver) = mpsc::unbounded_channel();
        let outgoing = Self {
            id,
            queue,
            waiting: AtomicUsize::new(0),
            most,
            next_frame: AtomicU64::new(0),
            parting: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            wake: Notify::new(),
        };
        (Arc::new(outgoing), receiver)
    }

    /// Queues a frame; never waits. More than fits cuts the connection off.
    pub fn send(&self, frame: Bytes) {
        let waiting = self.waiting.fetch_add(frame.len(), Ordering::Relaxed) + frame.len();
        if waiting > self.most {
            self.cut_off();
        } else if self.queue.send(Item::Frame(frame)).is_err() {
            // The connection is ending; nobody reads its queue any more.
            self.cut.store(true, Ordering::Relaxed);
        }
    }

    /// Queues an answer, however long it is: a page of large messages is larger than what may wait. No bound is needed,
    /// because a connection takes up the next result when this one is written.
    pub fn answer(&self, frame: Bytes) {
        if self.queue.send(Item::Answer(frame)).is_err() {
            self.cut.store(true, Ordering::Relaxed);
        }
    }

    /// Hands a replay back when everything queued before it is written. If the connection is ending, nobody misses it.
    pub fn resume(&self, replay: Box<Establish>) {
        let _ = self.queue.send(Item::Resume(replay));
    }

    /// Whether the queue has room for what can also be sent later. The other half is kept for what happens meanwhile.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < self.most / 2
    }

    /// Queues a notification.
    pub fn notify(&self, message_type: &str, payload: &[u8]) {
        let id = format!("TM{:032x}", self.next_frame.fetch_add(1, Ordering::Relaxed));
        self.send(protocol::notify(&id, message_type, payload));
    }

    /// Ends the connection when what it was asked for is answered. It reads nothing more.
    pub fn part(&self) {
        self.parting.store(true, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Waits until the connection is to end, in whatever way; or, after it was heard that it is to part, until it is cut.
    pub async fn told(&self, parting: bool) {
        while !self.is_cut() && (parting || !self.parting.load(Ordering::Relaxed)) {
            self.wake.notified().await;
        }
    }

    /// Ends the connection as soon as its task looks.
    pub fn cut_off(&self) {
        self.cut.store(true, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Whether the connection is to end, or has ended.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    /// Waits until the connection is to end.
    pub async fn cut(&self) {
        while !self.is_cut() {
            self.wake.notified().await;
        }
    }

    /// Notes that a frame left the queue.
    pub fn sent(&self, frame: &Bytes) {
        self.waiting.fetch_sub(frame.len(), Ordering::Relaxed);
    }
}
