//! Content templates: texts with gaps, kept once and sent often.
//!
//! What a template consists of is kept and answered as it was given; a message that is made from one has the text that
//! [`render`] makes of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::accounts::AccountSid;
use super::content_types;
use super::errors::{Error, Invalid};
use super::messages;
use super::sids::{Kind, Sid};
use super::time::Timestamp;
use super::too_long;

/// The SID of a content template.
pub type ContentSid = Sid<Content>;

/// Variables of one template or message (API page on content variables).
const MAX_VARIABLES: usize = 100;
/// The longest name of a variable, in characters (API page on content variables).
const MAX_NAME_CHARACTERS: usize = 16;
/// The longest value that a message gives a variable, in characters (error 50541).
const MAX_VALUE_CHARACTERS: usize = 256;
/// The longest `ContentVariables` of a message, in characters (error 50529).
const MAX_VARIABLES_CHARACTERS: usize = 27_801;
/// The longest default of a variable, in characters (API page on content variables).
const MAX_DEFAULT_CHARACTERS: usize = 1600;
/// The longest text of all types of one template, in bytes (our choice: ten times what the longest template of a
/// provider takes).
const MAX_TYPES_BYTES: usize = 32 * 1024;
/// The longest code of a language, in characters (our choice: the longest codes that providers list have half of it).
const MAX_LANGUAGE_CHARACTERS: usize = 16;

/// The longest gap between its braces, in bytes: 16 characters of at most 4, with spaces around them.
const MAX_GAP_BYTES: usize = 80;

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

/// The values that a message gives a template's variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

/// Which template a message is made from, and with what in its gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filling {
    /// The template.
    pub sid: ContentSid,
    /// What goes into its gaps.
    pub variables: Variables,
}

impl Filling {
    /// Reads the two parameters of a message; an empty text counts as absent.
    ///
    /// # Errors
    /// 50526 for a SID that is none, 50528 for variables alone, and the refusals of [`Variables::parse`].
    pub fn parse(sid: Option<String>, variables: Option<String>) -> Result<Option<Self>, Error> {
        let sid = sid.filter(|text| !text.is_empty());
        let variables = variables.filter(|text| !text.is_empty());
        let Some(sid) = sid else {
            return match variables {
                None => Ok(None),
                Some(_) => Err(Invalid::ContentVariablesAlone.into()),
            };
        };
        let sid = sid.parse().map_err(|_| Invalid::ContentSidMalformed)?;
        let variables = variables.as_deref().map(Variables::parse).transpose()?;
        Ok(Some(Self {
            sid,
            variables: variables.unwrap_or_default(),
        }))
    }
}

impl Variables {
    /// Reads a JSON object of texts.
    ///
    /// # Errors
    /// 50529 over 27,801 characters or 100 variables, 50527 for no object of texts, 50540 for a name over 16 characters,
    /// 50541 for a value over 256.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.chars().count() > MAX_VARIABLES_CHARACTERS {
            return Err(Invalid::ContentVariablesTooLong.into());
        }
        let all: BTreeMap<String, String> =
            serde_json::from_str(text).map_err(|_| Invalid::ContentVariablesNotJson)?;
        if all.len() > MAX_VARIABLES {
            return Err(Invalid::ContentVariablesTooLong.into());
        }
        for (name, value) in &all {
            if name.chars().count() > MAX_NAME_CHARACTERS {
                return Err(Invalid::ContentVariableName.into());
            }
            if value.chars().count() > MAX_VALUE_CHARACTERS {
                return Err(Invalid::ContentVariableValue.into());
            }
            if value.contains('\0') {
                return Err(Invalid::ContentVariablesNotJson.into());
            }
        }
        Ok(Self(all))
    }
}

/// The text that a template makes with these values. A gap that the message leaves takes the template's default (API
/// page on content variables); one that has none either stays as it is written, so that the mistake is seen (our choice).
///
/// # Errors
/// 50542 when no type of the template is one that conversations support; 50504 when the text is too long.
pub fn render(content: &Content, with: &Variables) -> Result<Option<String>, Error> {
    let types: BTreeMap<String, Value> =
        serde_json::from_str(content.types.as_str()).map_err(Error::internal)?;
    let defaults: BTreeMap<String, String> =
        serde_json::from_str(content.variables.as_str()).map_err(Error::internal)?;
    let text = content_types::text(&types).ok_or(Invalid::ContentTypeUnsupported)?;
    let value = |name: &str| {
        let given = with.0.get(name).or_else(|| defaults.get(name));
        given.map(String::as_str)
    };
    let filled = fill(&text, value);
    (!filled.is_empty())
        .then(|| messages::body(filled))
        .transpose()
}

