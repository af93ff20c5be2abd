//! Creations that come with a key are done once.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::Value;
use sqlx::PgPool;

use crate::support::rest::Answer;
use crate::support::server::{ACCOUNT_SID, API_KEY_SECRET, API_KEY_SID};
use crate::support::{TestServer, text};

async fn post(server: &TestServer, path: &str, key: &str, form: &[(&str, &str)]) -> Answer {
    let request = server
        .request(Method::POST, path)
        .header("Idempotency-Key", key)
        .form(form);
    let answer = request.send().await.expect("an answer");
    let (status, text) = (answer.status(), answer.text().await.expect("a body"));
    let body: Value = serde_json::from_str(&text).expect("JSON");
    Answer { status, body }
}

async fn count(server: &TestServer, list: &str, key: &str) -> usize {
    let page = server.get(list).await.with(200);
    page[key].as_array().map_or(0, Vec::len)
}

#[sqlx::test]
async fn a_repeat_is_answered_as_before(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let form = [("FriendlyName", "once")];
    let first = post(&server, "/v1/Conversations", "k 1", &form).await;
    let again = post(&server, "/v1/Conversations", "k 1", &form).await;
    assert_eq!(again.status, first.status);
    let first = first.with(201);
    assert_eq!(again.body, first);
    assert_eq!(
        count(&server, "/v1/Conversations", "conversations").await,
        1
    );
    let messages = format!(
        "/v1/Conversations/{}/Messages",
        first["sid"].as_str().expect("a SID")
    );
    for _ in 0..2 {
        post(&server, &messages, "m", &[("Body", "x")])
            .await
            .with(201);
        server
            .post(&messages, &[("Body", "unkeyed")])
            .await
            .with(201);
    }
    assert_eq!(count(&server, &messages, "messages").await, 3);
    let with = "/v1/ConversationWithParticipants";
    let people = [("Participant", r#"{"identity":"alice"}"#)];
    let one = post(&server, with, "w", &people).await.with(202);
    assert_eq!(post(&server, with, "w", &people).await.with(202), one);

    let other = [("FriendlyName", "other")];
    for (path, form) in [
        ("/v1/Conversations", &other),
        ("/v1/Services", &form),
        ("/v1/Conversations?x=1", &form),
    ] {
        let answer = post(&server, path, "k 1", form).await;
        assert_eq!(answer.refused(409), 20409, "{path}");
    }
    // A day later the key is new.
    server
        .clock
        .advance(TimeDelta::hours(24) + TimeDelta::seconds(1));
    let anew = post(&server, "/v1/Conversations", "k 1", &form)
        .await
        .with(201);
    assert_ne!(anew["sid"], first["sid"]);
    server.stop().await;
}

#[sqlx::test]
async fn a_refusal_frees_the_key(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let bad = [("Identity", "")];
    let refusal = post(&server, "/v1/Users", "k", &bad).await;
    assert_eq!(refusal.refused(400), 50204);
    let good = [("Identity", "alice")];
    let made = post(&server, "/v1/Users", "k", &good).await.with(201);
    assert_eq!(post(&server, "/v1/Users", "k", &good).await.with(201), made);
    for key in ["", "a\tb", "ł", &"k".repeat(256)] {
        let request = server
            .request(Method::POST, "/v1/Users")
            .header("Idempotency-Key", key.as_bytes())
            .form(&[("Identity", "bob")]);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 400, "{key:?}");
    }
    let stranger = server
        .http
        .post(server.url("/v1/Users"))
        .header("Idempotency-Key", "k")
        .form(&good)
        .send()
        .await
        .expect("an answer");
    assert_eq!(stranger.status(), 401);
    assert_eq!(count(&server, "/v1/Users", "users").await, 1);
    server.stop().await;
}

#[sqlx::test]
async fn while_the_first_is_under_way_others_wait_outside(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let form = [("FriendlyName", "once")];
    let tries = (0..10).map(|_| post(&server, "/v1/Conversations", "race", &form));
    let mut made = Vec::new();
    for answer in futures_util::future::join_all(tries).await {
        if answer.status == 201 {
            made.push(answer.body);
        } else {
            assert_eq!(answer.refused(409), 20162);
        }
    }
    made.dedup();
    assert_eq!(made.len(), 1);
    assert_eq!(
        count(&server, "/v1/Conversations", "conversations").await,
        1
    );

    // One that never ended, because its server died, is in the way for a minute.
    sqlx::query("update idempotency_keys set status = null, answer = null")
        .execute(&pool)
        .await
        .expect("the table");
    let answer = post(&server, "/v1/Conversations", "race", &form).await;
    assert_eq!(answer.refused(409), 20162);
    server.clock.advance(TimeDelta::seconds(61));
    let anew = post(&server, "/v1/Conversations", "race", &form)
        .await
        .with(201);
    assert_ne!(anew["sid"], made[0]["sid"]);
    server.stop().await;
}

#[sqlx::test]
async fn a_lesser_key_learns_no_answer_of_the_account(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let path = format!("/api/2010-04-01/Accounts/{ACCOUNT_SID}/Keys.json");
    let form = [("FriendlyName", "a key")];
    let made = post(&server, &path, "k", &form).await.with(201);
    assert!(made["secret"].is_string());
    let kept: Vec<u8> = sqlx::query_scalar("select answer from idempotency_keys")
        .fetch_one(&pool)
        .await
        .expect("the table");
    let secret = made["secret"].as_str().expect("a text").as_bytes();
    assert!(!kept.windows(secret.len()).any(|part| part == secret));
    let policy = r#"{"allow":["/twilio/iam/api-keys/create"]}"#;
    let limited = [
        ("AccountSid", ACCOUNT_SID),
        ("KeyType", "restricted"),
        ("Policy", policy),
    ];
    let limited = server.post("/v1/Keys", &limited).await.with(201);
    let (limited, limited_secret) = (text(&limited, "sid"), text(&limited, "secret"));
    for (name, password) in [
        (API_KEY_SID, API_KEY_SECRET),
        (&limited, limited_secret.as_str()),
    ] {
        let lesser = server
            .http
            .post(server.url(&path))
            .basic_auth(name, Some(password))
            .header("Idempotency-Key", "k")
            .form(&form)
            .send()
            .await
            .expect("an answer");
        assert_eq!(lesser.status(), 409, "{name}");
    }
    server.stop().await;
}

#[sqlx::test]
async fn browsers_may_send_the_key_and_the_document_tells_of_it(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let request = server.request(Method::OPTIONS, "/v1/Conversations");
    let answer = request.send().await.expect("an answer");
    let allowed = answer.headers()["access-control-allow-headers"].to_str();
    assert!(allowed.expect("a text").contains("Idempotency-Key"));
    let document = server.get("/openapi.json").await.with(200);
    let takes = |path: &str| {
        document["paths"][path]["post"]["parameters"]
            .as_array()
            .expect("parameters")
            .iter()
            .any(|one| one["name"] == "Idempotency-Key" && one["in"] == "header")
    };
    assert!(takes("/v1/Conversations"));
    assert!(!takes("/v1/Conversations/{conversation}"));
    server.stop().await;
}
