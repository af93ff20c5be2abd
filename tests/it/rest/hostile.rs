//! What strangers can send: never a fault of ours, never half a change.

use std::io::ErrorKind;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::poll_fn;
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::support::{TestServer, wait};

const FORM: &str = "application/x-www-form-urlencoded";
/// The account and its auth token.
const CREDENTIALS: &str =
    "QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTp0ZXN0MGF1dGgwdG9rZW4wdGVzdDBhdXRoMHRva2VuMA==";
/// Less than after what time a connection with half a header is closed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends bytes as they are; answers what comes until the server closes.
async fn say(server: &TestServer, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address())
        .await
        .expect("a connection");
    stream.write_all(bytes).await.expect("written");
    let mut answer = Vec::new();
    let reading = timeout(PATIENCE, stream.read_to_end(&mut answer));
    // Closed with bytes unread is an error here, and a close all the same.
    let _ = reading.await.expect("closed in time");
    String::from_utf8_lossy(&answer).into_owned()
}

#[sqlx::test]
async fn bodies_that_cannot_be_stored(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let messages = format!("{}/Messages", server.conversation(&[]).await);
    for (kind, body) in [
        (FORM, b"Body=%00".to_vec()),
        (FORM, b"Body=%ff%fe".to_vec()),
        (FORM, b"Body=\xc3\x28".to_vec()),
        (FORM, b"%00=x".to_vec()),
        ("application/json", b"{\"Body\":\"x\"}".to_vec()),
        ("text/plain", b"Body=x".to_vec()),
        ("\u{7f}", b"Body=x".to_vec()),
    ] {
        let request = server
            .request(Method::POST, &messages)
            .header("content-type", kind.as_bytes())
            .body(body);
        let Ok(answer) = request.send().await else {
            continue;
        };
        assert_eq!(answer.status(), 400, "{kind}");
        let body: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!(body["code"], 20422);
    }
    let listed = server.get(&messages).await.with(200);
    assert_eq!(listed["messages"], json!([]));
    // No content type at all counts as a form.
    let plain = server
        .request(Method::POST, &messages)
        .body("Body=x")
        .send()
        .await
        .expect("an answer");
    assert_eq!(plain.status(), 201);
    server.stop().await;
}

#[sqlx::test]
async fn bodies_that_are_too_large_are_refused_before_they_are_read(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let messages = format!("{}/Messages", server.conversation(&[]).await);
    let address = server.url("").replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.expect("a connection");
    let head = format!(
        "POST {messages} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {CREDENTIALS}\r\n\
         Content-Type: {FORM}\r\nContent-Length: 10000000000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    let mut answer = vec![0; 16];
    stream
        .read_exact(&mut answer)
        .await
        .expect("an answer without a body having been sent");
    assert!(
        answer.starts_with(b"HTTP/1.1 413"),
        "{}",
        String::from_utf8_lossy(&answer)
    );

    // One that does not say how long it is gets no further than the limit.
    let chunks =
        futures_util::stream::iter((0..40).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 64 * 1024])));
    let body = reqwest::Body::wrap_stream(chunks);
    let sent = server
        .request(Method::POST, &messages)
        .header("content-type", FORM)
        .body(body)
        .send()
        .await;
    if let Ok(answer) = sent {
        assert_eq!(answer.status(), 413);
    }
    assert_eq!(server.get(&messages).await.with(200)["messages"], json!([]));
    server.stop().await;
}

#[sqlx::test]
async fn headers_that_are_too_long_are_refused_before_they_end(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let begin = "GET /v1/Conversations HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ";
    let long = "x".repeat(30 * 1024);
    let answer = say(&server, format!("{begin}{long}\r\n\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    for too_long in [format!("{long}\r\nY: {long}"), long.repeat(3)] {
        let answer = say(&server, format!("{begin}{too_long}").as_bytes()).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
            "{answer}"
        );
    }
    server.stop().await;
}

#[sqlx::test]
async fn bodies_that_do_not_come_are_not_waited_for(pool: PgPool) {
    let server = TestServer::start_with(&pool, &[("CONVOKE_BODY_SECONDS", "1")]).await;
    let service = server.default_service().await;
    let media = format!("/v1/Services/{service}/Media");
    // An upload has more time: half of it before all of the others, half of it after them.
    let (halves, mut read) = mpsc::channel(1);
    let uploaded = poll_fn(move |context| read.poll_recv(context));
    let upload = server
        .request(Method::POST, &media)
        .header("content-type", "text/plain")
        .body(reqwest::Body::wrap_stream(uploaded))
        .send();
    let upload = tokio::spawn(upload);
    let half = || Ok::<_, std::io::Error>("half");
    halves.send(half()).await.expect("it is read");

    let key = "\r\nIdempotency-Key: slow";
    let json = "application/json";
    let all = [
        ("POST", "/v1/Conversations", FORM, ""),
        ("POST", "/v1/Conversations", FORM, key),
        ("POST", "/v1/Configuration", FORM, ""),
        ("POST", "/v1/Content", json, ""),
        ("POST", &format!("{media}Set"), json, ""),
        ("PUT", "/v1/simulator/handsets/%2B15558675310", json, ""),
    ];
    join_all(all.map(async |(method, path, kind, more)| {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {CREDENTIALS}\r\n\
             Content-Type: {kind}\r\nContent-Length: 100{more}\r\n\r\n"
        );
        let answer = say(&server, format!("{head}F").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{path}: {answer}");
        for part in ["20422", "did not come in time"] {
            assert!(answer.contains(part), "{path}: {answer}");
        }
    }))
    .await;
    let listed = server.get("/v1/Conversations").await.with(200);
    assert_eq!(listed["conversations"], json!([]));

    halves.send(half()).await.expect("it is read");
    drop(halves);
    let uploaded = upload.await.expect("it ends").expect("an answer");
    assert_eq!(uploaded.status(), 201);
    server.stop().await;
}

