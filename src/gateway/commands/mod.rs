//! Requests over the socket: one router by path, to the operations that REST has too.

pub mod subscriptions;

mod configuration;
mod contents;
mod conversations;
mod messages;
mod objects;
mod people;
mod registrations;

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tracing::error;

use super::Gateway;
use super::presence::Present;
use super::protocol::HttpRequest;
use crate::domain::credentials::CredentialSid;
use crate::domain::errors::with_causes;
use crate::domain::{ApiKeySid, Ctx, Error, Kind, Sid, Timestamp, UserSid, idempotency};
use crate::ops::Core;

/// Who a socket belongs to.
#[derive(Debug)]
pub struct Session {
    /// The user.
    pub user: UserSid,
    /// The key that signed its token.
    pub key: ApiKeySid,
    /// Until when the token is good.
    pub expires: Timestamp,
    /// The occasion of all requests.
    pub ctx: Ctx,
    /// What the user's devices are pushed to with.
    pub push_credential: Option<CredentialSid>,
    /// Scheme and host of links.
    pub base: Arc<str>,
    /// What shows the user as online, if the service keeps that.
    pub present: Option<Present>,
}

impl Session {
    /// The base of the service's resources.
    fn service(&self) -> String {
        format!("{}/Client/v2/Services/{}", self.base, self.ctx.service)
    }
}

/// What a request is answered.
#[derive(Debug)]
pub enum Answer {
    /// A status and a body.
    Json(u16, Value),
    /// 200 and a body that is printed already, which takes less room than one that is not.
    Printed(Vec<u8>),
    /// 204.
    Nothing,
    /// What the client wants to follow; it is answered as accepted, and carried out after that.
    Subscriptions(subscriptions::Wishes),
    /// A refusal, with its printed body.
    Refused(u16, Value),
}

impl Answer {
    /// 200 and a body.
    fn printed(body: &Value) -> Self {
        Self::Printed(serde_json::to_vec(body).unwrap_or_default())
    }

    /// The status and the printed body.
    #[must_use]
    pub fn print(&self) -> (u16, Cow<'_, [u8]>) {
        let print = |body| Cow::from(serde_json::to_vec(body).unwrap_or_default());
        match self {
            Self::Json(status, body) | Self::Refused(status, body) => (*status, print(body)),
            Self::Printed(body) => (200, Cow::from(body)),
            Self::Nothing => (204, Cow::default()),
            Self::Subscriptions(_) => (200, print(&subscriptions::accepted())),
        }
    }
}

/// One request, taken apart.
struct Request<'a> {
    core: &'a Arc<Core>,
    gateway: &'a Gateway,
    session: &'a Session,
    http: &'a HttpRequest,
    payload: &'a [u8],
}

/// Whether a request is a read that is answered together with others of its kind.
#[must_use]
pub fn is_joint(http: &HttpRequest) -> bool {
    http.method == "GET" && http.path.starts_with("/v3/")
}

/// How many of some reads that [`is_joint`] told of, the first ones, are answered together: at least one.
pub fn fit_together<'a>(reads: impl Iterator<Item = &'a HttpRequest>) -> usize {
    objects::fit_together(reads)
}

/// Answers reads that [`is_joint`] told of, in their order.
pub async fn answer_jointly(
    gateway: &Gateway,
    session: &Session,
    reads: &[HttpRequest],
) -> Vec<Answer> {
    let requests: Vec<Request<'_>> = reads
        .iter()
        .map(|http| Request {
            core: gateway.core(),
            gateway,
            session,
            http,
            payload: &[],
        })
        .collect();
    let answers = objects::fetch(&requests).await;
    requests
        .iter()
        .zip(answers)
        .map(|(request, answer)| answer.unwrap_or_else(|refusal| request.refuse(&refusal)))
        .collect()
}

/// Answers a request.
pub async fn answer(
    gateway: &Gateway,
    session: &Session,
    http: &HttpRequest,
    payload: &[u8],
) -> Answer {
    let request = Request {
        core: gateway.core(),
        gateway,
        session,
        http,
        payload,
    };
    match route(&request).await {
        Ok(answer) => answer,
        Err(refusal) => request.refuse(&refusal),
    }
}

async fn route(request: &Request<'_>) -> Result<Answer, Error> {
    let segments = request.segments()?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (request.http.method.as_str(), segments.as_slice()) {
        ("GET", ["Client", "v2", "Configuration"]) => Ok(configuration::fetch(request)),
        ("GET", ["Client", "v2", "ContentTemplates"]) => contents::list(request).await,
        (method, ["Client", "v2", "Services", service, rest @ ..])
            if *service == request.session.ctx.service.to_string() =>
        {
            in_service(request, method, rest).await
        }
        ("POST", ["v4", "Subscriptions"]) => {
            let wishes: subscriptions::Wishes = request.json()?;
            Ok(Answer::Subscriptions(wishes.resolve(request).await?))
        }
        ("POST", ["v1", "typing"]) => conversations::typing(request).await,
        ("POST", ["v1", "registrations"]) => registrations::create(request).await,
        ("DELETE", ["v1", "registrations"]) => registrations::remove_device(request).await,
        ("DELETE", ["v1", "registrations", id]) => registrations::remove(request, id).await,
        _ => Err(Error::NotFound),
    }
}

