//! What was sent, who heard it, and how long that took.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// How many senders there may be; each sends one message after the other, so its messages must be heard in order.
pub const SENDERS: usize = 16;
/// How many messages one sender may send.
const MOST: usize = 200_000;

/// A message: the sender's number, and which of its messages it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    pub sender: usize,
    pub count: usize,
}

impl Number {
    /// As it stands in the text of a message, always as long.
    pub fn mark(self) -> String {
        format!("#{:02}{:08}", self.sender, self.count)
    }

    /// Finds the marks in a frame: none where it is of no message, several where messages share it.
    pub fn find(frame: &[u8]) -> impl Iterator<Item = Self> {
        let mut rest = frame;
        std::iter::from_fn(move || {
            loop {
                let start = rest.iter().position(|byte| *byte == b'#')? + 1;
                rest = &rest[start..];
                let digits = std::str::from_utf8(rest.get(..10)?).ok()?;
                if let (Ok(sender), Ok(count)) = (digits[..2].parse(), digits[2..].parse()) {
                    return Some(Self { sender, count });
                }
            }
        })
    }

    fn slot(self) -> usize {
        self.count * SENDERS + self.sender
    }
}

/// All receivers of one program.
pub struct Board {
    receivers: u32,
    begun: Instant,
    /// How many have heard each message.
    heard: Vec<AtomicU32>,
    /// When each message was due, in microseconds since the beginning; nothing for those whose latency does not count.
    due: Vec<AtomicU64>,
    everybody: [Notify; SENDERS],
    latencies: Vec<Mutex<Vec<u32>>>,
    /// The bytes of all frames that receivers read.
    bytes: AtomicU64,
}

impl Board {
    pub fn new(receivers: usize) -> Self {
        let slots = MOST * SENDERS;
        Self {
            receivers: receivers as u32,
            begun: Instant::now(),
            heard: (0..slots).map(|_| AtomicU32::new(0)).collect(),
            due: (0..slots).map(|_| AtomicU64::new(0)).collect(),
            everybody: Default::default(),
            latencies: (0..receivers).map(|_| Mutex::default()).collect(),
            bytes: AtomicU64::new(0),
        }
    }

    pub fn count(&self) -> usize {
        self.latencies.len()
    }

    /// Says that a message is due at a moment.
    pub fn expect(&self, message: Number, at: Instant) {
        let micros = at.duration_since(self.begun).as_micros() as u64;
        self.due[message.slot()].store(micros.max(1), Ordering::Relaxed);
    }

    /// Notes that a receiver heard a message.
    pub fn hear(&self, receiver: usize, message: Number, now: Instant) {
        let slot = message.slot();
        let due = self.due[slot].load(Ordering::Relaxed);
        if due > 0 {
            let micros = now.duration_since(self.begun).as_micros() as u64;
            self.latencies[receiver]
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(micros.saturating_sub(due) as u32);
        }
        if self.heard[slot].fetch_add(1, Ordering::AcqRel) + 1 == self.receivers {
            self.everybody[message.sender].notify_one();
        }
    }

    /// Notes how many bytes a receiver read.
    pub fn read(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// How many bytes all receivers read.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Waits until everybody has heard a message.
    pub async fn everybody_heard(&self, message: Number) {
        while self.heard[message.slot()].load(Ordering::Acquire) < self.receivers {
            self.everybody[message.sender].notified().await;
        }
    }

    /// How many have heard a message.
    pub fn heard(&self, message: Number) -> u32 {
        self.heard[message.slot()].load(Ordering::Acquire)
    }

    /// All latencies since the last call, sorted.
    pub fn latencies(&self) -> Vec<Duration> {
        let mut all: Vec<u32> = Vec::new();
        for of_one in &self.latencies {
            all.append(&mut of_one.lock().unwrap_or_else(PoisonError::into_inner));
        }
        all.sort_unstable();
        all.into_iter()
            .map(|micros| Duration::from_micros(micros.into()))
            .collect()
    }
}
