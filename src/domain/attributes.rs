//! Attributes: a program's own JSON, kept as text.
//!
//! # Why text
//! The API answers attributes byte for byte as they were stored: double keys, long numbers and `\u0000` escapes
//! included. Parsed JSON would lose them, and so would `jsonb`.

use serde::{Deserialize, Serialize};

use super::errors::{Error, Invalid};

/// Conversations and users may have 16 KiB of attributes (API limits page; "KB" read as 1024 bytes of UTF-8).
pub const MAX_LARGE_BYTES: usize = 16 * 1024;
/// Messages and participants may have 4 KiB (API limits page).
pub const MAX_SMALL_BYTES: usize = 4 * 1024;

/// How deeply attributes may be nested.
const MAX_DEPTH: usize = 128;

/// How deeply a JSON text is nested. Numbers are not looked at, so none is too large.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A JSON text that was checked once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, schemars::JsonSchema)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Attributes(String);

impl Default for Attributes {
    fn default() -> Self {
        Self("{}".to_owned())
    }
}

impl Attributes {
    /// Checks that the text is JSON and not too long. An empty text clears: it becomes `{}`.
    ///
    /// # Errors
    /// [`Invalid::AttributesTooLong`]; [`Invalid::AttributesNotJson`], also for more than 128 levels of nesting (our
    /// choice: common JSON parsers, our clients' among them, stop there).
    pub fn parse(text: String, max_bytes: usize) -> Result<Self, Error> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.len() > max_bytes {
            return Err(Invalid::AttributesTooLong { max_bytes }.into());
        }
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        if is_json && depth(&text) <= MAX_DEPTH {
            Ok(Self(text))
        } else {
            Err(Invalid::AttributesNotJson.into())
        }
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_the_text_byte_for_byte() {
        for text in [
            r#"{"a":1,"a":2}"#,
            "123456789012345678901234567890",
            r#"{"z":"\u0000"}"#,
            " [ ] ",
            "1e999",
        ] {
            let kept = Attributes::parse(text.to_owned(), MAX_SMALL_BYTES);
            assert_eq!(kept.ok().as_ref().map(Attributes::as_str), Some(text));
        }
    }

    #[test]
    fn refuses_what_is_no_json_or_too_long() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in ["{", "nope", "{} {}", deep.as_str()] {
            assert!(matches!(
                Attributes::parse(text.to_owned(), MAX_SMALL_BYTES),
                Err(Error::Invalid(Invalid::AttributesNotJson))
            ));
        }
        assert!(matches!(
            Attributes::parse("1".repeat(MAX_SMALL_BYTES + 1), MAX_SMALL_BYTES),
            Err(Error::Invalid(Invalid::AttributesTooLong { .. }))
        ));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,200}") {
            let _ = Attributes::parse(text, MAX_SMALL_BYTES);
        }
    }
}
