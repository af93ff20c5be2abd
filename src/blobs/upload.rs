//! One upload into the store.
//!
//! # Why a file in between for S3
//! Its protocol wants to know an object's length before its bytes, or takes it in parts of at least 5 MiB, which would
//! have to be in memory whole. So the bytes wait in a file that has no name and goes with the process, and are sent in
//! one request when all are there: an upload that ends early never reaches the bucket, no parts are left lying in it,
//! and a slow client does not hold a connection to it.

use std::io::SeekFrom;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::signer::Signer as _;
use object_store::{MultipartUpload, ObjectStoreExt as _};
use reqwest::{Method, header};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use tracing::{error, warn};

use super::{ANSWER, Blobs, Way, broken, late};
use crate::domain::Error;

/// How many bytes are gathered before they are written, and read at once: all the memory that an upload takes here.
const PIECE_BYTES: usize = 64 * 1024;
/// How slow sending to a bucket may be: an upload that takes longer is given up.
const LEAST_BYTES_A_SECOND: u64 = 512 * 1024;
/// How often a bucket is tried.
const ATTEMPTS: u32 = 2;
/// For how long the permission to send is good, beyond the time that sending may take.
const SIGNED_FOR: Duration = Duration::from_secs(900);

/// An upload under way. It shows when it is finished; dropped before that, it leaves nothing.
pub struct Upload<'a> {
    path: Path,
    gathered: BytesMut,
    sink: Sink<'a>,
    size: u64,
}

enum Sink<'a> {
    Folder(Box<dyn MultipartUpload>),
    Spool {
        file: File,
        bucket: &'a AmazonS3,
        http: &'a reqwest::Client,
    },
}

impl Blobs {
    /// Begins an upload.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn upload(&self, key: &str) -> Result<Upload<'_>, Error> {
        let path = self.path(key);
        let sink = match &self.way {
            Way::Folder { .. } => {
                let begun = timeout(ANSWER, self.objects.put_multipart(&path)).await;
                Sink::Folder(begun.map_err(|_| late("writing"))?.map_err(broken)?)
            }
            Way::S3 {
                spool,
                bucket,
                http,
            } => {
                let file = tempfile::tempfile_in(spool).map_err(spool_failed)?;
                let file = File::from_std(file);
                Sink::Spool { file, bucket, http }
            }
        };
        Ok(Upload {
            path,
            gathered: BytesMut::with_capacity(PIECE_BYTES),
            sink,
            size: 0,
        })
    }
}

impl Upload<'_> {
    /// How many bytes were taken in.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Takes in more bytes.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            let room = PIECE_BYTES - self.gathered.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.gathered.extend_from_slice(now);
            bytes = later;
            if self.gathered.len() == PIECE_BYTES {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Error> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let written = match &mut self.sink {
            Sink::Folder(folder) => {
                let piece = self.gathered.split().freeze();
                let written = timeout(ANSWER, folder.put_part(piece.into())).await;
                self.gathered.reserve(PIECE_BYTES);
                written.map(|done| done.map_err(broken))
            }
            Sink::Spool { file, .. } => {
                let written = timeout(ANSWER, file.write_all(&self.gathered)).await;
                self.gathered.clear();
                written.map(|done| done.map_err(spool_failed))
            }
        };
        written.map_err(|_| late("writing"))?
    }

    /// Ends the upload; the object is there, whole and for good, when this returns.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; then it is not there, unless the store took it and could not say so.
    pub async fn finish(mut self) -> Result<(), Error> {
        self.flush().await?;
        let size = self.size;
        match self.sink {
            Sink::Folder(mut folder) => {
                let done = timeout(patience(size), folder.complete()).await;
                done.map_err(|_| late("writing"))?.map_err(broken)?;
                Ok(())
            }
            Sink::Spool {
                mut file,
                bucket,
                http,
            } => {
                file.flush().await.map_err(spool_failed)?;
                let sending = send(http, bucket, &self.path, &file, size);
                let sent = timeout(patience(size), sending).await;
                sent.map_err(|_| late("writing"))?
            }
        }
    }
}

/// How long bringing an object of this size into the store may take.
fn patience(size: u64) -> Duration {
    ANSWER + Duration::from_secs(size / LEAST_BYTES_A_SECOND)
}

/// Sends a file to a bucket in one request, and once more if that is refused.
async fn send(
    http: &reqwest::Client,
    bucket: &AmazonS3,
    path: &Path,
    file: &File,
    size: u64,
) -> Result<(), Error> {
    for attempt in 1..=ATTEMPTS {
        let url = bucket
            .signed_url(Method::PUT, path, SIGNED_FOR)
            .await
            .map_err(broken)?;
        let mut body = file.try_clone().await.map_err(spool_failed)?;
        body.seek(SeekFrom::Start(0)).await.map_err(spool_failed)?;
        let pieces = stream::try_unfold(body, async |mut body| {
            let mut piece = vec![0; PIECE_BYTES];
            let count = body.read(&mut piece).await?;
            piece.truncate(count);
            Ok::<_, std::io::Error>((count > 0).then(|| (Bytes::from(piece), body)))
        });
        let answer = http
            .put(url)
            .header(header::CONTENT_LENGTH, size)
            .body(reqwest::Body::wrap_stream(pieces))
            .send()
            .await;
        let cause = match answer {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => format!("it answered {}", answer.status()),
            // The URL is signed, and nothing for the log.
            Err(error) => format!("{:?}", error.without_url()),
        };
        warn!(attempt, cause, "the object store refused an upload");
    }
    Err(Error::Unavailable)
}

fn spool_failed(cause: std::io::Error) -> Error {
    error!(error = %cause, "a file for an upload on its way to the object store failed");
    Error::Unavailable
}
