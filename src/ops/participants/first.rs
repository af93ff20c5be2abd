//! The first participants of a new conversation, added together.

use super::super::record::Change;
use super::super::users;
use super::add_as_in;
use crate::domain::participants::{NewBinding, NewParticipant};
use crate::domain::{Conversation, Ctx, Error, ParticipantSid};
use crate::store;

/// Adds the first participants of a conversation that nobody else can see yet. Their SIDs are in the order given.
///
/// Answers false when a user was deleted meanwhile: the change must not be committed, but begun anew.
///
/// # Why not in the order given
/// Pairs of addresses and users are held until the commit. Requests that name the same ones in different orders would
/// wait for each other, so pairs are taken in the order of their text, then users in the order of their SIDs; users who
/// come to exist here, before that in the order of their identities.
///
/// # Errors
/// As [`add`](super::add), but [`Error::AddressPairsInUse`] for a pair that somebody has, also one of the others.
pub(in crate::ops) async fn add_first_in(
    change: &mut Change<'_>,
    ctx: &Ctx,
    to: &mut Conversation,
    people: Vec<NewParticipant>,
) -> Result<bool, Error> {
    let (mut by_identity, mut others) = (Vec::new(), Vec::new());
    for new in people {
        let sid = ParticipantSid::new(change.now);
        match &new.binding {
            NewBinding::Chat { identity, .. } => by_identity.push((identity.clone(), sid, new)),
            NewBinding::Channel(pair) => others.push((Some(pair.clone()), sid, new)),
            NewBinding::Group(_) | NewBinding::Projected(_) => others.push((None, sid, new)),
        }
    }
    let text = |pair: &crate::domain::addresses::AddressPair| {
        let address = pair.address.as_str().to_owned();
        (address, pair.proxy_address.as_str().to_owned())
    };
    others.sort_by_cached_key(|(pair, ..)| pair.as_ref().map(text));
    for (_, sid, new) in others {
        add_as_in(change, ctx, to, sid, new)
            .await
            .map_err(|refusal| match refusal {
                Error::AddressPairInUse { .. } => Error::AddressPairsInUse,
                other => other,
            })?;
    }
    by_identity.sort_by(|(a, ..), (b, ..)| a.as_str().cmp(b.as_str()));
    let mut by_user = Vec::with_capacity(by_identity.len());
    for (identity, sid, new) in by_identity {
        let user = users::ensure_in(change, ctx, &identity).await?.sid;
        by_user.push((user, sid, new));
    }
    by_user.sort_by_key(|(user, ..)| *user);
    let mut users: Vec<_> = by_user.iter().map(|(user, ..)| *user).collect();
    users.dedup();
    if store::users::lock_many(&mut change.tx, &users).await?.len() < users.len() {
        return Ok(false);
    }
    for (_, sid, new) in by_user {
        add_as_in(change, ctx, to, sid, new).await?;
    }
    Ok(true)
}
