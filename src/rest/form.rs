//! Forms and queries: our own reading, because repeated keys are lists here, and a refusal has a documented body.

use std::collections::VecDeque;
use std::error::Error as Cause;
use std::iter::successors;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::RawQuery;
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use percent_encoding::percent_decode;
use tower_http::timeout::{DeadlineBody, TimeoutError};

use super::params::{PAGE, Param};
use crate::domain::{Error, Field, Invalid, Timestamp, time};

/// The longest body of a request, media apart (our choice).
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Named values in the order given; a name may come several times. What the operation does not declare is dropped.
#[derive(Debug)]
pub struct Fields {
    values: VecDeque<(String, String)>,
    declared: &'static [Param],
}

impl Fields {
    /// Reads `application/x-www-form-urlencoded` text. An escape that is none stands for itself.
    ///
    /// # Errors
    /// [`Error::Malformed`] for what is no UTF-8, or has a NUL character, which no text column can hold.
    fn parse(text: &[u8], declared: &'static [Param]) -> Result<Self, Error> {
        let values = text
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let mut sides = pair.splitn(2, |byte| *byte == b'=');
                let (name, value) = (
                    sides.next().unwrap_or_default(),
                    sides.next().unwrap_or_default(),
                );
                Ok((decode(name)?, decode(value)?))
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self { values, declared })
    }

    /// The same of values that came in another dress.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a NUL character.
    pub fn of(values: Vec<(String, String)>, declared: &'static [Param]) -> Result<Self, Error> {
        if values.iter().any(|(_, value)| value.contains('\0')) {
            return Err(Error::NUL);
        }
        Ok(Self {
            values: values.into(),
            declared,
        })
    }

    /// Reads a query.
    ///
    /// # Errors
    /// As a form: [`Error::Malformed`].
    pub fn query(RawQuery(query): RawQuery, declared: &'static [Param]) -> Result<Self, Error> {
        Self::parse(query.unwrap_or_default().as_bytes(), declared)
    }

    /// Reads a request's body, whose size is limited before it is read.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; [`Error::Malformed`] also for another content type (none at all counts as a form).
    pub async fn read(
        headers: &HeaderMap,
        body: Body,
        declared: &'static [Param],
    ) -> Result<Self, Error> {
        let bytes = read_body(headers, body).await?;
        let is_form = may_be(headers, "application/x-www-form-urlencoded");
        if !is_form && !bytes.is_empty() {
            return Err(Error::Malformed(
                "the content type must be application/x-www-form-urlencoded",
            ));
        }
        Self::parse(&bytes, declared)
    }

    /// Takes the value of a name; the last one, if it came several times.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.must_declare(name);
        let mut last = None;
        self.values.retain_mut(|(key, value)| {
            let hit = key == name;
            if hit {
                last = Some(std::mem::take(value));
            }
            !hit
        });
        last
    }

    /// Takes all values of a name; none if it did not come. One empty value is an empty list.
    pub fn take_list(&mut self, name: &str) -> Option<Vec<String>> {
        self.must_declare(name);
        let mut all = Vec::new();
        self.values.retain_mut(|(key, value)| {
            let hit = key == name;
            if hit {
                all.push(std::mem::take(value));
            }
            !hit
        });
        match all.as_slice() {
            [] => None,
            [only] if only.is_empty() => Some(Vec::new()),
            _ => Some(all),
        }
    }

    /// A parameter that is read but not declared would be missing in the published document.
    fn must_declare(&self, name: &str) {
        debug_assert!(
            self.declared
                .iter()
                .chain(PAGE)
                .any(|param| param.name == name),
            "{name} is read but not declared"
        );
    }

    /// Takes `true` or `false`, in any case of letters; an empty text counts as absent.
    ///
    /// # Errors
    /// 20422 for another word.
    pub fn take_bool(&mut self, name: &'static str) -> Result<Option<bool>, Error> {
        let wants = "true or false";
        match self
            .take_filled(name)
            .map(|word| word.to_ascii_lowercase())
            .as_deref()
        {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Invalid::Parameter { name, wants }.into()),
        }
    }

    /// Takes a value that an empty text clears.
    pub fn take_field(&mut self, name: &str) -> Field<String> {
        match self.take(name) {
            None => Field::Keep,
            Some(text) if text.is_empty() => Field::Clear,
            Some(text) => Field::Set(text),
        }
    }

    /// Takes a value that is absent when it is empty.
    pub fn take_filled(&mut self, name: &str) -> Option<String> {
        self.take(name).filter(|text| !text.is_empty())
    }

    /// Takes a moment; an empty text counts as absent.
    ///
    /// # Errors
    /// `refusal` when the text is no moment.
    pub fn take_moment(
        &mut self,
        name: &str,
        refusal: Invalid,
    ) -> Result<Option<Timestamp>, Error> {
        self.take_filled(name)
            .map(|text| time::parse(&text).ok_or_else(|| refusal.into()))
            .transpose()
    }
}

