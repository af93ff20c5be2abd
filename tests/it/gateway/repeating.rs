//! What is asked for again under the same name, because its answer was lost, is there once.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::{join, messages};
use crate::support::{TestServer, text};

#[sqlx::test]
async fn a_message_that_is_sent_again_is_there_once(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let other = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    for identity in ["alice", "bob"] {
        join(&server, &talk, identity).await;
    }
    let messages = messages(&server, &talk).await;
    let mut alice = server.socket("alice").await;
    let body = json!({ "body": "once" });
    let (status, first) = alice.change("name", &messages, body.clone()).await;
    assert_eq!(status, 201, "{first}");

    // On this node, on another one, and what it is told to read is the message.
    let (mut elsewhere, mut again) = (other.socket("alice").await, server.socket("alice").await);
    for client in [&mut alice, &mut elsewhere, &mut again] {
        let (status, body) = client.change("name", &messages, body.clone()).await;
        assert_eq!(status, 202, "{body}");
        let url = text(&body, "resource_url");
        let path = url.splitn(4, '/').nth(3).expect("a path");
        let (status, message) = client.ask("GET", &format!("/{path}"), Value::Null).await;
        assert_eq!((status, &message["sid"]), (200, &first["sid"]), "{message}");
    }
    // Two at the same moment.
    let (one, two) = tokio::join!(
        alice.change("other", &messages, body.clone()),
        again.change("other", &messages, body.clone()),
    );
    let mut statuses = [one.0, two.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 202]);
    // Names of somebody else are other names.
    let mut bob = server.socket("bob").await;
    let (status, _) = bob.change("name", &messages, body).await;
    assert_eq!(status, 201);

    let stored = server.get(&format!("{talk}/Messages")).await.with(200);
    let stored = stored["messages"].as_array().expect("messages");
    let authors: Vec<String> = stored.iter().map(|m| text(m, "author")).collect();
    assert_eq!(authors, ["alice", "alice", "bob"]);
}

#[sqlx::test]
async fn a_participant_who_is_added_again_is_there_once(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let service = server.default_service().await;
    let conversations = format!("/Client/v2/Services/{service}/Conversations");
    let mut alice = server.socket("alice").await;
    let (status, talk) = alice.ask("POST", &conversations, json!({})).await;
    assert_eq!(status, 201, "{talk}");
    let sid = text(&talk, "sid");
    let people = format!("{conversations}/{sid}/Participants");
    // Joining, adding somebody, and adding a phone.
    let phone = json!({ "address": "+15550000001", "proxy_address": "+15550000002" });
    for (name, body) in [
        ("join", json!({ "identity": "alice" })),
        ("chat", json!({ "identity": "bob" })),
        ("phone", json!({ "messaging_binding": phone })),
    ] {
        let (status, first) = alice.change(name, &people, body.clone()).await;
        assert_eq!(status, 201, "{first}");
        let (status, again) = alice.change(name, &people, body.clone()).await;
        assert_eq!(status, 202, "{again}");
        let url = text(&again, "resource_url");
        let path = url.splitn(4, '/').nth(3).expect("a path");
        let (status, found) = alice.ask("GET", &format!("/{path}"), Value::Null).await;
        assert_eq!((status, &found["sid"]), (200, &first["sid"]), "{found}");
        // Under another name it is a second one, and that cannot be.
        let (status, refused) = alice.change("other", &people, body).await;
        assert_eq!(status, 409, "{refused}");
    }
    // Nor does a repeat bring back who was removed since; whoever adds anew does.
    let bob = format!("{people}/bob");
    let (status, _) = alice.ask("DELETE", &bob, json!({})).await;
    assert_eq!(status, 204);
    let body = json!({ "identity": "bob" });
    let (status, again) = alice.change("chat", &people, body.clone()).await;
    assert_eq!(status, 202, "{again}");
    assert_eq!(alice.ask("GET", &bob, Value::Null).await.0, 404);
    let (status, anew) = alice.change("anew", &people, body).await;
    assert_eq!(status, 201, "{anew}");
    let stored = server
        .get(&format!("/v1/Conversations/{sid}/Participants"))
        .await
        .with(200);
    assert_eq!(stored["participants"].as_array().map(Vec::len), Some(3));
}

#[sqlx::test]
async fn a_conversation_that_is_created_again_is_there_once(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let service = server.default_service().await;
    let conversations = format!("/Client/v2/Services/{service}/Conversations");
    let mut alice = server.socket("alice").await;
    let body = json!({ "friendly_name": "once", "unique_name": "unique" });
    let (status, first) = alice.change("name", &conversations, body.clone()).await;
    assert_eq!(status, 201, "{first}");
    let (status, again) = alice.change("name", &conversations, body).await;
    assert_eq!(status, 202, "{again}");
    assert!(text(&again, "resource_url").ends_with(&text(&first, "sid")));
    // Another user's name is another one.
    let mut bob = server.socket("bob").await;
    let (status, other) = bob.change("name", &conversations, json!({})).await;
    assert_eq!(status, 201, "{other}");
    let stored = server.get("/v1/Conversations").await.with(200);
    assert_eq!(stored["conversations"].as_array().map(Vec::len), Some(2));
}

#[sqlx::test]
async fn a_message_that_was_deleted_does_not_come_back_by_a_repeat(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "alice").await;
    let messages = messages(&server, &talk).await;
    let mut alice = server.socket("alice").await;
    let body = json!({ "body": "once" });
    let (status, first) = alice.change("name", &messages, body.clone()).await;
    assert_eq!(status, 201, "{first}");
    let path = format!("{talk}/Messages/{}", text(&first, "sid"));
    server.delete(&path).await.with(204);
    let (status, again) = alice.change("name", &messages, body).await;
    assert_eq!(status, 202, "{again}");
    server.delete(&path).await.with(404);
    let stored = server.get(&format!("{talk}/Messages")).await.with(200);
    assert_eq!(stored["messages"], json!([]));
}
