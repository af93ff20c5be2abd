//! Conversations.

use super::access::{self, For};
use super::record::Change;

use super::{Core, media, participants};
use crate::domain::MomentKey;
use crate::domain::conversations::{
    ConversationChanges, ConversationFilter, Sorting, StateReason, whole_second,
};
use crate::domain::jobs::Outcome;
use crate::domain::participants::NewParticipant;
use crate::domain::{
    Actor, Attributes, Conversation, ConversationRef, ConversationSid, Ctx, Error, Event, Invalid,
    Job, MessagingServiceSid, Page, PageRequest, Permission, State,
};
use crate::store::{self, OnConstraint as _};

/// Creates a conversation. Creating makes nobody a participant.
///
/// # Errors
/// [`Error::UniqueNameTaken`], [`Error::NotPermitted`], [`Error::NotFound`] when the service was deleted meanwhile;
/// 50384 for one that is to be closed, 50342 for a foreign Messaging Service.
pub async fn create(
    core: &Core,
    ctx: &Ctx,
    wanted: ConversationChanges,
) -> Result<Conversation, Error> {
    let sid = ConversationSid::new(core.clock.now());
    create_once(core, ctx, sid, wanted).await
}

/// Creates a conversation of this SID, once.
///
/// # Errors
/// As [`create`]; [`Error::ConversationRepeated`] if it is there.
pub async fn create_once(
    core: &Core,
    ctx: &Ctx,
    sid: ConversationSid,
    wanted: ConversationChanges,
) -> Result<Conversation, Error> {
    let mut change = Change::begin(core).await?;
    let conversation = create_in(&mut change, ctx, sid, wanted).await?;
    change.commit().await?;
    Ok(conversation)
}

/// Creates a conversation with its first participants, all or nothing.
///
/// # Errors
/// As [`create`] and as adding each of them; [`Error::AddressPairsInUse`] where a pair of addresses is in use.
pub async fn create_with(
    core: &Core,
    ctx: &Ctx,
    wanted: ConversationChanges,
    people: Vec<NewParticipant>,
) -> Result<Conversation, Error> {
    loop {
        let mut change = Change::begin(core).await?;
        let sid = ConversationSid::new(change.now);
        let mut new = create_in(&mut change, ctx, sid, wanted.clone()).await?;
        if participants::add_first_in(&mut change, ctx, &mut new, people.clone()).await? {
            change.commit().await?;
            return Ok(new);
        }
        change.tx.rollback().await?;
    }
}

/// The same inside a change.
pub(super) async fn create_in(
    change: &mut Change<'_>,
    ctx: &Ctx,
    sid: ConversationSid,
    wanted: ConversationChanges,
) -> Result<Conversation, Error> {
    access::service_permission(&mut change.tx, ctx, Permission::CreateConversation).await?;
    if wanted.state == Some(State::Closed) {
        return Err(Invalid::StateClosedAtCreation.into());
    }
    if !store::services::hold(&mut change.tx, ctx.account.sid, ctx.service).await? {
        return Err(Error::NotFound);
    }
    let now = change.now;
    // As it is now: a socket may be older than what its account is configured to.
    let account = store::accounts::find(&mut change.tx, ctx.account.sid)
        .await?
        .ok_or(Error::NotFound)?
        .account;
    let mut new = Conversation {
        sid,
        account_sid: account.sid,
        service_sid: ctx.service,
        messaging_service_sid: Some(account.default_messaging_service_sid),
        friendly_name: None,
        unique_name: None,
        attributes: Attributes::default(),
        state: wanted.state.unwrap_or(State::Active),
        state_updated: now,
        inactive_timer: account.default_inactive_timer,
        closed_timer: account.default_closed_timer,
        timers_start: now,
        email_address: None,
        email_name: None,
        created_by: ctx.creator(),
        last_message_index: -1,
        position: 0,
        document_position: 0,
        messages_position: 0,
        roster_position: 0,
        membership_position: 0,
        participants_count: 0,
        channel_participants_count: 0,
        active_at: whole_second(now),
        last_message_at: whole_second(now),
        date_created: now,
        date_updated: now,
    };
    own_messaging_service(change, ctx, wanted.messaging_service_sid).await?;
    let date_updated = wanted.date_updated;
    wanted.apply(&mut new, now);
    new.date_updated = date_updated.unwrap_or(new.date_created);
    store::conversations::insert(&mut change.tx, &new)
        .await
        .on_constraint("conversations_pkey", || Error::ConversationRepeated(sid))?;
    if let Some(name) = &new.unique_name {
        take_name(change, &new, name).await?;
    }
    new.position = change.record(new.sid, Event::ConversationAdded).await?;
    new.document_position = new.position;
    schedule_timers(change, &new).await?;
    Ok(new)
}