/// A connection that asks for so many long answers, of which no more than a little waits on this side.
async fn ask_much(server: &TestServer, answers: usize, buffer: u32) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(buffer).expect("a small buffer");
    let connected = socket.connect(server.address()).await;
    let mut stream = connected.expect("a connection");
    let request = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n";
    let all = format!("{request}\r\n").repeat(answers - 1);
    let all = format!("{all}{request}Connection: close\r\n\r\n");
    stream.write_all(all.as_bytes()).await.expect("written");
    stream
}

#[sqlx::test]
async fn who_does_not_read_is_closed_and_who_reads_slowly_is_not(pool: PgPool) {
    let server = TestServer::start_with(&pool, &[("CONVOKE_STALL_SECONDS", "1")]).await;
    // Somebody who is sent nothing for longer than that.
    let mut idle = server.socket("alice").await;
    let answer = server.http.get(server.url("/openapi.json")).send().await;
    let length = answer.expect("an answer").bytes().await.expect("it").len();
    // More than the kernel takes off the server's hands, and than is read slowly meanwhile.
    let answers = 24 * 1024 * 1024 / length;

    let deaf = ask_much(&server, answers, 4 * 1024).await;
    let mut slow = ask_much(&server, answers, 64 * 1024).await;
    let (mut piece, mut read) = (vec![0; 64 * 1024], 0);
    wait::until("who reads nothing is closed", async || {
        read += slow.read(&mut piece).await.expect("it is served");
        // An empty line, which is passed over, as long as there is somebody to say it to.
        let said = deaf.try_write(b"\r\n");
        said.is_err_and(|error| error.kind() != ErrorKind::WouldBlock)
    })
    .await;
    assert!(read < answers * length, "it was slow");
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).await.expect("it is served");
    assert!(read + rest.len() > answers * length, "all came");
    assert!(idle.heard().await.is_empty());
    server.stop().await;
}

#[sqlx::test]
async fn odd_paths_name_nothing(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    for path in [
        "/v1/Conversations/%00",
        "/v1/Conversations/%ff",
        "/v1/Conversations/%",
        "/v1/Conversations/%zz",
        "/v1/Conversations/CH123",
        "/v1/Conversations/IM00000000000000000000000000000001",
        "/v1/Conversations/a%2Fb",
        "/v1/Conversations/%27%3B%20drop%20table%20users",
        "/v1//Conversations",
        "/v1/Users/%00",
        "/v1/Roles/xyz",
        "/conversations/conversations/v1/Conversations/nobody/",
    ] {
        assert_eq!(server.get(path).await.refused(404), 20404, "{path}");
    }
    // What libraries do to paths is forgiven: a slash at the end, the product's name in front, as often as they like.
    for path in [
        "/v1/Conversations/",
        "/conversations/v1/Conversations",
        "/conversations/conversations/v1/Conversations",
    ] {
        let listed = server.get(path).await.with(200);
        assert_eq!(listed["conversations"], json!([]), "{path}");
    }
    let identity = "a/b?c#d+e%f&g=h ☂";
    server
        .post("/v1/Users", &[("Identity", identity)])
        .await
        .with(201);
    let path = format!("/v1/Users/{}", "a%2Fb%3Fc%23d+e%25f%26g%3Dh%20%E2%98%82");
    assert_eq!(server.get(&path).await.with(200)["identity"], identity);
    server.stop().await;
}

#[sqlx::test]
async fn links_point_where_the_request_came_from(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let fetch = async |headers: &[(&str, &str)]| {
        let mut request = server.request(Method::GET, "/v1/Conversations");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body: serde_json::Value = request
            .send()
            .await
            .expect("an answer")
            .json()
            .await
            .expect("JSON");
        body["meta"]["first_page_url"]
            .as_str()
            .expect("a link")
            .to_owned()
    };
    assert!(
        fetch(&[("host", "talk.example:8443")])
            .await
            .starts_with("http://talk.example:8443/v1/")
    );
    // The test comes from loopback, which is a trusted proxy.
    let forwarded = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "talk.example"),
    ];
    assert!(
        fetch(&forwarded)
            .await
            .starts_with("https://talk.example/v1/")
    );
    let evil = [
        ("x-forwarded-host", "evil.example/path?x="),
        ("x-forwarded-proto", "javascript"),
    ];
    assert!(fetch(&evil).await.starts_with(&server.url("/v1/")));
    server.stop().await;
}
