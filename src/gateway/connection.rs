//! One socket: reading, writing, back-pressure, closing.
//!
//! A connection is one task. A client with too many requests under way is not read until some of them are answered.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::debug;

use super::Gateway;
use super::commands::{self, Answer, Session};
use super::outgoing::{Due, Item, Outgoing};
use super::protocol::{self, Frame, Status};
use super::requests::{Ended, Request, Requests};
use super::sign_in::{self, refused, session};
use super::sockets::Place;
use super::subscriptions::Followed;
use super::websocket::{CloseCode, Message, WebSocket};
use crate::domain::Timestamp;
use crate::ops::users;

/// How long one write may take before the client counts as gone.
const WRITE_LIMIT: Duration = Duration::from_secs(30);
/// How long a client that was told goodbye may take to say it too.
const LINGER_LIMIT: Duration = Duration::from_secs(2);
/// How much earlier an alarm must be than the one that is set for that to be set again.
const ALARM_SLACK: Duration = Duration::from_millis(1);
/// How many messages of a client are heard before something else gets its turn.
const HEARD_TOGETHER: usize = 32;

/// Serves a socket until it ends.
pub async fn serve(gateway: Gateway, mut socket: WebSocket, base: Arc<str>, mut place: Place) {
    // On the heap: what signing in needs would otherwise be held as long as the socket.
    let sign_in = Box::pin(sign_in::wait(&gateway, &mut socket, &mut place, base));
    let hello = tokio::select! {
        hello = sign_in => hello,
        () = gateway.0.sockets.closing() => None,
    };
    let Some(session) = hello else {
        // Whoever was refused has been told why.
        let _ = timeout(WRITE_LIMIT, socket.close(None)).await;
        return;
    };
    let client = place.client;
    let outgoing = Outgoing::new(client, gateway.0.settings.max_queue_bytes);
    place.settle(&outgoing, session.key);
    metrics::gauge!("convoke_sockets").increment(1.0);
    let mut connection = Box::new(Connection::new(gateway.clone(), session, outgoing));
    let why = connection.run(&mut socket).await;
    debug!(client, ?why, "socket ends");
    metrics::gauge!("convoke_sockets").decrement(1.0);
    connection.outgoing.cut_off();
    connection.outgoing.clear();
    let scopes = connection.followed.scopes();
    gateway.0.subscriptions.forget(client, scopes.into_iter());
    drop(connection);
    match why {
        End::Malformed => farewell(&mut socket, CloseCode::Protocol, "malformed frame").await,
        End::Parted => farewell(&mut socket, CloseCode::Away, "sign in again").await,
        End::Expired => farewell(&mut socket, CloseCode::Policy, "the token expired").await,
        End::Denied => farewell(&mut socket, CloseCode::Policy, "the token was refused").await,
        End::Left | End::Cut => {}
    }
}

/// Says goodbye and waits until the client has said it too: what was sent before could be lost if the socket were closed
/// with something unread in it.
async fn farewell(socket: &mut WebSocket, code: CloseCode, reason: &'static str) {
    let goodbye = async {
        let sent = socket.close(Some((code, reason)));
        if timeout(WRITE_LIMIT, sent)
            .await
            .is_ok_and(|sent| sent.is_ok())
        {
            while socket.read().await.is_some() {}
        }
    };
    let _ = timeout(LINGER_LIMIT, goodbye).await;
}

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client left.
    Left,
    /// The client does not answer, or reads too slowly.
    Cut,
    /// The server stops, or the user was deleted, and everything is answered.
    Parted,
    /// The token expired. Nothing is said but goodbye.
    ///
    /// # Why not a frame `close` with 410
    /// The SDK has a word of its own for an expired token, and cannot be helped after it: for three seconds it takes no
    /// new token, without a word to the program that wants to give it one at `tokenExpired`, and then it has stopped for
    /// good. Without that frame it is back at once, is told by [`sign_in`](super::sign_in) that its token has expired,
    /// tells its program so, and waits for another token. Whoever never gives one comes back that once.
    Expired,
    /// A new token was refused. Who misses that would come back with it, as somebody else perhaps.
    Denied,
    /// The client sent what is no frame.
    Malformed,
}

struct Connection {
    gateway: Gateway,
    session: Arc<Session>,
    outgoing: Arc<Outgoing>,
    followed: Arc<Followed>,
    requests: Requests,
    answered_ping: bool,
    next_ping: Instant,
    warned: bool,
    parting: bool,
}

