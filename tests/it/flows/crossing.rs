//! Requests that cross: what one takes away while another is about to use it.
//!
//! A test holds a row that both need, so it decides which comes first: whoever waits first for a row gets it first.

use chrono::TimeDelta;
use serde_json::json;
use sqlx::PgPool;

use crate::support::server::API_KEY_SECRET;
use crate::support::{TestServer, text, wait};

/// Waits until this many requests wait for rows.
async fn waiting(pool: &PgPool, count: i64) {
    let statement = "select count(*) from pg_stat_activity
                      where datname = current_database() and wait_event_type = 'Lock'";
    wait::until("the requests wait for a row", async || {
        let waiting = sqlx::query_scalar::<_, i64>(statement).fetch_one(pool);
        waiting.await.expect("a count") == count
    })
    .await;
}

/// Has two requests wait for what a statement holds, one after the other, and lets them go on.
async fn cross<A, B>(
    pool: &PgPool,
    hold: &'static str,
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> (A, B) {
    let mut held = pool.begin().await.expect("a transaction");
    sqlx::query(hold)
        .execute(&mut *held)
        .await
        .expect("it is held");
    let then = async {
        waiting(pool, 1).await;
        second.await
    };
    let release = async {
        waiting(pool, 2).await;
        held.rollback().await.expect("it is given back");
    };
    let (first, second, ()) = tokio::join!(first, then, release);
    (first, second)
}

/// Holds the user of these tests.
const ALICE: &str = "select from users where identity = 'alice' for update";
const ALICE_AT: &str = "/v1/Users/alice";
const IDENTITY: [(&str, &str); 1] = [("Identity", "alice")];

/// Creates a user; answers its SID.
async fn create_alice(server: &TestServer) -> String {
    let user = server.post("/v1/Users", &IDENTITY).await.with(201);
    text(&user, "sid")
}

/// Who takes part in a conversation.
async fn identities(server: &TestServer, talk: &str) -> Vec<String> {
    let roster = server.get(&format!("{talk}/Participants")).await.with(200);
    let rows = roster["participants"].as_array().expect("a list");
    rows.iter().map(|row| text(row, "identity")).collect()
}

#[sqlx::test]
async fn who_is_added_while_being_deleted_is_a_new_user(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let before = create_alice(&server).await;
    let talk = server.conversation(&[]).await;
    let participants = format!("{talk}/Participants");
    let (deleted, added) = cross(
        &pool,
        ALICE,
        server.delete(ALICE_AT),
        server.post(&participants, &IDENTITY),
    )
    .await;
    deleted.with(204);
    added.with(201);
    let after = server.get(ALICE_AT).await.with(200);
    assert_ne!(text(&after, "sid"), before);
    assert_eq!(identities(&server, &talk).await, ["alice"]);

    let with = [("Participant", r#"{"identity": "alice"}"#)];
    let (deleted, created) = cross(
        &pool,
        ALICE,
        server.delete(ALICE_AT),
        server.post("/v1/ConversationWithParticipants", &with),
    )
    .await;
    deleted.with(204);
    let created = text(&created.with(202), "sid");
    let created = format!("/v1/Conversations/{created}");
    assert_eq!(identities(&server, &created).await, ["alice"]);
    assert_eq!(identities(&server, &talk).await, [] as [&str; 0]);
    server.stop().await;
}

#[sqlx::test]
async fn who_is_deleted_while_being_added_goes_with_what_was_joined(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    create_alice(&server).await;
    let talk = server.conversation(&[]).await;
    let participants = format!("{talk}/Participants");
    let (added, deleted) = cross(
        &pool,
        ALICE,
        server.post(&participants, &IDENTITY),
        server.delete(ALICE_AT),
    )
    .await;
    added.with(201);
    deleted.with(204);
    assert_eq!(server.get(ALICE_AT).await.refused(404), 20404);
    assert_eq!(identities(&server, &talk).await, [] as [&str; 0]);
    let talk = server.get(&talk).await.with(200);

    create_alice(&server).await;
    let with = [("Participant", r#"{"identity": "alice"}"#)];
    let (created, deleted) = cross(
        &pool,
        ALICE,
        server.post("/v1/ConversationWithParticipants", &with),
        server.delete(ALICE_AT),
    )
    .await;
    let created = text(&created.with(202), "sid");
    deleted.with(204);
    for sid in [created, text(&talk, "sid")] {
        let talk = format!("/v1/Conversations/{sid}");
        assert_eq!(identities(&server, &talk).await, [] as [&str; 0]);
        server.delete(&talk).await.with(204);
    }
    let left = server.get("/v1/Users").await.with(200);
    assert_eq!(left["users"], json!([]));
    server.stop().await;
}

/// Holds the service that is to be deleted.
const TENANT: &str = "select from services where friendly_name = 'tenant' for update";

/// Creates a service to be deleted; answers its path.
async fn tenant(server: &TestServer) -> String {
    let named = [("FriendlyName", "tenant")];
    let service = server.post("/v1/Services", &named).await.with(201);
    format!("/v1/Services/{}", text(&service, "sid"))
}

#[sqlx::test]
async fn a_service_in_use_is_deleted_without_a_deadlock(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let service = tenant(&server).await;
    let mut talks = Vec::new();
    for name in ["first", "second"] {
        let named = [("UniqueName", name)];
        let talks_of = format!("{service}/Conversations");
        server.post(&talks_of, &named).await.with(201);
        let talk = format!("{talks_of}/{name}");
        let participants = format!("{talk}/Participants");
        server.post(&participants, &IDENTITY).await.with(201);
        talks.push(talk);
    }
    let removing = format!("{}/Participants/alice", talks[1]);
    let (removed, deleted) = cross(
        &pool,
        "select from conversations where unique_name = 'second' for update",
        server.delete(&removing),
        server.delete(&service),
    )
    .await;
    removed.with(204);
    deleted.with(204);
    assert_eq!(server.get(&service).await.refused(404), 20404);
    server.stop().await;
}

#[sqlx::test]
async fn nothing_comes_to_be_in_a_service_that_is_being_deleted(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let role = [
        ("FriendlyName", "given"),
        ("Type", "service"),
        ("Permission", "joinConversation"),
    ];
    let person = [("Participant", r#"{"identity": "alice"}"#)];
    for (path, form) in [
        ("Conversations", &[("FriendlyName", "x")][..]),
        ("ConversationWithParticipants", &person),
        ("Users", &[("Identity", "alice")]),
        ("Roles", &role),
    ] {
        let service = tenant(&server).await;
        let creating = format!("{service}/{path}");
        let (deleted, refused) = cross(
            &pool,
            TENANT,
            server.delete(&service),
            server.post(&creating, form),
        )
        .await;
        deleted.with(204);
        assert_eq!(refused.refused(404), 20404, "{path}");

        // The other way round it goes with the service.
        let service = tenant(&server).await;
        let creating = format!("{service}/{path}");
        let (created, deleted) = cross(
            &pool,
            TENANT,
            server.post(&creating, form),
            server.delete(&service),
        )
        .await;
        assert!(created.status.is_success(), "{}", created.body);
        deleted.with(204);
        assert_eq!(server.get(&service).await.refused(404), 20404);
    }
    for table in ["conversations", "users", "participants", "memberships"] {
        let mut counting = sqlx::QueryBuilder::new("select count(*) from ");
        let counting = counting.push(table).build_query_scalar::<i64>();
        assert_eq!(counting.fetch_one(&pool).await.ok(), Some(0), "{table}");
    }
    server.stop().await;
}

#[sqlx::test]
async fn a_role_of_a_service_that_is_being_deleted_is_not_given(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let held_role = "select from roles where friendly_name = 'given' for update";
    let default = "DefaultChatServiceRoleSid";
    for (hold, path, parameter, identity, code) in [
        (TENANT, "Users", "RoleSid", Some("bob"), 50102),
        (held_role, "Users/alice", "RoleSid", None, 50102),
        (TENANT, "Configuration", default, None, 50100),
    ] {
        let service = tenant(&server).await;
        let users = format!("{service}/Users");
        server.post(&users, &IDENTITY).await.with(201);
        let new = [
            ("FriendlyName", "given"),
            ("Type", "service"),
            ("Permission", "joinConversation"),
        ];
        let role = server.post(&format!("{service}/Roles"), &new).await;
        let role = text(&role.with(201), "sid");
        let mut form = vec![(parameter, role.as_str())];
        form.extend(identity.map(|identity| ("Identity", identity)));
        let giving = format!("{service}/{path}");
        let (deleted, refused) = cross(
            &pool,
            hold,
            server.delete(&service),
            server.post(&giving, &form),
        )
        .await;
        deleted.with(204);
        assert_eq!(refused.refused(400), code, "{path}");
    }
    server.stop().await;
}

#[sqlx::test]
async fn a_device_of_somebody_who_is_being_deleted_is_not_bound(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let register = json!({
        "channel_type": "fcm",
        "message_types": ["twilio.conversations.new_message"],
        "data": { "registration_id": "device" },
    });
    for (hold, what) in [(ALICE, "/Users/alice"), (TENANT, "")] {
        let service = tenant(&server).await;
        let sid = service.trim_start_matches("/v1/Services/");
        let token = server.token_of(sid, "alice", TimeDelta::hours(1), API_KEY_SECRET);
        let mut alice = server.silent_socket().await;
        alice.sign_in(&token).await;
        let deleting = format!("{service}{what}");
        let (deleted, (status, refusal)) = cross(
            &pool,
            hold,
            server.delete(&deleting),
            alice.ask("POST", "/v1/registrations", register.clone()),
        )
        .await;
        deleted.with(204);
        assert_eq!(status, 404, "{refusal}");
        let bound = sqlx::query_scalar::<_, i64>("select count(*) from bindings");
        assert_eq!(bound.fetch_one(&pool).await.ok(), Some(0));
    }
    server.stop().await;
}

#[sqlx::test]
async fn who_loses_a_role_meanwhile_may_do_no_more(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[("FriendlyName", "crossed")]).await;
    let talk_sid = talk.trim_start_matches("/v1/Conversations/");
    let service = server.default_service().await;
    let roles = server.get("/v1/Roles").await.with(200);
    let mut roles = roles["roles"].as_array().expect("roles").iter();
    let admin = roles.find(|role| role["friendly_name"] == "channel admin");
    let admin = text(admin.expect("the role"), "sid");
    let weak = [
        ("FriendlyName", "weak"),
        ("Type", "conversation"),
        ("Permission", "leaveConversation"),
    ];
    let weak = text(&server.post("/v1/Roles", &weak).await.with(201), "sid");
    let participants = format!("{talk}/Participants");
    for identity in ["alice", "bob"] {
        let new = [("Identity", identity), ("RoleSid", &admin)];
        server.post(&participants, &new).await.with(201);
    }
    let said = [("Author", "bob"), ("Body", "x")];
    let said = server.post(&format!("{talk}/Messages"), &said).await;
    let message = format!("/Messages/{}", text(&said.with(201), "sid"));
    let mut socket = server.socket("alice").await;
    let alice = format!("{participants}/alice");
    let hold = "select from conversations where friendly_name = 'crossed' for update";
    let path = format!("/Client/v2/Services/{service}/Conversations/{talk_sid}");
    for (method, part, body) in [
        ("POST", "", json!({ "friendly_name": "renamed" })),
        ("DELETE", "", json!({})),
        ("POST", "/Participants", json!({ "identity": "carol" })),
        ("POST", "/Participants/bob", json!({ "attributes": "[]" })),
        ("DELETE", "/Participants/bob", json!({})),
        ("POST", "/Messages", json!({ "body": "y" })),
        ("POST", message.as_str(), json!({ "body": "y" })),
        ("DELETE", message.as_str(), json!({})),
    ] {
        let (revoked, (status, refusal)) = cross(
            &pool,
            hold,
            server.post(&alice, &[("RoleSid", &weak)]),
            socket.ask(method, &format!("{path}{part}"), body),
        )
        .await;
        revoked.with(200);
        assert_eq!(status, 403, "{method} {part} {refusal}");
        assert_eq!(refusal["code"], 50107, "{method} {part}");
        server.post(&alice, &[("RoleSid", &admin)]).await.with(200);
    }
    let (removed, (status, refusal)) = cross(
        &pool,
        hold,
        server.delete(&alice),
        socket.ask("DELETE", &format!("{path}{message}"), json!({})),
    )
    .await;
    removed.with(204);
    assert_eq!(status, 403, "{refusal}");
    assert_eq!(refusal["code"], 50430);
    server.stop().await;
}
