//! `…/ConversationWithParticipants`: a conversation with its first participants, all or nothing.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::Rest;
use super::caller::Caller;
use super::error::ApiResult;
use super::form::Fields;
use super::params::{Param, json, with};
use super::{conversations, participants};
use crate::domain::participants::NewParticipant;
use crate::domain::{Error, Invalid};
use crate::ops;

/// The most participants of one request (API reference).
const MAX_PARTICIPANTS: usize = 10;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "conversation_with_participants")]
pub(super) struct View {
    #[serde(flatten)]
    own: conversations::Own,
    links: Links,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "conversation_with_participants_links")]
struct Links {
    participants: String,
    messages: String,
    webhooks: String,
}

/// The parameters: those of a conversation, and its participants.
pub(super) const NEW: &[Param] = &with::<{ conversations::WANTED.len() + 1 }>(
    conversations::WANTED,
    json("Participant").repeated(),
);

const NOT_AN_OBJECT: Invalid = Invalid::Parameter {
    name: "Participant",
    wants: "a JSON object of texts, such as {\"identity\":\"alice\"}",
};

/// Reads a participant. The reference says that the object's attributes are those of the participant resource, and
/// shows `identity`; its bindings are taken nested (`{"messaging_binding":{"address":…}}`) and flat, in the spelling of
/// properties or of parameters.
fn read(text: &str) -> Result<NewParticipant, Error> {
    let mut values = Vec::new();
    for (name, value) in object(text)? {
        let name = published(&name);
        if name == "MessagingBinding" && value.get().starts_with('{') {
            for (inner, value) in object(value.get())? {
                push(&mut values, format!("{name}.{}", published(&inner)), &value)?;
            }
        } else {
            push(&mut values, name, &value)?;
        }
    }
    participants::read_new(Fields::of(values, participants::NEW)?)
}

fn object(text: &str) -> Result<BTreeMap<String, Box<RawValue>>, Error> {
    serde_json::from_str(text).map_err(|_| NOT_AN_OBJECT.into())
}

/// Takes a text as it is and attributes also unquoted; null is absent. Anything else is refused under a name that is
/// known, and otherwise ignored as unknown parameters are.
fn push(values: &mut Vec<(String, String)>, name: String, value: &RawValue) -> Result<(), Error> {
    let raw = value.get();
    if raw == "null" || !participants::NEW.iter().any(|param| param.name == name) {
        return Ok(());
    }
    let text = match serde_json::from_str::<String>(raw) {
        Ok(text) => text,
        Err(_) if name == "Attributes" => raw.to_owned(),
        Err(_) => return Err(NOT_AN_OBJECT.into()),
    };
    values.push((name, text));
    Ok(())
}

/// The published name of a parameter for that of a property: `messaging_binding.proxy_address` is
/// `MessagingBinding.ProxyAddress`, which stays as it is.
fn published(name: &str) -> String {
    let mut spelt = String::with_capacity(name.len());
    let mut begins = true;
    for letter in name.chars() {
        match letter {
            '_' => begins = true,
            '.' => {
                spelt.push('.');
                begins = true;
            }
            _ if begins => {
                spelt.push(letter.to_ascii_uppercase());
                begins = false;
            }
            _ => spelt.push(letter),
        }
    }
    spelt
}

/// `POST …/ConversationWithParticipants`
pub(super) async fn create(
    State(rest): State<Rest>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Response> {
    let mut form = Fields::read(&headers, body, NEW).await?;
    let wanted = conversations::read(&mut form)?;
    let people = form.take_list("Participant").unwrap_or_default();
    if people.len() > MAX_PARTICIPANTS {
        return Err(Error::TooManyAtOnce.into());
    }
    let people: Vec<NewParticipant> = people
        .iter()
        .map(|text| read(text))
        .collect::<Result<_, _>>()?;
    let status = if people.is_empty() {
        StatusCode::CREATED
    } else {
        StatusCode::ACCEPTED
    };
    let conversation =
        ops::conversations::create_with(&rest.core, &caller.ctx, wanted, people).await?;
    let own = conversations::own(&caller, conversation);
    let link = |name: &str| format!("{}/{name}", own.url);
    let view = View {
        links: Links {
            participants: link("Participants"),
            messages: link("Messages"),
            webhooks: link("Webhooks"),
        },
        own,
    };
    Ok((status, axum::Json(view)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::participants::NewBinding;

    #[test]
    fn every_spelling_is_read() {
        for text in [
            r#"{"messaging_binding":{"address":"+15558670001","proxy_address":"+15550100001"}}"#,
            r#"{"messaging_binding.address":"+15558670001","messaging_binding.proxy_address":"+15550100001"}"#,
            r#"{"MessagingBinding.Address":"+15558670001","MessagingBinding.ProxyAddress":"+15550100001"}"#,
            r#"{"MessagingBinding":{"Address":"+15558670001","ProxyAddress":"+15550100001"},"identity":null}"#,
        ] {
            let read = read(text).expect(text);
            assert!(matches!(read.binding, NewBinding::Channel(_)), "{text}");
        }
        for attributes in [r#""{\"a\":1.50}""#, r#"{"a":1.50}"#] {
            let text = format!(r#"{{"identity":"alice","attributes":{attributes},"more":[1]}}"#);
            let read = read(&text).expect("a participant");
            assert_eq!(read.attributes.as_str(), r#"{"a":1.50}"#);
        }
    }

    #[test]
    fn what_is_no_object_of_texts_is_refused() {
        for text in [
            "",
            "x",
            "[]",
            "null",
            "\"alice\"",
            r#"{"identity":1}"#,
            r#"{"identity":"a\u0000"}"#,
        ] {
            let refusal = read(text).expect_err(text);
            assert_eq!(refusal.published().code, 20422, "{text}");
        }
    }
}
