//! Messages.

use std::sync::Arc;

use sqlx::PgConnection;

use super::access::{self, For};
use super::media::Claim;
use super::record::Change;
use super::{Core, conversations, media};
use crate::domain::Order;
use crate::domain::media::Category;
use crate::domain::messages::MessageChanges;
use crate::domain::users::SYSTEM;
use crate::domain::{
    Conversation, ConversationRef, ConversationSid, Ctx, Draft, Error, Event, Job, Message,
    MessageSid, Page, PageRequest, Permission, Receipt, ReceiptSid, Scope, Search,
};
use crate::store;
use crate::store::messages::{Hold, NewMessage, Written};

/// Posts a message for a caller who may send in this conversation.
///
/// Who names the conversation by SID costs no look-up: whether the conversation is there and open is seen by the
/// statement that writes the message, under the lock that makes the answer true. Whether users may send is read by the
/// lane, for all that wait together; the statement refuses to write if who takes part changed since, and then it is
/// read again.
///
/// A draft that brings its SID is written once: the indexes of messages and of their tombstones, which are there anyway,
/// find the repeat, on any node and also when the message was deleted since, and that costs no statement of its own.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotParticipant`], [`Error::NotPermitted`], [`Error::ConversationClosed`],
/// [`Error::MessageRepeated`].
pub async fn post(
    core: &Arc<Core>,
    ctx: &Ctx,
    to: &ConversationRef,
    mut draft: Draft,
) -> Result<Message, Error> {
    let conversation = match to {
        ConversationRef::Sid(sid) => *sid,
        ConversationRef::UniqueName(name) => {
            let mut conn = core.store.visit().await?;
            let sid = store::conversations::find_sid(&mut conn, ctx.service, name).await?;
            sid.ok_or(Error::NotFound)?
        }
    };
    // Bytes go into the object store before the transaction, and a transaction holds the conversation for its media: only
    // for somebody who may send.
    let mut seen_membership = None;
    if draft.rich.is_some() || !draft.media.is_empty() {
        let mut conn = core.store.visit().await?;
        seen_membership = may_send(&mut conn, ctx, conversation, &draft).await?;
    }
    if let Some(rich) = draft.rich.take() {
        let claim = Claim {
            category: Category::Body,
            content_type: Some(rich.content_type),
            ..Claim::default()
        };
        draft.media = vec![media::keep(core, ctx, claim, &rich.bytes).await?];
    }
    let now = core.clock.now();
    let new = NewMessage {
        sid: draft.sid.unwrap_or_else(|| MessageSid::new(now)),
        service: ctx.service,
        conversation,
        seen_membership,
        draft,
        pieces: Vec::new(),
        now,
    };
    // Media are claimed in the message's transaction, which a lane's one statement cannot do.
    if new.draft.media.is_empty() {
        core.lanes.post(ctx, new).await
    } else {
        post_alone(core, ctx, new).await
    }
}

/// Refuses a draft that its caller may not send there; answers the membership position that the decision is good for,
/// if the caller is one whom roles bind.
async fn may_send(
    conn: &mut PgConnection,
    ctx: &Ctx,
    to: ConversationSid,
    draft: &Draft,
) -> Result<Option<i64>, Error> {
    let mut decided = access::permit(conn, &[(ctx, to, draft.permissions())]).await?;
    decided.pop().unwrap_or(Err(Error::NotFound))
}

/// Writes one message the long way, in a transaction of its own that holds the conversation: where a row is not all
/// there is to do.
pub(super) async fn post_alone(
    core: &Core,
    ctx: &Ctx,
    mut new: NewMessage,
) -> Result<Message, Error> {
    let mut change = Change::begin(core).await?;
    let mut conversation = store::conversations::lock(&mut change.tx, new.conversation)
        .await?
        .filter(|row| row.service_sid == new.service)
        .ok_or(Error::NotFound)?;
    if new.seen_membership != Some(conversation.membership_position) {
        may_send(&mut change.tx, ctx, conversation.sid, &new.draft).await?;
    }
    if new.draft.sid.is_some()
        && store::messages::was_written(&mut change.tx, conversation.sid, new.sid).await?
    {
        return Err(Error::MessageRepeated(conversation.sid, new.sid));
    }
    if !new.draft.media.is_empty() {
        conversation.accepts_changes()?;
        let wanted = &new.draft.media;
        new.pieces = media::claim_in(&mut change, ctx, conversation.sid, new.sid, wanted).await?;
    }
    let message = write_in(&mut change, &mut conversation, new).await?;
    change.commit().await?;
    Ok(message)
}

