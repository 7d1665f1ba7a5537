//! One of the job's outputs on its way to the host: read in big pieces, bounded, never ahead of
//! what the host takes.

use crate::channel::Channel;
use crate::error::{AgentError, Step};
use nix::errno::Errno;
use nix::fcntl::{SpliceFFlags, splice};
use protocol::bytes::{Bytes, whole_characters};
use protocol::wire::{GuestMessage, MAX_CHUNK_BYTES};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// After a small read the pipe is left alone for so long, so that a program writing a byte at a
/// time makes hundreds of messages a second and not a hundred thousand.
const GATHER: Duration = Duration::from_millis(2);
/// A read of at least so much is worth the next one at once.
const WORTHWHILE_BYTES: usize = 16 * 1024;
/// Bytes thrown away by one call once the budget is used up.
const DISCARD_BYTES: usize = 1 << 20;

/// Stdout or stderr.
pub struct Stream {
    message: fn(Bytes) -> GuestMessage,
    pipe: Option<OwnedFd>,
    /// Bytes that may still be sent.
    budget: u64,
    /// Something was dropped.
    pub truncated: bool,
    /// Not to be read before.
    due: Instant,
    discard: File,
}

impl Stream {
    /// A stream that may send `budget` bytes over all phases of the job.
    pub fn new(message: fn(Bytes) -> GuestMessage, budget: u64) -> Result<Stream, AgentError> {
        let discard = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/null")
            .step(|| "open /dev/null")?;
        Ok(Stream {
            message,
            pipe: None,
            budget,
            truncated: false,
            due: Instant::now(),
            discard,
        })
    }

    /// Goes on with another pipe.
    pub fn attach(&mut self, pipe: OwnedFd) {
        self.pipe = Some(pipe);
        self.due = Instant::now();
    }

    /// Gives the pipe back, unless it ended.
    pub fn detach(&mut self) -> Option<OwnedFd> {
        self.pipe.take()
    }

    /// The pipe, unless it ended.
    pub fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// When it may be read next.
    pub fn due(&self) -> Instant {
        self.due
    }

    /// Whether it is left alone for a while.
    pub fn is_left_alone(&self) -> bool {
        self.due > Instant::now()
    }

    /// Ends that.
    pub fn read_at_once(&mut self) {
        self.due = Instant::now();
    }

    /// Reads once and passes it on; over the budget it is thrown away without being looked at.
    /// `false`: there is nothing more, or nothing more now.
    pub fn turn(&mut self, channel: &mut Channel) -> Result<bool, AgentError> {
        let Some(pipe) = &self.pipe else {
            return Ok(false);
        };
        let mut buffer = [0u8; MAX_CHUNK_BYTES];
        let read = match self.budget {
            0 => splice(
                pipe,
                None,
                &self.discard,
                None,
                DISCARD_BYTES,
                SpliceFFlags::SPLICE_F_NONBLOCK,
            ),
            _ => nix::unistd::read(pipe, &mut buffer),
        };
        let count = match read {
            Ok(count) => count,
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(false),
            Err(source) => return Err(source).step(|| "read the job's output"),
        };
        if count == 0 {
            self.pipe = None;
            return Ok(false);
        }
        if count < WORTHWHILE_BYTES {
            self.due = Instant::now() + GATHER;
        }
        let mut kept = self.budget.min(count as u64) as usize;
        self.budget -= kept as u64;
        if kept < count {
            self.truncated = true;
            kept = whole_characters(&buffer[..kept]);
        }
        if kept > 0 {
            channel.send(&(self.message)(Bytes(buffer[..kept].to_vec())))?;
        }
        Ok(true)
    }

    /// Takes what was written up to now; the host's pace decides how long it takes.
    pub fn finish(&mut self, channel: &mut Channel) -> Result<(), AgentError> {
        while self.turn(channel)? {
            if channel.is_full() {
                channel.drain_to(0)?;
            }
        }
        Ok(())
    }
}