async fn take_name(change: &mut Change<'_>, of: &Conversation, name: &str) -> Result<(), Error> {
    store::conversations::take_name(&mut change.tx, of.service_sid, name, of.sid)
        .await
        .on_constraint("conversation_names_unique_name_key", || {
            Error::UniqueNameTaken
        })
}

async fn own_messaging_service(
    change: &mut Change<'_>,
    ctx: &Ctx,
    wanted: Option<MessagingServiceSid>,
) -> Result<(), Error> {
    match wanted {
        Some(sid)
            if !store::accounts::has_messaging_service(&mut change.tx, ctx.account.sid, sid)
                .await? =>
        {
            Err(Invalid::MessagingServiceForeign.into())
        }
        _ => Ok(()),
    }
}

/// Fetches a conversation for a caller who may look at it.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch(core: &Core, ctx: &Ctx, which: &ConversationRef) -> Result<access::Held, Error> {
    let mut conn = core.store.visit().await?;
    access::conversation(&mut conn, ctx, which, For::Peeking).await
}

/// Lists the service's conversations.
///
/// # Errors
/// As the database.
pub async fn list(
    core: &Core,
    ctx: &Ctx,
    filter: &ConversationFilter,
    sorting: Sorting,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<Conversation, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let rows = store::conversations::list(&mut conn, ctx.service, filter, sorting, asked).await?;
    Ok(Page::from_rows(rows, asked, |row| sorting.by.key(row)))
}

/// How many conversations of the service pass a filter.
///
/// # Errors
/// As the database.
pub async fn count(core: &Core, ctx: &Ctx, filter: &ConversationFilter) -> Result<i64, Error> {
    let mut conn = core.store.visit().await?;
    Ok(store::conversations::count(&mut conn, ctx.service, filter).await?)
}

/// Changes a conversation. What changes nothing is no event.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`], [`Error::ConversationClosed`], [`Error::UniqueNameTaken`]; 50342.
pub async fn update(
    core: &Core,
    ctx: &Ctx,
    which: &ConversationRef,
    changes: ConversationChanges,
) -> Result<Conversation, Error> {
    let mut change = Change::begin(core).await?;
    let mut conversation = hold_for(&mut change, ctx, which, &changes).await?;
    conversation.accepts_changes()?;
    own_messaging_service(&mut change, ctx, changes.messaging_service_sid).await?;
    let before = conversation.clone();
    let retimed = !changes.inactive_timer.is_keep() || !changes.closed_timer.is_keep();
    let state = changes.state.filter(|state| *state != conversation.state);
    let differs = changes.apply(&mut conversation, change.now);
    if let Some(state) = state {
        conversation.enter(state, change.now);
        conversation.date_updated = if differs {
            conversation.date_updated
        } else {
            change.now
        };
    }
    if !differs && state.is_none() {
        return Ok(conversation);
    }
    if conversation.unique_name != before.unique_name {
        if let Some(name) = &before.unique_name {
            store::conversations::free_name(&mut change.tx, before.service_sid, name).await?;
        }
        if let Some(name) = &conversation.unique_name {
            take_name(&mut change, &conversation, name).await?;
        }
    }
    if conversation.friendly_name != before.friendly_name
        || conversation.unique_name != before.unique_name
        || conversation.attributes != before.attributes
    {
        store::conversations::reword(&mut change.tx, &conversation).await?;
    }
    if differs {
        conversation.position = change
            .record(conversation.sid, Event::ConversationUpdated)
            .await?;
    }
    write_state_in(
        &mut change,
        &mut conversation,
        before.state,
        StateReason::Api,
    )
    .await?;
    if retimed || state.is_some() {
        schedule_timers(&mut change, &conversation).await?;
    }
    change.commit().await?;
    Ok(conversation)
}

/// Gets hold of a conversation and its row for these changes.
async fn hold_for(
    change: &mut Change<'_>,
    ctx: &Ctx,
    which: &ConversationRef,
    changes: &ConversationChanges,
) -> Result<Conversation, Error> {
    let renames = !changes.friendly_name.is_keep() || !changes.unique_name.is_keep();
    let wanted = if renames {
        Permission::EditConversationName
    } else {
        Permission::EditConversationAttributes
    };
    let held = access::lock_conversation(&mut change.tx, ctx, which, For::DoingFromOutside(wanted))
        .await?;
    if renames && changes.attributes.is_some() {
        held.require(Permission::EditConversationAttributes)?;
    }
    Ok(held.conversation)
}

