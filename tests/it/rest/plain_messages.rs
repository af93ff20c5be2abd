//! Plain messages: to a handset and back as statuses, refusals, lists.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::server::{API_KEY_SECRET, API_KEY_SID};
use crate::support::{TestServer, text};

const WITHIN: &str = "/2010-04-01/Accounts/AC00000000000000000000000000000001";
const MESSAGES: &str = "/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json";
const PHONE: &str = "+15558675310";
const OURS: &str = "+15550100000";

async fn status(server: &TestServer, message: &Value) -> String {
    let seen = server.get(&text(message, "uri")).await.with(200);
    text(&seen, "status")
}

async fn thread(server: &TestServer, address: &str) -> Vec<Value> {
    let address = address.replace('+', "%2B");
    let path = format!("/v1/simulator/handsets/{address}/messages");
    let thread = server.get(&path).await.with(200);
    thread["messages"].as_array().expect("a thread").clone()
}

#[sqlx::test]
async fn a_message_goes_to_a_handset(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let form = [("To", PHONE), ("From", OURS), ("Body", "hello")];
    let key = (API_KEY_SID, API_KEY_SECRET);
    let sent = server.send_as(key, Method::POST, MESSAGES, &form).await;
    let sent = sent.with(201);
    for (field, wanted) in [
        ("to", json!(PHONE)),
        ("from", json!(OURS)),
        ("body", json!("hello")),
        ("status", json!("queued")),
        ("direction", json!("outbound-api")),
        ("num_segments", json!("1")),
        ("num_media", json!("0")),
        ("error_code", Value::Null),
        ("price", Value::Null),
        ("date_sent", Value::Null),
        ("api_version", json!("2010-04-01")),
    ] {
        assert_eq!(sent[field], wanted, "{field}");
    }
    assert!(text(&sent, "sid").starts_with("SM"));
    assert!(text(&sent, "messaging_service_sid").starts_with("MG"));
    assert_eq!(
        sent["uri"],
        format!("{WITHIN}/Messages/{}.json", text(&sent, "sid"))
    );

    server.drain().await;
    assert_eq!(status(&server, &sent).await, "queued");
    server.advance(TimeDelta::milliseconds(100)).await;
    assert_eq!(status(&server, &sent).await, "sent");
    server.advance(TimeDelta::milliseconds(400)).await;
    let done = server.get(&text(&sent, "uri")).await.with(200);
    assert_eq!(done["status"], "delivered");
    assert!(text(&done, "date_sent").ends_with(" +0000"), "{done}");
    let received = thread(&server, PHONE).await;
    assert_eq!(received.len(), 1);
    assert_eq!(
        (&received[0]["text"], &received[0]["status"]),
        (&json!("hello"), &json!("delivered"))
    );

    // A phone can also tell that it was read.
    let id = text(&received[0], "id");
    let read = format!("/v1/simulator/messages/{id}/read");
    let answer = server.send(Method::POST, &read, &[]).await;
    assert!(answer.status.is_success(), "{}", answer.body);
    assert_eq!(status(&server, &sent).await, "read");
    server.stop().await;
}

#[sqlx::test]
async fn each_end_has_its_status_and_code(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut sent = Vec::new();
    for (to, ends, code) in [
        ("+15005550001", "failed", json!(21211)),
        ("+15005530005", "undelivered", json!(30005)),
        ("whatsapp:+15005563016", "failed", json!(63016)),
        ("+15558675311", "delivered", Value::Null),
    ] {
        let from = if to.starts_with('+') {
            OURS
        } else {
            "whatsapp:+15550100000"
        };
        let form = [("To", to), ("From", from), ("Body", "x")];
        sent.push((server.post(MESSAGES, &form).await.with(201), ends, code));
    }
    server.drain().await;
    server.advance(TimeDelta::seconds(1)).await;
    for (message, ends, code) in sent {
        let seen = server.get(&text(&message, "uri")).await.with(200);
        assert_eq!(
            (&seen["status"], &seen["error_code"]),
            (&json!(ends), &code),
            "{seen}"
        );
        assert_eq!(seen["date_sent"].is_null(), ends == "failed", "{seen}");
    }
    server.stop().await;
}

