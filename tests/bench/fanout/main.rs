//! Fan-out: one conversation with many connected receivers, beside a bare websocket broadcast and, where it is installed,
//! ejabberd, in the same run.
//!
//! # What is measured
//! A *delivery* is one message at one receiver. Alone it is two frames, of the list and of the document, and the SDK's
//! acknowledgement of each; messages that are told together share both. *At saturation* sixteen senders each post the next
//! message when everybody has heard the one before. *Paced*, twenty messages a second are sent on a fixed schedule, and a
//! latency counts from the moment a message was due to the moment a receiver read it. Each receiver checks that it hears
//! every sender's messages once and in order.
//!
//! # Why beside other programs
//! Machines are shared and noisy. The bare program writes the same frames to as many receivers, which acknowledge them,
//! and shares frames as well; it stores nothing, checks nobody and parses nothing: the ratios say what the rest costs.
//! ejabberd has a room with an archive in the same PostgreSQL: each message is stored before it is sent, as one frame,
//! which nobody acknowledges; senders hear it too, uncounted. All take turns, round by round.
//!
//! `cargo bench --bench fanout -- --rounds 5 --seconds 5`; with `--receivers 200` only that many.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[path = "../support/mod.rs"]
mod support;

mod bare;
mod board;
mod ejabberd;
mod receivers;
mod table;
mod xmpp;

use std::time::{Duration, Instant};

use bare::Bare;
use board::{Number, SENDERS};
use bytes::Bytes;
use ejabberd::Ejabberd;
use receivers::{Place, Receivers};
use support::cluster::{Postgres, Result, Server};
use support::machine::{cpu_micros, facts};
use support::sdk::Client;
use support::wire::{Wire, frame};
use support::{option, rest};
use table::{Round, Rounds};
use xmpp::Speaker;

/// Messages a second, paced.
const PACE: u32 = 20;
/// What a message says behind its mark.
const TEXT: &str =
    " The quick brown fox jumps over the lazy dog, and the dog lets it, as it has for many years.";
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() == Some("bare") {
        return bare::run();
    }
    let rounds = option("--rounds", 3)?;
    let seconds = Duration::from_secs(option("--seconds", 5)?);
    let only = option("--receivers", 0)?;
    let postgres = Postgres::start()?;
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path(), Some(&postgres))?;
    let bare = Bare::start()?;
    let ejabberd = Ejabberd::start(&postgres)?;
    if ejabberd.is_none() {
        println!(
            "ejabberd is left out, since it is not installed: apt-get install {}\n",
            ejabberd::PACKAGES
        );
    }
    println!(
        "{}\n{rounds} rounds of {} s at saturation and {} s paced; medians.\n",
        facts(&postgres)?,
        seconds.as_secs(),
        seconds.as_secs() * 2
    );
    table::print_head();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut runs = Vec::new();
    for count in [200, 1000] {
        if only == 0 || only == count {
            let bench = Bench {
                postgres: &postgres,
                server: &server,
                bare: &bare,
                ejabberd: ejabberd.as_ref(),
                seconds,
            };
            let measured = runtime.block_on(bench.measure(count, rounds))?;
            table::print_rows(&measured);
            runs.push(measured);
        }
    }
    table::print_ratios(&runs);
    Ok(())
}

struct Bench<'a> {
    postgres: &'a Postgres,
    server: &'a Server,
    bare: &'a Bare,
    ejabberd: Option<&'a Ejabberd>,
    seconds: Duration,
}

/// One of the programs, with its receivers and senders.
struct Side {
    program: &'static str,
    pid: u32,
    receivers: Receivers,
    senders: Vec<Sender>,
    rounds: Vec<Round>,
}

struct Sender {
    way: Way,
    next: Number,
}

enum Way {
    Convoke(Box<Client>, String),
    Bare(Wire, [Bytes; 2]),
    Ejabberd(Speaker),
}

