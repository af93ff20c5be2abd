//! Half-open sockets, and lies below the frames: clients that speak to the websocket by hand.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use sqlx::PgPool;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::support::TestServer;
use crate::support::socket::frame;

const PATIENCE: Duration = Duration::from_secs(30);
/// The first byte of the pieces of a websocket message.
pub(super) const WHOLE: u8 = 0x82;
const BEGINS: u8 = 0x02;
const GOES_ON: u8 = 0x00;
/// The first byte of a ping, and all of the answer to an empty one.
const PING: u8 = 0x89;
const PONG: u16 = 0x8a00;

/// A socket that does nothing by itself, not even answer pings.
pub(super) struct ByHand(TcpStream);

impl ByHand {
    pub(super) async fn open(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let hello = "GET /v3/wsconnect HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(hello.as_bytes()).await.expect("written");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.expect("an answer"));
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"));
        Self(stream)
    }

    async fn signed_in(server: &TestServer, identity: &str) -> Self {
        let token = server.good_token(identity).await;
        Self::signed_in_with(server.address(), &token).await
    }

    pub(super) async fn signed_in_with(address: SocketAddr, token: &str) -> Self {
        let mut socket = Self::open(address).await;
        let Message::Binary(init) = frame(
            json!({ "id": "TM1", "method": "init", "token": token }),
            &[],
        ) else {
            unreachable!("frames are binary")
        };
        socket.send(WHOLE, init.len() as u64, &init).await;
        socket
    }

    /// Sends a piece that says it is so long; answers whether it went out, for what was closed takes nothing more.
    pub(super) async fn send(&mut self, first: u8, says: u64, bytes: &[u8]) -> bool {
        let mut piece = vec![first, 0x80 | 127]; // masked, with a long length
        piece.extend(says.to_be_bytes());
        piece.extend([0; 4]); // a mask that changes nothing
        piece.extend(bytes);
        self.0.write_all(&piece).await.is_ok()
    }

    /// Reads until the server has closed.
    pub(super) async fn end(mut self) {
        let mut read = Vec::new();
        // Closed with bytes unread is an error here, and a close all the same.
        let _ = timeout(PATIENCE, self.0.read_to_end(&mut read))
            .await
            .expect("closed in time");
    }
}

#[sqlx::test]
async fn who_does_not_answer_pings_is_closed(pool: PgPool) {
    let server = TestServer::start_with(&pool, &[("CONVOKE_GATEWAY_PING_SECONDS", "1")]).await;
    let mut alive = server.socket("alive").await;
    let dead = ByHand::signed_in(&server, "dead").await;
    let reading = tokio::spawn(async move {
        alive.end().await;
    });
    dead.end().await;
    // Whoever answers stays, through as many pings and more.
    let dead = ByHand::signed_in(&server, "dead").await;
    dead.end().await;
    assert!(!reading.is_finished());
    reading.abort();
}

#[sqlx::test]
async fn who_does_not_sign_in_is_closed(pool: PgPool) {
    let settings = [("CONVOKE_GATEWAY_SIGN_IN_SECONDS", "1")];
    let server = TestServer::start_with(&pool, &settings).await;
    let mut stays = server.socket("alice").await;
    let address = server.address();
    let silent = ByHand::open(address).await;
    // A frame of which only the beginning comes.
    let mut slow = ByHand::open(address).await;
    slow.send(WHOLE, 200, b"TWILSOCK V3.0 17").await;
    // A message of which only the first piece comes.
    let mut pieces = ByHand::open(address).await;
    pieces.send(BEGINS, 8, b"TWILSOCK").await;
    // Much sooner than by default.
    for socket in [silent, slow, pieces] {
        timeout(PATIENCE / 3, socket.end()).await.expect("closed");
    }
    // Who never stops talking, and says nothing with it.
    let mut pings = ByHand::open(address).await;
    let talking = async {
        let mut answered = 0;
        while pings.send(PING, 0, b"").await && pings.0.read_u16().await.is_ok_and(|it| it == PONG)
        {
            answered += 1;
        }
        assert!(answered > 0, "no ping was answered");
    };
    timeout(PATIENCE / 3, talking).await.expect("closed");
    // Whoever has signed in in time stays for longer.
    let status = stays.say(json!({ "method": "ping" })).await;
    assert_eq!(status["code"], 200);
}

#[sqlx::test]
async fn lengths_that_lie_below_the_frames_are_closed(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    for (what, says) in [
        ("more than any message may have", u64::MAX / 2),
        ("a little more", 262_145),
    ] {
        let mut socket = ByHand::signed_in(&server, "mallory").await;
        socket.send(WHOLE, says, b"x").await;
        timeout(PATIENCE, socket.end()).await.expect(what);
        // The same before saying who it is.
        let mut socket = ByHand::open(server.address()).await;
        socket.send(WHOLE, says, b"x").await;
        timeout(PATIENCE, socket.end()).await.expect(what);
    }
    // A message in pieces is no longer than one in a piece.
    let mut socket = ByHand::signed_in(&server, "mallory").await;
    let piece = vec![b'x'; 100_000];
    for first in [BEGINS, GOES_ON, GOES_ON, GOES_ON] {
        socket.send(first, 100_000, &piece).await;
    }
    socket.end().await;
    let status = server
        .socket("other")
        .await
        .say(json!({ "method": "ping" }))
        .await;
    assert_eq!(status["code"], 200);
}

#[sqlx::test]
async fn who_has_not_signed_in_may_say_little(pool: PgPool) {
    // So that it is not this that closes them.
    let settings = [("CONVOKE_GATEWAY_SIGN_IN_SECONDS", "600")];
    let server = TestServer::start_with(&pool, &settings).await;
    let much = vec![b'x'; 24 * 1024];
    // A frame that has not ended yet, and would be short enough for somebody else.
    let mut frame = ByHand::open(server.address()).await;
    frame.send(WHOLE, 200_000, &much).await;
    // The same in pieces.
    let mut pieces = ByHand::open(server.address()).await;
    for first in [BEGINS, GOES_ON, GOES_ON] {
        pieces.send(first, 8 * 1024, &much[..8 * 1024]).await;
    }
    for socket in [frame, pieces] {
        socket.end().await;
    }
    // A long token is not too much, and what comes right after it is somebody's.
    let mut client = server.silent_socket().await;
    let token = server.good_token("alice").await;
    let init = json!({ "method": "init", "token": token, "metadata": "x".repeat(12 * 1024) });
    assert_eq!(client.say(init).await["code"], 200);
    let ping = json!({ "method": "ping", "metadata": "x".repeat(200_000) });
    assert_eq!(client.say(ping).await["code"], 200);
}

#[sqlx::test]
async fn who_never_sends_the_header_of_a_request_is_closed(pool: PgPool) {
    let server = TestServer::start_with(&pool, &[("CONVOKE_HEADER_SECONDS", "1")]).await;
    let mut member = server.socket("alice").await;
    let request = "GET /healthz HTTP/1.1\r\nHost: x\r\n";
    // Nothing; half a header; and nothing more after a request that was answered.
    for said in [String::new(), request.to_owned(), format!("{request}\r\n")] {
        let mut stream = TcpStream::connect(server.address())
            .await
            .expect("a connection");
        stream.write_all(said.as_bytes()).await.expect("written");
        ByHand(stream).end().await;
    }
    // A socket is a request that was answered, and stays.
    assert!(member.heard().await.is_empty());
}
