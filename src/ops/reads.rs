//! A user's own side of a conversation: read horizon, unread count, notification level.

use super::Core;
use super::access::{self, For};
use super::record::Change;
use crate::domain::memberships::Own;
use crate::domain::participants::{Horizon, NotificationLevel};
use crate::domain::{ConversationRef, Ctx, Error, Event, Participant, Permission, UserRef};
use crate::store;

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
    let user = access::own_user(&mut conn, ctx, user).await?;
    let held = access::conversation(&mut conn, ctx, which, For::Peeking).await?;
    store::memberships::find_own(&mut conn, user.sid, held.conversation.sid)
        .await?
        .ok_or(Error::NotFound)
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
    let user = access::own_user(&mut change.tx, ctx, user).await?;
    let what_for = if level.is_some() {
        For::Doing(Permission::EditNotificationLevel)
    } else {
        For::TakingPart
    };
    let held = access::lock_conversation(&mut change.tx, ctx, which, what_for).await?;
    let conversation = held.conversation;
    let mut participant =
        store::participants::find_by_user(&mut change.tx, conversation.sid, user.sid)
            .await?
            .ok_or(Error::NotFound)?;
    let membership = store::memberships::find(&mut change.tx, user.sid, conversation.sid)
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
    let own = store::memberships::find_own(&mut change.tx, user.sid, conversation.sid)
        .await?
        .ok_or(Error::NotFound)?;
    change.commit().await?;
    Ok(own)
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
    let event = Event::MembershipUpdated { conversation };
    // A user who is gone has no side of its own: earlier versions could delete a user and leave the participant.
    if let Some(position) = change.record_for_user(user, event).await? {
        store::memberships::update(&mut change.tx, user, conversation, level, position).await?;
    }
    Ok(())
}
