//! The way to one client: a bounded queue in front of its socket.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::news::{News, Together};
use super::protocol;
use super::subscriptions::Establish;
use super::websocket::Packet;

/// What is to be done for a client.
pub enum Item {
    /// To write a frame.
    Frame {
        /// The frame.
        frame: Packet,
        /// The bytes it has taken of what may wait.
        counts: usize,
    },
    /// To write the answer to a request.
    Answer(Packet),
    /// To have a replay go on behind the frames before it. (The protocol could have the client ask for the rest, but
    /// the official SDK forgets to when it is told in the same breath as the answer to its request.)
    Resume(Box<Establish>),
}

/// One client's end, as the rest of the gateway holds it.
///
/// Queues are bounded in bytes. A client that reads too slowly is cut off, without a word that would make its SDK wait:
/// it comes back and catches up. A queue with nothing in it holds no memory, because most clients are silent most of the
/// time.
pub struct Outgoing {
    /// Tells connections of one process apart.
    pub id: u64,
    most: usize,
    queue: Mutex<Queue>,
    parting: AtomicBool,
    cut: AtomicBool,
    wake: Notify,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What waits for a client.
enum Waiting {
    News(Arc<News>),
    Item(Item),
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Waiting>,
    /// The bytes of frames that are not written yet, also of those that were taken to be written.
    waiting: usize,
}

/// What a connection has to do for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// To end.
    Cut,
    /// To end when everything is answered.
    Part,
    /// To write what waits.
    Write,
}

impl Outgoing {
    /// A queue of at most `most` bytes.
    #[must_use]
    pub fn new(id: u64, most: usize) -> Arc<Self> {
        Arc::new(Self {
            id,
            most,
            queue: Mutex::default(),
            parting: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            wake: Notify::new(),
        })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a frame; never waits. More than fits cuts the connection off.
    pub fn send(&self, frame: Packet) {
        let counts = frame.len();
        let frame = Waiting::Item(Item::Frame { frame, counts });
        self.queue_all(std::iter::once((counts, frame)));
    }

    /// Queues news in the same way.
    pub fn tell<'a>(&self, news: impl Iterator<Item = &'a Arc<News>>) {
        self.queue_all(news.map(|news| (news.frame().len(), Waiting::News(Arc::clone(news)))));
    }

    fn queue_all(&self, all: impl Iterator<Item = (usize, Waiting)>) {
        if self.is_cut() {
            return; // nobody will read it
        }
        let mut queue = self.queue();
        let was_empty = queue.items.is_empty();
        for (counts, one) in all {
            if queue.waiting + counts > self.most {
                drop(queue);
                self.cut_off();
                return;
            }
            queue.waiting += counts;
            queue.items.push_back(one);
        }
        let has_some = !queue.items.is_empty();
        drop(queue);
        // Whoever found something in it has told the connection already.
        if was_empty && has_some {
            self.wake.notify_one();
        }
    }

    /// Queues an answer, however long it is: a page of large messages is larger than what may wait. No bound is needed,
    /// because a connection takes up the next result when this one is written.
    pub fn answer(&self, frame: Packet) {
        self.push(Item::Answer(frame));
    }

    /// Hands a replay back when everything queued before it is written. If the connection is ending, nobody misses it.
    pub fn resume(&self, replay: Box<Establish>) {
        self.push(Item::Resume(replay));
    }

    fn push(&self, item: Item) {
        self.queue().items.push_back(Waiting::Item(item));
        self.wake.notify_one();
    }

    /// Whether the queue has room for what can also be sent later. The other half is kept for what happens meanwhile.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.queue().waiting < self.most / 2
    }

    /// Queues a notification.
    pub fn notify(&self, message_type: &str, payload: &[u8]) {
        self.send(protocol::notify(message_type, payload));
    }

    /// Ends the connection when what it was asked for is answered. It reads nothing more.
    pub fn part(&self) {
        self.parting.store(true, Ordering::Relaxed);
        self.wake.notify_one();
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

    /// Waits until the connection is to end. For its task only, like everything below.
    pub async fn cut(&self) {
        while !self.is_cut() {
            self.wake.notified().await;
        }
    }

    /// Waits until there is something to do; that the connection is to part only if that was not heard yet.
    pub async fn due(&self, parting: bool) -> Due {
        loop {
            if self.is_cut() {
                return Due::Cut;
            }
            if !parting && self.parting.load(Ordering::Relaxed) {
                return Due::Part;
            }
            if !self.is_empty() {
                return Due::Write;
            }
            self.wake.notified().await;
        }
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue().items.is_empty()
    }

    /// Takes all that waits. News that wait together share frames.
    #[must_use]
    pub fn take(&self) -> Vec<Item> {
        let waiting = std::mem::take(&mut self.queue().items);
        let mut items = Vec::with_capacity(waiting.len());
        let mut together = Together::default();
        for one in waiting {
            match one {
                Waiting::News(news) => together.add(news),
                Waiting::Item(item) => {
                    items.extend(together.frames());
                    items.push(item);
                }
            }
        }
        items.extend(together.frames());
        items
    }

    /// Drops all that waits.
    pub fn clear(&self) {
        self.queue().items.clear();
    }

    /// Notes that so many bytes of frames that were taken are on their way.
    pub fn sent(&self, bytes: usize) {
        self.queue().waiting -= bytes;
    }
}
