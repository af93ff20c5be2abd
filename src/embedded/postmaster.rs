//! The server process: finding one that already runs, launching one, waiting for it, ending it.
//!
//! # Whom to believe
//! `postmaster.pid` is what PostgreSQL wrote when it last started. After a crash it names a process that is gone, or a
//! stranger that got the number since; in a container, where numbers are low, that is likely. So the file only says
//! whom to look at. The kernel says who that is, and who listens on our socket.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::Settings;
use super::binaries::Binaries;
use super::errors::Error;
use super::home::{Home, SOCKET};

/// How often things are looked at while waiting. A start takes about ten times this.
const GLANCE: Duration = Duration::from_millis(10);

/// How long a start may take. Generous, because after a crash it replays what was not yet in the tables; a server that
/// is not going to make it ends by itself.
const START_LIMIT: Duration = Duration::from_secs(300);

/// How many glances a server that calls itself ready gets to answer (5 s).
const GLANCES_TO_ANSWER: u32 = 500;

/// How often a launch is repeated while processes of a killed server are still leaving (at least 10 s).
const LAUNCHES: u32 = 100;

/// How long a fast shutdown may take, most of which is writing out what is in memory.
const FAST_LIMIT: Duration = Duration::from_secs(20);

/// How long an immediate shutdown may take: PostgreSQL kills what is left of itself after five seconds.
const IMMEDIATE_LIMIT: Duration = Duration::from_secs(10);

/// The log is set aside at the next start when it is larger than this, in bytes.
const LARGE_LOG: u64 = 16 << 20;

/// A running server that is ours to stop.
///
/// Dropped without [`Postmaster::stop`], it is told to shut down but not waited for.
#[derive(Debug)]
pub(super) struct Postmaster {
    pid: Pid,
    cluster: PathBuf,
}

impl Postmaster {
    /// Takes over the server that an earlier Convoke left running, once it is ready. Waits for one that is about to end.
    ///
    /// Returns `None` if no server runs.
    pub async fn adopt(home: &Home) -> Result<Option<Self>, Error> {
        let waiting = async {
            let mut unanswered = 0;
            while let Some(file) =
                PidFile::read(&home.cluster).filter(|file| may_be_server(file.pid, &home.cluster))
            {
                if answers(home, file.pid).await {
                    info!(
                        postgres.pid = file.pid.as_raw(),
                        "taking over the running PostgreSQL"
                    );
                    return Ok(Some(Self {
                        pid: file.pid,
                        cluster: home.cluster.clone(),
                    }));
                }
                unanswered += u32::from(file.ready);
                if unanswered > GLANCES_TO_ANSWER {
                    let pid = file.pid.as_raw().unsigned_abs();
                    return Err(Error::Unreachable {
                        cluster: home.cluster.clone(),
                        pid,
                    });
                }
                sleep(GLANCE).await;
            }
            Ok(None)
        };
        timeout(START_LIMIT, waiting)
            .await
            .unwrap_or_else(|_| Err(slow(home)))
    }

