//! Events: what happened, in the order it happened.
//!
//! Every change of a conversation takes the conversation's next *position*, every change of what belongs to a user
//! the user's. Events are slim: they tell that and where something changed, the rows tell what. An event carries a
//! payload only where the rows no longer tell it, and a new message, so that nodes need not read what was just
//! written.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::conversations::{ConversationSid, State, StateReason};
use super::messages::{Message, MessageSid};
use super::participants::ParticipantSid;
use super::receipts::ReceiptSid;
use super::users::{Identity, UserSid};

/// What counts a position of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// A conversation: its own fields, messages, participants, receipts.
    Conversation(ConversationSid),
    /// A user: the own conversations, name, attributes and reachability.
    User(UserSid),
}

/// Something that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Event {
    /// The conversation came to exist.
    ConversationAdded,
    /// The conversation's own fields changed.
    ConversationUpdated,
    /// The conversation entered another state.
    ConversationStateUpdated {
        /// The state before.
        from: State,
        /// The state now.
        to: State,
        /// Why.
        reason: StateReason,
    },
    /// The conversation is gone, with everything in it.
    ConversationRemoved,
    /// A message was written.
    MessageAdded(Arc<Message>),
    /// A message was edited.
    MessageUpdated {
        /// The message.
        sid: MessageSid,
    },
    /// A message is gone.
    MessageRemoved {
        /// The message.
        sid: MessageSid,
        /// Where it was.
        index: i64,
    },
    /// Somebody takes part now.
    ParticipantAdded {
        /// The participant.
        sid: ParticipantSid,
    },
    /// A participant changed.
    ParticipantUpdated {
        /// The participant.
        sid: ParticipantSid,
    },
    /// Somebody takes no part any more.
    ParticipantRemoved {
        /// The participant.
        sid: ParticipantSid,
        /// The chat user, if it was one.
        identity: Option<Identity>,
        /// The user behind the identity.
        user: Option<UserSid>,
    },
    /// A copy of a message has come further, or failed.
    ReceiptUpdated {
        /// The receipt.
        sid: ReceiptSid,
        /// Its message.
        message: MessageSid,
    },
    /// A user came to exist.
    UserAdded,
    /// A user's name, attributes, role or reachability changed.
    UserUpdated,
    /// The user takes part in a conversation now.
    MembershipAdded {
        /// The conversation.
        conversation: ConversationSid,
    },
    /// The user's notification level or read horizon changed.
    MembershipUpdated {
        /// The conversation.
        conversation: ConversationSid,
    },
    /// The user takes no part in a conversation any more.
    MembershipRemoved {
        /// The conversation.
        conversation: ConversationSid,
    },
}

impl Event {
    /// The kind, as the log keeps it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::ConversationAdded => "conversation_added",
            Self::ConversationUpdated => "conversation_updated",
            Self::ConversationStateUpdated { .. } => "conversation_state_updated",
            Self::ConversationRemoved => "conversation_removed",
            Self::MessageAdded(_) => "message_added",
            Self::MessageUpdated { .. } => "message_updated",
            Self::MessageRemoved { .. } => "message_removed",
            Self::ParticipantAdded { .. } => "participant_added",
            Self::ParticipantUpdated { .. } => "participant_updated",
            Self::ParticipantRemoved { .. } => "participant_removed",
            Self::ReceiptUpdated { .. } => "receipt_updated",
            Self::UserAdded => "user_added",
            Self::UserUpdated => "user_updated",
            Self::MembershipAdded { .. } => "membership_added",
            Self::MembershipUpdated { .. } => "membership_updated",
            Self::MembershipRemoved { .. } => "membership_removed",
        }
    }

    /// What it happened to, where that is not the scope itself.
    #[must_use]
    pub fn subject(&self) -> Option<Uuid> {
        match self {
            Self::ConversationAdded
            | Self::ConversationUpdated
            | Self::ConversationStateUpdated { .. }
            | Self::ConversationRemoved
            | Self::UserAdded
            | Self::UserUpdated => None,
            Self::MessageAdded(message) => Some(message.sid.uuid()),
            Self::MessageUpdated { sid } | Self::MessageRemoved { sid, .. } => Some(sid.uuid()),
            Self::ParticipantAdded { sid }
            | Self::ParticipantUpdated { sid }
            | Self::ParticipantRemoved { sid, .. } => Some(sid.uuid()),
            Self::ReceiptUpdated { sid, .. } => Some(sid.uuid()),
            Self::MembershipAdded { conversation }
            | Self::MembershipUpdated { conversation }
            | Self::MembershipRemoved { conversation } => Some(conversation.uuid()),
        }
    }

    /// Which counters of the conversation an event moves beside its position.
    #[must_use]
    pub const fn touches(&self) -> Touches {
        match self {
            Self::ConversationAdded
            | Self::ConversationUpdated
            | Self::ConversationStateUpdated { .. } => Touches {
                document: true,
                ..Touches::NOTHING
            },
            Self::MessageAdded(_) | Self::MessageRemoved { .. } => Touches {
                document: true,
                messages: true,
                ..Touches::NOTHING
            },
            Self::MessageUpdated { .. } | Self::ReceiptUpdated { .. } => Touches {
                messages: true,
                ..Touches::NOTHING
            },
            Self::ParticipantAdded { .. } | Self::ParticipantRemoved { .. } => Touches {
                roster: true,
                membership: true,
                ..Touches::NOTHING
            },
            Self::ParticipantUpdated { .. } => Touches {
                roster: true,
                ..Touches::NOTHING
            },
            Self::ConversationRemoved
            | Self::UserAdded
            | Self::UserUpdated
            | Self::MembershipAdded { .. }
            | Self::MembershipUpdated { .. }
            | Self::MembershipRemoved { .. } => Touches::NOTHING,
        }
    }
}

/// What members see of a conversation, in the parts that count their own last change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touches {
    /// The conversation itself, with its newest message.
    pub document: bool,
    /// The messages.
    pub messages: bool,
    /// The participants.
    pub roster: bool,
    /// Who takes part. An update of a participant moves this one only where it changes a role or how somebody is bound,
    /// which the event does not tell.
    pub membership: bool,
}

impl Touches {
    const NOTHING: Self = Self {
        document: false,
        messages: false,
        roster: false,
        membership: false,
    };
}

/// A committed event, as nodes tell each other.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Announcement {
    /// Where it happened.
    pub scope: Scope,
    /// The scope's position that the event took.
    pub position: i64,
    /// What happened.
    pub event: Event,
}

/// Where committed events go: to the bus, which the floor above connects.
///
/// Publishing must not wait and cannot fail: the log already has the events, and who misses one asks it.
pub type Outlet = Arc<dyn Fn(&[Announcement]) + Send + Sync>;
