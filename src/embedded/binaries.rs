//! The installed server: where its programs are, which version they are, and making a new cluster with them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use tokio::process::Command;
use tracing::info;

use super::errors::Error;
use super::home::Home;
use super::{OLDEST, USER};

/// Directories with one entry per installed version, and what the names of those start with.
const FAMILIES: &[(&str, &str)] = &[
    ("/usr/lib/postgresql", ""), // Debian: /usr/lib/postgresql/15/bin
    ("/usr", "pgsql-"),          // Red Hat: /usr/pgsql-15/bin
    ("/opt/homebrew/opt", "postgresql@"), // macOS: /opt/homebrew/opt/postgresql@15/bin
];

/// A directory with `initdb` and `postgres` of one version.
#[derive(Debug)]
pub(super) struct Binaries {
    dir: PathBuf,
    major: u32,
}

impl Binaries {
    /// Finds a server that can run the cluster in `home`, or any if there is no cluster yet.
    ///
    /// A directory named in the settings is the only one considered: whoever names one means it.
    pub async fn find(named: Option<&Path>, home: &Home) -> Result<Self, Error> {
        let needs = home.version()?;
        let looked_in = match named {
            Some(dir) => vec![dir.canonicalize().unwrap_or_else(|_| dir.to_owned())],
            None => usual_places(home).await,
        };
        let mut found = BTreeSet::new();
        for dir in &looked_in {
            if !dir.join("initdb").is_file() || !dir.join("postgres").is_file() {
                continue;
            }
            match version(dir, home).await {
                Ok(Some(major)) if needs.map_or(major >= OLDEST, |needs| major == needs) => {
                    return Ok(Self {
                        dir: dir.clone(),
                        major,
                    });
                }
                Ok(major) => found.extend(major),
                Err(error) if named.is_some() => return Err(error),
                Err(_) => {}
            }
        }
        match needs {
            Some(needs) if !found.is_empty() => Err(Error::WrongVersion {
                cluster: home.cluster.clone(),
                needs,
                found: found.into_iter().collect(),
            }),
            _ => Err(Error::NoServer { looked_in }),
        }
    }

    /// Returns the server program.
    pub fn postgres(&self) -> PathBuf {
        self.dir.join("postgres")
    }

    /// Creates the cluster, wholly or not at all: under another name first, which a rename makes the real one when all
    /// of it is on disk.
    pub async fn initdb(&self, home: &Home) -> Result<(), Error> {
        info!(postgres.version = self.major, path = %home.cluster.display(), "creating the embedded database");
        let fresh = home.fresh_directory()?;
        let initdb = self.dir.join("initdb");
        let output = Command::from(home.command(&initdb))
            .arg("--pgdata")
            .arg(&fresh)
            .args(["--username", USER, "--encoding=UTF8"])
            // Text is ordered by its bytes. An operating system's locales change with its updates, and indexes made
            // before then lie.
            .arg("--locale=C")
            // Whoever can enter the socket's directory is let in: that is the owner alone. Nothing listens for others.
            .args(["--auth-local=trust", "--auth-host=reject"])
            // A disk that returns something else than was written is noticed.
            .arg("--data-checksums")
            .arg("--no-instructions")
            .kill_on_drop(true)
            .output()
            .await
            .map_err(Error::io("run", &initdb))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            // A failed attempt must not stay behind; if it does all the same, the next start removes it.
            fs::remove_dir_all(&fresh).ok();
            return Err(home.out_of_reach().unwrap_or(Error::Initdb { said }));
        }
        fs::rename(&fresh, &home.cluster).map_err(Error::io("rename to its final name", &fresh))?;
        File::open(&home.data_dir)
            .and_then(|dir| dir.sync_all())
            .map_err(Error::io("flush", &home.data_dir))
    }
}

/// Lists where a server may be, best first: what `pg_config` says, the newest version installed, `PATH`.
async fn usual_places(home: &Home) -> Vec<PathBuf> {
    let mut places = Vec::new();
    if let Ok(output) = Command::from(home.command("pg_config"))
        .arg("--bindir")
        .output()
        .await
        && output.status.success()
    {
        let path = output.stdout.trim_ascii_end().to_owned();
        places.push(PathBuf::from(std::ffi::OsString::from_vec(path)));
    }
    for (parent, prefix) in FAMILIES {
        places.extend(family(Path::new(parent), prefix));
    }
    places.extend(
        std::env::var_os("PATH")
            .iter()
            .flat_map(std::env::split_paths),
    );

    let mut seen = BTreeSet::new();
    places.retain(|dir| dir.is_absolute() && seen.insert(dir.clone()));
    places
}

/// Lists the `bin` directories of the versions below `parent`, newest first.
fn family(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry
                .file_name()
                .to_str()?
                .strip_prefix(prefix)?
                .parse()
                .ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, bin)| bin).collect()
}

/// Asks `postgres` in `dir` for its major version. `None` if it answers something else.
async fn version(dir: &Path, home: &Home) -> Result<Option<u32>, Error> {
    let postgres = dir.join("postgres");
    let output = Command::from(home.command(&postgres))
        .arg("--version")
        .output()
        .await
        .map_err(Error::io("run", &postgres))?;
    Ok(major(&String::from_utf8_lossy(&output.stdout)))
}

/// Reads the major version from a line like `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` or `… 18beta1`.
fn major(line: &str) -> Option<u32> {
    let version = line.split_once("(PostgreSQL) ")?.1;
    let end = version
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(version.len());
    version[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_distributions_print_them() {
        assert_eq!(
            major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("postgres (PostgreSQL) 14"), Some(14));
        assert_eq!(major("something else 15"), None);
    }

    #[test]
    fn the_newest_version_comes_first_by_number() {
        let parent = tempfile::tempdir().expect("a directory");
        for name in ["v9", "v15", "v100", "other", "vx"] {
            fs::create_dir(parent.path().join(name)).expect("a directory");
        }
        let order: Vec<_> = ["v100", "v15", "v9"]
            .map(|name| parent.path().join(name).join("bin"))
            .into();
        assert_eq!(family(parent.path(), "v"), order);
    }
}
