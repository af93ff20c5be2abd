//! Requests that somebody could send who knows the words, and puts them together as it comes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

/// The paths of the socket, each with its methods; what is in braces is filled from [`Words`].
#[rustfmt::skip] // a table: one path a line
const PATHS: &[(&str, &[&str])] = &[
    ("/Client/v2/Configuration", &["GET"]),
    ("/Client/v2/ContentTemplates", &["GET"]),
    ("/Client/v2/Services/{service}/MyConversations", &["GET"]),
    ("/Client/v2/Services/{service}/MyConversations/{talk}", &["GET", "POST"]),
    ("/Client/v2/Services/{service}/Conversations", &["POST"]),
    ("/Client/v2/Services/{service}/Conversations/{talk}", &["GET", "POST", "DELETE"]),
    ("/Client/v2/Services/{service}/Conversations/{talk}/Participants", &["POST"]),
    ("/Client/v2/Services/{service}/Conversations/{talk}/Participants/{part}", &["GET", "POST", "DELETE"]),
    ("/Client/v2/Services/{service}/Conversations/{talk}/Messages", &["POST"]),
    ("/Client/v2/Services/{service}/Conversations/{talk}/Messages/{message}", &["GET", "POST", "DELETE"]),
    ("/Client/v2/Services/{service}/Conversations/{talk}/Messages/{message}/Receipts", &["GET"]),
    ("/Client/v2/Services/{service}/Conversations/{talk}/Messages/{message}/ChannelMetadata", &["GET"]),
    ("/Client/v2/Services/{service}/Conversations/{talk}/MessageRecipients", &["GET"]),
    ("/Client/v2/Services/{service}/Users/{user}", &["GET", "POST"]),
    ("/v3/Documents/{object}", &["GET"]),
    ("/v3/Lists/{object}", &["GET"]),
    ("/v3/Lists/{object}/Items", &["GET"]),
    ("/v3/Maps/{object}", &["GET"]),
    ("/v3/Maps/{object}/Items", &["GET"]),
    ("/v4/Subscriptions", &["POST"]),
    ("/v1/typing", &["POST"]),
    ("/v1/registrations", &["POST", "DELETE"]),
    ("/v1/registrations/{part}", &["DELETE"]),
];

/// What fits nowhere.
const ODD: &[&str] = &[
    "",
    ".",
    "..",
    "%",
    "%00",
    "%FF",
    "%2F",
    "%2e%2e",
    "%F0%9F%98%80",
    "a b",
    "\u{0}",
    "null",
    "0",
    "-1",
    "*",
    "'",
    "ES00000000000000000000000000000000",
    "MP00000000000000000000000000000000",
    "Conversations",
    "CHx.messages",
    ".info",
];

