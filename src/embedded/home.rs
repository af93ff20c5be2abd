//! Where the cluster lives and whose it is: directories, the lock, the user that runs the children.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Uid, User};
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tracing::warn;

use super::USER;
use super::errors::Error;

/// The socket's name, which PostgreSQL derives from the port. There is no TCP port, so every cluster has the same.
pub(super) const SOCKET: &str = ".s.PGSQL.5432";

/// How the names of clusters in the making begin.
const UNFINISHED: &str = "postgres.init-";

/// The longest path of a socket in bytes: 107 on Linux, 103 on macOS.
const LONGEST_SOCKET: usize = 103;

/// A data directory that this process holds, and what belongs to the cluster in it.
#[derive(Debug)]
pub(super) struct Home {
    /// The data directory, absolute and without symbolic links.
    pub data_dir: PathBuf,
    /// PostgreSQL's own directory in it.
    pub cluster: PathBuf,
    /// What PostgreSQL writes to its standard error.
    pub log: PathBuf,
    /// The directory of the socket.
    pub sockets: PathBuf,
    owner: Owner,
    lock: File,
}

/// The user that owns the cluster and runs its processes.
#[derive(Debug)]
struct Owner {
    uid: Uid,
    gid: Gid,
    /// Whether that is somebody else than this process, which then is root.
    other: bool,
}

impl Home {
    /// Takes the data directory for this process, creating it if need be.
    ///
    /// The lock belongs to the open file, so the kernel releases it whatever way the process ends.
    pub fn claim(data_dir: &Path) -> Result<Self, Error> {
        let me = nix::unistd::geteuid();
        if !data_dir.exists() {
            // Root's children run as somebody else, who must pass through but need not look around.
            let mode = if me.is_root() { 0o711 } else { 0o700 };
            DirBuilder::new()
                .recursive(true)
                .create(data_dir)
                .map_err(Error::io("create", data_dir))?;
            fs::set_permissions(data_dir, fs::Permissions::from_mode(mode))
                .map_err(Error::io("set the mode of", data_dir))?;
        }
        let data_dir = data_dir
            .canonicalize()
            .map_err(Error::io("open", data_dir))?;
        // Root's directories are accepted: that is what mounted volumes look like, and root could do as it likes anyway.
        let found = fs::metadata(&data_dir).map_err(Error::io("open", &data_dir))?;
        let uid = Uid::from_raw(found.uid());
        if !me.is_root() && uid != me && !uid.is_root() {
            return Err(Error::NotOurs {
                path: data_dir,
                owner: name_of(uid),
            });
        }

        let lock_file = data_dir.join("postgres.lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_file)
            .map_err(Error::io("open", &lock_file))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Held(data_dir)),
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &lock_file)(error)),
        }

        let cluster = data_dir.join("postgres");
        let owner = Owner::of(&cluster)?;
        let sockets = owner.socket_directory(&cluster)?;
        let log = data_dir.join("postgres.log");
        Ok(Self {
            data_dir,
            cluster,
            log,
            sockets,
            owner,
            lock,
        })
    }

    /// Returns how to connect to the cluster of a data directory that another process holds.
    pub fn visit(data_dir: &Path) -> Result<PgConnectOptions, Error> {
        let data_dir = data_dir
            .canonicalize()
            .map_err(Error::io("open", data_dir))?;
        let cluster = data_dir.join("postgres");
        let sockets = Owner::of(&cluster)?.socket_directory(&cluster)?;
        Ok(options(&sockets))
    }

    /// Returns the major version that made the cluster, or `None` if there is no cluster yet.
    pub fn version(&self) -> Result<Option<u32>, Error> {
        let file = self.cluster.join("PG_VERSION");
        match fs::read_to_string(&file) {
            Ok(text) => Ok(Some(
                text.trim()
                    .parse()
                    .map_err(|_| Error::NotACluster(self.cluster.clone()))?,
            )),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // An empty directory may be a preparation; the rename that ends the creation replaces it.
                match fs::read_dir(&self.cluster).is_ok_and(|mut entries| entries.next().is_some())
                {
                    true => Err(Error::NotACluster(self.cluster.clone())),
                    false => Ok(None),
                }
            }
            Err(error) => Err(Error::io("read", &file)(error)),
        }
    }

    /// Returns how to connect to the server's maintenance database.
    pub fn connect_options(&self) -> PgConnectOptions {
        options(&self.sockets)
    }

    /// Makes a command that runs as the cluster's owner and sees nothing of our environment that PostgreSQL would heed.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        // The owner might not be allowed to be where we are.
        command
            .current_dir("/")
            .stdin(Stdio::null())
            .env("LC_ALL", "C");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_bytes().starts_with(b"PG"))
        {
            command.env_remove(name);
        }
        if self.owner.other {
            // With the user id the standard library also drops root's supplementary groups.
            command
                .uid(self.owner.uid.as_raw())
                .gid(self.owner.gid.as_raw());
        }
        command
    }

    /// Removes the clusters that were never finished.
    ///
    /// At every start, not only where a cluster is made: an `initdb` that outlived its killed server may have been at
    /// work still when the start that made the cluster removed what it had so far.
    pub fn remove_unfinished(&self) -> Result<(), Error> {
        let entries = fs::read_dir(&self.data_dir).map_err(Error::io("read", &self.data_dir))?;
        let unfinished = |name: OsString| name.as_bytes().starts_with(UNFINISHED.as_bytes());
        for entry in entries
            .flatten()
            .filter(|entry| unfinished(entry.file_name()))
        {
            if let Err(error) = fs::remove_dir_all(entry.path()) {
                warn!(path = %entry.path().display(), %error, "cannot remove what an interrupted initdb left behind");
            }
        }
        Ok(())
    }

    /// Makes an empty directory in which a cluster can be prepared.
    ///
    /// The name is our own, so that an `initdb` which outlived a killed server cannot write into it.
    pub fn fresh_directory(&self) -> Result<PathBuf, Error> {
        let fresh = self
            .data_dir
            .join(format!("{UNFINISHED}{}", std::process::id()));
        DirBuilder::new()
            .mode(0o700)
            .create(&fresh)
            .map_err(Error::io("create", &fresh))?;
        self.owner.take(&fresh)?;
        Ok(fresh)
    }

    /// Returns a better explanation of a child's failure, if the child could not get to the data directory at all.
    ///
    /// Asked only after a failure, because mode bits are not the whole truth: an access control list may allow more.
    pub fn out_of_reach(&self) -> Option<Error> {
        let mut way: Vec<_> = self.data_dir.ancestors().collect();
        way.reverse();
        let closed = way
            .into_iter()
            .find(|dir| self.owner.other && !self.owner.may_pass(dir))?;
        Some(Error::OutOfReach {
            data_dir: self.data_dir.clone(),
            closed: closed.to_owned(),
            user: name_of(self.owner.uid),
        })
    }
}

