//! Idle: what a silent SDK connection costs, and how long a start takes.
//!
//! Opens many connections that do what the SDK does when it starts (sign in, read the configuration, open the two maps of
//! its user and follow them) and then say nothing; the growth of the server's resident memory, divided by their number,
//! is the cost of one. Needs `ulimit -n` above twice their number, in the server too.
//!
//! `cargo bench --bench idle -- --connections 2000`

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[path = "../support/mod.rs"]
mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::{SinkExt as _, StreamExt as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use support::cluster::{ACCOUNT_SID, API_KEY_SECRET, API_KEY_SID, Postgres, Result, Server};
use support::machine::{facts, rss_kib};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn main() -> Result<()> {
    let mut connections = 2000;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--connections" {
            connections = arguments.next().ok_or("how many connections?")?.parse()?;
        }
    }
    let postgres = Postgres::start()?;
    println!("{}\n", facts(&postgres)?);
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path(), Some(&postgres))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // What the first connections cost once (pools, caches) is no connection's cost.
        let warm = open(&server, "warm", 100).await?;
        let before = rss_kib(server.pid());
        let silent = open(&server, "user", connections).await?;
        let after = rss_kib(server.pid());
        let each = after.saturating_sub(before) as f64 / silent.len() as f64;
        println!("{} idle connections: {before} KiB before, {after} KiB after: {each:.1} KiB a connection", silent.len());
        drop(warm);
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    drop(server);

    let embedded = tempfile::Builder::new().prefix("convoke-idle-").tempdir()?;
    std::fs::set_permissions(
        embedded.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )?;
    let fresh = Server::start(embedded.path(), None)?.ready_after;
    let again = Server::start(embedded.path(), None)?.ready_after;
    println!(
        "start to ready: {:.2} s on a fresh cluster, {:.2} s on an existing one",
        fresh.as_secs_f64(),
        again.as_secs_f64()
    );
    Ok(())
}

async fn open(server: &Server, name: &str, count: usize) -> Result<Vec<Socket>> {
    let mut sockets = Vec::with_capacity(count);
    for number in 0..count {
        sockets.push(start(&server.address, &format!("{name}{number}")).await?);
    }
    Ok(sockets)
}

/// Does what the SDK does when it starts.
async fn start(address: &str, identity: &str) -> Result<Socket> {
    let (mut socket, _) = connect_async(format!("ws://{address}/v3/wsconnect")).await?;
    let init =
        json!({ "id": "TM0", "method": "init", "token": token(identity)?, "payload_size": 0 });
    send(&mut socket, &init, "").await?;
    hear(&mut socket).await?;
    let configuration = ask(
        &mut socket,
        "GET",
        "/Client/v2/Configuration",
        json!({}),
        "",
    )
    .await?;
    let mut requests = Vec::new();
    for (name, include) in [
        ("my_conversations", json!({})),
        ("my_user_info", json!({ "Include": "items" })),
    ] {
        let object = configuration["sync_objects"][name]
            .as_str()
            .ok_or("a sync object")?
            .to_owned();
        let map = ask(
            &mut socket,
            "GET",
            &format!("/v3/Maps/{object}"),
            include,
            "",
        )
        .await?;
        requests.push(json!({ "object_sid": map["sid"], "object_type": "map", "last_event_id": map["last_event_id"] }));
    }
    let wishes = json!({ "event_protocol_version": 4, "action": "establish", "correlation_id": 1, "requests": requests });
    ask(
        &mut socket,
        "POST",
        "/v4/Subscriptions",
        json!({}),
        &wishes.to_string(),
    )
    .await?;
    // One answer for each object.
    hear(&mut socket).await?;
    hear(&mut socket).await?;
    Ok(socket)
}

async fn ask(
    socket: &mut Socket,
    method: &str,
    path: &str,
    params: Value,
    payload: &str,
) -> Result<Value> {
    let header = json!({
        "id": "TM1", "method": "message", "active_grant": "ip_messaging", "payload_size": payload.len(),
        "payload_type": "application/json",
        "http_request": { "host": "bench", "path": path, "method": method, "params": params, "headers": {} },
    });
    send(socket, &header, payload).await?;
    hear(socket).await
}

async fn send(socket: &mut Socket, header: &Value, payload: &str) -> Result<()> {
    let header = header.to_string();
    let frame = format!("TWILSOCK V3.0 {}\r\n{header}\r\n{payload}", header.len());
    Ok(socket.send(Message::binary(frame.into_bytes())).await?)
}

/// The payload of the next frame.
async fn hear(socket: &mut Socket) -> Result<Value> {
    loop {
        match socket
            .next()
            .await
            .ok_or("the server closed a connection")??
        {
            Message::Binary(bytes) => {
                let text = String::from_utf8(bytes.to_vec())?;
                let payload = text.splitn(3, "\r\n").nth(2).unwrap_or_default();
                return Ok(serde_json::from_str(payload).unwrap_or_default());
            }
            Message::Close(_) => return Err("the server closed a connection".into()),
            _ => {}
        }
    }
}

fn token(identity: &str) -> Result<String> {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)?
        .as_secs();
    let header = json!({ "typ": "JWT", "alg": "HS256", "cty": "twilio-fpa;v=1" });
    let payload = json!({
        "iss": API_KEY_SID, "sub": ACCOUNT_SID, "iat": now, "exp": now + 3600,
        "grants": { "identity": identity, "chat": {} },
    });
    let signed = [header, payload]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
        .join(".");
    let mut mac = Hmac::<Sha256>::new_from_slice(API_KEY_SECRET.as_bytes())?;
    mac.update(signed.as_bytes());
    Ok(format!(
        "{signed}.{}",
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    ))
}
