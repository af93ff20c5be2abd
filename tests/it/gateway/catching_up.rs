//! A client that comes back ends with what one that stayed has, wherever it left.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::task::JoinSet;

use super::{join, part, sid};
use crate::support::socket::Sent;
use crate::support::{TestServer, text};

/// Messages as a client has them: index and text.
type Messages = BTreeMap<i64, String>;

/// Applies events by the SDK's rules: a change or removal of what it does not know is nothing.
fn apply(messages: &mut Messages, payload: &Value) {
    for event in payload["events"].as_array().expect("events") {
        let index = event["item_index"].as_i64().expect("an index");
        let body = event["item_data"]["text"].as_str().unwrap_or_default();
        match payload["event_type"].as_str().expect("a type") {
            "list_item_added" => {
                messages.insert(index, body.to_owned());
            }
            "list_item_updated" => {
                messages
                    .entry(index)
                    .and_modify(|text| body.clone_into(text));
            }
            "list_item_removed" => {
                messages.remove(&index);
            }
            other => panic!("{other}"),
        }
    }
}

#[derive(Debug, Clone)]
enum Deed {
    Post,
    Edit(usize),
    Remove(usize),
    Rename,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => Just(Deed::Post),
        3 => any::<usize>().prop_map(Deed::Edit),
        2 => any::<usize>().prop_map(Deed::Remove),
        1 => Just(Deed::Rename),
    ]
}

#[sqlx::test]
async fn from_any_position(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "alice").await;
    let list = part(&talk, "messages");
    let mut stays = server.socket("alice").await;
    stays.follow("list", &list, Some(0)).await;

    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"any position leads to the end...");
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let deeds = prop::collection::vec(deed(), 60)
        .new_tree(&mut runner)
        .expect("deeds");
    let (mut sids, mut left_at) = (Vec::new(), Vec::new());
    let mut now = Messages::new();
    for (n, deed) in deeds.current().into_iter().enumerate() {
        let body = format!("text {n}");
        match deed {
            Deed::Edit(nth) if !sids.is_empty() => {
                let (index, sid): &(i64, String) = &sids[nth % sids.len()];
                server
                    .post(&format!("{talk}/Messages/{sid}"), &[("Body", &body)])
                    .await
                    .with(200);
                now.insert(*index, body);
            }
            Deed::Remove(nth) if !sids.is_empty() => {
                let (index, sid) = sids.remove(nth % sids.len());
                server
                    .delete(&format!("{talk}/Messages/{sid}"))
                    .await
                    .with(204);
                now.remove(&index);
            }
            Deed::Rename => {
                server
                    .post(&talk, &[("FriendlyName", &body)])
                    .await
                    .with(200);
            }
            _ => {
                let made = server
                    .post(&format!("{talk}/Messages"), &[("Body", &body)])
                    .await
                    .with(201);
                let index = made["index"].as_i64().expect("an index");
                sids.push((index, text(&made, "sid")));
                now.insert(index, body);
            }
        }
        let (_, answer) = server
            .socket("alice")
            .await
            .follow("list", &list, None)
            .await;
        let position = answer["events"][0]["last_event_id"]
            .as_i64()
            .expect("an event id");
        left_at.push((position, now.clone()));
    }

    let mut stayed = Messages::new();
    for payload in stays.heard().await {
        apply(&mut stayed, &payload);
    }
    assert_eq!(stayed, now);
    for (position, mut messages) in left_at {
        let mut comes_back = server.socket("alice").await;
        let (replayed, _) = comes_back.follow("list", &list, Some(position)).await;
        let mut last = position;
        for payload in &replayed {
            let id = payload["events"][0]["id"].as_i64().expect("an event id");
            assert!(id > last, "event {id} after {last}, from {position}");
            last = id;
            apply(&mut messages, payload);
        }
        assert_eq!(messages, now, "from {position}");
    }
}

