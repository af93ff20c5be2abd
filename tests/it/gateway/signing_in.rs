//! Who gets in, and who is shown out.

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::support::TestServer;
use crate::support::server::API_KEY_SECRET;
use crate::support::socket::{Sent, SocketClient, frame};

fn binary(text: &str) -> Message {
    Message::Binary(Bytes::copy_from_slice(text.as_bytes()))
}

#[sqlx::test]
async fn tokens_that_are_not_good_are_refused_with_their_code(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let good = server.good_token("alice").await;
    let expired = server
        .token("alice", TimeDelta::seconds(-1), API_KEY_SECRET)
        .await;
    let forged = server
        .token(
            "alice",
            TimeDelta::hours(1),
            "another0secret00another0secret00",
        )
        .await;
    let long = server
        .token("alice", TimeDelta::hours(25), API_KEY_SECRET)
        .await;
    for (token, code) in [
        (json!(expired), 20104),
        (json!(forged), 20107),
        (json!(long), 20157),
        (json!(good[..good.len() - 1]), 20107),
        (json!("no token"), 20101),
        (json!("x".repeat(10_000)), 20101),
        (json!(null), 20101),
    ] {
        let mut client = server.silent_socket().await;
        let status = client
            .say(json!({ "method": "init", "token": token }))
            .await;
        assert_eq!(
            (&status["code"], &status["errorCode"]),
            (&json!(401), &json!(code)),
            "{token}"
        );
        client.end().await;
    }
}

#[sqlx::test]
async fn who_does_not_begin_with_init_is_closed(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let header = r#"{"id":"TM1","method":"message","payload_size":0}"#;
    for first in [
        binary("hello"),
        binary(""),
        Message::Text("TWILSOCK".into()),
        binary(&format!("TWILSOCK V3.0 {}\r\n{header}\r\n", header.len())),
        binary("TWILSOCK V3.0 999999999\r\n{}"),
    ] {
        let mut client = server.silent_socket().await;
        client.send(first).await;
        client.end().await;
    }
}

#[sqlx::test]
async fn what_is_no_frame_ends_the_connection_with_the_reason(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    for nonsense in [
        binary("nonsense"),
        Message::Text("{}".into()),
        binary("TWILSOCK V3.0 2\r\n{}\r\n"),
        Message::Binary(Bytes::from_static(b"TWILSOCK V3.0 3\r\n\xff\xff\xff")),
    ] {
        let mut client = server.socket("alice").await;
        client.send(nonsense).await;
        assert_eq!(
            client.end().await,
            Some((1002, "malformed frame".to_owned()))
        );
    }
    let mut client = server.socket("alice").await;
    client
        .send(Message::Binary(Bytes::from(vec![b'x'; 300_000])))
        .await;
    client.end().await;
}

#[sqlx::test]
async fn requests_that_make_no_sense_are_refused_and_the_connection_stays(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut client = server.socket("alice").await;
    for (method, path, body, refusal) in [
        ("GET", "/nowhere", json!(null), 404),
        (
            "GET",
            "/Client/v2/Services/IS00000000000000000000000000000000/MyConversations",
            json!(null),
            404,
        ),
        ("POST", "/v4/Subscriptions", json!("text"), 400),
        (
            "POST",
            "/v4/Subscriptions",
            json!({ "action": "steal" }),
            400,
        ),
        ("GET", "/v3/Lists/%FF", json!(null), 404),
        ("GET", "/v3/Lists/%00", json!(null), 404),
    ] {
        let (status, body) = client.ask(method, path, body).await;
        assert_eq!(status, refusal, "{path}: {body}");
    }
    let status = client.say(json!({ "method": "dance" })).await;
    assert_eq!(status["code"], 400);
    assert!(client.heard().await.is_empty());
}

#[sqlx::test]
async fn a_token_is_renewed_for_the_same_user_only(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut client = server.socket("alice").await;
    let again = server.good_token("alice").await;
    let status = client
        .say(json!({ "method": "update", "token": again }))
        .await;
    assert_eq!(status["code"], 200, "{status}");
    let other = server.good_token("bob").await;
    let status = client
        .say(json!({ "method": "update", "token": other }))
        .await;
    assert_eq!(
        (&status["code"], &status["errorCode"]),
        (&json!(403), &json!(20403))
    );
    assert_eq!(
        client.end().await,
        Some((1008, "the token was refused".to_owned()))
    );
}

