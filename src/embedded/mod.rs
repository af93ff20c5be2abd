//! The private PostgreSQL cluster: what Convoke uses when no `CONVOKE_DATABASE_URL` is set.
//!
//! # Promise
//! One call gives a ready database in the data directory, created at the first start, reachable through a socket that
//! nobody else may use, as durable as PostgreSQL's defaults. At most one Convoke has it at a time. Whatever was killed
//! before, at any moment, the next start brings it back: a half-made cluster is made again, a server that outlived its
//! Convoke is taken over, one that was killed recovers.
//!
//! # What is in the data directory
//! `postgres/` is the cluster, an ordinary one that every tool of PostgreSQL's understands. `postgres.log` is the
//! server's log, `postgres.log.old` the one before. `postgres.lock` is locked by the Convoke that runs;
//! `postgres.init-…` is a cluster in the making.
//!
//! # Why a real server
//! There is no second dialect of SQL: what a laptop runs is what production runs. The server is the one that is
//! installed on the machine, because its maintainers know better than we do when it needs an update.
//!
//! # Why not a crate for it
//! Those we know download a server, or drive `pg_ctl` as the user they run as. What costs effort here is what they
//! leave out: creation that survives a kill, taking over an orphan, a server started by root but not run as root.

mod binaries;
mod errors;
mod home;
mod postmaster;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};

pub use errors::Error;

use binaries::Binaries;
use home::Home;
use postmaster::Postmaster;

/// The oldest major version of PostgreSQL that Convoke runs on.
const OLDEST: u32 = 14;

/// The database role that owns everything. It is not a user of the operating system.
const USER: &str = "convoke";

/// The database that Convoke uses.
const DATABASE: &str = "convoke";

/// What there is to decide about the private cluster.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Convoke's data directory; the cluster is `postgres` in it. Created if missing.
    pub data_dir: PathBuf,
    /// The directory of `initdb` and `postgres`. Without it they are looked for.
    pub bin_dir: Option<PathBuf>,
    /// How many connections the server accepts. A server that is taken over keeps the number it was started with.
    pub max_connections: u16,
}

/// Whether there is a cluster in this data directory, running or not. What cannot be looked into counts as one: whoever
/// starts it learns why.
#[must_use]
pub fn is_made(data_dir: &Path) -> bool {
    data_dir
        .join("postgres/PG_VERSION")
        .try_exists()
        .unwrap_or(true)
}

/// A running private cluster, held by this process.
///
/// Dropped without [`Cluster::stop`], it tells the server to shut down but does not wait for it. A start right after
/// that waits for the shutdown and then launches it again.
#[derive(Debug)]
pub struct Cluster {
    // First, so that the server is told to stop before others may take the data directory.
    postmaster: Postmaster,
    home: Home,
}

impl Cluster {
    /// Brings the cluster up: creates it if there is none, takes it over if it runs, and else launches it.
    ///
    /// Returns when the database `convoke` accepts connections. A start that is abandoned half-way leaves nothing
    /// behind that the next one could not handle.
    pub async fn start(settings: &Settings) -> Result<Self, Error> {
        let home = Home::claim(&settings.data_dir)?;
        home.remove_unfinished()?;
        let postmaster = match Postmaster::adopt(&home).await? {
            Some(running) => running,
            None => {
                let binaries = Binaries::find(settings.bin_dir.as_deref(), &home).await?;
                if home.version()?.is_none() {
                    binaries.initdb(&home).await?;
                }
                Postmaster::launch(&home, &binaries, settings).await?
            }
        };
        let cluster = Self { postmaster, home };
        cluster.create_database().await.map_err(Error::Database)?;
        Ok(cluster)
    }

    /// Returns how to connect to the cluster that another process runs in this data directory, if one answers: for verbs
    /// beside a server.
    pub async fn running(settings: &Settings) -> Option<PgConnectOptions> {
        let options = Home::visit(&settings.data_dir).ok()?.database(DATABASE);
        let answer =
            tokio::time::timeout(Duration::from_secs(2), PgConnection::connect_with(&options));
        answer.await.ok()?.ok()?.close().await.ok()?;
        Some(options)
    }

    /// Returns how to connect: through the socket, as the role that owns everything.
    pub fn connect_options(&self) -> PgConnectOptions {
        self.home.connect_options().database(DATABASE)
    }

    /// Returns the process id of the server.
    pub fn postmaster_pid(&self) -> u32 {
        self.postmaster.pid()
    }

    /// Returns when the server has ended, though nobody stopped it: somebody killed it, or the system ran out of memory.
    ///
    /// A process of it that is killed is none of our business: the server then recovers by itself. When all of it is
    /// gone, only a new start brings it back.
    pub async fn ended(&self) {
        self.postmaster.ended(Duration::from_secs(1)).await;
    }

    /// Shuts the server down, waits for its end, and releases the data directory.
    ///
    /// Open connections are closed by the server. Takes at most 30 s.
    pub async fn stop(self) -> Result<(), Error> {
        let Self { postmaster, home } = self;
        postmaster.stop().await?;
        if home.sockets != home.cluster {
            // Only tidiness: the next start makes it again or uses what is there.
            std::fs::remove_dir(&home.sockets).ok();
        }
        Ok(())
    }

    /// Creates the database unless it is there.
    async fn create_database(&self) -> Result<(), sqlx::Error> {
        let mut connection = PgConnection::connect_with(&self.home.connect_options()).await?;
        let exists: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
                .bind(DATABASE)
                .fetch_one(&mut connection)
                .await?;
        if !exists {
            sqlx::query("CREATE DATABASE convoke")
                .execute(&mut connection)
                .await?;
        }
        connection.close().await
    }
}
