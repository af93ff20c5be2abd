//! Removing media: the rows are marked by what removes them, the bytes go afterwards, by jobs. Nobody waits for a store
//! that is away only to hear that something is gone.

use std::time::Duration;

use chrono::TimeDelta;

use super::super::Core;
use super::super::record::Change;
use crate::domain::jobs::Outcome;
use crate::domain::media::MediaState;
use crate::domain::{
    ConversationSid, Ctx, Error, Job, MediaSid, MessageSid, ServiceSid, Timestamp,
};
use crate::store;

/// How long an upload may take before it counts as one that ended without a word: longer than the door lets one take.
const LONGEST_UPLOAD: TimeDelta = TimeDelta::hours(1);
/// How long bytes that the store would not remove are left before it is asked again.
const AGAIN: Duration = Duration::from_secs(300);
/// How many media are removed at once.
const BATCH: i64 = 100;

/// Deletes media that hang on no message; their job removes the bytes.
///
/// # Errors
/// [`Error::NotFound`], also for a user's request for what another uploaded; [`Error::MediaAttachedKept`].
pub async fn remove(core: &Core, ctx: &Ctx, sid: MediaSid) -> Result<(), Error> {
    let media = super::fetch(core, ctx, sid).await?;
    if media.message_sid.is_some() {
        return Err(Error::MediaAttachedKept);
    }
    let mut conn = core.store.visit().await?;
    if store::media::give_up(&mut conn, sid, MediaState::Ready).await? {
        return Ok(());
    }
    drop(conn);
    // A message took it, or somebody else deleted it, since we looked.
    super::fetch(core, ctx, sid).await?;
    Err(Error::MediaAttachedKept)
}

/// Removes the bytes of media that are marked as removed, then their rows.
async fn discard(core: &Core, sids: &[MediaSid]) -> Result<(), Error> {
    let keys: Vec<String> = sids.iter().map(ToString::to_string).collect();
    core.blobs.remove(&keys).await?;
    let mut conn = core.store.visit().await?;
    Ok(store::media::delete_removed(&mut conn, sids).await?)
}

/// Looks at an upload when its time is over, and removes it if nothing came of it: the job of that name.
///
/// # Errors
/// As the database.
pub async fn expire(core: &Core, sid: MediaSid) -> Result<Outcome, Error> {
    let mut conn = core.store.visit().await?;
    let Some(media) = store::media::find(&mut conn, sid).await? else {
        return Ok(Outcome::Done);
    };
    let now = core.clock.now();
    let end = match media.state {
        MediaState::Ready if media.message_sid.is_some() => return Ok(Outcome::Done),
        MediaState::Ready => Some(media.date_uploaded + core.media.unattached_for()),
        MediaState::Uploading => Some(media.date_created + LONGEST_UPLOAD),
        MediaState::Removed => None,
    };
    if let Some(wait) = end.and_then(|end| until(now, end)) {
        return Ok(Outcome::Again(wait));
    }
    let is_ours = media.state == MediaState::Removed
        || store::media::give_up(&mut conn, sid, media.state).await?;
    drop(conn);
    if !is_ours {
        return Ok(Outcome::Again(Duration::ZERO));
    }
    Ok(match discard(core, &[sid]).await {
        Ok(()) => Outcome::Done,
        Err(_) => Outcome::Again(AGAIN),
    })
}

fn until(now: Timestamp, end: Timestamp) -> Option<Duration> {
    (end - now).to_std().ok().filter(|wait| !wait.is_zero())
}

/// Removes the bytes of a conversation's removed media: the job of that name.
///
/// # Errors
/// As the database.
pub async fn remove_bytes(core: &Core, of: ConversationSid) -> Result<Outcome, Error> {
    let mut conn = core.store.visit().await?;
    let sids = store::media::list_removed(&mut conn, of, BATCH).await?;
    drop(conn);
    if sids.is_empty() {
        return Ok(Outcome::Done);
    }
    Ok(match discard(core, &sids).await {
        Ok(()) => Outcome::Again(Duration::ZERO),
        Err(_) => Outcome::Again(AGAIN),
    })
}

/// Marks the media of a message, or of all messages of a conversation, as removed and leaves a job for their bytes.
pub(in super::super) async fn forget_in_conversation(
    change: &mut Change<'_>,
    of: ConversationSid,
    message: Option<MessageSid>,
) -> Result<(), Error> {
    if store::media::mark_removed(&mut change.tx, of, message).await? == 0 {
        return Ok(());
    }
    let now = change.now;
    change
        .enqueue(&[Job::RemoveMedia { conversation: of }], now)
        .await
}

/// Marks the uploads of a service as removed; the job of each removes its bytes.
pub(in super::super) async fn forget_in_service(
    change: &mut Change<'_>,
    of: ServiceSid,
) -> Result<(), Error> {
    Ok(store::media::mark_unattached_removed(&mut change.tx, of).await?)
}
