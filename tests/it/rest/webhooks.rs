//! Webhooks of accounts and services, and of single conversations: what is kept and what is answered.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestServer, text};

#[sqlx::test]
async fn accounts_and_services_keep_their_webhooks_apart(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let service = server
        .post("/v1/Services", &[("FriendlyName", "tenant")])
        .await
        .with(201);
    let own = format!("/v1/Services/{}", text(&service, "sid"));
    let path = format!("{own}/Configuration/Webhooks");
    let account = "/v1/Configuration/Webhooks";
    let unset = server.get(account).await.with(200);
    assert_eq!(unset["method"], "POST");
    assert_eq!(unset["target"], "webhook");
    for field in ["filters", "pre_webhook_url", "post_webhook_url"] {
        assert_eq!(unset[field], Value::Null);
    }
    let unset = server.get(&path).await.with(200);
    for field in ["filters", "pre_webhook_url", "post_webhook_url", "method"] {
        assert_eq!(unset[field], Value::Null);
    }

    let form = [
        ("Filters", "onMessageAdd"),
        ("Filters", "onUserUpdated"),
        ("PreWebhookUrl", "https://example.com/pre?x=1"),
        ("Method", "get"),
        ("Target", "Flex"),
    ];
    let set = server.post(account, &form).await.with(200);
    assert_eq!(set["filters"], json!(["onMessageAdd", "onUserUpdated"]));
    assert_eq!(set["pre_webhook_url"], "https://example.com/pre?x=1");
    assert_eq!(set["method"], "GET");
    assert_eq!(set["target"], "flex");
    let cleared = server
        .post(account, &[("PreWebhookUrl", ""), ("Filters", "")])
        .await
        .with(200);
    assert_eq!(cleared["pre_webhook_url"], Value::Null);
    assert_eq!(cleared["filters"], json!([]));
    assert_eq!(cleared["method"], "GET");
    assert_eq!(server.get(account).await.with(200), cleared);

    assert_eq!(server.get(&path).await.with(200), unset);
    let form = [("PostWebhookUrl", "https://example.com/post")];
    let set = server.post(&path, &form).await.with(200);
    assert_eq!(set["post_webhook_url"], "https://example.com/post");
    assert_eq!(set["method"], Value::Null);
    assert_eq!(server.get(&path).await.with(200), set);
    server.delete(&own).await.with(204);
    let left: i64 = sqlx::query_scalar("select count(*) from webhook_configurations")
        .fetch_one(&pool)
        .await
        .expect("a count");
    assert_eq!(left, 1, "a service's webhooks go with it");
    server.stop().await;
}

const URL: (&str, &str) = ("Configuration.Url", "https://example.com/hook");
const WEBHOOK: [(&str, &str); 3] = [
    ("Target", "webhook"),
    URL,
    ("Configuration.Filters", "onMessageAdded"),
];

#[sqlx::test]
async fn a_conversation_has_webhooks_of_three_kinds(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[("UniqueName", "talk")]).await;
    let path = format!("{talk}/Webhooks");
    let mut form = WEBHOOK.to_vec();
    form.extend([
        ("Configuration.Filters", "onParticipantAdded"),
        ("Configuration.ReplayAfter", "0"),
    ]);
    let webhook = server.post(&path, &form).await.with(201);
    assert_eq!(
        webhook["configuration"],
        json!({
            "url": "https://example.com/hook",
            "method": "post",
            "filters": ["onMessageAdded", "onParticipantAdded"],
        })
    );
    let form = [
        ("Target", "Trigger"),
        URL,
        ("Configuration.Method", "GET"),
        ("Configuration.Triggers", "help"),
        ("Configuration.Triggers", "stop"),
    ];
    let trigger = server
        .post("/v1/Conversations/talk/Webhooks", &form)
        .await
        .with(201);
    assert_eq!(trigger["target"], "trigger");
    assert_eq!(
        trigger["configuration"],
        json!({ "url": "https://example.com/hook", "method": "get", "triggers": ["help", "stop"] })
    );
    let flow = "FW00000000000000000000000000000001";
    let form = [
        ("Target", "studio"),
        ("Configuration.FlowSid", flow),
        ("Configuration.ReplayAfter", "7"),
    ];
    let studio = server.post(&path, &form).await.with(201);
    assert_eq!(
        studio["configuration"],
        json!({ "flow_sid": flow, "replay_after": 7 })
    );

    let listed = server.get(&path).await.with(200);
    assert_eq!(listed["webhooks"], json!([webhook, trigger, studio]));
    assert_eq!(listed["meta"]["page_size"], 5);
    let first = server.get(&format!("{path}?PageSize=2")).await.with(200);
    assert_eq!(first["webhooks"], json!([webhook, trigger]));

    let one = format!("{path}/{}", text(&webhook, "sid"));
    assert!(text(&webhook, "url").ends_with(&one), "{webhook}");
    assert_eq!(server.get(&one).await.with(200), webhook);
    server.clock.advance(chrono::TimeDelta::seconds(2));
    let form = [
        ("Configuration.Filters", "onDeliveryUpdated"),
        // What this kind of target does not have is ignored.
        ("Configuration.Triggers", "help"),
    ];
    let changed = server.post(&one, &form).await.with(200);
    assert_eq!(
        changed["configuration"]["filters"],
        json!(["onDeliveryUpdated"])
    );
    assert_eq!(changed["configuration"]["url"], "https://example.com/hook");
    assert!(changed["configuration"].get("triggers").is_none());
    assert_ne!(changed["date_updated"], webhook["date_updated"]);
    assert_eq!(server.get(&one).await.with(200), changed);

    // A closed conversation's webhooks can be looked at and taken away.
    server.post(&talk, &[("State", "closed")]).await.with(200);
    let method = [("Configuration.Method", "get")];
    assert_eq!(server.post(&one, &method).await.refused(400), 50377);
    assert_eq!(server.post(&path, &WEBHOOK).await.refused(400), 50377);
    server.delete(&one).await.with(204);
    assert_eq!(server.get(&one).await.refused(404), 20404);
    assert_eq!(server.delete(&one).await.refused(404), 20404);
    server.delete(&talk).await.with(204);
    let left: i64 = sqlx::query_scalar("select count(*) from scoped_webhooks")
        .fetch_one(&pool)
        .await
        .expect("a count");
    assert_eq!(left, 0, "a conversation's webhooks go with it");
    server.stop().await;
}