#[sqlx::test]
async fn after_a_long_absence(pool: PgPool) {
    const ALL: i64 = 1_300;
    let server = std::sync::Arc::new(TestServer::start(&pool).await);
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "alice").await;
    let messages = format!("{talk}/Messages");
    let first = server.post(&messages, &[("Body", "first")]).await.with(201);
    let mut posts = JoinSet::new();
    for lot in 0..13 {
        let (server, messages) = (server.clone(), messages.clone());
        posts.spawn(async move {
            for n in 0..100 {
                let body = format!("{lot} {n} {}", "x".repeat(500));
                server.post(&messages, &[("Body", &body)]).await.with(201);
            }
        });
    }
    posts.join_all().await;
    // What is replayed comes in steps; the first message was created in the first of them and changed in the last.
    let path = format!("{messages}/{}", text(&first, "sid"));
    server.post(&path, &[("Body", "changed")]).await.with(200);

    let list = part(&talk, "messages");
    let mut alice = server.socket("alice").await;
    let (replayed, _) = alice.follow("list", &list, Some(0)).await;
    let mut caught_up = Messages::new();
    for payload in &replayed {
        apply(&mut caught_up, payload);
    }
    assert!(caught_up.keys().copied().eq(0..=ALL));
    assert_eq!(caught_up[&0], "changed");
    server.post(&messages, &[("Body", "live")]).await.with(201);
    apply(&mut caught_up, &alice.next_notification().await);
    assert_eq!(caught_up[&(ALL + 1)], "live");
}

#[sqlx::test]
async fn with_the_own_conversations_in_steps(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut talks = Vec::new();
    for _ in 0..3 {
        let talk = server.conversation(&[]).await;
        server
            .post(&format!("{talk}/Participants"), &[("Identity", "alice")])
            .await
            .with(201);
        // Each change takes a position of the user's, more than one answer covers in all.
        let sid = sid(&talk).to_owned();
        for n in 0..251 {
            let level = if n % 2 == 0 { "muted" } else { "default" };
            let own = format!("/v1/Users/alice/Conversations/{sid}");
            server
                .post(&own, &[("NotificationLevel", level)])
                .await
                .with(200);
        }
        talks.push(sid);
    }
    server
        .delete(&format!(
            "/v1/Conversations/{}/Participants/alice",
            talks[0]
        ))
        .await
        .with(204);

    let mut alice = server.socket("alice").await;
    let (_, configuration) = alice
        .ask("GET", "/Client/v2/Configuration", Value::Null)
        .await;
    let own = text(&configuration["sync_objects"], "my_conversations");
    let (replayed, answer) = alice.follow("map", &own, Some(0)).await;
    let mut levels = BTreeMap::new();
    let mut last = 0;
    for payload in &replayed {
        let event = &payload["events"][0];
        let id = event["id"].as_i64().expect("an event id");
        assert!(id > last, "event {id} after {last}");
        last = id;
        let key = text(event, "item_key");
        match payload["event_type"].as_str().expect("a type") {
            "map_item_removed" => levels.remove(&key),
            _ => levels.insert(key, text(&event["item_data"], "notificationLevel")),
        };
    }
    assert_eq!(answer["events"][0]["last_event_id"], last);
    let expected = [&talks[1], &talks[2]].map(|sid| (sid.clone(), "muted".to_owned()));
    assert_eq!(levels, BTreeMap::from(expected));
}

#[sqlx::test]
async fn what_was_missed_comes_in_few_notifications_of_bounded_size(pool: PgPool) {
    const ALL: usize = 60;
    const LONG: usize = 4_000;
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    let objects = ["messages", "channel", "roster"].map(|of| part(&talk, of));
    join(&server, &talk, "alice").await;
    let attributes = json!({ "x": "y".repeat(LONG) }).to_string();
    for n in 0..ALL {
        let form = [("Body", &*n.to_string()), ("Attributes", &attributes)];
        server
            .post(&format!("{talk}/Messages"), &form)
            .await
            .with(201);
    }
    let mut client = server.socket("alice").await;
    let wishes = objects.map(|of| json!({ "object_sid": of, "last_event_id": 0 }));
    let asked = json!({ "action": "establish", "correlation_id": 1, "requests": wishes });
    client
        .start("POST", "/v4/Subscriptions", &asked.to_string())
        .await;
    let (mut messages, mut notifications, mut established) = (Messages::new(), 0, 0);
    while established < wishes.len() {
        let Sent::Frame(_, payload) = client.next().await else {
            panic!("closed")
        };
        let events = payload["events"].as_array().map_or(0, Vec::len);
        match payload["event_type"].as_str() {
            Some("list_item_added") => {
                apply(&mut messages, &payload);
                notifications += 1;
                assert!(payload.to_string().len() < 64 * 1024 + LONG * 2);
            }
            Some("subscription_established") => established += events,
            _ => {}
        }
    }
    let texts: Vec<String> = messages.into_values().collect();
    assert_eq!(texts, (0..ALL).map(|n| n.to_string()).collect::<Vec<_>>());
    let least = ALL * LONG / (64 * 1024);
    assert!(
        (least..=least * 2).contains(&notifications),
        "{ALL} messages came in {notifications} notifications"
    );
}

