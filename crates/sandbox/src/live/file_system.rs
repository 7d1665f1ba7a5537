//! What a live sandbox' files are asked for.

use super::error::LiveError;
use super::files::{FileReader, FileWriter};
use super::guest::Guest;
use super::line::{Command, Content, NewFile, Reply};
use super::process::Listing;
use protocol::collection::{Collection, CollectionBounds, CollectionError, Collector};
use protocol::supervisor::{Entry, FileAnswer, FileOperation, MAX_PATH_BYTES, Metadata};
use rustix::io::Errno;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// Paths are absolute and seen as the sandbox's processes see them. At most [`protocol::supervisor::MAX_FILE_OPERATIONS`]
/// are under way at one time; one more waits.
impl Guest {
    /// Tells of one entry; of a link, not of what it leads to.
    pub async fn stat(&self, path: &str) -> Result<Entry, LiveError> {
        let path = checked(path)?;
        match self.file(FileOperation::Stat { path }).await? {
            FileAnswer::Entry { entry } => Ok(entry),
            _ => Err(self.line.gone()),
        }
    }

    /// A folder's entries, so many levels of folders.
    pub async fn list(&self, path: &str, depth: u32) -> Result<Listing, LiveError> {
        let path = checked(path)?;
        match self.file(FileOperation::List { path, depth }).await? {
            FileAnswer::Entries { entries, truncated } => Ok(Listing { entries, truncated }),
            _ => Err(self.line.gone()),
        }
    }

    /// Makes a folder and those above it; one that is there is fine.
    pub async fn make_folder(&self, path: &str) -> Result<(), LiveError> {
        let path = checked(path)?;
        self.file(FileOperation::MakeFolder { path })
            .await
            .map(drop)
    }

    /// Gives an entry another path; a file that is there is replaced.
    pub async fn rename(&self, from: &str, to: &str) -> Result<(), LiveError> {
        let (from, to) = (checked(from)?, checked(to)?);
        self.file(FileOperation::Move { from, to }).await.map(drop)
    }

    /// Removes an entry; a folder with all that is in it.
    pub async fn remove(&self, path: &str) -> Result<(), LiveError> {
        let path = checked(path)?;
        self.file(FileOperation::Remove { path }).await.map(drop)
    }

    /// A file's content. An error here says that the guest was not asked; why a file cannot be read,
    /// [`FileReader::next`] says.
    pub async fn read_file(&self, path: &str) -> Result<FileReader, LiveError> {
        let (path, place) = (checked(path)?, self.place().await?);
        let content = Content::File;
        let command = |reply| Command::Read {
            path,
            content,
            place,
            reply,
        };
        self.ask(command).await
    }

    /// The regular files below a folder, as far as the bounds go. A folder that is not there has none.
    pub(crate) async fn collect(
        &self,
        path: &str,
        bounds: CollectionBounds,
    ) -> Result<Collection, LiveError> {
        let (path, place) = (checked(path)?, self.place().await?);
        let content = Content::Collection(bounds);
        let command = |reply| Command::Read {
            path,
            content,
            place,
            reply,
        };
        let mut reader = self.ask(command).await?;
        let misbehaved = |error: CollectionError| LiveError::Misbehaved(error.to_string());
        let mut collector = Collector::new(bounds);
        while let Some(bytes) = reader.next().await? {
            collector.feed(&bytes).map_err(misbehaved)?;
        }
        collector.finish().map_err(misbehaved)
    }

    /// Takes a file's content, and folders above it are made. Why it cannot be written, the writer says.
    pub async fn write_file(&self, path: &str) -> Result<FileWriter, LiveError> {
        self.write_file_with(path, Metadata::default()).await
    }

    /// The same of a file that has something attached to it.
    pub async fn write_file_with(
        &self,
        path: &str,
        metadata: Metadata,
    ) -> Result<FileWriter, LiveError> {
        let (path, place) = (checked(path)?, self.place().await?);
        let (done, answer): (Reply<u64>, _) = oneshot::channel();
        let file = NewFile { path, metadata };
        let command = |reply| Command::WriteFile {
            file,
            place,
            done,
            reply,
        };
        let transfer = self.ask(command).await?;
        Ok(FileWriter::new(transfer, self.line.clone(), answer))
    }

    async fn file(&self, operation: FileOperation) -> Result<FileAnswer, LiveError> {
        let place = self.place().await?;
        let command = |reply| Command::File {
            operation,
            place,
            reply,
        };
        self.ask(command).await
    }

    /// Waits for a file operation's place.
    async fn place(&self) -> Result<OwnedSemaphorePermit, LiveError> {
        let place = self.files.clone().acquire_owned().await;
        place.map_err(|_| self.line.gone())
    }
}

/// A path that fits a message.
pub(super) fn checked(path: &str) -> Result<String, LiveError> {
    match path.len() {
        ..=MAX_PATH_BYTES => Ok(path.to_owned()),
        _ => Err(LiveError::File {
            errno: Errno::NAMETOOLONG.raw_os_error(),
            step: "take the path".into(),
        }),
    }
}
