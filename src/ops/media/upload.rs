//! Taking in a file.

use tracing::warn;

use super::super::Core;
use super::super::record::Change;
use crate::blobs;
use crate::domain::media::{
    Category, MAX_BYTES, Media, MediaState, TELLING_BYTES, claimed_type, sniff,
};
use crate::domain::{Ctx, Error, Invalid, Job, MediaSid};
use crate::store;

/// What is said of a file before its bytes come.
#[derive(Debug, Default)]
pub struct Claim {
    /// What it is to a message.
    pub category: Category,
    /// Its name.
    pub filename: Option<String>,
    /// What it is.
    pub content_type: Option<String>,
    /// Whether it comes as a form.
    pub is_multipart: bool,
}

/// A file on its way in. It can be seen when it is finished; otherwise it must be given up, and if nobody comes to that
/// its job does it.
pub struct Upload<'a> {
    core: &'a Core,
    media: Media,
    bytes: blobs::Upload<'a>,
    first: Vec<u8>,
}

/// Begins to take in a file of the caller.
///
/// # Errors
/// [`Error::Unavailable`] when the object store is away; nothing is left then.
pub async fn begin<'a>(core: &'a Core, ctx: &Ctx, claim: Claim) -> Result<Upload<'a>, Error> {
    let mut change = Change::begin(core).await?;
    let now = change.now;
    let media = Media {
        sid: MediaSid::new(now),
        account_sid: ctx.account.sid,
        service_sid: ctx.service,
        state: MediaState::Uploading,
        category: claim.category,
        author: ctx.identity().map(|own| own.as_str().to_owned()),
        filename: claim.filename,
        content_type: claimed_type(claim.content_type.as_deref()),
        sniffed_type: None,
        size: 0,
        is_multipart_upstream: claim.is_multipart,
        conversation_sid: None,
        message_sid: None,
        date_created: now,
        date_uploaded: now,
        date_updated: now,
    };
    store::media::insert(&mut change.tx, &media).await?;
    let looked_at = now + core.media.unattached_for();
    let job = Job::ExpireMedia { media: media.sid };
    change.enqueue(&[job], looked_at).await?;
    change.commit().await?;
    match core.blobs.upload(&media.sid.to_string()).await {
        Ok(bytes) => Ok(Upload {
            core,
            media,
            bytes,
            first: Vec::new(),
        }),
        Err(fault) => {
            forget(core, media.sid).await;
            Err(fault)
        }
    }
}

/// Marks the row of an upload that failed; its job removes it, and bytes that the store may have without saying so.
async fn forget(core: &Core, sid: MediaSid) {
    let forgotten = async {
        let mut conn = core.store.visit().await?;
        store::media::give_up(&mut conn, sid, MediaState::Uploading).await?;
        Ok::<_, Error>(())
    };
    if let Err(fault) = forgotten.await {
        warn!(media.sid = %sid, error = fault.inside(), "an upload that failed stays until its job comes to it");
    }
}

/// Keeps what the server itself says in the caller's name: an upload like any other, to be claimed by a message.
///
/// # Errors
/// As [`begin`] and [`Upload::finish`].
pub(in super::super) async fn keep(
    core: &Core,
    ctx: &Ctx,
    claim: Claim,
    bytes: &[u8],
) -> Result<MediaSid, Error> {
    let mut upload = begin(core, ctx, claim).await?;
    if let Err(fault) = upload.write(bytes).await {
        upload.give_up().await;
        return Err(fault);
    }
    Ok(upload.finish().await?.sid)
}

impl Upload<'_> {
    /// Takes in more bytes.
    ///
    /// # Errors
    /// 50512 for more than a file may have, [`Error::Unavailable`].
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.bytes.size() + bytes.len() as u64 > MAX_BYTES {
            return Err(Invalid::MediaTooLarge.into());
        }
        let telling = bytes.len().min(TELLING_BYTES - self.first.len());
        self.first.extend_from_slice(&bytes[..telling]);
        self.bytes.write(bytes).await
    }

    /// Ends the upload: it can be seen, and named by a message, from here on.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::NotFound`] when the service was deleted meanwhile. Nothing is left then.
    pub async fn finish(self) -> Result<Media, Error> {
        let Self {
            core,
            mut media,
            bytes,
            first,
        } = self;
        media.size = i64::try_from(bytes.size()).unwrap_or(i64::MAX);
        media.sniffed_type = sniff(&first);
        let done = async {
            bytes.finish().await?;
            let now = core.clock.now();
            (media.date_uploaded, media.date_updated) = (now, now);
            let mut conn = core.store.visit().await?;
            if store::media::set_ready(&mut conn, &media).await? {
                Ok(())
            } else {
                Err(Error::NotFound)
            }
        }
        .await;
        if let Err(fault) = done {
            forget(core, media.sid).await;
            return Err(fault);
        }
        media.state = MediaState::Ready;
        Ok(media)
    }

    /// Gives the upload up: nothing is left of it.
    pub async fn give_up(self) {
        let (core, sid) = (self.core, self.media.sid);
        drop(self.bytes);
        forget(core, sid).await;
    }
}
