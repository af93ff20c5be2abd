//! Participants.

mod first;
mod update;

pub(super) use first::add_first_in;
pub use update::update;

use super::access::{self, For};
use super::record::Change;
use super::services::role_to_give;
use super::{Core, addresses, conversations, users};
use crate::domain::MomentKey;
use crate::domain::addresses::AddressPair;
use crate::domain::conversations::{
    MAX_CHANNEL_PARTICIPANTS, MAX_CONVERSATIONS_PER_IDENTITY, MAX_PARTICIPANTS,
};
use crate::domain::participants::{NewBinding, NewParticipant};
use crate::domain::roles::RoleType;
use crate::domain::{
    Address, Conversation, ConversationRef, ConversationSid, Ctx, Error, Event, Identity, Invalid,
    Page, PageRequest, Participant, ParticipantRef, ParticipantSid, Permission, RoleSid, User,
    UserSid,
};
use crate::store::addresses::Holder;
use crate::store::memberships::NewMembership;
use crate::store::{self, OnConstraint as _};

/// Adds a participant.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`], [`Error::ConversationClosed`], [`Error::ParticipantExists`],
/// [`Error::AddressPairInUse`], the limits, and the refusals of bindings and roles.
pub async fn add(
    core: &Core,
    ctx: &Ctx,
    to: &ConversationRef,
    new: NewParticipant,
) -> Result<Participant, Error> {
    let mut change = Change::begin(core).await?;
    let mut conversation = hold_for_adding(&mut change, ctx, to, &new.binding).await?;
    let participant = add_in(&mut change, ctx, &mut conversation, new).await?;
    change.commit().await?;
    Ok(participant)
}

/// Adds a participant of this SID, once: also if it was removed meanwhile.
///
/// # Errors
/// As [`add`]; [`Error::ParticipantRepeated`] if it was added before.
pub async fn add_once(
    core: &Core,
    ctx: &Ctx,
    to: &ConversationRef,
    sid: ParticipantSid,
    new: NewParticipant,
) -> Result<Participant, Error> {
    let mut change = Change::begin(core).await?;
    let mut conversation = hold_for_adding(&mut change, ctx, to, &new.binding).await?;
    if store::participants::was_added(&mut change.tx, conversation.sid, sid).await? {
        return Err(Error::ParticipantRepeated(conversation.sid, sid));
    }
    let participant = add_as_in(&mut change, ctx, &mut conversation, sid, new).await?;
    change.commit().await?;
    Ok(participant)
}

/// Gets hold of a conversation's row for somebody who may add such a participant.
async fn hold_for_adding(
    change: &mut Change<'_>,
    ctx: &Ctx,
    to: &ConversationRef,
    whom: &NewBinding,
) -> Result<Conversation, Error> {
    let held = access::lock_conversation(&mut change.tx, ctx, to, adding(ctx, whom)).await?;
    Ok(held.conversation)
}

/// What somebody who adds a participant must be allowed to. Adding one's own identity is joining, whatever the call.
fn adding(ctx: &Ctx, binding: &NewBinding) -> For {
    match (binding, ctx.identity()) {
        (NewBinding::Chat { identity, .. }, Some(own)) if identity == own => For::Peeking,
        (NewBinding::Chat { .. }, _) => For::DoingFromOutside(Permission::AddParticipant),
        _ => For::Doing(Permission::AddNonChatParticipant),
    }
}

/// Adds a participant to a conversation whose row is held.
pub(super) async fn add_in(
    change: &mut Change<'_>,
    ctx: &Ctx,
    to: &mut Conversation,
    new: NewParticipant,
) -> Result<Participant, Error> {
    let sid = ParticipantSid::new(change.now);
    add_as_in(change, ctx, to, sid, new).await
}

