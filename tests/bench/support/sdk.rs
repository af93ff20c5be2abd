//! A client that says what the official SDK says, in the same order, and knows nothing more.

use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::cluster::{ACCOUNT_SID, API_KEY_SECRET, API_KEY_SID, Result};
use super::wire::{Wire, frame};

/// How many objects the SDK names in one request.
const BATCH: usize = 100;

/// One signed in client.
pub struct Client {
    pub wire: Wire,
    asked: u64,
    /// What was heard while an answer was waited for.
    heard: VecDeque<Bytes>,
    configuration: Value,
}

/// A sync object, as opening it answered.
#[derive(Debug, Clone)]
pub struct Object {
    pub sid: String,
    pub kind: &'static str,
    pub last_event_id: i64,
}

impl Client {
    /// Signs in and reads the configuration.
    pub async fn sign_in(address: &str, identity: &str) -> Result<Self> {
        let mut client = Self {
            wire: Wire::open(address, "/v3/wsconnect").await?,
            asked: 0,
            heard: VecDeque::new(),
            configuration: Value::Null,
        };
        let init = json!({ "method": "init", "token": token(identity)? });
        let header = client.exchange(init, "").await?.0;
        if header["status"]["code"] != 200 {
            return Err(format!("not signed in: {header}").into());
        }
        client.configuration = client
            .ask("GET", "/Client/v2/Configuration", json!({}), "")
            .await?;
        Ok(client)
    }

    /// Opens the two maps of the user, as the SDK does first.
    pub async fn own_objects(&mut self) -> Result<Vec<Object>> {
        let mut objects = Vec::new();
        for (name, include) in [
            ("my_conversations", json!({})),
            ("my_user_info", json!({ "Include": "items" })),
        ] {
            let name = text(&self.configuration["sync_objects"][name])?;
            objects.push(self.open("Maps", &name, include).await?);
        }
        Ok(objects)
    }

    /// All own conversations, page by page.
    pub async fn own_conversations(&mut self) -> Result<Vec<String>> {
        let link = text(&self.configuration["links"]["my_conversations"])?;
        let path = link
            .splitn(4, '/')
            .nth(3)
            .map(|path| format!("/{path}"))
            .ok_or("a link")?;
        let (mut all, mut params) = (Vec::new(), json!({}));
        loop {
            let page = self.ask("GET", &path, params, "").await?;
            for talk in page["conversations"].as_array().ok_or("a page")? {
                all.push(text(&talk["conversation_sid"])?);
            }
            match page["meta"]["next_token"].as_str() {
                Some(next) => params = json!({ "PageToken": next }),
                None => return Ok(all),
            }
        }
    }

    /// Opens a conversation: its document, messages and roster.
    pub async fn conversation(&mut self, sid: &str) -> Result<[Object; 3]> {
        Ok([
            self.open("Documents", &format!("{sid}.channel"), json!({}))
                .await?,
            self.open("Lists", &format!("{sid}.messages"), json!({}))
                .await?,
            self.open("Maps", &format!("{sid}.roster"), json!({}))
                .await?,
        ])
    }

    /// Reads who takes part, page by page.
    pub async fn participants(&mut self, roster: &Object) -> Result<usize> {
        let items = format!("/v3/Maps/{}/Items", roster.sid);
        let (mut params, mut count) = (json!({ "PageSize": "50", "Order": "asc" }), 0);
        loop {
            let page = self.ask("GET", &items, params, "").await?;
            let found = page["items"].as_array().ok_or("items")?;
            count += found.len();
            match (page["meta"]["next_token"].is_null(), found.last()) {
                (false, Some(last)) => {
                    // A page begins with where the one before it ended.
                    count -= 1;
                    params = json!({ "PageSize": "50", "Order": "asc", "From": last["key"] });
                }
                _ => return Ok(count),
            }
        }
    }

    async fn open(&mut self, kind: &str, name: &str, params: Value) -> Result<Object> {
        let found = self
            .ask("GET", &format!("/v3/{kind}/{name}"), params, "")
            .await?;
        Ok(Object {
            sid: text(&found["sid"])?,
            kind: match kind {
                "Documents" => "document",
                "Lists" => "list",
                _ => "map",
            },
            last_event_id: found["last_event_id"].as_i64().ok_or("an event id")?,
        })
    }

    /// Follows objects, in requests of a hundred, and waits until each is established.
    pub async fn follow(&mut self, objects: &[Object]) -> Result<()> {
        for (number, batch) in objects.chunks(BATCH).enumerate() {
            let requests: Vec<Value> = batch
                .iter()
                .map(|object| {
                    json!({ "object_sid": object.sid, "object_type": object.kind, "last_event_id": object.last_event_id })
                })
                .collect();
            let wishes = json!({
                "event_protocol_version": 4, "action": "establish", "correlation_id": number, "retried_requests": 0,
                "ttl_in_s": -1, "requests": requests,
            });
            self.ask("POST", "/v4/Subscriptions", json!({}), &wishes.to_string())
                .await?;
            let mut established = 0;
            while established < batch.len() {
                let frame = self.next().await?;
                let payload = read(&frame)?.1;
                match payload["event_type"].as_str() {
                    Some("subscription_established") => {
                        established += payload["events"].as_array().map_or(0, Vec::len);
                    }
                    Some("subscription_failed") => return Err(payload.to_string().into()),
                    _ => {} // a replay
                }
            }
        }
        Ok(())
    }

