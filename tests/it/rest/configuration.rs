//! Configuration of accounts and services.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestServer, text};

#[sqlx::test]
async fn an_account_changes_its_defaults_for_the_next_request(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let before = server.get("/v1/Configuration").await.with(200);
    assert_eq!(before["default_inactive_timer"], Value::Null);
    let old = text(&before, "default_chat_service_sid");
    assert!(
        text(&before["links"], "service").ends_with(&format!("/v1/Services/{old}/Configuration"))
    );
    let new = server
        .post("/v1/Services", &[("FriendlyName", "tenant")])
        .await
        .with(201);
    let new = text(&new, "sid");

    let form = [
        ("DefaultChatServiceSid", new.as_str()),
        ("DefaultInactiveTimer", "PT1H"),
        ("DefaultClosedTimer", "P1D"),
    ];
    let after = server.post("/v1/Configuration", &form).await.with(200);
    assert_eq!(after["default_chat_service_sid"], json!(new));
    assert_eq!(after["default_inactive_timer"], "PT1H");
    assert_eq!(after["default_closed_timer"], "P1D");
    assert_eq!(server.get("/v1/Configuration").await.with(200), after);

    let talk = server.post("/v1/Conversations", &[]).await.with(201);
    assert_eq!(talk["chat_service_sid"], json!(new));
    assert!(talk["timers"]["date_inactive"].is_string(), "{talk}");
    assert!(talk["timers"]["date_closed"].is_string(), "{talk}");
    let own = [("Timers.Closed", ""), ("Timers.Inactive", "PT2M")];
    let talk = server.post("/v1/Conversations", &own).await.with(201);
    assert!(talk["timers"].get("date_closed").is_none(), "{talk}");

    let cleared = server
        .post("/v1/Configuration", &[("DefaultInactiveTimer", "")])
        .await
        .with(200);
    assert_eq!(cleared["default_inactive_timer"], Value::Null);
    assert_eq!(cleared["default_closed_timer"], "P1D");

    // The default is kept, whichever it is; the former one may go.
    let now_default = format!("/v1/Services/{new}");
    assert_eq!(server.delete(&now_default).await.refused(409), 20409);
    server
        .delete(&format!("/v1/Services/{old}"))
        .await
        .with(204);
    server.stop().await;
}

#[sqlx::test]
async fn a_socket_creates_by_the_defaults_of_now(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut alice = server.socket("alice").await;
    server
        .post("/v1/Configuration", &[("DefaultClosedTimer", "P1D")])
        .await
        .with(200);
    let configuration = server.get("/v1/Configuration").await.with(200);
    let service = text(&configuration, "default_chat_service_sid");
    let path = format!("/Client/v2/Services/{service}/Conversations");
    let (status, talk) = alice.ask("POST", &path, json!({})).await;
    assert_eq!(status, 201, "{talk}");
    let path = format!("/v1/Conversations/{}", text(&talk, "sid"));
    let talk = server.get(&path).await.with(200);
    assert!(talk["timers"]["date_closed"].is_string(), "{talk}");
    server.stop().await;
}

