//! One end of the channel: whole messages in and out, each wait with a deadline.

use protocol::frame::{FrameDecoder, FrameError, encode};
use protocol::wire::{GuestMessage, HostMessage};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{Instant, timeout_at};
use vmm::Channel;

/// Bytes read from the channel at once.
const READ_BYTES: usize = 64 * 1024;

/// How long the guest may take to accept what it is sent: it reads at once or it is broken.
pub const SEND_DEADLINE: Duration = Duration::from_secs(10);

/// Why a talk cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum TalkError {
    /// What came is no message.
    #[error("the guest sent what is no message: {0}")]
    Frame(#[from] FrameError),
    /// The channel broke.
    #[error("the channel to the guest broke")]
    Io(#[source] std::io::Error),
    /// The guest closed the channel between two messages.
    #[error("the guest closed the channel")]
    Closed,
    /// Nothing came, or nothing was accepted, in time.
    #[error("the guest was silent past the deadline")]
    Silent,
}

/// The sending half.
pub struct Sender(WriteHalf<Box<dyn Channel>>);

/// The receiving half. [`Receiver::next`] is cancel-safe: a message half read stays in the decoder.
pub struct Receiver {
    channel: ReadHalf<Box<dyn Channel>>,
    decoder: FrameDecoder,
    buffer: Box<[u8]>,
}

/// Splits a channel for talking in both directions at once.
pub fn open(channel: Box<dyn Channel>) -> (Sender, Receiver) {
    let (read, write) = tokio::io::split(channel);
    let receiver = Receiver {
        channel: read,
        decoder: FrameDecoder::of_guest(),
        buffer: vec![0; READ_BYTES].into(),
    };
    (Sender(write), receiver)
}

impl Sender {
    /// Sends messages as one write, so that the guest wakes once for all of them.
    pub async fn send(&mut self, messages: &[HostMessage]) -> Result<(), TalkError> {
        let mut bytes = Vec::new();
        for message in messages {
            bytes.extend(encode(message)?);
        }
        let written = async {
            self.0.write_all(&bytes).await?;
            self.0.flush().await
        };
        match tokio::time::timeout(SEND_DEADLINE, written).await {
            Ok(done) => done.map_err(TalkError::Io),
            Err(_) => Err(TalkError::Silent),
        }
    }
}

impl Receiver {
    /// The next message, or why there is none by the deadline.
    pub async fn next(&mut self, deadline: Instant) -> Result<GuestMessage, TalkError> {
        loop {
            if let Some(message) = self.decoder.next_message()? {
                return Ok(message);
            }
            let read = timeout_at(deadline, self.channel.read(&mut self.buffer))
                .await
                .map_err(|_| TalkError::Silent)?
                .map_err(TalkError::Io)?;
            if read == 0 {
                self.decoder.finish()?;
                return Err(TalkError::Closed);
            }
            self.decoder.feed(&self.buffer[..read]);
        }
    }
}
