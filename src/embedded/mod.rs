//! The private PostgreSQL cluster: what a laptop runs is what production runs.
//!
//! Without an external database Convoke keeps a cluster of its own in the data directory. It is reached by a unix socket
//! only, its durability is at PostgreSQL's defaults, it is started and stopped with the server, and it recovers after a
//! crash of either.
//!
//! # Why not a crate
//! The maintained crates for embedding PostgreSQL download binaries and listen on TCP; what is left to do here (find the
//! installed programs, `initdb` once, start, adopt, stop) is this folder.
//!
//! # As root
//! `initdb` and `postgres` refuse to run as root, so the children run as the user `postgres` then, which the Debian
//! package makes, and the cluster's folder is that user's.

mod binaries;
mod error;
mod owner;

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::process::Command;
use tokio::time::{Instant, interval, timeout};
use tracing::{info, warn};

use binaries::Binaries;
pub use error::Error;
use owner::Owner;

/// The database of ours in the cluster.
const DATABASE: &str = "convoke";
/// The user that `initdb` makes, whatever the system user is called.
const USER: &str = "postgres";
/// How long a start may take, recovery after a crash included.
const START_LIMIT: Duration = Duration::from_secs(120);
/// How long a stop may take before it is made an immediate one.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// The longest path of a unix socket, in bytes, with the name that PostgreSQL gives it.
const LONGEST_SOCKET_DIR: usize = 107 - "/.s.PGSQL.5432.lock".len();

/// What a private cluster needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data directory; the cluster lives in `postgres` below it.
    pub data_dir: PathBuf,
    /// Where PostgreSQL's programs are; none to look for them.
    pub bin_dir: Option<PathBuf>,
    /// Connections that the cluster admits.
    pub max_connections: u16,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |cause| Error::Io {
        path: path.to_owned(),
        cause,
    }
}

/// A running private cluster. Dropping it without [`Cluster::stop`] asks PostgreSQL to stop and does not wait.
#[derive(Debug)]
pub struct Cluster {
    options: PgConnectOptions,
    pid: Pid,
    stopped: bool,
    /// Held as long as the cluster is ours.
    _lock: File,
}

/// Where everything lies.
struct Places {
    cluster: PathBuf,
    socket: PathBuf,
    log: PathBuf,
}

impl Cluster {
    /// Starts the cluster of a data directory, which is made if need be. One that still runs, because its Convoke was
    /// killed, is taken over.
    ///
    /// # Errors
    /// [`Error`]; nothing that was started is left running.
    pub async fn start(settings: &Settings) -> Result<Self, Error> {
        let data_dir = settings
            .data_dir
            .canonicalize()
            .map_err(at(&settings.data_dir))?;
        let lock = hold(&data_dir)?;
        let owner = Owner::choose(&data_dir)?;
        let places = places(&data_dir, &owner)?;
        if places.cluster.exists() && !owner.owns(&places.cluster)? {
            return Err(Error::NotOwned {
                path: places.cluster,
            });
        }
        let binaries =
            Binaries::find(settings.bin_dir.as_deref(), version(&places.cluster)?).await?;
        if !places.cluster.exists() {
            initialise(&binaries, &owner, &data_dir, &places).await?;
        }
        let options = options(&places.socket);
        let pid = match adopt(&places, &options).await {
            Some(pid) => {
                info!(
                    postgres.pid = pid.as_raw(),
                    "took over the embedded database, which was still running"
                );
                pid
            }
            None => launch(settings, &binaries, &owner, &places, &options).await?,
        };
        let cluster = Self {
            options: options.clone().database(DATABASE),
            pid,
            stopped: false,
            _lock: lock,
        };
        ensure_database(&options).await?;
        Ok(cluster)
    }

    /// The way into the cluster that runs in a data directory, if one answers: for verbs beside a server.
    pub async fn running(settings: &Settings) -> Option<PgConnectOptions> {
        let data_dir = settings.data_dir.canonicalize().ok()?;
        let options = options(&socket_dir(&data_dir)).database(DATABASE);
        let answer = timeout(Duration::from_secs(2), PgConnection::connect_with(&options)).await;
        answer.ok()?.ok()?.close().await.ok()?;
        Some(options)
    }