/// Writes a message into a conversation whose row is held, with what follows from it: the conversation wakes, and
/// everybody on a channel but the author is sent a copy.
///
/// Together with the statement that it shares with the lanes ([`store::messages::insert`]) this is the only place
/// where a message comes to exist: callers from REST and sockets get here, and so do channels.
pub(super) async fn write_in(
    change: &mut Change<'_>,
    to: &mut Conversation,
    new: NewMessage,
) -> Result<Message, Error> {
    to.accepts_changes()?;
    conversations::wake_in(change, to).await?;
    let written =
        store::messages::insert(&mut change.tx, Hold::Caller, std::slice::from_ref(&new)).await?;
    let Some(Written::Added {
        index,
        position,
        participant_sid,
    }) = written.into_iter().next()
    else {
        return Err(Error::NotFound);
    };
    to.last_message_index = index;
    to.position = position;
    let mut message = new.into_message(index, position, participant_sid);
    if to.channel_participants_count > 0 {
        relay_in(change, &mut message).await?;
    }
    change.announce(
        Scope::Conversation(to.sid),
        position,
        Event::MessageAdded(Arc::new(message.clone())),
    );
    Ok(message)
}

/// Leaves a receipt and a job for each copy that goes to a channel.
async fn relay_in(change: &mut Change<'_>, message: &mut Message) -> Result<(), Error> {
    let conversation = message.conversation_sid;
    let (mut receipts, mut jobs) = (Vec::new(), Vec::new());
    for recipient in store::participants::list_to_relay(&mut change.tx, conversation).await? {
        let Some(pair) = recipient
            .pair()
            .filter(|_| Some(recipient.sid) != message.participant_sid)
        else {
            continue;
        };
        let sid = ReceiptSid::new(change.now);
        receipts.push(Receipt {
            sid,
            conversation_sid: conversation,
            message_sid: message.sid,
            participant_sid: recipient.sid,
            channel_message_sid: pair.address.channel().message_sid(sid.uuid()),
            status: None,
            error_code: 0,
            date_created: change.now,
            date_updated: change.now,
        });
        jobs.push(Job::SendToChannel {
            conversation,
            message: message.sid,
            receipt: sid,
            pair,
        });
    }
    if receipts.is_empty() {
        return Ok(());
    }
    store::receipts::insert(&mut change.tx, &receipts).await?;
    let count = i16::try_from(receipts.len()).unwrap_or(i16::MAX);
    store::messages::count_receipts(&mut change.tx, conversation, message.index, count).await?;
    message.receipt_statuses = Some(vec![None; receipts.len()]);
    change.enqueue(&jobs, change.now).await
}

/// Fetches a message.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotParticipant`].
pub async fn fetch(
    core: &Core,
    ctx: &Ctx,
    of: &ConversationRef,
    sid: MessageSid,
) -> Result<Message, Error> {
    let mut conn = core.store.visit().await?;
    let held = access::conversation(&mut conn, ctx, of, For::TakingPart).await?;
    store::messages::find(&mut conn, held.conversation.sid, sid)
        .await?
        .ok_or(Error::NotFound)
}

/// Lists a conversation's messages by index.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotParticipant`].
pub async fn list(
    core: &Core,
    ctx: &Ctx,
    of: &ConversationRef,
    order: Order,
    asked: &PageRequest<i64>,
) -> Result<Page<Message, i64>, Error> {
    let mut conn = core.store.visit().await?;
    let held = access::conversation(&mut conn, ctx, of, For::TakingPart).await?;
    let rows = store::messages::list(&mut conn, held.conversation.sid, order, asked).await?;
    Ok(Page::from_rows(rows, asked, |row| row.index))
}

