//! What a crash left of snapshots that were being made.

use super::{MAKING, SnapshotError, SnapshotStore, io, remove_folder};
use rustix::fs::{FlockOperation, flock};
use std::fs::File;

impl SnapshotStore {
    /// Removes what a crash left of snapshots that were being made; one that somebody makes now is
    /// left alone. Returns their ids.
    pub fn sweep(&self) -> Result<Vec<String>, SnapshotError> {
        let mut removed = Vec::new();
        let entries = std::fs::read_dir(&self.root).map_err(io("listing", &self.root))?;
        for entry in entries {
            let path = entry.map_err(io("listing", &self.root))?.path();
            let name = path.file_name().map(|name| name.to_string_lossy());
            let id = name.and_then(|name| name.strip_prefix(MAKING).map(str::to_owned));
            if let Some(id) = id
                && let Some(_lock) = self.try_lock(&id)?
                // Its maker may have finished it before it gave the lock back.
                && path.exists()
            {
                remove_folder(&path)?;
                removed.push(id);
            }
        }
        Ok(removed)
    }

    /// The lock of a snapshot's making; `None` while another has it.
    fn try_lock(&self, id: &str) -> Result<Option<File>, SnapshotError> {
        let (path, file) = self.lock_file(id)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(io("locking", &path)(errno.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_snapshot_goes_and_one_that_is_being_made_stays() {
        let dir = tempfile::tempdir().unwrap();
        let store = SnapshotStore::open(dir.path()).unwrap();
        for name in [".making-dead", ".making-live", "bash-whole"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
            std::fs::write(dir.path().join(name).join("memory"), "x").unwrap();
        }
        let maker = store.try_lock("live").unwrap().unwrap();
        assert_eq!(store.sweep().unwrap(), ["dead"]);
        assert!(dir.path().join(".making-live/memory").exists());
        assert!(dir.path().join("bash-whole/memory").exists());
        drop(maker);
        assert_eq!(store.sweep().unwrap(), ["live"]);
        assert!(store.sweep().unwrap().is_empty());
    }
}
