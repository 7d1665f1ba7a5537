//! The outputs of a process as they are read: in big pieces, within bounds, never ahead of who follows.

use super::output::OutputLog;
use crate::error::{AgentError, Step};
use nix::errno::Errno;
use protocol::bytes::whole_characters;
use protocol::supervisor::OutputKind;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;
/// After a small read a pipe is left alone for so long, so that a program writing a byte at a time makes hundreds of
/// records a second and not a hundred thousand.
const GATHER: Duration = Duration::from_millis(2);
/// A read of at least so much is worth the next one at once, bytes.
const WORTHWHILE_BYTES: usize = 16 * 1024;
/// Read of a process that is gone, at most, in bytes: what its pipes can hold (`/proc/sys/fs/pipe-max-size`, three of
/// them). What it left behind may write for ever.
const LAST_BYTES: u64 = 3 * 1024 * 1024;

/// All of a process.
pub struct Outputs {
    each: Vec<Output>,
    /// What was read.
    pub log: OutputLog,
    /// Those of which something was dropped.
    truncated: Vec<OutputKind>,
    /// Bytes that may still be read.
    left_bytes: u64,
    /// The one that is left alone for a while, at most one: what it has was written before what wakes us from another.
    alone: Option<OutputKind>,
}

/// One of them.
struct Output {
    kind: OutputKind,
    fd: OwnedFd,
    /// Not to be read before.
    due: Instant,
    /// Bytes that are taken of it; what is over is dropped.
    left_bytes: u64,
}

/// What became of a read.
enum Read {
    /// Nothing was there.
    Nothing,
    /// Something was.
    Some,
    /// There was no room for it.
    NoRoom,
}

impl Outputs {
    /// Of these ends, a control descriptor's last.
    pub fn new(ends: Vec<(OutputKind, OwnedFd)>, log: OutputLog) -> Outputs {
        let due = Instant::now();
        let output = |(kind, fd)| Output {
            kind,
            fd,
            due,
            left_bytes: u64::MAX,
        };
        Outputs {
            each: ends.into_iter().map(output).collect(),
            log,
            truncated: Vec::new(),
            left_bytes: u64::MAX,
            alone: None,
        }
    }

    /// With so many bytes of each; 0: all.
    pub fn bounded(mut self, bytes: u64) -> Outputs {
        self.bound(bytes);
        self
    }

    /// Takes so many bytes of each from here on; 0: all.
    pub fn bound(&mut self, bytes: u64) {
        for output in &mut self.each {
            output.left_bytes = if bytes == 0 { u64::MAX } else { bytes };
        }
    }

    /// Its process is gone: what comes now was written before, or by others.
    pub fn end_soon(&mut self) {
        self.left_bytes = LAST_BYTES;
    }

    /// Whether something of this one was dropped.
    pub fn is_truncated(&self, kind: OutputKind) -> bool {
        self.truncated.contains(&kind)
    }

    /// Those that may be read now, and when the others may; of none while there is no room.
    pub fn readable(&self, now: Instant) -> (Vec<BorrowedFd<'_>>, Option<Instant>) {
        let due = self.each.iter().filter(|output| output.due <= now);
        let later = self.each.iter().map(|output| output.due);
        let later = later.filter(|due| *due > now).min();
        (due.map(|output| output.fd.as_fd()).collect(), later)
    }

    /// Whether more may be read now.
    pub fn has_room(&self, unread_from: Option<u64>) -> bool {
        self.log.room(unread_from) > 0 && !self.is_spent()
    }

    /// Nothing more of what comes is the process' own.
    pub fn is_spent(&self) -> bool {
        self.left_bytes == 0
    }

    /// Reads as far as there is room without a follower losing something. `true`: all that is there now was read.
    pub fn read(&mut self, unread_from: Option<u64>) -> Result<bool, AgentError> {
        let mut drained = true;
        let mut kinds: Vec<OutputKind> = self.each.iter().map(|output| output.kind).collect();
        // In the order of writing, as far as it can be seen.
        kinds.sort_by_key(|kind| Some(*kind) != self.alone);
        for kind in kinds {
            // One that ended is out of the list.
            let place = self.each.iter().position(|output| output.kind == kind);
            let Some(place) = place else { continue };
            match self.read_one(place, unread_from)? {
                Read::NoRoom => return Ok(false),
                Read::Nothing => {}
                Read::Some => drained = false,
            }
        }
        Ok(drained)
    }

    /// Leaves one alone for a while, and no other.
    fn leave_alone(&mut self, place: usize) {
        let now = Instant::now();
        self.alone = Some(self.each[place].kind);
        for (at, output) in self.each.iter_mut().enumerate() {
            output.due = if at == place { now + GATHER } else { now };
        }
    }

    fn read_one(&mut self, place: usize, unread_from: Option<u64>) -> Result<Read, AgentError> {
        let mut buffer = [0u8; READ_BYTES];
        let room = self.log.room(unread_from).min(self.left_bytes);
        let room = room.min(READ_BYTES as u64) as usize;
        if room == 0 {
            return Ok(Read::NoRoom);
        }
        let output = &mut self.each[place];
        match nix::unistd::read(&output.fd, &mut buffer[..room]) {
            // EIO: no process has the terminal any more.
            Ok(0) | Err(Errno::EIO) => {
                self.each.remove(place);
                Ok(Read::Nothing)
            }
            Ok(count) => {
                if output.kind == OutputKind::Control {
                    self.read_what_came_before(place, unread_from)?;
                } else if count < WORTHWHILE_BYTES {
                    self.leave_alone(place);
                }
                self.left_bytes = match self.left_bytes {
                    u64::MAX => u64::MAX,
                    left => left.saturating_sub(count as u64),
                };
                self.take(place, &buffer[..count], unread_from);
                Ok(Read::Some)
            }
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(Read::Nothing),
            Err(source) => Err(source).step(|| "read a process' output"),
        }
    }

    /// What an interpreter printed before it said something is in its pipes by now: it goes first. They hold
    /// [`READ_BYTES`] each, so that is all of it, and it may exceed the room by as much.
    fn read_what_came_before(
        &mut self,
        control: usize,
        unread_from: Option<u64>,
    ) -> Result<(), AgentError> {
        let mut buffer = [0u8; READ_BYTES];
        for place in 0..control {
            match nix::unistd::read(&self.each[place].fd, &mut buffer) {
                Ok(count) => self.take(place, &buffer[..count], unread_from),
                Err(Errno::EAGAIN | Errno::EINTR | Errno::EIO) => {}
                Err(source) => return Err(source).step(|| "read a process' output"),
            }
        }
        Ok(())
    }

    /// Keeps what was read, as far as its bound goes; text is cut between characters.
    fn take(&mut self, place: usize, bytes: &[u8], unread_from: Option<u64>) {
        let output = &mut self.each[place];
        let mut kept = output.left_bytes.min(bytes.len() as u64) as usize;
        if kept < bytes.len() {
            kept = whole_characters(&bytes[..kept]);
            output.left_bytes = 0;
            if !self.truncated.contains(&output.kind) {
                self.truncated.push(output.kind);
            }
        } else if output.left_bytes != u64::MAX {
            output.left_bytes -= kept as u64;
        }
        self.log.append(output.kind, &bytes[..kept], unread_from);
    }
}
