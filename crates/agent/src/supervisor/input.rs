//! What goes to a process: its standard input, an interpreter's orders. The link's credit bounds what waits here.

use nix::errno::Errno;
use protocol::link::StreamId;
use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Ctrl-D: what ends a terminal's input.
const END_OF_INPUT: u8 = 4;

/// Which input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// Standard input, a pipe.
    Stdin,
    /// A terminal.
    Terminal,
    /// Orders.
    Orders,
}

/// One input that is open.
pub struct Input {
    /// What its process reads it as.
    pub kind: InputKind,
    /// Where it comes from; `None` while its process waits.
    pub stream: Option<StreamId>,
    fd: OwnedFd,
    waiting: VecDeque<u8>,
    ended: bool,
}

/// What became of writing to an input.
pub struct Written {
    /// Where it comes from.
    pub stream: Option<StreamId>,
    /// Bytes that it took.
    pub bytes: usize,
    /// Whether it takes more.
    pub is_open: bool,
}

impl Input {
    /// One that has nothing yet.
    pub fn new(kind: InputKind, stream: StreamId, fd: OwnedFd) -> Input {
        Input {
            kind,
            stream: Some(stream),
            fd,
            waiting: VecDeque::new(),
            ended: false,
        }
    }

    /// Takes in what is for it.
    pub fn feed(&mut self, data: &[u8]) {
        self.waiting.extend(data);
    }

    /// It ends after what waits.
    pub fn end(&mut self) {
        self.ended = true;
        if self.kind == InputKind::Terminal {
            self.waiting.push_back(END_OF_INPUT);
        }
    }

    /// Where there is something to be written.
    pub fn writable(&self) -> Option<BorrowedFd<'_>> {
        (self.ended || !self.waiting.is_empty()).then(|| self.fd.as_fd())
    }

    /// Writes what is taken now.
    pub fn write(&mut self) -> Written {
        let (bytes, is_open) = self.write_some();
        let stream = self.stream;
        Written {
            stream,
            bytes,
            is_open,
        }
    }

    fn write_some(&mut self) -> (usize, bool) {
        let mut taken = 0;
        while !self.waiting.is_empty() {
            match nix::unistd::write(&self.fd, self.waiting.as_slices().0) {
                Ok(count) => {
                    self.waiting.drain(..count);
                    taken += count;
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return (taken, true),
                // Its reader closed it, or is gone.
                Err(_) => return (taken, false),
            }
        }
        (taken, !self.ended)
    }
}
