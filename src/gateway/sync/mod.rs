//! Sync objects: rows and positions as the documents, lists and maps that SDK clients replicate.
//!
//! Nothing of this is stored. An object's SID is computed from the conversation's or user's, so that a client finds it on
//! any node and after any restart; its event ids *are* the positions of the rows.

pub mod events;
pub mod items;
pub mod sight;

use std::fmt;

use uuid::Uuid;

use crate::domain::{Conversation, ConversationSid, Kind, Scope, Sid, User, UserSid};

/// A sync object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Object {
    /// A conversation's own fields and its newest message.
    Document(ConversationSid),
    /// A conversation's messages, by index.
    Messages(ConversationSid),
    /// A conversation's participants, by SID.
    Roster(ConversationSid),
    /// A user's own conversations, by SID.
    OwnConversations(UserSid),
    /// A user's name, attributes and reachability.
    UserInfo(UserSid),
}

struct DocumentKind;
struct ListKind;
struct MapKind;

impl Kind for DocumentKind {
    const PREFIX: &'static str = "ET";
}

impl Kind for ListKind {
    const PREFIX: &'static str = "ES";
}

impl Kind for MapKind {
    const PREFIX: &'static str = "MP";
}

/// How a client names an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// The object itself.
    Object(Object),
    /// A map, of which the SID alone does not tell what it is: these digits belong to a conversation's roster, to a
    /// user's own conversations, or with the lowest bit inverted to a user's info.
    Map(Uuid),
}

impl Named {
    /// Reads a SID or unique name.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if let Ok(sid) = text.parse::<Sid<DocumentKind>>() {
            return Some(Self::Object(Object::Document(Sid::from_uuid(sid.uuid()))));
        }
        if let Ok(sid) = text.parse::<Sid<ListKind>>() {
            return Some(Self::Object(Object::Messages(Sid::from_uuid(sid.uuid()))));
        }
        if let Ok(sid) = text.parse::<Sid<MapKind>>() {
            return Some(Self::Map(sid.uuid()));
        }
        let (owner, part) = text.split_once('.')?;
        Some(Self::Object(match part {
            "channel" => Object::Document(owner.parse().ok()?),
            "messages" => Object::Messages(owner.parse().ok()?),
            "roster" => Object::Roster(owner.parse().ok()?),
            "myconversations" => Object::OwnConversations(owner.parse().ok()?),
            "info" => Object::UserInfo(owner.parse().ok()?),
            _ => return None,
        }))
    }

    /// The SID, which tells the lists of items apart.
    #[must_use]
    pub fn sid(self) -> String {
        match self {
            Self::Object(object) => object.sid(),
            Self::Map(digits) => Sid::<MapKind>::from_uuid(digits).to_string(),
        }
    }

    /// What it is, or may be.
    pub fn may_be(self) -> impl Iterator<Item = Object> {
        let (object, digits) = match self {
            Self::Object(object) => (Some(object), None),
            Self::Map(digits) => (None, Some(digits)),
        };
        let maps = digits.map(|digits| {
            [
                Object::Roster(ConversationSid::from_uuid(digits)),
                Object::OwnConversations(UserSid::from_uuid(digits)),
                Object::UserInfo(UserSid::from_uuid(info_digits(digits))),
            ]
        });
        object.into_iter().chain(maps.into_iter().flatten())
    }

    /// The conversation that it belongs to, or may belong to, for a reader.
    #[must_use]
    pub fn conversation(self, reader: UserSid) -> Option<ConversationSid> {
        match self {
            Self::Object(Object::Document(of) | Object::Messages(of) | Object::Roster(of)) => {
                Some(of)
            }
            Self::Object(Object::OwnConversations(_) | Object::UserInfo(_)) => None,
            Self::Map(digits) => (digits != reader.uuid() && digits != info_digits(reader.uuid()))
                .then(|| ConversationSid::from_uuid(digits)),
        }
    }

    /// The object, once it is known which conversations there are.
    #[must_use]
    pub fn object(self, reader: UserSid, is_there: impl Fn(ConversationSid) -> bool) -> Object {
        match self {
            Self::Object(object) => object,
            Self::Map(digits) if digits == reader.uuid() => Object::OwnConversations(reader),
            Self::Map(digits) => match self.conversation(reader).filter(|sid| is_there(*sid)) {
                Some(of) => Object::Roster(of),
                None => Object::UserInfo(UserSid::from_uuid(info_digits(digits))),
            },
        }
    }
}

