//! Who may come through this door: programs with credentials, users with an access token.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::super::Rest;
use super::super::caller::{Caller, base, named_service};
use super::super::error::ApiError;
use crate::domain::{Ctx, Error, TokenFault};
use crate::ops;

/// A caller of the media service, in the service that the path names.
#[derive(Debug)]
pub struct MediaCaller {
    /// On whose behalf, in which service.
    pub ctx: Ctx,
    /// Scheme and host of printed URLs.
    pub base: String,
}

impl FromRequestParts<Rest> for MediaCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, rest: &Rest) -> Result<Self, ApiError> {
        let Some(token) = parts.headers.get("x-twilio-token") else {
            let Caller { ctx, base, .. } = Caller::from_request_parts(parts, rest).await?;
            return Ok(Self { ctx, base });
        };
        let token = token
            .to_str()
            .map_err(|_| Error::from(TokenFault::Malformed))?;
        let ctx = ops::users::sign_in(&rest.core, token).await?.ctx;
        // A token holds in its own service only.
        let named = named_service(parts, rest).await?;
        if named.and_then(|text| text.parse().ok()) != Some(ctx.service) {
            return Err(Error::NotFound.into());
        }
        let base = base(parts, rest);
        Ok(Self { ctx, base })
    }
}
