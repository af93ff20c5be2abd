//! Frames: what the wire looks like.
//!
//! A frame is one binary websocket message: `TWILSOCK V3.0 <H>\r\n`, `H` bytes of header (a JSON object), `\r\n`, and as
//! many bytes of payload as the header's `payload_size` says. All lengths are in bytes. Requests travel in frames of the
//! method `message`, like HTTP in an envelope.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::websocket::Packet;
use crate::domain::UserSid;

const MAGIC: &[u8] = b"TWILSOCK V3.0 ";
const LINE_END: &[u8] = b"\r\n";
/// How many parameters a request may have (our choice: no request knows more than a few).
const MOST_PARAMS: usize = 32;

/// What a client's frame says.
#[derive(Debug, Deserialize)]
pub struct Header {
    /// What an answer repeats.
    #[serde(default)]
    pub id: String,
    /// What is wanted.
    pub method: String,
    /// The access token, of `init` and `update`.
    pub token: Option<String>,
    /// What the last `init` of the same client was answered, of `init`.
    pub continuation_token: Option<String>,
    /// The request, of `message`.
    pub http_request: Option<HttpRequest>,
    #[serde(default)]
    payload_size: usize,
}

/// A request inside a frame.
#[derive(Debug, Deserialize)]
pub struct HttpRequest {
    /// The path, percent-encoded as in a URL.
    pub path: String,
    /// The method.
    pub method: String,
    /// The query, split, with values still percent-encoded. A repeated key is an array on the wire; as no request takes
    /// one, it is left out, like everything else that is no text.
    #[serde(default, deserialize_with = "params")]
    pub params: HashMap<String, String>,
    /// Of the headers only the one that matters.
    #[serde(default)]
    pub headers: Headers,
}

/// The headers of a request inside a frame.
#[derive(Debug, Default, Deserialize)]
pub struct Headers {
    /// The client's own name for a change, so that repeating it is harmless.
    #[serde(rename = "X-Twilio-Mutation-Id")]
    pub mutation_id: Option<String>,
}

/// Keeps the texts, and reads over the rest without making anything of it: small JSON makes large values.
fn params<'de, D: Deserializer<'de>>(from: D) -> Result<HashMap<String, String>, D::Error> {
    struct Texts;

    impl<'de> Visitor<'de> for Texts {
        type Value = HashMap<String, String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of texts")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut texts = HashMap::new();
            while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                if let Ok(text) = serde_json::from_str(value.get()) {
                    texts.insert(name, text);
                }
                if texts.len() > MOST_PARAMS {
                    return Err(A::Error::custom("too many parameters"));
                }
            }
            Ok(texts)
        }
    }

    from.deserialize_map(Texts)
}

/// A frame from a client.
#[derive(Debug)]
pub struct Frame {
    /// What it says.
    pub header: Header,
    /// What it carries.
    pub payload: Bytes,
}

/// The bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoFrame;

/// The header of a message, as text, and what follows it.
fn split(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = message.strip_prefix(MAGIC)?;
    // No header's length has more than nine digits.
    let end = rest.iter().take(10).position(|byte| *byte == b'\r')?;
    let length: usize = std::str::from_utf8(&rest[..end])
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())) // `parse` takes a sign
        .and_then(|text| text.parse().ok())?;
    rest[end..].strip_prefix(LINE_END)?.split_at_checked(length)
}

