//! Run folders whose tool is gone, taken over by whoever gets their lock.

use crate::engine::VmId;
use crate::state::{LOCK_FILE, RUN_LOCK, StateDir, remove_run};
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Result};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A folder that is ours to clean up. Unlike a live VM's it stays when this value is dropped: there is
/// something in it that could not be removed.
#[derive(Debug)]
pub struct Abandoned {
    state: StateDir,
    /// Whose it was.
    pub id: VmId,
    path: PathBuf,
    // `None`: its maker died before it made one.
    _lock: Option<File>,
}

impl Abandoned {
    /// Takes over all there are. What is not called like a VM is nobody's and stays.
    pub fn take(state: &StateDir) -> Result<Vec<Self>> {
        let mut found = Vec::new();
        if state.run().read_dir()?.next().is_none() {
            return Ok(found);
        }
        // So that no folder is seen between its making and its lock's.
        let _going = state.lock(RUN_LOCK)?;
        for entry in state.run().read_dir()? {
            let entry = entry?;
            let name = entry.file_name().into_string().ok();
            let Some(id) = name.and_then(|name| VmId::new(name).ok()) else {
                continue;
            };
            if entry.file_type()?.is_dir()
                && let Lock::Free(lock) = try_lock(&entry.path().join(LOCK_FILE))?
            {
                found.push(Self {
                    state: state.clone(),
                    id,
                    path: entry.path(),
                    _lock: lock,
                });
            }
        }
        Ok(found)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, the lock last.
    pub fn remove(self) -> std::result::Result<(), String> {
        remove_run(&self.state, &self.path).map_err(|e| format!("{}: {e}", self.path.display()))
    }
}

enum Lock {
    Free(Option<File>),
    Held,
}

fn try_lock(path: &Path) -> Result<Lock> {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(path);
    let file = match opened {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Lock::Free(None)),
        other => other?,
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Lock::Free(Some(file))),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(Lock::Held),
        Err(e) => Err(e.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::RunFolder;

    #[test]
    fn only_folders_without_an_owner_are_taken_over_and_once() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(&dir.path().join("s")).unwrap();
        assert!(Abandoned::take(&state).unwrap().is_empty());
        let live = RunFolder::create(&state, &VmId::new("live").unwrap()).unwrap();
        for name in ["dead", "before-its-lock", "not ours"] {
            std::fs::create_dir(state.run().join(name)).unwrap();
        }
        std::fs::write(state.run().join("dead/lock"), "").unwrap();
        std::fs::write(state.run().join("file"), "").unwrap();
        let taken = Abandoned::take(&state).unwrap();
        let mut ids: Vec<&str> = taken.iter().map(|folder| folder.id.as_str()).collect();
        ids.sort();
        assert_eq!(ids, ["before-its-lock", "dead"]);
        let again = Abandoned::take(&state).unwrap();
        assert!(again.iter().all(|folder| folder.id.as_str() != "dead"));
        drop(again);
        for folder in taken {
            folder.remove().unwrap();
        }
        assert!(live.path().exists() && state.run().join("not ours").exists());
    }
}
