//! One end of the channel, as bytes; what they mean is a [`protocol::link`]'s.

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use vmm::Channel;

/// Bytes read from the channel at once.
const READ_BYTES: usize = 64 * 1024;

/// Why a talk cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum TalkError {
    /// What came is nothing that a link carries.
    #[error("the guest broke the protocol: {0}")]
    Link(#[from] protocol::link::LinkError),
    /// The channel broke.
    #[error("the channel to the guest broke")]
    Io(#[source] std::io::Error),
    /// The guest closed the channel.
    #[error("the guest closed the channel")]
    Closed,
    /// Nothing came, or nothing was accepted, in time.
    #[error("the guest was silent past the deadline")]
    Silent,
}

/// The sending half.
pub struct Sender(WriteHalf<Box<dyn Channel>>);

/// The receiving half.
pub struct Receiver {
    channel: ReadHalf<Box<dyn Channel>>,
    buffer: Box<[u8]>,
}

/// Splits a channel for talking in both directions at once.
pub fn open(channel: Box<dyn Channel>) -> (Sender, Receiver) {
    let (read, write) = tokio::io::split(channel);
    let receiver = Receiver {
        channel: read,
        buffer: vec![0; READ_BYTES].into(),
    };
    (Sender(write), receiver)
}

impl Sender {
    /// Writes bytes, as many as the channel takes now. Cancel-safe.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<usize, TalkError> {
        match self.0.write(bytes).await.map_err(TalkError::Io)? {
            0 => Err(TalkError::Closed),
            written => Ok(written),
        }
    }

    /// Sees what was written off. Cancel-safe.
    pub async fn flush(&mut self) -> Result<(), TalkError> {
        self.0.flush().await.map_err(TalkError::Io)
    }
}

impl Receiver {
    /// Bytes as they come, at least one and at most 64 KiB. Cancel-safe.
    pub async fn read(&mut self) -> Result<&[u8], TalkError> {
        match self
            .channel
            .read(&mut self.buffer)
            .await
            .map_err(TalkError::Io)?
        {
            0 => Err(TalkError::Closed),
            read => Ok(&self.buffer[..read]),
        }
    }
}