/// The same under a SID that was made before.
async fn add_as_in(
    change: &mut Change<'_>,
    ctx: &Ctx,
    to: &mut Conversation,
    sid: ParticipantSid,
    new: NewParticipant,
) -> Result<Participant, Error> {
    to.accepts_changes()?;
    let on_channel = !matches!(
        new.binding,
        NewBinding::Chat {
            projected_address: None,
            ..
        }
    );
    if to.participants_count >= MAX_PARTICIPANTS {
        return Err(Error::TooManyParticipants);
    }
    if on_channel && to.channel_participants_count >= MAX_CHANNEL_PARTICIPANTS {
        return Err(Error::TooManyChannelParticipants);
    }
    if on_channel && to.messaging_service_sid.is_none() {
        return Err(Error::NoMessagingService);
    }
    let date_created = new.date_created.unwrap_or(change.now);
    let mut participant = Participant {
        sid,
        conversation_sid: to.sid,
        identity: None,
        user_sid: None,
        address: None,
        proxy_address: None,
        projected_address: None,
        role_sid: None,
        attributes: new.attributes,
        last_read_message_index: None,
        last_read_timestamp: None,
        created_position: 0,
        position: 0,
        date_created,
        date_updated: new.date_updated.unwrap_or(date_created),
    };
    participant.role_sid = role(change, ctx, to, &new.binding, new.role_sid).await?;
    match new.binding {
        NewBinding::Chat {
            identity,
            projected_address,
        } => {
            if let Some(address) = &projected_address {
                let refusal = Invalid::ProjectedAddressNotOwned;
                own_address(change, to, address, refusal).await?;
            }
            participant.user_sid = Some(user_who_may_join(change, ctx, to, &identity).await?.sid);
            participant.identity = Some(identity);
            participant.projected_address = projected_address;
        }
        NewBinding::Channel(pair) => bind(change, to, &mut participant, pair).await?,
        NewBinding::Group(address) => participant.address = Some(address),
        NewBinding::Projected(address) => {
            own_address(change, to, &address, Invalid::ProjectedAddressNotOwned).await?;
            participant.projected_address = Some(address);
        }
    }
    conversations::wake_in(change, to).await?;
    participant.created_position = change
        .record(
            to.sid,
            Event::ParticipantAdded {
                sid: participant.sid,
            },
        )
        .await?;
    participant.position = participant.created_position;
    store::participants::insert(&mut change.tx, &participant)
        .await
        .on_constraint("participants_identity_key", || Error::ParticipantExists)?;
    count(change, to, 1, &participant).await?;
    join(change, &participant, Identified::FromTheStart).await?;
    Ok(participant)
}

/// Counts a participant who came (1) or went (-1).
async fn count(
    change: &mut Change<'_>,
    conversation: &mut Conversation,
    by: i32,
    who: &Participant,
) -> Result<(), Error> {
    let on_channel = if who.channel().is_some() { by } else { 0 };
    conversation.participants_count += by;
    conversation.channel_participants_count += on_channel;
    store::conversations::count_participants(&mut change.tx, conversation.sid, by, on_channel)
        .await?;
    Ok(())
}

/// When a participant got an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Identified {
    /// With it.
    FromTheStart,
    /// By an update.
    Later,
}

/// Writes the user's own side of a participant who has an identity now.
async fn join(
    change: &mut Change<'_>,
    participant: &Participant,
    identified: Identified,
) -> Result<(), Error> {
    let Some(user) = participant.user_sid else {
        return Ok(());
    };
    let conversation = participant.conversation_sid;
    let position = change
        .record_for_user(user, Event::MembershipAdded { conversation })
        .await?
        .ok_or(Error::NotFound)?;
    let new = NewMembership {
        user,
        conversation,
        participant: participant.sid,
        attached: identified == Identified::Later,
    };
    store::memberships::insert(&mut change.tx, new, position).await?;
    Ok(())
}

/// Finds or creates the user of an identity, who may join, and holds the row: until the membership is written nobody
/// deletes the user or lets the user join elsewhere.
async fn user_who_may_join(
    change: &mut Change<'_>,
    ctx: &Ctx,
    to: &Conversation,
    identity: &Identity,
) -> Result<User, Error> {
    let user = users::hold_in(change, ctx, identity).await?;
    if store::memberships::find(&mut change.tx, user.sid, to.sid)
        .await?
        .is_some()
    {
        return Err(Error::ParticipantExists);
    }
    if store::memberships::count_open(&mut change.tx, user.sid).await?
        >= MAX_CONVERSATIONS_PER_IDENTITY
    {
        return Err(Error::TooManyConversations);
    }
    Ok(user)
}

/// The role of a new participant: the wanted one, or the service's default for creators and everybody else. People on
/// channels have none unless one is given.
async fn role(
    change: &mut Change<'_>,
    ctx: &Ctx,
    to: &Conversation,
    binding: &NewBinding,
    wanted: Option<RoleSid>,
) -> Result<Option<RoleSid>, Error> {
    if let Some(sid) = wanted {
        return role_to_give(change, ctx.service, sid, RoleType::Conversation)
            .await
            .map(Some);
    }
    let NewBinding::Chat { identity, .. } = binding else {
        return Ok(None);
    };
    let service = store::services::find(&mut change.tx, ctx.account.sid, ctx.service)
        .await?
        .ok_or(Error::NotFound)?;
    let creator_joins = conversations::is_creator(ctx, to) && ctx.identity() == Some(identity);
    Ok(Some(if creator_joins {
        service.default_conversation_creator_role_sid
    } else {
        service.default_conversation_role_sid
    }))
}

/// Checks that an address of ours is the account's.
async fn own_address(
    change: &mut Change<'_>,
    of: &Conversation,
    address: &Address,
    refusal: Invalid,
) -> Result<(), Error> {
    let core = change.core();
    addresses::own(
        &mut change.tx,
        core,
        of.account_sid,
        address.as_str(),
        refusal,
    )
    .await
}

