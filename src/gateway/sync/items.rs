//! What the objects hold: the data of documents and items, in the words of the SDK.

use serde::Serialize;
use serde_json::{Value, json};

use super::Object;
use crate::domain::media::{Category, Piece};
use crate::domain::participants::{Membership, NotificationLevel};
use crate::domain::time::{self, Timestamp};
use crate::domain::{
    Attributes, ContentSid, Conversation, Delivery, MediaSid, Message, MessageSid, Participant,
    ParticipantSid, User,
};
use crate::ops::events::LastMessage;

/// The data of a conversation's document. It is shared by all members, so nothing of one reader is in it.
#[must_use]
pub fn document(of: &Conversation, last_message: Option<LastMessage>) -> Value {
    let email = (of.email_address.is_some() || of.email_name.is_some())
        .then(|| json!({ "name": of.email_name, "projected_address": of.email_address }));
    json!({
        "messages": Object::Messages(of.sid).to_string(),
        "roster": Object::Roster(of.sid).to_string(),
        "uniqueName": of.unique_name,
        "friendlyName": of.friendly_name,
        "attributes": of.attributes,
        "createdBy": of.created_by,
        "dateCreated": time::print(of.date_created),
        "dateUpdated": time::print(of.date_updated),
        "state": { "current": of.state.as_str(), "dateUpdated": millis(of.state_updated) },
        "lastMessage": last_message
            .map(|last| json!({ "index": last.index, "timestamp": millis(last.date_created) })),
        "bindings": email.map_or_else(|| json!({}), |email| json!({ "email": email })),
    })
}

/// Moments inside sync objects keep their milliseconds: the SDK sorts and shows by them.
fn millis(moment: Timestamp) -> String {
    moment.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// One item of a list or map.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its place.
    pub at: Place,
    /// The event id of its last change.
    pub position: i64,
    /// The event id of its creation.
    pub created_position: i64,
    /// When it last changed.
    pub date_updated: Timestamp,
    /// What it holds.
    pub data: Value,
}

/// Where an item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a list.
    Index(i64),
    /// In a map.
    Key(String),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageData<'a> {
    sid: MessageSid,
    author: &'a str,
    text: Option<&'a str>,
    subject: Option<&'a str>,
    attributes: &'a Attributes,
    timestamp: String,
    date_updated: String,
    last_updated_by: Option<&'a str>,
    member_sid: Option<ParticipantSid>,
    r#type: &'static str,
    /// The first attachment, for clients that know one only. Other forms of the text are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<PieceData<'a>>,
    /// All pieces: there whenever `media` is, or the SDK reports changes of media that are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    medias: Option<Vec<PieceData<'a>>>,
    content_sid: Option<ContentSid>,
    delivery: Option<Delivery>,
    channel_metadata: bool,
}

#[derive(Serialize, Clone, Copy)]
#[serde(rename_all = "camelCase")]
struct PieceData<'a> {
    sid: MediaSid,
    category: Category,
    filename: Option<&'a str>,
    content_type: &'a str,
    size: i64,
}

impl<'a> From<&'a Piece> for PieceData<'a> {
    fn from(piece: &'a Piece) -> Self {
        Self {
            sid: piece.sid,
            category: piece.category,
            filename: piece.filename.as_deref(),
            content_type: &piece.content_type,
            size: piece.size,
        }
    }
}

/// The item of a message.
#[must_use]
pub fn message(of: &Message) -> Item {
    let medias: Option<Vec<PieceData<'_>>> = of
        .media
        .as_deref()
        .map(|pieces| pieces.iter().map(PieceData::from).collect());
    let mut pieces = medias.iter().flatten().copied();
    let attached = pieces.find(|piece| piece.category == Category::Media);
    let data = MessageData {
        sid: of.sid,
        author: &of.author,
        text: of.body.as_deref(),
        subject: of.subject.as_deref(),
        attributes: &of.attributes,
        timestamp: millis(of.date_created),
        date_updated: millis(of.date_updated),
        last_updated_by: of.last_updated_by.as_deref(),
        member_sid: of.participant_sid,
        r#type: if attached.is_some() { "media" } else { "text" },
        media: attached,
        medias,
        content_sid: of.content_sid,
        delivery: of.delivery(),
        channel_metadata: false,
    };
    Item {
        at: Place::Index(of.index),
        position: of.position,
        created_position: of.created_position,
        date_updated: of.date_updated,
        data: serde_json::to_value(data).unwrap_or_default(),
    }
}

