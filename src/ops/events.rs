//! What a caller missed: everything that changed after a position.
//!
//! There is one way to catch up, whatever the cause of the gap (a reconnect, a slow consumer, a lost publication, a
//! restart): ask for what changed *since position N*. The answer is compacted: the rows as they are now, each with the
//! position of its last change, and the tombstones of what is gone. It is read in one snapshot.

use std::collections::HashMap;

use sqlx::{Connection as _, PgConnection};

use super::Core;
use super::access::{self, For, Seen};
use crate::domain::participants::Membership;
use crate::domain::{
    Conversation, ConversationRef, ConversationSid, Ctx, Error, Message, Order, Participant,
    ParticipantSid, Timestamp, User, UserSid,
};
use crate::store;

/// The newest message of a conversation, as its document shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastMessage {
    /// Its index.
    pub index: i64,
    /// When it was created.
    pub date_created: Timestamp,
}

/// What changed in a conversation after a position.
#[derive(Debug)]
pub struct ConversationChanges {
    /// The conversation as it is now.
    pub conversation: Conversation,
    /// The position where this answer ends: the conversation's own, or less when that was too much for one answer.
    pub until: i64,
    /// Its newest message.
    pub last_message: Option<LastMessage>,
    /// Messages that were added or changed. Some may have changed once more behind the end of this answer.
    pub messages: Vec<Message>,
    /// Index and position of messages that were removed.
    pub removed_messages: Vec<(i64, i64)>,
    /// Participants that were added or changed; as above.
    pub participants: Vec<Participant>,
    /// Participants that were removed, with the position of that.
    pub removed_participants: Vec<(ParticipantSid, i64)>,
}

/// What changed of what belongs to a user after a position.
#[derive(Debug)]
pub struct UserChanges {
    /// The user as it is now.
    pub user: User,
    /// The position where this answer ends: the user's own, or less when that was too much for one answer.
    pub until: i64,
    /// Own conversations that were joined or changed, by the position of their last change.
    pub memberships: Vec<Membership>,
    /// Conversations that were left, with the position of that. Some may have been joined again behind it.
    pub left: Vec<(ConversationSid, i64)>,
}

/// How many positions one answer covers at most (our choice): whoever was away for long catches up in steps, so that
/// nobody's absence decides how much memory an answer takes.
const MOST_POSITIONS: i64 = 500;

/// Reads what changed in a conversation after a position; none when the conversation is gone.
///
/// For the node's own fan-out: who hears of it is checked by the subscription, with [`see`].
///
/// # Errors
/// As the database.
pub async fn conversation_since(
    core: &Core,
    sid: ConversationSid,
    position: i64,
) -> Result<Option<ConversationChanges>, Error> {
    let mut conn = core.store.visit().await?;
    let mut tx = conn.begin_with(SNAPSHOT).await?;
    let Some(conversation) = store::conversations::list_by_sids(&mut tx, &[sid])
        .await?
        .pop()
    else {
        return Ok(None);
    };
    let last_message = last_message(&mut tx, sid).await?;
    let until = conversation
        .position
        .min(position.saturating_add(MOST_POSITIONS));
    // A message takes a position, so no more were added than positions were taken.
    let taken = conversation.position.saturating_sub(position);
    let since_index = conversation
        .last_message_index
        .saturating_sub(taken)
        .saturating_add(1);
    let (messages, removed_messages) = if conversation.messages_position > position {
        store::messages::since(&mut tx, sid, position, until, since_index).await?
    } else {
        (Vec::new(), Vec::new())
    };
    let (participants, removed_participants) = if conversation.roster_position > position {
        store::participants::since(&mut tx, sid, position, until).await?
    } else {
        (Vec::new(), Vec::new())
    };
    tx.commit().await?;
    Ok(Some(ConversationChanges {
        conversation,
        until,
        last_message,
        messages,
        removed_messages,
        participants,
        removed_participants,
    }))
}

/// The users who take part in a conversation.
///
/// # Errors
/// As the database.
pub async fn member_users(core: &Core, of: ConversationSid) -> Result<Vec<UserSid>, Error> {
    let mut conn = core.store.visit().await?;
    let all = store::participants::list_all(&mut conn, of).await?;
    Ok(all
        .into_iter()
        .filter_map(|participant| participant.user_sid)
        .collect())
}

/// Reads what changed of what belongs to a user after a position; none when the user is gone.
///
/// # Errors
/// As the database.
pub async fn user_since(
    core: &Core,
    sid: UserSid,
    position: i64,
) -> Result<Option<UserChanges>, Error> {
    let mut conn = core.store.visit().await?;
    let mut tx = conn.begin_with(SNAPSHOT).await?;
    let Some(user) = store::users::load(&mut tx, sid).await? else {
        return Ok(None);
    };
    let until = user.position.min(position.saturating_add(MOST_POSITIONS));
    let (memberships, left) = if user.conversations_position > position {
        store::memberships::since(&mut tx, sid, position, until).await?
    } else {
        (Vec::new(), Vec::new())
    };
    tx.commit().await?;
    Ok(Some(UserChanges {
        user,
        until,
        memberships,
        left,
    }))
}

/// One snapshot for all statements of an answer.
const SNAPSHOT: &str = "begin isolation level repeatable read read only";

async fn last_message(
    conn: &mut PgConnection,
    of: ConversationSid,
) -> Result<Option<LastMessage>, Error> {
    let found = store::messages::find_last_of_many(conn, &[of]).await?.pop();
    Ok(found.map(|(_, index, date_created)| LastMessage {
        index,
        date_created,
    }))
}

