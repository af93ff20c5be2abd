//! SQL, in words: one file per family of tables, one function per statement.
//!
//! Functions take a connection, so that they work inside a transaction and outside. They answer what is there; whether
//! an absence is a refusal is decided by operations. Rows are locked in one order: conversation, participant, message,
//! service, role, user, binding; two of a kind by SID.
//!
//! # Why no checked macros
//! `sqlx::query!` would need a database or recorded data at every build and cannot share column lists. Instead a
//! statement that no test has executed does not exist: every function here is reached through the public API by a test
//! on a real, migrated Postgres.

pub mod accounts;
pub mod address_configurations;
pub mod addresses;
pub mod bindings;
pub mod contents;
pub mod conversations;
pub mod credentials;
pub mod events;
pub mod handsets;
pub mod idempotency;
pub mod jobs;
pub mod keys;
pub mod media;
pub mod memberships;
pub mod messages;
pub mod messaging_services;
pub mod participants;
pub mod phone_numbers;
pub mod plain_messages;
pub mod presences;
mod reaching;
pub mod receipts;
pub mod roles;
pub mod secret_key_checks;
pub mod senders;
pub mod services;
pub mod users;
pub mod webhooks;

use std::sync::Arc;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _, PgPool, Postgres, QueryBuilder};
use tracing::warn;

use crate::domain::{Error, PageRequest, Search, Sid};

pub use crate::domain::pages::{MomentKey, Order};
use reaching::Lookout;
pub use reaching::Unreachable;

/// A transaction.
pub type Tx = sqlx::Transaction<'static, sqlx::Postgres>;

/// Every step of the schema.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// The oldest Postgres that is supported.
const OLDEST_POSTGRES: i32 = 140_000;

/// The database: a pool for short visits, and the way to connections of one's own.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    options: PgConnectOptions,
    lookout: Arc<Lookout>,
}

/// Why the database cannot be used.
#[derive(Debug)]
pub enum OpenError {
    /// It cannot be reached.
    Unreachable(Unreachable),
    /// It is older than 14; its own version number is told.
    TooOld(i32),
    /// Its schema has steps that this program does not know: a newer version has been here.
    SchemaNewer(i64),
    /// A step of the schema failed.
    Migration(MigrateError),
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(why) => why.fmt(f),
            Self::TooOld(version) => {
                write!(
                    f,
                    "the database is PostgreSQL {}; 14 or newer is needed",
                    version / 10_000
                )
            }
            Self::SchemaNewer(step) => write!(
                f,
                "the database's schema has step {step}, which this version of Convoke does not know: \
                 run the newer version that made it"
            ),
            Self::Migration(_) => {
                f.write_str("the database's schema could not be brought up to date")
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Migration(cause) => Some(cause),
            // Said whole already.
            Self::Unreachable(_) | Self::TooOld(_) | Self::SchemaNewer(_) => None,
        }
    }
}

