//! The websocket under the frames: how one is asked for, its pings and its end.

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::header::UPGRADE;
use reqwest::{Response, StatusCode};
use serde_json::json;
use sqlx::PgPool;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::{join, part};
use crate::support::TestServer;
use crate::support::socket::{PATIENCE, Sent, frame, read};

const ASKED: [(&str, &str); 4] = [
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// Asks for a websocket, but for one of the headers that it takes.
pub(super) async fn ask_without(server: &TestServer, missing: Option<&str>) -> Response {
    let mut request = server.http.get(server.url("/v3/wsconnect"));
    for (name, value) in ASKED.iter().filter(|(name, _)| Some(*name) != missing) {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer")
}

#[sqlx::test]
async fn what_asks_for_no_websocket_is_told_what_to_ask_for(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    for (missing, status) in [
        (None, StatusCode::SWITCHING_PROTOCOLS),
        (Some("Connection"), StatusCode::UPGRADE_REQUIRED),
        (Some("Upgrade"), StatusCode::UPGRADE_REQUIRED),
        (Some("Sec-WebSocket-Version"), StatusCode::UPGRADE_REQUIRED),
        (Some("Sec-WebSocket-Key"), StatusCode::BAD_REQUEST),
    ] {
        let answer = ask_without(&server, missing).await;
        assert_eq!(answer.status(), status, "{missing:?}");
        let is_told = answer
            .headers()
            .get(UPGRADE)
            .is_some_and(|to| to == "websocket");
        assert_eq!(is_told, status != StatusCode::BAD_REQUEST, "{missing:?}");
    }
    let post = server.http.post(server.url("/v3/wsconnect"));
    let answer = post.send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[sqlx::test]
async fn a_goodbye_is_answered_with_its_code(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut quiet = server.silent_socket().await;
    let mut alice = server.socket("alice").await;
    for client in [&mut quiet, &mut alice] {
        let goodbye = CloseFrame {
            code: 4711.into(),
            reason: "tired".into(),
        };
        client.send(Message::Close(Some(goodbye))).await;
        let answer = client.end().await.expect("an answer");
        assert_eq!(answer.0, 4711);
    }
}

/// The client's buffer is small, so that answers and pongs meet where only a part of an answer was taken.
#[sqlx::test]
async fn pings_are_answered_between_long_messages_not_within(pool: PgPool) {
    const ROUNDS: usize = 20;
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "alice").await;
    let body = "x".repeat(32_000);
    for _ in 0..5 {
        let fields = [("Body", body.as_str())];
        server.post(&format!("{talk}/Messages"), &fields).await;
    }
    let (mut reading, mut writing) = server.socket("alice").await.split();
    let path = format!("/v3/Lists/{}/Items", part(&talk, "messages"));
    let writer = async {
        for round in 0..ROUNDS {
            let request = json!({ "method": "GET", "path": path, "host": "h", "headers": {} });
            let header =
                json!({ "id": format!("TM{round}"), "method": "message", "http_request": request });
            let ping = Message::Ping(Bytes::from(round.to_string()));
            for message in [frame(header, &[]), ping] {
                writing.send(message).await.expect("the socket takes it");
            }
        }
    };
    let reader = async {
        let (mut pages, mut last) = (0, None);
        while pages < ROUNDS || last.as_deref() != Some(b"19".as_slice()) {
            match reading.next().await.expect("more").expect("a message") {
                Message::Binary(bytes) => {
                    let Sent::Frame(_, page) = read(&bytes) else {
                        continue;
                    };
                    assert_eq!(page["items"].as_array().map(Vec::len), Some(5));
                    pages += 1;
                }
                Message::Pong(bytes) => last = Some(bytes.to_vec()),
                _ => {}
            }
        }
    };
    timeout(PATIENCE, async { tokio::join!(writer, reader) })
        .await
        .expect("all answers and the last pong");
}
