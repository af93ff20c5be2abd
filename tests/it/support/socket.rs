//! A client of the socket that knows the wire, and nothing that an SDK would put right.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use chrono::TimeDelta;
use convoke::domain::Clock as _;
use convoke::domain::tokens::NewToken;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::server::{ACCOUNT_SID, API_KEY_SECRET, API_KEY_SID};
use super::{TestServer, text};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What the server sent.
#[derive(Debug)]
pub enum Sent {
    /// A frame.
    Frame(Value, Value),
    /// The end, with its code and reason if there was one.
    Closed(Option<(u16, String)>),
}

/// One socket.
pub struct SocketClient {
    socket: WebSocketStream<TcpStream>,
    notifications: VecDeque<Value>,
    asked: u64,
}

/// The half of a socket that is read.
pub type Reading = SplitStream<WebSocketStream<TcpStream>>;
/// The half of a socket that is written.
pub type Writing = SplitSink<WebSocketStream<TcpStream>, Message>;

impl TestServer {
    /// A token of the default service.
    pub async fn token(&self, identity: &str, lifetime: TimeDelta, secret: &str) -> String {
        let service = self.default_service().await;
        self.token_of(&service, identity, lifetime, secret)
    }

    /// A token of a service.
    pub fn token_of(
        &self,
        service: &str,
        identity: &str,
        lifetime: TimeDelta,
        secret: &str,
    ) -> String {
        let signer = (ACCOUNT_SID, API_KEY_SID, secret);
        self.token_by(signer, service, identity, lifetime)
    }

    /// A token that the key of an account signed.
    pub fn token_by(
        &self,
        (account, key, secret): (&str, &str, &str),
        service: &str,
        identity: &str,
        lifetime: TimeDelta,
    ) -> String {
        NewToken {
            issuer: key.parse().expect("a SID"),
            account: account.parse().expect("a SID"),
            service: service.parse().expect("a SID"),
            identity: &convoke::domain::Identity::parse(identity.to_owned()).expect("an identity"),
            lifetime,
        }
        .mint(secret, self.clock.now())
        .expect("a token")
    }

    /// A token that is good for an hour.
    pub async fn good_token(&self, identity: &str) -> String {
        self.token(identity, TimeDelta::hours(1), API_KEY_SECRET)
            .await
    }

    /// A socket on which nothing was said yet.
    pub async fn silent_socket(&self) -> SocketClient {
        SocketClient::connect(self.address()).await
    }

    /// A socket of a user.
    pub async fn socket(&self, identity: &str) -> SocketClient {
        let mut client = self.silent_socket().await;
        let token = self.good_token(identity).await;
        client.sign_in(&token).await;
        client
    }
}

impl SocketClient {
    /// A socket of a server, on which nothing was said yet.
    pub async fn connect(address: SocketAddr) -> Self {
        let wire = TcpSocket::new_v4().expect("a socket");
        // Little, so that it is soon noticed when a client does not read.
        wire.set_recv_buffer_size(32 * 1024).expect("a buffer");
        let stream = wire.connect(address).await.expect("a connection");
        let url = format!("ws://{address}/v3/wsconnect");
        let (socket, _) = client_async(url, stream).await.expect("an upgrade");
        Self {
            socket,
            notifications: VecDeque::new(),
            asked: 0,
        }
    }

    /// Says who it is, with a token that must be good.
    pub async fn sign_in(&mut self, token: &str) {
        let status = self.say(json!({ "method": "init", "token": token })).await;
        assert_eq!(status["code"], 200, "{status}");
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, message: Message) {
        self.socket
            .send(message)
            .await
            .expect("the socket takes it");
    }

    async fn send_frame(&mut self, mut header: Value, payload: &[u8]) -> String {
        self.asked += 1;
        let id = format!("TM{:032}", self.asked);
        header["id"] = json!(id);
        self.send(frame(header, payload)).await;
        id
    }

