//! The object store: the bytes of media, by key.
//!
//! A local folder by default, or anything that speaks S3. Nothing here knows what the bytes are for; rows tell that.
//!
//! # Promise
//! An object is there whole or not at all: an [`Upload`] shows nothing until it is finished, and one that is dropped
//! leaves nothing. What was finished survives a crash. Every wait for the store has an end; when the store is away, the
//! answer is [`Error::Unavailable`], and nothing was done.

mod upload;

use std::fs;
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, GetOptions, ObjectStore, RetryConfig};
use tokio::time::timeout;
use tracing::error;

use crate::domain::Error;
pub use upload::Upload;

/// How long one answer of the store may take, and one piece of an object: shorter than any client waits.
const ANSWER: Duration = Duration::from_secs(8);
/// How long removing many objects may take: shorter than a job's lease.
const REMOVAL: Duration = Duration::from_secs(40);
/// How long the store's client tries again by itself.
const TRYING: Duration = Duration::from_secs(4);

/// Where the objects are.
pub enum Place {
    /// In a folder, which is made if it is not there.
    Folder(PathBuf),
    /// In a bucket.
    S3(Bucket),
}

/// A bucket of S3, or of something that speaks its protocol. What is none here comes from the usual variables
/// (`AWS_ACCESS_KEY_ID` and so on) or, on the vendor's machines, from the machine's role.
#[derive(Default)]
#[expect(missing_docs, reason = "config/default.toml says what each key means")]
pub struct Bucket {
    pub name: String,
    /// What the keys of all objects begin with; may be empty.
    pub prefix: String,
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub access_key_id: Option<String>,
    pub secret_access_key: Option<String>,
    /// A folder for uploads on their way to the bucket.
    pub spool: PathBuf,
}

/// The objects.
pub struct Blobs {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    way: Way,
}

/// How objects get in.
enum Way {
    Folder {
        root: PathBuf,
    },
    S3 {
        bucket: AmazonS3,
        http: reqwest::Client,
        spool: PathBuf,
    },
}

/// The bytes of an object, piece by piece.
pub type Bytestream = BoxStream<'static, Result<Bytes, Error>>;

impl Blobs {
    /// Opens the store. A bucket is not asked anything yet.
    ///
    /// # Errors
    /// A sentence an operator can act on.
    pub fn open(place: Place) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        match place {
            Place::Folder(root) => {
                make(&root)?;
                let folder = LocalFileSystem::new_with_prefix(&root)?.with_fsync(true);
                Ok(Self {
                    objects: Arc::new(folder),
                    prefix: Path::default(),
                    way: Way::Folder { root },
                })
            }
            Place::S3(named) => {
                make(&named.spool)?;
                let prefix = Path::parse(&named.prefix)?;
                let spool = named.spool.clone();
                let bucket = connect(named)?;
                let http = reqwest::Client::builder()
                    .connect_timeout(TRYING)
                    .redirect(reqwest::redirect::Policy::none())
                    .build()?;
                Ok(Self {
                    objects: Arc::new(bucket.clone()),
                    prefix,
                    way: Way::S3 {
                        bucket,
                        http,
                        spool,
                    },
                })
            }
        }
    }

    fn path(&self, key: &str) -> Path {
        self.prefix.clone().join(key)
    }

    /// Reads a part of an object.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; a fault of ours when the object is not there.
    pub async fn read(&self, key: &str, range: Range<u64>) -> Result<Bytestream, Error> {
        if range.is_empty() {
            return Ok(stream::empty().boxed());
        }
        let options = GetOptions {
            range: Some(range.into()),
            ..GetOptions::default()
        };
        let asked = timeout(ANSWER, self.objects.get_opts(&self.path(key), options)).await;
        let found = asked.map_err(|_| late("reading"))?.map_err(broken)?;
        let pieces = stream::try_unfold(found.into_stream(), async |mut rest| {
            let next = timeout(ANSWER, rest.next()).await;
            match next.map_err(|_| late("reading"))? {
                Some(piece) => Ok(Some((piece.map_err(broken)?, rest))),
                None => Ok(None),
            }
        });
        Ok(pieces.boxed())
    }

    /// Removes objects, and what a crash left of their uploads. One that is not there is removed already.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; some may be removed then.
    pub async fn remove(&self, keys: &[String]) -> Result<(), Error> {
        let paths: Vec<_> = keys.iter().map(|key| Ok(self.path(key))).collect();
        let removal = async {
            let mut removed = self.objects.delete_stream(stream::iter(paths).boxed());
            while let Some(one) = removed.next().await {
                match one {
                    Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(broken(error)),
                }
            }
            self.remove_halves(keys).await
        };
        timeout(REMOVAL, removal)
            .await
            .map_err(|_| late("removing"))?
    }

    /// In a folder an upload grows beside its object, under the object's name with `#1` behind it. It goes with its
    /// [`Upload`], so only a crash leaves one.
    async fn remove_halves(&self, keys: &[String]) -> Result<(), Error> {
        let Way::Folder { root } = &self.way else {
            return Ok(());
        };
        for key in keys {
            match tokio::fs::remove_file(root.join(format!("{key}#1"))).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    error!(error = %error, "what is left of an upload cannot be removed");
                    return Err(Error::Unavailable);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Makes a folder that only this program's user may look into.
fn make(folder: &std::path::Path) -> Result<(), String> {
    // What is above it may be for others too.
    let above = folder.parent().map_or(Ok(()), fs::create_dir_all);
    above
        .and_then(|()| {
            let mut private = fs::DirBuilder::new();
            private.recursive(true).mode(0o700).create(folder)
        })
        .map_err(|error| format!("{}: cannot be made: {error}", folder.display()))
}

fn connect(named: Bucket) -> object_store::Result<AmazonS3> {
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(named.name)
        .with_retry(RetryConfig {
            max_retries: 3,
            retry_timeout: TRYING,
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(1),
                base: 2.0,
            },
        })
        // No limit for a whole answer, which may be long and go to a slow client; each wait in it has one.
        .with_client_options(
            ClientOptions::new()
                .with_timeout_disabled()
                .with_connect_timeout(TRYING)
                .with_read_timeout(ANSWER),
        );
    if let Some(endpoint) = named.endpoint {
        builder = builder
            .with_allow_http(endpoint.starts_with("http://"))
            .with_endpoint(endpoint);
    }
    if let Some(region) = named.region {
        builder = builder.with_region(region);
    }
    if let Some(id) = named.access_key_id {
        builder = builder.with_access_key_id(id);
    }
    if let Some(secret) = named.secret_access_key {
        builder = builder.with_secret_access_key(secret);
    }
    builder.build()
}

/// Logs what is wrong with the store, which callers learn nothing of but that it is away.
fn broken(cause: object_store::Error) -> Error {
    match cause {
        gone @ object_store::Error::NotFound { .. } => Error::internal(gone),
        error => {
            error!(error = %error, "the object store failed");
            Error::Unavailable
        }
    }
}

fn late(doing: &str) -> Error {
    error!(doing, "the object store did not answer in time");
    Error::Unavailable
}
