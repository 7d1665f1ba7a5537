//! Files of a session's work folder.

use super::Session;
use crate::error::{JobError, Why};
use crate::live::{EntryKind, LiveError};
use protocol::environment::WORK_DIR;
use protocol::path::check_relative;
use protocol::wire::{FileEntry, InputFile};

/// Levels of folders that are listed.
const DEPTH: u32 = 16;

/// Why a file did not go in or come out.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The guest refused it: no such file, no room.
    #[error("the work folder refused it: {0}")]
    Refused(String),
    /// It is larger than allowed.
    #[error("the file has more than {max} bytes")]
    TooLarge {
        /// The most that it may have.
        max: usize,
    },
    /// The session is over: its VM no longer answers, or what it says is nonsense.
    #[error("the session is over: {0}")]
    Over(JobError),
}

impl From<LiveError> for FileError {
    fn from(error: LiveError) -> FileError {
        match error {
            LiveError::Gone(_) => FileError::Over(Why::Gone.into()),
            error => FileError::Refused(error.to_string()),
        }
    }
}

/// A path of the work folder as the guest names it.
pub fn absolute(path: &str) -> String {
    format!("{WORK_DIR}/{path}")
}

impl Session {
    /// Puts a file into the work folder.
    pub async fn put(&mut self, file: InputFile) -> Result<(), FileError> {
        let mut writer = self.live.write_file(&absolute(&file.path)).await?;
        writer.write(&file.data.0).await?;
        Ok(writer.finish().await.map(drop)?)
    }

    /// The regular files of the work folder, as many as one listing has.
    pub async fn list(&mut self) -> Result<Vec<FileEntry>, FileError> {
        let listing = self.live.list(WORK_DIR, DEPTH).await?;
        let files = listing.entries.into_iter();
        let files = files.filter(|entry| entry.kind == EntryKind::File);
        let relative = |path: &str| {
            path.strip_prefix(WORK_DIR)?
                .strip_prefix('/')
                .map(str::to_owned)
        };
        let own = files.filter_map(|entry| {
            let path = relative(&entry.path).filter(|path| check_relative(path).is_ok())?;
            let size = entry.size;
            Some(FileEntry { path, size })
        });
        Ok(own.collect())
    }

    /// A file of the work folder, of at most `max` bytes.
    pub async fn get(&mut self, path: &str, max: usize) -> Result<Vec<u8>, FileError> {
        let path = absolute(path);
        if self.live.stat(&path).await?.kind != EntryKind::File {
            return Err(FileError::Refused("it is no regular file".into()));
        }
        let mut reader = self.live.read_file(&path).await?;
        let mut bytes = Vec::new();
        while let Some(more) = reader.next().await? {
            if bytes.len() + more.len() > max {
                return Err(FileError::TooLarge { max });
            }
            bytes.extend(more);
        }
        Ok(bytes)
    }
}
