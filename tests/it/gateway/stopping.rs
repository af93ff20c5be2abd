//! A node that stops lets its sockets go one after the other, and leaves no change without its answer.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{join, messages};
use crate::support::socket::{Sent, SocketClient};
use crate::support::{TestServer, text, wait};

/// Asks again and again until the socket is closed; answers when that was, and with which code.
async fn served_until_closed(client: &mut SocketClient) -> (Instant, Option<u16>) {
    loop {
        let id = client.start("GET", "/Client/v2/Configuration", "").await;
        match client.next().await {
            Sent::Frame(header, _) => {
                let answered = (&header["id"], &header["http_status"]["code"]);
                assert_eq!(answered, (&json!(id), &json!(200)), "{header}");
            }
            Sent::Closed(why) => return (Instant::now(), why.map(|(code, _)| code)),
        }
    }
}

#[sqlx::test]
async fn sockets_are_dropped_one_after_the_other_and_no_new_ones_are_taken(pool: PgPool) {
    let settings = [("CONVOKE_SHUTDOWN_SPREAD_SECONDS", "4")];
    let server = TestServer::start_with(&pool, &settings).await;
    let mut sockets = Vec::new();
    for identity in ["alice", "bob", "carol", "dave"] {
        sockets.push(server.socket(identity).await);
    }
    let mut silent = server.silent_socket().await;
    let http = server.http.clone();
    let [ready, upgrade, rest] =
        ["/readyz", "/v3/wsconnect", "/v1/Services"].map(|path| server.url(path));
    let status = async |url: &str| {
        let asked = http.get(url).send().await;
        asked.map_or(0, |answer| answer.status().as_u16())
    };
    let observe = async {
        wait::until("it is not ready", async || status(&ready).await == 503).await;
        let refused = http
            .get(&upgrade)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .send()
            .await
            .expect("an answer");
        assert_eq!(refused.status(), 503);
        assert!(refused.headers().contains_key("retry-after"));
        // Who is still connected is served: 401, as nobody said who it is.
        assert_eq!(status(&rest).await, 401);
        assert!(matches!(silent.next().await, Sent::Closed(_)));
    };
    let closed = join_all(sockets.iter_mut().map(served_until_closed));
    let ((), (), closed) = tokio::join!(server.stop(), observe, closed);
    assert!(
        closed.iter().all(|(_, code)| *code == Some(1001)),
        "{closed:?}"
    );
    let mut moments: Vec<Instant> = closed.into_iter().map(|(when, _)| when).collect();
    moments.sort();
    // The last three seconds after the first; on a busy machine the first may be seen late.
    let apart = moments[3] - moments[0];
    assert!(apart > Duration::from_secs(1), "{apart:?}");
}

#[sqlx::test]
async fn every_change_that_was_made_is_answered(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "alice").await;
    let messages = messages(&server, &talk).await;
    let mut alice = server.socket("alice").await;
    for n in 0..30 {
        let body = json!({ "body": n.to_string() }).to_string();
        alice.start("POST", &messages, &body).await;
    }
    let mut answered = Vec::new();
    // Some are answered before, so that it stops in the middle of them.
    for _ in 0..3 {
        answered.extend(created(alice.next().await));
    }
    let listen = async {
        while let Some(sid) = created(alice.next().await) {
            answered.push(sid);
        }
    };
    tokio::join!(server.stop(), listen);

    let server = TestServer::start(&pool).await;
    let stored = server
        .get(&format!("{talk}/Messages?PageSize=100"))
        .await
        .with(200);
    let stored: Vec<String> = (stored["messages"].as_array().expect("messages").iter())
        .map(|message| text(message, "sid"))
        .collect();
    assert_eq!(answered, stored);
}

/// The SID of what was created, unless the socket was closed.
fn created(sent: Sent) -> Option<String> {
    let Sent::Frame(header, body) = sent else {
        return None;
    };
    assert_eq!(header["http_status"]["code"], 201, "{header} {body}");
    let Value::String(sid) = &body["sid"] else {
        panic!("{body}")
    };
    Some(sid.clone())
}
