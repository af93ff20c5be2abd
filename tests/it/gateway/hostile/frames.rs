//! Frames that are none, and frames that ask for nothing sensible.

use serde_json::{Value, json};
use sqlx::PgPool;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::support::TestServer;
use crate::support::socket::{Sent, frame};

fn binary(bytes: impl Into<Vec<u8>>) -> Message {
    Message::Binary(Bytes::from(bytes.into()))
}

/// A frame with a header that is sent as it is, and no payload.
fn headed(header: &str) -> Message {
    binary(format!("TWILSOCK V3.0 {}\r\n{header}\r\n", header.len()))
}

#[sqlx::test]
async fn what_is_no_frame_ends_its_connection_and_no_other(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut bystander = server.socket("bystander").await;
    let params = |count: usize| {
        let params: Vec<String> = (0..count).map(|n| format!(r#""p{n}":"x""#)).collect();
        let params = params.join(",");
        format!(
            r#"{{"id":"TM1","method":"message","http_request":{{"path":"/x","method":"GET","params":{{{params}}}}}}}"#
        )
    };
    let deep = format!(r#"{{"id":{}1{}}}"#, "[".repeat(9_000), "]".repeat(9_000));
    let digits = format!(
        r#"{{"method":"ping","payload_size":{}}}"#,
        "9".repeat(200_000)
    );
    for (what, sent) in [
        (
            "a header that is said to be longer",
            binary(*b"TWILSOCK V3.0 200000\r\n{\"method\":\"ping\"}\r\n"),
        ),
        (
            "a header that is said to be shorter",
            binary(*b"TWILSOCK V3.0 3\r\n{\"method\":\"ping\"}\r\n"),
        ),
        (
            "a length that overflows",
            binary(*b"TWILSOCK V3.0 18446744073709551616\r\n{}"),
        ),
        (
            "a payload that is said to be longer",
            headed(r#"{"method":"ping","payload_size":4294967296}"#),
        ),
        (
            "a payload that is not announced",
            binary(*b"TWILSOCK V3.0 17\r\n{\"method\":\"ping\"}\r\nmore"),
        ),
        (
            "a negative payload",
            headed(r#"{"method":"ping","payload_size":-1}"#),
        ),
        ("a length with a million digits", headed(&digits)),
        ("deep nesting", headed(&deep)),
        ("no UTF-8", headed_bytes(b"{\"method\":\"\xc3\x28\"}")),
        ("a NUL", headed("{\"method\":\"ping\"\0}")),
        (
            "another version",
            binary(*b"TWILSOCK V4.0 17\r\n{\"method\":\"ping\"}\r\n"),
        ),
        ("no method", headed(r#"{"id":"TM1"}"#)),
        (
            "a method twice",
            headed(r#"{"method":"ping","method":"close"}"#),
        ),
        ("a number for an id", headed(r#"{"id":1,"method":"ping"}"#)),
        (
            "a request without a path",
            headed(r#"{"method":"message","http_request":{"method":"GET"}}"#),
        ),
        (
            "a request that is a text",
            headed(r#"{"method":"message","http_request":"GET /"}"#),
        ),
        ("parameters without end", headed(&params(10_000))),
        ("an array", headed("[]")),
        (
            "text",
            Message::Text("TWILSOCK V3.0 17\r\n{\"method\":\"ping\"}\r\n".into()),
        ),
    ] {
        let mut client = server.socket("mallory").await;
        client.send(sent).await;
        let why = client.end().await;
        assert_eq!(why, Some((1002, "malformed frame".to_owned())), "{what}");
        let status = bystander.say(json!({ "method": "ping" })).await;
        assert_eq!(status["code"], 200, "{what}");
    }
    let mut client = server.socket("mallory").await;
    client.send(headed(&params(20))).await;
    let Sent::Frame(answer, _) = client.next().await else {
        panic!("closed because of parameters that fit")
    };
    assert_eq!(answer["http_status"]["code"], 404);
}

fn headed_bytes(header: &[u8]) -> Message {
    let line = format!("TWILSOCK V3.0 {}\r\n", header.len());
    binary([line.as_bytes(), header, b"\r\n"].concat())
}

#[sqlx::test]
async fn frames_that_make_no_sense_are_answered_or_passed_over(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut client = server.socket("mallory").await;
    let token = server.good_token("mallory").await;
    for (method, code) in [
        ("message", 400), // without a request
        ("init", 400),    // once is enough
        ("dance", 400),
        ("", 400),
        ("ping", 200),
        ("put_notification_ctx", 200),
    ] {
        let status = client
            .say(json!({ "method": method, "token": token }))
            .await;
        assert_eq!(status["code"], code, "{method}");
    }
    // To answer what was not asked, or to tell of oneself, is nobody's business.
    for method in ["reply", "telemetry.v1"] {
        let said =
            json!({ "id": "TM0", "method": method, "status": { "code": 500 }, "events": [[]] });
        client.send(frame(said, b"{}")).await;
    }
    // Who gives three requests one name gets three answers of that name.
    let request = json!({ "path": "/Client/v2/Configuration", "method": "GET", "params": { "a": [[], {}, [1]] } });
    let again = json!({ "id": "again", "method": "message", "http_request": request });
    for _ in 0..3 {
        client.send(frame(again.clone(), &[])).await;
    }
    for _ in 0..3 {
        let Sent::Frame(answer, _) = client.next().await else {
            panic!("closed")
        };
        assert_eq!(
            (&answer["id"], &answer["http_status"]["code"]),
            (&json!("again"), &json!(200))
        );
    }
    // Nothing else came of it.
    assert!(client.heard().await.is_empty());
}

#[sqlx::test]
async fn bodies_that_make_no_sense_are_refused_and_nothing_comes_of_them(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut client = server.socket("mallory").await;
    let deep = "[".repeat(200_000);
    let closed = format!("{{\"a\":{}{}}}", "[".repeat(90_000), "]".repeat(90_000));
    let number = format!("{{\"correlation_id\":{}}}", "1".repeat(200_000));
    let wishes = vec!["{\"object_sid\":\"\"}"; 9_000].join(",");
    let many = format!("{{\"action\":\"cancel\",\"requests\":[{wishes}]}}");
    for (what, body, answer) in [
        ("deep", deep.as_str(), 400),
        ("deep and closed", closed.as_str(), 400),
        ("a long number", number.as_str(), 400),
        ("a NUL", "{\"action\":\"cancel\0\"}", 400),
        (
            "a NUL that is spelled out",
            r#"{"action":"cancel","x":"\u0000"}"#,
            400,
        ),
        ("half a letter", r#"{"action":"\ud800"}"#, 400),
        ("thousands of wishes", many.as_str(), 200),
    ] {
        let (status, body) = client.ask_with("POST", "/v4/Subscriptions", body).await;
        assert_eq!(status, answer, "{what}: {body}");
    }
    let heard = client.heard().await;
    assert!(heard.len() <= 100, "{} answers to one request", heard.len());
    let (status, _) = client
        .ask("GET", "/Client/v2/Configuration", Value::Null)
        .await;
    assert_eq!(status, 200);
}
