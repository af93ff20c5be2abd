//! How a caller gets hold of a thing: load it, check what it is wanted for, or refuse.
//!
//! This is the only way to a conversation, participant or user for a caller, and it demands to know *what for*; without
//! the check there is no conversation. It also decides what somebody may know: a conversation that a user takes no part
//! in, and could not join, is as absent as one that does not exist.

use std::collections::HashMap;

use sqlx::PgConnection;

use super::events::LastMessage;
use crate::domain::roles::allows;
use crate::domain::{
    Actor, Conversation, ConversationRef, ConversationSid, Ctx, Error, Identity, Participant,
    Permission, User, UserRef, UserSid,
};
use crate::store;
use crate::store::conversations::WithLast;
use crate::store::participants::Standing;

/// What a conversation is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Looking at the conversation's own fields, as everybody may who could join.
    Peeking,
    /// Reading messages and participants, typing, the own read horizon: taking part is enough.
    TakingPart,
    /// Something that a permission gates, for participants.
    Doing(Permission),
    /// Something that a permission gates, which the service role alone may also grant.
    DoingFromOutside(Permission),
}

/// A conversation that the caller may use, and the caller's own side of it.
#[derive(Debug)]
pub struct Held {
    /// The conversation.
    pub conversation: Conversation,
    /// The caller's participant; none for programs, and for users who take no part.
    pub own: Option<Participant>,
    /// The permissions that the caller's roles grant here; empty for programs, which roles do not bind.
    permissions: Vec<String>,
    bound: bool,
}

impl Held {
    /// Checks one more permission.
    ///
    /// # Errors
    /// [`Error::NotPermitted`].
    pub fn require(&self, permission: Permission) -> Result<(), Error> {
        if !self.bound || allows(self.permissions.iter().map(String::as_str), permission) {
            Ok(())
        } else {
            Err(Error::NotPermitted(permission))
        }
    }
}

/// Gets hold of a conversation.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotParticipant`] where the caller may see it, [`Error::NotPermitted`].
pub async fn conversation(
    conn: &mut PgConnection,
    ctx: &Ctx,
    which: &ConversationRef,
    what_for: For,
) -> Result<Held, Error> {
    conversation_for(conn, ctx, which, |_| what_for).await
}

/// The same where it depends on the caller's own participant what the conversation is wanted for.
///
/// # Errors
/// As [`conversation`].
pub async fn conversation_for(
    conn: &mut PgConnection,
    ctx: &Ctx,
    which: &ConversationRef,
    what_for: impl FnOnce(Option<&Participant>) -> For + Send,
) -> Result<Held, Error> {
    let conversation = store::conversations::find(conn, ctx.service, which)
        .await?
        .ok_or(Error::NotFound)?;
    stand_in(conn, ctx, conversation, what_for).await
}

/// Gets hold of a conversation and its row, for a change.
///
/// # Why it may look twice
/// Nobody holds a row who may not use it, so it is looked first. While the row is waited for, the caller may be removed
/// or lose a role; the membership position tells of both, and if it moved, it is looked again, under the lock.
///
/// # Errors
/// As [`conversation`].
pub async fn lock_conversation(
    conn: &mut PgConnection,
    ctx: &Ctx,
    which: &ConversationRef,
    what_for: For,
) -> Result<Held, Error> {
    lock_conversation_for(conn, ctx, which, |_| what_for).await
}

/// The same where it depends on the caller's own participant what the conversation is wanted for.
///
/// # Errors
/// As [`conversation`].
pub async fn lock_conversation_for(
    conn: &mut PgConnection,
    ctx: &Ctx,
    which: &ConversationRef,
    what_for: impl Fn(Option<&Participant>) -> For + Send + Sync,
) -> Result<Held, Error> {
    let seen = conversation_for(conn, ctx, which, &what_for).await?;
    let conversation = store::conversations::lock(conn, seen.conversation.sid)
        .await?
        .ok_or(Error::NotFound)?;
    if conversation.membership_position != seen.conversation.membership_position {
        return stand_in(conn, ctx, conversation, what_for).await;
    }
    Ok(Held {
        conversation,
        ..seen
    })
}