#[sqlx::test]
async fn a_conversation_has_at_most_five_webhooks(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    let path = format!("{talk}/Webhooks");
    // All at once: the conversation's row decides who was among the first five.
    let asked = (0..8).map(|_| server.post(&path, &WEBHOOK));
    let answers = futures_util::future::join_all(asked).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|answer| answer.status.as_u16() == 201);
    assert_eq!(made.len(), 5);
    for answer in refused {
        assert_eq!(answer.refused(400), 50361);
    }
    let first = format!("{path}/{}", text(&made[0].body, "sid"));
    server.delete(&first).await.with(204);
    server.post(&path, &WEBHOOK).await.with(201);
    server.stop().await;
}

/// A path, a form, and the code it is refused with.
type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, i64);

#[sqlx::test]
async fn webhooks_of_a_conversation_are_checked(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    let path = format!("{talk}/Webhooks");
    let kept = server.post(&path, &WEBHOOK).await.with(201);
    let kept = format!("{path}/{}", text(&kept, "sid"));
    let trigger = [("Target", "trigger"), URL, ("Configuration.Triggers", "x")];
    let trigger = server.post(&path, &trigger).await.with(201);
    let trigger = format!("{path}/{}", text(&trigger, "sid"));
    let (long_url, long_word) = (
        format!("https://example.com/{}", "x".repeat(2048)),
        "x".repeat(257),
    );
    let word = |word| ("Configuration.Triggers", word);
    let filter = ("Configuration.Filters", "onMessageAdded");
    let cases: &[Case<'_>] = &[
        (&path, vec![], 50368),
        (&path, vec![("Target", "")], 50368),
        (&path, vec![("Target", "flex")], 50364),
        (&path, vec![("Target", "webhook"), filter], 50369),
        (&path, vec![("Target", "trigger"), word("x")], 50369),
        (&path, vec![("Target", "webhook"), URL], 50370),
        (
            &path,
            vec![("Target", "webhook"), URL, ("Configuration.Filters", "")],
            50370,
        ),
        (&path, vec![("Target", "trigger"), URL], 50371),
        (
            &path,
            vec![("Target", "trigger"), URL, word(" "), word("x")],
            50366,
        ),
        (
            &path,
            vec![("Target", "trigger"), URL, word(&long_word)],
            50366,
        ),
        (
            &path,
            [("Target", "trigger"), URL]
                .into_iter()
                .chain(["a", "b", "c", "d", "e", "f"].map(word))
                .collect(),
            50362,
        ),
        // Only what happened in a conversation is told there.
        (
            &path,
            vec![
                ("Target", "webhook"),
                URL,
                ("Configuration.Filters", "onMessageAdd"),
            ],
            50365,
        ),
        (
            &path,
            vec![
                ("Target", "webhook"),
                URL,
                ("Configuration.Filters", "onUserAdded"),
            ],
            50365,
        ),
        (&path, vec![("Target", "studio")], 50367),
        (
            &path,
            vec![("Target", "studio"), ("Configuration.FlowSid", "x")],
            50367,
        ),
        (
            &path,
            vec![
                ("Target", "webhook"),
                ("Configuration.Url", "example.com"),
                filter,
            ],
            50054,
        ),
        (
            &path,
            vec![
                ("Target", "webhook"),
                ("Configuration.Url", &long_url),
                filter,
            ],
            50372,
        ),
        (
            &path,
            vec![
                ("Target", "webhook"),
                URL,
                filter,
                ("Configuration.Method", "put"),
            ],
            50055,
        ),
        (
            &path,
            vec![
                ("Target", "webhook"),
                URL,
                filter,
                ("Configuration.ReplayAfter", "-1"),
            ],
            20422,
        ),
        (&kept, vec![], 20161),
        (&kept, vec![("Configuration.Filters", "")], 50370),
        (
            &kept,
            vec![("Configuration.Filters", "onMessageSent")],
            50365,
        ),
        (&trigger, vec![("Configuration.Triggers", "")], 50371),
    ];
    for (path, form, code) in cases {
        let answer = server.post(path, form).await;
        assert_eq!(answer.refused(400), *code, "{path} {form:?}");
    }
    // What the URL names comes first.
    let other = server.conversation(&[]).await;
    for absent in [
        kept.replace(&talk, &other),
        format!("{path}/WH00000000000000000000000000000009"),
        format!("{path}/x"),
        "/v1/Conversations/nowhere/Webhooks".to_owned(),
    ] {
        let answer = server.post(&absent, &[("Target", "flex")]).await;
        assert_eq!(answer.refused(404), 20404, "{absent}");
        assert_eq!(server.get(&absent).await.refused(404), 20404, "{absent}");
    }
    server.stop().await;
}
