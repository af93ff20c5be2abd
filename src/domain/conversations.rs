//! Conversations: what they hold, and the life from active to closed.

use std::convert::Infallible;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::accounts::AccountSid;
use super::attributes::Attributes;
use super::errors::{Error, Invalid};
use super::messaging_services::MessagingServiceSid;
use super::pages::{MomentKey, Order, Search};
use super::services::ServiceSid;
use super::sids::{Kind, Sid};
use super::time::Timestamp;
use super::timers::Timer;
use super::{Field, too_long};

/// The SID of a conversation.
pub type ConversationSid = Sid<Conversation>;

/// Participants of one conversation (API limits page).
pub const MAX_PARTICIPANTS: i32 = 1000;
/// Participants of one conversation without a chat identity (API limits page).
pub const MAX_CHANNEL_PARTICIPANTS: i32 = 50;
/// Open conversations of one identity (API limits page).
pub const MAX_CONVERSATIONS_PER_IDENTITY: i64 = 1000;

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct Conversation {
    /// Its SID.
    pub sid: ConversationSid,
    /// The account.
    pub account_sid: AccountSid,
    /// The service.
    pub service_sid: ServiceSid,
    /// The Messaging Service that carries messages to channels.
    pub messaging_service_sid: Option<MessagingServiceSid>,
    /// A name for people.
    pub friendly_name: Option<String>,
    /// A name for programs, unique in the service.
    pub unique_name: Option<String>,
    /// The program's own data.
    pub attributes: Attributes,
    /// Where it is in its life.
    pub state: State,
    /// When the state last changed.
    pub state_updated: Timestamp,
    /// How long after the last activity it turns inactive.
    pub inactive_timer: Option<Timer>,
    /// How long after the last activity it closes.
    pub closed_timer: Option<Timer>,
    /// From when the timers count: the last activity, or when they were set.
    pub timers_start: Timestamp,
    /// The default sender of outgoing mail.
    pub email_address: Option<String>,
    /// The name of that sender.
    pub email_name: Option<String>,
    /// The identity of the creator, or `system`.
    pub created_by: String,
    /// The index of the newest message, also of a deleted one; -1 before the first.
    pub last_message_index: i64,
    /// How many changes the conversation has seen: the position of its newest event.
    pub position: i64,
    /// The position of the last change of what members see of the conversation itself.
    pub document_position: i64,
    /// The position of the last change of its messages.
    pub messages_position: i64,
    /// The position of the last change of its participants.
    pub roster_position: i64,
    /// The position of the last change of who takes part, how they are bound, and with which role.
    pub membership_position: i64,
    /// The number of participants.
    pub participants_count: i32,
    /// The number of participants who are reached on a channel.
    pub channel_participants_count: i32,
    /// The last activity, in whole seconds: creation, a message, becoming active again.
    pub active_at: Timestamp,
    /// When the newest message was written, or the conversation was created; in whole seconds.
    pub last_message_at: Timestamp,
    /// When it was created, or what the program says of that.
    pub date_created: Timestamp,
    /// When its own fields last changed.
    pub date_updated: Timestamp,
}

impl Kind for Conversation {
    const PREFIX: &'static str = "CH";
}

/// Where a conversation is in its life.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum State {
    /// In use.
    Active,
    /// Idle; a message or a new participant makes it active again.
    Inactive,
    /// Over, for good: readable and deletable only.
    Closed,
}

impl State {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Closed => "closed",
        }
    }
}

impl FromStr for State {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.to_ascii_lowercase().as_str() {
            "active" => Ok(Self::Active),
            "inactive" => Ok(Self::Inactive),
            "closed" => Ok(Self::Closed),
            "" => Err(Invalid::StateEmpty.into()),
            _ => Err(Invalid::StateUnknown.into()),
        }
    }
}

/// Why a conversation's state changed, in the words of the webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum StateReason {
    /// A program asked for it.
    Api,
    /// A timer ended.
    Timer,
    /// A message or a participant woke it.
    Event,
}

impl Conversation {
    /// Whether anything but reading and deleting may still happen here.
    ///
    /// # Errors
    /// [`Error::ConversationClosed`].
    pub const fn accepts_changes(&self) -> Result<(), Error> {
        match self.state {
            State::Active | State::Inactive => Ok(()),
            State::Closed => Err(Error::ConversationClosed),
        }
    }

    /// Moves to a state; becoming active again is activity and restarts the timers.
    pub fn enter(&mut self, state: State, now: Timestamp) {
        if state == State::Active && self.state != State::Active {
            self.active_at = whole_second(now);
            self.timers_start = self.active_at;
        }
        self.state = state;
        self.state_updated = now;
    }

    /// When it turns inactive by its timer; none while no such timer runs.
    #[must_use]
    pub fn date_inactive(&self) -> Option<Timestamp> {
        let timer = self
            .inactive_timer
            .as_ref()
            .filter(|_| self.state == State::Active)?;
        Some(timer.end(self.timers_start))
    }

    /// When it closes by its timer; none while no such timer runs.
    #[must_use]
    pub fn date_closed(&self) -> Option<Timestamp> {
        let timer = self
            .closed_timer
            .as_ref()
            .filter(|_| self.state != State::Closed)?;
        Some(timer.end(self.timers_start))
    }

