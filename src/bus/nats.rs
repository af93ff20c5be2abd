//! The bus between nodes: NATS.
//!
//! # What is lost, and who finds out
//! NATS is fast and forgets: what is published while a node is away, or reads too slowly, is gone for that node. Every
//! such loss that can be seen becomes a [`Heard::Gap`](super::Heard::Gap) on the node that lost something, and its
//! listeners compare positions with the log at once. What cannot be seen is found by the slow comparison that runs
//! anyway. So a NATS that is away, slow or restarted makes changes late on other nodes, never wrong.
//!
//! # Near and far
//! A node's own parcels reach its own listeners without a way over NATS, which is asked not to send them back; so a node
//! without NATS is still whole for the clients that it serves.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, Message, RequestErrorKind, ServerAddr};
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::local::LocalBus;
use super::{Bus, Listener, Parcel, Signal};

/// Parcels that may wait for NATS to take them; more are dropped and told as a gap.
const MOST_WAITING: usize = 4096;
/// How long the wait before the next try to reach NATS may grow.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How often an idle connection is asked whether it lives.
const PING: Duration = Duration::from_secs(10);
/// What a server takes at once until it has said how much (its own default).
const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;

/// A bus over NATS.
#[derive(Debug)]
pub struct NatsBus {
    near: LocalBus,
    far: mpsc::Sender<Arc<Parcel>>,
    dropped: Arc<AtomicBool>,
    reached: Arc<AtomicBool>,
}

/// The work of a bus over NATS.
pub struct Carrier {
    client: Client,
    subject: String,
    incoming: async_nats::Subscriber,
    outgoing: mpsc::Receiver<Arc<Parcel>>,
    near: broadcast::Sender<Signal>,
    dropped: Arc<AtomicBool>,
}

/// Why a bus over NATS cannot be made. A server that cannot be reached yet is no reason.
#[derive(Debug)]
pub struct BadAddress(Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bus cannot be made")
    }
}

impl std::error::Error for BadAddress {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.0.as_ref())
    }
}

/// What goes over the wire. Nodes of different versions share a bus during an upgrade; what one does not understand is a
/// gap to it.
#[derive(Serialize)]
enum Sent<'a> {
    Parcel(&'a Parcel),
    /// The sender had to drop parcels.
    Gap,
}

#[derive(Deserialize)]
enum Received {
    Parcel(Parcel),
    Gap,
}

/// Makes a bus over the NATS servers of `urls` (separated by commas). Nodes that name the same `subject` hear each other.
///
/// # Errors
/// [`BadAddress`].
pub async fn connect(urls: &str, subject: &str) -> Result<(NatsBus, Carrier), BadAddress> {
    let addresses = urls
        .split(',')
        .map(|url| url.trim().parse())
        .collect::<Result<Vec<ServerAddr>, _>>()
        .map_err(|error| BadAddress(error.into()))?;
    let near = LocalBus::new();
    let reached = Arc::new(AtomicBool::new(false));
    let notices = Notices {
        servers: names(&addresses),
        listeners: near.sender(),
        reached: Arc::clone(&reached),
        complained: AtomicBool::new(false),
    };
    let client = ConnectOptions::new()
        .name("convoke")
        .no_echo()
        .retry_on_initial_connect()
        .reconnect_delay_callback(|tries| {
            LONGEST_WAIT.min(Duration::from_millis(50) * u32::try_from(tries).unwrap_or(u32::MAX))
        })
        .ping_interval(PING)
        .event_callback(move |event| {
            notices.tell(&event);
            std::future::ready(())
        })
        .connect(addresses)
        .await
        .map_err(|error| BadAddress(error.into()))?;
    let subject = format!("{subject}.parcels");
    let incoming = client
        .subscribe(subject.clone())
        .await
        .map_err(|error| BadAddress(error.into()))?;
    let (far, outgoing) = mpsc::channel(MOST_WAITING);
    let dropped = Arc::new(AtomicBool::new(false));
    let carrier = Carrier {
        client,
        subject,
        incoming,
        outgoing,
        near: near.sender(),
        dropped: Arc::clone(&dropped),
    };
    let bus = NatsBus {
        near,
        far,
        dropped,
        reached,
    };
    Ok((bus, carrier))
}

/// Host and port of each server, without the credentials that its address may hold.
fn names(servers: &[ServerAddr]) -> String {
    let names: Vec<String> = servers
        .iter()
        .map(|server| format!("{}:{}", server.host(), server.port()))
        .collect();
    names.join(", ")
}

/// Tells listeners and operators what became of the connection.
struct Notices {
    servers: String,
    listeners: broadcast::Sender<Signal>,
    reached: Arc<AtomicBool>,
    /// Whether it was said why the servers cannot be reached: once each time, not at every try.
    complained: AtomicBool,
}