#[sqlx::test]
async fn with_a_conversation_that_was_left_and_joined_again(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "alice").await;
    let alice = text(&server.get("/v1/Users/alice").await.with(200), "sid");
    let own = format!("{alice}.myconversations");
    let position = async || {
        let mut client = server.socket("alice").await;
        let (_, answer) = client.follow("map", &own, None).await;
        answer["events"][0]["last_event_id"]
            .as_i64()
            .expect("an event id")
    };
    // A client knows that it must follow a conversation anew when it hears that it was removed before it hears that it
    // was added. An addition of what it has is nothing to it, and the conversation tells it nothing since it left.
    let (mut positions, mut expected) = (vec![position().await], vec![]);
    let (left, joined) = ("map_item_removed", "map_item_added");
    for _ in 0..2 {
        server
            .delete(&format!("{talk}/Participants/alice"))
            .await
            .with(204);
        positions.push(position().await);
        join(&server, &talk, "alice").await;
        positions.push(position().await);
    }
    // Of what happened to one conversation the last is enough.
    for _ in 0..4 {
        expected.push(vec![left, joined]);
    }
    expected[3] = vec![joined];
    expected.push(vec![]);
    for (position, expected) in positions.into_iter().zip(expected) {
        let mut comes_back = server.socket("alice").await;
        let (replayed, _) = comes_back.follow("map", &own, Some(position)).await;
        let mut last = position;
        let mut told = Vec::new();
        for payload in &replayed {
            let event = &payload["events"][0];
            assert_eq!(event["item_key"], sid(&talk), "{event}");
            let id = event["id"].as_i64().expect("an event id");
            assert!(id > last, "event {id} after {last}, from {position}");
            last = id;
            told.push(text(payload, "event_type"));
        }
        assert_eq!(told, expected, "from {position}");
    }
}

#[sqlx::test]
async fn that_a_conversation_is_gone_comes_behind_the_own_conversations(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut talks = Vec::new();
    for _ in 0..7 {
        let talk = server.conversation(&[]).await;
        join(&server, &talk, "alice").await;
        talks.push(talk);
    }
    let stays = talks.pop().expect("a conversation");
    let stays = format!("/v1/Users/alice/Conversations/{}", sid(&stays));
    let alice = text(&server.get("/v1/Users/alice").await.with(200), "sid");
    let own = format!("{alice}.myconversations");
    let since = {
        let (_, answer) = server.socket("alice").await.follow("map", &own, None).await;
        answer["events"][0]["last_event_id"].clone()
    };
    let mut all_gone = 0;
    // The first time little was missed, then more than one answer covers.
    for changes in [0, 510] {
        for n in 0..changes {
            let level = if n % 2 == 0 { "muted" } else { "default" };
            let form = [("NotificationLevel", level)];
            server.post(&stays, &form).await.with(200);
        }
        let gone: Vec<String> = talks.drain(..3).collect();
        for talk in &gone {
            server.delete(talk).await.with(204);
        }
        all_gone += gone.len();
        let mut wishes: Vec<Value> = gone
            .iter()
            .flat_map(|talk| ["channel", "messages", "roster"].map(|of| part(talk, of)))
            .map(|object| json!({ "object_sid": object, "last_event_id": 1 }))
            .collect();
        let refused = wishes.len();
        wishes.push(json!({ "object_sid": own, "last_event_id": since }));
        let asked = json!({ "action": "establish", "correlation_id": 1, "requests": wishes });
        let mut client = server.socket("alice").await;
        client.ask("POST", "/v4/Subscriptions", asked).await;
        let mut told = Vec::new();
        while told
            .iter()
            .filter(|told| *told == "subscription_failed")
            .count()
            < refused
        {
            told.push(text(&client.next_notification().await, "event_type"));
        }
        let first = told.iter().position(|told| told == "subscription_failed");
        let before = &told[..first.expect("a refusal")];
        let count = |what: &str| before.iter().filter(|told| *told == what).count();
        assert_eq!(
            (count("map_item_removed"), count("subscription_established")),
            (all_gone, 1),
            "{told:?}"
        );
    }
}
