//! The head: where the chain begins and ends. It is what makes a cut end, or a removed beginning, show.
//!
//! One line of fixed width, overwritten in place after each record: first number and its `prev`,
//! last number and its hash.

use crate::error::{AuditError, io};
use crate::record::GENESIS;
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const FILE: &str = "head";

/// Both ends of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The number of the oldest record that is kept.
    pub first_seq: u64,
    /// What that record has as `prev`.
    pub first_prev: String,
    /// The number of the newest record; `first_seq - 1` when there is none.
    pub last_seq: u64,
    /// The newest record's hash.
    pub last_hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Head {
            first_seq: 1,
            first_prev: GENESIS.into(),
            last_seq: 0,
            last_hash: GENESIS.into(),
        }
    }
}

impl Head {
    fn line(&self) -> String {
        format!(
            "{:020} {} {:020} {}\n",
            self.first_seq, self.first_prev, self.last_seq, self.last_hash
        )
    }

    fn parse(text: &str) -> Option<Head> {
        let mut words = text.trim_end().split(' ');
        let mut hash_and_number = || -> Option<(u64, String)> {
            let number = words.next()?.parse().ok()?;
            let hash = words.next().filter(|hash| hash.len() == GENESIS.len())?;
            Some((number, hash.to_owned()))
        };
        let (first_seq, first_prev) = hash_and_number()?;
        let (last_seq, last_hash) = hash_and_number()?;
        Some(Head {
            first_seq,
            first_prev,
            last_seq,
            last_hash,
        })
    }

    /// Reads the head of a log; `None` when there is no log yet, or its head is not readable as one.
    pub fn read(dir: &Path) -> Result<Option<Head>, AuditError> {
        let path = dir.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Head::parse(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io("reading", &path)(error)),
        }
    }
}

/// The head's file, held open and locked by the one writer.
#[derive(Debug)]
pub(crate) struct HeadFile {
    file: File,
    path: PathBuf,
}

impl HeadFile {
    /// Takes the log for this process alone.
    pub fn lock(dir: &Path) -> Result<HeadFile, AuditError> {
        let path = dir.join(FILE);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(io("opening", &path))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| AuditError::Busy {
            path: dir.into(),
            lock: path.clone(),
        })?;
        Ok(HeadFile { file, path })
    }

    /// Whether anything was ever written to it.
    pub fn is_new(&self) -> bool {
        self.file
            .metadata()
            .is_ok_and(|metadata| metadata.len() == 0)
    }

    /// Overwrites it: one write of fixed width.
    pub fn write(&self, head: &Head) -> Result<(), AuditError> {
        self.file
            .write_all_at(head.line().as_bytes(), 0)
            .map_err(io("writing", &self.path))
    }

    /// Has it on disk when this returns.
    pub fn sync(&self) -> Result<(), AuditError> {
        self.file.sync_data().map_err(io("syncing", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_back_and_has_a_fixed_width() {
        let head = Head {
            first_seq: u64::MAX,
            last_seq: 3,
            ..Head::default()
        };
        assert_eq!(Head::parse(&head.line()), Some(head.clone()));
        assert_eq!(head.line().len(), Head::default().line().len());
        assert_eq!(Head::parse("1 2 3"), None);
    }
}