impl Store {
    /// Opens a database with at most `max_connections` for short visits.
    ///
    /// # Errors
    /// [`OpenError::Unreachable`], [`OpenError::TooOld`].
    pub async fn open(options: PgConnectOptions, max_connections: u32) -> Result<Self, OpenError> {
        let options = options.log_statements(tracing::log::LevelFilter::Trace);
        let pool = reaching::open_pool(&options, max_connections)
            .await
            .map_err(OpenError::Unreachable)?;
        let version: i32 = sqlx::query_scalar("select current_setting('server_version_num')::int")
            .fetch_one(&pool)
            .await
            .map_err(|error| OpenError::Unreachable(Unreachable::new(&options, error)))?;
        if version < OLDEST_POSTGRES {
            return Err(OpenError::TooOld(version));
        }
        Ok(Self {
            pool,
            options,
            lookout: Arc::default(),
        })
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// [`OpenError::SchemaNewer`] when a newer program has been here, [`OpenError::Migration`].
    pub async fn migrate(&self) -> Result<(), OpenError> {
        MIGRATIONS
            .run(&self.pool)
            .await
            .map_err(|error| match error {
                MigrateError::VersionMissing(step) => OpenError::SchemaNewer(step),
                other => OpenError::Migration(other),
            })
    }

    /// Borrows a connection for a short visit.
    ///
    /// # Errors
    /// When none becomes free in time or the database is away.
    pub async fn visit(&self) -> sqlx::Result<sqlx::pool::PoolConnection<sqlx::Postgres>> {
        self.told(self.pool.acquire().await).await
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// As [`Store::visit`].
    pub async fn begin(&self) -> sqlx::Result<Tx> {
        self.told(self.pool.begin().await).await
    }

    /// Has the log say why there was no connection, if there was none.
    async fn told<T>(&self, got: sqlx::Result<T>) -> sqlx::Result<T> {
        if let Err(sqlx::Error::PoolTimedOut) = got {
            self.lookout.tell(&self.options).await;
        }
        got
    }

    /// Makes a connection of the caller's own, outside the pool.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn connect(&self) -> sqlx::Result<PgConnection> {
        PgConnection::connect_with(&self.options).await
    }

    /// Closes the pool; borrowed connections are waited for.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Asks for nothing but an answer, from a table of ours.
///
/// # Errors
/// As the database.
pub async fn ping(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("select from accounts limit 1")
        .execute(conn)
        .await?;
    Ok(())
}

impl From<sqlx::Error> for Error {
    /// The one blanket conversion: what a caller could cause is mapped before it gets here. (When a commit fails, nobody
    /// knows what was changed: that is no matter of this.)
    fn from(error: sqlx::Error) -> Self {
        if is_away(&error) {
            // Why a visitor waited in vain is told where that was.
            if !matches!(error, sqlx::Error::PoolTimedOut) {
                warn!(%error, "the database is away");
            }
            return Self::Unavailable;
        }
        Self::Internal(Box::new(error))
    }
}

/// Whether a statement failed because there was no database to run it, or none any more: what it belongs to was not
/// committed.
fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Io(_)
        | sqlx::Error::WorkerCrashed => true,
        // It shuts down, was killed or starts up; it has too many clients; the connection is broken (PostgreSQL,
        // appendix A).
        sqlx::Error::Database(fault) => fault.code().is_some_and(|code| {
            matches!(&*code, "57P01" | "57P02" | "57P03" | "53300") || code.starts_with("08")
        }),
        _ => false,
    }
}

/// Turns the violation of one constraint into a refusal.
pub trait OnConstraint<T> {
    /// The refusal, if the statement violated the constraint of this name.
    ///
    /// # Errors
    /// `refusal()`, or [`Error::Internal`] for any other fault.
    fn on_constraint(self, name: &str, refusal: impl FnOnce() -> Error) -> Result<T, Error>;
}

impl<T> OnConstraint<T> for sqlx::Result<T> {
    fn on_constraint(self, name: &str, refusal: impl FnOnce() -> Error) -> Result<T, Error> {
        self.map_err(|error| match &error {
            sqlx::Error::Database(fault) if fault.constraint() == Some(name) => refusal(),
            _ => error.into(),
        })
    }
}

/// A search that finds no more than this has its page cut from all that it finds; one that finds more walks the list,
/// where it soon meets some.
const MOST_GATHERED: usize = 1000;

/// What has all the words of a search, in any service, by a statement that takes the words and how many to find; none
/// when it is much.
async fn gather<K>(
    conn: &mut PgConnection,
    statement: &'static str,
    search: &Search,
) -> sqlx::Result<Option<Vec<Sid<K>>>> {
    let found: Vec<Sid<K>> = sqlx::query_scalar(statement)
        .bind(search.as_str())
        .bind(MOST_GATHERED as i64 + 1)
        .fetch_all(conn)
        .await?;
    Ok((found.len() <= MOST_GATHERED).then_some(found))
}

/// Ends a query on a list with a page of it: the rows behind the cursor, in its direction, one more than fit.
///
/// `keys` are the columns of the list's order, of which an index has both at its end.
fn push_page(
    query: &mut QueryBuilder<Postgres>,
    keys: [&'static str; 2],
    order: Order,
    asked: &PageRequest<MomentKey>,
) {
    let [moment, sid] = keys;
    let direction = direction(order, asked);
    if let Some(from) = &asked.from {
        let compare = if direction == "desc" { "<" } else { ">" };
        query.push(format_args!(" and ({moment}, {sid}) {compare} ("));
        query
            .push_bind(from.edge.0)
            .push(", ")
            .push_bind(from.edge.1)
            .push(")");
    }
    query.push(format_args!(
        " order by {moment} {direction}, {sid} {direction} limit "
    ));
    query.push_bind(asked.size.limit());
}

/// Which way rows are read for a page of a list in this order.
fn direction<K>(order: Order, asked: &PageRequest<K>) -> &'static str {
    if (order == Order::Descending) == asked.backwards() {
        "asc"
    } else {
        "desc"
    }
}
