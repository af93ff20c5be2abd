//! Too much: requests, answers, events.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio_tungstenite::tungstenite::Message;

use super::{join, list, sid};
use crate::support::TestServer;
use crate::support::socket::{Reading, Sent, Writing, frame, read};

fn request(n: usize, path: &str, payload: &[u8]) -> Message {
    let request = json!({ "method": "GET", "path": path });
    frame(
        json!({ "id": format!("TM{n}"), "method": "message", "http_request": request }),
        payload,
    )
}

/// Sends until it is through, or the server has closed; counts what went out.
async fn send_all(mut to: Writing, messages: Vec<Message>, sent: Arc<AtomicUsize>) {
    for message in messages {
        if to.send(message).await.is_err() {
            return;
        }
        sent.fetch_add(1, Ordering::Relaxed);
    }
}

/// Reads answers until each of so many requests has exactly one.
async fn read_answers(from: &mut Reading, count: usize) {
    let mut open: HashSet<String> = (0..count).map(|n| format!("TM{n}")).collect();
    while !open.is_empty() {
        let Some(Ok(Message::Binary(bytes))) = from.next().await else {
            panic!("closed with {} unanswered", open.len())
        };
        let Sent::Frame(header, _) = read(&bytes) else {
            unreachable!("what was read is a frame")
        };
        let id = header["id"].as_str().unwrap_or_default();
        assert!(open.remove(id), "answered twice: {header}");
        assert_eq!(header["http_status"]["code"], 200, "{header}");
    }
}

#[sqlx::test]
async fn ten_thousand_requests_at_once_are_answered_one_by_one(pool: PgPool) {
    const ALL: usize = 10_000;
    let server = TestServer::start(&pool).await;
    let (mut reading, writing) = server.socket("mallory").await.split();
    let path = "/Client/v2/Configuration";
    let all = (0..ALL).map(|n| request(n, path, &[])).collect();
    let sending = tokio::spawn(send_all(writing, all, Arc::default()));
    read_answers(&mut reading, ALL).await;
    sending.await.expect("all sent");
}

#[sqlx::test]
async fn who_does_not_read_answers_is_not_read_either(pool: PgPool) {
    const ALL: usize = 400;
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "mallory").await;
    let body = "x".repeat(30_000);
    for _ in 0..3 {
        server
            .post(&format!("{talk}/Messages"), &[("Body", &body)])
            .await
            .with(201);
    }
    let (mut reading, writing) = server.socket("mallory").await.split();
    let path = format!("{}/Items", list(&talk));
    // Twenty-four megabytes of questions for forty of answers: more than the kernel holds of either.
    let padding = vec![b' '; 60_000];
    let all = (0..ALL).map(|n| request(n, &path, &padding)).collect();
    let sent = Arc::new(AtomicUsize::new(0));
    let sending = tokio::spawn(send_all(writing, all, Arc::clone(&sent)));

    let mut other = server.socket("other").await;
    for _ in 0..200 {
        let (status, _) = other
            .ask("GET", "/Client/v2/ContentTemplates", Value::Null)
            .await;
        assert_eq!(status, 200);
    }
    let taken = sent.load(Ordering::Relaxed);
    assert!(taken < ALL, "all questions were taken in");
    read_answers(&mut reading, ALL).await;
    sending.await.expect("all sent");
}

#[sqlx::test]
async fn who_never_reads_is_cut_off_and_keeps_nobody_waiting(pool: PgPool) {
    const ALL: usize = 1_200;
    let settings = [("CONVOKE_GATEWAY_MAX_QUEUE_BYTES", "100000")];
    let server = TestServer::start_with(&pool, &settings).await;
    let talk = server.conversation(&[]).await;
    let messages = format!("{}.messages", sid(&talk));
    let mut clients = Vec::new();
    for identity in ["mallory", "alice"] {
        join(&server, &talk, identity).await;
        let mut client = server.socket(identity).await;
        client.follow("list", &messages, Some(0)).await;
        clients.push(client);
    }
    let (mut alice, mut mallory) = (clients.remove(1), clients.remove(0));
    let attributes = json!({ "x": "y".repeat(4_000) }).to_string();
    let posting = async {
        for n in 0..ALL {
            let form = [("Body", &*n.to_string()), ("Attributes", &*attributes)];
            let path = format!("{talk}/Messages");
            server.post(&path, &form).await.with(201);
        }
    };
    let hearing = async {
        for n in 0..ALL {
            let heard = alice.next_notification().await;
            assert_eq!(heard["events"][0]["item_data"]["text"], n.to_string());
        }
    };
    tokio::join!(posting, hearing);
    let mut heard = 0;
    while let Sent::Frame(..) = mallory.next().await {
        heard += 1;
    }
    assert!(heard < ALL, "{heard} waited for somebody who did not read");
}

#[sqlx::test]
async fn a_token_expires_also_while_its_client_never_stops_talking(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (mut reading, mut writing) = server.socket("mallory").await.split();
    server.clock.advance(TimeDelta::hours(2));
    let talking = tokio::spawn(async move {
        // Acknowledgements need no answer, so nothing makes the server pause.
        let said = frame(json!({ "id": "TM1", "method": "reply" }), &[]);
        while writing.send(said.clone()).await.is_ok() {}
    });
    let farewell = loop {
        match reading.next().await {
            Some(Ok(Message::Close(why))) => break why.expect("a reason"),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => panic!("closed without a reason"),
        }
    };
    assert_eq!(farewell.reason.as_str(), "the token expired");
    drop(reading);
    talking.await.expect("closed");
}

#[sqlx::test]
async fn who_subscribes_without_end_is_slowed_down_and_all_is_answered(pool: PgPool) {
    const ALL: usize = 100;
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "mallory").await;
    join(&server, &talk, "alice").await;
    let objects = ["channel", "messages", "roster"].map(|part| format!("{}.{part}", sid(&talk)));
    let wishes: Vec<Value> = (0..100)
        .map(|n| json!({ "object_sid": objects[n % 3], "last_event_id": 0 }))
        .collect();
    let (mut reading, writing) = server.socket("mallory").await.split();
    let all = (0..ALL)
        .map(|n| {
            let request = json!({ "method": "POST", "path": "/v4/Subscriptions" });
            let header =
                json!({ "id": format!("TM{n}"), "method": "message", "http_request": request });
            let body = json!({ "action": "establish", "correlation_id": n, "requests": wishes });
            frame(header, body.to_string().as_bytes())
        })
        .collect();
    let sending = tokio::spawn(send_all(writing, all, Arc::default()));
    let mut alice = server.socket("alice").await;
    let (mut answers, mut established) = (0, 0);
    let all_read = async {
        while answers < ALL || established < ALL * wishes.len() {
            let Some(Ok(Message::Binary(bytes))) = reading.next().await else {
                panic!("closed after {answers} answers and {established} subscriptions")
            };
            let Sent::Frame(header, body) = read(&bytes) else {
                unreachable!("what was read is a frame")
            };
            if header["method"] == "reply" {
                answers += 1;
            } else if body["event_type"] == "subscription_established" {
                established += body["events"].as_array().map_or(0, Vec::len);
            }
        }
    };
    let others = async {
        let (_, answer) = alice.follow("list", &objects[1], Some(0)).await;
        assert_eq!(answer["event_type"], "subscription_established");
    };
    tokio::join!(all_read, others);
    sending.await.expect("all sent");
}
