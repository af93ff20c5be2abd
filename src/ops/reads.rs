//! A user's own side of a conversation: read horizon, unread count, notification level.

use super::Core;
use super::access::{self, For};
use super::record::Change;
use crate::domain::participants::{Horizon, Membership, NotificationLevel};
use crate::domain::{
    Conversation, ConversationRef, Ctx, Error, Event, Participant, Permission, UserRef, UserSid,
};
use crate::store;

/// The most unread messages that are counted (API reference of user conversations).
pub const MAX_UNREAD: i64 = 1000;

/// A conversation as one of its users has it.
#[derive(Debug)]
pub struct Own {
    /// The conversation.
    pub conversation: Conversation,
    /// The user's participant.
    pub participant: Participant,
    /// The user's own settings.
    pub membership: Membership,
    /// How many messages lie above the read horizon, at most [`MAX_UNREAD`]; none while there is no horizon.
    pub unread_messages_count: Option<i64>,
}

/// Fetches a conversation as a user has it.
///
/// # Errors
/// [`Error::NotFound`] also when the user takes no part in it.
pub async fn fetch(
    core: &Core,
    ctx: &Ctx,
    user: &UserRef,
    which: &ConversationRef,
) -> Result<Own, Error> {
    let mut conn = core.store.visit().await?;
    let user = access::user(&mut conn, ctx, user).await?;
    let user = access::own_user(&mut conn, ctx, user.sid).await?;
    load(&mut conn, ctx, user.sid, which).await
}

async fn load(
    conn: &mut sqlx::PgConnection,
    ctx: &Ctx,
    user: UserSid,
    which: &ConversationRef,
) -> Result<Own, Error> {
    let held = access::conversation(conn, ctx, which, For::Peeking).await?;
    let conversation = held.conversation;
    let participant = store::participants::find_by_user(conn, conversation.sid, user)
        .await?
        .ok_or(Error::NotFound)?;
    let membership = store::memberships::find(conn, user, conversation.sid)
        .await?
        .ok_or(Error::NotFound)?;
    let unread_messages_count = unread(conn, &participant).await?;
    Ok(Own {
        conversation,
        participant,
        membership,
        unread_messages_count,
    })
}

async fn unread(conn: &mut sqlx::PgConnection, of: &Participant) -> Result<Option<i64>, Error> {
    let Some(index) = of.last_read_message_index else {
        return Ok(None);
    };
    Ok(Some(
        store::messages::count_above(conn, of.conversation_sid, index, MAX_UNREAD).await?,
    ))
}

/// Moves a user's read horizon or sets the notification level. What changes nothing is no event.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`], [`Error::ConversationClosed`].
pub async fn update(
    core: &Core,
    ctx: &Ctx,
    user: &UserRef,
    which: &ConversationRef,
    horizon: Horizon,
    level: Option<NotificationLevel>,
) -> Result<Own, Error> {
    let mut change = Change::begin(core).await?;
    let user = access::user(&mut change.tx, ctx, user).await?;
    let user = access::own_user(&mut change.tx, ctx, user.sid).await?;
    let what_for = if level.is_some() {
        For::Doing(Permission::EditNotificationLevel)
    } else {
        For::TakingPart
    };
    let held = access::conversation(&mut change.tx, ctx, which, what_for).await?;
    let conversation = store::conversations::lock(&mut change.tx, held.conversation.sid)
        .await?
        .ok_or(Error::NotFound)?;
    let mut participant =
        store::participants::find_by_user(&mut change.tx, conversation.sid, user.sid)
            .await?
            .ok_or(Error::NotFound)?;
    let mut membership = store::memberships::find(&mut change.tx, user.sid, conversation.sid)
        .await?
        .ok_or(Error::NotFound)?;
    conversation.accepts_changes()?;
    let level = level.filter(|level| *level != membership.notification_level);
    if horizon.apply(
        &mut participant,
        conversation.last_message_index,
        change.now,
    ) {
        participant.position = change
            .record(
                conversation.sid,
                Event::ParticipantUpdated {
                    sid: participant.sid,
                },
            )
            .await?;
        store::participants::update(&mut change.tx, &participant).await?;
        announce_in(&mut change, &participant, level).await?;
    } else if level.is_some() {
        announce_in(&mut change, &participant, level).await?;
    }
    membership.notification_level = level.unwrap_or(membership.notification_level);
    let unread_messages_count = unread(&mut change.tx, &participant).await?;
    change.commit().await?;
    Ok(Own {
        conversation,
        participant,
        membership,
        unread_messages_count,
    })
}

/// Records that a user's own side of a conversation changed: the level, or the read horizon of the participant.
pub(super) async fn announce_in(
    change: &mut Change<'_>,
    participant: &Participant,
    level: Option<NotificationLevel>,
) -> Result<(), Error> {
    let Some(user) = participant.user_sid else {
        return Ok(());
    };
    let conversation = participant.conversation_sid;
    let position = change
        .record_for_user(user, Event::MembershipUpdated { conversation })
        .await?;
    store::memberships::update(&mut change.tx, user, conversation, level, position).await?;
    Ok(())
}
