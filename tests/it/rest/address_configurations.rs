//! Address configurations, and whose an address is.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestServer, text};

const PATH: &str = "/v1/Configuration/Addresses";
const OURS: &str = "+15550100000";

#[sqlx::test]
async fn an_address_is_configured_once(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let form = [("Type", "sms"), ("Address", OURS)];
    let plain = server.post(PATH, &form).await.with(201);
    assert_eq!(
        plain["auto_creation"],
        json!({ "enabled": false, "type": "default" })
    );
    assert_eq!(plain["friendly_name"], Value::Null);
    assert_eq!(plain["address_country"], Value::Null);
    assert_eq!(server.post(PATH, &form).await.refused(409), 20409);

    let by_sid = format!("{PATH}/{}", text(&plain, "sid"));
    assert!(text(&plain, "url").ends_with(&by_sid), "{plain}");
    let by_address = format!("{PATH}/{OURS}");
    assert_eq!(server.get(&by_sid).await.with(200), plain);
    assert_eq!(server.get(&by_address).await.with(200), plain);
    let escaped = by_address.replace('+', "%2B");
    assert_eq!(server.get(&escaped).await.with(200), plain);

    let service = server.get("/v1/Configuration").await.with(200);
    let service = text(&service, "default_chat_service_sid");
    let form = [
        ("FriendlyName", "front desk"),
        ("AutoCreation.Enabled", "true"),
        ("AutoCreation.Type", "Webhook"),
        ("AutoCreation.ConversationServiceSid", service.as_str()),
        ("AutoCreation.WebhookUrl", "https://example.com/hook"),
        ("AutoCreation.WebhookFilters", "onMessageAdded"),
        ("AutoCreation.WebhookFilters", "onConversationAdded"),
    ];
    let changed = server.post(&by_address, &form).await.with(200);
    assert_eq!(changed["friendly_name"], "front desk");
    assert_eq!(
        changed["auto_creation"],
        json!({
            "enabled": true,
            "type": "webhook",
            "conversation_service_sid": service,
            "webhook_url": "https://example.com/hook",
            "webhook_method": "POST",
            "webhook_filters": ["onMessageAdded", "onConversationAdded"],
        })
    );
    let flow = "FW00000000000000000000000000000001";
    let form = [
        ("FriendlyName", ""),
        ("AutoCreation.Type", "studio"),
        ("AutoCreation.StudioFlowSid", flow),
        ("AutoCreation.StudioRetryCount", "3"),
    ];
    let changed = server.post(&by_sid, &form).await.with(200);
    assert_eq!(changed["friendly_name"], Value::Null);
    assert_eq!(
        changed["auto_creation"],
        json!({
            "enabled": true,
            "type": "studio",
            "conversation_service_sid": service,
            "studio_flow_sid": flow,
            "studio_retry_count": 3,
        })
    );
    // What was said before is still there when the type comes back.
    let changed = server
        .post(&by_sid, &[("AutoCreation.Type", "webhook")])
        .await
        .with(200);
    assert_eq!(
        changed["auto_creation"]["webhook_url"],
        "https://example.com/hook"
    );
    server.delete(&by_address).await.with(204);
    assert_eq!(server.get(&by_sid).await.refused(404), 20404);
    assert_eq!(server.delete(&by_address).await.refused(404), 20404);
    assert_eq!(server.post(&by_sid, &[]).await.refused(404), 20404);
    server.stop().await;
}

#[sqlx::test]
async fn address_configurations_are_listed_by_type(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    for (kind, address) in [
        ("sms", OURS),
        ("whAtsAPP", "whatsapp:+15550100000"),
        ("sms", "12345"),
        ("chat", "front-desk"),
    ] {
        server.clock.advance(chrono::TimeDelta::seconds(1));
        let form = [
            ("Type", kind),
            ("Address", address),
            ("AddressCountry", "ca"),
        ];
        let made = server.post(PATH, &form).await.with(201);
        assert_eq!(made["type"], json!(kind.to_lowercase()));
        assert_eq!(made["address_country"], "CA");
    }
    let addresses = |body: &Value| -> Vec<String> {
        let rows = body["address_configurations"].as_array().expect("a list");
        rows.iter().map(|row| text(row, "address")).collect()
    };
    let all = server.get(PATH).await.with(200);
    assert_eq!(
        addresses(&all),
        ["front-desk", "12345", "whatsapp:+15550100000", OURS]
    );
    let sms = server
        .get(&format!("{PATH}?Type=SMS&PageSize=1"))
        .await
        .with(200);
    assert_eq!(addresses(&sms), ["12345"]);
    let next = text(&sms["meta"], "next_page_url");
    let next = &next[next.find("/v1/").expect("a path")..];
    assert_eq!(addresses(&server.get(next).await.with(200)), [OURS]);
    let unknown = server.get(&format!("{PATH}?Type=fax")).await;
    assert_eq!(unknown.refused(400), 20422);
    server.stop().await;
}

