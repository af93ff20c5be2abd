//! Messaging Services and their senders.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::accounts::subaccount;
use crate::support::{TestServer, text};

/// The list and creation of Messaging Services share their path with those of Conversations, so they need the prefix.
const SERVICES: &str = "/messaging/v1/Services";

/// Creates a Messaging Service; answers its path.
async fn service(server: &TestServer) -> String {
    let form = [("FriendlyName", "support")];
    let body = server.post(SERVICES, &form).await.with(201);
    format!("/v1/Services/{}", text(&body, "sid"))
}

/// Declares a number of the account; answers its SID.
async fn number(server: &TestServer, number: &str) -> String {
    let account = crate::support::server::ACCOUNT_SID;
    let path = format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json");
    let form = [("PhoneNumber", number)];
    text(&server.post(&path, &form).await.with(201), "sid")
}

#[sqlx::test]
async fn a_messaging_service_keeps_its_settings(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let form = [("FriendlyName", "support")];
    let made = server.post(SERVICES, &form).await.with(201);
    for (name, wanted) in [
        ("friendly_name", json!("support")),
        ("inbound_request_url", Value::Null),
        ("inbound_method", json!("POST")),
        ("fallback_url", Value::Null),
        ("fallback_method", json!("POST")),
        ("status_callback", Value::Null),
        ("sticky_sender", json!(true)),
        ("mms_converter", json!(true)),
        ("smart_encoding", json!(true)),
        ("scan_message_content", json!("inherit")),
        ("fallback_to_long_code", json!(true)),
        ("area_code_geomatch", json!(true)),
        ("synchronous_validation", json!(false)),
        ("validity_period", json!(36_000)),
        ("usecase", json!("undeclared")),
        ("us_app_to_person_registered", json!(false)),
        ("use_inbound_webhook_on_number", json!(false)),
    ] {
        assert_eq!(made[name], wanted, "{name}");
    }
    let sid = text(&made, "sid");
    let path = format!("/v1/Services/{sid}");
    let prefixed = format!("/messaging{path}");
    assert_eq!(made["url"], server.url(&prefixed));
    assert_eq!(
        made["links"]["channel_senders"],
        server.url(&format!("{prefixed}/ChannelSenders"))
    );

    let changes = [
        ("FriendlyName", "sales"),
        ("InboundRequestUrl", "https://example.com/in"),
        ("InboundMethod", "get"),
        ("StatusCallback", "https://example.com/status"),
        ("StickySender", "false"),
        ("ScanMessageContent", "Disable"),
        ("ValidityPeriod", "600"),
        ("Usecase", "MARKETING"),
        ("UseInboundWebhookOnNumber", "TRUE"),
    ];
    let changed = server.post(&path, &changes).await.with(200);
    for (name, wanted) in [
        ("friendly_name", json!("sales")),
        ("inbound_request_url", json!("https://example.com/in")),
        ("inbound_method", json!("GET")),
        ("fallback_method", json!("POST")),
        ("status_callback", json!("https://example.com/status")),
        ("sticky_sender", json!(false)),
        ("smart_encoding", json!(true)),
        ("scan_message_content", json!("disable")),
        ("validity_period", json!(600)),
        ("usecase", json!("marketing")),
        ("use_inbound_webhook_on_number", json!(true)),
        ("url", json!(server.url(&path))),
    ] {
        assert_eq!(changed[name], wanted, "{name}");
    }
    assert_eq!(server.get(&path).await.with(200), changed);
    let cleared = [("InboundRequestUrl", "")];
    let cleared = server.post(&path, &cleared).await.with(200);
    assert_eq!(cleared["inbound_request_url"], Value::Null);

    server.delete(&path).await.with(204);
    assert_eq!(server.get(&path).await.refused(404), 20404);
    assert_eq!(server.post(&path, &changes).await.refused(404), 20404);
    assert_eq!(server.delete(&path).await.refused(404), 20404);
    server.stop().await;
}

#[sqlx::test]
async fn settings_that_are_none_are_refused(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let path = service(&server).await;
    let long = "x".repeat(65);
    for (name, value) in [
        ("FriendlyName", ""),
        ("FriendlyName", long.as_str()),
        ("InboundRequestUrl", "example.com"),
        ("FallbackUrl", "ftp://example.com"),
        ("StatusCallback", "http://"),
        ("InboundMethod", "PUT"),
        ("StickySender", "maybe"),
        ("ScanMessageContent", "sometimes"),
        ("ValidityPeriod", "0"),
        ("ValidityPeriod", "36001"),
        ("ValidityPeriod", "soon"),
        ("Usecase", "spam"),
    ] {
        let answer = server.post(&path, &[(name, value)]).await.with(400);
        assert_eq!(answer["code"], 20422, "{name}: {answer}");
        assert!(text(&answer, "message").contains(name), "{answer}");
        if name != "FriendlyName" {
            let form = [("FriendlyName", "x"), (name, value)];
            assert_eq!(server.post(SERVICES, &form).await.refused(400), 20422);
        }
    }
    assert_eq!(server.post(SERVICES, &[]).await.refused(400), 20422);
    assert_eq!(server.post(&path, &[]).await.refused(400), 20161);
    server.stop().await;
}

