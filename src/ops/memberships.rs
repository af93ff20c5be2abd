//! In which conversations somebody takes part: a user's own list, and what is found by an identity or an address.

use super::access::{self, For};
use super::{Core, participants};
use crate::domain::conversations::Sorting;
use crate::domain::memberships::{FoundBy, Own, Participation, ParticipationKey};
use crate::domain::{
    ConversationRef, Ctx, Error, MomentKey, Page, PageRequest, ParticipantRef, UserRef,
};
use crate::store;

/// Whether a list tells of the newest message of each conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastMessages {
    /// It does.
    Told,
    /// It does not.
    Untold,
}

/// Lists the conversations a user takes part in, closed ones included, as the user has them.
///
/// # Errors
/// [`Error::NotFound`] for a user that the caller may not ask about.
pub async fn list(
    core: &Core,
    ctx: &Ctx,
    user: &UserRef,
    sorting: Sorting,
    last_messages: LastMessages,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<Own, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let user = access::own_user(&mut conn, ctx, user).await?;
    let rows = store::memberships::list_own(&mut conn, user.sid, sorting, asked).await?;
    let mut page = Page::from_rows(rows, asked, |row| sorting.by.key(&row.conversation));
    if last_messages == LastMessages::Told {
        let sids: Vec<_> = page.items.iter().map(|own| own.conversation.sid).collect();
        for (sid, last) in store::messages::list_last(&mut conn, &sids).await? {
            if let Some(own) = page
                .items
                .iter_mut()
                .find(|own| own.conversation.sid == sid)
            {
                own.last_message = Some(last);
            }
        }
    }
    Ok(page)
}

/// How many conversations a user takes part in.
///
/// # Errors
/// [`Error::NotFound`] for a user that the caller may not ask about.
pub async fn count(core: &Core, ctx: &Ctx, user: &UserRef) -> Result<i64, Error> {
    let mut conn = core.store.visit().await?;
    let user = access::own_user(&mut conn, ctx, user).await?;
    Ok(store::memberships::count(&mut conn, user.sid).await?)
}

/// Has a user leave a conversation: removes the user's participant.
///
/// # Errors
/// [`Error::NotFound`] also when the user takes no part in it.
pub async fn remove(
    core: &Core,
    ctx: &Ctx,
    user: &UserRef,
    which: &ConversationRef,
) -> Result<(), Error> {
    let mut conn = core.store.visit().await?;
    let user = access::own_user(&mut conn, ctx, user).await?;
    let held = access::conversation(&mut conn, ctx, which, For::Peeking).await?;
    let conversation = held.conversation.sid;
    let membership = store::memberships::find(&mut conn, user.sid, conversation)
        .await?
        .ok_or(Error::NotFound)?;
    drop(conn);
    let participant = ParticipantRef::Sid(membership.participant_sid);
    participants::remove(core, ctx, &conversation.into(), &participant).await
}

/// Lists where an identity or an address takes part in the service, closed conversations included, by the
/// conversation's SID. For programs.
///
/// # Errors
/// As the database.
pub async fn find(
    core: &Core,
    ctx: &Ctx,
    by: &FoundBy,
    asked: &PageRequest<ParticipationKey>,
) -> Result<Page<Participation, ParticipationKey>, Error> {
    let mut conn = core.store.visit().await?;
    let rows = store::memberships::list_participations(&mut conn, ctx.service, by, asked).await?;
    Ok(Page::from_rows(rows, asked, |row| {
        (row.conversation.sid.uuid(), row.participant_sid.uuid())
    }))
}