async fn stand_in(
    conn: &mut PgConnection,
    ctx: &Ctx,
    conversation: Conversation,
    what_for: impl FnOnce(Option<&Participant>) -> For + Send,
) -> Result<Held, Error> {
    let Actor::User { sid, identity } = &ctx.actor else {
        return Ok(Held {
            conversation,
            own: None,
            permissions: Vec::new(),
            bound: false,
        });
    };
    let Standing {
        participant: own,
        permissions,
    } = store::participants::find_standing(conn, ctx.service, conversation.sid, *sid)
        .await?
        .ok_or(Error::NotFound)?;
    let what_for = what_for(own.as_ref());
    let near = Nearness::of(&conversation.created_by, own.is_some(), identity);
    decide(near, &permissions, what_for)?;
    Ok(Held {
        conversation,
        own,
        permissions,
        bound: true,
    })
}

/// How near a user is to a conversation, without any permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nearness {
    /// The user takes part.
    Within,
    /// The user made it.
    Maker,
    /// Neither.
    Far,
}

impl Nearness {
    fn of(created_by: &str, takes_part: bool, identity: &Identity) -> Self {
        match takes_part {
            true => Self::Within,
            false if created_by == identity.as_str() => Self::Maker,
            false => Self::Far,
        }
    }
}

/// Decides whether a user may have a conversation for what it is wanted for.
fn decide(near: Nearness, permissions: &[String], what_for: For) -> Result<(), Error> {
    let may = |permission| allows(permissions.iter().map(String::as_str), permission);
    let granted_from_outside =
        matches!(what_for, For::DoingFromOutside(permission) if may(permission));
    match what_for {
        _ if granted_from_outside => Ok(()),
        _ if near == Nearness::Far && !may(Permission::JoinConversation) => Err(Error::NotFound),
        For::Peeking => Ok(()),
        _ if near != Nearness::Within => Err(Error::NotParticipant),
        For::Doing(permission) | For::DoingFromOutside(permission) if !may(permission) => {
            Err(Error::NotPermitted(permission))
        }
        For::TakingPart | For::Doing(_) | For::DoingFromOutside(_) => Ok(()),
    }
}

/// Decides for many callers at once, in one statement, whether they have all of these permissions as participants.
/// Answers the membership position that each decision is good for; none for programs, which roles do not bind.
///
/// # Errors
/// As the database.
pub async fn permit(
    conn: &mut PgConnection,
    asked: &[(&Ctx, ConversationSid, &[Permission])],
) -> sqlx::Result<Vec<Result<Option<i64>, Error>>> {
    let bound = asked.iter().filter_map(|(ctx, conversation, permissions)| {
        let Actor::User { sid, identity } = &ctx.actor else {
            return None;
        };
        Some(((ctx.service, *sid, *conversation), (identity, *permissions)))
    });
    let (users, rest): (Vec<_>, Vec<_>) = bound.unzip();
    let footings = match users.as_slice() {
        [] => Vec::new(),
        users => store::participants::list_footings(conn, users).await?,
    };
    let mut decided = footings
        .into_iter()
        .zip(rest)
        .map(|(footing, (identity, permissions))| {
            let footing = footing.ok_or(Error::NotFound)?;
            let near = Nearness::of(&footing.created_by, footing.takes_part, identity);
            for permission in permissions {
                decide(near, &footing.permissions, For::Doing(*permission))?;
            }
            Ok(Some(footing.membership_position))
        });
    let all = asked.iter().map(|(ctx, ..)| match ctx.actor {
        Actor::User { .. } => decided.next().unwrap_or(Err(Error::NotFound)),
        Actor::Account | Actor::System => Ok(None),
    });
    Ok(all.collect())
}

