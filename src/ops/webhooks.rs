//! Webhooks: which servers hear of an account, a service, or one conversation.

use uuid::Uuid;

use super::Core;
use super::access::{self, For};
use super::record::Change;
use crate::domain::webhooks::{
    MAX_SCOPED, ScopedWebhook, TargetChanges, WebhookConfiguration, WebhookConfigurationChanges,
    WebhookSid,
};
use crate::domain::{
    Conversation, ConversationRef, Ctx, Error, MomentKey, Page, PageRequest, webhooks::Target,
};
use crate::store;

/// Whose webhooks are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The account.
    Account,
    /// The service of the occasion.
    Service,
}

impl Owner {
    fn sid(self, ctx: &Ctx) -> Uuid {
        match self {
            Self::Account => ctx.account.sid.uuid(),
            Self::Service => ctx.service.uuid(),
        }
    }
}

/// Fetches the webhooks of an account or a service.
///
/// # Errors
/// As the database.
pub async fn configuration(
    core: &Core,
    ctx: &Ctx,
    of: Owner,
) -> Result<WebhookConfiguration, Error> {
    let mut conn = core.store.visit().await?;
    let found = store::webhooks::find_configuration(&mut conn, of.sid(ctx)).await?;
    Ok(found.unwrap_or_default())
}

/// Changes the webhooks of an account or a service.
///
/// # Errors
/// [`Error::NotFound`] for a service that was deleted meanwhile.
pub async fn configure(
    core: &Core,
    ctx: &Ctx,
    of: Owner,
    changes: WebhookConfigurationChanges,
) -> Result<WebhookConfiguration, Error> {
    let mut change = Change::begin(core).await?;
    let there = match of {
        Owner::Account => true,
        Owner::Service => {
            store::services::hold(&mut change.tx, ctx.account.sid, ctx.service).await?
        }
    };
    if !there {
        return Err(Error::NotFound);
    }
    let owner = of.sid(ctx);
    let mut configuration = store::webhooks::lock_configuration(&mut change.tx, owner).await?;
    changes.apply(&mut configuration);
    store::webhooks::update_configuration(&mut change.tx, owner, &configuration).await?;
    change.commit().await?;
    Ok(configuration)
}

/// Creates a webhook of a conversation.
///
/// # Errors
/// [`Error::NotFound`], [`Error::ConversationClosed`], [`Error::TooManyWebhooks`].
pub async fn create(
    core: &Core,
    ctx: &Ctx,
    of: &ConversationRef,
    target: Target,
) -> Result<ScopedWebhook, Error> {
    let mut change = Change::begin(core).await?;
    let conversation = hold(&mut change, ctx, of).await?;
    conversation.accepts_changes()?;
    if store::webhooks::count(&mut change.tx, conversation.sid).await? >= MAX_SCOPED {
        return Err(Error::TooManyWebhooks);
    }
    let webhook = ScopedWebhook {
        sid: WebhookSid::new(change.now),
        conversation_sid: conversation.sid,
        target,
        date_created: change.now,
        date_updated: change.now,
    };
    store::webhooks::insert(&mut change.tx, &webhook).await?;
    change.commit().await?;
    Ok(webhook)
}

/// Gets hold of a conversation and its row.
async fn hold(
    change: &mut Change<'_>,
    ctx: &Ctx,
    which: &ConversationRef,
) -> Result<Conversation, Error> {
    let held = access::lock_conversation(&mut change.tx, ctx, which, For::Peeking).await?;
    Ok(held.conversation)
}

/// Fetches a webhook of a conversation.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch(
    core: &Core,
    ctx: &Ctx,
    of: &ConversationRef,
    sid: WebhookSid,
) -> Result<ScopedWebhook, Error> {
    let mut conn = core.store.visit().await?;
    let held = access::conversation(&mut conn, ctx, of, For::Peeking).await?;
    store::webhooks::find(&mut conn, held.conversation.sid, sid)
        .await?
        .ok_or(Error::NotFound)
}

/// Lists a conversation's webhooks, oldest first.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn list(
    core: &Core,
    ctx: &Ctx,
    of: &ConversationRef,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<ScopedWebhook, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let held = access::conversation(&mut conn, ctx, of, For::Peeking).await?;
    let rows = store::webhooks::list(&mut conn, held.conversation.sid, asked).await?;
    Ok(Page::from_rows(rows, asked, |row| {
        (row.date_created, row.sid.uuid())
    }))
}

/// Changes a webhook of a conversation.
///
/// # Errors
/// [`Error::NotFound`], [`Error::ConversationClosed`]; 50370 and 50371 for lists that would become empty.
pub async fn update(
    core: &Core,
    ctx: &Ctx,
    of: &ConversationRef,
    sid: WebhookSid,
    changes: TargetChanges,
) -> Result<ScopedWebhook, Error> {
    let mut change = Change::begin(core).await?;
    let conversation = hold(&mut change, ctx, of).await?;
    let mut webhook = store::webhooks::find(&mut change.tx, conversation.sid, sid)
        .await?
        .ok_or(Error::NotFound)?;
    changes.apply(&mut webhook.target)?;
    conversation.accepts_changes()?;
    webhook.date_updated = change.now;
    store::webhooks::update(&mut change.tx, &webhook).await?;
    change.commit().await?;
    Ok(webhook)
}

/// Deletes a webhook of a conversation, of a closed one too.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn remove(
    core: &Core,
    ctx: &Ctx,
    of: &ConversationRef,
    sid: WebhookSid,
) -> Result<(), Error> {
    let mut conn = core.store.visit().await?;
    let held = access::conversation(&mut conn, ctx, of, For::Peeking).await?;
    if store::webhooks::delete(&mut conn, held.conversation.sid, sid).await? {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}
