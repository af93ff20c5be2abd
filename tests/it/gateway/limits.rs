//! How many sockets there may be, and that those end whose right to be there has ended.

use chrono::TimeDelta;
use convoke::domain::tokens::NewToken;
use convoke::domain::{Clock as _, Identity};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::websocket::ask_without;
use super::{join, part};
use crate::support::server::ACCOUNT_SID;
use crate::support::socket::{Sent, SocketClient};
use crate::support::{Carries, Credentials, TestServer, text, wait};

async fn come(server: &TestServer, identity: &str) -> (SocketClient, Value, Value) {
    let token = server.good_token(identity).await;
    let mut client = server.silent_socket().await;
    let (status, body) = client
        .say_and_hear(json!({ "method": "init", "token": token }))
        .await;
    (client, status, body)
}

/// A new key of an account, and a token signed by it.
async fn new_key(server: &TestServer, who: &Credentials, identity: &str) -> (String, String) {
    let ask = async |method, path: &str| {
        let nothing = Carries::Fields(Vec::new());
        server.ask(Some(who), &method, path, &nothing).await.body
    };
    let keys = format!("/2010-04-01/Accounts/{}/Keys.json", who.user);
    let key = ask(Method::POST, &keys).await;
    let services = ask(Method::GET, "/v1/Services").await;
    let sid = text(&key, "sid");
    let token = NewToken {
        issuer: sid.parse().expect("a SID"),
        account: who.user.parse().expect("a SID"),
        service: text(&services["services"][0], "sid")
            .parse()
            .expect("a SID"),
        identity: &Identity::parse(identity.to_owned()).expect("an identity"),
        lifetime: TimeDelta::hours(1),
    };
    let token = token.mint(&text(&key, "secret"), server.clock.now());
    (sid, token.expect("a token"))
}

async fn closed(client: &mut SocketClient) {
    while !matches!(client.next().await, Sent::Closed(_)) {}
}

/// Asks for an upgrade; answers its status, and whether it says when to come again.
async fn upgrade(server: &TestServer) -> (u16, bool) {
    let answer = ask_without(server, None).await;
    let later = answer.headers().contains_key("retry-after");
    (answer.status().as_u16(), later)
}

#[sqlx::test]
async fn one_socket_more_than_there_may_be_is_sent_away_for_a_while(pool: PgPool) {
    for (setting, most, identity, code) in [
        ("CONVOKE_GATEWAY_MAX_SOCKETS_PER_USER", "2", "alice", 51001),
        ("CONVOKE_GATEWAY_MAX_SOCKETS_PER_ACCOUNT", "2", "bob", 51124),
        (
            "CONVOKE_GATEWAY_MAX_NEW_SOCKETS_PER_ACCOUNT",
            "2",
            "bob",
            51201,
        ),
    ] {
        let server = TestServer::start_with(&pool, &[(setting, most)]).await;
        let (mut first, status, _) = come(&server, "alice").await;
        assert_eq!(status["code"], 200, "{setting}: {status}");
        let (_second, status, _) = come(&server, "alice").await;
        assert_eq!(status["code"], 200, "{setting}: {status}");
        let (mut third, status, body) = come(&server, identity).await;
        assert_eq!(
            (&status["code"], &status["errorCode"]),
            (&json!(429), &json!(code)),
            "{setting}: {status}"
        );
        let wait = body["backoff_policy"]["reconnect_min_ms"].as_u64();
        assert!(wait.is_some_and(|wait| wait >= 1000), "{setting}: {body}");
        closed(&mut third).await;
        // When one goes, or the second is over, there is room again.
        first.say(json!({ "method": "close" })).await;
        server.clock.advance(TimeDelta::seconds(1));
        wait::until("there is room", async || {
            come(&server, identity).await.1["code"] == 200
        })
        .await;
        server.stop().await;
    }
}

#[sqlx::test]
async fn a_node_that_is_full_refuses_the_upgrade(pool: PgPool) {
    for setting in [
        "CONVOKE_GATEWAY_MAX_SOCKETS",
        "CONVOKE_GATEWAY_MAX_UNSIGNED_SOCKETS",
    ] {
        let server = TestServer::start_with(&pool, &[(setting, "2")]).await;
        let (one, other) = (server.silent_socket().await, server.silent_socket().await);
        assert_eq!(upgrade(&server).await, (503, true), "{setting}");
        let metrics = server.http.get(server.url("/metrics")).send().await;
        let metrics = metrics.expect("an answer").text().await.expect("text");
        assert!(metrics.contains("convoke_sockets_refused"), "{metrics}");
        drop((one, other));
        wait::until("there is room", async || upgrade(&server).await.0 == 101).await;
        server.stop().await;
    }
}

