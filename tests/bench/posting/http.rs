//! The load: keep-alive clients that know just enough HTTP to cost little.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::support::cluster::{ACCOUNT_SID, AUTH_TOKEN, Result};

/// What a load measured.
pub struct Load {
    pub latencies: Vec<Duration>,
    pub took: Duration,
}

/// One keep-alive connection.
struct Client {
    stream: TcpStream,
    answer: Vec<u8>,
}

fn request(address: &str, path: &str, form: &str) -> Vec<u8> {
    let credentials = STANDARD.encode(format!("{ACCOUNT_SID}:{AUTH_TOKEN}"));
    format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {credentials}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .into_bytes()
}

impl Client {
    async fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            answer: vec![0; 16 * 1024],
        })
    }

    /// Sends a request and reads its answer, which must be 201; answers the body's place in the buffer.
    async fn ask(&mut self, request: &[u8]) -> Result<std::ops::Range<usize>> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.answer[filled..]).await?;
            if read == 0 {
                return Err("the server closed a connection".into());
            }
            filled += read;
            let Some(end) = find(&self.answer[..filled], b"\r\n\r\n") else {
                continue;
            };
            let head = std::str::from_utf8(&self.answer[..end])?;
            if !head.starts_with("HTTP/1.1 201") {
                return Err(format!("refused: {head}").into());
            }
            let length = head
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.lines().next());
            let body = end + 4;
            let whole = body
                + length
                    .ok_or("an answer without a length")?
                    .trim()
                    .parse::<usize>()?;
            if filled >= whole {
                return Ok(body..whole);
            }
        }
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// Creates conversations; answers the paths of their messages.
pub async fn conversations(address: &str, count: usize) -> Result<Vec<String>> {
    let mut client = Client::connect(address).await?;
    let new = request(address, "/v1/Conversations", "");
    let mut paths = Vec::with_capacity(count);
    for _ in 0..count {
        let body = client.ask(&new).await?;
        let made: serde_json::Value = serde_json::from_slice(&client.answer[body])?;
        let sid = made["sid"].as_str().ok_or("a conversation without a SID")?;
        paths.push(format!("/v1/Conversations/{sid}/Messages"));
    }
    Ok(paths)
}

/// Posts messages with `clients` connections for a while, each after the other's answer.
pub async fn load(
    address: &str,
    paths: &[String],
    clients: usize,
    length: Duration,
) -> Result<Load> {
    let form = format!("Author=bench&Body={}", "x".repeat(300));
    let requests: std::rc::Rc<Vec<Vec<u8>>> = std::rc::Rc::new(
        paths
            .iter()
            .map(|path| request(address, path, &form))
            .collect(),
    );
    let begun = Instant::now();
    let tasks = LocalSet::new();
    let running: Vec<_> = (0..clients)
        .map(|number| {
            let (requests, address) = (requests.clone(), address.to_owned());
            tasks.spawn_local(async move {
                let mut client = Client::connect(&address).await.map_err(|e| e.to_string())?;
                let mut latencies = Vec::new();
                // Each client walks the conversations with its own stride, so that they meet by chance only.
                let mut at = number * 37;
                while begun.elapsed() < length {
                    let sent = Instant::now();
                    client
                        .ask(&requests[at % requests.len()])
                        .await
                        .map_err(|e| e.to_string())?;
                    latencies.push(sent.elapsed());
                    at += 2 * number + 1;
                }
                Ok::<_, String>(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::new();
    tasks
        .run_until(async {
            for task in running {
                latencies.extend(task.await??);
            }
            Ok::<_, Box<dyn std::error::Error>>(())
        })
        .await?;
    Ok(Load {
        latencies,
        took: begun.elapsed(),
    })
}
