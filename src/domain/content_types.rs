//! Content types: what each published type of a template must hold.
//!
//! Properties beyond those of the published contract are let through: the list grows faster than servers do.

use serde_json::Value;

use super::errors::{Error, Invalid};

/// What a property holds.
#[derive(Debug, Clone, Copy)]
enum Holds {
    Text,
    Number,
    Flag,
    Texts,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of objects.
    List(&'static [Property]),
}

impl Holds {
    const fn wants(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Flag => "true or false",
            Self::Texts => "a list of texts",
            Self::Word(_) => "one of the published words",
            Self::List(_) => "a list of objects",
        }
    }
}

/// A property of a content type.
#[derive(Debug, Clone, Copy)]
struct Property {
    name: &'static str,
    holds: Holds,
    required: bool,
}

const fn must(name: &'static str, holds: Holds) -> Property {
    Property {
        name,
        holds,
        required: true,
    }
}

const fn may(name: &'static str, holds: Holds) -> Property {
    Property {
        name,
        holds,
        required: false,
    }
}

use Holds::{Flag, List, Number, Text, Texts, Word};

const QUICK_REPLIES: Holds = List(&[
    may("type", Word(&["QUICK_REPLY"])),
    must("title", Text),
    may("id", Text),
]);
const CALLS_TO_ACTION: Holds = List(&[
    must(
        "type",
        Word(&[
            "URL",
            "PHONE_NUMBER",
            "COPY_CODE",
            "VOICE_CALL",
            "VOICE_CALL_REQUEST",
        ]),
    ),
    must("title", Text),
    may("url", Text),
    may("phone", Text),
    may("code", Text),
    may("id", Text),
]);
const CARD_ACTIONS: Holds = List(&[
    must(
        "type",
        Word(&[
            "URL",
            "PHONE_NUMBER",
            "QUICK_REPLY",
            "COPY_CODE",
            "VOICE_CALL",
        ]),
    ),
    must("title", Text),
    may("url", Text),
    may("phone", Text),
    may("id", Text),
    may("code", Text),
    may("webview_size", Word(&["TALL", "FULL", "HALF", "NONE"])),
]);
const CAROUSEL_ACTIONS: Holds = List(&[
    must("type", Word(&["URL", "PHONE_NUMBER", "QUICK_REPLY"])),
    must("title", Text),
    may("url", Text),
    may("phone", Text),
    may("id", Text),
]);

/// The published content types (API reference of Content).
const TYPES: &[(&str, &[Property])] = &[
    ("twilio/text", &[must("body", Text)]),
    ("twilio/media", &[may("body", Text), must("media", Texts)]),
    (
        "twilio/location",
        &[
            must("latitude", Number),
            must("longitude", Number),
            may("label", Text),
            may("id", Text),
            may("address", Text),
        ],
    ),
    (
        "twilio/quick-reply",
        &[must("body", Text), must("actions", QUICK_REPLIES)],
    ),
    (
        "twilio/call-to-action",
        &[must("body", Text), must("actions", CALLS_TO_ACTION)],
    ),
    (
        "twilio/list-picker",
        &[
            must("body", Text),
            must("button", Text),
            must(
                "items",
                List(&[
                    must("id", Text),
                    must("item", Text),
                    may("description", Text),
                ]),
            ),
        ],
    ),
    (
        "twilio/card",
        &[
            may("title", Text),
            may("subtitle", Text),
            may("media", Texts),
            may("actions", CARD_ACTIONS),
        ],
    ),
    (
        "twilio/carousel",
        &[
            must("body", Text),
            must(
                "cards",
                List(&[
                    may("title", Text),
                    must("body", Text),
                    must("media", Text),
                    must("actions", CAROUSEL_ACTIONS),
                ]),
            ),
        ],
    ),
    (
        "twilio/catalog",
        &[
            may("title", Text),
            must("body", Text),
            may("subtitle", Text),
            may("id", Text),
            may(
                "items",
                List(&[
                    may("id", Text),
                    may("section_title", Text),
                    may("name", Text),
                    may("media_url", Text),
                    may("price", Number),
                    may("description", Text),
                ]),
            ),
            may("dynamic_items", Text),
        ],
    ),
    (
        "twilio/flows",
        &[
            must("body", Text),
            must("button_text", Text),
            may("subtitle", Text),
            may("media_url", Text),
            must(
                "pages",
                List(&[
                    must("id", Text),
                    may("next_page_id", Text),
                    must("title", Text),
                    may("subtitle", Text),
                    must("layout", List(&[may("label", Text), must("type", Text)])),
                ]),
            ),
            must("type", Text),
        ],
    ),
    (
        "twilio/schedule",
        &[
            must("id", Text),
            must("title", Text),
            must("timeSlots", Text),
        ],
    ),
    (
        "whatsapp/card",
        &[
            must("body", Text),
            may("footer", Text),
            may("media", Texts),
            may("header_text", Text),
            may("actions", CARD_ACTIONS),
        ],
    ),
    (
        "whatsapp/authentication",
        &[
            may("add_security_recommendation", Flag),
            may("code_expiration_minutes", Number),
            must(
                "actions",
                List(&[
                    must("type", Word(&["COPY_CODE"])),
                    must("copy_code_text", Text),
                ]),
            ),
        ],
    ),
    (
        "whatsapp/flows",
        &[
            must("body", Text),
            must("button_text", Text),
            may("subtitle", Text),
            may("media_url", Text),
            must("flow_id", Text),
            may("flow_token", Text),
            may("flow_first_page_id", Text),
            may("is_flow_first_page_endpoint", Flag),
        ],
    ),
];

