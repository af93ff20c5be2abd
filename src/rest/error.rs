//! Refusals as HTTP answers.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tracing::error;

use crate::domain::Error;
use crate::domain::errors::with_causes;

/// A refusal on its way out.
#[derive(Debug)]
pub struct ApiError(Error);

/// What handlers answer.
pub type ApiResult<T> = Result<T, ApiError>;

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<crate::domain::Invalid> for ApiError {
    fn from(what: crate::domain::Invalid) -> Self {
        Error::from(what).into()
    }
}

/// The body of an error, in the published shape: always an object, numbers as integers.
#[derive(Serialize)]
struct Body<'a> {
    code: u32,
    message: &'a str,
    more_info: String,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
}

/// What the sentence is about, for programs.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Details {
    /// The permission that the user's roles lack.
    Permission(&'static str),
    /// The parameter that offends, by its published name.
    Parameter(&'static str),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Error::Internal(cause) = &self.0 {
            error!(error = with_causes(cause.as_ref()), "a request failed");
        }
        let mut response = print(&self.0, None);
        // The sentence needs the path, which only the layer around the handlers knows.
        if matches!(self.0, Error::NotFound) {
            response.extensions_mut().insert(NeedsPath);
        }
        response
    }
}

/// Marks an answer whose sentence still lacks the path.
#[derive(Clone, Copy)]
pub(super) struct NeedsPath;

/// Prints a refusal.
pub(super) fn print(error: &Error, path: Option<&str>) -> Response {
    let published = error.published();
    let message = match (error, path) {
        (Error::NotFound, Some(path)) => format!("The requested resource {path} was not found"),
        _ => error.to_string(),
    };
    let details = match error {
        Error::NotPermitted(permission) => Some(Details::Permission(permission.as_str())),
        other => other.parameter().map(Details::Parameter),
    };
    let body = Body {
        code: published.code,
        message: &message,
        more_info: format!("https://www.twilio.com/docs/errors/{}", published.code),
        status: published.status,
        details,
    };
    let status =
        StatusCode::from_u16(published.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, axum::Json(body)).into_response();
    let headers = response.headers_mut();
    match status {
        StatusCode::UNAUTHORIZED => {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"Twilio API\""),
            );
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => {}
    }
    response
}
