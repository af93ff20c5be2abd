//! Participants: who takes part in a conversation, and how they are reached.

use std::convert::Infallible;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Field;
use super::addresses::{Address, AddressPair, Channel};
use super::attributes::Attributes;
use super::conversations::ConversationSid;
use super::errors::{Error, Invalid};
use super::roles::RoleSid;
use super::sids::{Kind, Sid};
use super::time::Timestamp;
use super::users::{Identity, UserSid};

/// The SID of a participant.
pub type ParticipantSid = Sid<Participant>;

/// Somebody who takes part in a conversation.
#[derive(Debug, Clone, Serialize, Deserialize, sqlx::FromRow)]
pub struct Participant {
    /// Its SID.
    pub sid: ParticipantSid,
    /// The conversation.
    pub conversation_sid: ConversationSid,
    /// The chat user; none for people who are reached on a channel only.
    pub identity: Option<Identity>,
    /// The user behind the identity.
    pub user_sid: Option<UserSid>,
    /// The person's own address on a channel.
    pub address: Option<Address>,
    /// The address of ours that the person talks to.
    pub proxy_address: Option<Address>,
    /// The address of ours that stands for this participant in a group text.
    pub projected_address: Option<Address>,
    /// The role in this conversation; none for people on channels.
    pub role_sid: Option<RoleSid>,
    /// The program's own data.
    pub attributes: Attributes,
    /// The read horizon: the newest message that was read.
    pub last_read_message_index: Option<i64>,
    /// When the read horizon was set.
    pub last_read_timestamp: Option<Timestamp>,
    /// The position of the conversation at which the participant was added.
    pub created_position: i64,
    /// The position of the conversation at which the participant last changed.
    pub position: i64,
    /// When the participant was added, or what the program says of that.
    pub date_created: Timestamp,
    /// When the participant's own fields last changed.
    pub date_updated: Timestamp,
}

impl Kind for Participant {
    const PREFIX: &'static str = "MB";
}

impl Participant {
    /// The channel on which the participant is reached; none for chat.
    #[must_use]
    pub fn channel(&self) -> Option<Channel> {
        self.address
            .as_ref()
            .or(self.projected_address.as_ref())
            .map(Address::channel)
    }

    /// Whether messages go out to this participant: one who has both an address and a proxy address.
    #[must_use]
    pub fn pair(&self) -> Option<AddressPair> {
        Some(AddressPair {
            address: self.address.clone()?,
            proxy_address: self.proxy_address.clone()?,
        })
    }
}

/// How a caller names a participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParticipantRef {
    /// By SID.
    Sid(ParticipantSid),
    /// By identity; any text.
    Identity(String),
}

impl FromStr for ParticipantRef {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text
            .parse()
            .map_or_else(|_| Self::Identity(text.to_owned()), Self::Sid))
    }
}

/// How a new participant is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewBinding {
    /// A chat user; in a group text with the address that stands for the user.
    Chat {
        /// The identity.
        identity: Identity,
        /// The address of ours that stands for the user.
        projected_address: Option<Address>,
    },
    /// A person on a channel.
    Channel(AddressPair),
    /// A person in a group text, who talks to the group's addresses directly.
    Group(Address),
    /// An address of ours in a group text, with nobody behind it yet.
    Projected(Address),
}

impl NewBinding {
    /// Reads the parameters of a new participant. An empty text counts as given: an empty address is refused.
    ///
    /// # Errors
    /// 50204 when nothing tells who takes part, 50211 for an identity beside an address, and those of
    /// [`Identity::parse`] and [`AddressPair::parse`].
    pub fn parse(
        identity: Option<String>,
        address: Option<&str>,
        proxy_address: Option<&str>,
        projected_address: Option<&str>,
    ) -> Result<Self, Error> {
        let projected = projected_address
            .filter(|text| !text.is_empty())
            .map(|text| Address::parse(text).ok_or(Invalid::ProjectedAddressNotOwned))
            .transpose()?;
        match (
            identity.filter(|identity| !identity.is_empty()),
            address,
            proxy_address,
        ) {
            (Some(_), Some(_), _) | (Some(_), None, Some(_)) => {
                Err(Invalid::IdentityWithAddress.into())
            }
            (Some(identity), None, None) => Ok(Self::Chat {
                identity: Identity::parse(identity)?,
                projected_address: projected,
            }),
            (None, Some(address), Some(proxy)) => {
                Ok(Self::Channel(AddressPair::parse(address, proxy)?))
            }
            (None, Some(""), None) => Err(Invalid::AddressEmpty.into()),
            (None, Some(address), None) => Ok(Self::Group(
                Address::parse(address).ok_or(Invalid::AddressMalformed)?,
            )),
            (None, None, Some(_)) => Err(Invalid::AddressEmpty.into()),
            (None, None, None) => projected
                .map(Self::Projected)
                .ok_or(Invalid::IdentityMissing.into()),
        }
    }
}

