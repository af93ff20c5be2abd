//! Content templates: what is kept is what was given.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{answer, other_account};
use crate::support::rest::Answer;
use crate::support::{TestServer, text};

/// Creates a template from a JSON text.
async fn create(server: &TestServer, body: &str) -> Answer {
    let request = server
        .request(Method::POST, "/v1/Content")
        .header("content-type", "application/json; charset=utf-8")
        .body(body.to_owned());
    answer(request).await
}

const GREETING: &str = r#"{"friendly_name":"greeting","language":"en","variables":{ "1":"friend" },
    "types":{ "twilio/text": {"body":"Hello {{1}}"}, "whatsapp/card": {"body":"Hi","new":[1, 2]} }}"#;

#[sqlx::test]
async fn a_template_is_answered_as_it_was_given(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let made = create(&server, GREETING).await.with(201);
    let sid = text(&made, "sid");
    assert!(sid.starts_with("HX"), "{made}");
    assert_eq!(made["friendly_name"], "greeting");
    assert_eq!(made["language"], "en");
    assert_eq!(made["variables"], json!({ "1": "friend" }));
    assert_eq!(made["types"]["whatsapp/card"]["new"], json!([1, 2]));
    let url = server.url(&format!("/v1/Content/{sid}"));
    assert_eq!(made["url"], url);
    assert_eq!(
        made["links"],
        json!({
            "approval_create": format!("{url}/ApprovalRequests/whatsapp"),
            "approval_fetch": format!("{url}/ApprovalRequests"),
        })
    );
    let path = format!("/v1/Content/{sid}");
    assert_eq!(server.get(&path).await.with(200), made);
    let raw = server
        .request(Method::GET, &path)
        .send()
        .await
        .expect("an answer");
    let raw = raw.text().await.expect("a body");
    assert!(raw.contains(r#"{"body":"Hi","new":[1, 2]}"#), "{raw}");

    // The product may be named in the path, and is then named in what is printed.
    let prefixed = server.get(&format!("/content{path}")).await.with(200);
    assert_eq!(prefixed["url"], server.url(&format!("/content{path}")));

    server.delete(&path).await.with(204);
    assert_eq!(server.get(&path).await.refused(404), 20404);
    assert_eq!(server.delete(&path).await.refused(404), 20404);
    server.stop().await;
}

#[sqlx::test]
async fn what_is_no_template_is_refused(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let with = |more: &str| format!(r#"{{"language":"en",{more}}}"#);
    let body = r#""types":{"twilio/text":{"body":"x"}}"#;
    let long = "x".repeat(33 * 1024);
    for (refused, word) in [
        (String::new(), "JSON"),
        ("[]".to_owned(), "JSON"),
        ("{".to_owned(), "JSON"),
        (format!("{{{body}}}"), "language"),
        (format!(r#"{{"language":"","types":{{}},{body}}}"#), "JSON"),
        (format!(r#"{{"language":"no such",{body}}}"#), "language"),
        (r#"{"language":"en"}"#.to_owned(), "types"),
        (with(r#""types":{}"#), "types"),
        (with(r#""types":[]"#), "types"),
        (with(r#""types":{"twilio/text":null}"#), "types"),
        (with(r#""types":{"twilio/poem":{"body":"x"}}"#), "types"),
        (with(r#""types":{"twilio/text":{"text":"x"}}"#), "body"),
        (with(r#""types":{"twilio/text":{"body":"\u0000"}}"#), "body"),
        (
            with(&format!(r#""types":{{"twilio/text":{{"body":"{long}"}}}}"#)),
            "types",
        ),
        (
            with(&format!(r#""variables":{{"1":2}},{body}"#)),
            "variables",
        ),
        (
            with(&format!(r#""variables":{{"a b":"x"}},{body}"#)),
            "variables",
        ),
        (
            with(&format!(r#""friendly_name":"\u0000",{body}"#)),
            "friendly_name",
        ),
        (
            with(&format!(r#""friendly_name":"{}",{body}"#, &long[..257])),
            "friendly_name",
        ),
    ] {
        let answer = create(&server, &refused).await.with(400);
        assert_eq!(answer["code"], 20422, "{refused}: {answer}");
        assert!(
            text(&answer, "message").contains(word),
            "{refused}: {answer}"
        );
    }
    let form = server.post("/v1/Content", &[("language", "en")]).await;
    assert_eq!(form.refused(400), 20422);
    assert_eq!(
        create(&server, &" ".repeat(1024 * 1024 + 1))
            .await
            .refused(413),
        20413
    );
    server.stop().await;
}

#[sqlx::test]
async fn templates_are_listed_newest_first_and_another_account_s_are_absent(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut all = Vec::new();
    for _ in 0..5 {
        all.insert(0, text(&create(&server, GREETING).await.with(201), "sid"));
    }
    let mut seen = Vec::new();
    let mut next = Some(server.url("/v1/Content?PageSize=2"));
    while let Some(url) = next {
        let page = server.get(&url[server.url("").len()..]).await.with(200);
        assert_eq!(page["meta"]["key"], "contents");
        let rows = page["contents"].as_array().expect("a list");
        seen.extend(rows.iter().map(|row| text(row, "sid")));
        next = page["meta"]["next_page_url"].as_str().map(str::to_owned);
    }
    assert_eq!(seen, all);

    let (account, token) = other_account(&pool).await;
    let path = format!("/v1/Content/{}", all[0]);
    for method in [Method::GET, Method::DELETE] {
        let request = server.http.request(method, server.url(&path));
        let refused = answer(request.basic_auth(&account, Some(&token))).await;
        assert_eq!(refused.refused(404), 20404);
    }
    let request = server.http.get(server.url("/v1/Content"));
    let page = answer(request.basic_auth(&account, Some(&token))).await;
    assert_eq!(page.with(200)["contents"], Value::Array(Vec::new()));
    for absent in ["HX00000000000000000000000000000001", "HX1", "greeting"] {
        let path = format!("/v1/Content/{absent}");
        assert_eq!(server.get(&path).await.refused(404), 20404, "{absent}");
    }
    server.stop().await;
}