/// Whether a message acknowledges a notification, as the SDK writes that: every notification brings one and nothing in
/// it is needed, so it is not worth parsing. Written otherwise it is a frame with the method `reply`, to the same end.
#[must_use]
pub fn is_acknowledgement(message: &[u8]) -> bool {
    let after_id = |header: &[u8]| {
        let id = header.strip_prefix(br#"{"id":""#)?;
        let end = id.iter().position(|byte| *byte == b'"')?;
        Some(id[end..].starts_with(br#"","method":"reply","#))
    };
    split(message)
        .and_then(|(header, _)| after_id(header))
        .unwrap_or(false)
}

impl Frame {
    /// Reads a frame. Lengths that lie make it none.
    ///
    /// # Errors
    /// [`NoFrame`].
    pub fn read(message: Bytes) -> Result<Self, NoFrame> {
        let (json, after) = split(&message).ok_or(NoFrame)?;
        let header: Header = serde_json::from_slice(json).map_err(|_| NoFrame)?;
        if header.payload_size == 0 {
            let payload = Bytes::new();
            return match after {
                b"" | LINE_END => Ok(Self { header, payload }),
                _ => Err(NoFrame),
            };
        }
        let payload = after.strip_prefix(LINE_END).ok_or(NoFrame)?;
        if payload.len() != header.payload_size {
            return Err(NoFrame);
        }
        let start = message.len() - payload.len();
        Ok(Self {
            header,
            payload: message.slice(start..),
        })
    }
}

/// The result of a frame, or of the request inside one.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// As in HTTP.
    pub code: u16,
    /// As in HTTP.
    pub status: &'static str,
    /// Why a token was refused.
    #[serde(rename = "errorCode", skip_serializing_if = "Option::is_none")]
    pub error_code: Option<u32>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Status {
    /// A status with its customary word.
    #[must_use]
    pub fn of(code: u16) -> Self {
        let word = axum::http::StatusCode::from_u16(code)
            .ok()
            .and_then(|status| status.canonical_reason());
        Self {
            code,
            status: word.unwrap_or("Unknown"),
            error_code: None,
            description: None,
        }
    }
}

/// The header of a frame from the server.
#[derive(Debug, Serialize)]
struct OutHeader<'a> {
    method: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_headers: Option<HttpHeaders>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_update_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    continuation_token: Option<UserSid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_type: Option<&'a str>,
    payload_size: usize,
}

#[derive(Debug, Serialize)]
struct HttpHeaders {
    #[serde(rename = "Content-Type")]
    content_type: &'static str,
}

const JSON: &str = "application/json";

impl<'a> OutHeader<'a> {
    const fn new(method: &'a str, id: &'a str) -> Self {
        Self {
            method,
            id,
            status: None,
            http_status: None,
            http_headers: None,
            message_type: None,
            client_update_type: None,
            continuation_token: None,
            capabilities: None,
            payload_type: None,
            payload_size: 0,
        }
    }

    fn write(mut self, payload: &[u8]) -> Packet {
        self.payload_size = payload.len();
        self.payload_type = (!payload.is_empty()).then_some(JSON);
        let json = serde_json::to_vec(&self).unwrap_or_default();
        let length = json.len().to_string();
        Packet::of(&[MAGIC, length.as_bytes(), LINE_END, &json, LINE_END, payload])
    }
}

/// Answers a frame that is no request.
#[must_use]
pub fn reply(id: &str, status: &Status) -> Packet {
    OutHeader {
        status: Some(status),
        ..OutHeader::new("reply", id)
    }
    .write(&[])
}

/// Refuses an `init` for now, and tells when to come back.
#[must_use]
pub fn come_back(id: &str, status: &Status, after: Duration) -> Packet {
    let policy = serde_json::json!({ "backoff_policy": { "reconnect_min_ms": after.as_millis() } });
    OutHeader {
        status: Some(status),
        ..OutHeader::new("reply", id)
    }
    .write(policy.to_string().as_bytes())
}

/// Answers an `init` that was good: as whom the client is to come back, and what the server can do beyond the minimum,
/// which is announcing that a token will expire.
#[must_use]
pub fn welcome(id: &str, user: UserSid) -> Packet {
    let status = Status::of(200);
    OutHeader {
        status: Some(&status),
        continuation_token: Some(user),
        capabilities: Some(["client_update"]),
        ..OutHeader::new("reply", id)
    }
    .write(&[])
}

/// Answers a request.
#[must_use]
pub fn respond(id: &str, http_status: u16, body: &[u8]) -> Packet {
    let status = Status::of(200);
    OutHeader {
        status: Some(&status),
        http_status: Some(Status::of(http_status)),
        http_headers: Some(HttpHeaders { content_type: JSON }),
        ..OutHeader::new("reply", id)
    }
    .write(body)
}

/// The kind of notification that carries changes of sync objects.
pub const SYNC_EVENT: &str = "twilio.sync.event";
/// The kind of notification that says who is typing.
pub const TYPING: &str = "twilio.ipmsg.typing_indicator";

/// Tells clients of something. The frame may be sent to many: an id need only be another one than those before it on the
/// same connection, so all of a process are counted together.
#[must_use]
pub fn notify(message_type: &str, payload: &[u8]) -> Packet {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = format!("TM{:032x}", NEXT.fetch_add(1, Ordering::Relaxed));
    OutHeader {
        message_type: Some(message_type),
        ..OutHeader::new("notification", &id)
    }
    .write(payload)
}

/// Tells a client that its token will expire soon.
#[must_use]
pub fn token_about_to_expire(id: &str) -> Packet {
    OutHeader {
        client_update_type: Some("token_about_to_expire"),
        ..OutHeader::new("client_update", id)
    }
    .write(&[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Frame, NoFrame> {
        Frame::read(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn reads_frames_with_and_without_payload() {
        let header = r#"{"id":"TM1","method":"close"}"#;
        let frame = read(&format!("TWILSOCK V3.0 {}\r\n{header}", header.len())).expect("a frame");
        assert_eq!(
            (frame.header.id.as_str(), frame.header.method.as_str()),
            ("TM1", "close")
        );
        let header = r#"{"id":"é","method":"message","payload_size":3}"#;
        let frame = read(&format!(
            "TWILSOCK V3.0 {}\r\n{header}\r\n{{ }}",
            header.len()
        ))
        .expect("a frame");
        assert_eq!(&frame.payload[..], b"{ }");
    }

    #[test]
    fn knows_acknowledgements() {
        let is = |header: &str| {
            let text = format!("TWILSOCK V3.0 {}\r\n{header}\r\n", header.len());
            is_acknowledgement(text.as_bytes())
        };
        assert!(is(
            r#"{"id":"TM1","method":"reply","payload_type":"application/json","status":{"code":200},"payload_size":0}"#
        ));
        assert!(!is(r#"{"id":"TM1","method":"message","payload_size":0}"#));
        assert!(!is(r#"{"id":"TM1","method":"replying","payload_size":0}"#));
        assert!(!is(r#"{"id":"TM1"#));
        assert!(!is_acknowledgement(
            b"TWILSOCK V3.0 99\r\n{\"id\":\"TM1\",\"method\":\"reply\",\"payload_size\":0}"
        ));
    }

    #[test]
    fn refuses_lengths_that_lie() {
        let header = r#"{"id":"TM1","method":"close","payload_size":5}"#;
        for text in [
            String::new(),
            "TWILSOCK V2.0 2\r\n{}".to_owned(),
            format!("TWILSOCK V3.0 {}\r\n{header}", header.len() + 1),
            format!("TWILSOCK V3.0 {}\r\n{header}\r\nabc", header.len()),
            format!("TWILSOCK V3.0 {}\r\n{header}\r\nabcdef", header.len()),
            format!("TWILSOCK V3.0 99999999999999999999\r\n{header}"),
            format!("TWILSOCK V3.0 -1\r\n{header}"),
            format!("TWILSOCK V3.0 +{}\r\n{header}\r\nabcde", header.len()),
            "TWILSOCK V3.0 16\r\n{\"method\":\"ping\"}\r\nabc".to_owned(),
        ] {
            assert!(read(&text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..100), n in 0_usize..200) {
            let _ = Frame::read(Bytes::from(bytes.clone()));
            let mut framed = format!("TWILSOCK V3.0 {n}\r\n").into_bytes();
            framed.extend(bytes);
            let _ = Frame::read(Bytes::from(framed));
        }

        #[test]
        fn never_panics_over_frames_that_were_changed(
            (id, body) in ("\\PC{0,8}", "\\PC{0,40}"),
            changes in prop::collection::vec((0_usize..4, any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let params = serde_json::json!({ "a": "b", "c": ["d", 1], "e": { "f": null } });
            let request = serde_json::json!({ "path": "/x", "method": "GET", "params": params });
            let size = body.len();
            let header = serde_json::json!({ "id": id, "method": "message", "http_request": request, "payload_size": size });
            let header = header.to_string();
            let mut bytes = format!("TWILSOCK V3.0 {}\r\n{header}\r\n{body}", header.len()).into_bytes();
            let untouched = changes.is_empty();
            for (what, place, byte) in changes {
                let place = place.index(bytes.len().max(1)).min(bytes.len());
                match what {
                    0 => bytes.truncate(place),
                    1 => bytes.insert(place, byte),
                    2 => bytes.splice(place..place, [byte; 9]).for_each(drop), // also lengths that are longer
                    _ => {
                        bytes.get_mut(place).into_iter().for_each(|there| *there ^= byte | 1);
                    }
                }
            }
            let bytes = Bytes::from(bytes);
            match Frame::read(bytes.clone()) {
                // What is carried is a piece of the message, not a copy of it.
                Ok(frame) => prop_assert!(frame.payload.is_empty() || bytes.as_ptr_range().contains(&frame.payload.as_ptr())),
                Err(NoFrame) => prop_assert!(!untouched, "{bytes:?}"),
            }
        }

        #[test]
        fn what_is_written_can_be_read(id in "[A-Z0-9]{1,20}", body in "\\PC{0,100}") {
            let frame = Frame::read(respond(&id, 201, body.as_bytes()).message()).expect("a frame");
            prop_assert_eq!(frame.header.id, id);
            prop_assert_eq!(&frame.payload[..], body.as_bytes());
        }
    }
}