/// Writes a conversation that entered its state (or not), and records the change of state. Closing gives the pairs of
/// addresses free.
async fn write_state_in(
    change: &mut Change<'_>,
    conversation: &mut Conversation,
    from: State,
    reason: StateReason,
) -> Result<(), Error> {
    store::conversations::update(&mut change.tx, conversation).await?;
    let to = conversation.state;
    if from == to {
        return Ok(());
    }
    if to == State::Closed {
        store::addresses::free_all(&mut change.tx, conversation.sid).await?;
    }
    let event = Event::ConversationStateUpdated { from, to, reason };
    conversation.position = change.record(conversation.sid, event).await?;
    conversation.document_position = conversation.position;
    Ok(())
}

/// Makes an inactive conversation, whose row is held, active again.
pub(super) async fn wake_in(
    change: &mut Change<'_>,
    conversation: &mut Conversation,
) -> Result<(), Error> {
    if conversation.state != State::Inactive {
        return Ok(());
    }
    conversation.enter(State::Active, change.now);
    write_state_in(change, conversation, State::Inactive, StateReason::Event).await?;
    schedule_timers(change, conversation).await
}

/// Leaves the work of the next timer, if one runs. Activity moves the timer without touching this job: when it runs, it
/// looks at the state and leaves the next.
async fn schedule_timers(
    change: &mut Change<'_>,
    conversation: &Conversation,
) -> Result<(), Error> {
    if let Some(end) = conversation.next_timer() {
        change
            .enqueue_once(
                &Job::ApplyTimers {
                    conversation: conversation.sid,
                    end,
                },
                end,
            )
            .await?;
    }
    Ok(())
}

/// Turns a conversation inactive or closed if its timers say so: the job of that name.
///
/// # Errors
/// As the database.
pub async fn apply_timers(core: &Core, sid: ConversationSid) -> Result<Outcome, Error> {
    let mut change = Change::begin(core).await?;
    let Some(mut conversation) = store::conversations::lock(&mut change.tx, sid).await? else {
        return Ok(Outcome::Done);
    };
    if let Some(state) = conversation.due(change.now) {
        let from = conversation.state;
        conversation.enter(state, change.now);
        write_state_in(&mut change, &mut conversation, from, StateReason::Timer).await?;
    }
    schedule_timers(&mut change, &conversation).await?;
    change.commit().await?;
    Ok(Outcome::Done)
}

/// Deletes a conversation with everything in it.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`].
pub async fn remove(core: &Core, ctx: &Ctx, which: &ConversationRef) -> Result<(), Error> {
    let mut change = Change::begin(core).await?;
    let for_that = For::DoingFromOutside(Permission::DeleteConversation);
    let held = access::lock_conversation(&mut change.tx, ctx, which, for_that).await?;
    if remove_in(&mut change, &[held.conversation.sid]).await? == 0 {
        return Err(Error::NotFound);
    }
    change.commit().await
}

/// The same of several, in the order of their SIDs, inside a change; answers how many were there.
///
/// All rows are locked before the first is changed, those of everybody in the conversations after theirs. Otherwise
/// who holds a later conversation and waits for somebody in an earlier one would be waited for.
pub(super) async fn remove_in(
    change: &mut Change<'_>,
    sids: &[ConversationSid],
) -> Result<usize, Error> {
    let mut held = Vec::with_capacity(sids.len());
    for sid in sids {
        held.extend(store::conversations::lock(&mut change.tx, *sid).await?);
    }
    store::users::lock_members(&mut change.tx, sids).await?;
    for conversation in &held {
        remove_held_in(change, conversation).await?;
    }
    Ok(held.len())
}

async fn remove_held_in(change: &mut Change<'_>, conversation: &Conversation) -> Result<(), Error> {
    let sid = conversation.sid;
    for participant in store::participants::list_all(&mut change.tx, sid).await? {
        if let Some(user) = participant.user_sid {
            participants::leave_in(change, user, sid).await?;
        }
    }
    media::forget_in_conversation(change, sid, None).await?;
    store::conversations::delete(&mut change.tx, sid).await?;
    let scope = crate::domain::Scope::Conversation(sid);
    change.announce(scope, conversation.position + 1, Event::ConversationRemoved);
    Ok(())
}

/// Whether the acting user created the conversation.
pub(super) fn is_creator(ctx: &Ctx, conversation: &Conversation) -> bool {
    matches!(&ctx.actor, Actor::User { identity, .. } if identity.as_str() == conversation.created_by)
}