    /// The reading and the writing half, for a client that does both at its own pace.
    pub fn split(self) -> (Reading, Writing) {
        let (writing, reading) = self.socket.split();
        (reading, writing)
    }

    /// Reads until the end; answers its code and reason if there was one.
    pub async fn end(&mut self) -> Option<(u16, String)> {
        loop {
            if let Sent::Closed(why) = self.next().await {
                return why;
            }
        }
    }

    /// Ends the connection without a word, and waits until the server has let it go.
    pub async fn hang_up(mut self) {
        let wire = self.socket.get_mut();
        wire.shutdown().await.expect("the end is sent");
        self.end().await;
    }

    /// The next thing the server sends, except pings.
    pub async fn next(&mut self) -> Sent {
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await;
            let message = match next.expect("something in time") {
                Some(Ok(message)) => message,
                Some(Err(_)) | None => return Sent::Closed(None),
            };
            match message {
                Message::Binary(bytes) => return read(&bytes),
                Message::Close(frame) => {
                    return Sent::Closed(frame.map(|f| (f.code.into(), f.reason.to_string())));
                }
                _ => {}
            }
        }
    }

    /// Waits for the answer to a frame; what is heard meanwhile is kept.
    async fn answer(&mut self, id: &str) -> (Value, Value) {
        self.answer_to(|header| header["id"] == id).await
    }

    async fn answer_to(&mut self, is_wanted: impl Fn(&Value) -> bool) -> (Value, Value) {
        loop {
            match self.next().await {
                Sent::Frame(header, payload)
                    if header["method"] == "reply" && is_wanted(&header) =>
                {
                    return (header, payload);
                }
                Sent::Frame(header, payload) if header["method"] == "notification" => {
                    self.keep(&payload)
                }
                Sent::Frame(..) => {}
                Sent::Closed(why) => panic!("closed instead of an answer: {why:?}"),
            }
        }
    }

    /// Sends a frame that is no request; answers its status.
    pub async fn say(&mut self, header: Value) -> Value {
        self.say_and_hear(header).await.0
    }

    /// Sends a frame that is no request; answers its status, and what the answer carries.
    pub async fn say_and_hear(&mut self, header: Value) -> (Value, Value) {
        let id = self.send_frame(header, &[]).await;
        let (header, payload) = self.answer(&id).await;
        (header["status"].clone(), payload)
    }

    /// Sends a request; answers its status and body.
    pub async fn ask(&mut self, method: &str, path: &str, body: Value) -> (u64, Value) {
        let payload = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.ask_with(method, path, &payload).await
    }

    /// The same with a body as it is.
    pub async fn ask_with(&mut self, method: &str, path: &str, payload: &str) -> (u64, Value) {
        let id = self.start(method, path, payload).await;
        self.answered(&id).await
    }

    /// Sends a request and waits for nothing; answers its id.
    pub async fn start(&mut self, method: &str, path: &str, payload: &str) -> String {
        let request = json!({ "method": method, "path": path, "host": "h", "headers": {} });
        self.request(request, payload).await
    }

    /// Sends a change under a name of the client's own; answers its status and body.
    pub async fn change(&mut self, name: &str, path: &str, body: Value) -> (u64, Value) {
        let headers = json!({ "X-Twilio-Mutation-Id": name });
        let request = json!({ "method": "POST", "path": path, "headers": headers });
        let id = self.request(request, &body.to_string()).await;
        self.answered(&id).await
    }

    /// Reads something with a query.
    pub async fn get(&mut self, path: &str, params: Value) -> (u64, Value) {
        let request = json!({ "method": "GET", "path": path, "params": params });
        let id = self.request(request, "").await;
        self.answered(&id).await
    }

    async fn request(&mut self, request: Value, payload: &str) -> String {
        let header = json!({ "method": "message", "http_request": request });
        self.send_frame(header, payload.as_bytes()).await
    }

    async fn answered(&mut self, id: &str) -> (u64, Value) {
        let (header, body) = self.answer(id).await;
        (
            header["http_status"]["code"].as_u64().expect("a status"),
            body,
        )
    }

    /// Sends many reads at once; answers their statuses and bodies.
    pub async fn read_all(&mut self, paths: &[String]) -> Vec<(u64, Value)> {
        let mut ids = Vec::with_capacity(paths.len());
        for path in paths {
            let request = json!({ "method": "GET", "path": path, "host": "h", "headers": {} });
            let header = json!({ "method": "message", "http_request": request });
            ids.push(self.send_frame(header, &[]).await);
        }
        let mut answers = HashMap::new();
        while answers.len() < ids.len() {
            let (header, body) = self.answer_to(|_| true).await;
            let status = header["http_status"]["code"].as_u64().expect("a status");
            answers.insert(text(&header, "id"), (status, body));
        }
        ids.iter().map(|id| answers[id].clone()).collect()
    }

    /// Keeps a notification; one that carries several events as so many.
    fn keep(&mut self, payload: &Value) {
        let single = |event: &Value| {
            let mut one = payload.clone();
            one["events"] = json!([event]);
            one
        };
        match payload["events"].as_array() {
            Some(events) => self.notifications.extend(events.iter().map(single)),
            None => self.notifications.push_back(payload.clone()),
        }
    }

    /// The next notification, or the next event of one.
    pub async fn next_notification(&mut self) -> Value {
        loop {
            if let Some(kept) = self.notifications.pop_front() {
                return kept;
            }
            match self.next().await {
                Sent::Frame(header, payload) if header["method"] == "notification" => {
                    self.keep(&payload)
                }
                Sent::Frame(..) => {}
                Sent::Closed(why) => panic!("closed instead of a notification: {why:?}"),
            }
        }
    }

    /// All notifications, or events of them, that were sent before now: an answer overtakes none of them.
    pub async fn heard(&mut self) -> Vec<Value> {
        self.ask("GET", "/Client/v2/Configuration", Value::Null)
            .await;
        self.notifications.drain(..).collect()
    }

    /// Follows an object; answers what was replayed, and what the subscription ended with.
    pub async fn follow(
        &mut self,
        kind: &str,
        sid: &str,
        last_event_id: Option<i64>,
    ) -> (Vec<Value>, Value) {
        self.asked += 1;
        let correlation = self.asked;
        let wish =
            json!({ "object_sid": sid, "object_type": kind, "last_event_id": last_event_id });
        let body =
            json!({ "action": "establish", "correlation_id": correlation, "requests": [wish] });
        let (status, _) = self.ask("POST", "/v4/Subscriptions", body).await;
        assert_eq!(status, 200);
        let mut replayed = Vec::new();
        loop {
            let heard = self.next_notification().await;
            assert_eq!(heard["correlation_id"], correlation, "{heard}");
            if text(&heard, "event_type").starts_with("subscription_") {
                return (replayed, heard);
            }
            replayed.push(heard);
        }
    }
}

/// A frame whose lengths are right.
pub fn frame(mut header: Value, payload: &[u8]) -> Message {
    header["payload_size"] = json!(payload.len());
    let header = header.to_string();
    let mut frame = format!("TWILSOCK V3.0 {}\r\n{header}\r\n", header.len()).into_bytes();
    frame.extend_from_slice(payload);
    Message::Binary(Bytes::from(frame))
}

/// Reads a frame of the server.
pub fn read(frame: &[u8]) -> Sent {
    let text = std::str::from_utf8(frame).expect("text");
    let (line, rest) = text.split_once("\r\n").expect("a first line");
    let length: usize = line
        .strip_prefix("TWILSOCK V3.0 ")
        .and_then(|length| length.parse().ok())
        .expect("a length");
    let header: Value = serde_json::from_str(&rest[..length]).expect("a header");
    let payload = rest[length..].trim_start_matches("\r\n");
    let payload = serde_json::from_str(payload).unwrap_or(Value::Null);
    Sent::Frame(header, payload)
}
