//! A websocket client that costs little: what is measured is the server, on the same cores.
//!
//! It masks with zeros, which is a mask like any other, and hands out frames as slices of what was read.

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::cluster::Result;

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// One websocket.
pub struct Wire {
    stream: TcpStream,
    read: BytesMut,
    pongs: Vec<u8>,
}

impl Wire {
    pub async fn open(address: &str, path: &str) -> Result<Self> {
        Self::open_with(address, path, "").await
    }

    /// Opens with further lines in the request, each with its end.
    pub async fn open_with(address: &str, path: &str, lines: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{lines}\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut read = BytesMut::with_capacity(1024);
        let end = loop {
            if stream.read_buf(&mut read).await? == 0 {
                return Err("closed instead of an upgrade".into());
            }
            if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        if !read.starts_with(b"HTTP/1.1 101") {
            return Err(String::from_utf8_lossy(&read).into());
        }
        read.advance(end);
        Ok(Self {
            stream,
            read,
            pongs: Vec::new(),
        })
    }

    /// The next message that was read whole.
    pub fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let Some((kind, start, length)) = head(&self.read) else {
                return Ok(None);
            };
            if self.read.len() < start + length {
                return Ok(None);
            }
            self.read.advance(start);
            let message = self.read.split_to(length).freeze();
            match kind {
                TEXT | BINARY => return Ok(Some(message)),
                PING => frame_as(PONG, &message, &mut self.pongs),
                _ => return Err("the server closed a connection".into()),
            }
        }
    }

    /// Reads what is there, or waits until something is.
    pub async fn fill(&mut self) -> Result<()> {
        if !self.pongs.is_empty() {
            self.stream.write_all(&self.pongs).await?;
            self.pongs.clear();
        }
        self.read.reserve(4096);
        match self.stream.read_buf(&mut self.read).await? {
            0 => Err("the server closed a connection".into()),
            _ => Ok(()),
        }
    }

    /// Waits for the next message.
    pub async fn hear(&mut self) -> Result<Bytes> {
        loop {
            if let Some(message) = self.next()? {
                return Ok(message);
            }
            self.fill().await?;
        }
    }

    /// Sends messages that were framed.
    pub async fn write(&mut self, framed: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(framed).await?)
    }
}

/// Kind, place and length of a frame's content.
fn head(read: &[u8]) -> Option<(u8, usize, usize)> {
    let (kind, short) = (*read.first()?, usize::from(*read.get(1)?));
    match short {
        126 => {
            let length = read.get(2..4)?;
            Some((
                kind,
                4,
                usize::from(u16::from_be_bytes([length[0], length[1]])),
            ))
        }
        127 => {
            let length: [u8; 8] = read.get(2..10)?.try_into().ok()?;
            Some((kind, 10, usize::try_from(u64::from_be_bytes(length)).ok()?))
        }
        short => Some((kind, 2, short)),
    }
}

/// Appends a binary message, as it is sent.
pub fn frame(message: &[u8], out: &mut Vec<u8>) {
    frame_as(BINARY, message, out);
}

/// Appends a text message, as it is sent.
pub fn frame_text(message: &str, out: &mut Vec<u8>) {
    frame_as(TEXT, message.as_bytes(), out);
}

fn frame_as(kind: u8, message: &[u8], out: &mut Vec<u8>) {
    const MASKED: u8 = 0x80;
    out.push(kind);
    match message.len() {
        short @ 0..=125 => out.push(MASKED | short as u8),
        middle @ 126..=0xffff => {
            out.push(MASKED | 126);
            out.extend((middle as u16).to_be_bytes());
        }
        long => {
            out.push(MASKED | 127);
            out.extend((long as u64).to_be_bytes());
        }
    }
    out.extend([0; 4]);
    out.extend(message);
}
