//! Everything an SDK can ask for, and what it takes.

/// Where an action happens, and who may do it from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// In the service: no conversation role counts.
    Service,
    /// In a conversation, by participants only.
    Inside,
    /// In a conversation, by participants and by those whose service role permits it.
    FromOutside,
    /// Looking at a conversation, as those may who could join.
    Looking,
}

/// One action.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    pub name: &'static str,
    pub method: &'static str,
    /// Below the service, unless it begins with a slash.
    pub path: &'static str,
    /// A JSON text.
    pub body: &'static str,
    pub answer: u64,
    pub kind: Kind,
    /// The permissions it takes, all of them.
    pub needs: &'static [&'static str],
}

const fn action(
    name: &'static str,
    (method, path, body): (&'static str, &'static str, &'static str),
    answer: u64,
    kind: Kind,
    needs: &'static [&'static str],
) -> Action {
    Action {
        name,
        method,
        path,
        body,
        answer,
        kind,
        needs,
    }
}

use Kind::{FromOutside, Inside, Looking, Service};

const NAME: &str = "editConversationName";
const ATTRIBUTES: &str = "editConversationAttributes";

/// What a permission gates, and what needs none (behaviour: permissions of the API page of roles).
#[rustfmt::skip] // a table: one action a line
pub const ACTIONS: &[Action] = &[
    action("create", ("POST", "Conversations", "{}"), 201, Service, &["createConversation"]),
    action("edit the own user", ("POST", "Users/user", r#"{"friendly_name":"x"}"#), 200, Service, &["editOwnUserInfo"]),
    action("edit another user", ("POST", "Users/other", r#"{"attributes":"{}"}"#), 200, Service, &["editAnyUserInfo"]),
    action("see another user", ("GET", "Users/other", ""), 200, Service, &[]),
    action("list the own conversations", ("GET", "MyConversations", ""), 200, Service, &[]),
    action("see the configuration", ("GET", "/Client/v2/Configuration", ""), 200, Service, &[]),
    action("list templates", ("GET", "/Client/v2/ContentTemplates", ""), 200, Service, &[]),

    action("rename", ("POST", "Conversations/{talk}", r#"{"friendly_name":"x"}"#), 200, FromOutside, &[NAME]),
    action("name uniquely", ("POST", "Conversations/{talk}", r#"{"unique_name":"{fresh}"}"#), 200, FromOutside, &[NAME]),
    action("describe", ("POST", "Conversations/{talk}", r#"{"attributes":"[]"}"#), 200, FromOutside, &[ATTRIBUTES]),
    action("rename and describe", ("POST", "Conversations/{talk}", r#"{"friendly_name":"x","attributes":"[]"}"#), 200, FromOutside, &[NAME, ATTRIBUTES]),
    action("delete", ("DELETE", "Conversations/{talk}", "{}"), 204, FromOutside, &["deleteConversation"]),
    action("add somebody", ("POST", "Conversations/{talk}/Participants", r#"{"identity":"third"}"#), 201, FromOutside, &["addParticipant"]),
    action("add a phone", ("POST", "Conversations/{talk}/Participants", r#"{"messaging_binding":{"address":"{address}","proxy_address":"+15550000000"}}"#), 201, Inside, &["addNonChatParticipant"]),
    action("remove by identity", ("DELETE", "Conversations/{talk}/Participants/other", "{}"), 204, FromOutside, &["removeParticipant"]),
    action("remove by SID", ("DELETE", "Conversations/{talk}/Participants/{their part}", "{}"), 204, FromOutside, &["removeParticipant"]),
    action("leave", ("DELETE", "Conversations/{talk}/Participants/user", "{}"), 204, Inside, &["leaveConversation"]),
    action("leave by SID", ("DELETE", "Conversations/{talk}/Participants/{my part}", "{}"), 204, Inside, &["leaveConversation"]),
    action("describe oneself", ("POST", "Conversations/{talk}/Participants/user", r#"{"attributes":"[]"}"#), 200, Inside, &["editOwnParticipantAttributes"]),
    action("describe another", ("POST", "Conversations/{talk}/Participants/{their part}", r#"{"attributes":"[]"}"#), 200, Inside, &["editAnyParticipantAttributes"]),
    action("mute", ("POST", "MyConversations/{talk}", r#"{"notification_level":"muted"}"#), 200, Inside, &["editNotificationLevel"]),
    action("mute and read", ("POST", "MyConversations/{talk}", r#"{"notification_level":"muted","last_read_message_index":0}"#), 200, Inside, &["editNotificationLevel"]),

    action("send text", ("POST", "Conversations/{talk}/Messages", r#"{"body":"x","attributes":"{}"}"#), 201, Inside, &["sendMessage"]),
    action("send nothing", ("POST", "Conversations/{talk}/Messages", "{}"), 201, Inside, &["sendMessage"]),
    action("send media", ("POST", "Conversations/{talk}/Messages", r#"{"media_sids":["{media}"]}"#), 201, Inside, &["sendMediaMessage"]),
    action("send both", ("POST", "Conversations/{talk}/Messages", r#"{"body":"x","media_sids":["{media}"]}"#), 201, Inside, &["sendMessage", "sendMediaMessage"]),
    action("edit the own text", ("POST", "Conversations/{talk}/Messages/{my message}", r#"{"body":"y"}"#), 200, Inside, &["editOwnMessage"]),
    action("edit another's text", ("POST", "Conversations/{talk}/Messages/{their message}", r#"{"body":"y"}"#), 200, Inside, &["editAnyMessage"]),
    action("describe the own message", ("POST", "Conversations/{talk}/Messages/{my message}", r#"{"attributes":"[]"}"#), 200, Inside, &["editOwnMessageAttributes"]),
    action("describe another's message", ("POST", "Conversations/{talk}/Messages/{their message}", r#"{"attributes":"[]"}"#), 200, Inside, &["editAnyMessageAttributes"]),
    action("edit and describe", ("POST", "Conversations/{talk}/Messages/{my message}", r#"{"body":"y","attributes":"[]"}"#), 200, Inside, &["editOwnMessage", "editOwnMessageAttributes"]),
    action("delete the own message", ("DELETE", "Conversations/{talk}/Messages/{my message}", "{}"), 204, Inside, &["deleteOwnMessage"]),
    action("delete another's message", ("DELETE", "Conversations/{talk}/Messages/{their message}", "{}"), 204, Inside, &["deleteAnyMessage"]),

    action("peek", ("GET", "Conversations/{talk}", ""), 200, Looking, &[]),
    action("peek at the document", ("GET", "/v3/Documents/{talk}.channel", ""), 200, Looking, &[]),
    action("look it up", ("GET", "MyConversations/{talk}", ""), 200, Looking, &[]),
    action("see the messages", ("GET", "/v3/Lists/{talk}.messages", ""), 200, Inside, &[]),
    action("read", ("GET", "/v3/Lists/{talk}.messages/Items", ""), 200, Inside, &[]),
    action("see the roster", ("GET", "/v3/Maps/{talk}.roster", ""), 200, Inside, &[]),
    action("read the roster", ("GET", "/v3/Maps/{talk}.roster/Items", ""), 200, Inside, &[]),
    action("read a message", ("GET", "Conversations/{talk}/Messages/{their message}", ""), 200, Inside, &[]),
    action("read receipts", ("GET", "Conversations/{talk}/Messages/{their message}/Receipts", ""), 200, Inside, &[]),
    action("see somebody", ("GET", "Conversations/{talk}/Participants/{their part}", ""), 200, Inside, &[]),
    action("move the horizon", ("POST", "MyConversations/{talk}", r#"{"last_read_message_index":1}"#), 200, Inside, &[]),
    action("type", ("POST", "/v1/typing", "ChannelSid={talk}"), 200, Inside, &[]),
];