fn decode(text: &[u8]) -> Result<String, Error> {
    let spaced: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    let bytes: Vec<u8> = percent_decode(&spaced).collect();
    if bytes.contains(&0) {
        return Err(Error::NUL);
    }
    String::from_utf8(bytes).map_err(|_| Error::Malformed("a text is not UTF-8"))
}

/// Whether a body may be of this content type: it says so, or says nothing.
fn may_be(headers: &HeaderMap, wanted: &str) -> bool {
    headers.get(header::CONTENT_TYPE).is_none_or(|claimed| {
        claimed.to_str().is_ok_and(|claimed| {
            let kind = claimed.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case(wanted)
        })
    })
}

/// Reads a body that must be JSON (none at all counts as JSON); whether it is, the reader of the bytes finds out.
///
/// # Errors
/// As [`read_body`]; [`Error::Malformed`] also for another content type.
pub async fn read_json(headers: &HeaderMap, body: Body) -> Result<Bytes, Error> {
    let bytes = read_body(headers, body).await?;
    if may_be(headers, "application/json") {
        Ok(bytes)
    } else {
        Err(Error::Malformed(
            "the content type must be application/json",
        ))
    }
}

/// A body that must have come within `patience` from now.
pub fn within(patience: Duration, body: Body) -> Body {
    if body.is_end_stream() {
        return body;
    }
    Body::new(DeadlineBody::new(patience, body))
}

/// Reads a body of at most [`MAX_BODY_BYTES`]; one that says it is longer is not read at all.
///
/// # Errors
/// [`Error::TooLarge`]; [`Error::Malformed`] when the connection breaks, or the body does not come in time.
pub async fn read_body(headers: &HeaderMap, body: Body) -> Result<Bytes, Error> {
    let too_large = || Error::TooLarge {
        max_bytes: MAX_BODY_BYTES,
    };
    let claimed = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    if claimed.is_some_and(|length: u64| length > MAX_BODY_BYTES as u64) {
        return Err(too_large());
    }
    match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(read) => Ok(read.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) if is_late(error.as_ref()) => {
            Err(Error::Malformed("the body did not come in time"))
        }
        Err(_) => Err(Error::Malformed("the body ended early")),
    }
}

fn is_late(error: &(dyn Cause + 'static)) -> bool {
    successors(Some(error), |error| (*error).source()).any(|cause| cause.is::<TimeoutError>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::params::text;
    use proptest::prelude::*;

    const TEST: &[Param] = &[
        text("FriendlyName"),
        text("A"),
        text("F"),
        text("E"),
        text("Odd"),
        text("Missing"),
    ];

    #[test]
    fn reads_what_the_libraries_send() {
        let mut fields = Fields::parse(
            b"FriendlyName=Hi%20%26%20bye&A=1+2&F=a&F=b&E=&Odd=100%&Timers.Inactive=PT1M",
            TEST,
        )
        .expect("a form");
        assert_eq!(fields.take("FriendlyName").as_deref(), Some("Hi & bye"));
        assert_eq!(fields.take("A").as_deref(), Some("1 2"));
        assert_eq!(
            fields.take_list("F"),
            Some(vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(fields.take_field("E"), Field::Clear);
        assert_eq!(fields.take("Odd").as_deref(), Some("100%"));
        assert_eq!(fields.take_list("Missing"), None);
    }

    #[test]
    fn refuses_what_cannot_be_stored() {
        for text in [&b"Body=%00"[..], b"Body=%ff", b"Body=\xff"] {
            assert!(matches!(
                Fields::parse(text, TEST),
                Err(Error::Malformed(_))
            ));
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Fields::parse(&text, TEST);
        }
    }
}