/// The digits of a user's info map: the user's with the lowest bit inverted, and back.
#[must_use]
pub const fn info_digits(of: Uuid) -> Uuid {
    Uuid::from_u128(of.as_u128() ^ 1)
}

impl Object {
    /// The object's SID.
    #[must_use]
    pub fn sid(self) -> String {
        match self {
            Self::Document(of) => Sid::<DocumentKind>::from_uuid(of.uuid()).to_string(),
            Self::Messages(of) => Sid::<ListKind>::from_uuid(of.uuid()).to_string(),
            Self::Roster(of) => Sid::<MapKind>::from_uuid(of.uuid()).to_string(),
            Self::OwnConversations(of) => Sid::<MapKind>::from_uuid(of.uuid()).to_string(),
            Self::UserInfo(of) => Sid::<MapKind>::from_uuid(info_digits(of.uuid())).to_string(),
        }
    }

    /// Whose changes are its changes.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self {
            Self::Document(sid) | Self::Messages(sid) | Self::Roster(sid) => {
                Scope::Conversation(sid)
            }
            Self::OwnConversations(sid) | Self::UserInfo(sid) => Scope::User(sid),
        }
    }

    /// The word for its kind.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Document(_) => "document",
            Self::Messages(_) => "list",
            Self::Roster(_) | Self::OwnConversations(_) | Self::UserInfo(_) => "map",
        }
    }

    /// The path of its resource.
    #[must_use]
    pub fn path(self) -> String {
        let kind = match self {
            Self::Document(_) => "Documents",
            Self::Messages(_) => "Lists",
            Self::Roster(_) | Self::OwnConversations(_) | Self::UserInfo(_) => "Maps",
        };
        format!("/v3/{kind}/{}", self.sid())
    }
}

/// The unique name.
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(of) => write!(f, "{of}.channel"),
            Self::Messages(of) => write!(f, "{of}.messages"),
            Self::Roster(of) => write!(f, "{of}.roster"),
            Self::OwnConversations(of) => write!(f, "{of}.myconversations"),
            Self::UserInfo(of) => write!(f, "{of}.info"),
        }
    }
}

/// The event id of a conversation's object: the position of its own last change.
#[must_use]
pub const fn last_event_of_conversation(object: Object, of: &Conversation) -> i64 {
    match object {
        Object::Messages(_) => of.messages_position,
        Object::Roster(_) => of.roster_position,
        Object::Document(_) | Object::OwnConversations(_) | Object::UserInfo(_) => {
            of.document_position
        }
    }
}

/// The event id of a user's object.
#[must_use]
pub fn last_event_of_user(object: Object, of: &User) -> i64 {
    match object {
        Object::UserInfo(_) => of
            .friendly_name_position
            .max(of.attributes_position)
            .max(of.reachability_position),
        _ => of.conversations_position,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_sids_lead_back() {
        let (talk, user) = (
            Sid::from_uuid(Uuid::from_u128(6)),
            Sid::from_uuid(Uuid::from_u128(8)),
        );
        for object in [
            Object::Document(talk),
            Object::Messages(talk),
            Object::Roster(talk),
            Object::OwnConversations(user),
            Object::UserInfo(user),
        ] {
            assert_eq!(
                Named::read(&object.to_string()),
                Some(Named::Object(object))
            );
        }
        assert_eq!(
            Named::read(&Object::Messages(talk).sid()),
            Some(Named::Object(Object::Messages(talk)))
        );
        assert_eq!(
            Named::read(&Object::UserInfo(user).sid()),
            Some(Named::Map(Uuid::from_u128(9)))
        );
        assert_eq!(Named::read("CH1.channel"), None);
        assert_eq!(Named::read("anything"), None);
    }
}