    /// Makes a request; answers the body, which must be a success.
    pub async fn ask(
        &mut self,
        method: &str,
        path: &str,
        params: Value,
        payload: &str,
    ) -> Result<Value> {
        let header = json!({
            "method": "message", "active_grant": "ip_messaging", "payload_type": "application/json",
            "http_request": { "host": "bench", "path": path, "method": method, "params": params, "headers": {} },
        });
        let (header, body) = self.exchange(header, payload).await?;
        match header["http_status"]["code"].as_u64() {
            Some(200..300) => Ok(body),
            _ => Err(format!("{method} {path}: {header} {body}").into()),
        }
    }

    /// Posts a message and waits for the answer.
    pub async fn post(&mut self, conversation: &str, body: &str) -> Result<()> {
        let link = text(&self.configuration["links"]["conversations"])?;
        let path = link.splitn(4, '/').nth(3).ok_or("a link")?;
        let message = json!({ "body": body, "attributes": "{}" }).to_string();
        self.ask(
            "POST",
            &format!("/{path}/{conversation}/Messages"),
            json!({}),
            &message,
        )
        .await?;
        Ok(())
    }

    async fn exchange(&mut self, mut header: Value, payload: &str) -> Result<(Value, Value)> {
        self.asked += 1;
        let id = format!("TM{:032}", self.asked);
        header["id"] = json!(id);
        header["payload_size"] = json!(payload.len());
        let header = header.to_string();
        let message = format!("TWILSOCK V3.0 {}\r\n{header}\r\n{payload}", header.len());
        let mut framed = Vec::new();
        frame(message.as_bytes(), &mut framed);
        self.wire.write(&framed).await?;
        loop {
            let frame = self.hear_acknowledged().await?;
            if frame_id(&frame).is_some_and(|found| found == id.as_bytes()) {
                return read(&frame);
            }
            self.heard.push_back(frame);
        }
    }

    /// The next frame that is no answer.
    async fn next(&mut self) -> Result<Bytes> {
        match self.heard.pop_front() {
            Some(frame) => Ok(frame),
            None => self.hear_acknowledged().await,
        }
    }

    /// The next frame that arrives; acknowledged unless it is an answer.
    async fn hear_acknowledged(&mut self) -> Result<Bytes> {
        let message = self.wire.hear().await?;
        if read(&message)?.0["method"] != "reply" {
            let mut framed = Vec::new();
            acknowledge(&message, &mut framed);
            self.wire.write(&framed).await?;
        }
        Ok(message)
    }

    /// Two frames that tell of one message, as they came: of the list and of the document.
    pub async fn hear_message(&mut self) -> Result<[Bytes; 2]> {
        let list = self.next().await?;
        let document = self.next().await?;
        let kinds = [&list, &document].map(|frame| read(frame).map(|(_, payload)| payload));
        match kinds.map(|payload| payload.map(|p| p["event_type"].clone())) {
            [Ok(a), Ok(b)] if a == "list_item_added" && b == "document_updated" => {
                Ok([list, document])
            }
            other => Err(format!("not the frames of a message: {other:?}").into()),
        }
    }
}

/// The id of a frame: it stands within the header's beginning.
pub fn frame_id(message: &[u8]) -> Option<&[u8]> {
    const KEY: &[u8] = b"\"id\":\"";
    let start = message
        .windows(KEY.len())
        .take(4096)
        .position(|window| window == KEY)?
        + KEY.len();
    let length = message[start..].iter().position(|byte| *byte == b'"')?;
    Some(&message[start..start + length])
}

/// Appends the SDK's acknowledgement of a frame, as it is sent.
pub fn acknowledge(message: &[u8], out: &mut Vec<u8>) {
    const HEAD: &[u8] = b"{\"id\":\"";
    const TAIL: &[u8] = b"\",\"method\":\"reply\",\"payload_type\":\"application/json\",\"status\":{\"code\":200,\"status\":\"OK\"},\"payload_size\":0}";
    let id = frame_id(message).unwrap_or_default();
    let mut reply = [0; 256];
    let mut filled = 0;
    let length = HEAD.len() + id.len() + TAIL.len();
    let digits = [
        b'0' + (length / 100) as u8,
        b'0' + (length / 10 % 10) as u8,
        b'0' + (length % 10) as u8,
    ];
    for part in [
        b"TWILSOCK V3.0 ",
        &digits[..],
        b"\r\n",
        HEAD,
        id,
        TAIL,
        b"\r\n",
    ] {
        reply[filled..filled + part.len()].copy_from_slice(part);
        filled += part.len();
    }
    frame(&reply[..filled], out);
}

/// Header and payload of a frame.
fn read(message: &[u8]) -> Result<(Value, Value)> {
    let text = std::str::from_utf8(message)?;
    let (line, rest) = text.split_once("\r\n").ok_or("a first line")?;
    let length: usize = line.rsplit(' ').next().ok_or("a length")?.parse()?;
    let (header, payload) = rest.split_at_checked(length).ok_or("a header")?;
    Ok((
        serde_json::from_str(header)?,
        serde_json::from_str(payload.trim_start()).unwrap_or_default(),
    ))
}

fn text(value: &Value) -> Result<String> {
    Ok(value
        .as_str()
        .ok_or_else(|| format!("a text, not {value}"))?
        .to_owned())
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