#[sqlx::test]
async fn messages_of_a_pair_keep_their_order_and_media_their_urls(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    server.add_phone(&talk, PHONE, OURS).await;
    let in_talk = format!("{talk}/Messages");
    for n in 0..6 {
        let words = n.to_string();
        if n % 2 == 0 {
            let form = [("To", PHONE), ("From", OURS), ("Body", words.as_str())];
            server.post(MESSAGES, &form).await.with(201);
        } else {
            server.post(&in_talk, &[("Body", &words)]).await.with(201);
        }
    }
    let (a, b) = ("https://example.com/a.png", "https://example.com/b.png");
    let form = [
        ("To", PHONE),
        ("From", OURS),
        ("MediaUrl", a),
        ("MediaUrl", b),
    ];
    let picture = server.post(MESSAGES, &form).await.with(201);
    let sid = text(&picture, "sid");
    assert!(sid.starts_with("MM"), "{picture}");
    assert_eq!(
        (&picture["num_media"], &picture["body"]),
        (&json!("2"), &Value::Null)
    );
    let other = text(&picture, "uri").replace("/MM", "/SM");
    assert_eq!(server.get(&other).await.with(200)["sid"], sid);
    server.drain().await;
    server.advance(TimeDelta::seconds(1)).await;
    let received = thread(&server, PHONE).await;
    let words: Vec<&str> = received
        .iter()
        .filter_map(|row| row["text"].as_str())
        .collect();
    assert_eq!(words, ["0", "1", "2", "3", "4", "5"]);
    let urls: Vec<&Value> = received[6]["media"]
        .as_array()
        .expect("media")
        .iter()
        .map(|media| &media["url"])
        .collect();
    assert_eq!(urls, [a, b]);
    server.stop().await;
}

#[sqlx::test]
async fn messages_refuse_what_cannot_be_sent(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let to = ("To", PHONE);
    let from = ("From", OURS);
    let body = ("Body", "x");
    let service = ("MessagingServiceSid", "MG00000000000000000000000000000009");
    let picture = ("MediaUrl", "https://example.com/a.png");
    let mut album = vec![to, from];
    album.extend([picture; 11]);
    let long = "x".repeat(1601);
    for (form, code) in [
        (vec![from, body], 21604),
        (vec![("To", "5558675310"), from, body], 21211),
        (vec![to, body], 21603),
        (vec![to, ("From", "me"), body], 21212),
        (vec![to, ("From", PHONE), body], 21266),
        (vec![to, ("From", "whatsapp:+15550100000"), body], 21910),
        (vec![to, from], 21602),
        (vec![to, service], 21619),
        (vec![to, service, body], 21701),
        (vec![to, ("MessagingServiceSid", "MG1"), body], 21705),
        (vec![to, from, ("Body", long.as_str())], 21617),
        (vec![to, from, ("MediaUrl", "ftp://example.com/x")], 21620),
        (album, 21623),
        (
            vec![to, from, body, ("SendAt", "2030-01-01T00:00:00Z")],
            20422,
        ),
    ] {
        assert_eq!(
            server.post(MESSAGES, &form).await.refused(400),
            code,
            "{form:?}"
        );
    }
    for absent in ["SM00000000000000000000000000000009", "x"] {
        let path = format!("{WITHIN}/Messages/{absent}.json");
        assert_eq!(server.get(&path).await.refused(404), 20404, "{absent}");
    }
    server.stop().await;
}

#[sqlx::test]
async fn a_message_goes_through_the_service_of_its_sender(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let numbers = format!("{WITHIN}/IncomingPhoneNumbers.json");
    let number = server.post(&numbers, &[("PhoneNumber", OURS)]).await;
    let number = text(&number.with(201), "sid");
    let named = [("FriendlyName", "shop")];
    let made = server
        .post("/messaging/v1/Services", &named)
        .await
        .with(201);
    let service = text(&made, "sid");
    let pool = format!("/messaging/v1/Services/{service}/PhoneNumbers");
    let form = [("PhoneNumberSid", number.as_str())];
    server.post(&pool, &form).await.with(201);

    let by_number = [("To", PHONE), ("From", OURS), ("Body", "x")];
    let sent = server.post(MESSAGES, &by_number).await.with(201);
    assert_eq!(sent["messaging_service_sid"], service);
    for by_service in [("MessagingServiceSid", &service), ("From", &service)] {
        let form = [
            ("To", PHONE),
            (by_service.0, by_service.1.as_str()),
            ("Body", "x"),
        ];
        let sent = server.post(MESSAGES, &form).await.with(201);
        assert_eq!(sent["from"], OURS, "the sender of its pool");
    }
    // Taken out again, it is the account's still, and of no service.
    server.delete(&format!("{pool}/{number}")).await.with(204);
    let sent = server.post(MESSAGES, &by_number).await.with(201);
    assert_ne!(sent["messaging_service_sid"], service);
    server.drain().await;
    server.advance(TimeDelta::seconds(1)).await;
    server.stop().await;
}

