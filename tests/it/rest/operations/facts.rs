//! What the document cannot tell: one good request of each operation, and which parameters are special.
//!
//! In values, `{n}` stands for a number that never comes twice, `{digits}` for seven digits that do not, `{identity}` for the chat user of the world, and
//! `{Roles}` and the like for the SID of the world's object of that kind.

use super::document::Operation;
use super::world::World;
use crate::support::Carries;

type Form = &'static [(&'static str, &'static str)];

/// Good requests by method and path; the path of a named service counts as the short one, unless it stands here itself.
#[rustfmt::skip] // a table: one operation a line
const FORMS: &[(&str, &str, Form)] = &[
    ("POST", "/v1/Services", &[("FriendlyName", "service {n}")]),
    ("POST", "/v1/Services/{}/Configuration", &[("ReachabilityEnabled", "true")]),
    ("POST", "/v1/Services/{}/Configuration/Notifications", &[("LogEnabled", "true")]),
    ("POST", "/v1/Services/{}/Configuration/Webhooks", &[("Method", "GET")]),
    ("POST", "/v1/Configuration", &[("DefaultInactiveTimer", "PT5M")]),
    ("POST", "/v1/Configuration/Webhooks", &[("Method", "GET")]),
    ("POST", "/v1/Configuration/Addresses", &[("Type", "sms"), ("Address", "+1556{digits}")]),
    ("POST", "/v1/Configuration/Addresses/{}", &[("FriendlyName", "another name")]),
    ("POST", "/v1/Credentials", &[("Type", "fcm"), ("Secret", "a secret"), ("FriendlyName", "a key")]),
    ("POST", "/v1/Credentials/{}", &[("FriendlyName", "another name")]),
    ("POST", "/v1/Conversations", &[("FriendlyName", "talk {n}"), ("UniqueName", "talk {n}")]),
    ("POST", "/v1/Conversations/{}", &[("FriendlyName", "another name")]),
    ("POST", "/v1/Conversations/{}/Messages", &[("Body", "hello"), ("Author", "{identity}")]),
    ("POST", "/v1/Conversations/{}/Messages/{}", &[("Body", "hello again")]),
    ("POST", "/v1/Conversations/{}/Participants", &[("Identity", "person {n}")]),
    ("POST", "/v1/Conversations/{}/Participants/{}", &[("Attributes", "{\"n\":1}")]),
    ("POST", "/v1/Conversations/{}/Webhooks", HOOK),
    ("POST", "/v1/Conversations/{}/Webhooks/{}", &[("Configuration.Method", "get")]),
    ("POST", "/v1/ConversationWithParticipants", &[("Participant", "{\"identity\":\"person {n}\"}")]),
    ("GET", "/v1/ParticipantConversations", &[("Identity", "{identity}")]),
    ("POST", "/v1/Users", &[("Identity", "user {n}")]),
    ("POST", "/v1/Users/{}", &[("FriendlyName", "Alice")]),
    ("POST", "/v1/Users/{}/Conversations/{}", &[("NotificationLevel", "muted")]),
    ("POST", "/v1/Roles", &[("FriendlyName", "role {n}"), ("Type", "service"), ("Permission", "joinConversation")]),
    ("POST", "/v1/Roles/{}", &[("Permission", "createConversation")]),
    ("POST", "/messaging/v1/Services", &[("FriendlyName", "support")]),
    ("POST", "/messaging/v1/Services/{}", &[("FriendlyName", "another name")]),
    ("POST", "/messaging/v1/Services/{}/PhoneNumbers", &[("PhoneNumberSid", "{api/IncomingPhoneNumbers}")]),
    ("POST", "/messaging/v1/Services/{}/ShortCodes", &[("ShortCodeSid", "SC{hex}"), ("ShortCode", "5{digits}")]),
    ("POST", "/messaging/v1/Services/{}/AlphaSenders", &[("AlphaSender", "A{digits}")]),
    ("POST", "/messaging/v1/Services/{}/ChannelSenders", &[("Sid", "XE{hex}"), ("Sender", "messenger:{digits}")]),
    ("POST", "/api/2010-04-01/Accounts.json", &[("FriendlyName", "shop")]),
    ("POST", "/api/2010-04-01/Accounts/{}.json", &[("FriendlyName", "another name")]),
    ("POST", "/api/2010-04-01/Accounts/{}/IncomingPhoneNumbers.json", &[("PhoneNumber", "+1888{digits}")]),
    ("POST", "/api/2010-04-01/Accounts/{}/Keys.json", &[("FriendlyName", "key {n}")]),
    ("POST", "/api/2010-04-01/Accounts/{}/Keys/{}.json", &[("FriendlyName", "another name")]),
    ("POST", "/api/2010-04-01/Accounts/{}/SigningKeys.json", &[("FriendlyName", "key {n}")]),
    ("POST", "/api/2010-04-01/Accounts/{}/SigningKeys/{}.json", &[("FriendlyName", "another name")]),
    ("POST", "/api/2010-04-01/Accounts/{}/Messages.json", &[("To", "+1777{digits}"), ("From", "+15550100000"), ("Body", "x")]),
    ("POST", "/api/2010-04-01/Accounts/{}/Tokens.json", &[("Ttl", "60")]),
    ("POST", "/iam/v1/Keys", &[("AccountSid", "{api/Accounts}")]),
    ("GET", "/iam/v1/Keys", &[("AccountSid", "{api/Accounts}")]),
    ("POST", "/iam/v1/Keys/{}", &[("FriendlyName", "another name")]),
];

