//! A conversation with its first participants: all or nothing.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestServer, text};

const PATH: &str = "/v1/ConversationWithParticipants";

fn phone(address: &str, proxy: &str) -> String {
    json!({ "messaging_binding": { "address": address, "proxy_address": proxy } }).to_string()
}

fn with(people: &[String]) -> Vec<(&str, &str)> {
    people
        .iter()
        .map(|one| ("Participant", one.as_str()))
        .collect()
}

async fn count(server: &TestServer) -> usize {
    let page = server.get("/v1/Conversations").await.with(200);
    page["conversations"].as_array().map_or(0, Vec::len)
}

#[sqlx::test]
async fn all_are_added_in_the_order_given(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let people = [
        r#"{"identity":"zoe","attributes":"{\"a\": 1}"}"#.to_owned(),
        phone("+15558670002", "+15550100001"),
        r#"{"Identity":"adam"}"#.to_owned(),
        r#"{"MessagingBinding.Address":"+15558670001","messaging_binding.proxy_address":"+15550100001"}"#
            .to_owned(),
    ];
    let mut form = with(&people);
    form.extend([("FriendlyName", "all of us"), ("UniqueName", "us")]);
    let made = server.post(PATH, &form).await.with(202);
    assert_eq!(made["state"], "active");
    assert_eq!(made["friendly_name"], "all of us");
    let sid = text(&made, "sid");
    let url = server.url(&format!("/v1/Conversations/{sid}"));
    assert_eq!(
        made["links"],
        json!({
            "participants": format!("{url}/Participants"),
            "messages": format!("{url}/Messages"),
            "webhooks": format!("{url}/Webhooks"),
        })
    );
    let path = format!("/v1/Conversations/{sid}/Participants");
    let listed = server.get(&path).await.with(200);
    let listed = listed["participants"].as_array().expect("a list").clone();
    let who = |one: &Value| match one["identity"].as_str() {
        Some(identity) => identity.to_owned(),
        None => text(&one["messaging_binding"], "address"),
    };
    let listed_who: Vec<String> = listed.iter().map(who).collect();
    assert_eq!(listed_who, ["zoe", "+15558670002", "adam", "+15558670001"]);
    assert_eq!(listed[0]["attributes"], r#"{"a": 1}"#);
    let own = server.get("/v1/Users/adam/Conversations/us").await;
    assert_eq!(own.with(200)["conversation_sid"], sid.as_str());
    server
        .send_from_phone("+15558670001", "+15550100001", "hello")
        .await;
    server.drain().await;
    let path = format!("/v1/Conversations/{sid}/Messages");
    let messages = server.get(&path).await.with(200);
    assert_eq!(messages["messages"][0]["body"], "hello");

    let alone = server
        .post(PATH, &[("FriendlyName", "alone")])
        .await
        .with(201);
    assert!(alone["links"].get("export").is_none());
    server.stop().await;
}

#[sqlx::test]
async fn one_refused_participant_refuses_all(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let taken = server.conversation(&[]).await;
    server
        .add_phone(&taken, "+15558670001", "+15550100001")
        .await;
    let alice = r#"{"identity":"alice"}"#.to_owned();
    let free = phone("+15558670009", "+15550100001");
    let eleven: Vec<String> = (0..11)
        .map(|n| format!(r#"{{"identity":"u{n}"}}"#))
        .collect();
    for (people, status, code) in [
        (
            vec![free.clone(), phone("+15558670001", "+15550100001")],
            409,
            50425,
        ),
        (vec![free.clone(), free.clone()], 409, 50425),
        (vec![alice.clone(), free.clone(), alice.clone()], 409, 50433),
        (eleven.clone(), 400, 50426),
        (vec![alice.clone(), "alice".to_owned()], 400, 20422),
        (vec![alice.clone(), "[]".to_owned()], 400, 20422),
        (vec![r#"{"identity":"a\u0000b"}"#.to_owned()], 400, 20422),
        (vec![alice.clone(), "{}".to_owned()], 400, 50204),
        (vec![phone("nobody", "+15550100001")], 400, 50407),
        (
            vec![r#"{"identity":"alice","attributes":"{"}"#.to_owned()],
            400,
            50304,
        ),
        (
            vec![r#"{"identity":"alice","role_sid":"RL1"}"#.to_owned()],
            400,
            50109,
        ),
    ] {
        let answer = server.post(PATH, &with(&people)).await;
        assert_eq!(answer.refused(status), code, "{people:?}");
        assert_eq!(count(&server).await, 1, "{people:?}");
    }
    let mut form = with(std::slice::from_ref(&alice));
    form.push(("State", "closed"));
    assert_eq!(server.post(PATH, &form).await.refused(400), 50384);
    // Nothing is left of what was tried: neither the pair nor the user.
    assert_eq!(server.get("/v1/Users/alice").await.refused(404), 20404);
    let good = [alice, free];
    server.post(PATH, &with(&good)).await.with(202);
    server.post(PATH, &with(&eleven[1..])).await.with(202);
    server.stop().await;
}

#[sqlx::test]
async fn who_races_for_a_pair_is_refused_not_stuck(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (a, b) = (
        phone("+15558670001", "+15550100001"),
        phone("+15558670002", "+15550100001"),
    );
    let (alice, bob) = (
        r#"{"identity":"alice"}"#.to_owned(),
        r#"{"identity":"bob"}"#.to_owned(),
    );
    let one = [a.clone(), alice.clone(), bob.clone(), b.clone()];
    let other = [b, bob, alice, a];
    let tries = (0..8).map(|n| {
        let form = with(if n % 2 == 0 { &one } else { &other });
        let server = &server;
        async move { server.post(PATH, &form).await }
    });
    let answers = futures_util::future::join_all(tries).await;
    let won = answers.iter().filter(|answer| answer.status == 202).count();
    assert_eq!(won, 1);
    for lost in answers.into_iter().filter(|answer| answer.status != 202) {
        assert_eq!(lost.refused(409), 50425);
    }
    // Without pairs nobody is in the way.
    let people = [
        [
            r#"{"identity":"u1"}"#.to_owned(),
            r#"{"identity":"u2"}"#.to_owned(),
        ],
        [
            r#"{"identity":"u2"}"#.to_owned(),
            r#"{"identity":"u1"}"#.to_owned(),
        ],
    ];
    let tries = (0..8).map(|n| {
        let form = with(&people[n % 2]);
        let server = &server;
        async move { server.post(PATH, &form).await.with(202) }
    });
    futures_util::future::join_all(tries).await;
    server.stop().await;
}