    /// Launches the server and waits until it is ready.
    pub async fn launch(
        home: &Home,
        binaries: &Binaries,
        settings: &Settings,
    ) -> Result<Self, Error> {
        let waiting = async {
            let mut launches = 1;
            loop {
                let (log, before) = open_log(&home.log)?;
                let postmaster = Self::spawn(home, server(home, binaries, settings), log)?;
                if postmaster.becomes_ready(home).await {
                    return Ok(postmaster);
                }
                let said = tail(&home.log, before);
                // When only the postmaster was killed, its children end as soon as they notice. Until then their
                // shared memory keeps PostgreSQL from starting, as it must.
                if !said.contains("pre-existing shared memory block") || launches == LAUNCHES {
                    return Err(home.out_of_reach().unwrap_or(Error::Exited { said }));
                }
                launches += 1;
                sleep(GLANCE * 10).await;
            }
        };
        timeout(START_LIMIT, waiting)
            .await
            .unwrap_or_else(|_| Err(slow(home)))
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// Shuts the server down and waits for its end: fast, and if that takes too long, immediately.
    ///
    /// Nothing committed is lost by either; after the second, the next start has to replay it.
    pub async fn stop(self) -> Result<(), Error> {
        for (signal, limit) in [
            (Signal::SIGINT, FAST_LIMIT),
            (Signal::SIGQUIT, IMMEDIATE_LIMIT),
        ] {
            self.tell(signal);
            if timeout(limit, self.ended(GLANCE)).await.is_ok() {
                return Ok(());
            }
            warn!(postgres.pid = self.pid.as_raw(), %signal, limit_s = limit.as_secs(), "PostgreSQL has not stopped in time");
        }
        Err(Error::StillRunning { pid: self.pid() })
    }

    /// Returns when the server has ended, looking once per `interval`.
    pub async fn ended(&self, interval: Duration) {
        while self.is_running() {
            sleep(interval).await;
        }
    }

    fn spawn(home: &Home, mut command: Command, log: File) -> Result<Self, Error> {
        let errors = log.try_clone().map_err(Error::io("open", &home.log))?;
        let child = command
            .stdout(log)
            .stderr(errors)
            // Ctrl-C in a terminal goes to all of its process group. The server ends when we have finished, not before.
            .process_group(0)
            .spawn()
            .map_err(Error::io("run", Path::new(command.get_program())))?;
        // From here on only the number counts, as for a server that was taken over; `is_running` collects the child.
        Ok(Self {
            pid: Pid::from_raw(child.id().cast_signed()),
            cluster: home.cluster.clone(),
        })
    }

    /// Waits until the server is ready. `false` if it ended instead.
    async fn becomes_ready(&self, home: &Home) -> bool {
        while self.is_running() {
            if answers(home, self.pid).await {
                return true;
            }
            sleep(GLANCE).await;
        }
        false
    }

    fn is_running(&self) -> bool {
        match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(status) => status == WaitStatus::StillAlive,
            // No child of ours, so taken over, or collected before.
            Err(_) => may_be_server(self.pid, &self.cluster),
        }
    }

    fn tell(&self, signal: Signal) {
        // Looking first keeps the signal from a stranger that got the number of a server long gone.
        if self.is_running()
            && let Err(error) = kill(self.pid, signal)
        {
            warn!(postgres.pid = self.pid.as_raw(), %signal, %error, "cannot signal PostgreSQL");
        }
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        self.tell(Signal::SIGINT);
    }
}

/// What `postmaster.pid` says.
struct PidFile {
    pid: Pid,
    ready: bool,
}

impl PidFile {
    fn read(cluster: &Path) -> Option<Self> {
        // Bytes, because one of its lines is the path of the cluster.
        let bytes = fs::read(cluster.join("postmaster.pid")).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        // A server in single-user mode writes its number negated.
        let number: i32 = text.lines().next()?.trim().parse().ok()?;
        let ready = text.lines().next_back()?.trim() == "ready";
        Some(Self {
            pid: Pid::from_raw(number.checked_abs().filter(|pid| *pid > 0)?),
            ready,
        })
    }
}

/// Says whether `pid` is the ready server of this cluster, by talking to it.
async fn answers(home: &Home, pid: Pid) -> bool {
    let ready = || PidFile::read(&home.cluster).is_some_and(|file| file.pid == pid && file.ready);
    if !ready() {
        return false;
    }
    let listener = match UnixStream::connect(home.sockets.join(SOCKET)).await {
        Ok(socket) => socket.peer_cred().ok().and_then(|peer| peer.pid()),
        Err(_) => None,
    };
    if listener != Some(pid.as_raw()) {
        return false;
    }
    let Ok(connection) = PgConnection::connect_with(&home.connect_options()).await else {
        return false;
    };
    connection.close().await.ok();
    // Looked at again: a file from before a crash may name the very number that the new server got, and a server that
    // was just told to stop may not have noticed. Once it has answered, the file is its own and tells the truth.
    ready()
}