/// Good requests that carry no form.
fn body(operation: &Operation, world: &World) -> Option<Carries> {
    match (operation.method.as_str(), operation.pattern().as_str()) {
        ("POST", "/content/v1/Content") => {
            let template = r#"{"language":"en","types":{"twilio/text":{"body":"hello"}}}"#;
            Some(Carries::Json(template.to_owned()))
        }
        ("POST", "/mcs/v1/Services/{}/Media") => Some(Carries::Bytes(b"hello")),
        ("POST", "/mcs/v1/Services/{}/MediaSet") => {
            let wish = world.fill(r#"{"media_sids":["{mcs/Media}"]}"#);
            Some(Carries::Json(wish))
        }
        _ => None,
    }
}

/// A webhook of a conversation.
pub const HOOK: Form = &[
    ("Target", "webhook"),
    ("Configuration.Url", "https://hooks.example/"),
    ("Configuration.Filters", "onMessageAdded"),
];

/// What must stand beside a parameter for it to be looked at.
#[rustfmt::skip] // a table: one parameter a line
const BESIDE: &[(&str, Form)] = &[
    ("Configuration.FlowSid", &[("Target", "studio")]),
    ("Configuration.Triggers", &[("Target", "trigger")]),
    ("AutoCreation.WebhookUrl", &[("AutoCreation.Type", "webhook")]),
    ("AutoCreation.WebhookMethod", &[("AutoCreation.Type", "webhook")]),
    ("AutoCreation.WebhookFilters", &[("AutoCreation.Type", "webhook")]),
    ("AutoCreation.StudioFlowSid", &[("AutoCreation.Type", "studio")]),
    ("AutoCreation.StudioRetryCount", &[("AutoCreation.Type", "studio")]),
];

/// Parameters that take any text, although the document says more: name, and why.
const LENIENT: &[(&str, &str)] = &[
    ("Page", "it is the client's own counter"),
    (
        "PageSize",
        "the most that fits is taken instead, see page_tokens",
    ),
];

/// A good request of an operation.
pub fn good(operation: &Operation, world: &World) -> Carries {
    if let Some(body) = body(operation, world) {
        return body;
    }
    match find(FORMS, operation) {
        Some(form) => Carries::Fields(filled(form, world)),
        None if operation.method == "POST" => {
            panic!(
                "what does {} {} take? (facts.rs)",
                operation.method,
                operation.pattern()
            )
        }
        None => Carries::Nothing,
    }
}

/// What must stand beside a parameter of an operation.
pub fn beside(name: &str, world: &World) -> Vec<(String, String)> {
    let found = BESIDE.iter().find(|(of, _)| *of == name);
    found.map_or_else(Vec::new, |(_, form)| filled(form, world))
}

/// Whether a parameter takes what the document says it does not.
pub fn lenient(name: &str) -> bool {
    LENIENT.iter().any(|(of, _)| *of == name)
}

fn find(forms: &[(&str, &str, Form)], operation: &Operation) -> Option<Form> {
    let exact = operation.pattern();
    let short = exact.replacen("/v1/Services/{}/", "/v1/", 1);
    let of = |path: &str| {
        forms
            .iter()
            .find(|(method, at, _)| operation.method == *method && *at == path)
            .map(|(_, _, form)| *form)
    };
    of(&exact).or_else(|| of(&short))
}

fn filled(form: Form, world: &World) -> Vec<(String, String)> {
    form.iter()
        .map(|(name, value)| ((*name).to_owned(), world.fill(value)))
        .collect()
}