/// Those of these users who may not look at their conversations: the rule of [`conversation`], for many at once.
///
/// # Errors
/// As the database.
pub async fn strangers(
    conn: &mut PgConnection,
    onlookers: &[(UserSid, ConversationSid)],
) -> Result<Vec<(UserSid, ConversationSid)>, Error> {
    let (users, talks): (Vec<UserSid>, Vec<ConversationSid>) = onlookers.iter().copied().unzip();
    let permission = Permission::JoinConversation.as_str();
    Ok(store::roles::list_strangers(conn, &users, &talks, permission).await?)
}

/// A conversation that the caller may look at.
#[derive(Debug)]
pub struct Seen {
    /// The conversation.
    pub conversation: Conversation,
    /// Its newest message.
    pub last_message: Option<LastMessage>,
    takes_part: bool,
}

impl Seen {
    /// Checks that the caller may read messages and participants too.
    ///
    /// # Errors
    /// [`Error::NotParticipant`].
    pub const fn require_part(&self) -> Result<(), Error> {
        if self.takes_part {
            Ok(())
        } else {
            Err(Error::NotParticipant)
        }
    }
}

/// Gets hold of many conversations at once for looking at them, in one snapshot. Those that the caller may not know of
/// are missing.
///
/// # Errors
/// As the database.
pub async fn conversations(
    conn: &mut PgConnection,
    ctx: &Ctx,
    sids: &[ConversationSid],
) -> Result<HashMap<ConversationSid, Seen>, Error> {
    let user = match &ctx.actor {
        Actor::User { sid, .. } => Some(*sid),
        Actor::Account | Actor::System => None,
    };
    let mut rows = store::conversations::list_with_last(conn, ctx.service, user, sids).await?;
    if let Some(identity) = ctx.identity() {
        let is_near = |row: &WithLast| {
            Nearness::of(&row.conversation.created_by, row.takes_part, identity) != Nearness::Far
        };
        if !rows.iter().all(is_near)
            && !may_in_service(conn, ctx, Permission::JoinConversation).await?
        {
            rows.retain(is_near);
        }
    }
    let seen = rows.into_iter().map(|row| {
        let last_message = row.last_index.zip(row.last_created);
        let seen = Seen {
            last_message: last_message.map(|(index, date_created)| LastMessage {
                index,
                date_created,
            }),
            takes_part: row.takes_part || user.is_none(),
            conversation: row.conversation,
        };
        (seen.conversation.sid, seen)
    });
    Ok(seen.collect())
}

/// Checks a permission that only the service role can grant.
///
/// # Errors
/// [`Error::NotPermitted`].
pub async fn service_permission(
    conn: &mut PgConnection,
    ctx: &Ctx,
    permission: Permission,
) -> Result<(), Error> {
    if may_in_service(conn, ctx, permission).await? {
        Ok(())
    } else {
        Err(Error::NotPermitted(permission))
    }
}

/// Whether the caller has a permission everywhere in the service: a user by its own role, a program always.
async fn may_in_service(
    conn: &mut PgConnection,
    ctx: &Ctx,
    permission: Permission,
) -> Result<bool, Error> {
    let Actor::User { sid, .. } = &ctx.actor else {
        return Ok(true);
    };
    let held = store::roles::permissions(conn, ctx.service, *sid)
        .await?
        .ok_or(Error::NotFound)?;
    Ok(allows(held.iter().map(String::as_str), permission))
}

/// Gets hold of a user of the service.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn user(conn: &mut PgConnection, ctx: &Ctx, which: &UserRef) -> Result<User, Error> {
    store::users::find(conn, ctx.service, which)
        .await?
        .ok_or(Error::NotFound)
}

/// Gets hold of a user whose own conversations are wanted: a program may see everybody's, a user only the own.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn own_user(conn: &mut PgConnection, ctx: &Ctx, which: &UserRef) -> Result<User, Error> {
    let user = user(conn, ctx, which).await?;
    match &ctx.actor {
        Actor::User { sid, .. } if *sid != user.sid => Err(Error::NotFound),
        _ => Ok(user),
    }
}
