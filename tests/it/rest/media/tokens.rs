//! The media service with access tokens.

use chrono::TimeDelta;
use convoke::domain::Clock as _;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Media, answer};
use crate::support::server::{ACCOUNT_SID, API_KEY_SECRET, API_KEY_SID};
use crate::support::{TestServer, text};

#[sqlx::test]
async fn a_user_sees_own_uploads_and_those_of_own_conversations(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let media = Media::of(&server).await;
    let talk = server.conversation(&[]).await;
    server
        .post(&format!("{talk}/Participants"), &[("Identity", "alice")])
        .await
        .with(201);
    let alice = server.good_token("alice").await;
    let bob = server.good_token("bob").await;
    let sender = server.good_token("sender").await;
    let ask = async |token: &str, method: Method, path: &str| {
        answer(
            server
                .http
                .request(method, server.url(path))
                .header("x-twilio-token", token)
                .body("x"),
        )
        .await
    };
    let bobs = text(&ask(&bob, Method::POST, &media.path).await.with(201), "sid");
    let programs = media.note().await;
    let get = async |token: &str, sid: &str| {
        let content = ask(token, Method::GET, &format!("{}/Content", media.one(sid)))
            .await
            .status;
        let record = ask(token, Method::GET, &media.one(sid)).await.status;
        assert_eq!(content, record);
        record.as_u16()
    };
    assert_eq!(get(&bob, &bobs).await, 200);
    assert_eq!(get(&alice, &bobs).await, 404);
    assert_eq!(get(&alice, &programs).await, 404);
    // The name that records of programs print is nobody's identity.
    assert_eq!(get(&sender, &programs).await, 404);
    assert_eq!(
        server.get(&media.one(&bobs)).await.with(200)["author"],
        "bob"
    );

    // On a message of her conversation she sees it, and on one of another she does not.
    for sid in [&bobs, &programs] {
        server
            .post(&format!("{talk}/Messages"), &[("MediaSid", sid)])
            .await
            .with(201);
        assert_eq!(get(&alice, sid).await, 200);
    }
    assert_eq!(get(&bob, &bobs).await, 200);
    assert_eq!(get(&bob, &programs).await, 404);
    let set = server
        .http
        .post(server.url(&format!("{}Set", media.path)))
        .header("x-twilio-token", &bob)
        .json(&json!({ "command": "get", "list": [{ "media_sid": programs }, { "media_sid": bobs }] }));
    let set = answer(set).await.with(200);
    assert_eq!(
        (&set[0]["code"], &set[1]["code"]),
        (&json!(404), &json!(200))
    );
    server
        .delete(&format!("{talk}/Participants/alice"))
        .await
        .with(204);
    assert_eq!(get(&alice, &programs).await, 404);

    // What is not attached its uploader may delete, and nobody else's.
    let own = text(
        &ask(&alice, Method::POST, &media.path).await.with(201),
        "sid",
    );
    assert_eq!(
        ask(&bob, Method::DELETE, &media.one(&own))
            .await
            .refused(404),
        20404
    );
    ask(&alice, Method::DELETE, &media.one(&own))
        .await
        .with(204);
    assert_eq!(server.get(&media.one(&own)).await.refused(404), 20404);
    server.stop().await;
}

#[sqlx::test]
async fn each_fault_of_a_token_has_its_code(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let media = Media::of(&server).await;
    let sid = media.note().await;
    let ask = async |token: &str, path: &str| {
        answer(
            server
                .http
                .get(server.url(path))
                .header("x-twilio-token", token),
        )
        .await
    };
    let good = server.good_token("alice").await;
    let forged = server
        .token(
            "alice",
            TimeDelta::hours(1),
            "another0secret0another0secret000",
        )
        .await;
    let long = server
        .token("alice", TimeDelta::hours(25), API_KEY_SECRET)
        .await;
    let early = signed(json!({ "nbf": 4_000_000_000_u32, "exp": 4_000_003_600_u32 }));
    let for_nothing = signed(json!({ "exp": server.clock.now().timestamp() + 60, "grants": {} }));
    // {"alg":"none"}, which would need no secret.
    let unsigned = format!(
        "eyJhbGciOiJub25lIn0.{}.",
        good.split('.').nth(1).expect("claims")
    );
    for (token, code) in [
        ("", 20101),
        ("a.b", 20101),
        (&unsigned, 20102),
        (&early, 20105),
        (&for_nothing, 20106),
        (&forged, 20107),
        (&long, 20157),
    ] {
        assert_eq!(
            ask(token, &media.one(&sid)).await.refused(401),
            code,
            "{token}"
        );
    }
    // It holds in its own service only.
    let other = server
        .post("/v1/Services", &[("FriendlyName", "other")])
        .await
        .with(201);
    let others = Media::of_service(&server, &text(&other, "sid"));
    assert_eq!(ask(&good, &others.one(&sid)).await.refused(404), 20404);
    // And over REST nowhere but here.
    assert_eq!(ask(&good, "/v1/Conversations").await.refused(401), 20003);
    server.clock.advance(TimeDelta::hours(1));
    assert_eq!(ask(&good, &media.one(&sid)).await.refused(401), 20104);
    server.stop().await;
}

/// A token of the account's key with these claims.
fn signed(mut claims: Value) -> String {
    claims["iss"] = json!(API_KEY_SID);
    claims["sub"] = json!(ACCOUNT_SID);
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.cty = Some("twilio-fpa;v=1".to_owned());
    let key = jsonwebtoken::EncodingKey::from_secret(API_KEY_SECRET.as_bytes());
    jsonwebtoken::encode(&header, &claims, &key).expect("a token")
}
