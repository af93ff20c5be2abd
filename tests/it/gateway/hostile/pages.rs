//! Pages: large ones, and tokens of one's own making.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{join, list};
use crate::support::TestServer;

#[sqlx::test]
async fn a_page_larger_than_what_may_wait_is_answered(pool: PgPool) {
    let settings = [("CONVOKE_GATEWAY_MAX_QUEUE_BYTES", "100000")];
    let server = TestServer::start_with(&pool, &settings).await;
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "alice").await;
    let body = "x".repeat(32_000);
    for _ in 0..10 {
        server
            .post(&format!("{talk}/Messages"), &[("Body", &body)])
            .await
            .with(201);
    }
    let mut client = server.socket("alice").await;
    let items = format!("{}/Items", list(&talk));
    let (status, page) = client.get(&items, json!({ "PageSize": "50" })).await;
    assert_eq!(status, 200, "{page}");
    assert_eq!(page["items"].as_array().map(Vec::len), Some(10));
}

#[sqlx::test]
async fn page_tokens_of_ones_own_making_ask_for_no_more_than_a_page(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "alice").await;
    for _ in 0..102 {
        server
            .post(&format!("{talk}/Messages"), &[("Body", "x")])
            .await
            .with(201);
    }
    let mut client = server.socket("alice").await;
    let items = format!("{}/Items", list(&talk));
    let (_, page) = client.get(&items, json!({ "PageSize": "1" })).await;
    let token = page["meta"]["next_token"].as_str().expect("a next page");
    let forged = |change: &dyn Fn(&mut Value)| {
        let key = URL_SAFE_NO_PAD.decode(&token[2..]).expect("base64");
        let mut key: Value = serde_json::from_slice(&key).expect("JSON");
        change(&mut key);
        format!("PA{}", URL_SAFE_NO_PAD.encode(key.to_string()))
    };
    for (what, token, items_there) in [
        ("its own", token.to_owned(), 1),
        (
            "a large page",
            forged(&|key| key[1]["size"] = json!(65_535)),
            100,
        ),
        ("no page", forged(&|key| key[1]["size"] = json!(0)), 1),
        (
            "a place that is none",
            forged(&|key| key[1]["at"] = json!("x")),
            0,
        ),
        (
            "the last place",
            forged(&|key| key[1]["at"] = json!(i64::MAX.to_string())),
            0,
        ),
        (
            "before the first",
            forged(&|key| key[1]["at"] = json!(i64::MIN.to_string())),
            1,
        ),
    ] {
        let (status, page) = client.get(&items, json!({ "PageToken": token })).await;
        assert_eq!(status, 200, "{what}: {page}");
        assert_eq!(
            page["items"].as_array().map(Vec::len),
            Some(items_there),
            "{what}"
        );
    }
    for (what, token) in [
        (
            "a larger one",
            forged(&|key| key[1]["size"] = json!(65_536)),
        ),
        ("another list's", forged(&|key| key[0] = json!(7))),
        ("nonsense", "PAxyz".to_owned()),
        ("nothing", String::new()),
        ("a split letter", "P%C3%A9".to_owned()),
    ] {
        let (status, body) = client.get(&items, json!({ "PageToken": token })).await;
        assert_eq!(
            (status, &body["code"]),
            (400, &json!(20422)),
            "{what}: {body}"
        );
    }
}
