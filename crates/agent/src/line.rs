//! The line to the host as bytes: a virtio-serial port (QEMU), a serial line (User-Mode Linux) or vsock (Firecracker).
//!
//! ```text
//!   port, line:  open once; a clone's host connects anew, the port and what came through it stay
//!   vsock:       listen once; a clone's host connects anew, the newest connection counts
//! ```
//!
//! Nothing here blocks but [`Line::wait`]. What could not be written yet waits in one buffer, whose size those who
//! produce watch ([`Line::is_full`]).

use crate::error::{AgentError, Step};
use guest_channel::GuestEnd;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::socket::{self, SockFlag, VsockAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Bytes waiting for the host at which producers stop; one more message may go over it.
const FULL_BYTES: usize = 256 * 1024;
/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;
/// The host's address on vsock.
const HOST_CID: u32 = libc::VMADDR_CID_HOST;

/// The one line.
pub struct Line {
    /// The port, or the host's vsock connection when there is one.
    stream: Option<OwnedFd>,
    /// vsock only.
    listener: Option<OwnedFd>,
    /// Edge-triggered: a port without a host would otherwise report a hang-up for ever.
    events: Epoll,
    /// Read, and not taken yet.
    incoming: Vec<u8>,
    out: Vec<u8>,
    /// Bytes of `out` that are written already.
    sent: usize,
    /// vsock: the host was there, so its going away is a change.
    connected: bool,
    /// vsock: a host that had been there went since [`Line::take`].
    lost: bool,
}

/// What came since the last time.
pub struct Taken {
    /// The bytes, of the newest host.
    pub bytes: Vec<u8>,
    /// They are a new talk's: the one before is over, in the middle of whatever it was.
    pub is_new_talk: bool,
}

impl Line {
    /// Finds the host's end.
    pub fn open() -> Result<Line, AgentError> {
        let events = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).step(|| "epoll")?;
        let mut line = Line {
            stream: None,
            listener: None,
            events,
            incoming: Vec::new(),
            out: Vec::new(),
            sent: 0,
            connected: false,
            lost: false,
        };
        let end = guest_channel::open()?;
        fcntl(&end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
            .step(|| "make the channel non-blocking")?;
        line.watch(end.as_fd())?;
        match end {
            GuestEnd::Stream(port) => line.stream = Some(port),
            GuestEnd::Vsock(listener) => line.listener = Some(listener),
        }
        Ok(line)
    }

    /// Readable when the line has something to do; then call [`Line::turn`].
    pub fn events(&self) -> BorrowedFd<'_> {
        self.events.0.as_fd()
    }

    /// Queues bytes and writes what the host takes now.
    pub fn send(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
        self.write();
    }

    /// Bytes that wait for the host.
    pub fn queued_bytes(&self) -> usize {
        self.out.len() - self.sent
    }

    /// Says whether producers should wait.
    pub fn is_full(&self) -> bool {
        self.queued_bytes() > FULL_BYTES
    }

    /// Whether something has come that was not taken.
    pub fn has_arrived(&self) -> bool {
        !self.incoming.is_empty() || self.lost
    }

    /// What has come.
    pub fn take(&mut self) -> Taken {
        Taken {
            bytes: std::mem::take(&mut self.incoming),
            is_new_talk: std::mem::take(&mut self.lost),
        }
    }

    /// Takes connections, reads and writes, all as far as it goes without waiting.
    pub fn turn(&mut self) -> Result<(), AgentError> {
        let mut events = [EpollEvent::empty(); 4];
        let _ = self.events.wait(&mut events, 0u8);
        self.accept()?;
        self.read();
        self.write();
        Ok(())
    }

    /// Waits for something to happen and does it.
    pub fn wait(&mut self, timeout: PollTimeout) -> Result<(), AgentError> {
        let mut fds = [PollFd::new(self.events(), PollFlags::POLLIN)];
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => self.turn(),
            Err(source) => Err(source).step(|| "poll the channel"),
        }
    }

    fn watch(&self, fd: BorrowedFd<'_>) -> Result<(), AgentError> {
        let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
        self.events
            .add(fd, EpollEvent::new(flags, 0))
            .step(|| "watch the channel")
    }

    /// vsock: the host's newest connection replaces an older one, which a restored VM has lost.
    fn accept(&mut self) -> Result<(), AgentError> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        while let Some(listener) = &self.listener {
            let Ok(connection) = socket::accept4(listener, flags) else {
                break;
            };
            let peer =
                socket::getpeername::<VsockAddr>(connection.as_raw_fd()).map(|peer| peer.cid());
            if peer != Ok(HOST_CID) {
                continue;
            }
            self.watch(connection.as_fd())?;
            // A `Hello` that found no host yet is still waiting in `out`.
            if self.connected {
                self.forget_talk();
            }
            self.stream = Some(connection);
        }
        Ok(())
    }

    fn read(&mut self) {
        let mut buffer = [0u8; READ_BYTES];
        while let Some(stream) = &self.stream {
            match nix::unistd::read(stream, &mut buffer) {
                Ok(0) => {
                    self.host_gone();
                    return;
                }
                Ok(count) => {
                    self.connected = true;
                    self.incoming.extend_from_slice(&buffer[..count]);
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return,
                Err(_) => {
                    self.host_gone();
                    return;
                }
            }
        }
    }

    fn write(&mut self) {
        while self.sent < self.out.len() {
            let Some(stream) = &self.stream else { return };
            match nix::unistd::write(stream, &self.out[self.sent..]) {
                Ok(count) => {
                    self.connected = true;
                    self.sent += count;
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break,
                Err(_) => return self.host_gone(),
            }
        }
        // Keeps the buffer short without moving what is left on every write.
        if self.sent == self.out.len() {
            self.out.clear();
            self.sent = 0;
        } else if self.sent > FULL_BYTES {
            self.out.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// vsock: this connection is over. A port answers 0 while the driver knows of no host, which in
    /// a clone may be the template's, gone before the snapshot: the clone's own has often spoken
    /// before the driver learns that it is there. A port's host never changes within one VM, and a
    /// template's ends between two messages, so there is nothing to forget.
    fn host_gone(&mut self) {
        if self.listener.is_none() {
            return;
        }
        if self.connected {
            self.forget_talk();
        }
        self.stream = None;
    }

    /// Half a message in either direction means nothing to the next host.
    fn forget_talk(&mut self) {
        self.incoming.clear();
        self.out.clear();
        self.sent = 0;
        self.connected = false;
        self.lost = true;
    }
}