/// A participant to be added.
#[derive(Debug, Clone)]
pub struct NewParticipant {
    /// How the participant is reached.
    pub binding: NewBinding,
    /// The program's own data.
    pub attributes: Attributes,
    /// The role; none for the default of who is reached how.
    pub role_sid: Option<RoleSid>,
    /// What the program says of the creation.
    pub date_created: Option<Timestamp>,
    /// What the program says of the last change.
    pub date_updated: Option<Timestamp>,
}

impl NewParticipant {
    /// A participant of whom nothing but the way to reach is known.
    #[must_use]
    pub fn of(binding: NewBinding) -> Self {
        Self {
            binding,
            attributes: Attributes::default(),
            role_sid: None,
            date_created: None,
            date_updated: None,
        }
    }
}

/// A wish to change a participant.
#[derive(Debug, Clone, Default)]
pub struct ParticipantChanges {
    /// The identity to attach.
    pub identity: Option<Identity>,
    /// The proxy address to add, or its removal.
    pub proxy_address: Field<String>,
    /// The projected address to add, or its removal.
    pub projected_address: Field<String>,
    /// The program's own data.
    pub attributes: Option<Attributes>,
    /// The role.
    pub role_sid: Option<RoleSid>,
    /// What the program says of the creation.
    pub date_created: Option<Timestamp>,
    /// What the program says of the last change.
    pub date_updated: Option<Timestamp>,
    /// The read horizon.
    pub horizon: Horizon,
}

impl ParticipantChanges {
    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.identity.is_none()
            && self.proxy_address.is_keep()
            && self.projected_address.is_keep()
            && self.attributes.is_none()
            && self.role_sid.is_none()
            && self.date_created.is_none()
            && self.date_updated.is_none()
            && self.horizon.is_empty()
    }
}

/// A wish to move the read horizon.
#[derive(Debug, Clone, Default)]
pub struct Horizon {
    /// The index; cleared marks all as unread.
    pub index: Field<i64>,
    /// The moment of reading; the present one when only the index is given.
    pub timestamp: Option<Timestamp>,
}

impl Horizon {
    /// Whether there is nothing to change.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.index.is_keep() && self.timestamp.is_none()
    }

    /// Moves the horizon, cut to the newest message. Answers whether anything changed: the index it already has,
    /// without a moment of its own, is no change (our choice; clients report horizons over and over).
    pub fn apply(&self, to: &mut Participant, last_message_index: i64, now: Timestamp) -> bool {
        let before = (to.last_read_message_index, to.last_read_timestamp);
        match self.index {
            Field::Keep => {}
            Field::Clear => {
                to.last_read_message_index = None;
                to.last_read_timestamp = None;
            }
            Field::Set(index) => {
                let index = Some(index.min(last_message_index)).filter(|index| *index >= 0);
                if index != to.last_read_message_index {
                    to.last_read_message_index = index;
                    to.last_read_timestamp = Some(now);
                }
            }
        }
        if let Some(timestamp) = self.timestamp {
            to.last_read_timestamp = Some(timestamp);
        }
        before != (to.last_read_message_index, to.last_read_timestamp)
    }
}

/// How loudly a user wants to hear of a conversation.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum NotificationLevel {
    /// As the service is set.
    Default,
    /// No push notifications.
    Muted,
}

impl FromStr for NotificationLevel {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.to_ascii_lowercase().as_str() {
            "default" => Ok(Self::Default),
            "muted" => Ok(Self::Muted),
            _ => Err(Invalid::NotificationLevel.into()),
        }
    }
}

/// A user's own side of taking part: one entry of the user's list of conversations.
#[derive(Debug, Clone, Serialize, Deserialize, sqlx::FromRow)]
pub struct Membership {
    /// The user.
    pub user_sid: UserSid,
    /// The conversation.
    pub conversation_sid: ConversationSid,
    /// The user's participant there.
    pub participant_sid: ParticipantSid,
    /// How loudly the user wants to hear of it.
    pub notification_level: NotificationLevel,
    /// The user's position at which the conversation was joined.
    pub created_position: i64,
    /// The user's position of the last change.
    pub position: i64,
    /// The read horizon, which is the participant's.
    pub last_read_message_index: Option<i64>,
}
