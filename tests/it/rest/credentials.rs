//! Push credentials: their secrets go in and never come out.

use rcgen::generate_simple_self_signed;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestServer, text};

const PATH: &str = "/v1/Credentials";

/// A certificate and its private key, in PEM.
fn certificate() -> (String, String) {
    let made = generate_simple_self_signed(["push.example.com".to_owned()]).expect("a certificate");
    (made.cert.pem(), made.signing_key.serialize_pem())
}

#[sqlx::test]
async fn each_platform_has_its_secret(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (chain, key) = certificate();
    let form = [
        ("Type", "APN"),
        ("FriendlyName", "phones"),
        ("Certificate", chain.as_str()),
        ("PrivateKey", key.as_str()),
        ("Sandbox", "true"),
    ];
    let apn = server.post(PATH, &form).await.with(201);
    assert_eq!(apn["type"], "apn");
    assert_eq!(apn["sandbox"], "True");
    assert_eq!(apn["friendly_name"], "phones");
    let gcm = [("Type", "GcM"), ("ApiKey", "a-key-of-old")];
    let gcm = server.post(PATH, &gcm).await.with(201);
    assert_eq!(gcm["type"], "gcm");
    assert_eq!(gcm["sandbox"], "False");
    assert_eq!(gcm["friendly_name"], Value::Null);
    let account = json!({ "client_email": "x@example.com", "private_key": key }).to_string();
    for secret in ["a-server-key", account.as_str()] {
        let fcm = [("Type", "fcm"), ("Secret", secret)];
        let fcm = server.post(PATH, &fcm).await.with(201);
        assert_eq!(fcm["type"], "fcm");
    }
    let listed = server.get(&format!("{PATH}?PageSize=3")).await.with(200);
    assert_eq!(listed["credentials"].as_array().map(Vec::len), Some(3));
    assert!(!listed.to_string().contains("a-server-key"));

    let path = format!("{PATH}/{}", text(&apn, "sid"));
    assert!(text(&apn, "url").ends_with(&path), "{apn}");
    assert_eq!(server.get(&path).await.with(200), apn);
    let form = [("Sandbox", "false"), ("FriendlyName", "")];
    let changed = server.post(&path, &form).await.with(200);
    assert_eq!(changed["sandbox"], "False");
    assert_eq!(changed["friendly_name"], Value::Null);
    // Another platform needs its own secret.
    let moved = server.post(&path, &[("Type", "fcm")]).await;
    assert_eq!(moved.refused(400), 20422);
    let moved = [("Type", "fcm"), ("Secret", "another-key")];
    let moved = server.post(&path, &moved).await.with(200);
    assert_eq!(moved["type"], "fcm");

    let kept: Vec<Vec<u8>> = sqlx::query_scalar("select secret from credentials")
        .fetch_all(&pool)
        .await
        .expect("rows");
    for secret in kept {
        for plain in ["key", "CERTIFICATE", "client_email"] {
            let found = secret
                .windows(plain.len())
                .any(|window| window == plain.as_bytes());
            assert!(!found, "{plain} is kept readable");
        }
    }
    server.delete(&path).await.with(204);
    assert_eq!(server.get(&path).await.refused(404), 20404);
    assert_eq!(server.delete(&path).await.refused(404), 20404);
    server.stop().await;
}

#[sqlx::test]
async fn what_cannot_push_is_refused(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (chain, key) = certificate();
    let (_, foreign) = certificate();
    let (long_name, long_key) = ("x".repeat(65), "x".repeat(4097));
    let broken = json!({ "client_email": "x@example.com", "private_key": "x" }).to_string();
    let fcm = ("Type", "fcm");
    let cases: &[(&[(&str, &str)], i64)] = &[
        (&[("Secret", "x")], 20422),
        (&[("Type", "wns"), ("Secret", "x")], 20422),
        (&[fcm], 20422),
        (&[fcm, ("ApiKey", "x")], 20422),
        (&[fcm, ("Secret", "two\nlines")], 20422),
        (&[fcm, ("Secret", &long_key)], 20422),
        (&[fcm, ("Secret", &broken)], 20422),
        (&[fcm, ("Secret", "x"), ("FriendlyName", &long_name)], 50003),
        (&[fcm, ("Secret", "x"), ("Sandbox", "perhaps")], 20422),
        (&[("Type", "gcm"), ("Secret", "x")], 20422),
        (&[("Type", "apn"), ("PrivateKey", &key)], 20422),
        (&[("Type", "apn"), ("Certificate", &chain)], 20422),
        (
            &[("Type", "apn"), ("Certificate", "x"), ("PrivateKey", &key)],
            20422,
        ),
        (
            &[
                ("Type", "apn"),
                ("Certificate", &chain),
                ("PrivateKey", &foreign),
            ],
            20422,
        ),
    ];
    for (form, code) in cases {
        let answer = server.post(PATH, form).await;
        assert_eq!(answer.refused(400), *code, "{form:?}");
    }
    let kept = server.post(PATH, &[fcm, ("Secret", "x")]).await.with(201);
    let kept = format!("{PATH}/{}", text(&kept, "sid"));
    assert_eq!(server.post(&kept, &[]).await.refused(400), 20161);
    let answer = server.post(&kept, &[("Secret", "two\nlines")]).await;
    assert_eq!(answer.refused(400), 20422);
    for absent in ["CR00000000000000000000000000000009", "x"] {
        let answer = server.post(&format!("{PATH}/{absent}"), &[]).await;
        assert_eq!(answer.refused(404), 20404);
    }
    server.stop().await;
}
