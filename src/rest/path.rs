//! The names in a path, decoded exactly once: `+` is a plus, and an escape that is none stands for itself.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;

use super::Rest;
use super::error::ApiError;
use crate::domain::{ConversationRef, Error, Kind, ParticipantRef, Sid, UserRef};

/// The names in the request's path.
#[derive(Debug)]
pub struct Names(Vec<(String, String)>);

impl FromRequestParts<Rest> for Names {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, rest: &Rest) -> Result<Self, ApiError> {
        let raw = RawPathParams::from_request_parts(parts, rest)
            .await
            .map_err(|_| Error::NotFound)?;
        raw.iter()
            .map(|(name, text)| Ok((name.to_owned(), decode(text)?)))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// What is no UTF-8, or has a character that no name can have, names nothing.
fn decode(text: &str) -> Result<String, ApiError> {
    match percent_decode_str(text).decode_utf8() {
        Ok(name) if !name.contains('\0') => Ok(name.into_owned()),
        _ => Err(Error::NotFound.into()),
    }
}

impl Names {
    /// A slot that takes any text.
    pub fn text(&self, slot: &str) -> Result<&str, ApiError> {
        let found = self.0.iter().find(|(name, _)| name == slot);
        found
            .map(|(_, text)| text.as_str())
            .ok_or_else(|| Error::NotFound.into())
    }

    /// A slot that takes a SID only.
    pub fn sid<K: Kind>(&self, slot: &str) -> Result<Sid<K>, ApiError> {
        self.text(slot)?.parse().map_err(|_| Error::NotFound.into())
    }

    /// A slot that takes a text with `.json` behind it, as the API of 2010 has at the ends of its paths.
    pub fn before_json(&self, slot: &str) -> Result<&str, ApiError> {
        let text = self.text(slot)?.strip_suffix(".json");
        text.ok_or_else(|| Error::NotFound.into())
    }

    /// The same, a SID only.
    pub fn sid_before_json<K: Kind>(&self, slot: &str) -> Result<Sid<K>, ApiError> {
        let text = self.before_json(slot)?;
        text.parse().map_err(|_| Error::NotFound.into())
    }

    /// The slot of the conversation: SID or unique name.
    pub fn conversation(&self) -> Result<ConversationRef, ApiError> {
        let Ok(which) = self.text("conversation")?.parse();
        Ok(which)
    }

    /// The slot of the participant: SID or identity.
    pub fn participant(&self) -> Result<ParticipantRef, ApiError> {
        let Ok(which) = self.text("participant")?.parse();
        Ok(which)
    }

    /// The slot of the user: SID or identity.
    pub fn user(&self) -> Result<UserRef, ApiError> {
        let Ok(which) = self.text("user")?.parse();
        Ok(which)
    }
}
