//! Finding PostgreSQL's programs.

use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::Error;

/// The oldest version that is supported.
const OLDEST: u32 = 14;

/// The programs of one installed version.
#[derive(Debug)]
pub(super) struct Binaries(PathBuf);

impl Binaries {
    /// Finds the programs: in `bin_dir` alone if it is given, otherwise where `pg_config` says, where Debian puts them,
    /// and in `PATH`. They must be of the version that made the cluster, if there is one.
    pub(super) async fn find(bin_dir: Option<&Path>, cluster: Option<u32>) -> Result<Self, Error> {
        let places = match bin_dir {
            Some(dir) => vec![dir.to_owned()],
            None => candidates().await,
        };
        let mut found = Vec::new();
        for dir in &places {
            if dir.join("initdb").is_file()
                && let Some(version) = version_of(&dir.join("postgres")).await
            {
                found.push((version, dir.clone()));
            }
        }
        let versions: Vec<u32> = found.iter().map(|(version, _)| *version).collect();
        let Some(newest) = versions.iter().copied().max() else {
            return Err(Error::NoBinaries { looked_in: places });
        };
        let wanted = cluster.unwrap_or(newest);
        if newest < OLDEST {
            return Err(Error::TooOld { found: newest });
        }
        let fits = found.into_iter().find(|(version, _)| *version == wanted);
        match fits {
            Some((_, dir)) => Ok(Self(dir)),
            None => Err(Error::WrongVersion {
                cluster: wanted,
                found: versions,
            }),
        }
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.0.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.0.join("postgres")
    }
}

async fn candidates() -> Vec<PathBuf> {
    let mut places = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output().await {
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        places.extend((!said.is_empty()).then(|| PathBuf::from(said)));
    }
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        places.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    if let Some(path) = std::env::var_os("PATH") {
        places.extend(std::env::split_paths(&path));
    }
    let mut seen = std::collections::HashSet::new();
    places.retain(|place| seen.insert(place.clone()));
    places
}

/// The major version of a `postgres`: `postgres (PostgreSQL) 15.18 (Debian …)`.
async fn version_of(postgres: &Path) -> Option<u32> {
    let output = Command::new(postgres)
        .arg("--version")
        .output()
        .await
        .ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = said.split_once("(PostgreSQL) ")?.1;
    number
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}