/// Says who it is on a new socket, and as whom it was told to come back; answers the frame's header.
async fn come_back(server: &TestServer, token: &str, told: Value) -> (SocketClient, Value) {
    let mut client = server.silent_socket().await;
    let header =
        json!({ "id": "TM1", "method": "init", "token": token, "continuation_token": told });
    client.send(frame(header, &[])).await;
    let Sent::Frame(answer, _) = client.next().await else {
        panic!("closed without an answer")
    };
    (client, answer)
}

#[sqlx::test]
async fn who_comes_back_as_another_user_is_refused_and_nobody_comes_to_be(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let alice = server.good_token("alice").await;
    let (_alice, welcome) = come_back(&server, &alice, json!(null)).await;
    let told = &welcome["continuation_token"];
    let user = server.get("/v1/Users/alice").await.with(200);
    assert_eq!(told, &user["sid"]);
    let (_alice, welcome) = come_back(&server, &alice, told.clone()).await;
    assert_eq!(
        (&welcome["status"]["code"], &welcome["continuation_token"]),
        (&json!(200), told)
    );

    let refused = async |identity: &str| {
        let token = server.good_token(identity).await;
        let (mut client, answer) = come_back(&server, &token, told.clone()).await;
        let status = &answer["status"];
        assert_eq!(
            (&status["code"], &status["errorCode"]),
            (&json!(403), &json!(20403)),
            "{identity}"
        );
        client.end().await;
        let path = format!("/v1/Users/{identity}");
        server.get(&path).await.with(404);
    };
    refused("bob").await;
    server.delete("/v1/Users/alice").await.with(204);
    refused("alice").await;

    // A new client, and one that another server had told something.
    let (_new, welcome) = come_back(&server, &alice, json!(null)).await;
    assert_eq!(welcome["status"]["code"], 200);
    assert_ne!(&welcome["continuation_token"], told);
    let (_moved, welcome) = come_back(&server, &alice, json!("eyJ-of-another-server")).await;
    assert_eq!(welcome["status"]["code"], 200);
}

#[sqlx::test]
async fn a_refused_token_is_answered_whatever_its_client_says_after_it(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut client = server.socket("alice").await;
    let other = server.good_token("bob").await;
    let update = json!({ "id": "TM1", "method": "update", "token": other });
    client.send(frame(update, &[])).await;
    // More than the server reads at once: closed with something unread, a connection is reset.
    for _ in 0..20 {
        let more = json!({ "id": "TM2", "method": "telemetry.v1" });
        client
            .send(frame(more, "x".repeat(10_000).as_bytes()))
            .await;
    }
    let Sent::Frame(answer, _) = client.next().await else {
        panic!("closed without an answer")
    };
    assert_eq!(
        (&answer["id"], &answer["status"]["code"]),
        (&json!("TM1"), &json!(403))
    );
    let why = Some((1008, "the token was refused".to_owned()));
    assert_eq!(client.end().await, why);
}

#[sqlx::test]
async fn an_expired_token_ends_the_connection_after_a_warning(pool: PgPool) {
    let settings = [
        ("CONVOKE_GATEWAY_PING_SECONDS", "1"), // how often the clock is looked at
        ("CONVOKE_GATEWAY_TOKEN_WARNING_SECONDS", "180"),
    ];
    let server = TestServer::start_with(&pool, &settings).await;
    let token = server.good_token("alice").await;
    let mut client = server.silent_socket().await;
    client.sign_in(&token).await;
    server.clock.advance(TimeDelta::minutes(58));
    let Sent::Frame(warning, _) = client.next().await else {
        panic!("closed without a warning")
    };
    assert_eq!(
        (&warning["method"], &warning["client_update_type"]),
        (&json!("client_update"), &json!("token_about_to_expire"))
    );
    server.clock.advance(TimeDelta::minutes(2));
    // No frame: an SDK that is told why in one takes no new token for a while, and none at all after that.
    let Sent::Closed(why) = client.next().await else {
        panic!("told something after the end of the token")
    };
    assert_eq!(why, Some((1008, "the token expired".to_owned())));
    let mut again = server.silent_socket().await;
    let status = again.say(json!({ "method": "init", "token": token })).await;
    assert_eq!(
        (&status["code"], &status["errorCode"]),
        (&json!(401), &json!(20104))
    );
}
