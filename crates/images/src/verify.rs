//! Is a file still what its manifest says? Hashing answers; a cache of digests, keyed by what changes
//! whenever a file does, makes the answer cheap enough to ask before every boot.

use crate::digest::{FileIdentity, sha256_file};
use crate::error::ImageError;
use crate::manifest::{FileRecord, write_atomically};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// The file system's clock ticks every few milliseconds: a file that changed less than this before
/// it was read could change again unseen, in nanoseconds.
const SETTLED_NS: i64 = 100_000_000;
/// Entries of files that are gone are dropped when there are more than this.
const MAX_ENTRIES: usize = 256;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    identity: FileIdentity,
    sha256: String,
}

/// How a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// A digest known of an unchanged file is good enough.
    Cached,
    /// Every byte is read.
    Full,
}

/// Digests of files that have not changed since they were taken.
#[derive(Debug)]
pub(crate) struct DigestCache {
    path: PathBuf,
    // Held while entries are looked up or added, and while they are written out, so that two
    // threads do not write over each other; never while a file is hashed.
    entries: Mutex<BTreeMap<PathBuf, Entry>>,
}

/// A file, and what is recorded of it.
#[derive(Clone, Copy)]
pub(crate) struct Recorded<'a> {
    /// The image's that it belongs to.
    pub name: &'a str,
    pub path: &'a Path,
    pub record: &'a FileRecord,
}

impl DigestCache {
    /// The cache kept at `path`. One that cannot be read or says nothing sensible is empty: all that
    /// it spares is time.
    pub(crate) fn open(path: PathBuf) -> DigestCache {
        let entries = fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        DigestCache {
            path,
            entries: Mutex::new(entries),
        }
    }

    /// The digest of a file.
    pub(crate) fn sha256(&self, path: &Path, look: Look) -> io::Result<(String, u64)> {
        let known = self.lock().get(path).cloned();
        if let (Some(entry), Look::Cached) = (known, look)
            && FileIdentity::of(path)? == entry.identity
        {
            return Ok((entry.sha256, entry.identity.size));
        }
        let started = now_ns();
        let (sha256, identity) = sha256_file(path)?;
        let size = identity.size;
        if started.saturating_sub(identity.ctime_ns) >= SETTLED_NS {
            let sha256 = sha256.clone();
            self.remember(path, Entry { identity, sha256 });
        }
        Ok((sha256, size))
    }

    /// Fails when a file is not what its record says.
    pub(crate) fn check(&self, file: Recorded<'_>, look: Look) -> Result<(), ImageError> {
        let Recorded { name, path, record } = file;
        let damaged = |expected: String, seen: String| ImageError::Damaged {
            name: name.to_owned(),
            file: path.to_path_buf(),
            expected,
            seen,
        };
        let size = match FileIdentity::of(path) {
            Ok(identity) => identity.size,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(damaged(
                    format!("sha256 {}", record.sha256),
                    "no file".to_owned(),
                ));
            }
            Err(error) => return Err(ImageError::io("looking at", path)(error)),
        };
        if size != record.size {
            return Err(damaged(
                format!("{} bytes", record.size),
                format!("{size} bytes"),
            ));
        }
        let (sha256, _) = self
            .sha256(path, look)
            .map_err(ImageError::io("reading", path))?;
        if sha256 != record.sha256 {
            return Err(damaged(
                format!("sha256 {}", record.sha256),
                format!("sha256 {sha256}"),
            ));
        }
        Ok(())
    }

    fn remember(&self, path: &Path, entry: Entry) {
        let mut entries = self.lock();
        if entries.get(path) == Some(&entry) {
            return;
        }
        entries.insert(path.to_path_buf(), entry);
        if entries.len() > MAX_ENTRIES {
            entries.retain(|path, _| path.exists());
        }
        // A cache that cannot be written, on a full disk say, costs time and nothing else.
        if let Ok(bytes) = serde_json::to_vec(&*entries) {
            let _ = write_atomically(&self.path, &bytes);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<PathBuf, Entry>> {
        // A map is whole between any two of its calls.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now_ns() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
