//! Reaching the database, and saying why it cannot be reached: where it was looked for, and what came back.

use std::fmt;
use std::io::ErrorKind;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Error};
use tokio::time::timeout;
use tracing::warn;

/// How long it is waited for a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may lie unused before it is asked whether it is alive.
const RESTED: Duration = Duration::from_secs(1);
/// How long it is looked what is wrong, while somebody waits who gets nothing anyway.
const GLANCE: Duration = Duration::from_secs(1);
/// How often it is said at most.
const BETWEEN: Duration = Duration::from_secs(10);

/// Why the database cannot be reached. The sentence has no user's name and no password.
#[derive(Debug)]
pub struct Unreachable {
    place: String,
    cause: Error,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, cause } = self;
        write!(f, "the database at {place} cannot be reached: ")?;
        match cause {
            // What the server says, without what the client says around it.
            Error::Database(refusal) => f.write_str(refusal.message()),
            Error::Io(fault) => fault.fmt(f),
            Error::PoolTimedOut => write!(f, "no answer for {} s", PATIENCE.as_secs()),
            other => other.fmt(f),
        }
    }
}

impl Unreachable {
    pub(super) fn new(options: &PgConnectOptions, cause: Error) -> Self {
        let (host, port) = (options.get_host(), options.get_port());
        let place = match options.get_socket() {
            Some(folder) => format!("{} (port {port})", folder.display()),
            None => format!("{host}:{port}"),
        };
        Self { place, cause }
    }
}

/// Opens a pool. One plain connection comes first: the pool itself forgets what kept it from connecting.
///
/// A database that may just be starting is waited for.
pub(super) async fn open_pool(
    options: &PgConnectOptions,
    max_connections: u32,
) -> Result<PgPool, Unreachable> {
    let seen = match connect_once(options).await {
        Ok(()) => None,
        Err(cause) if is_passing(&cause) => {
            let seen = Unreachable::new(options, cause);
            warn!(error = %seen, "trying again for {} s", PATIENCE.as_secs());
            Some(seen)
        }
        Err(cause) => return Err(Unreachable::new(options, cause)),
    };
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(PATIENCE)
        // Asking each time whether a connection is alive would cost a round trip; those that were in use a moment ago
        // most likely are.
        .test_before_acquire(false)
        .before_acquire(|conn, used| {
            Box::pin(async move {
                if used.idle_for > RESTED {
                    conn.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options.clone())
        .await
        .map_err(|error| match (error, seen) {
            (Error::PoolTimedOut, Some(seen)) => seen,
            (error, _) => Unreachable::new(options, error),
        })
}

/// Makes a connection and closes it again.
pub(super) async fn connect_once(options: &PgConnectOptions) -> sqlx::Result<()> {
    let connecting = timeout(PATIENCE, PgConnection::connect_with(options));
    let connection = connecting.await.map_err(|_| Error::PoolTimedOut)??;
    connection.close().await
}

/// Says why visitors get no connection, to whoever reads the log: they learn only that it took too long. Once in a while,
/// because when one gets none many do.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    last: Mutex<Option<Instant>>,
}

impl Lookout {
    pub async fn tell(&self, options: &PgConnectOptions) {
        if !self.is_time() {
            return;
        }
        match timeout(GLANCE, connect_once(options)).await {
            Ok(Ok(())) => warn!(
                "no connection to the database became free for {} s (database.max_connections); requests are refused",
                PATIENCE.as_secs()
            ),
            Ok(Err(cause)) => {
                let why = Unreachable::new(options, cause);
                warn!(error = %why, "requests are refused");
            }
            Err(_) => {
                let why = Unreachable::new(options, Error::PoolTimedOut);
                warn!(error = %why, "requests are refused");
            }
        }
    }

    fn is_time(&self) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = last.is_none_or(|told| told.elapsed() >= BETWEEN);
        if is_time {
            *last = Some(Instant::now());
        }
        is_time
    }
}

/// Whether it may be over in a moment, because a server is starting or was full.
fn is_passing(error: &Error) -> bool {
    match error {
        Error::Io(fault) => fault.kind() == ErrorKind::ConnectionRefused,
        Error::Database(refusal) => refusal.is_transient_in_connect_phase(),
        _ => false,
    }
}