/// The item of a participant.
#[must_use]
pub fn participant(of: &Participant) -> Item {
    let kind = if of.identity.is_some() {
        "chat"
    } else {
        of.channel().map_or("chat", |c| c.as_str())
    };
    Item {
        at: Place::Key(of.sid.to_string()),
        position: of.position,
        created_position: of.created_position,
        date_updated: of.date_updated,
        data: json!({
            "identity": of.identity,
            "type": kind,
            "attributes": of.attributes,
            "roleSid": of.role_sid,
            "dateCreated": time::print(of.date_created),
            "dateUpdated": time::print(of.date_updated),
            "lastConsumedMessageIndex": of.last_read_message_index,
            "lastConsumptionTimestamp": of.last_read_timestamp.map(time::print),
            "userInfo": of.user_sid.map(|user| Object::UserInfo(user).to_string()),
            "bindings": {},
        }),
    }
}

/// The item of one of a user's own conversations.
#[must_use]
pub fn membership(of: &Membership, user: &User) -> Item {
    let talk = of.conversation_sid;
    let level = match of.notification_level {
        NotificationLevel::Default => "default",
        NotificationLevel::Muted => "muted",
    };
    Item {
        at: Place::Key(talk.to_string()),
        position: of.position,
        created_position: of.created_position,
        date_updated: user.date_updated,
        data: json!({
            "status": "joined",
            "channel": Object::Document(talk).to_string(),
            "messages": Object::Messages(talk).to_string(),
            "roster": Object::Roster(talk).to_string(),
            "notificationLevel": level,
            "lastConsumedMessageIndex": of.last_read_message_index,
        }),
    }
}

/// The items of a user's info, by key: the name and the attributes, which are always there, and whether the user can be
/// reached, where that is kept.
#[must_use]
pub fn user_info(of: &User) -> Vec<Item> {
    let item = |key: &str, position: i64, data: Value| Item {
        at: Place::Key(key.to_owned()),
        position,
        created_position: 0,
        date_updated: of.date_updated,
        data,
    };
    let value = |value: Value| json!({ "value": value });
    let mut items = vec![
        item(
            "attributes",
            of.attributes_position,
            value(json!(of.attributes)),
        ),
        item(
            "friendlyName",
            of.friendly_name_position,
            value(json!(of.friendly_name)),
        ),
    ];
    if let (Some(online), Some(notifiable)) = (of.is_online, of.is_notifiable) {
        let data = json!({ "online": online, "notifiable": notifiable });
        items.push(item("reachability", of.reachability_position, data));
    }
    items
}

/// An item as answers to reads print it.
#[must_use]
pub fn print(item: &Item, object: Object, base: &str) -> Value {
    let (name, place, text) = match &item.at {
        Place::Index(index) => ("index", json!(index), index.to_string()),
        Place::Key(key) => ("key", json!(key), key.clone()),
    };
    json!({
        name: place,
        "url": format!("{base}{}/Items/{text}", object.path()),
        "revision": item.position.to_string(),
        "last_event_id": item.position,
        "date_updated": time::print(item.date_updated),
        "date_expires": null,
        "data": item.data,
    })
}

/// A descriptor as answers to reads print it.
#[must_use]
pub fn descriptor(
    object: Object,
    base: &str,
    last_event_id: i64,
    date_updated: Timestamp,
) -> Value {
    let url = format!("{base}{}", object.path());
    json!({
        "sid": object.sid(),
        "unique_name": object.to_string(),
        "url": url,
        "revision": last_event_id.to_string(),
        "last_event_id": last_event_id,
        "date_updated": time::print(date_updated),
        "date_expires": null,
        "links": { "items": format!("{url}/Items") },
    })
}
