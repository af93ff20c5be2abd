//! The bytes, whole or in part, and never by a redirect.

use std::ops::Range;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::Rest;
use super::super::error::{ApiError, ApiResult};
use super::super::form::Fields;
use super::super::path::Names;
use super::{MediaCaller, SIGNED};
use crate::domain::Error;
use crate::domain::media::Media;
use crate::ops;

/// What RFC 8187 lets stand unescaped in a file name.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// `GET …/Media/{media}/Content`
pub(in super::super) async fn content(
    State(rest): State<Rest>,
    caller: MediaCaller,
    names: Names,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let media = ops::media::fetch(&rest.core, &caller.ctx, names.sid("media")?).await?;
    serve(&rest, &media, &method, &headers).await
}

/// `GET …/Media/{media}/Temporary`: without credentials; the signature in the query is the right to see the bytes.
pub(in super::super) async fn temporary(
    State(rest): State<Rest>,
    names: Names,
    query: RawQuery,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let mut query = Fields::query(query, SIGNED).map_err(|_| Error::TemporaryUrlRefused)?;
    let expires = query.take("Expires").and_then(|text| text.parse().ok());
    let (Some(expires), Some(signature)) = (expires, query.take("Signature")) else {
        return Err(Error::TemporaryUrlRefused.into());
    };
    // A path that was changed is a URL that was changed.
    let sid = names.sid("media").map_err(|_| Error::TemporaryUrlRefused)?;
    let media = ops::media::fetch_signed(&rest.core, sid, expires, &signature).await?;
    let service = names.text("service")?;
    if service.parse() != Ok(media.service_sid) {
        return Err(Error::TemporaryUrlRefused.into());
    }
    serve(&rest, &media, &method, &headers).await
}

async fn serve(
    rest: &Rest,
    media: &Media,
    method: &Method,
    headers: &HeaderMap,
) -> ApiResult<Response> {
    let size = u64::try_from(media.size).unwrap_or_default();
    let tag = format!("\"{}\"", media.sid);
    let (status, range) = match asked(headers, &tag, size) {
        Asked::All => (StatusCode::OK, 0..size),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Nothing => {
            let mut refusal = ApiError::from(Error::RangeNotSatisfiable).into_response();
            put(
                &mut refusal,
                header::CONTENT_RANGE,
                format!("bytes */{size}"),
            );
            return Ok(refusal);
        }
    };
    let body = if *method == Method::HEAD {
        Body::empty()
    } else {
        let bytes = ops::media::read(&rest.core, media, range.clone()).await?;
        Body::from_stream(bytes)
    };
    let mut response = (status, body).into_response();
    if status == StatusCode::PARTIAL_CONTENT {
        let (first, last) = (range.start, range.end - 1);
        put(
            &mut response,
            header::CONTENT_RANGE,
            format!("bytes {first}-{last}/{size}"),
        );
    }
    for (name, value) in [
        (header::CONTENT_TYPE, media.content_type.clone()),
        (
            header::CONTENT_LENGTH,
            (range.end - range.start).to_string(),
        ),
        (header::CONTENT_DISPOSITION, disposition(media)),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CACHE_CONTROL, "private".to_owned()),
        (header::ETAG, tag),
    ] {
        put(&mut response, name, value);
    }
    // Whatever it is, opened as a page it is a page of nobody: it runs nothing and reads nothing of this server.
    if !media.is_pdf() {
        let nobody = "sandbox".to_owned();
        put(&mut response, header::CONTENT_SECURITY_POLICY, nobody);
    }
    Ok(response)
}

fn put(response: &mut Response, name: header::HeaderName, value: String) {
    // All are made of printable ASCII here or were checked to be.
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}

fn disposition(media: &Media) -> String {
    let word = if media.may_be_shown() {
        "inline"
    } else {
        "attachment"
    };
    match &media.filename {
        None => word.to_owned(),
        Some(name) => {
            let name = utf8_percent_encode(name, ESCAPED);
            format!("{word}; filename*=UTF-8''{name}")
        }
    }
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    All,
    Part(Range<u64>),
    /// A range that has no byte of it.
    Nothing,
}

/// Reads `Range`: one range of bytes. Anything else is answered whole, as HTTP allows, and so is a range of another
/// version (`If-Range`).
fn asked(headers: &HeaderMap, tag: &str, size: u64) -> Asked {
    let other_version = headers
        .get(header::IF_RANGE)
        .is_some_and(|wanted| wanted.as_bytes() != tag.as_bytes());
    let range = headers.get(header::RANGE).filter(|_| !other_version);
    let Some(range) = range.and_then(|text| text.to_str().ok()) else {
        return Asked::All;
    };
    let sides = range
        .trim()
        .strip_prefix("bytes=")
        .and_then(|range| range.trim().split_once('-'));
    let Some((first, last)) = sides else {
        return Asked::All;
    };
    // Digits only: `parse` would take a sign.
    let number = |text: &str| -> Result<Option<u64>, ()> {
        if text.is_empty() {
            return Ok(None);
        }
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().unwrap_or(u64::MAX);
        if digits { Ok(Some(number)) } else { Err(()) }
    };
    let range = match (number(first), number(last)) {
        (Ok(None), Ok(Some(count))) => size.saturating_sub(count)..size,
        (Ok(Some(first)), Ok(None)) => first..size,
        (Ok(Some(first)), Ok(Some(last))) if first <= last => {
            first..last.saturating_add(1).min(size)
        }
        _ => return Asked::All,
    };
    if range.is_empty() {
        Asked::Nothing
    } else {
        Asked::Part(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_says() {
        let ask = |range: &str, condition: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, range.parse().expect("a header"));
            if let Some(condition) = condition {
                headers.insert(header::IF_RANGE, condition.parse().expect("a header"));
            }
            asked(&headers, "\"v\"", 10)
        };
        for (range, wanted) in [
            ("bytes=0-0", Asked::Part(0..1)),
            ("bytes=2-4", Asked::Part(2..5)),
            ("bytes=2-", Asked::Part(2..10)),
            ("bytes=2-99", Asked::Part(2..10)),
            ("bytes=2-99999999999999999999999", Asked::Part(2..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-99", Asked::Part(0..10)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=99-100", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=4-2", Asked::All),
            ("bytes=-", Asked::All),
            ("bytes=0-1,3-4", Asked::All),
            ("bytes=+1-2", Asked::All),
            ("lines=0-1", Asked::All),
            ("", Asked::All),
        ] {
            assert_eq!(ask(range, None), wanted, "{range}");
        }
        assert_eq!(ask("bytes=0-0", Some("\"v\"")), Asked::Part(0..1));
        assert_eq!(ask("bytes=0-0", Some("\"w\"")), Asked::All);
    }
}
