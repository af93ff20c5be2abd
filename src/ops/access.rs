//! How a caller gets hold of a thing: load it, check what it is wanted for, or refuse.
//!
//! This is the only way to a conversation, participant or user for a caller, and it demands to know *what for*; without
//! the check there is no conversation. It also decides what somebody may know: a conversation that a user takes no part
//! in, and could not join, is as absent as one that does not exist.

use sqlx::PgConnection;

use crate::domain::roles::allows;
use crate::domain::{
    Actor, Conversation, ConversationRef, Ctx, Error, Participant, Permission, RoleSid, User,
    UserRef,
};
use crate::store;

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
    let Actor::User { sid, identity } = &ctx.actor else {
        return Ok(Held {
            conversation,
            own: None,
            permissions: Vec::new(),
            bound: false,
        });
    };
    let own = store::participants::find_by_user(conn, conversation.sid, *sid).await?;
    let what_for = what_for(own.as_ref());
    let permissions = permissions(conn, ctx, own.as_ref().and_then(|own| own.role_sid)).await?;
    let may = |permission| allows(permissions.iter().map(String::as_str), permission);
    let may_see = own.is_some()
        || conversation.created_by == identity.as_str()
        || may(Permission::JoinConversation);
    let granted_from_outside =
        matches!(what_for, For::DoingFromOutside(permission) if may(permission));
    let refusal = match what_for {
        _ if granted_from_outside => None,
        _ if !may_see => Some(Error::NotFound),
        For::Peeking => None,
        _ if own.is_none() => Some(Error::NotParticipant),
        For::Doing(permission) | For::DoingFromOutside(permission) if !may(permission) => {
            Some(Error::NotPermitted(permission))
        }
        For::TakingPart | For::Doing(_) | For::DoingFromOutside(_) => None,
    };
    match refusal {
        Some(refusal) => Err(refusal),
        None => Ok(Held {
            conversation,
            own,
            permissions,
            bound: true,
        }),
    }
}

/// The permissions of the acting user: the service role's, united with a conversation role's.
async fn permissions(
    conn: &mut PgConnection,
    ctx: &Ctx,
    in_conversation: Option<RoleSid>,
) -> Result<Vec<String>, Error> {
    let Actor::User { sid, .. } = &ctx.actor else {
        return Ok(Vec::new());
    };
    let user = user(conn, ctx, &UserRef::Sid(*sid)).await?;
    let roles: Vec<RoleSid> = in_conversation.into_iter().chain([user.role_sid]).collect();
    Ok(store::roles::permissions(conn, &roles).await?)
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
    if !matches!(ctx.actor, Actor::User { .. }) {
        return Ok(());
    }
    let held = permissions(conn, ctx, None).await?;
    if allows(held.iter().map(String::as_str), permission) {
        Ok(())
    } else {
        Err(Error::NotPermitted(permission))
    }
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
