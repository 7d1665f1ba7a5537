//! VMs that were saved at work, on disk: what each depends on, what is remembered of it, whether it may go on.
//!
//! ```text
//!  .making-ID/   whoever makes it holds its lock      sweep removes those that nobody holds
//!  ID/           the engine's files, 0600, and record.json, the last to be written
//! ```
//!
//! A folder a VM, 0700. One appears by a rename after everything in it is on disk, and goes record first, so there is never
//! half a one: what has no record is none. `about` in the record is the front door's: nothing here reads it.

mod error;
mod job;
mod key;
mod record;
mod room;
mod sweep;

pub use error::SavedError;
pub use job::SavedJob;
pub use key::SavedKey;
pub use record::SavedRecord;
pub use room::{Room, Rooms, SavedBounds};

use crate::live::HeldGuest;
use crate::live::contexts::HeldContexts;
use error::io;
use rustix::fs::{FlockOperation, flock};
use serde_json::Value;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The name of the folder of all of them, in the state folder.
pub const FOLDER: &str = "saved";
/// What the folder of one is called, before its id, while it is being made.
const MAKING: &str = ".making-";

/// All of a state folder.
#[derive(Debug, Clone)]
pub struct SavedStore {
    root: PathBuf,
}

/// What is to be remembered of a VM besides its files.
#[derive(Debug, Clone)]
pub struct SavedFacts {
    /// What it was made for.
    pub job: SavedJob,
    /// What it depends on.
    pub key: SavedKey,
    /// Its guest.
    pub held: HeldGuest,
    /// Its interpreters.
    pub contexts: HeldContexts,
    /// What the front door remembers of it.
    pub about: Value,
}

/// One that is on disk: its id, and its record, or what is wrong with that.
pub type SavedRow = (String, Result<SavedRecord, SavedError>);

impl SavedStore {
    /// Opens the folder, creates it 0700.
    pub fn open(root: &Path) -> Result<SavedStore, SavedError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(root);
        made.map_err(io("creating", root))?;
        Ok(SavedStore { root: root.into() })
    }

    fn folder(&self, id: &str) -> PathBuf {
        self.root.join(id)
    }

    /// Begins one; there is none with this id, which is a UUID.
    pub fn begin(&self, id: &str) -> Result<SavedInMaking, SavedError> {
        let folder = self.root.join(format!("{MAKING}{id}"));
        let made = DirBuilder::new().mode(0o700).create(&folder);
        made.map_err(io("creating", &folder))?;
        let lock = File::open(&folder).map_err(io("opening", &folder))?;
        let making = SavedInMaking {
            target: self.folder(id),
            folder,
            lock,
        };
        let locked = flock(&making.lock, FlockOperation::NonBlockingLockExclusive);
        locked.map_err(|errno| io("locking", &making.folder)(errno.into()))?;
        Ok(making)
    }

    /// All that there are, with what is wrong with those that cannot be read, in order of their ids.
    pub fn list(&self) -> Result<Vec<SavedRow>, SavedError> {
        let mut all = Vec::new();
        let entries = std::fs::read_dir(&self.root).map_err(io("listing", &self.root))?;
        for entry in entries {
            let path = entry.map_err(io("listing", &self.root))?.path();
            let name = path.file_name().map(|name| name.to_string_lossy());
            let Some(id) = name.filter(|name| !name.starts_with('.')) else {
                continue;
            };
            match SavedRecord::read(&path) {
                Ok(None) => {}
                Ok(Some(record)) => all.push((id.into_owned(), Ok(record))),
                Err(error) => all.push((id.into_owned(), Err(error))),
            }
        }
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(all)
    }

    /// Compares the files of one with what they were; those that nobody touched are not read.
    pub fn check(&self, id: &str, record: &SavedRecord) -> Result<(), SavedError> {
        record.check(&self.folder(id))
    }

    /// Where the files of one are.
    pub fn place(&self, id: &str) -> PathBuf {
        self.folder(id)
    }

    /// Removes one; VMs that go on from it keep what they mapped. One that is not there is fine.
    pub fn remove(&self, id: &str) -> Result<(), SavedError> {
        remove(&self.folder(id))
    }
}

/// Record first: what is left by a crash after that is none.
fn remove(folder: &Path) -> Result<(), SavedError> {
    let fine = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    let record = SavedRecord::path(folder);
    match std::fs::remove_file(&record) {
        Err(error) if !fine(&error) => return Err(io("removing", &record)(error)),
        _ => {}
    }
    match std::fs::remove_dir_all(folder) {
        Err(error) if !fine(&error) => Err(io("removing", folder)(error)),
        _ => Ok(()),
    }
}

/// One that is being made; dropped before it is finished, it leaves nothing.
#[derive(Debug)]
pub struct SavedInMaking {
    folder: PathBuf,
    target: PathBuf,
    /// Held while it is made: a sweep leaves it alone.
    lock: File,
}

impl SavedInMaking {
    /// Where the engine puts its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All is there: it counts, and stays, from here on. Reads the files, for their digests.
    pub fn finish(self, facts: SavedFacts) -> Result<SavedRecord, SavedError> {
        let record = SavedRecord::of(&self.folder, facts)?;
        record.write(&self.folder)?;
        self.lock.sync_all().map_err(io("syncing", &self.folder))?;
        std::fs::rename(&self.folder, &self.target).map_err(io("renaming", &self.folder))?;
        if let Some(root) = self.target.parent() {
            let synced = File::open(root).and_then(|open| open.sync_all());
            synced.map_err(io("syncing", root))?;
        }
        Ok(record)
    }
}

impl Drop for SavedInMaking {
    fn drop(&mut self) {
        // After a finish the folder has its new name and this finds nothing.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests;
