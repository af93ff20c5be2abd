//! Limits: what is refused only after much was accepted. The counters are set, not counted up to.

use sqlx::PgPool;

use crate::support::{TestServer, text};

async fn set(pool: &PgPool, statement: &'static str) {
    sqlx::query(statement).execute(pool).await.expect("set");
}

#[sqlx::test]
async fn a_conversation_has_room_for_a_thousand(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let participants = format!("{}/Participants", server.conversation(&[]).await);
    set(&pool, "update conversations set participants_count = 999").await;
    server
        .post(&participants, &[("Identity", "last")])
        .await
        .with(201);
    let refusal = server.post(&participants, &[("Identity", "over")]).await;
    assert_eq!(refusal.refused(400), 50417);
    server.stop().await;
}

#[sqlx::test]
async fn a_conversation_has_room_for_fifty_on_channels(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    set(
        &pool,
        "update conversations set channel_participants_count = 49",
    )
    .await;
    server
        .add_phone(&talk, "+15551110001", "+15550100000")
        .await;
    let form = [
        ("MessagingBinding.Address", "+15551110002"),
        ("MessagingBinding.ProxyAddress", "+15550100000"),
    ];
    let refusal = server.post(&format!("{talk}/Participants"), &form).await;
    assert_eq!(refusal.refused(400), 50422);
    server
        .post(
            &format!("{talk}/Participants"),
            &[("Identity", "on a chat")],
        )
        .await
        .with(201);
    server.stop().await;
}

#[sqlx::test]
async fn nobody_on_a_phone_is_reached_without_a_messaging_service(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    set(
        &pool,
        "update conversations set messaging_service_sid = null",
    )
    .await;
    let form = [
        ("MessagingBinding.Address", "+15551110001"),
        ("MessagingBinding.ProxyAddress", "+15550100000"),
    ];
    let refusal = server.post(&format!("{talk}/Participants"), &form).await;
    assert_eq!(refusal.refused(400), 50373);
    server.stop().await;
}

#[sqlx::test]
async fn a_user_takes_part_in_a_thousand_open_conversations(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let first = server.conversation(&[]).await;
    let alice = [("Identity", "alice")];
    server
        .post(&format!("{first}/Participants"), &alice)
        .await
        .with(201);
    set(
        &pool,
        "insert into conversations (sid, account_sid, service_sid, attributes, state, state_updated, timers_start,
                                    created_by, active_at, last_message_at, date_created, date_updated)
         select md5(n::text)::uuid, account_sid, service_sid, '{}', 'active', now(), now(), 'system', now(), now(), now(),
                now()
           from conversations, generate_series(1, 999) n",
    )
    .await;
    set(
        &pool,
        "insert into memberships (user_sid, conversation_sid, participant_sid, created_position, position)
         select u.sid, md5(n::text)::uuid, md5(n::text)::uuid, 0, 0 from users u, generate_series(1, 999) n",
    )
    .await;
    let next = server.conversation(&[]).await;
    let refusal = server.post(&format!("{next}/Participants"), &alice).await;
    assert_eq!(refusal.refused(400), 50214);
    // Closed ones do not count.
    server.post(&first, &[("State", "closed")]).await.with(200);
    let joined = server
        .post(&format!("{next}/Participants"), &alice)
        .await
        .with(201);
    assert_eq!(text(&joined, "identity"), "alice");
    server.stop().await;
}
