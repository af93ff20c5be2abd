//! Filling the gaps of content templates: what a message that is made from one says.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::content_texts;
use super::contents::{Content, ContentSid, MAX_NAME_CHARACTERS, MAX_VARIABLES};
use super::errors::{Error, Invalid};
use super::messages::MAX_BODY_BYTES;

/// The longest value that a message gives a variable, in characters (error 50541).
const MAX_VALUE_CHARACTERS: usize = 256;
/// The longest `ContentVariables` of a message, in characters (error 50529).
const MAX_VARIABLES_CHARACTERS: usize = 27_801;
/// The longest content of a rich message, in bytes of JSON (our choice: twice the longest template).
const MAX_RICH_BYTES: usize = 64 * 1024;
/// The longest gap between its braces, in bytes: 16 characters of at most 4, with spaces around them.
const MAX_GAP_BYTES: usize = 80;

/// What the media type of a rich message begins with; the content type follows, with a dot for its slash (the web SDK).
const RICH_PREFIX: &str = "application/x-vnd.com.twilio.rich.";

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

/// What a template makes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// The text, for all who show nothing else; none where it is empty.
    pub text: Option<String>,
    /// All of it, for the web SDK.
    pub rich: Rich,
}

/// The content of a rich message, as the piece of media that the web SDK looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rich {
    /// Its media type, which names the content type.
    pub content_type: String,
    /// JSON: the content type's properties under `data`.
    pub bytes: Vec<u8>,
}

/// What a template makes with these values. A gap that the message leaves takes the template's default (API page on
/// content variables); one that has none either stays as it is written, so that the mistake is seen (our choice).
///
/// # Errors
/// 50542 when no type of the template is one that conversations support; 50504 when the text, or all of it, is too long.
pub fn render(content: &Content, with: &Variables) -> Result<Filled, Error> {
    let types: BTreeMap<String, Value> =
        serde_json::from_str(content.types.as_str()).map_err(Error::internal)?;
    let defaults: BTreeMap<String, String> =
        serde_json::from_str(content.variables.as_str()).map_err(Error::internal)?;
    let text = content_texts::text(&types).ok_or(Invalid::ContentTypeUnsupported)?;
    let value = |name: &str| {
        let given = with.0.get(name).or_else(|| defaults.get(name));
        given.map(String::as_str)
    };
    let text = fill(&text, MAX_BODY_BYTES, value).ok_or(Invalid::BodyTooLong)?;
    let (name, variant) = content_texts::richest(types).ok_or(Invalid::ContentTypeUnsupported)?;
    Ok(Filled {
        text: Some(text).filter(|text| !text.is_empty()),
        rich: rich(&name, variant, value).ok_or(Invalid::BodyTooLong)?,
    })
}

/// Makes the content of a rich message from one content type; none when it is too long.
fn rich<'a>(
    name: &str,
    mut variant: Value,
    value: impl Fn(&str) -> Option<&'a str> + Copy,
) -> Option<Rich> {
    fill_all(&mut variant, &mut { MAX_RICH_BYTES }, value)?;
    let bytes = json!({ "data": variant }).to_string().into_bytes();
    (bytes.len() <= MAX_RICH_BYTES).then(|| Rich {
        content_type: format!("{RICH_PREFIX}{}", name.replace('/', ".")),
        bytes,
    })
}

/// Fills the gaps of all texts in a value; none when they grow beyond `left` bytes.
fn fill_all<'a>(
    into: &mut Value,
    left: &mut usize,
    value: impl Fn(&str) -> Option<&'a str> + Copy,
) -> Option<()> {
    match into {
        Value::String(text) => {
            *text = fill(text, *left, value)?;
            *left -= text.len();
            Some(())
        }
        Value::Array(items) => items
            .iter_mut()
            .try_for_each(|it| fill_all(it, left, value)),
        Value::Object(members) => members
            .values_mut()
            .try_for_each(|it| fill_all(it, left, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(()),
    }
}

/// Puts values into the gaps of a text, which are written `{{name}}`; none when it grows beyond `most` bytes. Gaps in a
/// value are text like any other.
fn fill<'a>(text: &str, most: usize, value: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("{{") {
        filled.push_str(before);
        if filled.len() > most {
            return None;
        }
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
    (filled.len() <= most).then_some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AccountSid;
    use crate::domain::contents::NewContent;
    use crate::domain::time;
    use proptest::prelude::*;

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
        render(&content(body), &with).expect("a text").text
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
    fn the_richest_type_is_filled_whole_and_goes_as_a_piece() {
        let body = json!({
            "language": "en",
            "variables": { "1": "friend" },
            "types": {
                "twilio/text": { "body": "Hello {{1}}" },
                "twilio/quick-reply": {
                    "body": "Hello {{1}}!",
                    "actions": [{ "type": "QUICK_REPLY", "title": "I am {{1}}", "id": "{{id}}" }],
                },
                "whatsapp/card": { "body": "not for conversations" },
            },
        });
        let with = Variables::parse(r#"{"1":"\"Bob\"","id":"7"}"#).expect("variables");
        let filled = render(&content(&body), &with).expect("a message");
        assert_eq!(filled.text.as_deref(), Some("Hello \"Bob\""));
        assert_eq!(
            filled.rich.content_type,
            "application/x-vnd.com.twilio.rich.twilio.quick-reply"
        );
        let said: Value = serde_json::from_slice(&filled.rich.bytes).expect("JSON");
        let action = json!({ "type": "QUICK_REPLY", "title": "I am \"Bob\"", "id": "7" });
        assert_eq!(
            said,
            json!({ "data": { "body": "Hello \"Bob\"!", "actions": [action] } })
        );
    }

    #[test]
    fn what_grows_too_long_is_refused_before_it_is_whole() {
        let long = "v".repeat(256);
        let refused = |types: Value| {
            let with = Variables::parse(&json!({ "1": long }).to_string()).expect("variables");
            let body = json!({ "language": "en", "types": types });
            let refused = render(&content(&body), &with).expect_err("a refusal");
            refused.published().code
        };
        let gaps = "{{1}}".repeat(129);
        assert_eq!(refused(json!({ "twilio/text": { "body": gaps } })), 50504);
        let parts = vec![gaps; 2];
        assert_eq!(
            refused(json!({ "twilio/card": { "title": "x", "media": parts } })),
            50504
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

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,100}", value in "\\PC{0,10}") {
            let _ = Variables::parse(&text);
            fill(&text, 100, |_| Some(value.as_str()));
        }

        #[test]
        fn a_text_without_gaps_stays(text in "[^{]{0,100}") {
            prop_assert_eq!(fill(&text, text.len(), |_| Some("x")), Some(text));
        }
    }
}