    /// The way into the cluster.
    #[must_use]
    pub fn connect_options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// The process of PostgreSQL's postmaster.
    #[must_use]
    pub fn postmaster_pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// Stops the cluster: fast, and immediately if that takes too long (it recovers at the next start).
    ///
    /// # Errors
    /// When it does not stop.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.stopped = true;
        for (signal, limit) in [(Signal::SIGINT, STOP_LIMIT), (Signal::SIGQUIT, STOP_LIMIT)] {
            if kill(self.pid, signal).is_err() || gone(self.pid, limit).await {
                return Ok(());
            }
            warn!(
                postgres.pid = self.pid.as_raw(),
                "the embedded database does not stop; stopping it at once"
            );
        }
        Err(Error::NotReady {
            log: "it did not stop either".to_owned(),
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !self.stopped {
            // It may be gone already, which is what was wanted.
            let _ = kill(self.pid, Signal::SIGINT);
        }
    }
}

/// Takes the data directory for this process, until it ends.
fn hold(data_dir: &Path) -> Result<File, Error> {
    let path = data_dir.join("convoke.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Held {
            data_dir: data_dir.to_owned(),
        }),
        Err(TryLockError::Error(cause)) => Err(at(&path)(cause)),
    }
}

fn socket_dir(data_dir: &Path) -> PathBuf {
    let beside = data_dir.join("socket");
    if beside.as_os_str().len() <= LONGEST_SOCKET_DIR {
        return beside;
    }
    let digest = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
    let name: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    std::env::temp_dir().join(format!("convoke-{name}"))
}

/// Makes the folders that are not the cluster itself. The socket's is closed to others: who gets in is trusted.
fn places(data_dir: &Path, owner: &Owner) -> Result<Places, Error> {
    let (socket, logs) = (socket_dir(data_dir), data_dir.join("log"));
    for folder in [&socket, &logs] {
        match fs::DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => owner.give(folder)?,
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
                let meta = fs::symlink_metadata(folder).map_err(at(folder))?;
                if !meta.is_dir() || !owner.owns(folder)? {
                    return Err(Error::NotOwned {
                        path: folder.clone(),
                    });
                }
                if meta.mode() & 0o077 != 0 {
                    fs::set_permissions(folder, Permissions::from_mode(0o700))
                        .map_err(at(folder))?;
                }
            }
            Err(cause) => return Err(at(folder)(cause)),
        }
    }
    Ok(Places {
        cluster: data_dir.join("postgres"),
        socket,
        log: logs.join("postgres.log"),
    })
}

/// The major version that made a cluster; none when there is no cluster yet.
fn version(cluster: &Path) -> Result<Option<u32>, Error> {
    let path = cluster.join("PG_VERSION");
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound && !cluster.exists() => Ok(None),
        Err(cause) => Err(at(&path)(cause)),
    }
}

/// Makes the cluster beside its place and moves it there when it is whole: a start that is killed in the middle leaves
/// nothing that looks like a cluster.
async fn initialise(
    binaries: &Binaries,
    owner: &Owner,
    data_dir: &Path,
    places: &Places,
) -> Result<(), Error> {
    info!(path = %places.cluster.display(), "making the embedded database");
    let draft = data_dir.join("postgres.new");
    if draft.exists() {
        fs::remove_dir_all(&draft).map_err(at(&draft))?;
    }
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&draft)
        .map_err(at(&draft))?;
    owner.give(&draft)?;
    let mut initdb = Command::new(binaries.initdb());
    initdb
        .args([
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--username",
            USER,
            "--no-instructions",
            "-D",
        ])
        .arg(&draft)
        .stdin(Stdio::null());
    owner.run_as(initdb.as_std_mut());
    let output = initdb.output().await.map_err(at(&binaries.initdb()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Failed {
            program: "initdb",
            output: said,
        });
    }
    fs::rename(&draft, &places.cluster).map_err(at(&places.cluster))
}

fn options(socket: &Path) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(socket)
        .username(USER)
        .database("postgres")
        .disable_statement_logging()
}

