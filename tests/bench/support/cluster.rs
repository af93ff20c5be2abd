//! A private PostgreSQL with its durability at the defaults, and a release server on it.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The account of the server under test.
pub const ACCOUNT_SID: &str = "AC00000000000000000000000000000001";
/// Its auth token.
pub const AUTH_TOKEN: &str = "bench0auth0token0bench0auth0token";
/// Its API key.
pub const API_KEY_SID: &str = "SK00000000000000000000000000000002";
/// The API key's secret.
pub const API_KEY_SECRET: &str = "bench0key0secret0bench0key0secret";

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A running PostgreSQL; stopped by its process when dropped.
pub struct Postgres {
    child: Child,
    bin: PathBuf,
    pub folder: TempDir,
    /// Its port on the loopback interface, for programs that know no Unix sockets; it is in the socket's name too.
    pub port: u16,
}

fn bin() -> Result<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")?
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("pgbench").exists() && bin.join("postgres").exists())
        .collect();
    found.sort();
    found
        .pop()
        .ok_or_else(|| "no PostgreSQL with pgbench below /usr/lib/postgresql".into())
}

/// Has a program run as its package's user where this is root; answers the user's ids then.
///
/// PostgreSQL refuses to run as root, and others had better not.
pub fn as_user(command: &mut Command, name: &str) -> Result<Option<(u32, u32)>> {
    command.current_dir("/");
    if !nix::unistd::Uid::effective().is_root() {
        return Ok(None);
    }
    let user =
        nix::unistd::User::from_name(name)?.ok_or_else(|| format!("there is no user {name}"))?;
    let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
    command.uid(uid).gid(gid);
    Ok(Some((uid, gid)))
}

impl Postgres {
    pub fn start() -> Result<Self> {
        let (bin, folder) = (
            bin()?,
            tempfile::Builder::new()
                .prefix("convoke-bench-")
                .tempdir()?,
        );
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))?;
        let home = folder.path().join("pg");
        fs::create_dir(&home)?;
        let mut initdb = Command::new(bin.join("initdb"));
        if let Some((uid, gid)) = as_user(&mut initdb, "postgres")? {
            chown(&home, Some(uid), Some(gid))?;
        }
        initdb.arg("-D").arg(home.join("data")).args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
        ]);
        let made = initdb.stdout(Stdio::null()).output()?;
        if !made.status.success() {
            return Err(String::from_utf8_lossy(&made.stderr).into());
        }
        let port = free_port()?;
        let mut postgres = Command::new(bin.join("postgres"));
        as_user(&mut postgres, "postgres")?;
        let log = fs::File::create(folder.path().join("pg.log"))?;
        let child = postgres
            .arg("-D")
            .arg(home.join("data"))
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-p",
                &port.to_string(),
                "-c",
                "max_connections=200",
                "-c",
                "shared_buffers=256MB",
            ])
            .args(["-c", "max_wal_size=4GB", "-c", "checkpoint_timeout=30min"])
            .arg("-c")
            .arg(format!("unix_socket_directories={}", home.display()))
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let postgres = Self {
            child,
            bin,
            folder,
            port,
        };
        wait("PostgreSQL answers", || {
            Ok(postgres.sql("postgres", "select 1").is_ok())
        })?;
        for database in ["convoke", "bench"] {
            postgres.sql("postgres", &format!("create database {database}"))?;
        }
        Ok(postgres)
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("pg")
    }

    /// One of PostgreSQL's programs, pointed at this cluster.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command
            .arg("-h")
            .arg(self.socket())
            .arg("-p")
            .arg(self.port.to_string())
            .args(["-U", "postgres"])
            .current_dir("/");
        command
    }

    /// Runs statements; answers what they print, without decoration.
    pub fn sql(&self, database: &str, statements: &str) -> Result<String> {
        let output = self
            .program("psql")
            .args([
                "-XAtq",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                database,
                "-c",
                statements,
            ])
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        stop(&mut self.child, nix::sys::signal::Signal::SIGINT);
    }
}

/// A running release server; stopped by its process when dropped.
pub struct Server {
    child: Child,
    pub address: String,
    pub ready_after: Duration,
}

impl Server {
    /// Starts a server in `data_dir`: on a database, or with its embedded one.
    pub fn start(data_dir: &Path, database: Option<&Postgres>) -> Result<Self> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let mut command = Command::new(env!("CARGO_BIN_EXE_convoke"));
        command
            .arg("serve")
            .env("CONVOKE_LISTEN", &address)
            .env("CONVOKE_DATA_DIR", data_dir)
            .env("CONVOKE_SECRET_KEY", "a key for the benchmark")
            .env("CONVOKE_LOG_LEVEL", "warn")
            // Clients that wait for their turn do not read, so they answer no pings.
            .env("CONVOKE_GATEWAY_PING_SECONDS", "3600")
            .env("CONVOKE_ACCOUNT_SID", ACCOUNT_SID)
            .env("CONVOKE_AUTH_TOKEN", AUTH_TOKEN)
            .env("CONVOKE_API_KEY_SID", API_KEY_SID)
            .env("CONVOKE_API_KEY_SECRET", API_KEY_SECRET)
            .stdout(Stdio::null());
        if let Some(database) = database {
            let socket = database.socket().display().to_string().replace('/', "%2F");
            command.env(
                "CONVOKE_DATABASE_URL",
                format!(
                    "postgres://postgres@localhost:{}/convoke?host={socket}",
                    database.port
                ),
            );
        }
        let begun = Instant::now();
        let mut server = Self {
            child: command.spawn()?,
            address,
            ready_after: Duration::ZERO,
        };
        wait("the server is ready", || {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("the server ended: {status}").into());
            }
            Ok(is_ready(&server.address))
        })?;
        server.ready_after = begun.elapsed();
        Ok(server)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        stop(&mut self.child, nix::sys::signal::Signal::SIGTERM);
    }
}

fn is_ready(address: &str) -> bool {
    use std::io::{Read as _, Write as _};
    let ask = || -> io::Result<bool> {
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /readyz HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.0 200") || answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

fn stop(child: &mut Child, signal: nix::sys::signal::Signal) {
    if let Ok(pid) = i32::try_from(child.id()) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal);
    }
    let _ = child.wait();
}

/// A port of the loopback interface that nobody listens on.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port())
}

/// Looks often, and gives up late.
pub fn wait(what: &str, mut there: impl FnMut() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        if there()? {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(format!("waited in vain until {what}").into())
}