#[sqlx::test]
async fn a_sender_belongs_to_one_messaging_service(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (first, second) = (service(&server).await, service(&server).await);
    let number = number(&server, "+15558675310").await;
    let absent = |prefix: &str| format!("{prefix}00000000000000000000000000000001");
    let (short_code, channel) = (absent("SC"), absent("XE"));
    for (segment, form, key, field, address) in [
        (
            "PhoneNumbers",
            vec![("PhoneNumberSid", number.as_str())],
            "phone_numbers",
            "phone_number",
            "+15558675310",
        ),
        (
            "ShortCodes",
            vec![("ShortCode", "12345")],
            "short_codes",
            "short_code",
            "12345",
        ),
        (
            "ShortCodes",
            vec![("ShortCodeSid", &short_code), ("ShortCode", "54321")],
            "short_codes",
            "short_code",
            "54321",
        ),
        (
            "AlphaSenders",
            vec![("AlphaSender", "Acme & Co")],
            "alpha_senders",
            "alpha_sender",
            "Acme & Co",
        ),
        (
            "ChannelSenders",
            vec![("Sender", "whatsapp:+15558675310")],
            "senders",
            "sender",
            "whatsapp:+15558675310",
        ),
        (
            "ChannelSenders",
            vec![("Sid", &channel), ("Sender", "messenger:1047945")],
            "senders",
            "sender",
            "messenger:1047945",
        ),
    ] {
        let list = format!("{first}/{segment}");
        let added = server.post(&list, &form).await.with(201);
        assert_eq!(added[field], address);
        let sid = text(&added, "sid");
        let at = format!("{list}/{sid}");
        assert_eq!(added["url"], server.url(&at));
        assert_eq!(server.get(&at).await.with(200), added);
        let page = server.get(&list).await.with(200);
        assert_eq!(page[key][0], added, "{segment}");

        // Once more changes nothing, and another Messaging Service does not get it. The published answer is 201 for all,
        // and for numbers also 200.
        let again = match segment {
            "PhoneNumbers" | "ShortCodes" => 200,
            _ => 201,
        };
        assert_eq!(server.post(&list, &form).await.with(again), added);
        let other = format!("{second}/{segment}");
        assert_eq!(server.post(&other, &form).await.refused(409), 20409);
        assert_eq!(
            server.get(&format!("{other}/{sid}")).await.refused(404),
            20404
        );
        assert_eq!(
            server.delete(&format!("{other}/{sid}")).await.refused(404),
            20404
        );

        // Taken out, its SID is good for another.
        server.delete(&at).await.with(204);
        assert_eq!(server.get(&at).await.refused(404), 20404);
        assert_eq!(server.delete(&at).await.refused(404), 20404);
        let by_sid = match segment {
            "PhoneNumbers" => ("PhoneNumberSid", sid.as_str()),
            "ShortCodes" => ("ShortCodeSid", sid.as_str()),
            "AlphaSenders" => ("AlphaSender", address),
            _ => ("Sid", sid.as_str()),
        };
        let moved = server.post(&other, &[by_sid]).await.with(201);
        assert_eq!((text(&moved, "sid"), &moved[field]), (sid, &json!(address)));
    }
    let types: Vec<Value> = server
        .get(&format!("{second}/ChannelSenders"))
        .await
        .with(200)["senders"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|sender| sender["sender_type"].clone())
        .collect();
    assert_eq!(types, [json!("WhatsApp"), json!("Messenger")]);

    // A Messaging Service that goes sets its senders free.
    server.delete(&second).await.with(204);
    let form = [("ShortCodeSid", short_code.as_str())];
    server
        .post(&format!("{first}/ShortCodes"), &form)
        .await
        .with(201);
    // A SID stands for one address.
    let form = [("ShortCodeSid", short_code.as_str()), ("ShortCode", "777")];
    let answer = server.post(&format!("{first}/ShortCodes"), &form).await;
    assert_eq!(answer.refused(409), 20409);
    server.stop().await;
}