/// A form, what is added to it, and the code that the whole is refused with.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str, i64);

#[sqlx::test]
async fn addresses_that_cannot_be_configured_are_refused(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let good = [("Type", "sms"), ("Address", "+15550100001")];
    let kept = [("Type", "sms"), ("Address", OURS)];
    server.post(PATH, &kept).await.with(201);
    let kept = format!("{PATH}/{OURS}");
    let long = "x".repeat(257);
    let cases: &[Case<'_>] = &[
        (&good[1..], "Type", "fax", 20422),
        (&good[1..], "Unknown", "x", 20422),
        (&good[..1], "Address", "", 20422),
        (&good[..1], "Address", "whatsapp:+15550100001", 20422),
        (&good, "FriendlyName", &long, 50003),
        (&good, "AddressCountry", "Canada", 20422),
        (&good, "AutoCreation.Enabled", "perhaps", 20422),
        (&good, "AutoCreation.Type", "magic", 20422),
        (
            &good,
            "AutoCreation.ConversationServiceSid",
            "IS00000000000000000000000000000009",
            50050,
        ),
        (&good, "AutoCreation.ConversationServiceSid", "x", 50050),
        (&good, "AutoCreation.WebhookUrl", "example.com", 50054),
        (&good, "AutoCreation.WebhookMethod", "put", 50055),
        (&good, "AutoCreation.WebhookFilters", "onMessageAdd", 50365),
        (&good, "AutoCreation.StudioFlowSid", "x", 50367),
        (&good, "AutoCreation.StudioRetryCount", "-1", 20422),
    ];
    for (base, name, value, code) in cases {
        let mut form = base.to_vec();
        form.push((name, value));
        let answer = server.post(PATH, &form).await;
        assert_eq!(answer.refused(400), *code, "{form:?}");
    }
    for (name, value, code) in [
        ("Unknown", "x", 20161),
        ("FriendlyName", long.as_str(), 50003),
        ("AutoCreation.WebhookFilters", "x", 50365),
        (
            "AutoCreation.ConversationServiceSid",
            "IS00000000000000000000000000000009",
            50050,
        ),
    ] {
        let answer = server.post(&kept, &[(name, value)]).await;
        assert_eq!(answer.refused(400), code, "{name}={value}");
    }
    server.stop().await;
}

#[sqlx::test]
async fn without_the_simulator_an_address_must_be_the_accounts(pool: PgPool) {
    let server = TestServer::start_with(&pool, &[("CONVOKE_SIMULATOR", "off")]).await;
    let talk = server.conversation(&[]).await;
    let people = format!("{talk}/Participants");
    let configured = |address| [("Type", "sms"), ("Address", address)];
    let phone = |address, proxy| {
        [
            ("MessagingBinding.Address", address),
            ("MessagingBinding.ProxyAddress", proxy),
        ]
    };
    let projected = [
        ("Identity", "alice"),
        ("MessagingBinding.ProjectedAddress", OURS),
    ];
    let refused = server.post(PATH, &configured(OURS)).await;
    assert_eq!(refused.refused(400), 50413);
    let refused = server.post(&people, &phone("+15558670001", OURS)).await;
    assert_eq!(refused.refused(400), 50413);
    let refused = server.post(&people, &projected).await;
    assert_eq!(refused.refused(400), 50439);
    // No channel has such an address, so nobody can own it.
    let form = [("Type", "chat"), ("Address", "front-desk")];
    server.post(PATH, &form).await.with(201);

    let numbers = format!(
        "/2010-04-01/Accounts/{}/IncomingPhoneNumbers.json",
        crate::support::server::ACCOUNT_SID
    );
    server
        .post(&numbers, &[("PhoneNumber", OURS)])
        .await
        .with(201);
    server.post(PATH, &configured(OURS)).await.with(201);
    server
        .post(&people, &phone("+15558670001", OURS))
        .await
        .with(201);
    server.post(&people, &projected).await.with(201);
    let refused = server
        .post(&people, &phone("+15558670002", "+15550100009"))
        .await;
    assert_eq!(refused.refused(400), 50413);
    server.stop().await;
}