#[sqlx::test]
async fn without_a_backend_a_message_fails_honestly(pool: PgPool) {
    let server = TestServer::start_with(&pool, &[("CONVOKE_SIMULATOR", "off")]).await;
    let form = [("To", PHONE), ("From", OURS), ("Body", "x")];
    assert_eq!(server.post(MESSAGES, &form).await.refused(400), 21606);
    let number = [("PhoneNumber", OURS)];
    let numbers = format!("{WITHIN}/IncomingPhoneNumbers.json");
    server.post(&numbers, &number).await.with(201);
    let sent = server.post(MESSAGES, &form).await.with(201);
    let service = text(&sent, "messaging_service_sid");
    server.drain().await;
    let seen = server.get(&text(&sent, "uri")).await.with(200);
    assert_eq!(
        (&seen["status"], &seen["error_code"]),
        (&json!("failed"), &json!(21606))
    );
    assert!(seen["error_message"].is_string());
    let through = [
        ("To", PHONE),
        ("MessagingServiceSid", service.as_str()),
        ("Body", "x"),
    ];
    assert_eq!(server.post(MESSAGES, &through).await.refused(400), 21703);
    server.stop().await;
}

#[sqlx::test]
async fn lists_are_narrowed_and_paged(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let service = {
        let form = [("To", PHONE), ("From", OURS), ("Body", "first")];
        text(
            &server.post(MESSAGES, &form).await.with(201),
            "messaging_service_sid",
        )
    };
    server.drain().await;
    server.advance(TimeDelta::seconds(1)).await;
    server.advance(TimeDelta::days(2)).await;
    for n in 0..4 {
        let to = format!("+1555867532{n}");
        let form = [
            ("To", to.as_str()),
            ("MessagingServiceSid", service.as_str()),
            ("Body", "x"),
        ];
        let sent = server.post(MESSAGES, &form).await.with(201);
        assert_eq!(sent["messaging_service_sid"], service);
    }
    server.drain().await;
    server.advance(TimeDelta::seconds(1)).await;
    let bodies = async |query: &str| -> Vec<String> {
        let page = server.get(&format!("{MESSAGES}{query}")).await.with(200);
        let rows = page["messages"].as_array().expect("a list");
        rows.iter().map(|row| text(row, "body")).collect()
    };
    let today = convoke::domain::Clock::now(&*server.clock).format("%Y-%m-%d");
    for (query, count) in [
        (String::new(), 5),
        ("?To=%2B15558675320".to_owned(), 1),
        ("?From=%2B15550100000".to_owned(), 1),
        (format!("?To=%2B15558675310&DateSent%3E={today}"), 0),
        (format!("?DateSent%3E={today}"), 4),
        (format!("?DateSent={today}"), 4),
        (format!("?DateSent%3C={today}T00:00:00Z"), 1),
        (format!("?DateSent%3C={today}"), 5),
    ] {
        assert_eq!(bodies(&query).await.len(), count, "{query}");
    }
    for query in ["?DateSent=x", "?DateSent%3E=2024-99-01", "?PageSize=0"] {
        let answer = server.get(&format!("{MESSAGES}{query}")).await;
        assert_eq!(answer.refused(400), 20422, "{query}");
    }

    let mut path = format!("{MESSAGES}?DateSent%3E={today}&PageSize=3");
    let mut seen = 0;
    loop {
        let page = server.get(&path).await.with(200);
        seen += page["messages"].as_array().map_or(0, Vec::len);
        let Some(next) = page["next_page_uri"].as_str() else {
            break;
        };
        assert!(next.contains("DateSent%3E="), "{next}");
        next.clone_into(&mut path);
    }
    assert_eq!(seen, 4);

    // A subaccount has messages of its own, which its owner reaches by its SID.
    let made = server
        .post("/2010-04-01/Accounts.json", &[])
        .await
        .with(201);
    let (sub, token) = (text(&made, "sid"), text(&made, "auth_token"));
    let its = format!("/2010-04-01/Accounts/{sub}/Messages.json");
    let form = [("To", PHONE), ("From", OURS), ("Body", "sub")];
    let sent = server.post(&its, &form).await.with(201);
    assert_eq!(sent["account_sid"], sub);
    let foreign = [
        ("To", PHONE),
        ("MessagingServiceSid", service.as_str()),
        ("Body", "x"),
    ];
    assert_eq!(server.post(&its, &foreign).await.refused(400), 21701);
    assert_eq!(bodies("").await.len(), 5);
    let who = (sub.as_str(), token.as_str());
    let own = server.send_as(who, Method::GET, &its, &[]).await.with(200);
    assert_eq!(own["messages"].as_array().map(Vec::len), Some(1));
    let answer = server.send_as(who, Method::GET, MESSAGES, &[]).await;
    assert_eq!(answer.refused(404), 20404);
    server.drain().await;
    server.advance(TimeDelta::seconds(1)).await;
    server.stop().await;
}