    /// When a timer ends next.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timestamp> {
        self.date_inactive()
            .into_iter()
            .chain(self.date_closed())
            .min()
    }

    /// The state that the timers ask for at `now`, if it is another one.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Option<State> {
        if self.date_closed().is_some_and(|end| end <= now) {
            Some(State::Closed)
        } else if self.date_inactive().is_some_and(|end| end <= now) {
            Some(State::Inactive)
        } else {
            None
        }
    }
}

/// Activity is kept in whole seconds: lists are ordered by it, and an index over it need not be touched by every
/// message of a busy conversation.
#[must_use]
pub fn whole_second(moment: Timestamp) -> Timestamp {
    use chrono::SubsecRound as _;
    moment.trunc_subsecs(0)
}

/// How a caller names a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConversationRef {
    /// By SID.
    Sid(ConversationSid),
    /// By unique name.
    UniqueName(String),
}

impl FromStr for ConversationRef {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text
            .parse()
            .map_or_else(|_| Self::UniqueName(text.to_owned()), Self::Sid))
    }
}

impl From<ConversationSid> for ConversationRef {
    fn from(sid: ConversationSid) -> Self {
        Self::Sid(sid)
    }
}

/// Checks a unique name.
///
/// # Errors
/// Over 256 characters, or of the form of a conversation SID.
pub fn unique_name(name: String) -> Result<String, Error> {
    if too_long(&name) {
        return Err(Invalid::UniqueNameTooLong.into());
    }
    if ConversationSid::has_shape(&name) {
        return Err(Invalid::UniqueNameLooksLikeSid.into());
    }
    Ok(name)
}

/// What a caller says of a conversation, at creation and in an update.
#[derive(Debug, Clone, Default)]
pub struct ConversationChanges {
    /// A name for people.
    pub friendly_name: Field<String>,
    /// A name for programs, checked by [`unique_name`].
    pub unique_name: Field<String>,
    /// The program's own data.
    pub attributes: Option<Attributes>,
    /// The Messaging Service.
    pub messaging_service_sid: Option<MessagingServiceSid>,
    /// The state to enter.
    pub state: Option<State>,
    /// The inactive timer.
    pub inactive_timer: Field<Timer>,
    /// The closed timer.
    pub closed_timer: Field<Timer>,
    /// What the program says of the creation.
    pub date_created: Option<Timestamp>,
    /// What the program says of the last change.
    pub date_updated: Option<Timestamp>,
    /// The default sender of outgoing mail.
    pub email_address: Field<String>,
    /// The name of that sender.
    pub email_name: Field<String>,
}

impl ConversationChanges {
    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.friendly_name.is_keep()
            && self.unique_name.is_keep()
            && self.attributes.is_none()
            && self.messaging_service_sid.is_none()
            && self.state.is_none()
            && self.inactive_timer.is_keep()
            && self.closed_timer.is_keep()
            && self.date_created.is_none()
            && self.date_updated.is_none()
            && self.email_address.is_keep()
            && self.email_name.is_keep()
    }

    /// Makes the changes, the state apart; answers whether anything differs now.
    pub fn apply(self, to: &mut Conversation, now: Timestamp) -> bool {
        let before = to.clone();
        self.friendly_name.apply(&mut to.friendly_name);
        self.unique_name.apply(&mut to.unique_name);
        self.email_address.apply(&mut to.email_address);
        self.email_name.apply(&mut to.email_name);
        if let Some(attributes) = self.attributes {
            to.attributes = attributes;
        }
        if let Some(sid) = self.messaging_service_sid {
            to.messaging_service_sid = Some(sid);
        }
        if !self.inactive_timer.is_keep() || !self.closed_timer.is_keep() {
            to.timers_start = now;
        }
        self.inactive_timer.apply(&mut to.inactive_timer);
        self.closed_timer.apply(&mut to.closed_timer);
        if let Some(date) = self.date_created {
            to.date_created = date;
        }
        if let Some(date) = self.date_updated {
            to.date_updated = date;
        }
        let changed = before != *to;
        if changed && self.date_updated.is_none() {
            to.date_updated = now;
        }
        changed
    }
}

/// By what lists of conversations are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortBy {
    /// The last activity.
    #[default]
    Activity,
    /// When the newest message was written; a later deletion of it changes nothing (our choice: the order of a list
    /// of talks must not jump back).
    LastMessage,
    /// The creation.
    DateCreated,
}

impl SortBy {
    /// The key of a conversation in lists of this order.
    #[must_use]
    pub const fn key(self, of: &Conversation) -> MomentKey {
        let moment = match self {
            Self::Activity => of.active_at,
            Self::LastMessage => of.last_message_at,
            Self::DateCreated => of.date_created,
        };
        (moment, of.sid.uuid())
    }
}

/// The order of a list of conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sorting {
    /// By what.
    pub by: SortBy,
    /// Which end comes first.
    pub order: Order,
}

impl Default for Sorting {
    /// Most recently active first.
    fn default() -> Self {
        Self {
            by: SortBy::default(),
            order: Order::Descending,
        }
    }
}

/// What a list of conversations is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct ConversationFilter {
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those created at this moment or later.
    pub start_date: Option<Timestamp>,
    /// Only those created at this moment or earlier.
    pub end_date: Option<Timestamp>,
    /// Only those whose names and attributes have all these words.
    pub search: Option<Search>,
}

impl ConversationFilter {
    /// What the list is ordered by when nothing is said of it: by creation where creation is asked for.
    #[must_use]
    pub const fn sorted_by(&self) -> SortBy {
        if self.start_date.is_some() || self.end_date.is_some() {
            SortBy::DateCreated
        } else {
            SortBy::Activity
        }
    }
}