/// Puts values into the gaps of a text, which are written `{{name}}`. Gaps in a value are text like any other.
fn fill<'a>(text: &str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("{{") {
        filled.push_str(before);
        // No name is longer, so a text full of opening braces is not read again and again.
        let window = inside.as_bytes().windows(2).take(MAX_GAP_BYTES);
        let end = window.into_iter().position(|pair| pair == b"}}");
        let found = end.and_then(|end| Some((value(inside[..end].trim())?, &inside[end + 2..])));
        if let Some((value, behind)) = found {
            filled.push_str(value);
            rest = behind;
        } else {
            filled.push_str("{{");
            rest = inside;
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time;
    use proptest::prelude::*;
    use serde_json::json;

    fn content(body: &Value) -> Content {
        let new = NewContent::parse(body.to_string().as_bytes()).expect("a template");
        let now = time::parse("2026-11-25T10:00:00Z").expect("a moment");
        Content {
            sid: ContentSid::new(now),
            account_sid: AccountSid::new(now),
            friendly_name: new.friendly_name,
            language: new.language,
            variables: new.variables,
            types: new.types,
            date_created: now,
            date_updated: now,
        }
    }

    fn rendered(body: &Value, variables: &str) -> Option<String> {
        let with = Variables::parse(variables).expect("variables");
        render(&content(body), &with).expect("a text")
    }

    #[test]
    fn gaps_take_the_message_s_value_then_the_default_then_stay() {
        let body = json!({
            "language": "en",
            "variables": { "1": "friend", "city": "Tartu" },
            "types": { "twilio/text": { "body": "Hello {{1}} of {{ city }}, {{none}} {{} {{1" } },
        });
        assert_eq!(
            rendered(&body, "{}").as_deref(),
            Some("Hello friend of Tartu, {{none}} {{} {{1")
        );
        assert_eq!(
            rendered(&body, r#"{"1":"{{city}}","other":"x"}"#).as_deref(),
            Some("Hello {{city}} of Tartu, {{none}} {{} {{1")
        );
    }

    #[test]
    fn the_refusals_of_variables_have_their_codes() {
        let code = |sid: Option<&str>, variables: Option<&str>| {
            Filling::parse(sid.map(str::to_owned), variables.map(str::to_owned))
                .map_err(|error| error.published().code)
                .err()
        };
        let sid = Some("HX00000000000000000000000000000001");
        let long = format!(r#"{{"1":"{}"}}"#, "x".repeat(257));
        let many: BTreeMap<String, &str> = (0..101).map(|n| (n.to_string(), "")).collect();
        let many = serde_json::to_string(&many).expect("JSON");
        for (sid, variables, wanted) in [
            (None, None, None),
            (Some(""), Some(""), None),
            (sid, None, None),
            (sid, Some("{}"), None),
            (Some("HX1"), Some("{"), Some(50526)),
            (None, Some("{}"), Some(50528)),
            (sid, Some("{"), Some(50527)),
            (sid, Some("[]"), Some(50527)),
            (sid, Some(r#"{"1":2}"#), Some(50527)),
            (sid, Some(r#"{"1":"\u0000"}"#), Some(50527)),
            (sid, Some(r#"{"seventeen letters":""}"#), Some(50540)),
            (sid, Some(long.as_str()), Some(50541)),
            (sid, Some(many.as_str()), Some(50529)),
            (sid, Some(&*" ".repeat(27_802)), Some(50529)),
        ] {
            assert_eq!(code(sid, variables), wanted, "{sid:?} {variables:?}");
        }
    }

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
        fn never_panics(text in "\\PC{0,100}", value in "\\PC{0,10}") {
            let _ = NewContent::parse(text.as_bytes());
            let _ = Variables::parse(&text);
            fill(&text, |_| Some(value.as_str()));
        }

        #[test]
        fn a_text_without_gaps_stays(text in "[^{]{0,100}") {
            prop_assert_eq!(fill(&text, |_| Some("x")), text);
        }
    }
}
