//! Who hears what.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::{join, messages, part, sid};
use crate::support::socket::Sent;
use crate::support::{TestServer, text, wait};

fn bodies(heard: &[Value]) -> Vec<&str> {
    heard
        .iter()
        .filter(|payload| payload["event_type"] == "list_item_added")
        .filter_map(|payload| payload["events"][0]["item_data"]["text"].as_str())
        .collect()
}

#[sqlx::test]
async fn foreign_and_unknown_objects_are_as_absent(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "alice").await;
    let alice = text(&server.get("/v1/Users/alice").await.with(200), "sid");
    let mut alices = server.socket("alice").await;
    let mut mallory = server.socket("mallory").await;
    for (kind, object) in [
        ("list", part(&talk, "messages")),
        ("map", part(&talk, "roster")),
        ("map", format!("{alice}.myconversations")),
    ] {
        let (_, answer) = alices.follow(kind, &object, Some(0)).await;
        assert_eq!(answer["event_type"], "subscription_established", "{answer}");
        let (replayed, answer) = mallory.follow(kind, &object, Some(0)).await;
        assert_eq!(
            (replayed.len(), &answer["event_type"]),
            (0, &json!("subscription_failed"))
        );
        let folder = if kind == "list" { "Lists" } else { "Maps" };
        for path in [
            format!("/v3/{folder}/{object}"),
            format!("/v3/{folder}/{object}/Items"),
        ] {
            let (status, body) = mallory.ask("GET", &path, Value::Null).await;
            assert!([403, 404].contains(&status), "{path}: {status} {body}");
        }
    }
    // Who may join may see that it is there, and no more.
    let roles = server.get("/v1/Roles").await.with(200);
    let mut roles = roles["roles"].as_array().expect("roles").iter();
    let admin = roles.find(|role| role["friendly_name"] == "service admin");
    let admin = text(admin.expect("the role"), "sid");
    server
        .post("/v1/Users/mallory", &[("RoleSid", &admin)])
        .await
        .with(200);
    let path = format!("/v3/Lists/{}/Items", part(&talk, "messages"));
    let (status, body) = mallory.ask("GET", &path, Value::Null).await;
    assert_eq!((status, &body["code"]), (403, &json!(50430)), "{body}");
    for unknown in [
        "ES00000000000000000000000000000000",
        "nonsense",
        "",
        "CHx.messages",
    ] {
        let (_, answer) = mallory.follow("list", unknown, Some(0)).await;
        assert_eq!(answer["event_type"], "subscription_failed", "{unknown}");
    }
    server
        .post(&format!("{talk}/Messages"), &[("Body", "secret")])
        .await
        .with(201);
    alices.next_notification().await;
    assert!(mallory.heard().await.is_empty());
}

#[sqlx::test]
async fn who_was_removed_hears_nothing_more(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    let messages = format!("{talk}/Messages");
    let leaves = join(&server, &talk, "leaves").await;
    join(&server, &talk, "stays").await;
    let (mut leaver, mut stayer) = (server.socket("leaves").await, server.socket("stays").await);
    for client in [&mut leaver, &mut stayer] {
        client
            .follow("list", &part(&talk, "messages"), Some(0))
            .await;
    }
    server
        .post(&messages, &[("Body", "for both")])
        .await
        .with(201);
    assert_eq!(bodies(&[stayer.next_notification().await]), ["for both"]);
    assert_eq!(bodies(&leaver.heard().await), ["for both"]);

    server
        .delete(&format!("{talk}/Participants/{leaves}"))
        .await
        .with(204);
    server
        .post(&messages, &[("Body", "for one")])
        .await
        .with(201);
    assert_eq!(bodies(&[stayer.next_notification().await]), ["for one"]);
    assert!(bodies(&leaver.heard().await).is_empty());
    let (_, answer) = leaver
        .follow("list", &part(&talk, "messages"), Some(0))
        .await;
    assert_eq!(answer["event_type"], "subscription_failed");
}

