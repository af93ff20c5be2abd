//! Content templates.

use super::Core;
use crate::domain::contents::{Content, NewContent};
use crate::domain::fillings::{Filling, render};
use crate::domain::{ContentSid, Ctx, Draft, Error, Invalid, MomentKey, Page, PageRequest};
use crate::store;

/// Creates a template.
///
/// # Errors
/// As the database.
pub async fn create(core: &Core, ctx: &Ctx, new: NewContent) -> Result<Content, Error> {
    let now = core.clock.now();
    let content = Content {
        sid: ContentSid::new(now),
        account_sid: ctx.account.sid,
        friendly_name: new.friendly_name,
        language: new.language,
        variables: new.variables,
        types: new.types,
        date_created: now,
        date_updated: now,
    };
    let mut conn = core.store.visit().await?;
    store::contents::insert(&mut conn, &content).await?;
    Ok(content)
}

/// Fetches a template.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch(core: &Core, ctx: &Ctx, sid: ContentSid) -> Result<Content, Error> {
    let mut conn = core.store.visit().await?;
    store::contents::find(&mut conn, ctx.account.sid, sid)
        .await?
        .ok_or(Error::NotFound)
}

/// Lists the account's templates, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    core: &Core,
    ctx: &Ctx,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<Content, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let rows = store::contents::list(&mut conn, ctx.account.sid, asked).await?;
    Ok(Page::from_rows(rows, asked, |content| {
        (content.date_created, content.sid.uuid())
    }))
}

/// Deletes a template. Messages made from it keep their text and its SID.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn remove(core: &Core, ctx: &Ctx, sid: ContentSid) -> Result<(), Error> {
    let mut conn = core.store.visit().await?;
    if store::contents::delete(&mut conn, ctx.account.sid, sid).await? {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

/// Makes a draft from a template: it gets the template's text and rich content; its own text and media count no more.
///
/// # Errors
/// [`Invalid::ContentNotFound`], and the refusals of [`render`].
pub async fn fill(
    core: &Core,
    ctx: &Ctx,
    draft: &mut Draft,
    with: Option<Filling>,
) -> Result<(), Error> {
    let Some(with) = with else { return Ok(()) };
    let mut conn = core.store.visit().await?;
    let content = store::contents::find(&mut conn, ctx.account.sid, with.sid)
        .await?
        .ok_or(Invalid::ContentNotFound)?;
    let filled = render(&content, &with.variables)?;
    (draft.body, draft.rich) = (filled.text, Some(filled.rich));
    draft.media = Vec::new();
    draft.content_sid = Some(content.sid);
    Ok(())
}