impl Bench<'_> {
    /// The rounds of all programs, Convoke's first.
    async fn measure(&self, count: usize, rounds: usize) -> Result<Vec<Rounds>> {
        let talk = self.conversation(count).await?;
        let mut sides = vec![
            self.convoke(count, &talk).await?,
            self.bare(count, &talk).await?,
        ];
        if let Some(ejabberd) = self.ejabberd {
            sides.push(Side::in_room(ejabberd, count).await?);
        }
        for _ in 0..rounds {
            for side in &mut sides {
                let round = self.round(side).await?;
                side.rounds.push(round);
            }
        }
        if self.ejabberd.is_some() {
            self.check_archive(count, sides.last().ok_or("no side")?)?;
        }
        Ok(sides
            .into_iter()
            .map(|side| Rounds {
                program: side.program,
                receivers: count,
                rounds: side.rounds,
            })
            .collect())
    }

    /// Checks that ejabberd stored what was sent to it.
    fn check_archive(&self, count: usize, side: &Side) -> Result<()> {
        let sent: usize = side.senders.iter().map(|sender| sender.next.count).sum();
        match ejabberd::archived(self.postgres, &room(count))? {
            archived if archived == sent => Ok(()),
            archived => Err(format!("ejabberd archived {archived} of {sent} messages").into()),
        }
    }

    /// Makes a conversation with as many participants.
    async fn conversation(&self, count: usize) -> Result<String> {
        let address = &self.server.address;
        let mut client = rest::Client::connect(address).await?;
        let made = client.create(address, "/v1/Conversations", "").await?;
        let talk = made["sid"].as_str().ok_or("a conversation without a SID")?;
        for number in 0..count {
            let (path, form) = (
                format!("/v1/Conversations/{talk}/Participants"),
                format!("Identity=user{number}"),
            );
            client.create(address, &path, &form).await?;
        }
        Ok(talk.to_owned())
    }

    async fn convoke(&self, count: usize, talk: &str) -> Result<Side> {
        let address = &self.server.address;
        let place = Place::Convoke {
            address: address.clone(),
            talk: talk.to_owned(),
        };
        let receivers = Receivers::start(&place, count).await?;
        let mut senders = Vec::new();
        for number in 0..SENDERS {
            let client = Client::sign_in(address, &format!("user{number}")).await?;
            let way = Way::Convoke(Box::new(client), talk.to_owned());
            senders.push(Sender::new(way, number));
        }
        Ok(Side {
            program: "Convoke",
            pid: self.server.pid(),
            receivers,
            senders,
            rounds: Vec::new(),
        })
    }

    async fn bare(&self, count: usize, talk: &str) -> Result<Side> {
        let frames = self.frames(talk).await?;
        let address = &self.bare.address;
        let place = Place::Bare {
            address: address.clone(),
        };
        let receivers = Receivers::start(&place, count).await?;
        let mut senders = Vec::new();
        for number in 0..SENDERS {
            let way = Way::Bare(Wire::open(address, "/").await?, frames.clone());
            senders.push(Sender::new(way, number));
        }
        Ok(Side {
            program: "bare broadcast",
            pid: self.bare.pid(),
            receivers,
            senders,
            rounds: Vec::new(),
        })
    }

    /// The frames that Convoke sends for one message, which the bare program is to send too.
    async fn frames(&self, talk: &str) -> Result<[Bytes; 2]> {
        let address = &self.server.address;
        let mut client = Client::sign_in(address, "user0").await?;
        let objects = client.conversation(talk).await?;
        client.follow(&objects[..2]).await?;
        // No sender's: receivers look for marks of theirs.
        client.post(talk, &text("%0000000000")).await?;
        client.hear_message().await
    }

    async fn round(&self, side: &mut Side) -> Result<Round> {
        let board = std::sync::Arc::clone(&side.receivers.board);
        let (before, bytes) = (self.cpu(side), board.bytes());
        let begun = Instant::now();
        let sent = side.saturate(self.seconds).await?;
        let took = begun.elapsed();
        let after = self.cpu(side);
        let deliveries = (sent * board.count()) as f64;
        let bytes = (board.bytes() - bytes) as f64 / deliveries;
        let each = |at: usize| (after[at] - before[at]) as f64 / deliveries;
        side.pace(self.seconds * 2).await?;
        let latencies = board.latencies();
        let at = |share: f64| {
            let place = (latencies.len() as f64 * share) as usize;
            latencies.get(place).map_or(0.0, |l| l.as_secs_f64() * 1e3)
        };
        Ok(Round {
            per_second: deliveries / took.as_secs_f64(),
            bytes,
            server_micros: each(0),
            postgres_micros: each(1),
            receiver_micros: each(2),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
        })
    }

    fn cpu(&self, side: &Side) -> [u64; 3] {
        let receivers = support::machine::own_cpu_micros();
        [
            cpu_micros(side.pid),
            cpu_micros(self.postgres.pid()),
            receivers,
        ]
    }
}