async fn in_service(request: &Request<'_>, method: &str, path: &[&str]) -> Result<Answer, Error> {
    match (method, path) {
        ("GET", ["MyConversations"]) => conversations::list_own(request).await,
        ("GET", ["MyConversations", which]) => conversations::fetch_own(request, which).await,
        ("POST", ["MyConversations", which]) => conversations::update_own(request, which).await,
        ("POST", ["Conversations"]) => conversations::create(request).await,
        ("GET", ["Conversations", which]) => conversations::fetch(request, which).await,
        ("POST", ["Conversations", which]) => conversations::update(request, which).await,
        ("DELETE", ["Conversations", which]) => conversations::remove(request, which).await,
        ("POST", ["Conversations", of, "Participants"]) => people::add(request, of).await,
        ("GET", ["Conversations", of, "Participants", which]) => {
            people::fetch(request, of, which).await
        }
        ("POST", ["Conversations", of, "Participants", which]) => {
            people::update(request, of, which).await
        }
        ("DELETE", ["Conversations", of, "Participants", which]) => {
            people::remove(request, of, which).await
        }
        ("POST", ["Conversations", of, "Messages"]) => messages::post(request, of).await,
        ("GET", ["Conversations", of, "Messages", which]) => {
            messages::fetch(request, of, which).await
        }
        ("POST", ["Conversations", of, "Messages", which]) => {
            messages::update(request, of, which).await
        }
        ("DELETE", ["Conversations", of, "Messages", which]) => {
            messages::remove(request, of, which).await
        }
        ("GET", ["Conversations", of, "Messages", which, "Receipts"]) => {
            messages::receipts(request, of, which).await
        }
        ("GET", ["Conversations", of, "Messages", which, "ChannelMetadata"]) => {
            messages::channel_metadata(request, of, which).await
        }
        ("GET", ["Conversations", of, "MessageRecipients"]) => {
            conversations::fetch(request, of).await?;
            Ok(request.empty_list("message_recipients"))
        }
        ("GET", ["Users", which]) => people::user(request, which).await,
        ("POST", ["Users", which]) => people::update_user(request, which).await,
        _ => Err(Error::NotFound),
    }
}

/// A path's segments, each decoded once.
fn segments(of: &HttpRequest) -> Result<Vec<String>, Error> {
    let path = of.path.split('?').next().unwrap_or_default();
    path.trim_start_matches('/')
        .trim_end_matches('/')
        .split('/')
        .map(decode)
        .collect()
}

impl Request<'_> {
    /// The path's segments, each decoded once.
    fn segments(&self) -> Result<Vec<String>, Error> {
        segments(self.http)
    }

    /// A parameter of the query.
    fn param(&self, name: &str) -> Result<Option<String>, Error> {
        let text = self.http.params.get(name);
        text.map(|text| decode(text)).transpose()
    }

    /// The payload as JSON.
    fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let text = if self.payload.is_empty() {
            b"{}"
        } else {
            self.payload
        };
        // What spells a NUL character cannot be stored.
        if text.contains(&0)
            || text.windows(6).any(|window| window == b"\\u0000") && !inside_text(text)
        {
            return Err(Error::NUL);
        }
        serde_json::from_slice(text).map_err(|_| Error::Malformed("the body is not what is wanted"))
    }

    /// The SID of what the request creates under the client's own name for it, if it has one: a repeat has the same.
    fn repeatable<K: Kind>(&self) -> Option<Sid<K>> {
        let name = self.http.headers.mutation_id.as_deref()?;
        Some(idempotency::repeatable(self.session.user, name))
    }

    /// Answers a change that was made before; the SDK reads what came of it.
    fn done_before(&self, path: &str) -> Answer {
        let url = format!("{}/{path}", self.session.service());
        Answer::Json(202, json!({ "resource_url": url }))
    }

    /// A list with nothing in it.
    fn empty_list(&self, key: &str) -> Answer {
        Answer::Json(
            200,
            json!({ key: [], "meta": { "previous_token": null, "next_token": null } }),
        )
    }

    fn refuse(&self, refusal: &Error) -> Answer {
        if let Error::Internal(cause) = refusal {
            error!(
                error = with_causes(cause.as_ref()),
                path = self.http.path,
                "a request over a socket failed"
            );
        }
        let published = refusal.published();
        let message = match refusal {
            Error::NotFound => format!("The requested resource {} was not found", self.http.path),
            other => other.to_string(),
        };
        let mut body = json!({
            "status": published.status,
            "code": published.code,
            "message": message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", published.code),
        });
        if let Error::NotPermitted(permission) = refusal {
            body["details"] = json!({ "permission": permission.as_str() });
        }
        Answer::Refused(published.status, body)
    }
}

/// Whether each `\u0000` is an escape inside JSON text that is itself a text (attributes), where the backslash is
/// escaped and nothing is a NUL character.
fn inside_text(json: &[u8]) -> bool {
    json.windows(6)
        .enumerate()
        .filter(|(_, window)| *window == b"\\u0000")
        .all(|(at, _)| {
            let slashes = json[..at]
                .iter()
                .rev()
                .take_while(|byte| **byte == b'\\')
                .count();
            slashes % 2 == 1
        })
}

fn decode(text: &str) -> Result<String, Error> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => Err(Error::NotFound),
    }
}
