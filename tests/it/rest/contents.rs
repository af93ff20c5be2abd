//! Content templates: what is kept is what was given.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use tempfile::TempDir;

use super::accounts::subaccount;
use super::media::files;
use crate::support::rest::Answer;
use crate::support::{TestServer, text};

/// Creates a template from a JSON text.
async fn create(server: &TestServer, body: &str) -> Answer {
    server.post_json("/v1/Content", body).await
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

    let (account, token) = subaccount(&server).await;
    let its = (account.as_str(), token.as_str());
    let path = format!("/v1/Content/{}", all[0]);
    for method in [Method::GET, Method::DELETE] {
        let foreign = server.send_as(its, method, &path, &[]).await;
        assert_eq!(foreign.refused(404), 20404);
    }
    let page = server.send_as(its, Method::GET, "/v1/Content", &[]).await;
    assert_eq!(page.with(200)["contents"], json!([]));
    for absent in ["HX00000000000000000000000000000001", "HX1", "greeting"] {
        let path = format!("/v1/Content/{absent}");
        assert_eq!(server.get(&path).await.refused(404), 20404, "{absent}");
    }
    server.stop().await;
}

#[sqlx::test]
async fn a_message_from_a_template_shows_its_text(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let sid = text(&create(&server, GREETING).await.with(201), "sid");
    let messages = format!("{}/Messages", server.conversation(&[]).await);
    for (variables, wanted) in [
        ("", "Hello friend"),
        ("{}", "Hello friend"),
        (r#"{"1":"Bob","2":"unused"}"#, "Hello Bob"),
    ] {
        let form = [
            ("ContentSid", sid.as_str()),
            ("ContentVariables", variables),
            // These two do not count, whatever they hold.
            ("Body", "ignored"),
            ("MediaSid", "ME1"),
            ("Author", "carol"),
        ];
        let message = server.post(&messages, &form).await.with(201);
        assert_eq!(message["body"], wanted);
        assert_eq!(message["content_sid"], sid);
        assert_eq!(message["media"], Value::Null);
        assert_eq!(message["author"], "carol");
        let path = format!("{messages}/{}", text(&message, "sid"));
        assert_eq!(server.get(&path).await.with(200), message);
    }
    server.delete(&format!("/v1/Content/{sid}")).await.with(204);
    let first = server
        .get(&format!("{messages}?PageSize=1"))
        .await
        .with(200);
    assert_eq!(first["messages"][0]["content_sid"], sid);
    server.stop().await;
}

#[sqlx::test]
async fn what_cannot_be_filled_is_refused(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let good = text(&create(&server, GREETING).await.with(201), "sid");
    let unsupported = r#"{"language":"en","types":{"whatsapp/card":{"body":"x"}}}"#;
    let unsupported = text(&create(&server, unsupported).await.with(201), "sid");
    let value = "v".repeat(250);
    let types = json!({ "twilio/text": { "body": "{{1}}".repeat(140) } });
    let vast = json!({ "language": "en", "types": types }).to_string();
    let vast = text(&create(&server, &vast).await.with(201), "sid");
    let messages = format!("{}/Messages", server.conversation(&[]).await);
    let filling = json!({ "1": value }).to_string();
    let absent = "HX00000000000000000000000000000001";
    let long_name = r#"{"seventeen letters":""}"#;
    let long_value = json!({ "1": "v".repeat(257) }).to_string();
    let too_much = " ".repeat(27_802);
    for (form, code) in [
        (
            vec![("ContentSid", "HX1"), ("ContentVariables", "{")],
            50526,
        ),
        (vec![("ContentVariables", "{}")], 50528),
        (
            vec![("ContentSid", absent), ("ContentVariables", long_name)],
            50540,
        ),
        (
            vec![("ContentSid", absent), ("ContentVariables", &long_value)],
            50541,
        ),
        (
            vec![("ContentSid", absent), ("ContentVariables", &too_much)],
            50529,
        ),
        // Variables are looked at before the template is.
        (
            vec![("ContentSid", absent), ("ContentVariables", "{")],
            50527,
        ),
        (
            vec![("ContentSid", absent), ("ContentVariables", "{}")],
            20404,
        ),
        (vec![("ContentSid", unsupported.as_str())], 50542),
        (
            vec![
                ("ContentSid", vast.as_str()),
                ("ContentVariables", &filling),
            ],
            50504,
        ),
    ] {
        let answer = server.post(&messages, &form).await;
        assert_eq!(answer.refused(400), code, "{form:?}");
        // A conversation that is not there counts first.
        let nowhere = server
            .post("/v1/Conversations/nowhere/Messages", &form)
            .await;
        assert_eq!(nowhere.refused(404), 20404, "{form:?}");
    }
    let (account, token) = subaccount(&server).await;
    let its = (account.as_str(), token.as_str());
    let theirs = server
        .send_as(its, Method::POST, "/v1/Conversations", &[])
        .await;
    let theirs = format!(
        "/v1/Conversations/{}/Messages",
        text(&theirs.with(201), "sid")
    );
    let form = [("ContentSid", good.as_str())];
    let foreign = server.send_as(its, Method::POST, &theirs, &form).await;
    assert_eq!(foreign.refused(400), 20404);
    server.stop().await;
}

#[sqlx::test]
async fn a_socket_lists_templates_and_sends_one(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let sid = text(&create(&server, GREETING).await.with(201), "sid");
    let talk = server.conversation(&[]).await;
    let members = format!("{talk}/Participants");
    server
        .post(&members, &[("Identity", "alice")])
        .await
        .with(201);
    let mut alice = server.socket("alice").await;
    let (status, page) = alice
        .ask("GET", "/Client/v2/ContentTemplates", Value::Null)
        .await;
    assert_eq!(status, 200, "{page}");
    assert_eq!(page["meta"]["next_token"], Value::Null);
    let template = &page["templates"][0];
    assert_eq!(template["sid"], sid);
    assert_eq!(template["friendly_name"], "greeting");
    assert_eq!(template["variables"], r#"{ "1":"friend" }"#);
    assert_eq!(
        template["variants"],
        json!({ "twilio/text": { "body": "Hello {{1}}" } })
    );

    let body = server.get(&talk).await.with(200);
    let path = format!(
        "/Client/v2/Services/{}/Conversations/{}/Messages",
        text(&body, "chat_service_sid"),
        text(&body, "sid")
    );
    let new = json!({ "content_sid": sid, "content_variables": r#"{"1":"Bob"}"#, "body": "no" });
    let (status, message) = alice.ask("POST", &path, new).await;
    assert_eq!(status, 201, "{message}");
    assert_eq!(message["body"], "Hello Bob");
    assert_eq!(message["content_sid"], sid);
    let new = json!({ "content_variables": "{}" });
    let (status, refusal) = alice.ask("POST", &path, new).await;
    assert_eq!((status, &refusal["code"]), (400, &json!(50528)));
    server.stop().await;
}

#[sqlx::test]
async fn what_a_template_says_is_kept_for_who_may_send_it_and_goes_with_the_message(pool: PgPool) {
    let folder = TempDir::new().expect("a folder");
    let url = format!("file://{}", folder.path().display());
    let server = TestServer::start_with(&pool, &[("CONVOKE_MEDIA_URL", &url)]).await;
    let template = text(&create(&server, GREETING).await.with(201), "sid");
    let talk = server.conversation(&[]).await;
    server
        .post(&format!("{talk}/Participants"), &[("Identity", "alice")])
        .await
        .with(201);
    let body = server.get(&talk).await.with(200);
    let service = text(&body, "chat_service_sid");
    let path = format!(
        "/Client/v2/Services/{service}/Conversations/{}/Messages",
        text(&body, "sid")
    );
    let new = json!({ "content_sid": template });
    let mut mallory = server.socket("mallory").await;
    let (status, refusal) = mallory.ask("POST", &path, new.clone()).await;
    assert_eq!((status, &refusal["code"]), (403, &json!(50430)));
    assert!(files(folder.path()).is_empty());

    let mut alice = server.socket("alice").await;
    let (status, message) = alice.ask("POST", &path, new.clone()).await;
    assert_eq!(status, 201, "{message}");
    let pieces = message["media"].as_array().expect("pieces");
    assert_eq!((pieces.len(), &pieces[0]["category"]), (1, &json!("body")));
    let piece = text(&pieces[0], "sid");
    assert_eq!(files(folder.path()), std::slice::from_ref(&piece));
    let record = server
        .get(&format!("/v1/Services/{service}/Media/{piece}"))
        .await
        .with(200);
    assert_eq!(record["author"], "alice");
    assert_eq!(
        record["content_type"],
        "application/x-vnd.com.twilio.rich.twilio.text"
    );
    assert_eq!(record["size"], r#"{"data":{"body":"Hello friend"}}"#.len());
    // It stays as long as its message.
    server.advance(TimeDelta::minutes(10)).await;
    assert_eq!(files(folder.path()).len(), 1);
    let gone = format!("{talk}/Messages/{}", text(&message, "sid"));
    server.delete(&gone).await.with(204);
    server.drain().await;
    assert!(files(folder.path()).is_empty());

    // What was refused after all goes as an upload that no message took.
    server.post(&talk, &[("State", "closed")]).await.with(200);
    let (status, refusal) = alice.ask("POST", &path, new).await;
    assert_eq!((status, &refusal["code"]), (400, &json!(50377)));
    server.advance(TimeDelta::minutes(5)).await;
    assert!(files(folder.path()).is_empty());
    server.stop().await;
}