impl Side {
    /// ejabberd's side; its room is made by whoever enters it first.
    async fn in_room(ejabberd: &Ejabberd, count: usize) -> Result<Self> {
        let (address, room) = (&ejabberd.address, room(count));
        let place = Place::Ejabberd {
            address: address.clone(),
            room: room.clone(),
        };
        let receivers = Receivers::start(&place, count).await?;
        let mut senders = Vec::new();
        for number in 0..SENDERS {
            let speaker = Speaker::enter(address, &room, &format!("sender{number}")).await?;
            senders.push(Sender::new(Way::Ejabberd(speaker), number));
        }
        Ok(Self {
            program: "ejabberd",
            pid: ejabberd.pid(),
            receivers,
            senders,
            rounds: Vec::new(),
        })
    }

    /// Has all senders send one message after the other; answers how many.
    async fn saturate(&mut self, length: Duration) -> Result<usize> {
        let board = std::sync::Arc::clone(&self.receivers.board);
        let end = Instant::now() + length;
        let sending = self.senders.iter_mut().map(|sender| {
            let board = &board;
            async move {
                let mut count = 0;
                while Instant::now() < end {
                    let message = sender.send().await?;
                    board.everybody_heard(message).await;
                    count += 1;
                }
                Ok::<_, Box<dyn std::error::Error>>(count)
            }
        });
        let all = futures_util::future::try_join_all(sending);
        tokio::select! {
            counts = tokio::time::timeout(length + PATIENCE, all) => match counts {
                Ok(counts) => Ok(counts?.iter().sum()),
                Err(_) => Err(self.unheard().into()),
            },
            failure = self.receivers.failure() => Err(failure.into()),
        }
    }

    /// Says how many have heard each sender's last message.
    fn unheard(&self) -> String {
        let last = self.senders.iter().map(|sender| Number {
            count: sender.next.count.saturating_sub(1),
            ..sender.next
        });
        let heard: Vec<_> = last
            .map(|message| (message.count, self.receivers.board.heard(message)))
            .collect();
        format!(
            "not everybody heard in time; the last messages of all senders, and how many heard them: {heard:?}"
        )
    }

    /// Has one sender send on schedule.
    async fn pace(&mut self, length: Duration) -> Result<()> {
        let board = std::sync::Arc::clone(&self.receivers.board);
        let sender = &mut self.senders[0];
        let sending = async {
            let begun = Instant::now();
            let mut last = None;
            for number in 0..PACE * length.as_secs() as u32 {
                let due = begun + Duration::from_secs(1) / PACE * number;
                tokio::time::sleep_until(due.into()).await;
                board.expect(sender.next, due);
                last = Some(sender.send().await?);
            }
            if let Some(last) = last {
                board.everybody_heard(last).await;
            }
            Ok(())
        };
        tokio::select! {
            sent = tokio::time::timeout(length + PATIENCE, sending) => sent.map_err(|_| "not everybody heard in time, paced")?,
            failure = self.receivers.failure() => Err(failure.into()),
        }
    }
}

/// The name of ejabberd's room for as many receivers.
fn room(count: usize) -> String {
    format!("room{count}")
}

fn text(mark: &str) -> String {
    format!("{mark}{TEXT}")
}

impl Sender {
    const fn new(way: Way, sender: usize) -> Self {
        let next = Number { sender, count: 0 };
        Self { way, next }
    }

    /// Sends the next message.
    async fn send(&mut self) -> Result<Number> {
        let message = self.next;
        self.next.count += 1;
        match &mut self.way {
            Way::Convoke(client, talk) => client.post(talk, &text(&message.mark())).await?,
            Way::Bare(wire, [list, document]) => {
                let mut marked = list.to_vec();
                let at = list.iter().position(|byte| *byte == b'%').ok_or("a mark")?;
                let mark = message.mark();
                marked[at..at + mark.len()].copy_from_slice(mark.as_bytes());
                let mut framed = Vec::new();
                let frames = [marked.into(), document.clone()];
                frame(&bare::packed(&frames), &mut framed);
                wire.write(&framed).await?;
            }
            Way::Ejabberd(speaker) => speaker.say(&text(&message.mark()))?,
        }
        Ok(message)
    }
}
