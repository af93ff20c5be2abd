//! Media: files in the object store, and the rows that tell of them.
//!
//! # What comes when
//! A row comes before its bytes and goes after them, so nothing is in the store that no row tells of. An upload's row is
//! written together with a job that looks at it when its time is over: what did not end, and what no message took, goes
//! then, whatever happened meanwhile to the process that took it in. Calls to the store are outside of transactions.

mod remove;
mod upload;

use chrono::TimeDelta;
use serde::Deserialize;

use super::Core;
use super::record::Change;
use crate::blobs::Bytestream;
use crate::domain::media::{Media, Piece};
use crate::domain::{ConversationSid, Ctx, Error, Invalid, MediaSid, MessageSid};
use crate::store;

pub use remove::{expire, remove, remove_bytes};
pub(super) use remove::{forget_in_conversation, forget_in_service};
pub(super) use upload::keep;
pub use upload::{Claim, Upload, begin};

/// How media are kept.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "config/default.toml says what each key means")]
pub struct Settings {
    pub unattached_seconds: u32,
}

impl Settings {
    fn unattached_for(&self) -> TimeDelta {
        TimeDelta::seconds(self.unattached_seconds.into())
    }
}

/// Fetches media for a caller who may see them: a program those of the service, a user the own uploads and what hangs on
/// messages of the own conversations.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch(core: &Core, ctx: &Ctx, sid: MediaSid) -> Result<Media, Error> {
    let found = fetch_many(core, ctx, &[sid]).await?;
    found.into_iter().next().ok_or(Error::NotFound)
}

/// Fetches those of many media that the caller may see, in no order.
///
/// # Errors
/// As the database.
pub async fn fetch_many(core: &Core, ctx: &Ctx, sids: &[MediaSid]) -> Result<Vec<Media>, Error> {
    let mut conn = core.store.visit().await?;
    let mut found =
        store::media::list_visible(&mut conn, ctx.service, sids, ctx.identity()).await?;
    let now = core.clock.now();
    found.retain(|media| media.is_kept(now, core.media.unattached_for()));
    Ok(found)
}

/// Reads bytes of media that the caller got hold of.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn read(
    core: &Core,
    media: &Media,
    range: std::ops::Range<u64>,
) -> Result<Bytestream, Error> {
    core.blobs.read(&media.sid.to_string(), range).await
}

/// Fetches media for somebody who has a temporary URL: the signature is the right to see them.
///
/// # Errors
/// [`Error::TemporaryUrlRefused`] when the URL was changed or its time is over, [`Error::NotFound`].
pub async fn fetch_signed(
    core: &Core,
    sid: MediaSid,
    expires: i64,
    signature: &str,
) -> Result<Media, Error> {
    let now = core.clock.now();
    let is_good = core
        .sealing
        .is_signed(TEMPORARY_URL, &signed_text(sid, expires), signature);
    if !is_good || now.timestamp() >= expires {
        return Err(Error::TemporaryUrlRefused);
    }
    let mut conn = core.store.visit().await?;
    store::media::find(&mut conn, sid)
        .await?
        .filter(|media| media.is_kept(now, core.media.unattached_for()))
        .ok_or(Error::NotFound)
}

/// The end of a temporary URL's time, in seconds since 1970, and the signature over it.
#[must_use]
pub fn sign(core: &Core, sid: MediaSid) -> (i64, String) {
    let expires = (core.clock.now() + crate::domain::media::TEMPORARY_URL_LIFE).timestamp();
    let signature = core.sealing.sign(TEMPORARY_URL, &signed_text(sid, expires));
    (expires, signature)
}

const TEMPORARY_URL: &str = "temporary URL of media";

fn signed_text(sid: MediaSid, expires: i64) -> String {
    format!("{sid} {expires}")
}

/// Claims media for a message that is about to be written, in the order given. Their rows are held from here on, so of
/// two messages only one gets them.
///
/// # Errors
/// 50507 for what is not there, or not the caller's to send; 50508 for what another message has.
pub(super) async fn claim_in(
    change: &mut Change<'_>,
    ctx: &Ctx,
    conversation: ConversationSid,
    message: MessageSid,
    wanted: &[MediaSid],
) -> Result<Vec<Piece>, Error> {
    let (now, keep) = (change.now, change.core().media.unattached_for());
    let mut held = store::media::lock(&mut change.tx, ctx.service, wanted).await?;
    let mut pieces = Vec::with_capacity(wanted.len());
    for sid in wanted {
        // A user sends own uploads only, and learns nothing of others.
        let media = held
            .iter()
            .position(|media| media.sid == *sid)
            .map(|place| held.swap_remove(place))
            .filter(|media| {
                ctx.identity()
                    .is_none_or(|own| media.author.as_deref() == Some(own.as_str()))
            });
        match media {
            Some(media) if media.message_sid.is_some() => {
                return Err(Invalid::MediaAttached.into());
            }
            Some(media) if media.is_kept(now, keep) => pieces.push(Piece::from(media)),
            // Named twice in one message: the first has it.
            None if pieces.iter().any(|piece| piece.sid == *sid) => {
                return Err(Invalid::MediaAttached.into());
            }
            _ => return Err(Invalid::MediaNotFound.into()),
        }
    }
    store::media::attach(&mut change.tx, wanted, conversation, message, now).await?;
    Ok(pieces)
}
