//! `record.json`: everything that is known of a saved VM, and its files as they were.

use super::SavedFacts;
use super::error::{SavedError, io};
use super::job::SavedJob;
use super::key::SavedKey;
use crate::live::contexts::HeldContexts;
use crate::live::{HeldGuest, SavedVm};
use crate::snapshots::SnapshotError;
use crate::snapshots::manifest::{FileRecord, Known, Read};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const NAME: &str = "record.json";
/// Changes when another reader would read it wrongly.
const FORMAT: u32 = 1;
/// 256 processes with 128 KiB of arguments each, escaped, and as much again (128 MiB).
const MAX_BYTES: u64 = 128 * 1024 * 1024;

/// Everything that is known of a saved VM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedRecord {
    format: u32,
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
    files: Vec<FileRecord>,
}

impl SavedRecord {
    /// Of the files in this folder; reads them.
    pub(super) fn of(folder: &Path, facts: SavedFacts) -> Result<SavedRecord, SavedError> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(io("listing", folder))? {
            let path = entry.map_err(io("listing", folder))?.path();
            files.push(FileRecord::of(&path).map_err(of_file)?);
        }
        if files.is_empty() {
            return Err(SavedError::Damaged("it has no file".into()));
        }
        let SavedFacts {
            job,
            key,
            held,
            contexts,
            about,
        } = facts;
        Ok(SavedRecord {
            format: FORMAT,
            job,
            key,
            held,
            contexts,
            about,
            files,
        })
    }

    pub(super) fn path(folder: &Path) -> PathBuf {
        folder.join(NAME)
    }

    /// It, as [`crate::live::LiveSandbox::load`] takes it, with its files in this folder.
    pub fn vm<'a>(&'a self, folder: &'a Path) -> SavedVm<'a> {
        SavedVm {
            folder,
            key: &self.key,
            held: &self.held,
        }
    }

    /// The names of its files, in its folder.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.name.as_str())
    }

    /// Bytes of its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The record in these bytes, or what is wrong with them.
    pub fn parse(text: &[u8]) -> Result<SavedRecord, SavedError> {
        let damaged = |what: String| SavedError::Damaged(format!("its record {what}"));
        let record: SavedRecord = serde_json::from_slice(text)
            .map_err(|error| damaged(format!("is no record: {error}")))?;
        if record.format != FORMAT {
            return Err(damaged(format!(
                "has format {}, this release reads {FORMAT}",
                record.format
            )));
        }
        // Plain names only: anything else would be looked up outside the folder.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_plain = |name: &str| !name.is_empty() && name.bytes().all(plain);
        match record.files.iter().find(|file| !is_plain(&file.name)) {
            None => Ok(record),
            Some(file) => Err(damaged(format!("names '{}'", file.name.escape_debug()))),
        }
    }

    /// That of a folder; `None`: there is none, so the folder is nothing.
    pub(super) fn read(folder: &Path) -> Result<Option<SavedRecord>, SavedError> {
        let path = SavedRecord::path(folder);
        let size = match std::fs::symlink_metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(io("reading", &path)(error)),
        };
        if size > MAX_BYTES {
            return Err(SavedError::Damaged(format!("its record has {size} bytes")));
        }
        let text = std::fs::read(&path).map_err(io("reading", &path))?;
        SavedRecord::parse(&text).map(Some)
    }

    /// Writes it into a folder where there is none; it is on disk when this returns.
    pub(super) fn write(&self, folder: &Path) -> Result<(), SavedError> {
        let path = SavedRecord::path(folder);
        let text = serde_json::to_vec(self).map_err(|error| {
            SavedError::Damaged(format!("its record cannot be written: {error}"))
        })?;
        let opened = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&path);
        let mut file = opened.map_err(io("creating", &path))?;
        file.write_all(&text).map_err(io("writing", &path))?;
        file.sync_all().map_err(io("syncing", &path))
    }

    /// Compares the files with what they were; those that nobody touched are not read.
    pub(super) fn check(&self, folder: &Path) -> Result<(), SavedError> {
        let known = Known::default();
        let mut files = self.files.iter();
        files.try_for_each(|file| file.check(folder, Read::Changed(&known)).map_err(of_file))
    }
}

/// In the words of what was saved.
fn of_file(error: SnapshotError) -> SavedError {
    match error {
        SnapshotError::Io { what, path, source } => SavedError::Io { what, path, source },
        SnapshotError::Damaged { what, .. } => SavedError::Damaged(what),
    }
}
