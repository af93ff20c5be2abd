//! API keys: what they open, under all their names, and when they stop.

use chrono::TimeDelta;
use convoke::domain::tokens::NewToken;
use convoke::domain::{Clock as _, Identity};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::server::{ACCOUNT_SID, API_KEY_SECRET, API_KEY_SID};
use crate::support::{TestServer, text};

const STANDARD_KEY: (&str, &str) = (API_KEY_SID, API_KEY_SECRET);
const WITHIN: &str = "/2010-04-01/Accounts/AC00000000000000000000000000000001";

/// The credentials of a key that was just made.
fn credentials(made: &Value) -> (String, String) {
    (text(made, "sid"), text(made, "secret"))
}

/// What the socket answers to an access token that a key signed: its status, and its code if it is refused.
async fn sign_in(
    server: &TestServer,
    account: &str,
    service: &str,
    (key, secret): (&str, &str),
) -> (i64, Option<i64>) {
    let token = NewToken {
        issuer: key.parse().expect("a SID"),
        account: account.parse().expect("a SID"),
        service: service.parse().expect("a SID"),
        identity: &Identity::parse("alice".to_owned()).expect("an identity"),
        lifetime: TimeDelta::hours(1),
    }
    .mint(secret, server.clock.now())
    .expect("a token");
    let mut client = server.silent_socket().await;
    let status = client
        .say(json!({ "method": "init", "token": token }))
        .await;
    let code = status["code"].as_i64().expect("a code");
    (code, status["errorCode"].as_i64())
}

async fn service_of(server: &TestServer, who: (&str, &str)) -> String {
    let listed = server
        .send_as(who, Method::GET, "/v1/Services", &[])
        .await
        .with(200);
    text(&listed["services"][0], "sid")
}

/// A restricted key with these permissions.
async fn restricted(server: &TestServer, allow: &[&str]) -> (String, String) {
    let policy = json!({ "allow": allow }).to_string();
    let form = [
        ("AccountSid", ACCOUNT_SID),
        ("KeyType", "restricted"),
        ("Policy", policy.as_str()),
    ];
    let made = server.post("/v1/Keys", &form).await.with(201);
    assert_eq!(made["policy"]["allow"], json!(allow));
    credentials(&made)
}

#[sqlx::test]
async fn a_key_opens_until_it_is_deleted(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    for (path, array) in [("Keys", "keys"), ("SigningKeys", "signing_keys")] {
        let list = format!("{WITHIN}/{path}.json");
        let made = server
            .post(&list, &[("FriendlyName", "ci")])
            .await
            .with(201);
        let (sid, secret) = credentials(&made);
        let key = (sid.as_str(), secret.as_str());
        assert!(secret.len() == 32 && secret.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert!(text(&made, "date_created").ends_with(" +0000"));
        let one = format!("{WITHIN}/{path}/{sid}.json");
        let seen = server.get(&one).await.with(200);
        assert_eq!(
            (&seen["friendly_name"], &seen["secret"]),
            (&json!("ci"), &Value::Null)
        );
        let listed = server.get(&list).await.with(200);
        assert_eq!(listed[array][0], seen, "newest first");
        assert_eq!(listed[array].as_array().map(Vec::len), Some(2));

        let ask = async || server.send_as(key, Method::GET, "/v1/Users", &[]).await;
        ask().await.with(200);
        let capitals = format!("SK{}", sid[2..].to_uppercase());
        let spelled = server.send_as((&capitals, &secret), Method::GET, "/v1/Users", &[]);
        spelled.await.with(200);
        let service = service_of(&server, key).await;
        assert_eq!(sign_in(&server, ACCOUNT_SID, &service, key).await.0, 200);
        let renamed = server.post(&one, &[("FriendlyName", "cd")]).await;
        assert_eq!(renamed.with(200)["friendly_name"], "cd");
        server.delete(&one).await.with(204);
        assert_eq!(ask().await.refused(401), 20003, "at once");
        let again = server.send_as((&capitals, &secret), Method::GET, "/v1/Users", &[]);
        assert_eq!(again.await.refused(401), 20003, "however it is spelled");
        let refused = sign_in(&server, ACCOUNT_SID, &service, key).await;
        assert_eq!(refused, (401, Some(20103)));
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let form = [("FriendlyName", "x")];
            let answer = server.send(method.clone(), &one, &form).await;
            assert_eq!(answer.refused(404), 20404, "{method}");
        }
    }
    server.stop().await;
}

