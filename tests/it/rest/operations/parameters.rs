//! Every parameter of every operation: missing, empty, too long, of another type. What is refused changes nothing.

use std::collections::BTreeSet;

use sqlx::PgPool;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::document::{Holds, Operation, Param};
use super::facts;
use super::world::{Stage, World};
use crate::rest::codes;
use crate::support::{Answer, Carries, Credentials};

/// Values that a parameter must not take.
fn bad(param: &Param) -> Vec<String> {
    let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
    match &param.holds {
        Holds::Text(None) => Vec::new(),
        Holds::Text(Some(most)) => vec!["x".repeat(most + 1), "ü".repeat(most + 1)],
        Holds::Sid(prefix) => {
            let digits = "0123456789abcdef0123456789abcdef";
            vec![
                "x".to_owned(),
                format!("{prefix}1"),
                format!("ZZ{digits}"),
                format!("{prefix}{digits}0"),
                format!("{prefix}{}", digits.replace('a', "g")),
            ]
        }
        Holds::Boolean => texts(&["maybe", "1", "yes"]),
        Holds::Integer => texts(&["x", "1.5", "99999999999999999999", "0x10"]),
        Holds::Moment => texts(&["yesterday", "2024-13-01", "2024-02-30T00:00:00Z", "12345"]),
        Holds::Duration => texts(&["soon", "PT", "-PT1H", "P", "10"]),
        Holds::Json => texts(&["{", "{\"a\":}", "nul"]),
        Holds::Url => texts(&[
            "nowhere",
            "javascript:alert(1)",
            "ftp://a.example/",
            "http://",
            "//a.example/",
        ]),
        Holds::Word => texts(&["nonsense", "null"]),
    }
}

/// Values that may be taken or refused, but never break anything.
fn odd(operation: &Operation) -> Vec<String> {
    let most = if operation.method == "GET" {
        7_000
    } else {
        40_000
    };
    vec![
        String::new(),
        " ".to_owned(),
        "+262142-12-31T23:59:59Z".to_owned(),
        "0001-01-01".to_owned(),
        "-9223372036854775808".to_owned(),
        "null".to_owned(),
        "☂ \u{202e}\u{0301}'; drop table users; -- \\ \" %s {0}".to_owned(),
        "[".repeat(2_000),
        "x".repeat(most),
    ]
}

#[sqlx::test]
async fn what_cannot_be_accepted_is_refused_and_changes_nothing(pool: PgPool) {
    let stage = Stage::open(&pool).await;
    let owner = Credentials::owner();
    let known = codes::all();
    for world in [
        stage.default_world(&owner).await,
        stage.named_world(&owner).await,
    ] {
        let mut before = stage.snapshot(&world).await;
        for operation in stage.of_conversations() {
            let Some(path) = world.path(operation) else {
                continue;
            };
            for param in &operation.params {
                if facts::lenient(&param.name) {
                    continue;
                }
                let mut values: Vec<Option<String>> = bad(param).into_iter().map(Some).collect();
                values.push(Some("a\0b".to_owned()));
                if param.required {
                    values.extend([None, Some(String::new())]);
                }
                for value in values {
                    let answer =
                        ask(&stage, &world, operation, &path, param, value.as_deref()).await;
                    let shown: String = value.unwrap_or_default().chars().take(60).collect();
                    let what = format!(
                        "{} {path} {}={shown}: {}",
                        operation.method, param.name, answer.body
                    );
                    let what: String = what.chars().take(400).collect();
                    assert!(answer.status.is_client_error(), "{what}");
                    assert!(known.contains(&answer.code()), "{what}");
                }
            }
            if operation.method != "GET" {
                let after = stage.snapshot(&world).await;
                assert_eq!(
                    before, after,
                    "{} {path} did half of what it refused",
                    operation.method
                );
                before = after;
            }
        }
    }
    stage.server.stop().await;
}

#[sqlx::test]
async fn odd_values_are_taken_or_refused_but_break_nothing(pool: PgPool) {
    let stage = Stage::open(&pool).await;
    let owner = Credentials::owner();
    let known = codes::all();
    let mut statuses = BTreeSet::new();
    for world in [
        stage.default_world(&owner).await,
        stage.named_world(&owner).await,
    ] {
        for operation in &stage.operations {
            let Some(path) = world.path(operation) else {
                continue;
            };
            for param in &operation.params {
                for value in odd(operation) {
                    let answer = ask(&stage, &world, operation, &path, param, Some(&value)).await;
                    let shown: String = value.chars().take(60).collect();
                    let what = format!(
                        "{} {path} {}={shown}: {}",
                        operation.method, param.name, answer.body
                    );
                    let taken = answer.status.is_success();
                    assert!(taken || answer.status.is_client_error(), "{what}");
                    assert!(taken || known.contains(&answer.code()), "{what}");
                    statuses.insert(answer.status.as_u16());
                }
            }
        }
    }
    // Proof that the values reach what they should.
    assert!(
        statuses.is_superset(&[200, 201, 400].into()),
        "{statuses:?}"
    );
    stage.server.stop().await;
}

/// A good request but for one parameter.
async fn ask(
    stage: &Stage,
    world: &World,
    operation: &Operation,
    path: &str,
    param: &Param,
    value: Option<&str>,
) -> Answer {
    let mut fields = match facts::good(operation, world) {
        Carries::Fields(fields) => fields,
        _ => Vec::new(),
    };
    for (name, value) in facts::beside(&param.name, world) {
        fields.retain(|(other, _)| *other != name);
        fields.push((name, value));
    }
    fields.retain(|(name, _)| *name != param.name);
    if let Some(value) = value {
        fields.push((param.name.clone(), value.to_owned()));
    }
    let fields = Carries::Fields(fields);
    stage
        .server
        .ask(Some(&world.who), &operation.method, path, &fields)
        .await
}

#[sqlx::test]
async fn bodies_over_a_mebibyte_are_refused_unread(pool: PgPool) {
    let stage = Stage::open(&pool).await;
    let owner = Credentials::owner();
    let world = stage.default_world(&owner).await;
    let before = stage.snapshot(&world).await;
    for operation in stage
        .operations
        .iter()
        .filter(|it| it.method == "POST" && !it.path.starts_with("/mcs/") && !it.params.is_empty())
    {
        let Some(path) = world.path(operation) else {
            continue;
        };
        let address = stage.server.url("").replace("http://", "");
        let mut stream = TcpStream::connect(&address).await.expect("a connection");
        let request = stage
            .server
            .request(operation.method.clone(), &path)
            .build()
            .expect("a request");
        let credentials = request.headers()["authorization"].to_str().expect("text");
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {credentials}\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            1024 * 1024 + 1
        );
        stream.write_all(head.as_bytes()).await.expect("written");
        let mut answer = Vec::new();
        // However the connection ends, the answer came before anything of the body was sent.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 413"), "{path}: {answer}");
        assert!(answer.contains("\"code\":20413"), "{path}: {answer}");
    }
    assert_eq!(before, stage.snapshot(&world).await);
    stage.server.stop().await;
}
