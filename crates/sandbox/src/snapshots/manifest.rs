//! `manifest.json`: what a snapshot is of, and its files as they were when it was made.

use super::error::{SnapshotError, damaged, io};
use super::key::SnapshotKey;
use images::digest::{FileIdentity, sha256_file};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use vmm::SnapshotFiles;

const NAME: &str = "manifest.json";
/// A manifest is small; a larger one is not ours.
const MAX_BYTES: u64 = 64 * 1024;

/// One of a snapshot's files, as it was when it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileRecord {
    pub(crate) name: String,
    sha256: String,
    /// In bytes.
    pub(crate) size: u64,
    /// As long as this holds, nobody touched the file since it was read.
    identity: FileIdentity,
}

impl FileRecord {
    pub(crate) fn of(path: &Path) -> Result<FileRecord, SnapshotError> {
        let (sha256, identity) = sha256_file(path).map_err(io("reading", path))?;
        Ok(FileRecord {
            name: path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            sha256,
            size: identity.size,
            identity,
        })
    }

    /// Compares it with the file: by identity where that still holds, else byte for byte.
    pub(crate) fn check(&self, folder: &Path, read: Read<'_>) -> Result<(), SnapshotError> {
        let path = folder.join(&self.name);
        let identity = FileIdentity::of(&path).map_err(io("reading", &path))?;
        if identity == self.identity && matches!(read, Read::Changed(_)) {
            return Ok(());
        }
        if identity.size != self.size {
            let what = format!(
                "{} has {} bytes, not {}",
                self.name, identity.size, self.size
            );
            return Err(damaged(folder, what));
        }
        let sha256 = match read {
            Read::All => sha256_file(&path).map(|(sha256, _)| sha256),
            Read::Changed(known) => known.sha256(&path, identity),
        };
        if sha256.map_err(io("reading", &path))? != self.sha256 {
            let what = format!("{} has another digest than its manifest", self.name);
            return Err(damaged(folder, what));
        }
        Ok(())
    }
}

/// Which files are read to be compared.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Read<'a> {
    /// Each.
    All,
    /// Those that were touched since their manifest was written; each state of one is read once.
    Changed(&'a Known),
}

/// Digests of files that this process has read: a state folder that was copied has other identities than
/// its manifests say, and half a GiB must not be read again for each job and each listing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known(Arc<Mutex<HashMap<PathBuf, (FileIdentity, String)>>>);

impl Known {
    fn sha256(&self, path: &Path, identity: FileIdentity) -> std::io::Result<String> {
        // Held while the file is read: whoever else asks waits for that instead of reading it, too.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((own, sha256)) = known.get(path)
            && *own == identity
        {
            return Ok(sha256.clone());
        }
        let (sha256, identity) = sha256_file(path)?;
        known.insert(path.to_owned(), (identity, sha256.clone()));
        Ok(sha256)
    }
}

/// What stands in `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub(super) key: SnapshotKey,
    pub(super) created_at: String,
    memory: FileRecord,
    state: FileRecord,
}

impl Manifest {
    /// Of files that were made just now.
    pub(super) fn of(key: &SnapshotKey, files: &SnapshotFiles) -> Result<Manifest, SnapshotError> {
        Ok(Manifest {
            key: key.clone(),
            created_at: jiff::Timestamp::now().to_string(),
            memory: FileRecord::of(&files.memory)?,
            state: FileRecord::of(&files.state)?,
        })
    }

    /// The manifest in these bytes, or what is wrong with them.
    pub fn parse(text: &[u8]) -> Result<Manifest, String> {
        let manifest: Manifest = serde_json::from_slice(text)
            .map_err(|error| format!("its manifest is no manifest: {error}"))?;
        // Plain names only: anything else would be looked up outside the snapshot's folder.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let inside =
            |name: &str| !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain);
        if let Some(name) = manifest.names().into_iter().find(|name| !inside(name)) {
            return Err(format!("its manifest names '{}'", name.escape_debug()));
        }
        Ok(manifest)
    }

    /// The manifest of a snapshot's folder; `None` when there is none.
    pub(super) fn read(folder: &Path) -> Result<Option<Manifest>, SnapshotError> {
        let path = folder.join(NAME);
        let size = match std::fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io("reading", &path)(error)),
        };
        if size > MAX_BYTES {
            return Err(damaged(folder, format!("its manifest has {size} bytes")));
        }
        let text = std::fs::read(&path).map_err(io("reading", &path))?;
        Manifest::parse(&text)
            .map(Some)
            .map_err(|what| damaged(folder, what))
    }

    /// Writes it into a snapshot's folder, where there is none yet; it is on disk when this returns.
    pub(super) fn write(&self, folder: &Path) -> Result<(), SnapshotError> {
        let path = folder.join(NAME);
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        let mut file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(io("creating", &path))?;
        file.write_all(&text).map_err(io("writing", &path))?;
        file.sync_all().map_err(io("syncing", &path))
    }

    pub(super) fn records(&self) -> [&FileRecord; 2] {
        [&self.memory, &self.state]
    }

    /// The names of its files, in its folder.
    pub fn names(&self) -> [&str; 2] {
        self.records().map(|record| record.name.as_str())
    }

    pub(super) fn files(&self, folder: &Path) -> SnapshotFiles {
        SnapshotFiles {
            memory: folder.join(&self.memory.name),
            state: folder.join(&self.state.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_file_is_read_once_and_a_changed_one_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memory");
        std::fs::write(&path, b"ram").unwrap();
        let mut record = FileRecord::of(&path).unwrap();
        // As of another folder, from which it was copied.
        record.identity.ino += 1;
        let known = Known::default();
        record.check(folder.path(), Read::Changed(&known)).unwrap();
        // The digest that was learned is what counts from now on: had the file been read, it would pass.
        let mut states = known.0.lock().unwrap();
        assert_eq!(states.len(), 1);
        states.get_mut(&path).unwrap().1 = "another".into();
        drop(states);
        assert!(record.check(folder.path(), Read::Changed(&known)).is_err());
        assert!(record.check(folder.path(), Read::All).is_ok());
        // Another state of the file is another file.
        known.0.lock().unwrap().get_mut(&path).unwrap().0.mtime_ns -= 1;
        assert!(record.check(folder.path(), Read::Changed(&known)).is_ok());
    }
}
