//! What the handles of a live sandbox say to its task.

use super::connection::{Connecting, Streams};
use super::error::LiveError;
use super::files::{FileReader, Transfer};
use super::held::HeldGuest;
use super::launch::{Launch, LaunchSpec};
use super::network::Outside;
use super::output::Output;
use super::process::Known;
use super::watch::Watch;
use protocol::collection::CollectionBounds;
use protocol::link::StreamId;
use protocol::supervisor::{
    FileAnswer, FileOperation, HostControl, Metadata, ProcessId, SignalTarget, TerminalSize,
};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};

/// Where an answer goes; dropped without one: the sandbox is over.
pub(super) type Reply<T> = oneshot::Sender<Result<T, LiveError>>;

/// What of a process is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Input {
    Stdin,
    Orders,
}

/// Something to do. The task takes none while the guest does not take what it is sent.
#[derive(Debug)]
pub(super) enum Command {
    /// As [`super::Guest::launch`], and so on.
    Launch {
        spec: Box<LaunchSpec>,
        reply: Reply<Launch>,
    },
    /// What the guest does not answer.
    Tell {
        message: HostControl,
        reply: Reply<()>,
    },
    Settle {
        reply: Reply<()>,
    },
    Clear {
        reply: Reply<()>,
    },
    Quiesce {
        reply: Reply<()>,
    },
    /// Let go of the link; processes stay.
    Hold {
        reply: Reply<()>,
    },
    /// Take up what stayed.
    Attach {
        held: Box<HeldGuest>,
        reply: Reply<()>,
    },
    Follow {
        process: ProcessId,
        from: u64,
        reply: Reply<Output>,
    },
    Write {
        process: ProcessId,
        to: Input,
        bytes: Vec<u8>,
        reply: Reply<()>,
    },
    CloseStdin {
        process: ProcessId,
        reply: Reply<()>,
    },
    Signal {
        process: ProcessId,
        signal: i32,
        to: SignalTarget,
        reply: Reply<()>,
    },
    Resize {
        process: ProcessId,
        size: TerminalSize,
        reply: Reply<()>,
    },
    Forget {
        process: ProcessId,
        reply: Reply<()>,
    },
    /// Any file operation but the two that move content.
    File {
        operation: FileOperation,
        place: OwnedSemaphorePermit,
        reply: Reply<FileAnswer>,
    },
    Read {
        path: String,
        content: Content,
        place: OwnedSemaphorePermit,
        reply: Reply<FileReader>,
    },
    WriteFile {
        file: NewFile,
        place: OwnedSemaphorePermit,
        /// Gets the size of what was written, in the end.
        done: Reply<u64>,
        reply: Reply<Transfer>,
    },
    /// Tell what changes in a folder.
    Watch {
        path: String,
        depth: u32,
        place: OwnedSemaphorePermit,
        reply: Reply<Watch>,
    },
    /// Connect to a port.
    Connect {
        port: u16,
        place: OwnedSemaphorePermit,
        reply: Reply<Connecting>,
    },
    /// Hear of what programs connect to.
    OpenNetwork {
        ports: Vec<u16>,
        trust: Vec<u8>,
        outside: Outside,
        reply: Reply<()>,
    },
    /// More of a connection's stream.
    Send {
        stream: StreamId,
        bytes: Vec<u8>,
        reply: Reply<()>,
    },
    /// All of it was sent.
    FinishSending {
        stream: StreamId,
    },
    /// More of a file that is being written.
    WriteContent {
        request: u32,
        bytes: Vec<u8>,
        reply: Reply<()>,
    },
    /// All of it was sent.
    FinishContent {
        request: u32,
    },
}

/// A file that is to be written.
#[derive(Debug)]
pub(super) struct NewFile {
    /// Absolute.
    pub(super) path: String,
    /// What is attached to it.
    pub(super) metadata: Metadata,
}

/// What is read of a path.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    /// A file.
    File,
    /// All files below a folder.
    Collection(CollectionBounds),
}

/// What is said without waiting, also from a `Drop`. What was received bounds these in number.
#[derive(Debug)]
pub(super) enum Note {
    /// So many bytes of a stream were used.
    Used(StreamId, usize),
    /// An output is wanted no more.
    Unfollow(StreamId),
    /// The outcome of a file operation is wanted no more.
    Abandon(u32),
    /// A connection is wanted no more.
    Disconnect(Streams),
}

/// The way to the task, and what is known.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) known: watch::Receiver<Known>,
}

impl Line {
    /// Has something done that is answered.
    pub(super) async fn ask<T>(
        &self,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, LiveError> {
        let (reply, answer) = oneshot::channel();
        self.tell(command(reply)).await?;
        answer.await.unwrap_or_else(|_| Err(self.gone()))
    }

    /// Has something done.
    pub(super) async fn tell(&self, command: Command) -> Result<(), LiveError> {
        let told = self.commands.send(command).await;
        told.map_err(|_| self.gone())
    }

    /// Why nothing is answered any more.
    pub(super) fn gone(&self) -> LiveError {
        self.known.borrow().gone()
    }
}