/// Reads conversations with their newest messages for a caller, in one snapshot. Those that the caller may not look at
/// are missing.
///
/// # Errors
/// As the database.
pub async fn see(
    core: &Core,
    ctx: &Ctx,
    which: &[ConversationSid],
) -> Result<HashMap<ConversationSid, Seen>, Error> {
    let mut conn = core.store.visit().await?;
    access::conversations(&mut conn, ctx, which).await
}

/// Reads a conversation for a caller who takes part in it.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotParticipant`].
pub async fn taking_part(
    core: &Core,
    ctx: &Ctx,
    which: &ConversationRef,
) -> Result<Conversation, Error> {
    let mut conn = core.store.visit().await?;
    Ok(access::conversation(&mut conn, ctx, which, For::TakingPart)
        .await?
        .conversation)
}

/// Lists the participants of a conversation that [`see`] found in the order of their SIDs, from `from` on (inclusive),
/// at most `limit`.
///
/// # Errors
/// [`Error::NotParticipant`].
pub async fn roster(
    core: &Core,
    of: &Seen,
    from: Option<ParticipantSid>,
    order: Order,
    limit: i64,
) -> Result<Vec<Participant>, Error> {
    of.require_part()?;
    let (sid, descending) = (of.conversation.sid, order == Order::Descending);
    let mut conn = core.store.visit().await?;
    Ok(store::participants::list_by_sid(&mut conn, sid, from, descending, limit).await?)
}

/// Lists the messages of a conversation that [`see`] found by index, from `from` on (inclusive), at most `limit`, and
/// ends before that with the message that fills `bytes`. Answers, too, whether it ended for that.
///
/// # Errors
/// [`Error::NotParticipant`].
pub async fn messages(
    core: &Core,
    of: &Seen,
    from: Option<i64>,
    order: Order,
    limit: i64,
    bytes: i64,
) -> Result<(Vec<Message>, bool), Error> {
    of.require_part()?;
    let (sid, mut conn) = (of.conversation.sid, core.store.visit().await?);
    Ok(store::messages::list_from(&mut conn, sid, from, order, limit, bytes).await?)
}

/// Lists the own conversations of a user in the order of their SIDs, from `from` on (inclusive), at most `limit`. Nobody
/// else may see them.
///
/// # Errors
/// As the database.
pub async fn memberships(
    core: &Core,
    of: &User,
    from: Option<ConversationSid>,
    order: Order,
    limit: i64,
) -> Result<Vec<Membership>, Error> {
    let descending = order == Order::Descending;
    let mut conn = core.store.visit().await?;
    Ok(store::memberships::list(&mut conn, of.sid, from, descending, limit).await?)
}

/// Lists the first participants, at most `limit`, of each of many conversations that [`see`] found the caller to take
/// part in.
///
/// # Errors
/// [`Error::NotParticipant`].
pub async fn rosters(
    core: &Core,
    of: &[&Seen],
    limit: i64,
) -> Result<HashMap<ConversationSid, Vec<Participant>>, Error> {
    let mut sids = Vec::with_capacity(of.len());
    for seen in of {
        seen.require_part()?;
        sids.push(seen.conversation.sid);
    }
    let mut conn = core.store.visit().await?;
    let mut rosters: HashMap<ConversationSid, Vec<Participant>> = HashMap::new();
    for participant in store::participants::list_first_of_many(&mut conn, &sids, limit).await? {
        rosters
            .entry(participant.conversation_sid)
            .or_default()
            .push(participant);
    }
    Ok(rosters)
}

/// Reads the positions and fields of users of the caller's service. Those that are not there are missing.
///
/// # Errors
/// As the database.
pub async fn users(
    core: &Core,
    ctx: &Ctx,
    which: &[UserSid],
) -> Result<HashMap<UserSid, User>, Error> {
    let mut conn = core.store.visit().await?;
    let users = store::users::list_by_sids(&mut conn, ctx.service, which).await?;
    Ok(users.into_iter().map(|user| (user.sid, user)).collect())
}

/// The newest positions of many conversations and users, for the sweep. What is gone is missing.
///
/// # Errors
/// As the database.
pub async fn positions(
    core: &Core,
    conversations: &[ConversationSid],
    users: &[UserSid],
) -> Result<HashMap<uuid::Uuid, i64>, Error> {
    let mut conn = core.store.visit().await?;
    let rows = store::events::positions(&mut conn, conversations, users).await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.sid, row.position))
        .collect())
}

/// Those of these onlookers who may not look at their conversations any more.
///
/// # Errors
/// As the database.
pub async fn strangers(
    core: &Core,
    onlookers: &[(UserSid, ConversationSid)],
) -> Result<Vec<(UserSid, ConversationSid)>, Error> {
    let mut conn = core.store.visit().await?;
    access::strangers(&mut conn, onlookers).await
}

/// How many events are forgotten in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 5_000;

/// Forgets the events from before a moment, in batches; answers how many. Rows and tombstones stay, so a client that
/// comes back later than that still learns everything.
///
/// # Errors
/// As the database.
pub async fn forget(core: &Core, before: Timestamp) -> Result<u64, Error> {
    let mut total = 0;
    loop {
        let mut conn = core.store.visit().await?;
        let count = store::events::forget(&mut conn, before, FORGOTTEN_AT_ONCE).await?;
        total += count;
        if count < FORGOTTEN_AT_ONCE.unsigned_abs() {
            return Ok(total);
        }
    }
}
