//! Conversations as somebody has them who takes part: a user with an own side, a participant by identity or address.

use uuid::Uuid;

use super::addresses::Address;
use super::conversations::Conversation;
use super::messages::MessageSid;
use super::participants::{NotificationLevel, ParticipantSid};
use super::time::Timestamp;
use super::users::{Identity, UserSid};

/// The most unread messages that are counted (API reference of user conversations).
pub const MAX_UNREAD: i64 = 1000;

/// A conversation as one of its users has it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Own {
    /// The conversation.
    #[sqlx(flatten)]
    pub conversation: Conversation,
    /// The user.
    pub user_sid: UserSid,
    /// The user's participant.
    pub participant_sid: ParticipantSid,
    /// How loudly the user wants to hear of it.
    pub notification_level: NotificationLevel,
    /// The read horizon.
    pub last_read_message_index: Option<i64>,
    /// How many messages lie above the read horizon, at most [`MAX_UNREAD`]; none while there is no horizon.
    pub unread_messages_count: Option<i64>,
    /// The newest message, where it was asked for and there is one.
    #[sqlx(skip)]
    pub last_message: Option<LastMessage>,
}

/// What a list of conversations tells of the newest message of each.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LastMessage {
    /// The message.
    pub sid: MessageSid,
    /// Where it is.
    pub index: i64,
    /// Who wrote it.
    pub author: String,
    /// The text.
    pub body: Option<String>,
    /// When it was written.
    pub date_created: Timestamp,
}

/// A conversation with one of its participants, found by identity or address.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Participation {
    /// The conversation.
    #[sqlx(flatten)]
    pub conversation: Conversation,
    /// The participant.
    pub participant_sid: ParticipantSid,
    /// The user behind the identity.
    pub user_sid: Option<UserSid>,
    /// The chat user.
    pub identity: Option<Identity>,
    /// The person's own address.
    pub address: Option<Address>,
    /// The address of ours that the person talks to.
    pub proxy_address: Option<Address>,
    /// The address of ours that stands for the participant in a group text.
    pub projected_address: Option<Address>,
}

/// The key of lists of [`Participation`]: the conversation's SID, and the participant's, because an address may take
/// part several times.
pub type ParticipationKey = (Uuid, Uuid);

/// By what participants are looked for over all conversations of a service; exact matches only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundBy {
    /// The identity they came with. One attached later, to a projected address, does not count (API reference of
    /// participant conversations).
    Identity(String),
    /// Their own address; a projected address does not count.
    Address(String),
}