#[sqlx::test]
async fn a_standard_key_manages_no_keys(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let own = format!("{WITHIN}/Keys/{API_KEY_SID}.json");
    let listed = format!("/v1/Keys?AccountSid={ACCOUNT_SID}");
    for (method, path) in [
        (Method::GET, format!("{WITHIN}/Keys.json")),
        (Method::POST, format!("{WITHIN}/SigningKeys.json")),
        (Method::GET, own.clone()),
        (Method::DELETE, own),
        (Method::GET, listed),
        (Method::POST, "/v1/Keys".to_owned()),
        (Method::DELETE, format!("/v1/Keys/{API_KEY_SID}")),
    ] {
        let answer = server
            .send_as(STANDARD_KEY, method, &path, &[("AccountSid", ACCOUNT_SID)])
            .await;
        assert_eq!(answer.refused(403), 70051, "{path}");
    }
    server.stop().await;
}

#[sqlx::test]
async fn the_keys_of_iam_are_the_same_keys(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let form = [("AccountSid", ACCOUNT_SID), ("FriendlyName", "new style")];
    let made = server.post("/iam/v1/Keys", &form).await.with(201);
    assert_eq!(made["policy"], Value::Null);
    let (sid, secret) = credentials(&made);
    let answer = server
        .send_as((&sid, &secret), Method::GET, "/v1/Users", &[])
        .await;
    answer.with(200);
    let limited = restricted(&server, &["/twilio/messaging/messages/read"]).await;
    let one = format!("/v1/Keys/{sid}");
    let seen = server.get(&one).await.with(200);
    assert_eq!(
        (&seen["friendly_name"], &seen["secret"]),
        (&json!("new style"), &Value::Null)
    );

    let page = server
        .get(&format!("/iam/v1/Keys?AccountSid={ACCOUNT_SID}&PageSize=1"))
        .await
        .with(200);
    assert_eq!(page["keys"][0]["sid"], limited.0);
    assert_eq!(page["keys"][0]["flags"], json!(["rest_api"]));
    let next = text(&page["meta"], "next_page_url");
    let next = next.strip_prefix(&server.url("")).expect("our own host");
    let page = server.get(next).await.with(200);
    assert_eq!(page["keys"][0]["sid"], sid);
    assert_eq!(page["keys"][0]["flags"], json!(["rest_api", "signing"]));

    let own = ("AccountSid", ACCOUNT_SID);
    let policy = (
        "Policy",
        r#"{"allow": ["/twilio/messaging/messages/list"]}"#,
    );
    let long = "x".repeat(65);
    for (path, form, code) in [
        ("/v1/Keys", vec![], 20422),
        (
            "/v1/Keys",
            vec![("AccountSid", "AC00000000000000000000000000000009")],
            20422,
        ),
        (
            "/v1/Keys",
            vec![own, ("FriendlyName", long.as_str())],
            20002,
        ),
        ("/v1/Keys", vec![own, ("KeyType", "main")], 20422),
        ("/v1/Keys", vec![own, ("KeyType", "restricted")], 20422),
        ("/v1/Keys", vec![own, policy], 20422),
        (
            "/v1/Keys",
            vec![own, ("KeyType", "restricted"), ("Policy", "all")],
            20422,
        ),
        (one.as_str(), vec![], 20161),
        (one.as_str(), vec![policy], 20422),
    ] {
        assert_eq!(
            server.post(path, &form).await.refused(400),
            code,
            "{path} {form:?}"
        );
    }
    assert_eq!(server.get("/v1/Keys").await.refused(400), 20422);
    let changed = server
        .post(&format!("/v1/Keys/{}", limited.0), &[policy])
        .await
        .with(200);
    assert_eq!(
        changed["policy"]["allow"],
        json!(["/twilio/messaging/messages/list"])
    );
    server.delete(&one).await.with(204);
    assert_eq!(server.get(&one).await.refused(404), 20404);
    server.stop().await;
}

