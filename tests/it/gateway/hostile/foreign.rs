//! What belongs to others: objects, paths, tokens.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{join, list, sid};
use crate::support::server::{ACCOUNT_SID, API_KEY_SECRET, API_KEY_SID};
use crate::support::socket::SocketClient;
use crate::support::{Carries, Credentials, TestServer, text};

/// What is told of the objects of one request to follow them: how many are followed, and how many are not.
async fn establish(client: &mut SocketClient, objects: &[String]) -> (usize, usize) {
    let wishes: Vec<Value> = objects
        .iter()
        .map(|object| json!({ "object_sid": object, "last_event_id": 0 }))
        .collect();
    let body = json!({ "action": "establish", "correlation_id": 7, "requests": wishes });
    let (status, body) = client.ask("POST", "/v4/Subscriptions", body).await;
    assert_eq!(status, 200, "{body}");
    let (mut established, mut failed) = (0, 0);
    while established + failed < objects.len() {
        let heard = client.next_notification().await;
        assert_eq!(heard["correlation_id"], 7, "{heard}");
        let count = heard["events"].as_array().map_or(0, Vec::len);
        match heard["event_type"].as_str() {
            Some("subscription_established") => established += count,
            Some("subscription_failed") => {
                assert_eq!(heard["events"][0]["error"]["status"], 404, "{heard}");
                failed += count;
            }
            _ => {} // a replay
        }
    }
    (established, failed)
}

/// The names and SIDs of a conversation's objects.
fn objects(talk: &str) -> Vec<String> {
    let digits = &talk[2..];
    let names = ["channel", "messages", "roster"].map(|part| format!("{talk}.{part}"));
    let sids = ["ET", "ES", "MP"].map(|kind| format!("{kind}{digits}"));
    names.into_iter().chain(sids).collect()
}

#[sqlx::test]
async fn a_thousand_foreign_objects_are_refused_and_never_heard_of(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let role = [
        ("FriendlyName", "edits only itself"),
        ("Type", "service"),
        ("Permission", "editOwnUserInfo"),
    ];
    let role = text(&server.post("/v1/Roles", &role).await.with(201), "sid");
    let user = [("Identity", "mallory"), ("RoleSid", &role)];
    server.post("/v1/Users", &user).await.with(201);
    let mut mallory = server.socket("mallory").await;

    // Conversations of this service, of another one, and of another account.
    let own = server.default_service().await;
    let other = server.post("/v1/Services", &[("FriendlyName", "x")]).await;
    let other = text(&other.with(201), "sid");
    let stranger = server.another_account().await;
    let owner = Credentials::owner();
    let mut talks = Vec::new();
    for (who, base) in [
        (&owner, "/v1/Conversations".to_owned()),
        (&owner, format!("/v1/Services/{other}/Conversations")),
        (&stranger, "/v1/Conversations".to_owned()),
    ] {
        let form = Carries::Fields(Vec::new());
        let made = server.ask(Some(who), &Method::POST, &base, &form).await;
        let talk = text(&made.with(201), "sid");
        let form = Carries::Fields(vec![("Identity".to_owned(), "alice".to_owned())]);
        let path = format!("{base}/{talk}/Participants");
        let made = server.ask(Some(who), &Method::POST, &path, &form).await;
        made.with(201);
        talks.push((who, format!("{base}/{talk}"), talk));
    }
    let alice = text(&server.get("/v1/Users/alice").await.with(200), "sid");
    let mut wanted: Vec<String> = talks
        .iter()
        .flat_map(|(_, _, talk)| objects(talk))
        .collect();
    wanted.extend([
        format!("{alice}.myconversations"),
        format!("MP{}", &alice[2..]),
        "nonsense".to_owned(),
        String::new(),
        "x".repeat(10_000),
    ]);
    for n in wanted.len()..1_000 {
        let kind = ["ET", "ES", "MP"][n % 3];
        wanted.push(format!("{kind}{n:032x}"));
    }
    for batch in wanted.chunks(20) {
        let told = establish(&mut mallory, batch).await;
        assert_eq!(told, (0, batch.len()), "{batch:?}");
    }
    for (who, path, _) in &talks {
        let form = Carries::Fields(vec![("Body".to_owned(), "secret".to_owned())]);
        let path = format!("{path}/Messages");
        let made = server.ask(Some(who), &Method::POST, &path, &form).await;
        made.with(201);
    }
    // Who may hear of it has heard of it by the time the other asks.
    let talk = &talks[0].2;
    let token = server.token_of(&own, "alice", TimeDelta::hours(1), API_KEY_SECRET);
    let mut alices = signed_in(&server, &token).await;
    let (told, _) = establish(&mut alices, &[format!("{talk}.messages")]).await;
    assert_eq!(told, 1);
    assert_eq!(mallory.heard().await, Vec::<Value>::new());
}