impl Notices {
    fn tell(&self, event: &Event) {
        let servers = self.servers.as_str();
        match event {
            Event::Connected => {
                info!(servers, "the bus is connected");
                metrics::gauge!("convoke_bus_connected").set(1.0);
                // Whatever the others published while this node was away is lost to it.
                let _ = self.listeners.send(Signal::Gap);
                self.reached.store(true, Ordering::Relaxed);
                self.complained.store(false, Ordering::Relaxed);
            }
            Event::Disconnected | Event::Closed => {
                warn!(
                    servers,
                    "the bus is away: changes by other nodes come late until it is back"
                );
                metrics::gauge!("convoke_bus_connected").set(0.0);
            }
            Event::SlowConsumer(_) => {
                warn!("this node reads the bus too slowly and lost parcels");
                let _ = self.listeners.send(Signal::Gap);
            }
            Event::ServerError(error) => warn!(error = %error, "the bus complains"),
            Event::ClientError(error) => {
                if self.complained.swap(true, Ordering::Relaxed) {
                    debug!(servers, error = %error, "the bus still cannot be reached");
                } else {
                    warn!(servers, error = %error, "the bus cannot be reached; it is tried again");
                }
            }
            Event::LameDuckMode | Event::Draining => {}
        }
    }
}

impl Bus for NatsBus {
    fn publish(&self, parcel: Parcel) {
        let parcel = Arc::new(parcel);
        self.near.hand(Arc::clone(&parcel));
        if self.far.try_send(parcel).is_err() {
            self.dropped.store(true, Ordering::Relaxed);
        }
    }

    fn listen(&self) -> Listener {
        self.near.listen()
    }

    fn was_reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }
}

impl Carrier {
    /// Carries parcels both ways until told to stop, then those that wait to be sent: a node that stops has told the
    /// others all it had to.
    pub async fn run(self, stopped: CancellationToken) {
        let Self {
            client,
            subject,
            mut incoming,
            mut outgoing,
            near,
            dropped,
        } = self;
        let give = async {
            loop {
                let parcel = tokio::select! {
                    biased;
                    parcel = outgoing.recv() => parcel,
                    () = stopped.cancelled(), if !outgoing.is_closed() => {
                        outgoing.close();
                        continue;
                    }
                };
                let Some(parcel) = parcel else { break };
                let gap = dropped.swap(false, Ordering::Relaxed);
                let max_bytes = match client.server_info().max_payload {
                    0 => MAX_PAYLOAD_BYTES,
                    bytes => bytes,
                };
                let mut wire = Vec::new();
                encode(&parcel, max_bytes, &mut wire);
                wire.extend(gap.then(|| json(&Sent::Gap)));
                for payload in wire {
                    if let Err(error) = client.publish(subject.clone(), payload).await {
                        warn!(error = %error, "a parcel was not sent to other nodes");
                    }
                }
            }
            stopped.cancelled().await; // who has nothing more to say may still want to hear
            // NATS says that nobody answers when it has taken all that was sent before. A flush ends sooner.
            match client.request(client.new_inbox(), Bytes::new()).await {
                Err(error) if error.kind() != RequestErrorKind::NoResponders => {
                    warn!(error = %error, "the last parcels may not have reached other nodes");
                }
                _ => {}
            }
        };
        let take = async {
            while let Some(message) = incoming.next().await {
                // An error only says that nobody listens.
                let _ = near.send(decode(&message));
            }
        };
        tokio::select! {
            () = give => {}
            () = take => {}
        }
    }
}

fn json(what: &Sent<'_>) -> Bytes {
    serde_json::to_vec(what).unwrap_or_default().into()
}

/// Encodes a parcel in as many payloads as it takes. What fits into none becomes a gap.
fn encode(parcel: &Parcel, max_bytes: usize, to: &mut Vec<Bytes>) {
    let whole = json(&Sent::Parcel(parcel));
    match parcel {
        _ if whole.len() <= max_bytes => to.push(whole),
        Parcel::Committed(events) if events.len() > 1 => {
            let (first, rest) = events.split_at(events.len() / 2);
            encode(&Parcel::Committed(first.to_vec()), max_bytes, to);
            encode(&Parcel::Committed(rest.to_vec()), max_bytes, to);
        }
        Parcel::Committed(_) | Parcel::Typing(_) => to.push(json(&Sent::Gap)),
    }
}

fn decode(message: &Message) -> Signal {
    match serde_json::from_slice(&message.payload) {
        Ok(Received::Parcel(parcel)) => Signal::Parcel(Arc::new(parcel)),
        Ok(Received::Gap) => Signal::Gap,
        Err(error) => {
            warn!(error = %error, "a parcel of another node was not understood");
            Signal::Gap
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Announcement, ConversationSid, Event, Scope};

    fn committed(events: u128) -> Parcel {
        let announcement = |number| Announcement {
            scope: Scope::Conversation(ConversationSid::from_uuid(uuid::Uuid::from_u128(number))),
            position: 1,
            event: Event::ConversationAdded,
        };
        Parcel::Committed((0..events).map(announcement).collect())
    }

    /// The events of what was encoded, in order; none for a gap.
    fn heard(wire: &[Bytes]) -> Vec<Option<usize>> {
        wire.iter()
            .map(|payload| match serde_json::from_slice(payload) {
                Ok(Received::Parcel(Parcel::Committed(events))) => Some(events.len()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn what_is_too_large_for_one_payload_goes_in_several() {
        let whole = json(&Sent::Parcel(&committed(5))).len();
        let mut wire = Vec::new();
        encode(&committed(5), whole, &mut wire);
        encode(&committed(5), whole - 1, &mut wire);
        encode(&committed(2), 10, &mut wire);
        assert_eq!(heard(&wire), [Some(5), Some(2), Some(3), None, None]);
    }
}
