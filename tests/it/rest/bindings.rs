//! Bindings: devices that clients registered.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::socket::SocketClient;
use crate::support::{TestServer, text};

/// Registers a device as the SDK does; answers the SID of its binding.
async fn register(of: &mut SocketClient, kind: &str, device: &str) -> String {
    let body = json!({
        "endpoint_platform": "web",
        "channel_type": kind,
        "version": "3",
        "message_types": [
            "twilio.conversations.new_message",
            "twilio.conversations.removed_from_conversation",
            "twilio.ipmsg.typing_indicator",
        ],
        "data": { "registration_id": device },
    });
    let (status, answer) = of.ask("POST", "/v1/registrations", body).await;
    assert_eq!(status, 201, "{answer}");
    text(&answer, "id")
}

async fn path(server: &TestServer) -> String {
    let configuration = server.get("/v1/Configuration").await.with(200);
    let service = text(&configuration, "default_chat_service_sid");
    format!("/v1/Services/{service}/Bindings")
}

async fn sids(server: &TestServer, path: &str) -> Vec<String> {
    let listed = server.get(path).await.with(200);
    let rows = listed["bindings"].as_array().expect("a list");
    rows.iter().map(|row| text(row, "sid")).collect()
}

#[sqlx::test]
async fn a_device_is_bound_until_it_is_let_go(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let path = path(&server).await;
    let mut alice = server.socket("alice").await;
    let sid = register(&mut alice, "fcm", "device-1").await;
    let one = format!("{path}/{sid}");
    let binding = server.get(&one).await.with(200);
    assert_eq!(binding["identity"], "alice");
    assert_eq!(binding["binding_type"], "fcm");
    assert_eq!(binding["endpoint"], "device-1");
    assert_eq!(binding["credential_sid"], Value::Null);
    assert_eq!(
        binding["message_types"],
        json!(["new_message", "removed_from_conversation"])
    );
    assert!(text(&binding, "url").ends_with(&one), "{binding}");
    // The same device again is the same binding.
    assert_eq!(register(&mut alice, "fcm", "device-1").await, sid);

    // Nobody lets another's device go.
    let mut bob = server.socket("bob").await;
    let registration = format!("/v1/registrations/{sid}");
    let device = json!({ "binding_type": "fcm", "address": "device-1" });
    let (status, _) = bob.ask("DELETE", &registration, json!({})).await;
    assert_eq!(status, 204);
    let (status, _) = bob.ask("DELETE", "/v1/registrations", device.clone()).await;
    assert_eq!(status, 204);
    server.get(&one).await.with(200);
    let (status, _) = alice.ask("DELETE", &registration, json!({})).await;
    assert_eq!(status, 204);
    assert_eq!(server.get(&one).await.refused(404), 20404);

    let sid = register(&mut alice, "fcm", "device-1").await;
    let (status, _) = alice.ask("DELETE", "/v1/registrations", device).await;
    assert_eq!(status, 204);
    let one = format!("{path}/{sid}");
    assert_eq!(server.get(&one).await.refused(404), 20404);

    let sid = register(&mut alice, "apn", "device-2").await;
    let one = format!("{path}/{sid}");
    server.delete(&one).await.with(204);
    assert_eq!(server.delete(&one).await.refused(404), 20404);
    register(&mut alice, "apn", "device-3").await;
    server.delete("/v1/Users/alice").await.with(204);
    assert!(
        sids(&server, &path).await.is_empty(),
        "devices go with their user"
    );
    server.stop().await;
}

#[sqlx::test]
async fn bindings_are_listed_by_type_and_identity(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let path = path(&server).await;
    let (mut alice, mut bob) = (server.socket("alice").await, server.socket("bob").await);
    let mut made = Vec::new();
    for (of, kind) in [(0, "fcm"), (1, "apn"), (0, "apn"), (1, "fcm")] {
        server.clock.advance(chrono::TimeDelta::seconds(1));
        let who = if of == 0 { &mut alice } else { &mut bob };
        made.insert(0, register(who, kind, "device").await);
    }
    let [bob_fcm, alice_apn, bob_apn, alice_fcm] = made.as_slice() else {
        panic!("four bindings");
    };
    assert_eq!(sids(&server, &path).await, made);
    let of = async |query: &str| sids(&server, &format!("{path}?{query}")).await;
    assert_eq!(of("BindingType=APN").await, [alice_apn.as_str(), bob_apn]);
    assert_eq!(of("BindingType=apn&BindingType=fcm").await, made);
    assert_eq!(of("Identity=bob").await, [bob_fcm.as_str(), bob_apn]);
    assert_eq!(of("Identity=bob&Identity=alice").await, made);
    assert_eq!(
        of("Identity=alice&BindingType=fcm").await,
        [alice_fcm.as_str()]
    );
    assert!(of("Identity=carol").await.is_empty());
    let first = server
        .get(&format!("{path}?Identity=bob&Identity=carol&PageSize=1"))
        .await
        .with(200);
    assert_eq!(first["bindings"][0]["sid"], json!(bob_fcm));
    let next = text(&first["meta"], "next_page_url");
    let next = &next[next.find("/v1/").expect("a path")..];
    assert_eq!(sids(&server, next).await, [bob_apn.as_str()]);

    let unknown = server.get(&format!("{path}?BindingType=wns")).await;
    assert_eq!(unknown.refused(400), 50209);
    let absent = format!("{path}/BS00000000000000000000000000000009");
    assert_eq!(server.get(&absent).await.refused(404), 20404);
    let elsewhere = server
        .post("/v1/Services", &[("FriendlyName", "tenant")])
        .await
        .with(201);
    let foreign = format!("/v1/Services/{}/Bindings", text(&elsewhere, "sid"));
    assert!(sids(&server, &foreign).await.is_empty());
    let foreign = format!("{foreign}/{bob_fcm}");
    assert_eq!(server.get(&foreign).await.refused(404), 20404);
    assert_eq!(server.delete(&foreign).await.refused(404), 20404);
    server.stop().await;
}

#[sqlx::test]
async fn what_is_no_device_is_accepted_and_not_kept(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut alice = server.socket("alice").await;
    let long = "x".repeat(1025);
    for (kind, device) in [
        ("wns", "device"),
        ("fcm", ""),
        ("fcm", "two words"),
        ("fcm", long.as_str()),
    ] {
        // The SDK would try again without end.
        let body = json!({ "channel_type": kind, "data": { "registration_id": device } });
        let (status, answer) = alice.ask("POST", "/v1/registrations", body).await;
        assert_eq!(status, 201, "{answer}");
        assert!(text(&answer, "id").starts_with("BS"));
        let body = json!({ "binding_type": kind, "address": device });
        let (status, _) = alice.ask("DELETE", "/v1/registrations", body).await;
        assert_eq!(status, 204);
    }
    let kept = sids(&server, &path(&server).await).await;
    assert_eq!(kept, Vec::<String>::new());
    // A user has so many devices; beyond that the oldest goes.
    let first = register(&mut alice, "fcm", "device-0").await;
    for number in 1..=100 {
        server.clock.advance(chrono::TimeDelta::seconds(1));
        register(&mut alice, "fcm", &format!("device-{number}")).await;
    }
    let path = path(&server).await;
    let one = format!("{path}/{first}");
    assert_eq!(server.get(&one).await.refused(404), 20404);
    let listed = sids(&server, &format!("{path}?PageSize=100")).await;
    assert_eq!(listed.len(), 100);
    server.stop().await;
}