#[sqlx::test]
async fn nobody_follows_more_than_fits(pool: PgPool) {
    let settings = [("CONVOKE_GATEWAY_MAX_SUBSCRIPTIONS", "5")];
    let server = TestServer::start_with(&pool, &settings).await;
    let mut own = Vec::new();
    for _ in 0..4 {
        let talk = server.conversation(&[]).await;
        join(&server, &talk, "mallory").await;
        own.extend(["channel", "messages", "roster"].map(|part| format!("{}.{part}", sid(&talk))));
    }
    let mut client = server.socket("mallory").await;
    assert_eq!(establish(&mut client, &own).await, (5, own.len() - 5));
    // Again is not more, and what is let go makes room.
    assert_eq!(establish(&mut client, &own[..5]).await, (5, 0));
    assert_eq!(establish(&mut client, &own[5..6]).await, (0, 1));
    let body =
        json!({ "action": "cancel", "correlation_id": 8, "requests": [{ "object_sid": own[0] }] });
    client.ask("POST", "/v4/Subscriptions", body).await;
    let told = client.next_notification().await;
    assert_eq!(told["event_type"], "subscription_canceled", "{told}");
    assert_eq!(establish(&mut client, &own[5..7]).await, (1, 1));
}

#[sqlx::test]
async fn paths_of_others_lead_nowhere(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "alice").await;
    let own = server.default_service().await;
    let other = server.post("/v1/Services", &[("FriendlyName", "x")]).await;
    let other = text(&other.with(201), "sid");
    let mut alice = {
        let token = server.token_of(&own, "alice", TimeDelta::hours(1), API_KEY_SECRET);
        signed_in(&server, &token).await
    };
    let token = server.token_of(&own, "mallory", TimeDelta::hours(1), API_KEY_SECRET);
    let mut mallory = signed_in(&server, &token).await;
    alice
        .follow("list", &format!("{}.messages", sid(&talk)), Some(0))
        .await;

    let (own, other) = (
        format!("/Client/v2/Services/{own}"),
        format!("/Client/v2/Services/{other}"),
    );
    let talk = sid(&talk);
    for (method, path, body, status, code) in [
        // The very same in another service.
        ("GET", format!("{other}/MyConversations"), "", 404, 20404),
        ("POST", format!("{other}/Conversations"), "{}", 404, 20404),
        ("GET", format!("{other}/Users/mallory"), "", 404, 20404),
        (
            "GET",
            format!("{}/MyConversations", own.to_lowercase()),
            "",
            404,
            20404,
        ),
        (
            "GET",
            format!("{own}/../{other}/MyConversations"),
            "",
            404,
            20404,
        ),
        // Somebody else's side of a conversation, and somebody else.
        (
            "POST",
            format!("{own}/MyConversations/{talk}"),
            r#"{"last_read_message_index":0}"#,
            403,
            50430,
        ),
        (
            "POST",
            format!("{own}/Users/alice"),
            r#"{"friendly_name":"x"}"#,
            403,
            50107,
        ),
        (
            "GET",
            format!("{own}/Users/alice/Conversations"),
            "",
            404,
            20404,
        ),
        (
            "POST",
            format!("{own}/Conversations/{talk}/Participants/alice"),
            r#"{"attributes":"[]"}"#,
            403,
            50430,
        ),
        (
            "DELETE",
            format!("{own}/Conversations/{talk}/Participants/alice"),
            "{}",
            403,
            50430,
        ),
        // Typing where one takes no part, in what is not there, and nowhere.
        (
            "POST",
            "/v1/typing".to_owned(),
            &format!("ChannelSid={talk}"),
            403,
            50430,
        ),
        (
            "POST",
            "/v1/typing".to_owned(),
            "ChannelSid=CH00000000000000000000000000000000",
            404,
            20404,
        ),
        ("POST", "/v1/typing".to_owned(), "", 404, 20404),
        (
            "POST",
            "/v1/typing".to_owned(),
            "ConversationSid=a%00b",
            400,
            20422,
        ),
        // Items of what is not the own.
        (
            "GET",
            format!("/v3/Maps/{talk}.roster/Items"),
            "",
            403,
            50430,
        ),
        ("GET", format!("{}/Items", list(talk)), "", 403, 50430),
    ] {
        let (answered, body) = mallory.ask_with(method, &path, body).await;
        assert_eq!(
            (answered, &body["code"]),
            (status, &json!(code)),
            "{method} {path}: {body}"
        );
    }
    let heard = alice.heard().await;
    assert_eq!(heard, Vec::<Value>::new());
}

