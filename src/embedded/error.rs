//! What can be wrong with a private cluster.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why there is no private cluster, in words an operator can act on.
#[derive(Debug)]
#[expect(missing_docs, reason = "the sentences below say it all")]
pub enum Error {
    NoBinaries {
        looked_in: Vec<PathBuf>,
    },
    WrongVersion {
        cluster: u32,
        found: Vec<u32>,
    },
    TooOld {
        found: u32,
    },
    Held {
        data_dir: PathBuf,
    },
    NotOwned {
        path: PathBuf,
    },
    NoPostgresUser,
    NotReachable {
        path: PathBuf,
    },
    Io {
        path: PathBuf,
        cause: io::Error,
    },
    Failed {
        program: &'static str,
        output: String,
    },
    NotReady {
        log: String,
    },
    Query(sqlx::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBinaries { looked_in } => write!(
                f,
                "PostgreSQL's server programs (initdb, postgres) were not found in {looked_in:?}; install the package \
                 `postgresql` (apt-get install postgresql), set CONVOKE_DATABASE_BIN_DIR, or use a database of your own \
                 with CONVOKE_DATABASE_URL"
            ),
            Self::WrongVersion { cluster, found } => write!(
                f,
                "the data directory was made by PostgreSQL {cluster}, but only versions {found:?} are installed; install \
                 PostgreSQL {cluster} beside them, or move the data with pg_upgrade"
            ),
            Self::TooOld { found } => write!(f, "PostgreSQL {found} is installed; 14 or newer is needed"),
            Self::Held { data_dir } => {
                write!(f, "another Convoke uses the data directory {}", data_dir.display())
            }
            Self::NotOwned { path } => write!(
                f,
                "{} belongs to another user; run as that user, or choose another CONVOKE_DATA_DIR",
                path.display()
            ),
            Self::NoPostgresUser => f.write_str(
                "PostgreSQL refuses to run as root, and there is no user `postgres` to run it as; install the package \
                 `postgresql`, or run Convoke as an ordinary user",
            ),
            Self::NotReachable { path } => write!(
                f,
                "the user `postgres`, as whom the database runs, may not pass through {}; choose a CONVOKE_DATA_DIR \
                 elsewhere (/var/lib/convoke, say), or run Convoke as an ordinary user",
                path.display()
            ),
            Self::Io { path, cause } => write!(f, "{}: {cause}", path.display()),
            Self::Failed { program, output } => write!(f, "{program} failed: {output}"),
            Self::NotReady { log } => write!(f, "the embedded database did not start; its log ends with: {log}"),
            Self::Query(cause) => write!(f, "the embedded database refused: {cause}"),
        }
    }
}

impl std::error::Error for Error {}
