//! What becomes of copies: numbers with an outcome, handsets that cannot be reached, and repeats.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestServer, text};

const PROXY: &str = "+15550100000";
const PHONE: &str = "+15558675310";

/// Sends a message to the only phone of a new conversation; answers the path of its receipts.
async fn send_to(server: &TestServer, address: &str) -> String {
    let talk = server.conversation(&[]).await;
    server.add_phone(&talk, address, PROXY).await;
    let sent = server
        .post(&format!("{talk}/Messages"), &[("Body", "hello")])
        .await
        .with(201);
    settle(server).await;
    format!("{talk}/Messages/{}/Receipts", text(&sent, "sid"))
}

/// Lets everything happen that is on its way.
async fn settle(server: &TestServer) {
    server.drain().await;
    for _ in 0..3 {
        server.advance(TimeDelta::seconds(1)).await;
    }
}

async fn outcome(server: &TestServer, receipts: &str) -> (Value, Value) {
    let listed = server.get(receipts).await.with(200);
    let receipt = &listed["delivery_receipts"][0];
    (receipt["status"].clone(), receipt["error_code"].clone())
}

async fn switch(server: &TestServer, address: &str, state: &str) {
    let path = format!("/v1/simulator/handsets/{}", address.replace('+', "%2B"));
    let answer = server
        .request(Method::PUT, &path)
        .json(&json!({ "state": state }))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200, "{state}");
}

#[sqlx::test]
async fn numbers_have_their_outcome_built_in(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    for (address, status, code) in [
        (PHONE, "delivered", 0),
        ("+15005550001", "failed", 21211),
        ("+15005550009", "failed", 21614),
        ("+15005530003", "undelivered", 30003),
        ("+15005560001", "failed", 60001),
    ] {
        let receipts = send_to(&server, address).await;
        assert_eq!(
            outcome(&server, &receipts).await,
            (json!(status), json!(code)),
            "{address}"
        );
    }
    server.stop().await;
}

#[sqlx::test]
async fn handsets_that_cannot_take_a_message(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    for (address, state, status, code) in [
        ("+15558675311", "full", "undelivered", 30003),
        ("+15558675312", "blocked", "undelivered", 30004),
        ("+15558675313", "off", "sent", 0),
    ] {
        switch(&server, address, state).await;
        let receipts = send_to(&server, address).await;
        let expected = (json!(status), json!(code));
        assert_eq!(outcome(&server, &receipts).await, expected, "{state}");
        // What was refused stays refused; what waited arrives.
        switch(&server, address, "on").await;
        settle(&server).await;
        let expected = match state {
            "off" => (json!("delivered"), json!(0)),
            _ => expected,
        };
        assert_eq!(
            outcome(&server, &receipts).await,
            expected,
            "{state}, then on"
        );
    }
    server.stop().await;
}

#[sqlx::test]
async fn a_handset_says_where_it_sends_to(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let path = format!(
        "/v1/simulator/handsets/{}/messages",
        PHONE.replace('+', "%2B")
    );
    for body in [json!({ "text": "hi" }), json!({ "to": "x", "text": "hi" })] {
        let sent = server.request(Method::POST, &path).json(&body).send().await;
        let sent = sent.expect("an answer");
        assert_eq!(sent.status(), 400, "{body}");
        let refusal: serde_json::Value = sent.json().await.expect("JSON");
        assert_eq!(refusal["code"], 20422, "{refusal}");
        assert_eq!(refusal["details"]["parameter"], "to", "{refusal}");
    }
    server.stop().await;
}

#[sqlx::test]
async fn reports_in_any_order_never_lead_back(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let thread = format!(
        "/v1/simulator/handsets/{}/messages",
        PHONE.replace('+', "%2B")
    );
    let receipts = send_to(&server, PHONE).await;
    let id = text(&server.get(&thread).await.with(200)["messages"][0], "id");
    for (reported, then) in [
        ("sent", "delivered"),
        ("undelivered", "delivered"),
        ("failed", "delivered"),
        ("read", "read"),
        ("delivered", "read"),
        ("sent", "read"),
        ("failed", "read"),
    ] {
        let answer = server
            .request(Method::POST, &format!("/v1/simulator/messages/{id}/status"))
            .json(&json!({ "status": reported, "error_code": 30003 }))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), 200, "{reported}");
        let expected = (json!(then), json!(0));
        assert_eq!(
            outcome(&server, &receipts).await,
            expected,
            "after {reported}"
        );
        assert_eq!(
            server.get(&thread).await.with(200)["messages"][0]["status"],
            then
        );
    }
    server.stop().await;
}

#[sqlx::test]
async fn an_inbound_message_that_comes_twice_is_there_once(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    server.add_phone(&talk, PHONE, PROXY).await;
    server.send_from_phone(PHONE, PROXY, "once").await;
    // The same job again and again, under keys of their own so that they run beside each other.
    let copies = sqlx::query(
        "insert into jobs (order_key, job, run_at)
         select order_key || ':' || n, job, run_at from jobs, generate_series(1, 5) n",
    )
    .execute(&pool)
    .await
    .expect("copies");
    assert_eq!(copies.rows_affected(), 5, "the message waits as one job");
    settle(&server).await;
    let listed = server.get(&format!("{talk}/Messages")).await.with(200);
    let bodies: Vec<&Value> = listed["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|message| &message["body"])
        .collect();
    assert_eq!(bodies, [&json!("once")]);
    server.stop().await;
}