#[sqlx::test]
async fn who_reads_too_slowly_is_closed_and_loses_nothing(pool: PgPool) {
    let settings = [("CONVOKE_GATEWAY_MAX_QUEUE_BYTES", "100000")];
    let server = TestServer::start_with(&pool, &settings).await;
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "alice").await;
    let mut client = server.socket("alice").await;
    let list = part(&talk, "messages");
    client.follow("list", &list, Some(0)).await;
    // More than the kernel holds for a reader that does not read, on top of the queue.
    let attributes = json!({ "x": "y".repeat(4_000) }).to_string();
    let messages = format!("{talk}/Messages");
    const ALL: usize = 1500;
    for n in 0..ALL {
        let body = n.to_string();
        server
            .post(&messages, &[("Body", &body), ("Attributes", &attributes)])
            .await
            .with(201);
    }
    let mut heard = 0;
    while let Sent::Frame(..) = client.next().await {
        heard += 1;
    }
    assert!(
        heard < ALL,
        "{heard} were queued for somebody who did not read"
    );

    let mut again = server.socket("alice").await;
    let (replayed, _) = again.follow("list", &list, Some(0)).await;
    let expected: Vec<String> = (0..ALL).map(|n| n.to_string()).collect();
    assert_eq!(bodies(&replayed), expected);
}

#[sqlx::test]
async fn who_looks_on_still_hears_when_somebody_left(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    for identity in ["alice", "bob"] {
        join(&server, &talk, identity).await;
    }
    let document = part(&talk, "channel");
    let (mut carol, mut bob) = (server.socket("carol").await, server.socket("bob").await);
    for client in [&mut carol, &mut bob] {
        let (_, answer) = client.follow("document", &document, None).await;
        assert_eq!(answer["event_type"], "subscription_established", "{answer}");
    }
    server
        .delete(&format!("{talk}/Participants/bob"))
        .await
        .with(204);
    server
        .post(&talk, &[("FriendlyName", "renamed")])
        .await
        .with(200);
    let heard = carol.next_notification().await;
    let name = &heard["events"][0]["document_data"]["friendlyName"];
    assert_eq!(name, "renamed", "{heard}");
    assert!(bob.heard().await.is_empty());
}

#[sqlx::test]
async fn what_somebody_wrote_comes_before_what_they_type_next(pool: PgPool) {
    // So many that messages to them are collected.
    const AUDIENCE: usize = 200;
    const ROUNDS: usize = 20;
    let settings = [("CONVOKE_GATEWAY_MAX_SOCKETS_PER_USER", "1000")];
    let server = TestServer::start_with(&pool, &settings).await;
    let talk = server.conversation(&[]).await;
    for identity in ["bob", "audience"] {
        join(&server, &talk, identity).await;
    }
    let mut audience = Vec::new();
    for _ in 0..AUDIENCE {
        let mut client = server.socket("audience").await;
        for (kind, of) in [("list", "messages"), ("map", "roster")] {
            client.follow(kind, &part(&talk, of), None).await;
        }
        audience.push(client);
    }
    let messages = messages(&server, &talk).await;
    let typing = format!("ChannelSid={}", sid(&talk));
    let mut bob = server.socket("bob").await;
    for n in 0..ROUNDS {
        let body = json!({ "body": n.to_string() }).to_string();
        // What changes something is done one after the other, so the client need not wait.
        bob.start("POST", &messages, &body).await;
        bob.start("POST", "/v1/typing", &typing).await;
    }
    let (mut written, mut typed) = (0, 0);
    while typed < ROUNDS {
        let heard = audience[0].next_notification().await;
        if heard["event_type"] == "list_item_added" {
            written += 1;
        } else if heard["identity"] == "bob" {
            typed += 1;
            assert!(written >= typed, "typing overtook message {written}");
        }
    }
}

/// The names of a conversation that documents told of.
fn names(heard: &[Value]) -> Vec<String> {
    let events = heard.iter().flat_map(|heard| heard["events"].as_array());
    let data = events.flatten().map(|event| &event["document_data"]);
    data.filter_map(|data| data["friendlyName"].as_str().map(str::to_owned))
        .collect()
}

