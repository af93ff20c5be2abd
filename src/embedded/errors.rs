//! Why the private cluster could not be had. Every sentence is meant for an operator: what is wrong, where, and what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Every way starting or stopping the private cluster can end other than well.
#[derive(Debug)]
pub enum Error {
    /// Another Convoke runs on this data directory.
    Held(PathBuf),
    /// No server binaries that would do.
    NoServer {
        /// The directories that were considered.
        looked_in: Vec<PathBuf>,
    },
    /// The cluster was made by a major version that is not installed.
    WrongVersion {
        /// The directory of the cluster.
        cluster: PathBuf,
        /// The major version that made it.
        needs: u32,
        /// The major versions that were found.
        found: Vec<u32>,
    },
    /// Convoke runs as root, and there is no user `postgres` to run the server as.
    NoUser,
    /// A directory belongs to somebody who is neither this user nor able to run the server.
    NotOurs {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        owner: String,
    },
    /// The user that runs the server cannot get to the data directory.
    OutOfReach {
        /// The data directory.
        data_dir: PathBuf,
        /// The directory on the way there that is closed.
        closed: PathBuf,
        /// The user that runs the server.
        user: String,
    },
    /// There are files where the cluster should be, but they are no cluster.
    NotACluster(PathBuf),
    /// The directory for the socket exists and is not private.
    SocketDirectory(PathBuf),
    /// A server runs on the cluster, but not in a way in which it could be used.
    Unreachable {
        /// The directory of the cluster.
        cluster: PathBuf,
        /// The process, as `postmaster.pid` names it.
        pid: u32,
    },
    /// `initdb` failed.
    Initdb {
        /// The end of what it said.
        said: String,
    },
    /// The server ended before it was ready.
    Exited {
        /// The end of what it wrote to its log.
        said: String,
    },
    /// The server was not ready in time.
    Slow {
        /// How long it was given.
        limit: Duration,
        /// Where it writes what it does.
        log: PathBuf,
    },
    /// The server did not end in time.
    StillRunning {
        /// The process.
        pid: u32,
    },
    /// Something about a file, a directory or a program failed.
    Io {
        /// What was attempted, as a verb.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The server runs, but its database could not be opened or created.
    Database(sqlx::Error),
}

impl Error {
    /// Returns what turns an `io::Error` into this type, for `map_err`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}

/// The way out that every complaint about a missing or unsuitable server ends with.
const ELSEWHERE: &str = "or set CONVOKE_DATABASE_URL to use a database that runs elsewhere";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(data_dir) => write!(
                f,
                "another Convoke is running on the data directory {}: stop it first, or choose another CONVOKE_DATA_DIR",
                data_dir.display()
            ),
            Self::NoServer { looked_in } => write!(
                f,
                "no PostgreSQL server (initdb and postgres, version {} or newer) was found in {}: \
                 install one (on Debian: apt-get install postgresql), {ELSEWHERE}",
                super::OLDEST,
                list(looked_in.iter().map(|dir| dir.display())),
            ),
            Self::WrongVersion {
                cluster,
                needs,
                found,
            } => write!(
                f,
                "the database in {} was made by PostgreSQL {needs}, but only PostgreSQL {} was found: install that \
                 version beside it (on Debian: apt-get install postgresql-{needs}), move the data with pg_upgrade, {ELSEWHERE}",
                cluster.display(),
                list(found),
            ),
            Self::NoUser => write!(
                f,
                "PostgreSQL refuses to run as root, and there is no user named postgres to run it as: create one (the \
                 Debian package postgresql does), run Convoke as an ordinary user, {ELSEWHERE}"
            ),
            Self::NotOurs { path, owner } if owner == "root" => write!(
                f,
                "{} belongs to root, as whom PostgreSQL refuses to run: hand it over, for example with chown -R postgres",
                path.display()
            ),
            Self::NotOurs { path, owner } => write!(
                f,
                "{} belongs to the user {owner}: run Convoke as that user, or choose another CONVOKE_DATA_DIR",
                path.display()
            ),
            Self::OutOfReach {
                data_dir,
                closed,
                user,
            } => write!(
                f,
                "the user {user}, who runs PostgreSQL because Convoke runs as root, cannot get to {} because {} is closed to \
                 others: choose a CONVOKE_DATA_DIR elsewhere (for example /var/lib/convoke), or allow passage with chmod o+x",
                data_dir.display(),
                closed.display()
            ),
            Self::NotACluster(path) => write!(
                f,
                "{} holds files that are not a PostgreSQL database: move them away, or choose another CONVOKE_DATA_DIR",
                path.display()
            ),
            Self::SocketDirectory(path) => write!(
                f,
                "{} should be a private directory for the database's socket, but it belongs to somebody else or is open \
                 to others: remove it, or choose a shorter CONVOKE_DATA_DIR that does not need it",
                path.display()
            ),
            Self::Unreachable { cluster, pid } => write!(
                f,
                "process {pid} seems to be a PostgreSQL server that runs on {cluster} but does not answer at Convoke's socket: \
                 stop it (kill -INT {pid}), or, if it is something else, remove {cluster}/postmaster.pid",
                cluster = cluster.display()
            ),
            Self::Initdb { said } => write!(f, "initdb could not create the database: {said}"),
            Self::Exited { said } => write!(
                f,
                "PostgreSQL ended before it was ready; its log says: {said}"
            ),
            Self::Slow { limit, log } => write!(
                f,
                "PostgreSQL was not ready after {} s: {} tells what it was doing",
                limit.as_secs(),
                log.display()
            ),
            Self::StillRunning { pid } => {
                write!(
                    f,
                    "PostgreSQL (process {pid}) did not stop in time and may still be running"
                )
            }
            Self::Io {
                doing,
                path,
                source,
            } => write!(f, "cannot {doing} {}: {source}", path.display()),
            Self::Database(source) => write!(f, "the embedded database cannot be opened: {source}"),
        }
    }
}

impl std::error::Error for Error {}

/// Prints `a, b, c`.
fn list(items: impl IntoIterator<Item = impl fmt::Display>) -> String {
    items
        .into_iter()
        .map(|item| item.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