/// Checks one type of a template.
///
/// # Errors
/// 20422 for a type that is not published, or a property that is missing or of another kind.
pub fn check(name: &str, value: &Value) -> Result<(), Error> {
    let Some((name, properties)) = TYPES.iter().find(|(known, _)| *known == name) else {
        return Err(Invalid::Parameter {
            name: "types",
            wants: "published content types only, such as twilio/text or twilio/media",
        }
        .into());
    };
    if !value.is_object() {
        return Err(Invalid::Parameter {
            name,
            wants: "an object",
        }
        .into());
    }
    check_all(properties, value)
}

/// Checks the properties of an object. The libraries send absent ones as null.
fn check_all(properties: &[Property], object: &Value) -> Result<(), Error> {
    for property in properties {
        let refusal = Invalid::Parameter {
            name: property.name,
            wants: property.holds.wants(),
        };
        let value = &object[property.name];
        let fits = match (value, property.holds) {
            (Value::Null, _) => !property.required,
            (Value::String(text), Text) => is_storable(text),
            (Value::Number(_), Number) | (Value::Bool(_), Flag) => true,
            (Value::String(word), Word(words)) => words.contains(&word.as_str()),
            (Value::Array(items), Texts) => items
                .iter()
                .all(|item| item.as_str().is_some_and(is_storable)),
            (Value::Array(items), List(properties)) => {
                for item in items {
                    if !item.is_object() {
                        return Err(refusal.into());
                    }
                    check_all(properties, item)?;
                }
                true
            }
            _ => false,
        };
        if !fits {
            return Err(refusal.into());
        }
    }
    Ok(())
}

/// Whether a text column can hold it.
fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_refusal_names_the_property() {
        for (name, value, wanted) in [
            ("twilio/poem", json!({}), "types"),
            ("twilio/text", json!([]), "twilio/text"),
            ("twilio/text", json!({}), "body"),
            ("twilio/text", json!({ "body": 1 }), "body"),
            ("twilio/text", json!({ "body": "\0" }), "body"),
            ("twilio/media", json!({ "media": "x" }), "media"),
            ("twilio/media", json!({ "media": [1] }), "media"),
            ("twilio/location", json!({ "latitude": "x" }), "latitude"),
            ("twilio/card", json!({ "actions": ["x"] }), "actions"),
            (
                "twilio/card",
                json!({ "actions": [{ "type": "URL" }] }),
                "title",
            ),
            (
                "twilio/card",
                json!({ "actions": [{ "type": "JUMP", "title": "x" }] }),
                "type",
            ),
        ] {
            let refused = check(name, &value).map_err(|error| error.to_string());
            let refused = refused.expect_err(name);
            assert!(
                refused.starts_with(&format!("Invalid parameter {wanted}:")),
                "{value}: {refused}"
            );
        }
    }
}
