//! What a crash left of saved VMs: those that were being made, and those that were being removed.

use super::error::{SavedError, io};
use super::{MAKING, SavedRecord, SavedStore};
use rustix::fs::{FlockOperation, flock};
use std::fs::File;

impl SavedStore {
    /// Removes what a crash left; what somebody makes now is left alone. Returns their ids.
    pub fn sweep(&self) -> Result<Vec<String>, SavedError> {
        let mut removed = Vec::new();
        let entries = std::fs::read_dir(&self.root).map_err(io("listing", &self.root))?;
        for entry in entries {
            let path = entry.map_err(io("listing", &self.root))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if SavedRecord::path(&path).exists() && !name.starts_with(MAKING) {
                continue;
            }
            // Its maker holds the lock until it has its name, with its record in it.
            let Ok(folder) = File::open(&path) else {
                continue;
            };
            let is_ours = flock(&folder, FlockOperation::NonBlockingLockExclusive).is_ok();
            if is_ours
                && path.is_dir()
                && (name.starts_with(MAKING) || !SavedRecord::path(&path).exists())
            {
                std::fs::remove_dir_all(&path).map_err(io("removing", &path))?;
                removed.push(name.trim_start_matches(MAKING).to_owned());
            }
        }
        removed.sort();
        Ok(removed)
    }
}
