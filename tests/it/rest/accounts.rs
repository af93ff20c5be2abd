//! Accounts and subaccounts, their numbers, and the lists of the API of 2010.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::server::{ACCOUNT_SID, API_KEY_SECRET, API_KEY_SID, AUTH_TOKEN};
use crate::support::{TestServer, text};

const OWN: (&str, &str) = (ACCOUNT_SID, AUTH_TOKEN);
const STANDARD_KEY: (&str, &str) = (API_KEY_SID, API_KEY_SECRET);
const ACCOUNTS: &str = "/2010-04-01/Accounts";

pub(super) async fn subaccount(server: &TestServer) -> (String, String) {
    let made = server
        .post("/2010-04-01/Accounts.json", &[])
        .await
        .with(201);
    (text(&made, "sid"), text(&made, "auth_token"))
}

#[sqlx::test]
async fn a_subaccount_is_a_tenant_of_its_own(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let named = [("FriendlyName", "shop")];
    let made = server
        .post("/2010-04-01/Accounts.json", &named)
        .await
        .with(201);
    let (sid, token) = (text(&made, "sid"), text(&made, "auth_token"));
    assert_eq!(
        (&made["friendly_name"], &made["status"], &made["type"]),
        (&json!("shop"), &json!("active"), &json!("Full"))
    );
    assert_eq!(made["owner_account_sid"], ACCOUNT_SID);
    assert_eq!(made["uri"], format!("{ACCOUNTS}/{sid}.json"));
    assert!(text(&made, "date_created").ends_with(" +0000"), "{made}");
    assert_eq!(token.len(), 32);

    let its = (sid.as_str(), token.as_str());
    let talk = server.conversation(&[]).await;
    let foreign = server.send_as(its, Method::GET, &talk, &[]).await;
    assert_eq!(foreign.refused(404), 20404);
    let listed = server
        .send_as(its, Method::GET, "/v1/Services", &[])
        .await
        .with(200);
    assert_eq!(listed["services"].as_array().map(Vec::len), Some(1));
    let own = server
        .send_as(its, Method::POST, "/v1/Conversations", &[])
        .await
        .with(201);
    assert_eq!(own["account_sid"], sid);
    let capitals = format!("AC{}", sid[2..].to_uppercase());
    for (password, status) in [(&*token, 200), ("guessed", 401)] {
        let spelled = server.send_as((&capitals, password), Method::GET, "/v1/Users", &[]);
        assert_eq!(spelled.await.status, status);
    }

    // The owner sees it, it sees itself, and neither its owner nor anything of its owner's.
    let path = format!("{ACCOUNTS}/{sid}.json");
    assert_eq!(server.get(&path).await.with(200), made);
    let seen = server.send_as(its, Method::GET, &path, &[]).await.with(200);
    assert_eq!(seen, made);
    let listed = server
        .send_as(its, Method::GET, "/2010-04-01/Accounts.json", &[])
        .await
        .with(200);
    assert_eq!(listed["accounts"], json!([made]));
    for hidden in [
        format!("{ACCOUNTS}/{ACCOUNT_SID}.json"),
        format!("{ACCOUNTS}/{ACCOUNT_SID}/IncomingPhoneNumbers.json"),
    ] {
        let answer = server.send_as(its, Method::GET, &hidden, &[]).await;
        assert_eq!(answer.refused(404), 20404, "{hidden}");
    }
    let nested = server
        .send_as(its, Method::POST, "/2010-04-01/Accounts.json", &[])
        .await;
    assert_eq!(nested.refused(403), 20006);
    server.stop().await;
}

#[sqlx::test]
async fn a_suspended_account_opens_nothing(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (sid, token) = subaccount(&server).await;
    let its = (sid.as_str(), token.as_str());
    let path = format!("{ACCOUNTS}/{sid}.json");
    let ask = async |path: &str| server.send_as(its, Method::GET, path, &[]).await;
    ask("/v1/Conversations").await.with(200);

    for (status, open) in [("suspended", false), ("Active", true), ("closed", false)] {
        let changed = server.post(&path, &[("Status", status)]).await.with(200);
        assert_eq!(changed["status"], status.to_ascii_lowercase());
        for asked in ["/v1/Conversations", "/v1/Nothing", path.as_str()] {
            let code = ask(asked).await.body["code"].as_i64();
            assert_eq!(code == Some(20005), !open, "{status}: {asked}");
        }
    }
    let stranger = (sid.as_str(), "wrong");
    let answer = server
        .send_as(stranger, Method::GET, "/v1/Users", &[])
        .await;
    assert_eq!(answer.refused(401), 20003);

    // Closed is final, and its resources are shut for the owner too; the account itself stays to be seen.
    let reopened = server.post(&path, &[("Status", "active")]).await;
    assert_eq!(reopened.refused(403), 20005);
    let numbers = format!("{ACCOUNTS}/{sid}/IncomingPhoneNumbers.json");
    assert_eq!(server.get(&numbers).await.refused(403), 20005);
    assert_eq!(server.get(&path).await.with(200)["status"], "closed");
    server.stop().await;
}