#[sqlx::test]
async fn who_may_not_look_on_any_more_hears_nothing_more(pool: PgPool) {
    let settings = [("CONVOKE_GATEWAY_SWEEP_SECONDS", "1")];
    let server = TestServer::start_with(&pool, &settings).await;
    let service = server.default_service().await;
    let role = async |permission: &str| {
        let form = [
            ("FriendlyName", "tried"),
            ("Type", "service"),
            ("Permission", permission),
        ];
        text(&server.post("/v1/Roles", &form).await.with(201), "sid")
    };
    let looks = role("joinConversation").await;
    let loses = role("joinConversation").await;
    let creates = role("createConversation").await;
    let mut clients = Vec::new();
    for (identity, role) in [
        ("of other role", &looks),
        ("of less role", &loses),
        ("creator", &creates),
        ("member", &looks),
        ("onlooker", &looks),
    ] {
        let form = [("Identity", identity), ("RoleSid", role)];
        server.post("/v1/Users", &form).await.with(201);
        clients.push(server.socket(identity).await);
    }
    let conversations = format!("/Client/v2/Services/{service}/Conversations");
    let (status, talk) = clients[2].ask("POST", &conversations, json!({})).await;
    assert_eq!(status, 201, "{talk}");
    let talk = format!("/v1/Conversations/{}", text(&talk, "sid"));
    for client in &mut clients {
        let document = part(&talk, "channel");
        let (_, answer) = client.follow("document", &document, None).await;
        assert_eq!(answer["event_type"], "subscription_established", "{answer}");
    }

    join(&server, &talk, "member").await;
    for (path, form) in [
        ("/v1/Users/of other role", ("RoleSid", creates.as_str())),
        ("/v1/Users/member", ("RoleSid", creates.as_str())),
        (
            &format!("/v1/Roles/{loses}"),
            ("Permission", "createConversation"),
        ),
    ] {
        server.post(path, &[form]).await.with(200);
    }
    let mut changes = 0;
    wait::until("both are let go", async || {
        changes += 1;
        let name = changes.to_string();
        let form = [("FriendlyName", name.as_str())];
        server.post(&talk, &form).await.with(200);
        // All who hear of a change are told together: when these have heard, the others have or never will.
        for stays in &mut clients[2..] {
            while !names(&[stays.next_notification().await]).contains(&name) {}
        }
        let mut still_hears = false;
        for goes in &mut clients[..2] {
            still_hears |= names(&goes.heard().await).contains(&name);
        }
        !still_hears
    })
    .await;
}

#[sqlx::test]
async fn who_is_deleted_hears_what_was_left_and_then_the_end(pool: PgPool) {
    let never = [("CONVOKE_GATEWAY_SWEEP_SECONDS", "3600")];
    let server = TestServer::start_with(&pool, &never).await;
    let mut alice = server.socket("alice").await;
    let mut late = server.socket("alice").await;
    let user = text(&server.get("/v1/Users/alice").await.with(200), "sid");
    let own = format!("{user}.myconversations");
    let mut talks = Vec::new();
    for _ in 0..3 {
        let talk = server.conversation(&[]).await;
        join(&server, &talk, "alice").await;
        talks.push(sid(&talk).to_owned());
    }
    alice.follow("map", &own, None).await;
    server.delete("/v1/Users/alice").await.with(204);
    let mut left = Vec::new();
    for _ in &talks {
        let heard = alice.next_notification().await;
        assert_eq!(heard["event_type"], "map_item_removed", "{heard}");
        left.push(text(&heard["events"][0], "item_key"));
    }
    left.sort_unstable();
    assert_eq!(left, talks);
    let gone = alice.next_notification().await;
    assert_eq!(gone["event_type"], "map_removed", "{gone}");
    let why = Some((1001, "sign in again".to_owned()));
    assert_eq!(alice.end().await, why);

    // Somebody who had not come to follow anything is told with the answer.
    let (_, answer) = late.follow("map", &own, Some(0)).await;
    assert_eq!(answer["event_type"], "subscription_failed", "{answer}");
    assert_eq!(late.end().await, why);
}