/// Lists a conversation's messages that have all the words, by index. A page may hold less than fits, or nothing, and
/// still have a next one.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotParticipant`].
pub async fn search(
    core: &Core,
    ctx: &Ctx,
    of: &ConversationRef,
    words: &Search,
    order: Order,
    asked: &PageRequest<i64>,
) -> Result<Page<Message, i64>, Error> {
    let mut conn = core.store.visit().await?;
    let held = access::conversation(&mut conn, ctx, of, For::TakingPart).await?;
    let of = held.conversation.sid;
    let (rows, until) = store::messages::search(&mut conn, of, words, order, asked).await?;
    Ok(Page::from_some_rows(rows, asked, until, |row| row.index))
}

/// How many messages a conversation holds.
///
/// # Errors
/// As the database.
pub async fn count(core: &Core, of: ConversationSid) -> Result<i64, Error> {
    let mut conn = core.store.visit().await?;
    Ok(store::messages::count_above(&mut conn, of, -1, i64::MAX).await?)
}

/// Edits a message. What changes nothing is no event.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotParticipant`], [`Error::NotPermitted`], [`Error::ConversationClosed`].
pub async fn update(
    core: &Core,
    ctx: &Ctx,
    of: &ConversationRef,
    sid: MessageSid,
    changes: MessageChanges,
) -> Result<Message, Error> {
    let mut change = Change::begin(core).await?;
    let (conversation, mut message) = hold(&mut change, ctx, of, sid, |own| {
        let mut wanted = Vec::new();
        if changes.body.is_some() || changes.attributes.is_none() {
            wanted.push(if own {
                Permission::EditOwnMessage
            } else {
                Permission::EditAnyMessage
            });
        }
        if changes.attributes.is_some() {
            wanted.push(if own {
                Permission::EditOwnMessageAttributes
            } else {
                Permission::EditAnyMessageAttributes
            });
        }
        wanted
    })
    .await?;
    conversation.accepts_changes()?;
    let author = message.author.clone();
    let by = ctx
        .identity()
        .map_or(SYSTEM, |identity| identity.as_str())
        .to_owned();
    if !changes.apply(&mut message, by, change.now) {
        return Ok(message);
    }
    if message.author != author {
        message.participant_sid =
            store::participants::find_author(&mut change.tx, conversation.sid, &message.author)
                .await?;
    }
    message.position = change
        .record(conversation.sid, Event::MessageUpdated { sid })
        .await?;
    store::messages::update(&mut change.tx, &message).await?;
    change.commit().await?;
    Ok(message)
}

/// Deletes a message; its index is never used again.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotParticipant`], [`Error::NotPermitted`].
pub async fn remove(
    core: &Core,
    ctx: &Ctx,
    of: &ConversationRef,
    sid: MessageSid,
) -> Result<(), Error> {
    let mut change = Change::begin(core).await?;
    let (conversation, message) = hold(&mut change, ctx, of, sid, |own| {
        vec![if own {
            Permission::DeleteOwnMessage
        } else {
            Permission::DeleteAnyMessage
        }]
    })
    .await?;
    let event = Event::MessageRemoved {
        sid,
        index: message.index,
    };
    let position = change.record(conversation.sid, event).await?;
    if message.media.is_some() {
        media::forget_in_conversation(&mut change, conversation.sid, Some(sid)).await?;
    }
    store::messages::delete(&mut change.tx, &message, position).await?;
    change.commit().await
}

/// Gets hold of a message under its conversation's lock, for a caller who has the permissions that `wanted` tells for
/// own and for foreign messages.
async fn hold(
    change: &mut Change<'_>,
    ctx: &Ctx,
    of: &ConversationRef,
    sid: MessageSid,
    wanted: impl FnOnce(bool) -> Vec<Permission>,
) -> Result<(Conversation, Message), Error> {
    let held = access::lock_conversation(&mut change.tx, ctx, of, For::TakingPart).await?;
    let message = store::messages::find(&mut change.tx, held.conversation.sid, sid)
        .await?
        .ok_or(Error::NotFound)?;
    let own = ctx
        .identity()
        .is_some_and(|identity| identity.as_str() == message.author);
    for permission in wanted(own) {
        held.require(permission)?;
    }
    Ok((held.conversation, message))
}
