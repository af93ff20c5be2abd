//! What goes with what is deleted, and what stays.

use serde_json::json;
use sqlx::PgPool;

use crate::support::{TestServer, text};

#[sqlx::test]
async fn a_deleted_user_leaves_conversations_but_not_words(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talks = [
        server.conversation(&[]).await,
        server.conversation(&[]).await,
    ];
    for talk in &talks {
        server
            .post(&format!("{talk}/Participants"), &[("Identity", "alice")])
            .await
            .with(201);
    }
    server
        .post(
            &format!("{}/Messages", talks[0]),
            &[("Author", "alice"), ("Body", "bye")],
        )
        .await
        .with(201);

    server.delete("/v1/Users/alice").await.with(204);
    for talk in &talks {
        let roster = server.get(&format!("{talk}/Participants")).await.with(200);
        assert_eq!(roster["participants"], json!([]));
    }
    let said = server
        .get(&format!("{}/Messages", talks[0]))
        .await
        .with(200);
    assert_eq!(said["messages"][0]["author"], "alice");
    assert_eq!(server.get("/v1/Users/alice").await.refused(404), 20404);
    server.stop().await;
}

#[sqlx::test]
async fn a_deleted_conversation_frees_its_name_and_addresses(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let named = [("UniqueName", "support")];
    let first = server.conversation(&named).await;
    server
        .add_phone(&first, "+15558675310", "+15550100000")
        .await;
    server
        .post(&format!("{first}/Messages"), &[("Body", "x")])
        .await
        .with(201);
    assert_eq!(
        server.post("/v1/Conversations", &named).await.refused(409),
        50353
    );

    server.delete(&first).await.with(204);
    assert_eq!(server.get(&first).await.refused(404), 20404);
    assert_eq!(server.delete(&first).await.refused(404), 20404);
    let second = server.conversation(&named).await;
    server
        .add_phone(&second, "+15558675310", "+15550100000")
        .await;
    server.stop().await;
}

#[sqlx::test]
async fn a_deleted_service_takes_everything_along(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let service = server
        .post("/v1/Services", &[("FriendlyName", "tenant")])
        .await
        .with(201);
    let base = format!("/v1/Services/{}", text(&service, "sid"));
    let talk = server
        .post(&format!("{base}/Conversations"), &[])
        .await
        .with(201);
    let talk = format!("{base}/Conversations/{}", text(&talk, "sid"));
    server
        .post(&format!("{talk}/Participants"), &[("Identity", "alice")])
        .await
        .with(201);

    server.delete(&base).await.with(204);
    for path in [
        &base,
        &talk,
        &format!("{base}/Users/alice"),
        &format!("{base}/Roles"),
    ] {
        assert_eq!(server.get(path).await.refused(404), 20404, "{path}");
    }
    let default = server.get("/v1/Conversations").await.with(200);
    assert_eq!(default["conversations"], json!([]));
    let kept = server.default_service().await;
    assert_eq!(
        server
            .delete(&format!("/v1/Services/{kept}"))
            .await
            .refused(409),
        20409
    );
    server.stop().await;
}

#[sqlx::test]
async fn an_index_is_never_used_twice(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let messages = format!("{}/Messages", server.conversation(&[]).await);
    let mut sids = Vec::new();
    for body in ["a", "b", "c"] {
        sids.push(text(
            &server.post(&messages, &[("Body", body)]).await.with(201),
            "sid",
        ));
    }
    server
        .delete(&format!("{messages}/{}", sids[2]))
        .await
        .with(204);
    assert_eq!(
        server.post(&messages, &[("Body", "d")]).await.with(201)["index"],
        3
    );
    let listed = server.get(&messages).await.with(200);
    let indexes: Vec<_> = listed["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|m| m["index"].clone())
        .collect();
    assert_eq!(indexes, [json!(0), json!(1), json!(3)]);
    server.stop().await;
}

#[sqlx::test]
async fn a_participant_whose_user_is_gone_can_be_removed(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let service = server
        .post("/v1/Services", &[("FriendlyName", "tenant")])
        .await
        .with(201);
    let service = format!("/v1/Services/{}", text(&service, "sid"));
    let mut talks = Vec::new();
    for _ in 0..3 {
        let talk = server
            .post(&format!("{service}/Conversations"), &[])
            .await
            .with(201);
        let talk = format!("{service}/Conversations/{}", text(&talk, "sid"));
        for identity in ["alice", "bob"] {
            server
                .post(&format!("{talk}/Participants"), &[("Identity", identity)])
                .await
                .with(201);
        }
        server
            .post(&format!("{talk}/Messages"), &[("Body", "x")])
            .await
            .with(201);
        talks.push(talk);
    }
    // What earlier versions could leave behind.
    for statement in [
        "delete from memberships where user_sid = (select sid from users where identity = 'alice')",
        "delete from users where identity = 'alice'",
    ] {
        sqlx::query(statement)
            .execute(&pool)
            .await
            .expect("alice is gone");
    }
    let alice = format!("{}/Participants/alice", talks[0]);
    for changed in [("Attributes", r#"{"a":1}"#), ("LastReadMessageIndex", "0")] {
        server.post(&alice, &[changed]).await.with(200);
    }
    server.delete(&alice).await.with(204);
    assert_eq!(server.get(&alice).await.refused(404), 20404);
    let bob = server.get(&format!("{}/Participants/bob", talks[0])).await;
    bob.with(200);
    server
        .post(
            &format!("{}/Participants", talks[0]),
            &[("Identity", "alice")],
        )
        .await
        .with(201);
    server.delete(&talks[1]).await.with(204);
    let own = server
        .get(&format!("{service}/Users/bob/Conversations"))
        .await
        .with(200);
    assert_eq!(own["conversations"].as_array().map(Vec::len), Some(2));
    server.delete(&service).await.with(204);
    assert_eq!(server.get(&service).await.refused(404), 20404);
    server.stop().await;
}
