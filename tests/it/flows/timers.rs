//! A conversation's life by its timers.

use chrono::TimeDelta;
use serde_json::json;
use sqlx::PgPool;

use crate::support::{TestServer, text};

const TIMED: &[(&str, &str)] = &[("Timers.Inactive", "PT1M"), ("Timers.Closed", "PT10M")];

#[sqlx::test]
async fn idle_conversations_turn_inactive_then_closed(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(TIMED).await;
    let timers = server.get(&talk).await.with(200)["timers"].clone();
    assert!(
        timers["date_inactive"].is_string() && timers["date_closed"].is_string(),
        "{timers}"
    );

    server.advance(TimeDelta::seconds(59)).await;
    assert_eq!(server.get(&talk).await.with(200)["state"], "active");
    server.advance(TimeDelta::seconds(2)).await;
    let idle = server.get(&talk).await.with(200);
    assert_eq!(idle["state"], "inactive");
    assert!(idle["timers"].get("date_inactive").is_none(), "{idle}");

    server.advance(TimeDelta::minutes(10)).await;
    let closed = server.get(&talk).await.with(200);
    assert_eq!(
        (&closed["state"], &closed["timers"]),
        (&json!("closed"), &json!({}))
    );
    assert_eq!(
        server
            .post(&format!("{talk}/Messages"), &[("Body", "late")])
            .await
            .refused(400),
        50377
    );
    server.stop().await;
}

#[sqlx::test]
async fn clients_hear_of_every_state(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(TIMED).await;
    server
        .post(&format!("{talk}/Participants"), &[("Identity", "alice")])
        .await
        .with(201);
    let mut alice = server.socket("alice").await;
    let sid = talk.trim_start_matches("/v1/Conversations/");
    let document = format!("{sid}.channel");
    alice.follow("document", &document, Some(0)).await;
    for (seconds, state) in [(61, "inactive"), (600, "closed")] {
        server.advance(TimeDelta::seconds(seconds)).await;
        let heard = alice.next_notification().await;
        assert_eq!(heard["event_type"], "document_updated", "{heard}");
        let now = &heard["events"][0]["document_data"]["state"]["current"];
        assert_eq!(now, state, "{heard}");
    }
    server.stop().await;
}

#[sqlx::test]
async fn a_message_wakes_and_restarts_the_timers(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(TIMED).await;
    let messages = format!("{talk}/Messages");

    server.advance(TimeDelta::seconds(50)).await;
    server
        .post(&messages, &[("Body", "still here")])
        .await
        .with(201);
    server.advance(TimeDelta::seconds(50)).await;
    assert_eq!(server.get(&talk).await.with(200)["state"], "active");
    server.advance(TimeDelta::seconds(20)).await;
    assert_eq!(server.get(&talk).await.with(200)["state"], "inactive");

    server
        .post(&messages, &[("Body", "back again")])
        .await
        .with(201);
    assert_eq!(server.get(&talk).await.with(200)["state"], "active");
    server.advance(TimeDelta::seconds(61)).await;
    assert_eq!(server.get(&talk).await.with(200)["state"], "inactive");
    server.stop().await;
}

#[sqlx::test]
async fn closing_gives_the_pair_of_addresses_free(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (first, second) = (
        server.conversation(&[]).await,
        server.conversation(&[]).await,
    );
    let pair = [
        ("MessagingBinding.Address", "+15558675310"),
        ("MessagingBinding.ProxyAddress", "+15550100000"),
    ];
    let participants = format!("{second}/Participants");
    server.add_phone(&first, pair[0].1, pair[1].1).await;

    let refusal = server.post(&participants, &pair).await.with(409);
    assert_eq!(refusal["code"], 50416);
    assert!(
        first.ends_with(&text(&refusal, "message")[text(&refusal, "message").len() - 34..]),
        "{refusal}"
    );

    server.post(&first, &[("State", "closed")]).await.with(200);
    server.post(&participants, &pair).await.with(201);
    server.stop().await;
}