/// Binds a participant to a pair of addresses that nobody else in an open conversation has.
async fn bind(
    change: &mut Change<'_>,
    to: &Conversation,
    participant: &mut Participant,
    pair: AddressPair,
) -> Result<(), Error> {
    own_address(
        change,
        to,
        &pair.proxy_address,
        Invalid::ProxyAddressNotOwned,
    )
    .await?;
    let holder = Holder {
        conversation_sid: to.sid,
        participant_sid: participant.sid,
    };
    match store::addresses::take(&mut change.tx, to.account_sid, &pair, holder).await {
        Ok(None) => {}
        Ok(Some(other)) => {
            return Err(Error::AddressPairInUse {
                holder: other.conversation_sid,
            });
        }
        Err(sqlx::Error::RowNotFound) => return Err(Error::Unavailable),
        Err(error) => return Err(error.into()),
    }
    participant.address = Some(pair.address);
    participant.proxy_address = Some(pair.proxy_address);
    Ok(())
}

/// Fetches a participant.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotParticipant`].
pub async fn fetch(
    core: &Core,
    ctx: &Ctx,
    of: &ConversationRef,
    which: &ParticipantRef,
) -> Result<Participant, Error> {
    let mut conn = core.store.visit().await?;
    let held = access::conversation(&mut conn, ctx, of, For::TakingPart).await?;
    store::participants::find(&mut conn, held.conversation.sid, which)
        .await?
        .ok_or(Error::NotFound)
}

/// Lists a conversation's participants, oldest first.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotParticipant`].
pub async fn list(
    core: &Core,
    ctx: &Ctx,
    of: &ConversationRef,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<Participant, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let held = access::conversation(&mut conn, ctx, of, For::TakingPart).await?;
    let rows = store::participants::list(&mut conn, held.conversation.sid, asked).await?;
    Ok(Page::from_rows(rows, asked, |row| {
        (row.date_created, row.sid.uuid())
    }))
}

/// Removes a participant; earlier messages stay.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`].
pub async fn remove(
    core: &Core,
    ctx: &Ctx,
    of: &ConversationRef,
    which: &ParticipantRef,
) -> Result<(), Error> {
    let mut change = Change::begin(core).await?;
    let held = access::lock_conversation_for(&mut change.tx, ctx, of, |own| {
        if is_own(ctx, own, which) {
            For::Doing(Permission::LeaveConversation)
        } else {
            For::DoingFromOutside(Permission::RemoveParticipant)
        }
    })
    .await?;
    let conversation = held.conversation;
    let participant = store::participants::find(&mut change.tx, conversation.sid, which)
        .await?
        .ok_or(Error::NotFound)?;
    remove_in(&mut change, &conversation, &participant).await?;
    change.commit().await
}

/// Whether a participant is the caller's own, however it is named: removing it is leaving.
fn is_own(ctx: &Ctx, own: Option<&Participant>, which: &ParticipantRef) -> bool {
    match which {
        ParticipantRef::Identity(named) => ctx.identity().is_some_and(|own| own.as_str() == named),
        ParticipantRef::Sid(named) => own.is_some_and(|own| own.sid == *named),
    }
}

/// Removes a participant from a conversation whose row is held.
pub(super) async fn remove_in(
    change: &mut Change<'_>,
    from: &Conversation,
    participant: &Participant,
) -> Result<(), Error> {
    let event = Event::ParticipantRemoved {
        sid: participant.sid,
        identity: participant.identity.clone(),
        user: participant.user_sid,
    };
    let position = change.record(from.sid, event).await?;
    store::participants::delete(&mut change.tx, from.sid, participant.sid, position).await?;
    store::addresses::free(
        &mut change.tx,
        Holder {
            conversation_sid: from.sid,
            participant_sid: participant.sid,
        },
    )
    .await?;
    let on_channel = i32::from(participant.channel().is_some());
    store::conversations::count_participants(&mut change.tx, from.sid, -1, -on_channel).await?;
    if let Some(user) = participant.user_sid {
        leave_in(change, user, from.sid).await?;
    }
    Ok(())
}

/// Ends a user's own side of a conversation whose row is held.
///
/// A user who is gone has none any more: earlier versions could delete a user and leave the participant.
pub(super) async fn leave_in(
    change: &mut Change<'_>,
    user: UserSid,
    conversation: ConversationSid,
) -> Result<(), Error> {
    let event = Event::MembershipRemoved { conversation };
    if let Some(position) = change.record_for_user(user, event).await? {
        store::memberships::delete(&mut change.tx, user, conversation, position).await?;
    }
    Ok(())
}
