//! What a client's start costs: the statements from the open socket to all conversations known and followed.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sqlx::PgPool;

use super::{join, sid};
use crate::support::{Statements, TestServer, text};

const CONVERSATIONS: usize = 60;

#[sqlx::test]
async fn a_list_that_is_being_read_leaves_nothing_out(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut talks = Vec::new();
    for _ in 0..3 {
        let talk = server.conversation(&[]).await;
        join(&server, &talk, "alice").await;
        talks.push(talk);
    }
    let mut alice = server.socket("alice").await;
    let service = server.default_service().await;
    let path = format!("/Client/v2/Services/{service}/MyConversations");
    let (_, first) = alice.get(&path, json!({ "PageSize": "2" })).await;
    let mut seen = sids(&first);
    assert_eq!(seen.len(), 2);
    // What is not read yet becomes the most recently active.
    for talk in talks.iter().filter(|talk| !seen.contains(sid(talk))) {
        server
            .post(&format!("{talk}/Messages"), &[("Body", "hello")])
            .await
            .with(201);
    }
    let next = text(&first["meta"], "next_token");
    let asked = json!({ "PageSize": "2", "PageToken": next });
    let (_, second) = alice.get(&path, asked).await;
    assert_eq!(second["meta"]["next_token"], Value::Null);
    seen.extend(sids(&second));
    assert_eq!(
        seen,
        talks.iter().map(|talk| sid(talk).to_owned()).collect()
    );
}

fn sids(page: &Value) -> BTreeSet<String> {
    let listed = page["conversations"].as_array().expect("a list");
    listed.iter().map(|talk| text(talk, "sid")).collect()
}

#[sqlx::test]
async fn many_conversations_are_read_and_followed_in_few_statements(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut talks = Vec::new();
    for _ in 0..CONVERSATIONS {
        let talk = server.conversation(&[]).await;
        for identity in ["alice", "bob"] {
            server
                .post(&format!("{talk}/Participants"), &[("Identity", identity)])
                .await
                .with(201);
        }
        talks.push(sid(&talk).to_owned());
    }
    let mut alice = server.socket("alice").await;
    let (_, configuration) = alice
        .ask("GET", "/Client/v2/Configuration", Value::Null)
        .await;
    let (statements, _guard) = Statements::note();

    // All at once, as the SDK asks.
    let mut paths = Vec::new();
    for talk in &talks {
        paths.push(format!("/v3/Documents/{talk}.channel"));
        paths.push(format!("/v3/Lists/{talk}.messages"));
        paths.push(format!("/v3/Maps/{talk}.roster"));
        paths.push(format!("/v3/Maps/{talk}.roster/Items"));
    }
    let own = text(&configuration["sync_objects"], "my_conversations");
    let info = text(&configuration["sync_objects"], "my_user_info");
    paths.extend([own, info].map(|name| format!("/v3/Maps/{name}")));
    let read = alice.read_all(&paths).await;
    let reading = statements.take().len();
    let mut wishes = Vec::new();
    for (path, (status, body)) in paths.iter().zip(&read) {
        assert_eq!(*status, 200, "{path}: {body}");
        if path.ends_with("/Items") {
            assert_eq!(body["items"].as_array().map(Vec::len), Some(2), "{path}");
            assert_eq!(
                body["meta"],
                json!({ "previous_token": null, "next_token": null })
            );
        } else {
            let kind = path.split('/').nth(2).expect("a kind");
            wishes.push(json!({
                "object_sid": body["sid"],
                "object_type": kind.trim_end_matches('s').to_lowercase(),
                "last_event_id": body["last_event_id"],
            }));
        }
    }

    for (number, wishes) in wishes.chunks(100).enumerate() {
        let body = json!({ "action": "establish", "correlation_id": number, "requests": wishes });
        alice.ask("POST", "/v4/Subscriptions", body).await;
    }
    for wish in &wishes {
        let heard = alice.next_notification().await;
        assert_eq!(
            heard["event_type"], "subscription_established",
            "{wish}: {heard}"
        );
    }
    let following = statements.take().len();
    // How many reads wait together depends on the moment; alone they would take five statements a conversation.
    assert!(reading <= CONVERSATIONS, "{reading}");
    // One to tell rosters from users a request, and of each shard one for conversations and one for users.
    let requests = wishes.len().div_ceil(100);
    assert!(following <= requests * (1 + 4 * 2), "{following}");

    // It is followed indeed.
    let path = format!("/v1/Conversations/{}/Messages", talks[CONVERSATIONS / 2]);
    server.post(&path, &[("Body", "hello")]).await.with(201);
    let heard = alice.next_notification().await;
    assert_eq!(heard["events"][0]["item_data"]["text"], "hello", "{heard}");
}