#[sqlx::test]
async fn accounts_refuse_what_cannot_be(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (sid, _) = subaccount(&server).await;
    let path = format!("{ACCOUNTS}/{sid}.json");
    let own = format!("{ACCOUNTS}/{ACCOUNT_SID}.json");
    let long = "x".repeat(65);
    for (path, form, status, code) in [
        (&path, ("FriendlyName", long.as_str()), 400, 20002),
        (&path, ("Status", "asleep"), 400, 20422),
        (&path, ("Other", "x"), 400, 20161),
        (&own, ("Status", "suspended"), 400, 20422),
    ] {
        let answer = server.post(path, &[form]).await;
        assert_eq!(answer.refused(status), code, "{form:?}");
    }
    let renamed = server.post(&own, &[("FriendlyName", "me")]).await.with(200);
    assert_eq!(renamed["friendly_name"], "me");
    for absent in [
        format!("{ACCOUNTS}/AC{}.json", "0".repeat(32)),
        format!("{ACCOUNTS}/{sid}"),
        format!("{ACCOUNTS}/{sid}.xml"),
        format!("{ACCOUNTS}/SK{}.json", "0".repeat(32)),
        format!("{ACCOUNTS}/{sid}.json.json"),
        format!("{ACCOUNTS}/{sid}.json/IncomingPhoneNumbers.json"),
    ] {
        assert_eq!(server.get(&absent).await.refused(404), 20404, "{absent}");
    }
    // A standard key manages no accounts; a wrong method is a wrong method.
    for (method, path) in [
        (Method::GET, "/2010-04-01/Accounts.json"),
        (Method::POST, "/2010-04-01/Accounts.json"),
        (Method::GET, own.as_str()),
        (Method::POST, path.as_str()),
    ] {
        let answer = server.send_as(STANDARD_KEY, method, path, &[]).await;
        assert_eq!(answer.refused(403), 70051, "{path}");
    }
    let answer = server.send_as(OWN, Method::DELETE, &path, &[]).await;
    assert_eq!(answer.refused(405), 20004);
    server.stop().await;
}

/// The SIDs on a page of 2010.
fn sids(page: &Value, key: &str) -> Vec<String> {
    let rows = page[key].as_array().expect("a list");
    rows.iter().map(|row| text(row, "sid")).collect()
}

