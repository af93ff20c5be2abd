//! The websocket under the frames.
//!
//! The handshake, reading and control messages are tungstenite's. What clients are told goes past its buffer to write,
//! which would stay as long as the longest message so far and was more than a third of what an idle connection held. A
//! message is put into its envelope once, however many hear it, and is written to each of their sockets without a copy.

use std::collections::VecDeque;
use std::io::IoSlice;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CONNECTION, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::response::{IntoResponse, Response};
use bytes::{Buf, BufMut as _, Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError, Result};
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

use super::ration::Rationed;

pub use tokio_tungstenite::tungstenite::Message;
pub use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// What is read from a socket at once. Most frames are small, and most sockets are silent.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// The answer to a request that asks for a websocket.
///
/// # Errors
/// It does not ask for it as RFC 6455, section 4.2 says: answered 426 with what would be right, or 400.
pub fn shake_hands(request: &Request) -> Result<Response, Refusal> {
    create_response_with_body(request, Default::default).map_err(Refusal)
}

/// Why a request does not become a websocket.
#[derive(Debug)]
pub struct Refusal(Error);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let words = format!("this is the address of a websocket: {}\n", self.0);
        if let Error::Protocol(ProtocolError::MissingSecWebSocketKey) = self.0 {
            return (StatusCode::BAD_REQUEST, words).into_response();
        }
        let wanted = [
            (CONNECTION, "Upgrade"),
            (UPGRADE, "websocket"),
            (SEC_WEBSOCKET_VERSION, "13"),
        ];
        (StatusCode::UPGRADE_REQUIRED, wanted, words).into_response()
    }
}

/// A binary message as it is on the wire, made once for all who are sent it.
#[derive(Debug, Clone)]
pub struct Packet(Bytes);

impl Packet {
    /// The message that `parts` are together.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let header = FrameHeader {
            opcode: OpCode::Data(Data::Binary),
            ..FrameHeader::default()
        };
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let envelope = header.len(length as u64);
        let mut bytes = BytesMut::with_capacity(envelope + length).writer();
        // Memory takes all that is written into it.
        let _ = header.format(length as u64, &mut bytes);
        let mut bytes = bytes.into_inner();
        for part in parts {
            bytes.put_slice(part);
        }
        Self(bytes.freeze())
    }

    /// How many bytes it has on the wire.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The message, as whoever is sent it reads it.
    #[cfg(test)]
    pub fn message(&self) -> Bytes {
        let mut wire = std::io::Cursor::new(&self.0);
        let (_, length) = FrameHeader::parse(&mut wire)
            .expect("an envelope")
            .expect("all of it");
        let start = usize::try_from(wire.position()).expect("a length");
        assert_eq!(
            self.0.len() - start,
            usize::try_from(length).expect("a length")
        );
        self.0.slice(start..)
    }
}

/// A client's websocket.
#[derive(Debug)]
pub struct WebSocket(WebSocketStream<Rationed<TokioIo<Upgraded>>>);

impl WebSocket {
    /// Speaks on a connection that was upgraded. A message of more than `most` bytes ends it, and much less as long as
    /// nobody has [signed in](Self::trust).
    pub async fn on(upgraded: Upgraded, most: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .max_message_size(Some(most))
            .max_frame_size(Some(most));
        let io = Rationed::new(TokioIo::new(upgraded));
        Self(WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await)
    }

    /// Takes messages of full length from now on.
    pub fn trust(&mut self) {
        self.0.get_mut().lift();
    }

    /// The next message; none when the client is gone, or has said what no websocket says. A goodbye is answered. May be
    /// dropped and called again without a loss.
    pub async fn read(&mut self) -> Option<Message> {
        let message = self.0.next().await?.ok()?;
        if message.is_close() {
            // The answer waits for whatever is read next, which is nothing.
            let _ = self.0.flush().await;
        }
        Some(message)
    }

    /// Writes messages in as few writes as can be. When this is dropped before it is done, or fails, nothing else may be
    /// written: the client may have had a part of one.
    ///
    /// # Errors
    /// The client is gone.
    pub async fn write(&mut self, packets: impl IntoIterator<Item = Packet>) -> Result<()> {
        // Answers to pings may be waiting.
        self.0.flush().await?;
        let mut queue = Queue(packets.into_iter().map(|packet| packet.0).collect());
        let wire = self.0.get_mut();
        wire.write_all_buf(&mut queue).await?;
        wire.flush().await?; // an encrypted stream may keep some back
        Ok(())
    }

    /// Asks the client for a sign of life.
    ///
    /// # Errors
    /// The client is gone.
    pub async fn ping(&mut self) -> Result<()> {
        self.0.send(Message::Ping(Bytes::new())).await
    }

    /// Says goodbye, if the client has not; with a reason or without.
    ///
    /// # Errors
    /// The client is gone.
    pub async fn close(&mut self, why: Option<(CloseCode, &'static str)>) -> Result<()> {
        let frame = why.map(|(code, reason)| CloseFrame {
            code,
            reason: reason.into(),
        });
        self.0.close(frame).await
    }
}

/// What is left to write.
struct Queue(VecDeque<Bytes>);

impl Buf for Queue {
    fn remaining(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    fn has_remaining(&self) -> bool {
        !self.0.is_empty()
    }

    fn chunk(&self) -> &[u8] {
        self.0.front().map_or(&[], |first| first)
    }

    fn chunks_vectored<'a>(&'a self, into: &mut [IoSlice<'a>]) -> usize {
        let pairs = into.iter_mut().zip(&self.0);
        pairs
            .map(|(slice, bytes)| *slice = IoSlice::new(bytes))
            .count()
    }

    fn advance(&mut self, mut count: usize) {
        while let Some(first) = self.0.front_mut() {
            if count < first.len() {
                first.advance(count);
                return;
            }
            count -= first.len();
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_envelope_fits_its_message() {
        for length in [0, 1, 125, 126, 0xffff, 0x1_0000] {
            let message = vec![b'x'; length];
            let packet = Packet::of(&[&message[..length / 3], &message[length / 3..]]);
            assert_eq!(packet.message(), message);
        }
    }

    proptest! {
        #[test]
        fn a_queue_hands_out_all_in_order(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..9), 0..9),
            steps in prop::collection::vec(1_usize..20, 100),
        ) {
            let all = pieces.concat();
            let mut queue = Queue(pieces.into_iter().map(Bytes::from).collect());
            let mut written = Vec::new();
            for step in steps {
                let mut slices = [IoSlice::new(&[]); 3];
                let filled = queue.chunks_vectored(&mut slices);
                let seen = slices[..filled].iter().flat_map(|slice| slice.iter().copied()).collect::<Vec<_>>();
                prop_assert!(seen.starts_with(queue.chunk()));
                prop_assert_eq!(queue.has_remaining(), queue.remaining() > 0);
                let step = step.min(seen.len());
                written.extend(&seen[..step]);
                queue.advance(step);
                prop_assert_eq!(written.len() + queue.remaining(), all.len());
            }
            prop_assert!(all.starts_with(&written));
            prop_assert!(!queue.has_remaining() || written.len() < all.len());
        }
    }
}