impl Drop for Home {
    /// Unlocks explicitly: a child that another thread is just starting has a copy of the file until it executes its
    /// program, and merely closing ours would leave the lock with that copy for a moment.
    fn drop(&mut self) {
        if let Err(error) = self.lock.unlock() {
            warn!(%error, "cannot unlock the data directory");
        }
    }
}

impl Owner {
    /// Decides who runs the cluster: whoever owns it, else this user, else (as root) the user `postgres`.
    ///
    /// PostgreSQL insists on owning its directory. Going by the directory also keeps a volume usable when the user
    /// `postgres` has another number in the next image.
    fn of(cluster: &Path) -> Result<Self, Error> {
        let me = nix::unistd::geteuid();
        let found = fs::metadata(cluster).ok();
        let uid = found.as_ref().map(|found| Uid::from_raw(found.uid()));
        match (uid, &found) {
            (Some(uid), _) if !me.is_root() && uid != me => Err(Error::NotOurs {
                path: cluster.to_owned(),
                owner: name_of(uid),
            }),
            _ if !me.is_root() => Ok(Self {
                uid: me,
                gid: nix::unistd::getegid(),
                other: false,
            }),
            (Some(uid), Some(found)) if !uid.is_root() => Ok(Self {
                uid,
                gid: Gid::from_raw(found.gid()),
                other: true,
            }),
            // An empty directory of root's is a mount point or a preparation; a cluster of root's cannot be run.
            (Some(uid), _) if cluster.join("PG_VERSION").exists() => Err(Error::NotOurs {
                path: cluster.to_owned(),
                owner: name_of(uid),
            }),
            _ => {
                let user = User::from_name("postgres")
                    .ok()
                    .flatten()
                    .ok_or(Error::NoUser)?;
                Ok(Self {
                    uid: user.uid,
                    gid: user.gid,
                    other: true,
                })
            }
        }
    }

    /// Makes `path` the owner's.
    fn take(&self, path: &Path) -> Result<(), Error> {
        if self.other {
            chown(path, Some(self.uid.as_raw()), Some(self.gid.as_raw()))
                .map_err(Error::io("change the owner of", path))?;
        }
        Ok(())
    }

    /// Says whether the mode of `dir` lets the owner pass through.
    fn may_pass(&self, dir: &Path) -> bool {
        fs::metadata(dir).is_ok_and(|found| {
            let bit = if found.uid() == self.uid.as_raw() {
                0o100
            } else if found.gid() == self.gid.as_raw() {
                0o010
            } else {
                0o001
            };
            found.mode() & bit != 0
        })
    }

    /// Returns the directory for the socket: the cluster itself, which nobody else may enter, if the path is short
    /// enough for a socket; otherwise a private one with a short name.
    ///
    /// That one is always in `/tmp`, never in `TMPDIR`: the next Convoke must find it whatever its environment, and the
    /// owner must be able to get there.
    fn socket_directory(&self, cluster: &Path) -> Result<PathBuf, Error> {
        // The database client wants UTF-8, so other names go the same way as long ones.
        if cluster
            .to_str()
            .is_some_and(|path| path.len() + 1 + SOCKET.len() <= LONGEST_SOCKET)
        {
            return Ok(cluster.to_owned());
        }
        let digest = Sha256::digest(cluster.as_os_str().as_bytes());
        let name: String = digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let path = Path::new("/tmp").join(format!("convoke-{name}"));
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(Error::io("create", &path)(error));
            }
            _ => {}
        }
        // Anybody may create things in /tmp: what is there now must be a directory, private, and ours or the owner's.
        let found = fs::symlink_metadata(&path).map_err(Error::io("open", &path))?;
        let uid = Uid::from_raw(found.uid());
        if !found.is_dir()
            || found.mode() & 0o077 != 0
            || (uid != self.uid && uid != nix::unistd::geteuid())
        {
            return Err(Error::SocketDirectory(path));
        }
        self.take(&path)?;
        Ok(path)
    }
}

/// The way through a socket in a directory, to the server's maintenance database.
fn options(sockets: &Path) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(sockets)
        .port(5432)
        .username(USER)
        .database("postgres")
        .ssl_mode(PgSslMode::Disable)
}

/// Returns the name of a user, or its number if it has none.
fn name_of(uid: Uid) -> String {
    User::from_uid(uid)
        .ok()
        .flatten()
        .map_or_else(|| uid.to_string(), |user| user.name)
}
