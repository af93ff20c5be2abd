//! As whom the cluster runs.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use nix::unistd::{Gid, Uid, User};

use super::{Error, at};

/// The system user whose the cluster is.
#[derive(Debug)]
pub(super) struct Owner {
    uid: Uid,
    gid: Gid,
    /// Whether the children must change to this user.
    drop_to: bool,
}

impl Owner {
    /// This process's user, or `postgres` in the place of root.
    pub(super) fn choose(data_dir: &Path) -> Result<Self, Error> {
        if !Uid::effective().is_root() {
            let owner = Self {
                uid: Uid::effective(),
                gid: Gid::effective(),
                drop_to: false,
            };
            return Ok(owner);
        }
        let user = User::from_name("postgres")
            .ok()
            .flatten()
            .ok_or(Error::NoPostgresUser)?;
        let owner = Self {
            uid: user.uid,
            gid: user.gid,
            drop_to: true,
        };
        owner.can_reach(data_dir)?;
        Ok(owner)
    }

    /// Checks that the user may pass through every folder on the way.
    fn can_reach(&self, data_dir: &Path) -> Result<(), Error> {
        for folder in data_dir.ancestors() {
            let meta = fs::metadata(folder).map_err(at(folder))?;
            let bit = if meta.uid() == self.uid.as_raw() {
                0o100
            } else if meta.gid() == self.gid.as_raw() {
                0o010
            } else {
                0o001
            };
            if meta.mode() & bit == 0 {
                return Err(Error::NotReachable {
                    path: folder.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Whether a file or folder is this user's.
    pub(super) fn owns(&self, path: &Path) -> Result<bool, Error> {
        Ok(fs::symlink_metadata(path).map_err(at(path))?.uid() == self.uid.as_raw())
    }

    /// Makes a file or folder this user's.
    pub(super) fn give(&self, path: &Path) -> Result<(), Error> {
        if self.drop_to {
            chown(path, Some(self.uid.as_raw()), Some(self.gid.as_raw())).map_err(at(path))?;
        }
        Ok(())
    }

    /// Has a program run as this user, from a folder that it may be in.
    pub(super) fn run_as(&self, program: &mut Command) {
        program.current_dir("/");
        if self.drop_to {
            program.uid(self.uid.as_raw()).gid(self.gid.as_raw());
        }
    }
}