#[sqlx::test]
async fn a_restricted_key_does_what_its_policy_lists(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    let service = service_of(&server, STANDARD_KEY).await;
    let named = format!("/v1/Services/{service}{}", &talk["/v1".len()..]);
    let (sid, secret) = restricted(
        &server,
        &[
            "/twilio/conversations/conversations/read",
            "/twilio/conversations/conversations.messages/*",
            "/twilio/iam/api-keys/create",
            "/twilio/iam/accounts/read",
        ],
    )
    .await;
    let key = (sid.as_str(), secret.as_str());
    let messages = format!("{talk}/Messages");
    let account = format!("{WITHIN}.json");
    for (method, path, status) in [
        (Method::GET, talk.as_str(), 200),
        (Method::GET, named.as_str(), 200),
        (Method::POST, messages.as_str(), 201),
        (Method::GET, messages.as_str(), 200),
        (Method::GET, "/v1/Conversations/none", 404),
        (Method::GET, account.as_str(), 200),
    ] {
        let answer = server.send_as(key, method.clone(), path, &[]).await;
        assert_eq!(answer.status, status, "{method} {path}");
        if path == account {
            assert_eq!(answer.body["auth_token"], Value::Null, "it opens more");
        }
    }
    let participants = format!("{talk}/Participants");
    for (method, path) in [
        (Method::GET, "/v1/Conversations"),
        (Method::POST, talk.as_str()),
        (Method::DELETE, talk.as_str()),
        (Method::GET, participants.as_str()),
        (Method::GET, "/v1/Users/nobody"),
        (Method::GET, "/v1/simulator/handsets"),
        (Method::GET, "/2010-04-01/Accounts.json"),
    ] {
        let answer = server.send_as(key, method.clone(), path, &[]).await;
        assert_eq!(answer.refused(403), 70051, "{method} {path}");
    }

    // It gives no more than it has, and signs nothing.
    let give = async |allow: &[&str]| {
        let policy = json!({ "allow": allow }).to_string();
        let mut form = vec![("AccountSid", ACCOUNT_SID)];
        if !allow.is_empty() {
            form.extend([("KeyType", "restricted"), ("Policy", policy.as_str())]);
        }
        server.send_as(key, Method::POST, "/v1/Keys", &form).await
    };
    give(&["/twilio/conversations/conversations.messages/list"])
        .await
        .with(201);
    assert_eq!(
        give(&["/twilio/conversations/users/list"])
            .await
            .refused(403),
        70051
    );
    assert_eq!(give(&[]).await.refused(403), 70051);
    let old = format!("{WITHIN}/Keys.json");
    let answer = server.send_as(key, Method::POST, &old, &[]).await;
    assert_eq!(answer.refused(403), 70051);
    let refused = sign_in(&server, ACCOUNT_SID, &service, key).await;
    assert_eq!(refused, (401, Some(20103)));
    server.stop().await;
}

#[sqlx::test]
async fn keys_belong_to_their_account(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let made = server
        .post("/2010-04-01/Accounts.json", &[])
        .await
        .with(201);
    let (sub, token) = (text(&made, "sid"), text(&made, "auth_token"));
    let its = (sub.as_str(), token.as_str());
    // The owner makes a key of the subaccount, which opens the subaccount.
    let list = format!("/2010-04-01/Accounts/{sub}/Keys.json");
    let (sid, secret) = credentials(&server.post(&list, &[]).await.with(201));
    let key = (sid.as_str(), secret.as_str());
    let service = service_of(&server, key).await;
    assert_eq!(service, service_of(&server, its).await);
    assert_eq!(sign_in(&server, &sub, &service, key).await.0, 200);
    let one = format!("/v1/Keys/{sid}");
    server.get(&one).await.with(200);
    server.send_as(its, Method::GET, &one, &[]).await.with(200);
    let elsewhere = format!("{WITHIN}/Keys/{sid}.json");
    assert_eq!(server.get(&elsewhere).await.refused(404), 20404);

    // The subaccount sees none of its owner's.
    let listed = format!("/v1/Keys?AccountSid={ACCOUNT_SID}");
    for (path, status, code) in [
        (format!("/v1/Keys/{API_KEY_SID}"), 404, 20404),
        (format!("{WITHIN}/Keys/{API_KEY_SID}.json"), 404, 20404),
        (
            format!("/2010-04-01/Accounts/{sub}/Keys/{API_KEY_SID}.json"),
            404,
            20404,
        ),
        (listed, 400, 20422),
    ] {
        let answer = server.send_as(its, Method::GET, &path, &[]).await;
        assert_eq!(answer.refused(status), code, "{path}");
    }

    // A suspended account's keys open nothing, its tokens neither.
    let account = format!("/2010-04-01/Accounts/{sub}.json");
    let suspended = [("Status", "suspended")];
    server.post(&account, &suspended).await.with(200);
    let answer = server.send_as(key, Method::GET, "/v1/Users", &[]).await;
    assert_eq!(answer.refused(403), 20005);
    let refused = sign_in(&server, &sub, &service, key).await;
    assert_eq!(refused, (403, Some(20005)));
    assert_eq!(server.get(&one).await.refused(403), 20005);
    server.stop().await;
}

#[sqlx::test]
async fn relay_tokens_open_nothing(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let path = format!("{WITHIN}/Tokens.json");
    let made = server
        .send_as(STANDARD_KEY, Method::POST, &path, &[("Ttl", "60")])
        .await
        .with(201);
    assert_eq!(
        (&made["ttl"], &made["ice_servers"]),
        (&json!("60"), &json!([]))
    );
    assert_ne!(made["username"], made["password"]);
    assert_eq!(server.post(&path, &[]).await.with(201)["ttl"], "86400");
    for ttl in ["0", "-1", "86401", "x", "1.5"] {
        let answer = server.post(&path, &[("Ttl", ttl)]).await;
        assert_eq!(answer.refused(400), 20422, "{ttl}");
    }
    server.stop().await;
}
