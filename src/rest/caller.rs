//! Who is calling, in which service, and from which base the answer's URLs are printed.

use std::net::SocketAddr;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Rest;
use super::error::ApiError;
use super::layers::Came;
use super::permissions;
use crate::domain::accounts::Credentials;
use crate::domain::{Actor, Ctx, Error, Origin, ServiceSid};
use crate::ops::{self, accounts};

/// A caller with good credentials, and the occasion of the request.
#[derive(Debug)]
pub struct Caller {
    /// On whose behalf, in which service.
    pub ctx: Ctx,
    /// Scheme and host of printed URLs, with the product's prefix if the request used it.
    pub base: String,
    /// Whether the request named its service.
    pub form: PathForm,
    /// How much the credentials may do.
    pub credentials: Credentials,
}

/// Which of the two forms of a path a request used; answers repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathForm {
    /// `/v1/Conversations`: the account's default service.
    Default,
    /// `/v1/Services/{IS}/Conversations`.
    Service,
}

impl Caller {
    /// The base of this request's resources: `…/v1` or `…/v1/Services/{IS}`.
    #[must_use]
    pub fn scope(&self) -> String {
        match self.form {
            PathForm::Default => format!("{}/v1", self.base),
            PathForm::Service => format!("{}/v1/Services/{}", self.base, self.ctx.service),
        }
    }

    /// Checks that the caller may manage accounts and keys. What a restricted key may do has been checked already.
    ///
    /// # Errors
    /// [`Error::KeyNotAuthorised`].
    pub fn may_manage(&self) -> Result<(), Error> {
        match self.credentials {
            Credentials::Main | Credentials::RestrictedKey(_) => Ok(()),
            Credentials::StandardKey => Err(Error::KeyNotAuthorised),
        }
    }

    /// The service's SID where answers carry it only in the service form.
    #[must_use]
    pub fn shown_service(&self) -> Option<ServiceSid> {
        (self.form == PathForm::Service).then_some(self.ctx.service)
    }
}

/// Checks credentials without looking at the path: for routes that are none.
pub(super) async fn authenticate(
    rest: &Rest,
    headers: &HeaderMap,
) -> Result<accounts::Authenticated, Error> {
    let (name, password) = basic(headers).ok_or(Error::Unauthenticated)?;
    accounts::authenticate(&rest.core, &name, &password).await
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

impl FromRequestParts<Rest> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, rest: &Rest) -> Result<Self, ApiError> {
        let known = authenticate(rest, &parts.headers).await?;
        permissions::check(&known.credentials, parts)?;
        let named = named_service(parts, rest).await?;
        let base = base(parts, rest);
        let webhooks = parts
            .headers
            .get("x-twilio-webhook-enabled")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
        let mut ctx = Ctx {
            service: known.account.default_chat_service_sid,
            account: known.account,
            actor: Actor::Account,
            origin: Origin::Rest,
            webhooks,
        };
        let form = match named {
            None => PathForm::Default,
            Some(text) => {
                ctx.service = text.parse().map_err(|_| Error::NotFound)?;
                if ctx.service != ctx.account.default_chat_service_sid {
                    ops::services::fetch(&rest.core, &ctx).await?;
                }
                PathForm::Service
            }
        };
        Ok(Self {
            ctx,
            base,
            form,
            credentials: known.credentials,
        })
    }
}

/// The service that the path names, if it names one. A name that is no text must not count as none: the request would
/// reach the default service.
pub(super) async fn named_service(parts: &mut Parts, rest: &Rest) -> Result<Option<String>, Error> {
    let params = match RawPathParams::from_request_parts(parts, rest).await {
        Ok(params) => params,
        Err(RawPathParamsRejection::MissingPathParams(_)) => return Ok(None),
        Err(_) => return Err(Error::NotFound),
    };
    let named = params.iter().find(|(name, _)| *name == "service");
    Ok(named.map(|(_, text)| text.to_owned()))
}

/// What printed URLs begin with: the base of the request, with the product's prefix if the request used it.
pub(super) fn base(parts: &Parts, rest: &Rest) -> String {
    let prefix = parts
        .extensions
        .get::<Came>()
        .map_or("", |came| came.prefix);
    let peer = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| peer.ip());
    let mut base = rest.bases.of(peer, |name| {
        let header = parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok());
        match name {
            "host" => header.or_else(|| parts.uri.authority().map(|host| host.as_str())),
            _ => header,
        }
    });
    base.push_str(prefix);
    base
}
