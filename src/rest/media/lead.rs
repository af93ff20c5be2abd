//! How far the body of a form may be read ahead of its file.
//!
//! The parser of forms holds everything up to the end of a part's header, and takes whatever comes without a pause: a
//! preamble or a header without an end would fill the memory. So it is given one piece at a time, and no more while it
//! holds too much that has not come out again as bytes of the file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use futures_util::{StreamExt as _, stream};

use crate::domain::Error;

/// How much longer than its file a form may be.
pub(super) const MAX_AROUND_BYTES: u64 = 64 * 1024;

const TOO_MUCH: Error = Error::Malformed("the form has too much beside its file");

/// The bytes of a form that were read and are not known to be the file's.
#[derive(Debug, Clone, Default)]
pub(super) struct Lead(Arc<AtomicU64>);

impl Lead {
    /// Takes note that so many bytes were the file's.
    pub(super) fn shrink(&self, bytes: usize) {
        self.0.fetch_sub(bytes as u64, Ordering::Relaxed);
    }

    fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// The same body, which fails when too much of it is not the file's.
    pub(super) fn bound(&self, body: Body) -> Body {
        let begin = (body.into_data_stream(), 0, self.clone());
        Body::from_stream(stream::try_unfold(
            begin,
            async |(mut pieces, newest, lead)| {
                // A pause, in which the parser gives out what it has.
                tokio::task::yield_now().await;
                // The newest piece may not have been looked at yet.
                if lead.bytes() > MAX_AROUND_BYTES + newest {
                    return Err(axum::Error::new(TOO_MUCH));
                }
                let Some(piece) = pieces.next().await.transpose()? else {
                    return Ok(None);
                };
                let newest = piece.len() as u64;
                lead.0.fetch_add(newest, Ordering::Relaxed);
                Ok(Some((piece, (pieces, newest, lead))))
            },
        ))
    }

    /// Why a form was refused that the parser gave up.
    pub(super) fn explain(&self, refusal: Error) -> Error {
        match refusal {
            Error::Malformed(_) if self.bytes() > MAX_AROUND_BYTES => TOO_MUCH,
            refusal => refusal,
        }
    }
}
