//! Changing a participant: own fields, the binding, the read horizon.

use super::super::access::{self, For};
use super::super::record::Change;
use super::super::services::role_to_give;
use super::super::{Core, reads};
use super::{Identified, bind, join, own_address, role, user_who_may_join};
use crate::domain::addresses::AddressPair;
use crate::domain::participants::{NewBinding, ParticipantChanges};
use crate::domain::roles::RoleType;
use crate::domain::{
    Actor, Address, Conversation, ConversationRef, Ctx, Error, Event, Field, Invalid, Participant,
    ParticipantRef, Permission,
};
use crate::store;
use crate::store::addresses::Holder;

/// Changes a participant. What changes nothing is no event.
///
/// # Errors
/// As [`add`](super::add); 50440 to 50444 for bindings that cannot be changed so.
pub async fn update(
    core: &Core,
    ctx: &Ctx,
    of: &ConversationRef,
    which: &ParticipantRef,
    changes: ParticipantChanges,
) -> Result<Participant, Error> {
    let mut change = Change::begin(core).await?;
    let held = access::lock_conversation(&mut change.tx, ctx, of, For::TakingPart).await?;
    let before = store::participants::find(&mut change.tx, held.conversation.sid, which)
        .await?
        .ok_or(Error::NotFound)?;
    if matches!(ctx.actor, Actor::User { .. }) {
        let own = held.own.as_ref().is_some_and(|own| own.sid == before.sid);
        held.require(if own {
            Permission::EditOwnParticipantAttributes
        } else {
            Permission::EditAnyParticipantAttributes
        })?;
    }
    let mut conversation = held.conversation;
    conversation.accepts_changes()?;
    let mut participant = before.clone();
    rebind(&mut change, ctx, &conversation, &mut participant, &changes).await?;
    if let Some(sid) = changes.role_sid {
        participant.role_sid =
            Some(role_to_give(&mut change, ctx.service, sid, RoleType::Conversation).await?);
    }
    if let Some(attributes) = changes.attributes {
        participant.attributes = attributes;
    }
    if let Some(date) = changes.date_created {
        participant.date_created = date;
    }
    if let Some(date) = changes.date_updated {
        participant.date_updated = date;
    }
    let own_fields_differ = !same_own_fields(&participant, &before);
    let moved = changes.horizon.apply(
        &mut participant,
        conversation.last_message_index,
        change.now,
    );
    if !own_fields_differ && !moved {
        return Ok(before);
    }
    if own_fields_differ && changes.date_updated.is_none() {
        participant.date_updated = change.now;
    }
    participant.position = change
        .record(
            conversation.sid,
            Event::ParticipantUpdated {
                sid: participant.sid,
            },
        )
        .await?;
    store::participants::update(&mut change.tx, &participant).await?;
    if is_bound_anew(&before, &participant) {
        store::conversations::rebind(&mut change.tx, conversation.sid, participant.position)
            .await?;
    }
    let (was, is) = (before.channel().is_some(), participant.channel().is_some());
    if was != is {
        let by = if is { 1 } else { -1 };
        conversation.channel_participants_count += by;
        store::conversations::count_participants(&mut change.tx, conversation.sid, 0, by).await?;
    }
    if before.user_sid.is_none() {
        join(&mut change, &participant, Identified::Later).await?;
    } else if moved {
        reads::announce_in(&mut change, &participant, None).await?;
    }
    change.commit().await?;
    Ok(participant)
}

/// Whether what a participant may do, or who it is to others, changed.
fn is_bound_anew(before: &Participant, after: &Participant) -> bool {
    before.identity != after.identity
        || before.role_sid != after.role_sid
        || before.proxy_address != after.proxy_address
        || before.projected_address != after.projected_address
}

fn same_own_fields(a: &Participant, b: &Participant) -> bool {
    a.identity == b.identity
        && a.proxy_address == b.proxy_address
        && a.projected_address == b.projected_address
        && a.role_sid == b.role_sid
        && a.attributes == b.attributes
        && a.date_created == b.date_created
        && a.date_updated == b.date_updated
}

/// Changes how a participant is reached, as far as that is possible.
async fn rebind(
    change: &mut Change<'_>,
    ctx: &Ctx,
    conversation: &Conversation,
    participant: &mut Participant,
    changes: &ParticipantChanges,
) -> Result<(), Error> {
    let holder = Holder {
        conversation_sid: conversation.sid,
        participant_sid: participant.sid,
    };
    match &changes.proxy_address {
        Field::Keep => {}
        Field::Clear => {
            participant
                .proxy_address
                .take()
                .ok_or(Invalid::NoProxyAddressToRemove)?;
            store::addresses::free(&mut change.tx, holder).await?;
        }
        Field::Set(proxy) => {
            let address = participant
                .address
                .clone()
                .ok_or(Invalid::ProxyAddressNotAddable)?;
            let pair = AddressPair::parse(address.as_str(), proxy)?;
            if participant.proxy_address.as_ref() != Some(&pair.proxy_address) {
                store::addresses::free(&mut change.tx, holder).await?;
                bind(change, conversation, participant, pair).await?;
            }
        }
    }
    match &changes.projected_address {
        Field::Keep => {}
        Field::Clear => {
            participant
                .projected_address
                .take()
                .ok_or(Invalid::NoProjectedAddressToRemove)?;
        }
        Field::Set(text) => {
            if participant.address.is_some() {
                return Err(Invalid::ProjectedAddressNotAddable.into());
            }
            let address = Address::parse(text).ok_or(Invalid::ProjectedAddressNotOwned)?;
            own_address(
                change,
                conversation,
                &address,
                Invalid::ProjectedAddressNotOwned,
            )
            .await?;
            participant.projected_address = Some(address);
        }
    }
    if let Some(identity) = &changes.identity {
        if participant.identity.is_some() || participant.projected_address.is_none() {
            return Err(Invalid::IdentityNotAddable.into());
        }
        participant.user_sid = Some(
            user_who_may_join(change, ctx, conversation, identity)
                .await?
                .sid,
        );
        participant.identity = Some(identity.clone());
        let binding = NewBinding::Chat {
            identity: identity.clone(),
            projected_address: None,
        };
        participant.role_sid =
            role(change, ctx, conversation, &binding, participant.role_sid).await?;
    }
    Ok(())
}