/// The fields of all bodies, with values that fit.
const FIELDS: &[(&str, &[&str])] = &[
    ("friendly_name", &[r#""name""#, r#""""#, r#""\u0000""#]),
    (
        "unique_name",
        &[
            r#""room""#,
            r#""""#,
            r#""a/b%☃""#,
            r#""CH00000000000000000000000000000000""#,
        ],
    ),
    (
        "attributes",
        &[
            r#""{}""#,
            r#""[1e999,\"\\u0000\"]""#,
            r#""{""#,
            r#""null""#,
            r#""\\""#,
        ],
    ),
    (
        "identity",
        &[
            r#""alice""#,
            r#""new""#,
            r#""""#,
            r#""system""#,
            r#""\ud83d\ude00""#,
            r#""\ud800""#,
        ],
    ),
    (
        "messaging_binding",
        &[
            r#"{"address":"+15550001","proxy_address":"+15550002"}"#,
            r#"{"address":"x"}"#,
            "{}",
        ],
    ),
    (
        "last_read_message_index",
        &[
            "0",
            "-1",
            "null",
            "9223372036854775807",
            "1e3",
            "99999999999999999999",
        ],
    ),
    (
        "notification_level",
        &[r#""muted""#, r#""default""#, r#""loud""#],
    ),
    ("body", &[r#""text""#, r#""""#, r#""\u0000""#]),
    ("subject", &[r#""text""#, r#""""#]),
    (
        "media_sids",
        &[
            "[]",
            r#"["ME00000000000000000000000000000000"]"#,
            r#"["x","x"]"#,
            "[1]",
        ],
    ),
    (
        "content_sid",
        &[r#""HX00000000000000000000000000000000""#, r#""x""#],
    ),
    (
        "content_variables",
        &[r#""{\"1\":\"x\"}""#, r#""{""#, r#""[]""#],
    ),
    ("channel_type", &[r#""fcm""#, r#""apn""#, r#""x""#]),
    (
        "message_types",
        &["[]", r#"["twilio.conversations.new_message","x"]"#],
    ),
    (
        "data",
        &[
            r#"{"registration_id":"x"}"#,
            r#"{"registration_id":"\u0000"}"#,
            "{}",
        ],
    ),
    ("binding_type", &[r#""fcm""#, r#""x""#]),
    ("address", &[r#""x""#, r#""""#]),
    ("action", &[r#""establish""#, r#""cancel""#, r#""steal""#]),
    ("correlation_id", &["1", "-1", "9223372036854775807", "1.5"]),
    ("event_protocol_version", &["4", "0"]),
];

/// The parameters of all queries.
#[rustfmt::skip]
const PARAMS: &[&str] =
    &["PageSize", "PageToken", "From", "Key", "Order", "Include", "HideExpired", "MessageSid", "x"];

/// What would fit another field.
const ANY: &[&str] = &[
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "1e400",
    "\"x\"",
    "[]",
    "{}",
    "[[[[[[]]]]]]",
    "{\"a\":{\"b\":[null]}}",
    "NaN",
    "",
];

/// Real words of a world, by what they name.
#[derive(Debug, Clone, Default)]
pub struct Words {
    pub services: Vec<String>,
    pub talks: Vec<String>,
    pub parts: Vec<String>,
    pub messages: Vec<String>,
    pub users: Vec<String>,
    pub tokens: Vec<String>,
}

/// One request: what stands in `http_request`, and the payload.
pub type Request = (Value, Vec<u8>);

impl Words {
    fn objects(&self) -> Vec<String> {
        let of_talks = self.talks.iter().flat_map(|talk| {
            let digits = talk.get(2..).unwrap_or_default();
            ["channel", "messages", "roster"]
                .map(|part| format!("{talk}.{part}"))
                .into_iter()
                .chain(["ET", "ES", "MP"].map(|kind| format!("{kind}{digits}")))
        });
        let of_users = self.users.iter().flat_map(|user| {
            let digits = user.get(2..).unwrap_or_default();
            [
                format!("{user}.info"),
                format!("{user}.myconversations"),
                format!("MP{digits}"),
            ]
        });
        of_talks.chain(of_users).collect()
    }

    fn all(&self) -> Vec<String> {
        let lists = [
            &self.services,
            &self.talks,
            &self.parts,
            &self.messages,
            &self.users,
        ];
        let odd = ODD.iter().map(|word| (*word).to_owned());
        let all = lists.into_iter().flatten().cloned();
        all.chain(self.objects())
            .chain(odd)
            .chain(["x".repeat(3_000)])
            .collect()
    }

    /// A word that mostly fits.
    fn word(&self, fitting: &[String]) -> BoxedStrategy<String> {
        let all = self.all();
        if fitting.is_empty() {
            return select(all).boxed();
        }
        prop_oneof![8 => select(fitting.to_vec()), 1 => select(all)].boxed()
    }

    /// A method and a path that mostly know each other.
    fn route(&self) -> BoxedStrategy<(&'static str, String)> {
        let odd = select(&["GET", "POST", "DELETE", "PUT", "PATCH", "get", "", "☃"][..]);
        let filled = (
            select(PATHS),
            (any::<Index>(), odd, 0..8),
            self.word(&self.talks),
            self.word(&self.parts),
            self.word(&self.messages),
            self.word(&self.users),
            (self.word(&self.services[..1]), self.word(&self.objects())),
        )
            .prop_map(
                |(
                    (path, methods),
                    (at, odd, which),
                    talk,
                    part,
                    message,
                    user,
                    (service, object),
                )| {
                    let method = if which == 0 {
                        odd
                    } else {
                        methods[at.index(methods.len())]
                    };
                    let path = path
                        .replace("{service}", &service)
                        .replace("{talk}", &talk)
                        .replace("{part}", &part)
                        .replace("{message}", &message)
                        .replace("{user}", &user)
                        .replace("{object}", &object);
                    (method, path)
                },
            )
            .boxed();
        let words = select(self.all());
        let changed = (filled.clone(), any::<Index>(), 0..4, words).prop_map(
            |((method, path), at, how, word)| {
                let mut segments: Vec<&str> = path.split('/').collect();
                let at = at.index(segments.len());
                match how {
                    0 => drop(segments.remove(at)),
                    1 => segments.insert(at, &word),
                    2 => segments[at] = &word,
                    _ => segments.push("?a=b"),
                }
                (method, segments.join("/"))
            },
        );
        let free = vec(select(self.all()), 0..6).prop_map(|segments| ("GET", segments.join("/")));
        prop_oneof![12 => filled, 2 => changed, 1 => free].boxed()
    }

    fn params(&self) -> BoxedStrategy<Value> {
        let mut values: Vec<Value> = self.tokens.iter().map(|token| json!(token)).collect();
        values.extend(ODD.iter().map(|word| json!(word)));
        values.extend(
            [
                "asc",
                "desc",
                "items",
                "10",
                "true",
                "friendlyName",
                "99999999999999999999",
            ]
            .map(|word| json!(word)),
        );
        values.extend(self.talks.iter().chain(&self.parts).map(|word| json!(word)));
        values.extend([json!(null), json!(7), json!(["a", "b"]), json!({ "a": 1 })]);
        vec((select(PARAMS), select(values)), 0..3)
            .prop_map(|pairs| {
                let pairs = pairs.into_iter();
                Value::Object(
                    pairs
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect::<Map<_, _>>(),
                )
            })
            .boxed()
    }

    /// The text of a list of wishes to follow something.
    fn wishes(&self) -> BoxedStrategy<String> {
        let ids = select(
            &[
                "0",
                "1",
                "null",
                "-5",
                "9223372036854775807",
                "1.5",
                "\"0\"",
            ][..],
        );
        let kinds = select(&["document", "list", "map", "", "x"][..]);
        let wish = (self.word(&self.objects()), kinds, ids).prop_map(|(object, kind, id)| {
            let (object, kind) = (json!(object), json!(kind));
            format!(r#"{{"object_sid":{object},"object_type":{kind},"last_event_id":{id}}}"#)
        });
        vec(wish, 0..4)
            .prop_map(|wishes| format!("[{}]", wishes.join(",")))
            .boxed()
    }

    fn payload(&self) -> BoxedStrategy<Vec<u8>> {
        let field = (select(FIELDS), any::<Index>(), select(ANY), 0..12).prop_map(
            |((name, fitting), at, other, which)| {
                let value = if which == 0 {
                    other
                } else {
                    fitting[at.index(fitting.len())]
                };
                format!("\"{name}\":{value}")
            },
        );
        let object = vec(field, 0..4).prop_map(|fields| format!("{{{}}}", fields.join(",")));
        let following = (
            select(&["establish", "establish", "cancel"][..]),
            self.wishes(),
        )
            .prop_map(|(action, wishes)| {
                format!(r#"{{"action":"{action}","correlation_id":7,"requests":{wishes}}}"#)
            });
        let typing = self
            .word(&self.talks)
            .prop_map(|talk| format!("ChannelSid={talk}"));
        let deep = (1_usize..5_000).prop_map(|depth| "[".repeat(depth));
        prop_oneof![
            8 => object.prop_map(String::into_bytes),
            4 => following.prop_map(String::into_bytes),
            1 => typing.prop_map(String::into_bytes),
            1 => deep.prop_map(String::into_bytes),
            1 => vec(any::<u8>(), 0..40),
            1 => Just(Vec::new()),
        ]
        .boxed()
    }

    /// A request.
    pub fn request(&self) -> BoxedStrategy<Request> {
        (self.route(), self.params(), self.payload())
            .prop_map(|((method, path), params, payload)| {
                let request = json!({ "host": "h", "method": method, "path": path, "params": params, "headers": {} });
                (request, payload)
            })
            .boxed()
    }
}