#[sqlx::test]
async fn a_service_changes_its_defaults(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let service = server
        .post("/v1/Services", &[("FriendlyName", "tenant")])
        .await
        .with(201);
    let base = format!("/v1/Services/{}", text(&service, "sid"));
    let path = format!("{base}/Configuration");
    let before = server.get(&path).await.with(200);
    assert_eq!(before["reachability_enabled"], false);
    let role = |kind, permission| {
        [
            ("FriendlyName", "r"),
            ("Type", kind),
            ("Permission", permission),
        ]
    };
    let roles = format!("{base}/Roles");
    let guest = server
        .post(&roles, &role("service", "joinConversation"))
        .await
        .with(201);
    let guest = text(&guest, "sid");
    let member = server
        .post(&roles, &role("conversation", "sendMessage"))
        .await
        .with(201);
    let member = text(&member, "sid");

    let form = [
        ("DefaultChatServiceRoleSid", guest.as_str()),
        ("DefaultConversationRoleSid", member.as_str()),
        ("ReachabilityEnabled", "True"),
    ];
    let after = server.post(&path, &form).await.with(200);
    assert_eq!(after["default_chat_service_role_sid"], json!(guest));
    assert_eq!(after["default_conversation_role_sid"], json!(member));
    assert_eq!(
        after["default_conversation_creator_role_sid"],
        before["default_conversation_creator_role_sid"]
    );
    assert_eq!(after["reachability_enabled"], true);
    assert_eq!(server.get(&path).await.with(200), after);

    let talk = server
        .post(&format!("{base}/Conversations"), &[])
        .await
        .with(201);
    let people = format!("{base}/Conversations/{}/Participants", text(&talk, "sid"));
    let alice = server
        .post(&people, &[("Identity", "alice")])
        .await
        .with(201);
    assert_eq!(alice["role_sid"], json!(member));
    let user = server.get(&format!("{base}/Users/alice")).await.with(200);
    assert_eq!(user["role_sid"], json!(guest));

    // What is a default, or held, stays; the former default is free to go.
    for kept in [&guest, &member] {
        let path = format!("{roles}/{kept}");
        assert_eq!(server.delete(&path).await.refused(409), 20409);
    }
    let former = text(&before, "default_conversation_role_sid");
    server.delete(&format!("{roles}/{former}")).await.with(204);
    server.stop().await;
}

#[sqlx::test]
async fn notifications_are_off_until_they_are_set(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let service = server
        .post("/v1/Services", &[("FriendlyName", "tenant")])
        .await
        .with(201);
    let path = format!(
        "/v1/Services/{}/Configuration/Notifications",
        text(&service, "sid")
    );
    let off = json!({ "enabled": false, "template": "", "sound": "" });
    let before = server.get(&path).await.with(200);
    assert_eq!(before["log_enabled"], false);
    assert_eq!(before["added_to_conversation"], off);
    assert_eq!(before["removed_from_conversation"], off);
    let form = [
        ("LogEnabled", "true"),
        ("NewMessage.Enabled", "true"),
        ("NewMessage.Template", "${PARTICIPANT}: ${MESSAGE}"),
        ("NewMessage.Sound", "ring"),
        ("NewMessage.BadgeCountEnabled", "true"),
        ("NewMessage.WithMedia.Enabled", "true"),
        ("NewMessage.WithMedia.Template", "${MEDIA}"),
        ("RemovedFromConversation.Enabled", "true"),
    ];
    let after = server.post(&path, &form).await.with(200);
    assert_eq!(
        after["new_message"],
        json!({
            "enabled": true,
            "template": "${PARTICIPANT}: ${MESSAGE}",
            "badge_count_enabled": true,
            "sound": "ring",
            "with_media": { "enabled": true, "template": "${MEDIA}" },
        })
    );
    assert_eq!(after["log_enabled"], true);
    assert_eq!(after["added_to_conversation"], off);
    assert_eq!(after["removed_from_conversation"]["enabled"], true);
    let cleared = server
        .post(&path, &[("NewMessage.Template", "")])
        .await
        .with(200);
    assert_eq!(cleared["new_message"]["template"], "");
    assert_eq!(cleared["new_message"]["sound"], "ring");
    assert_eq!(server.get(&path).await.with(200), cleared);
    server.stop().await;
}

