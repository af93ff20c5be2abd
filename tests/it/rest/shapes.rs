//! The shapes of resources, against the published contract: no property missing, none unknown.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use sqlx::PgPool;

use crate::support::{TestServer, text};

fn published() -> Option<Value> {
    let Ok(folder) = std::env::var("CONVOKE_SPEC_DIR") else {
        eprintln!(
            "SKIPPED: CONVOKE_SPEC_DIR is not set, so shapes are not compared with the published contract"
        );
        return None;
    };
    let path = Path::new(&folder).join("twilio_conversations_v1.json");
    let text = std::fs::read_to_string(&path).expect("the published contract");
    Some(serde_json::from_str(&text).expect("JSON"))
}

/// Properties that a schema of the published document names.
fn properties(contract: &Value, schema: &str) -> BTreeSet<String> {
    let schema = &contract["components"]["schemas"][schema]["properties"];
    schema
        .as_object()
        .unwrap_or_else(|| panic!("{schema}"))
        .keys()
        .cloned()
        .collect()
}

fn keys(body: &Value) -> BTreeSet<String> {
    body.as_object()
        .unwrap_or_else(|| panic!("an object, not {body}"))
        .keys()
        .cloned()
        .collect()
}

#[sqlx::test]
async fn resources_have_the_published_properties(pool: PgPool) {
    let Some(contract) = published() else { return };
    let server = TestServer::start(&pool).await;
    let service = server
        .post("/v1/Services", &[("FriendlyName", "tenant")])
        .await
        .with(201);
    assert_eq!(
        keys(&service),
        properties(&contract, "conversations.v1.service")
    );
    let named = format!("/v1/Services/{}", text(&service, "sid"));
    for (base, word) in [("/v1", ""), (named.as_str(), "service_")] {
        let parent = if word.is_empty() {
            "conversations.v1"
        } else {
            "conversations.v1.service"
        };
        let talk_schema = format!("{parent}.{word}conversation");
        let message_schema = format!("{talk_schema}.{word}conversation_message");
        let schema = |name: &str| properties(&contract, name);

        let talk = server
            .post(&format!("{base}/Conversations"), &[])
            .await
            .with(201);
        assert_eq!(keys(&talk), schema(&talk_schema));
        let path = format!("{base}/Conversations/{}", text(&talk, "sid"));
        assert!(text(&talk, "url").ends_with(&path), "{talk}");
        let alice = server
            .post(&format!("{path}/Participants"), &[("Identity", "alice")])
            .await
            .with(201);
        assert_eq!(
            keys(&alice),
            schema(&format!("{talk_schema}.{word}conversation_participant"))
        );
        server
            .add_phone(&path, &format!("+1555867{:04}", base.len()), "+15550100000")
            .await;
        let message = server
            .post(&format!("{path}/Messages"), &[("Body", "x")])
            .await
            .with(201);
        assert_eq!(keys(&message), schema(&message_schema));
        let receipts = format!("{path}/Messages/{}/Receipts", text(&message, "sid"));
        let listed = server.get(&receipts).await.with(200);
        let receipt_schema = format!("{message_schema}.{word}conversation_message_receipt");
        assert_eq!(
            keys(&listed["delivery_receipts"][0]),
            schema(&receipt_schema)
        );
        assert_meta(&listed, "delivery_receipts");
        let user = server.get(&format!("{base}/Users/alice")).await.with(200);
        assert_eq!(keys(&user), schema(&format!("{parent}.{word}user")));
        let listed = server
            .get(&format!("{base}/Users/alice/Conversations"))
            .await
            .with(200);
        let own_schema = format!("{parent}.{word}user.{word}user_conversation");
        assert_eq!(keys(&listed["conversations"][0]), schema(&own_schema));
        assert_meta(&listed, "conversations");
        let listed = server
            .get(&format!("{base}/ParticipantConversations?Identity=alice"))
            .await
            .with(200);
        let found_schema = format!("{parent}.{word}participant_conversation");
        assert_eq!(keys(&listed["conversations"][0]), schema(&found_schema));
        let roles = server.get(&format!("{base}/Roles")).await.with(200);
        assert_eq!(
            keys(&roles["roles"][0]),
            schema(&format!("{parent}.{word}role"))
        );
        assert_meta(&roles, "roles");
    }
    server.stop().await;
}

/// All seven members are always there: some libraries read them without asking.
fn assert_meta(listed: &Value, key: &str) {
    let meta = keys(&listed["meta"]);
    let all = [
        "page",
        "page_size",
        "first_page_url",
        "previous_page_url",
        "url",
        "next_page_url",
        "key",
    ];
    assert_eq!(meta, all.map(str::to_owned).into());
    assert_eq!(listed["meta"]["key"], key);
    assert!(listed.get("uri").is_none());
}
