//! Content templates: texts with gaps, kept once and sent often.
//!
//! What a template consists of is kept and answered as it was given; a message that is made from one has the text that
//! [`super::fillings::render`] makes of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::accounts::AccountSid;
use super::content_types;
use super::errors::{Error, Invalid};
use super::sids::{Kind, Sid};
use super::time::Timestamp;
use super::too_long;

/// The SID of a content template.
pub type ContentSid = Sid<Content>;

/// Variables of one template or message (API page on content variables).
pub(super) const MAX_VARIABLES: usize = 100;
/// The longest name of a variable, in characters (API page on content variables).
pub(super) const MAX_NAME_CHARACTERS: usize = 16;
/// The longest default of a variable, in characters (API page on content variables).
const MAX_DEFAULT_CHARACTERS: usize = 1600;
/// The longest text of all types of one template, in bytes (our choice: ten times what the longest template of a
/// provider takes).
const MAX_TYPES_BYTES: usize = 32 * 1024;
/// The longest code of a language, in characters (our choice: the longest codes that providers list have half of it).
const MAX_LANGUAGE_CHARACTERS: usize = 16;

/// A JSON text that is answered as it was given.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JsonText(Box<RawValue>);

impl JsonText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl schemars::JsonSchema for JsonText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "json_object".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "object" })
    }
}

impl TryFrom<String> for JsonText {
    type Error = serde_json::Error;

    fn try_from(text: String) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text).map(Self)
    }
}

/// A content template.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Content {
    /// Its SID.
    pub sid: ContentSid,
    /// The account.
    pub account_sid: AccountSid,
    /// A name for people.
    pub friendly_name: Option<String>,
    /// The language it is written in.
    pub language: String,
    /// The defaults of its variables.
    #[sqlx(try_from = "String")]
    pub variables: JsonText,
    /// What is sent, by the name of the content type.
    #[sqlx(try_from = "String")]
    pub types: JsonText,
    /// When it was created.
    pub date_created: Timestamp,
    /// When it was last changed.
    pub date_updated: Timestamp,
}

impl Kind for Content {
    const PREFIX: &'static str = "HX";
}

/// A template as a caller sends it, not yet checked.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    friendly_name: Option<String>,
    language: Option<String>,
    variables: Option<Box<RawValue>>,
    types: Option<Box<RawValue>>,
}

/// A template to be created.
#[derive(Debug, Clone)]
pub struct NewContent {
    /// A name for people.
    pub friendly_name: Option<String>,
    /// The language it is written in.
    pub language: String,
    /// The defaults of its variables.
    pub variables: JsonText,
    /// What is sent, by the name of the content type.
    pub types: JsonText,
}

impl NewContent {
    /// Reads the JSON body of a creation. What it does not know is ignored, and kept where it is inside a type.
    ///
    /// # Errors
    /// 20422, with the name of what is missing, too long or unknown.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let wanted: Wanted = serde_json::from_slice(body).map_err(|_| {
            Error::Malformed(
                "the body must be a JSON object with friendly_name, language, variables, types",
            )
        })?;
        let refuse = |name, wants| Error::from(Invalid::Parameter { name, wants });
        let language = wanted.language.filter(|code| is_language(code));
        let types = wanted
            .types
            .ok_or_else(|| refuse("types", "an object of content types"))?;
        let has_name = |name: &String| !too_long(name) && !name.contains('\0');
        if wanted
            .friendly_name
            .as_ref()
            .is_some_and(|name| !has_name(name))
        {
            return Err(refuse("friendly_name", "a text of at most 256 characters"));
        }
        Ok(Self {
            friendly_name: wanted.friendly_name,
            language: language.ok_or_else(|| refuse("language", "the code of a language"))?,
            variables: defaults(wanted.variables)?,
            types: types_of(types)?,
        })
    }
}

fn is_language(code: &str) -> bool {
    (1..=MAX_LANGUAGE_CHARACTERS).contains(&code.len())
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Checks the defaults of a template's variables.
fn defaults(given: Option<Box<RawValue>>) -> Result<JsonText, Error> {
    let given = match given {
        Some(given) => given,
        None => RawValue::from_string("{}".to_owned()).map_err(Error::internal)?,
    };
    let fits = |name: &String, value: &String| {
        is_name(name) && value.chars().count() <= MAX_DEFAULT_CHARACTERS && !value.contains('\0')
    };
    match serde_json::from_str::<BTreeMap<String, String>>(given.get()) {
        Ok(all)
            if all.len() <= MAX_VARIABLES
                && all.iter().all(|(name, value)| fits(name, value)) =>
        {
            Ok(JsonText(given))
        }
        _ => Err(Invalid::Parameter {
            name: "variables",
            wants: "an object of at most 100 texts of at most 1600 characters, whose names have at most 16 characters \
                    and no spaces",
        }
        .into()),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().count() <= MAX_NAME_CHARACTERS
        && !name.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Checks the types of a template. twilio-python sends the absent ones as null; these are not kept.
fn types_of(given: Box<RawValue>) -> Result<JsonText, Error> {
    let refusal = |wants| {
        Error::from(Invalid::Parameter {
            name: "types",
            wants,
        })
    };
    if given.get().len() > MAX_TYPES_BYTES {
        return Err(refusal("at most 32 KiB"));
    }
    let mut all: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(given.get()).map_err(|_| refusal("an object of content types"))?;
    let count = all.len();
    all.retain(|_, one| one.get() != "null");
    if all.is_empty() {
        return Err(refusal("at least one content type"));
    }
    for (name, one) in &all {
        let parsed: Value =
            serde_json::from_str(one.get()).map_err(|_| refusal("an object of content types"))?;
        content_types::check(name, &parsed)?;
    }
    if all.len() == count {
        return Ok(JsonText(given));
    }
    serde_json::value::to_raw_value(&all)
        .map(JsonText)
        .map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_given_is_kept_byte_for_byte_but_for_absent_types() {
        let text = r#"{"language":"en","variables":{ "b":"1", "a":"2" },"types":{ "twilio/text" : {"body":"x", "new":123456789012345678901234567890} }}"#;
        let new = NewContent::parse(text.as_bytes()).expect("a template");
        assert_eq!(new.variables.as_str(), r#"{ "b":"1", "a":"2" }"#);
        assert!(
            new.types
                .as_str()
                .contains("123456789012345678901234567890"),
            "{new:?}"
        );
        let text = r#"{"language":"en","types":{"twilio/text":{"body":"x"},"twilio/card":null}}"#;
        let new = NewContent::parse(text.as_bytes()).expect("a template");
        assert_eq!(new.types.as_str(), r#"{"twilio/text":{"body":"x"}}"#);
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,100}") {
            let _ = NewContent::parse(text.as_bytes());
        }
    }
}
