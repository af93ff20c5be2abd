//! Debian's ejabberd, the other server that is compared with: rooms with an archive, in the same PostgreSQL.
//!
//! It runs as the package's own script runs it, but without a name: so it needs neither `epmd` nor a port for other nodes,
//! and all that it listens on is one port of the loopback interface. Everything it writes is in a temporary folder.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::support::cluster::{Postgres, Result, as_user, free_port, wait};

/// What has to be installed.
pub const PACKAGES: &str = "ejabberd erlang-p1-pgsql";
/// The domain that it serves.
pub const HOST: &str = "localhost";

const ERLANG: &str = "/usr/bin/erl";
const ERLANG_LIBRARIES: &str = "/usr/lib/erlang/lib";
const SCHEMA: &str = "/usr/share/ejabberd/sql/pg.sql";
const DATABASE: &str = "ejabberd";

/// The address of a room.
pub fn address_of(room: &str) -> String {
    format!("{room}@conference.{HOST}")
}

/// How many messages the archive of a room holds.
pub fn archived(postgres: &Postgres, room: &str) -> Result<usize> {
    let address = address_of(room);
    let count = format!("select count(*) from archive where username = '{address}'");
    Ok(postgres.sql(DATABASE, &count)?.parse()?)
}

/// The program in a process of its own; stopped when dropped.
pub struct Ejabberd {
    child: Child,
    pub address: String,
    _folder: TempDir,
}

impl Ejabberd {
    /// Starts it on a database of its own; nothing when it is not installed.
    pub fn start(postgres: &Postgres) -> Result<Option<Self>> {
        let Some(libraries) = installed() else {
            return Ok(None);
        };
        postgres.sql("postgres", &format!("create database {DATABASE}"))?;
        postgres.sql(DATABASE, &fs::read_to_string(SCHEMA)?)?;
        let folder = tempfile::Builder::new()
            .prefix("convoke-bench-")
            .tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
        let port = free_port()?;
        let (configuration, log) = (
            folder.path().join("ejabberd.yml"),
            folder.path().join("log"),
        );
        fs::write(&configuration, configured(port, postgres.port))?;
        let mut erlang = Command::new(ERLANG);
        if let Some((uid, gid)) = as_user(&mut erlang, "ejabberd")? {
            chown(folder.path(), Some(uid), Some(gid))?;
        }
        let child = erlang
            .args(["-noinput", "+K", "true", "+P", "250000", "-mnesia", "dir"])
            .arg(format!("\"{}\"", folder.path().join("mnesia").display()))
            .args(["-s", "ejabberd"])
            .env("ERL_LIBS", libraries)
            .env("ERL_MAX_PORTS", "32000")
            .env("ERL_CRASH_DUMP_SECONDS", "0")
            .env("EJABBERD_CONFIG_PATH", &configuration)
            .env("EJABBERD_LOG_PATH", &log)
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut ejabberd = Self {
            child,
            address: format!("127.0.0.1:{port}"),
            _folder: folder,
        };
        wait("ejabberd listens", || {
            if let Some(status) = ejabberd.child.try_wait()? {
                let said = fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("ejabberd ended: {status}\n{said}").into());
            }
            Ok(TcpStream::connect(&ejabberd.address).is_ok())
        })?;
        Ok(Some(ejabberd))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Ejabberd {
    fn drop(&mut self) {
        // What it stored is thrown away, so nothing is gained by a slow farewell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where its libraries are, if all that is needed is there.
fn installed() -> Option<PathBuf> {
    let there = Path::new(ERLANG).exists()
        && Path::new(SCHEMA).exists()
        && has_library(Path::new(ERLANG_LIBRARIES), "p1_pgsql-");
    let mut architectures = fs::read_dir("/usr/lib").ok()?.flatten();
    there
        .then(|| architectures.find(|folder| has_library(&folder.path(), "ejabberd-")))?
        .map(|folder| folder.path())
}

fn has_library(folder: &Path, name: &str) -> bool {
    let found = fs::read_dir(folder).into_iter().flatten().flatten();
    found
        .filter(|library| library.file_name().to_string_lossy().starts_with(name))
        .any(|library| library.path().join("ebin").exists())
}

/// Any name may sign in with any password; rooms archive everything, tell newcomers nothing of it, and tell nobody but
/// moderators who comes and goes; nothing slows anybody down.
fn configured(port: u16, postgres: u16) -> String {
    format!(
        "hosts: [{HOST}]
loglevel: warning
listen:
  - port: {port}
    ip: 127.0.0.1
    module: ejabberd_http
    request_handlers:
      /ws: ejabberd_http_ws
auth_method: anonymous
anonymous_protocol: login_anon
allow_multiple_connections: true
default_db: sql
sql_type: pgsql
sql_server: 127.0.0.1
sql_port: {postgres}
sql_database: {DATABASE}
sql_username: postgres
modules:
  mod_mam: {{}}
  mod_muc:
    history_size: 0
    max_users: 5000
    default_room_options:
      mam: true
      persistent: true
      max_users: 5000
      presence_broadcast: []
"
    )
}
