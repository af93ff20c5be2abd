//! What conversations show of a template: the text of its plainest type, and its fullest type for who shows more.

use std::collections::BTreeMap;

use serde_json::Value;

/// The types that conversations support (API page on templates in conversations). Where a template has several, the
/// plainer comes first: the text of a message is made from it (our choice).
pub const SUPPORTED: &[&str] = &[
    "twilio/text",
    "twilio/media",
    "twilio/quick-reply",
    "twilio/call-to-action",
    "twilio/list-picker",
    "twilio/card",
    "twilio/location",
];

/// The text of a template, with its gaps, from the first of its [`SUPPORTED`] types; none when it has none of them.
#[must_use]
pub fn text(types: &BTreeMap<String, Value>) -> Option<String> {
    SUPPORTED
        .iter()
        .find_map(|name| Some(text_of(name, types.get(*name)?)))
}

/// The fullest of a template's [`SUPPORTED`] types: what clients that show more than text are given (our choice).
#[must_use]
pub fn richest(mut types: BTreeMap<String, Value>) -> Option<(String, Value)> {
    let mut known = SUPPORTED.iter().rev();
    known.find_map(|name| types.remove_entry(*name))
}

fn text_of(name: &str, it: &Value) -> String {
    let line = |property: &str| it[property].as_str().filter(|text| !text.is_empty());
    let lines = |all: &[Option<&str>]| all.iter().flatten().copied().collect::<Vec<_>>().join("\n");
    match name {
        "twilio/card" => lines(&[line("title"), line("subtitle")]),
        "twilio/location" => {
            let point = format!("{}, {}", it["latitude"], it["longitude"]);
            lines(&[line("label"), line("address"), Some(&point)])
        }
        "twilio/media" if line("body").is_none() => {
            let media = it["media"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            lines(&media.iter().map(Value::as_str).collect::<Vec<_>>())
        }
        _ => line("body").unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::content_types::check;
    use serde_json::json;

    #[test]
    fn each_supported_type_makes_a_text() {
        for (name, value, wanted) in [
            ("twilio/text", json!({ "body": "b" }), "b"),
            (
                "twilio/media",
                json!({ "body": "b", "media": ["https://x"] }),
                "b",
            ),
            (
                "twilio/media",
                json!({ "media": ["https://x", "https://y"] }),
                "https://x\nhttps://y",
            ),
            (
                "twilio/location",
                json!({ "latitude": 58.38, "longitude": 26.72, "label": "Tartu", "address": null }),
                "Tartu\n58.38, 26.72",
            ),
            (
                "twilio/quick-reply",
                json!({ "body": "b", "actions": [{ "title": "Yes", "id": null }] }),
                "b",
            ),
            (
                "twilio/call-to-action",
                json!({ "body": "b", "actions": [{ "type": "URL", "title": "Go" }] }),
                "b",
            ),
            (
                "twilio/list-picker",
                json!({ "body": "b", "button": "o", "items": [{ "id": "1", "item": "i" }] }),
                "b",
            ),
            (
                "twilio/card",
                json!({ "title": "t", "subtitle": "s" }),
                "t\ns",
            ),
        ] {
            check(name, &value).unwrap_or_else(|error| panic!("{name}: {error}"));
            let types = BTreeMap::from([(name.to_owned(), value)]);
            assert_eq!(text(&types).as_deref(), Some(wanted), "{name}");
        }
    }

    #[test]
    fn the_plainest_type_is_shown_and_others_are_not() {
        let types = |names: &[&str]| {
            let all = names
                .iter()
                .map(|name| ((*name).to_owned(), json!({ "body": *name })));
            text(&all.collect())
        };
        assert_eq!(
            types(&["twilio/quick-reply", "twilio/text"]).as_deref(),
            Some("twilio/text")
        );
        assert_eq!(types(&["whatsapp/card", "twilio/carousel"]), None);
    }
}