/// Takes over a postmaster of this very cluster that still runs.
async fn adopt(places: &Places, options: &PgConnectOptions) -> Option<Pid> {
    let pid = postmaster(&places.cluster)?;
    kill(pid, None).ok()?;
    // A number may have been used again since; only the cluster itself can tell where its data lies.
    let connected = timeout(Duration::from_secs(5), PgConnection::connect_with(options)).await;
    let mut conn = connected.ok()?.ok()?;
    let data: String = sqlx::query_scalar("select current_setting('data_directory')")
        .fetch_one(&mut conn)
        .await
        .ok()?;
    (Path::new(&data).canonicalize().ok()? == places.cluster.canonicalize().ok()?).then_some(pid)
}

/// The process that the cluster's own file names.
fn postmaster(cluster: &Path) -> Option<Pid> {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    text.lines()
        .next()?
        .trim()
        .parse()
        .ok()
        .filter(|pid| *pid > 1)
        .map(Pid::from_raw)
}

/// Starts PostgreSQL and waits until it answers.
async fn launch(
    settings: &Settings,
    binaries: &Binaries,
    owner: &Owner,
    places: &Places,
    options: &PgConnectOptions,
) -> Result<Pid, Error> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(&places.log)
        .map_err(at(&places.log))?;
    let mut postgres = Command::new(binaries.postgres());
    postgres.arg("-D").arg(&places.cluster);
    for setting in [
        "listen_addresses=".to_owned(),
        // A list, whose items are quoted so that they may hold spaces and commas.
        format!(
            "unix_socket_directories=\"{}\"",
            places.socket.display().to_string().replace('"', "\"\"")
        ),
        "unix_socket_permissions=0700".to_owned(),
        format!("max_connections={}", settings.max_connections),
        // A server of its own on a machine that it may not have to itself.
        "shared_buffers=128MB".to_owned(),
        // Fewer and smoother checkpoints: each makes the pages after it be written whole once.
        "max_wal_size=2GB".to_owned(),
        "checkpoint_timeout=15min".to_owned(),
    ] {
        postgres.arg("-c").arg(setting);
    }
    postgres
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(at(&places.log))?)
        .stderr(log);
    owner.run_as(postgres.as_std_mut());
    // The terminal's Ctrl-C goes to a whole group: the database must outlive the server that it serves.
    postgres.as_std_mut().process_group(0);
    let mut child = postgres.spawn().map_err(at(&binaries.postgres()))?;
    let failed = || Error::NotReady {
        log: end_of(&places.log),
    };
    let pid = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .map(Pid::from_raw)
        .ok_or_else(failed)?;
    let deadline = Instant::now() + START_LIMIT;
    let mut tick = interval(Duration::from_millis(20));
    while Instant::now() < deadline {
        tick.tick().await;
        if let Ok(Some(_)) = child.try_wait() {
            return Err(failed());
        }
        if let Ok(conn) = PgConnection::connect_with(options).await {
            // The answer itself is enough.
            let _ = conn.close().await;
            // Reaps the process when it ends; until then there is nobody to wait for it.
            tokio::spawn(async move { child.wait().await });
            return Ok(pid);
        }
    }
    let _ = kill(pid, Signal::SIGQUIT);
    Err(failed())
}

/// The last lines of a log.
fn end_of(log: &Path) -> String {
    let text = fs::read(log)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join(" / ")
}

/// Waits until a process is gone.
async fn gone(pid: Pid, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    let mut tick = interval(Duration::from_millis(10));
    while Instant::now() < deadline {
        tick.tick().await;
        if kill(pid, None).is_err() {
            return true;
        }
    }
    false
}

async fn ensure_database(options: &PgConnectOptions) -> Result<(), Error> {
    let mut conn = PgConnection::connect_with(options)
        .await
        .map_err(Error::Query)?;
    let there: bool =
        sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
            .bind(DATABASE)
            .fetch_one(&mut conn)
            .await
            .map_err(Error::Query)?;
    if !there {
        sqlx::query("create database convoke")
            .execute(&mut conn)
            .await
            .map_err(Error::Query)?;
    }
    conn.close().await.map_err(Error::Query)
}
