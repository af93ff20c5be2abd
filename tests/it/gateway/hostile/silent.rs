//! Half-open sockets, and lies below the frames: clients that speak to the websocket by hand.

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
const WHOLE: u8 = 0x82;
const BEGINS: u8 = 0x02;
const GOES_ON: u8 = 0x00;

/// A socket that does nothing by itself, not even answer pings.
struct ByHand(TcpStream);

impl ByHand {
    async fn open(server: &TestServer) -> Self {
        let mut stream = TcpStream::connect(server.address())
            .await
            .expect("a connection");
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
        let mut socket = Self::open(server).await;
        let token = server.good_token(identity).await;
        let Message::Binary(init) = frame(
            json!({ "id": "TM1", "method": "init", "token": token }),
            &[],
        ) else {
            unreachable!("frames are binary")
        };
        socket.send(WHOLE, init.len() as u64, &init).await;
        socket
    }

    /// Sends a piece that says it is so long. Whatever was closed meanwhile takes nothing more.
    async fn send(&mut self, first: u8, says: u64, bytes: &[u8]) {
        let mut piece = vec![first, 0x80 | 127]; // masked, with a long length
        piece.extend(says.to_be_bytes());
        piece.extend([0; 4]); // a mask that changes nothing
        piece.extend(bytes);
        let _ = self.0.write_all(&piece).await;
    }

    /// Reads until the server has closed.
    async fn end(mut self) {
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
        let mut socket = ByHand::open(&server).await;
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