#[sqlx::test]
async fn sockets_end_with_the_key_that_signed_their_tokens(pool: PgPool) {
    let settings = [("CONVOKE_GATEWAY_SWEEP_SECONDS", "1")];
    let server = TestServer::start_with(&pool, &settings).await;
    let (key, token) = new_key(&server, &Credentials::owner(), "alice").await;
    let mut alice = server.silent_socket().await;
    let hello = json!({ "method": "init", "token": token });
    assert_eq!(alice.say(hello.clone()).await["code"], 200);
    let mut bob = server.socket("bob").await;
    let path = format!("/2010-04-01/Accounts/{ACCOUNT_SID}/Keys/{key}.json");
    server.delete(&path).await.with(204);
    closed(&mut alice).await;
    let status = server.silent_socket().await.say(hello).await;
    assert_eq!(
        (&status["code"], &status["errorCode"]),
        (&json!(401), &json!(20103)),
        "{status}"
    );
    // Whose token is signed by another key stays.
    bob.heard().await;
}

#[sqlx::test]
async fn sockets_end_with_their_account_and_with_their_user(pool: PgPool) {
    let settings = [("CONVOKE_GATEWAY_SWEEP_SECONDS", "1")];
    let server = TestServer::start_with(&pool, &settings).await;
    let account = server
        .post("/2010-04-01/Accounts.json", &[("FriendlyName", "sub")])
        .await
        .with(201);
    let sub = Credentials {
        user: text(&account, "sid"),
        password: text(&account, "auth_token"),
    };
    let (_, token) = new_key(&server, &sub, "carol").await;
    let mut carol = server.silent_socket().await;
    carol.sign_in(&token).await;
    let mut bob = server.socket("bob").await;
    let path = format!("/2010-04-01/Accounts/{}.json", sub.user);
    server
        .post(&path, &[("Status", "suspended")])
        .await
        .with(200);
    closed(&mut carol).await;

    let user = server.get("/v1/Users/bob").await.with(200);
    let own = format!("{}.myconversations", text(&user, "sid"));
    bob.follow("map", &own, Some(0)).await;
    server.delete("/v1/Users/bob").await.with(204);
    closed(&mut bob).await;
    let _again = server.socket("bob").await;
    let new = server.get("/v1/Users/bob").await.with(200);
    assert_ne!(new["sid"], user["sid"]);
}

#[sqlx::test]
async fn what_a_client_cannot_follow_or_follows_no_longer_does_not_count(pool: PgPool) {
    let settings = [("CONVOKE_GATEWAY_MAX_SUBSCRIPTIONS", "3")];
    let server = TestServer::start_with(&pool, &settings).await;
    let mut alice = server.socket("alice").await;
    let established = json!("subscription_established");
    for _ in 0..3 {
        let talk = server.conversation(&[]).await;
        join(&server, &talk, "alice").await;
        // By their SIDs, as an SDK does: of a map's it cannot be seen whose it is when its owner is gone.
        let mut objects = Vec::new();
        for (kind, folder, of) in [
            ("document", "Documents", "channel"),
            ("list", "Lists", "messages"),
            ("map", "Maps", "roster"),
        ] {
            let path = format!("/v3/{folder}/{}", part(&talk, of));
            let (_, body) = alice.ask("GET", &path, Value::Null).await;
            objects.push((kind, text(&body, "sid")));
        }
        for (kind, object) in &objects {
            let (_, answer) = alice.follow(kind, object, None).await;
            assert_eq!(answer["event_type"], established, "{answer}");
        }
        server.delete(&talk).await.with(204);
        for _ in &objects {
            let gone = alice.next_notification().await;
            assert!(text(&gone, "event_type").ends_with("_removed"), "{gone}");
        }
        let objects = objects
            .iter()
            .map(|(kind, object)| json!({ "object_sid": object, "object_type": kind }));
        let objects: Vec<Value> = objects.collect();
        // An SDK cancels what it was told to be gone, but not what it was refused.
        let body = json!({ "action": "cancel", "correlation_id": 7, "requests": objects });
        alice.ask("POST", "/v4/Subscriptions", body).await;
        for _ in &objects {
            let canceled = alice.next_notification().await;
            assert_eq!(
                canceled["event_type"], "subscription_canceled",
                "{canceled}"
            );
        }
        for object in &objects {
            let sid = text(object, "object_sid");
            let (_, answer) = alice.follow(&text(object, "object_type"), &sid, None).await;
            assert_eq!(answer["event_type"], "subscription_failed", "{answer}");
        }
    }
    // The limit is what it was.
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "alice").await;
    let user = text(&server.get("/v1/Users/alice").await.with(200), "sid");
    let objects = ["channel", "messages", "roster"].map(|of| part(&talk, of));
    for object in &objects {
        let (_, answer) = alice.follow("", object, None).await;
        assert_eq!(answer["event_type"], established, "{answer}");
    }
    let (_, answer) = alice.follow("map", &format!("{user}.info"), None).await;
    assert_eq!(answer["event_type"], "subscription_failed", "{answer}");
}