#[sqlx::test]
async fn what_cannot_be_configured_is_refused(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let service = server
        .post("/v1/Services", &[("FriendlyName", "tenant")])
        .await
        .with(201);
    let base = format!("/v1/Services/{}/Configuration", text(&service, "sid"));
    let roles = format!("/v1/Services/{}/Roles?PageSize=50", text(&service, "sid"));
    let roles = server.get(&roles).await.with(200);
    let of = |kind: &str| {
        let roles = roles["roles"].as_array().expect("roles");
        let found = roles.iter().find(|role| role["type"] == kind);
        text(found.expect("a role"), "sid")
    };
    let (for_service, for_talk) = (of("service"), of("conversation"));
    let elsewhere = server.get("/v1/Roles").await.with(200);
    let elsewhere = text(&elsewhere["roles"][0], "sid");
    let absent = "RL00000000000000000000000000000009";
    let (long_template, long_sound) = ("x".repeat(2049), "x".repeat(257));
    let long_url = format!("https://example.com/{}", "x".repeat(2048));
    let account = "/v1/Configuration".to_owned();
    let hooks = "/v1/Configuration/Webhooks".to_owned();
    let service_hooks = format!("{base}/Webhooks");
    let notifications = format!("{base}/Notifications");
    let cases: &[(&String, &str, &str, i64)] = &[
        (
            &account,
            "DefaultChatServiceSid",
            "IS00000000000000000000000000000009",
            50050,
        ),
        (&account, "DefaultChatServiceSid", "x", 50050),
        (
            &account,
            "DefaultMessagingServiceSid",
            "MG00000000000000000000000000000009",
            50342,
        ),
        (&account, "DefaultMessagingServiceSid", "x", 50341),
        (&account, "DefaultInactiveTimer", "PT59S", 50375),
        (&account, "DefaultClosedTimer", "PT9M", 50376),
        (&account, "DefaultInactiveTimer", "soon", 50379),
        (&account, "DefaultClosedTimer", "soon", 50380),
        (&account, "Unknown", "x", 20161),
        (&base, "DefaultConversationRoleSid", absent, 50100),
        (&base, "DefaultConversationRoleSid", "x", 50100),
        (&base, "DefaultConversationRoleSid", &elsewhere, 50100),
        (&base, "DefaultConversationRoleSid", &for_service, 50109),
        (
            &base,
            "DefaultConversationCreatorRoleSid",
            &for_service,
            50109,
        ),
        (&base, "DefaultChatServiceRoleSid", &for_talk, 50102),
        (&base, "ReachabilityEnabled", "perhaps", 20422),
        (&base, "Unknown", "x", 20161),
        (&notifications, "NewMessage.Template", &long_template, 50058),
        (
            &notifications,
            "NewMessage.WithMedia.Template",
            &long_template,
            50058,
        ),
        (
            &notifications,
            "AddedToConversation.Sound",
            &long_sound,
            50059,
        ),
        (&notifications, "LogEnabled", "perhaps", 20422),
        (&notifications, "Unknown", "x", 20161),
        (&hooks, "Method", "PUT", 50055),
        (&hooks, "Filters", "onMessageSent", 50365),
        (&hooks, "PreWebhookUrl", "ftp://example.com", 50054),
        (&hooks, "PostWebhookUrl", "/relative", 50054),
        (&hooks, "PostWebhookUrl", "http://exam ple.com", 50054),
        (&hooks, "PostWebhookUrl", &long_url, 50372),
        (&hooks, "Target", "studio", 50364),
        (&hooks, "Unknown", "x", 20161),
        (&service_hooks, "Method", "PUT", 50055),
        (&service_hooks, "Filters", "onUserRemoved", 50365),
        // There is no such parameter in a service.
        (&service_hooks, "Target", "flex", 20161),
    ];
    for (path, name, value, code) in cases {
        let answer = server.post(path, &[(name, value)]).await;
        assert_eq!(answer.refused(400), *code, "{path} {name}={value}");
    }
    for path in [base.as_str(), &notifications, &service_hooks] {
        let foreign = path.replace(&text(&service, "sid"), "IS00000000000000000000000000000009");
        assert_eq!(server.get(&foreign).await.refused(404), 20404);
        let answer = server.post(&foreign, &[("Method", "PUT")]).await;
        assert_eq!(answer.refused(404), 20404);
    }
    server.stop().await;
}