/// Says whether `pid` is a live process that may be the server of this cluster.
fn may_be_server(pid: Pid, cluster: &Path) -> bool {
    // A process that we may not signal runs as another user, so it is no server of ours.
    if kill(pid, None).is_err() {
        return false;
    }
    // Without /proc there is nothing more to know; PostgreSQL's own check then has the last word.
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else {
        return true;
    };
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_default()
            .trim()
    };
    if field("State:").starts_with('Z') || !field("Name:").contains("postgres") {
        return false;
    }
    // A server works in its cluster's directory. Root in a container may not be allowed to see where others work.
    match (
        fs::metadata(format!("/proc/{pid}/cwd")),
        fs::metadata(cluster),
    ) {
        (Ok(works_in), Ok(cluster)) => {
            (works_in.dev(), works_in.ino()) == (cluster.dev(), cluster.ino())
        }
        _ => true,
    }
}

/// Makes the command that runs the server.
///
/// What is set here wins over the cluster's files. Everything that decides whether a commit is kept (`fsync`,
/// `synchronous_commit`, `full_page_writes`) has PostgreSQL's default.
fn server(home: &Home, binaries: &Binaries, settings: &Settings) -> Command {
    // A list of names in double quotes, so that a name may contain anything.
    let sockets = format!(
        "\"{}\"",
        home.sockets.display().to_string().replace('"', "\"\"")
    );
    let options = [
        // Reached through the socket only, which nobody but the owner (and root) may use.
        ("listen_addresses", ""),
        ("unix_socket_directories", &sockets),
        ("unix_socket_permissions", "0700"),
        ("port", "5432"),
        ("max_connections", &settings.max_connections.to_string()),
        // Taken from the system only as it fills.
        ("shared_buffers", "256MB"),
        // Every query is short; compiling one takes longer than running it.
        ("jit", "off"),
        // The log is standard error, and English whatever the machine speaks. A failed statement is reported to us, who
        // know what to say of it; its text and its values, which are people's words and numbers, stay out of the log.
        ("logging_collector", "off"),
        ("log_destination", "stderr"),
        ("lc_messages", "C"),
        ("log_min_error_statement", "panic"),
        ("log_error_verbosity", "terse"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        // Tells this server from others in a list of processes.
        ("cluster_name", "convoke"),
    ];
    let mut command = home.command(binaries.postgres());
    command.arg("-D").arg(&home.cluster);
    for (name, value) in options {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    // Whoever the file names is not a server of this cluster: `adopt` looked. PostgreSQL would only see that a process
    // with that number exists, and refuse. This variable is how its own pg_ctl names a process that is not to be taken
    // for a rival; shared memory that is still in use makes it refuse all the same.
    if let Some(stale) = PidFile::read(&home.cluster) {
        command.env("PG_GRANDPARENT_PID", stale.pid.to_string());
    }
    command
}

/// Opens the log for appending, and says how long it is already.
fn open_log(path: &Path) -> Result<(File, u64), Error> {
    if fs::metadata(path).is_ok_and(|log| log.len() > LARGE_LOG) {
        fs::rename(path, path.with_extension("log.old")).map_err(Error::io("set aside", path))?;
    }
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(Error::io("open", path))?;
    let length = log.metadata().map_err(Error::io("open", path))?.len();
    Ok((log, length))
}

/// Returns the last lines that were written to the log since it had the length `from`.
fn tail(path: &Path, from: u64) -> String {
    const LINES: usize = 20;
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut log| {
        log.seek(SeekFrom::Start(from))?;
        log.read_to_end(&mut bytes)
    });
    if let Err(error) = read {
        return format!("(cannot read {}: {error})", path.display());
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

fn slow(home: &Home) -> Error {
    Error::Slow {
        limit: START_LIMIT,
        log: home.log.clone(),
    }
}