#[sqlx::test]
async fn what_is_no_sender_is_refused(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let path = service(&server).await;
    let number = number(&server, "+15558675310").await;
    let absent = |prefix: &str| format!("{prefix}00000000000000000000000000000001");
    for (segment, name, value) in [
        ("PhoneNumbers", "PhoneNumberSid", ""),
        ("PhoneNumbers", "PhoneNumberSid", "PN1"),
        ("PhoneNumbers", "PhoneNumberSid", &absent("PN")),
        ("PhoneNumbers", "PhoneNumberSid", "+15558675310"),
        ("ShortCodes", "ShortCodeSid", ""),
        ("ShortCodes", "ShortCodeSid", &number),
        ("ShortCodes", "ShortCodeSid", &absent("SC")),
        ("ShortCodes", "ShortCode", "12"),
        ("ShortCodes", "ShortCode", "+15558675310"),
        ("AlphaSenders", "AlphaSender", ""),
        ("AlphaSenders", "AlphaSender", "12345"),
        ("AlphaSenders", "AlphaSender", "twelve chars"),
        ("AlphaSenders", "AlphaSender", "a:b"),
        ("ChannelSenders", "Sid", &absent("XE")),
        ("ChannelSenders", "Sid", "XE1"),
        ("ChannelSenders", "Sender", "+15558675310"),
        ("ChannelSenders", "Sender", "whatsapp:bob"),
    ] {
        let list = format!("{path}/{segment}");
        let answer = server.post(&list, &[(name, value)]).await.with(400);
        assert_eq!(answer["code"], 20422, "{segment} {value}: {answer}");
        let found = server.get(&format!("{list}/{value}?")).await;
        if !value.is_empty() {
            assert_eq!(found.refused(404), 20404, "{segment} {value}");
        }
        let nowhere = format!("/v1/Services/{}/{segment}", absent("MG"));
        assert_eq!(
            server.post(&nowhere, &[(name, value)]).await.refused(404),
            20404
        );
        assert_eq!(server.get(&nowhere).await.refused(404), 20404);
    }
    server.stop().await;
}

#[sqlx::test]
async fn lists_are_walked_and_another_account_s_are_absent(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let path = service(&server).await;
    let codes = format!("{path}/ShortCodes");
    let mut all = Vec::new();
    for code in 100..105 {
        let form = [("ShortCode", &*code.to_string())];
        all.insert(0, text(&server.post(&codes, &form).await.with(201), "sid"));
    }
    let mut seen = Vec::new();
    let mut next = Some(server.url(&format!("{codes}?PageSize=2")));
    while let Some(url) = next {
        let page = server.get(&url[server.url("").len()..]).await.with(200);
        let rows = page["short_codes"].as_array().expect("a list");
        seen.extend(rows.iter().map(|row| text(row, "sid")));
        next = page["meta"]["next_page_url"].as_str().map(str::to_owned);
    }
    assert_eq!(seen, all);
    // The account's default one is there too.
    let page = server
        .get(&format!("{SERVICES}?PageSize=1"))
        .await
        .with(200);
    assert_eq!(page["meta"]["key"], "services");
    assert!(path.ends_with(&text(&page["services"][0], "sid")));
    let second = text(&page["meta"], "next_page_url");
    assert!(second.starts_with(&server.url(SERVICES)), "{second}");
    let second = server.get(&second[server.url("").len()..]).await.with(200);
    let default = text(&second["services"][0], "sid");
    let answer = server.delete(&format!("/v1/Services/{default}")).await;
    assert_eq!(answer.refused(409), 20409);

    let (account, token) = subaccount(&server).await;
    let its = (account.as_str(), token.as_str());
    let one = format!("{codes}/{}", all[0]);
    for (method, path) in [
        (Method::GET, &path),
        (Method::POST, &path),
        (Method::DELETE, &path),
        (Method::GET, &codes),
        (Method::POST, &codes),
        (Method::GET, &one),
        (Method::DELETE, &one),
    ] {
        let form = [("ShortCode", "777"), ("FriendlyName", "mine now")];
        let foreign = server.send_as(its, method.clone(), path, &form).await;
        assert_eq!(foreign.refused(404), 20404, "{method} {path}");
    }
    // The same address may be another account's too: who owns it in the world is for providers to say.
    let form = [("FriendlyName", "mine")];
    let mine = server
        .send_as(its, Method::POST, SERVICES, &form)
        .await
        .with(201);
    let codes = format!("/v1/Services/{}/ShortCodes", text(&mine, "sid"));
    let form = [("ShortCode", "100")];
    server
        .send_as(its, Method::POST, &codes, &form)
        .await
        .with(201);
    server.stop().await;
}

#[sqlx::test]
async fn conversations_outlive_their_messaging_service(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let path = service(&server).await;
    let sid = path.rsplit('/').next().expect("a SID").to_owned();
    let talk = server.conversation(&[("MessagingServiceSid", &sid)]).await;
    server.delete(&path).await.with(204);
    let left = server.get(&talk).await.with(200);
    assert_eq!(left["messaging_service_sid"], sid);
    server
        .add_phone(&talk, "+15558675310", "+15550100000")
        .await;
    let messages = format!("{talk}/Messages");
    server
        .post(&messages, &[("Body", "still here")])
        .await
        .with(201);
    server.drain().await;
    // But nobody new may name it.
    let form = [("MessagingServiceSid", sid.as_str())];
    let answer = server.post("/v1/Conversations", &form).await;
    assert_eq!(answer.refused(400), 50342);
    server.stop().await;
}
