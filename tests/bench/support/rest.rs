//! REST by keep-alive clients that know just enough HTTP to cost little.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::cluster::{ACCOUNT_SID, AUTH_TOKEN, Result};

/// One keep-alive connection.
pub struct Client {
    stream: TcpStream,
    answer: Vec<u8>,
}

/// A request, as it is sent.
pub fn request(address: &str, path: &str, form: &str) -> Vec<u8> {
    let credentials = STANDARD.encode(format!("{ACCOUNT_SID}:{AUTH_TOKEN}"));
    format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {credentials}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .into_bytes()
}

impl Client {
    pub async fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            answer: vec![0; 16 * 1024],
        })
    }

    /// Creates something; answers what was made.
    pub async fn create(&mut self, address: &str, path: &str, form: &str) -> Result<Value> {
        let body = self.ask(&request(address, path, form)).await?;
        Ok(serde_json::from_slice(&self.answer[body])?)
    }

    /// Sends a request and reads its answer, which must be a success; answers the body's place in the buffer.
    pub async fn ask(&mut self, request: &[u8]) -> Result<std::ops::Range<usize>> {
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
            if !head.starts_with("HTTP/1.1 2") {
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
