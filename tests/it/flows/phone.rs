//! A person on a phone takes part.

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestServer, text};

const PHONE: &str = "+15558675310";
const PROXY: &str = "+15550100000";
const THREAD: &str = "/v1/simulator/handsets/%2B15558675310/messages";

async fn thread(server: &TestServer) -> Vec<Value> {
    let body = server.get(THREAD).await.with(200);
    body["messages"].as_array().expect("a thread").clone()
}

async fn answer_from_phone(server: &TestServer, words: &str) {
    server.send_from_phone(PHONE, PROXY, words).await;
}

#[sqlx::test]
async fn messages_go_out_and_come_back(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    let messages = format!("{talk}/Messages");
    let phone = server.add_phone(&talk, PHONE, PROXY).await;

    let sent = server
        .post(&messages, &[("Author", "alice"), ("Body", "hello")])
        .await
        .with(201);
    assert_eq!(
        sent["delivery"],
        json!({
            "total": 1, "sent": "none", "delivered": "none", "read": "none", "failed": "none", "undelivered": "none",
        })
    );
    server.drain().await;
    server.advance(TimeDelta::milliseconds(100)).await;
    server.advance(TimeDelta::milliseconds(400)).await;

    let received = thread(&server).await;
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!(
        (&received[0]["direction"], &received[0]["text"]),
        (&json!("received"), &json!("hello"))
    );
    let delivery = server
        .get(&format!("{messages}/{}", text(&sent, "sid")))
        .await
        .with(200)["delivery"]
        .clone();
    assert_eq!(
        (&delivery["sent"], &delivery["delivered"]),
        (&json!("all"), &json!("all"))
    );

    answer_from_phone(&server, "hi there").await;
    server.drain().await;
    let listed = server
        .get(&format!("{messages}?Order=desc&PageSize=1"))
        .await
        .with(200);
    let newest = &listed["messages"][0];
    assert_eq!(
        (
            &newest["author"],
            &newest["body"],
            &newest["index"],
            &newest["participant_sid"]
        ),
        (&json!(PHONE), &json!("hi there"), &json!(1), &phone["sid"]),
    );
    assert_eq!(newest["delivery"], Value::Null, "the author gets no copy");
    assert_eq!(thread(&server).await[1]["status"], "delivered");
    server.stop().await;
}

#[sqlx::test]
async fn two_phones_hear_each_other_and_nobody_twice(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    server.add_phone(&talk, PHONE, PROXY).await;
    server.add_phone(&talk, "+15558675311", PROXY).await;

    answer_from_phone(&server, "anyone?").await;
    server.drain().await;
    server.advance(TimeDelta::seconds(1)).await;
    let other = server
        .get("/v1/simulator/handsets/%2B15558675311/messages")
        .await
        .with(200);
    assert_eq!(
        other["messages"].as_array().map(Vec::len),
        Some(1),
        "{other}"
    );
    assert_eq!(thread(&server).await.len(), 1, "only what was sent");
    server.stop().await;
}

#[sqlx::test]
async fn a_stranger_is_not_heard(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    server.add_phone(&talk, "+15558675311", PROXY).await;

    answer_from_phone(&server, "let me in").await;
    server.drain().await;
    assert_eq!(thread(&server).await[0]["status"], "undelivered");
    let listed = server.get(&format!("{talk}/Messages")).await.with(200);
    assert_eq!(listed["messages"], json!([]));
    server.stop().await;
}