impl Connection {
    fn new(gateway: Gateway, session: Session, outgoing: Arc<Outgoing>) -> Self {
        let next_ping = Instant::now() + gateway.ping_interval();
        let followed = Arc::new(Followed::new(gateway.0.settings.max_subscriptions));
        Self {
            gateway,
            session: Arc::new(session),
            outgoing,
            followed,
            requests: Requests::new(),
            answered_ping: true,
            next_ping,
            warned: false,
            parting: false,
        }
    }

    async fn run(&mut self, socket: &mut WebSocket) -> End {
        let outgoing = Arc::clone(&self.outgoing);
        let mut alarm = pin!(sleep_until(self.next_alarm()));
        loop {
            if self.parting && self.requests.count() == 0 && outgoing.is_empty() {
                return End::Parted;
            }
            // Who never stops talking must not keep the alarm from ringing. (Not the one for pings: what would answer
            // them may be waiting to be read.)
            if self.gateway.core().clock.now() >= self.session.expires
                && let Some(end) = self.alarm(socket).await
            {
                return end;
            }
            let next = self.next_alarm();
            // Setting a timer costs more than most of what is done here, so it is not set again for nothing.
            if alarm.is_elapsed() || next + ALARM_SLACK < alarm.deadline() {
                alarm.as_mut().reset(next);
            }
            let busy = self.is_busy();
            let step = tokio::select! {
                biased;
                due = outgoing.due(self.parting) => Step::Due(due),
                Some(ended) = self.requests.next() => Step::Ended(ended),
                heard = socket.read(), if !busy => Step::Heard(heard),
                () = alarm.as_mut() => Step::Alarm,
            };
            let end = match step {
                Step::Due(Due::Cut) => Some(End::Cut),
                Step::Due(Due::Part) => {
                    self.parting = true;
                    None
                }
                Step::Due(Due::Write) => self.write(socket).await,
                Step::Ended(ended) => {
                    self.answer(ended);
                    None
                }
                Step::Heard(None) => Some(End::Left),
                Step::Heard(Some(message)) => self.hear(socket, message).await,
                Step::Alarm => self.alarm(socket).await,
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    fn is_busy(&self) -> bool {
        self.parting || self.requests.count() >= self.gateway.0.settings.max_requests
    }

    /// Hears a message, and what else was read from the socket with it.
    async fn hear(&mut self, socket: &mut WebSocket, first: Message) -> Option<End> {
        let mut message = first;
        for left in (0..HEARD_TOGETHER).rev() {
            if let Some(end) = self.heard(socket, message).await {
                return Some(end);
            }
            if left == 0 || self.is_busy() {
                break;
            }
            message = match socket.read().now_or_never() {
                Some(Some(next)) => next,
                Some(None) => return Some(End::Left),
                None => break,
            };
        }
        None
    }

    /// Writes what waits, flushed together; has replays go on whose turn it is.
    async fn write(&self, socket: &mut WebSocket) -> Option<End> {
        let all = async {
            let (mut packets, mut bytes) = (Vec::new(), 0);
            for item in self.outgoing.take() {
                match item {
                    Item::Frame { frame, counts } => {
                        bytes += counts;
                        packets.push(frame);
                    }
                    Item::Answer(frame) => packets.push(frame),
                    Item::Resume(mut replay) => {
                        socket.write(packets.drain(..)).await?;
                        self.outgoing.sent(std::mem::take(&mut bytes));
                        // Less what was cancelled meanwhile.
                        replay
                            .wishes
                            .retain(|wish| self.followed.is_wanted(wish.object));
                        self.gateway.0.subscriptions.establish(*replay);
                    }
                }
            }
            let written = socket.write(packets).await;
            self.outgoing.sent(bytes);
            written
        };
        tokio::select! {
            biased;
            written = timeout(WRITE_LIMIT, all) => match written {
                Ok(Ok(())) => None,
                Ok(Err(_)) => Some(End::Left),
                Err(_) => Some(End::Cut),
            },
            () = self.outgoing.cut() => Some(End::Cut),
        }
    }

    /// When something is to be done without being asked.
    fn next_alarm(&self) -> Instant {
        let now = self.gateway.core().clock.now();
        let until = |moment: Timestamp| {
            // Not later than a ping: the clock may be set, and instants end somewhere.
            let wait = (moment - now).to_std().unwrap_or(Duration::ZERO);
            Instant::now() + wait.min(self.gateway.ping_interval())
        };
        let expiry = if self.warned {
            self.session.expires
        } else {
            self.warning()
        };
        self.next_ping.min(until(expiry))
    }

    fn warning(&self) -> Timestamp {
        let seconds = self.gateway.0.settings.token_warning_seconds;
        self.session.expires - chrono::TimeDelta::seconds(seconds.into())
    }

    async fn alarm(&mut self, socket: &mut WebSocket) -> Option<End> {
        let now = self.gateway.core().clock.now();
        if now >= self.session.expires {
            return Some(End::Expired);
        }
        if !self.warned && now >= self.warning() {
            self.warned = true;
            self.outgoing
                .send(protocol::token_about_to_expire("TMwarning"));
        }
        if Instant::now() >= self.next_ping {
            if !self.answered_ping {
                return Some(End::Cut);
            }
            self.answered_ping = false;
            self.next_ping = Instant::now() + self.gateway.ping_interval();
            if timeout(WRITE_LIMIT, socket.ping()).await.is_err() {
                return Some(End::Cut);
            }
        }
        None
    }

    async fn heard(&mut self, socket: &mut WebSocket, message: Message) -> Option<End> {
        // Whatever a client sends shows that it lives.
        self.answered_ping = true;
        let bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Close(_) => return Some(End::Left),
            Message::Text(_) | Message::Frame(_) => return Some(End::Malformed),
            Message::Ping(_) | Message::Pong(_) => return None,
        };
        if protocol::is_acknowledgement(&bytes) {
            return None;
        }
        let Ok(frame) = Frame::read(bytes) else {
            return Some(End::Malformed);
        };
        let id = frame.header.id;
        match frame.header.method.as_str() {
            "message" => {
                match frame.header.http_request {
                    Some(http) => {
                        let payload = frame.payload;
                        let request = Request { id, http, payload };
                        self.requests.accept(&self.gateway, &self.session, request);
                    }
                    None => self.outgoing.send(protocol::reply(&id, &Status::of(400))),
                }
                None
            }
            "update" => {
                // On the heap, as signing in is.
                Box::pin(self.update(socket, &id, frame.header.token.as_deref())).await
            }
            "close" => {
                let goodbye = [protocol::reply(&id, &Status::of(200))];
                let _ = timeout(WRITE_LIMIT, socket.write(goodbye)).await;
                Some(End::Left)
            }
            // Acknowledgements and telemetry need no answer.
            "reply" | "telemetry.v1" => None,
            "put_notification_ctx" | "delete_notification_ctx" | "ping" => {
                self.outgoing.send(protocol::reply(&id, &Status::of(200)));
                None
            }
            _ => {
                self.outgoing.send(protocol::reply(&id, &Status::of(400)));
                None
            }
        }
    }

    /// Takes a new token for the same user.
    async fn update(
        &mut self,
        socket: &mut WebSocket,
        id: &str,
        token: Option<&str>,
    ) -> Option<End> {
        let token = token.unwrap_or_default();
        match users::sign_in_again(self.gateway.core(), token, self.session.user).await {
            Ok(signed_in) => {
                let base = Arc::clone(&self.session.base);
                self.gateway
                    .0
                    .sockets
                    .renew(self.outgoing.id, signed_in.key);
                self.session = Arc::new(session(&self.gateway, signed_in, base).await);
                self.warned = false;
                self.outgoing.send(protocol::reply(id, &Status::of(200)));
                None
            }
            Err(error) => {
                let refusal = [protocol::reply(id, &refused(&error))];
                let _ = timeout(WRITE_LIMIT, socket.write(refusal)).await;
                Some(End::Denied)
            }
        }
    }

    /// Sends the answers of requests that ended.
    fn answer(&mut self, ended: Ended) {
        for (id, answer) in self.requests.settle(&self.gateway, &self.session, ended) {
            let (status, body) = answer.print();
            self.outgoing.answer(protocol::respond(&id, status, &body));
            if let Answer::Subscriptions(wishes) = answer {
                self.follow(wishes);
            }
        }
    }

    fn follow(&mut self, wishes: commands::subscriptions::Wishes) {
        wishes.carry_out(&self.gateway, &self.session, &self.outgoing, &self.followed);
    }
}

enum Step {
    Due(Due),
    Alarm,
    Ended(Ended),
    Heard(Option<Message>),
}

impl Gateway {
    fn ping_interval(&self) -> Duration {
        Duration::from_secs(self.0.settings.ping_seconds.max(1).into())
    }
}