#[sqlx::test]
async fn old_lists_are_walked_there_and_back(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    for n in 0..5 {
        let name = [("FriendlyName", if n % 2 == 0 { "even" } else { "odd" })];
        server
            .post("/2010-04-01/Accounts.json", &name)
            .await
            .with(201);
    }
    // By the prefix, as programs come that reach all products on one host: links do without it.
    let mut page = server
        .get("/api/2010-04-01/Accounts.json?PageSize=2")
        .await
        .with(200);
    let first = page.clone();
    assert_eq!(
        first["first_page_uri"],
        "/2010-04-01/Accounts.json?PageSize=2&Page=0"
    );
    assert_eq!(first["uri"], first["first_page_uri"]);
    assert_eq!(first["previous_page_uri"], Value::Null);
    let mut seen = sids(&page, "accounts");
    let mut bounds = vec![(page["start"].clone(), page["end"].clone())];
    while let Some(next) = page["next_page_uri"].as_str() {
        assert!(next.starts_with("/2010-04-01/"), "{next}");
        page = server.get(&format!("/api{next}")).await.with(200);
        seen.extend(sids(&page, "accounts"));
        bounds.push((page["start"].clone(), page["end"].clone()));
    }
    assert_eq!(
        bounds,
        [(0, 1), (2, 3), (4, 5)].map(|(a, b)| (json!(a), json!(b)))
    );
    assert_eq!(seen.len(), 6);
    assert_eq!(
        seen.last().map(String::as_str),
        Some(ACCOUNT_SID),
        "newest first"
    );
    let before = text(&page, "previous_page_uri");
    let before = server.get(&before).await.with(200);
    assert_eq!(sids(&before, "accounts"), seen[2..4]);

    let odd = server
        .get("/2010-04-01/Accounts.json?FriendlyName=odd&Status=ACTIVE&PageSize=1000")
        .await
        .with(200);
    assert_eq!(sids(&odd, "accounts").len(), 2);
    assert_eq!(odd["page_size"], 1000);
    let none = server
        .get("/2010-04-01/Accounts.json?Status=closed&Page=9999999999999999999")
        .await
        .with(200);
    assert_eq!((&none["accounts"], &none["end"]), (&json!([]), &json!(0)));
    for (query, code) in [
        ("PageSize=1001", 20007),
        ("PageSize=99999999999999999999", 20007),
        ("PageSize=0", 20422),
        ("PageSize=x", 20422),
        ("PageToken=PAx", 20422),
        ("Status=x", 20422),
    ] {
        let answer = server
            .get(&format!("/2010-04-01/Accounts.json?{query}"))
            .await;
        assert_eq!(answer.refused(400), code, "{query}");
    }
    server.stop().await;
}

#[sqlx::test]
async fn numbers_are_declared_once(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let numbers = format!("{ACCOUNTS}/{ACCOUNT_SID}/IncomingPhoneNumbers.json");
    let form = [("PhoneNumber", "+15550100001")];
    let made = server.post(&numbers, &form).await.with(201);
    assert_eq!(
        (
            &made["phone_number"],
            &made["friendly_name"],
            &made["status"]
        ),
        (
            &json!("+15550100001"),
            &json!("+15550100001"),
            &json!("in-use")
        )
    );
    assert_eq!(
        made["capabilities"],
        json!({ "voice": false, "sms": true, "mms": true, "fax": false })
    );
    assert_eq!(server.post(&numbers, &form).await.refused(409), 20409);
    for (wrong, code) in [
        (&[][..], 21421),
        (&[("PhoneNumber", "5550100001")], 21421),
        (&[("PhoneNumber", "whatsapp:+15550100001")], 21421),
        (
            &[
                ("PhoneNumber", "+15550100002"),
                ("FriendlyName", &"x".repeat(65)),
            ],
            20002,
        ),
    ] {
        assert_eq!(
            server.post(&numbers, wrong).await.refused(400),
            code,
            "{wrong:?}"
        );
    }
    let path = text(&made, "uri");
    assert_eq!(server.get(&path).await.with(200), made);

    // A standard key may; another account has its own, of the same number too.
    let seen = server.send_as(STANDARD_KEY, Method::GET, &path, &[]).await;
    assert_eq!(seen.with(200), made);
    let (sid, token) = subaccount(&server).await;
    let its = (sid.as_str(), token.as_str());
    let theirs = path.replace(ACCOUNT_SID, &sid);
    for hidden in [&path, &theirs] {
        let answer = server.send_as(its, Method::GET, hidden, &[]).await;
        assert_eq!(answer.refused(404), 20404);
    }
    let of_sub = numbers.replace(ACCOUNT_SID, &sid);
    server.post(&of_sub, &form).await.with(201);
    let other = [("PhoneNumber", "+441632960001"), ("FriendlyName", "London")];
    server.post(&numbers, &other).await.with(201);
    for (query, count) in [
        ("", 2),
        ("?FriendlyName=London", 1),
        ("?PhoneNumber=%2B1555", 1),
        ("?PhoneNumber=*6329", 1),
        ("?PhoneNumber=%25", 0),
        ("?Beta=false&Origin=hosted", 2),
        ("?Origin=twilio", 0),
    ] {
        let page = server.get(&format!("{numbers}{query}")).await.with(200);
        assert_eq!(
            sids(&page, "incoming_phone_numbers").len(),
            count,
            "{query}"
        );
    }
    assert_eq!(
        server
            .get(&format!("{numbers}?Origin=x"))
            .await
            .refused(400),
        20422
    );
    server.delete(&path).await.with(204);
    assert_eq!(server.delete(&path).await.refused(404), 20404);
    server.post(&numbers, &form).await.with(201);
    server.stop().await;
}
