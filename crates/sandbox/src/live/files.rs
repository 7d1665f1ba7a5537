//! One file's content on its way out of a sandbox, or into it.

use super::error::LiveError;
use super::inbox::Inbox;
use super::line::{Command, Line, Note};
use protocol::link::StreamId;
use rustix::io::Errno;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

/// Bytes that a file's content may be ahead of its reader (512 KiB).
pub(super) const READ_WINDOW_BYTES: u32 = 512 * 1024;

/// A file operation whose content is on its way. Dropped before it is over, it is stopped.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) request: u32,
    pub(super) notes: UnboundedSender<Note>,
    pub(super) over: bool,
}

impl Drop for Transfer {
    fn drop(&mut self) {
        if !self.over {
            let _ = self.notes.send(Note::Abandon(self.request));
        }
    }
}

/// A file's content as it comes. Dropped: the guest stops reading.
#[derive(Debug)]
pub struct FileReader {
    transfer: Transfer,
    stream: StreamId,
    inbox: Arc<Inbox>,
}

impl FileReader {
    pub(super) fn new(transfer: Transfer, stream: StreamId, inbox: Arc<Inbox>) -> FileReader {
        FileReader {
            transfer,
            stream,
            inbox,
        }
    }

    /// The next bytes, at most 512 KiB; `None` at the file's end. A file that cannot be read is an error of the
    /// first call or of a later one. Cancel-safe.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, LiveError> {
        let taken = self.inbox.take().await;
        match &taken {
            Ok(Some(bytes)) => {
                let used = Note::Used(self.stream, bytes.len());
                let _ = self.transfer.notes.send(used);
            }
            Ok(None) | Err(_) => self.transfer.over = true,
        }
        taken
    }
}

/// A file that is being written. Dropped before [`FileWriter::finish`] is through, the guest leaves what was there.
#[derive(Debug)]
pub struct FileWriter {
    transfer: Transfer,
    line: Line,
    answer: oneshot::Receiver<Result<u64, LiveError>>,
    /// What the guest said before all was sent, or what came of a write that was cancelled.
    failed: Option<LiveError>,
}

impl FileWriter {
    pub(super) fn new(
        transfer: Transfer,
        line: Line,
        answer: oneshot::Receiver<Result<u64, LiveError>>,
    ) -> FileWriter {
        FileWriter {
            transfer,
            line,
            answer,
            failed: None,
        }
    }

    /// Adds bytes; waits for the guest to take those before. After an error every call gives the same error. A call
    /// that is cancelled may have left some of the bytes out, so the file cannot be finished.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), LiveError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.failed = Some(LiveError::File {
            errno: Errno::CANCELED.raw_os_error(),
            step: "a write was cancelled".into(),
        });
        let request = self.transfer.request;
        let bytes = bytes.to_vec();
        let written = self.line.ask(|reply| Command::WriteContent {
            request,
            bytes,
            reply,
        });
        self.failed = match written.await {
            Ok(()) => None,
            // The guest takes no more: its answer says why.
            Err(LiveError::StdinClosed) => Some(match self.answered().await {
                Err(error) => error,
                Ok(_) => LiveError::StdinClosed,
            }),
            Err(error) => Some(error),
        };
        match &self.failed {
            None => Ok(()),
            Some(error) => Err(error.clone()),
        }
    }

    /// Puts the file in its place, whole; its size in bytes.
    pub async fn finish(mut self) -> Result<u64, LiveError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let request = self.transfer.request;
        self.line.tell(Command::FinishContent { request }).await?;
        self.answered().await
    }

    async fn answered(&mut self) -> Result<u64, LiveError> {
        let answer = (&mut self.answer).await;
        self.transfer.over = true;
        answer.unwrap_or_else(|_| Err(self.line.gone()))
    }
}