async fn signed_in(server: &TestServer, token: &str) -> SocketClient {
    let mut client = server.silent_socket().await;
    let status = client
        .say(json!({ "method": "init", "token": token }))
        .await;
    assert_eq!(status["code"], 200, "{status}");
    client
}

#[sqlx::test]
async fn a_token_of_somebody_else_ends_the_connection(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let service = server.default_service().await;
    let other = server.post("/v1/Services", &[("FriendlyName", "x")]).await;
    let other = text(&other.with(201), "sid");
    let hour = TimeDelta::hours(1);

    // A key of ours that was deleted, and one of another account.
    let keys = "/2010-04-01/Accounts/AC00000000000000000000000000000001/Keys";
    let key = server.post(&format!("{keys}.json"), &[]).await.with(201);
    let (key, secret) = (text(&key, "sid"), text(&key, "secret"));
    let ours = (ACCOUNT_SID, &*key, &*secret);
    let gone = server.token_by(ours, &service, "alice", hour);
    server.delete(&format!("{keys}/{key}.json")).await.with(204);
    let stranger = server.another_account().await;
    let who = (&*stranger.user, &*stranger.password);
    let path = format!("/2010-04-01/Accounts/{}/Keys.json", stranger.user);
    let key = server
        .send_as(who, Method::POST, &path, &[])
        .await
        .with(201);
    let (key, secret) = (text(&key, "sid"), text(&key, "secret"));
    let listed = server.send_as(who, Method::GET, "/v1/Services", &[]).await;
    let theirs = text(&listed.with(200)["services"][0], "sid");
    let foreign = server.token_by((&stranger.user, &key, &secret), &theirs, "alice", hour);
    let mixed = server.token_by((ACCOUNT_SID, &key, &secret), &service, "alice", hour);

    let good = |service: &str, identity: &str, lifetime: TimeDelta| {
        server.token_by(
            (ACCOUNT_SID, API_KEY_SID, API_KEY_SECRET),
            service,
            identity,
            lifetime,
        )
    };
    for (what, token, status, code) in [
        ("another identity", good(&service, "bob", hour), 403, 20403),
        (
            "another letter case",
            good(&service, "Alice", hour),
            403,
            20403,
        ),
        ("another service", good(&other, "alice", hour), 403, 20403),
        ("another account", foreign, 403, 20403),
        ("another account's key", mixed, 401, 20103),
        ("a key that was deleted", gone, 401, 20103),
        (
            "one that expired",
            good(&service, "alice", TimeDelta::seconds(-1)),
            401,
            20104,
        ),
        (
            "one for too long",
            good(&service, "alice", TimeDelta::hours(25)),
            401,
            20157,
        ),
        ("none", String::new(), 401, 20101),
    ] {
        let mut client = signed_in(&server, &good(&service, "alice", hour)).await;
        let told = client
            .say(json!({ "method": "update", "token": token }))
            .await;
        assert_eq!(
            (&told["code"], &told["errorCode"]),
            (&json!(status), &json!(code)),
            "{what}: {told}"
        );
        client.end().await;
    }
    let mut client = signed_in(&server, &good(&service, "alice", hour)).await;
    let token = good(&service, "alice", TimeDelta::hours(2));
    let told = client
        .say(json!({ "method": "update", "token": token }))
        .await;
    assert_eq!(told["code"], 200, "{told}");
}
