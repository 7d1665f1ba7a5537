//! The talk with the host: frames over a virtio-serial port (QEMU) or vsock (Firecracker).
//!
//! ```text
//!   port:   open once; a clone's host connects anew, the port and what came through it stay
//!   vsock:  listen once; a clone's host connects anew, the newest connection counts
//! ```
//!
//! Nothing here blocks but [`Channel::receive`] and [`Channel::drain_to`]. What could not be
//! written yet waits in one buffer, whose size those who produce watch ([`Channel::is_full`]).

use crate::error::{AgentError, Step};
use guest_channel::GuestEnd;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::socket::{self, SockFlag, VsockAddr};
use protocol::frame::{self, FrameDecoder};
use protocol::wire::{GuestMessage, HostMessage};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// Bytes waiting for the host at which producers stop; one more message may go over it.
const FULL_BYTES: usize = 256 * 1024;
/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;
/// How long the last words of a failing agent may take to leave.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The host's address on vsock.
const HOST_CID: u32 = libc::VMADDR_CID_HOST;

/// The one channel.
pub struct Channel {
    /// The port, or the host's vsock connection when there is one.
    stream: Option<OwnedFd>,
    /// vsock only.
    listener: Option<OwnedFd>,
    /// Edge-triggered: a port without a host would otherwise report a hang-up for ever.
    events: Epoll,
    decoder: FrameDecoder,
    out: Vec<u8>,
    /// Bytes of `out` that are written already.
    sent: usize,
    /// vsock: the host was there, so its going away is a change.
    connected: bool,
}

impl Channel {
    /// Finds the host's end.
    pub fn open() -> Result<Channel, AgentError> {
        let events = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).step(|| "epoll")?;
        let mut channel = Channel {
            stream: None,
            listener: None,
            events,
            decoder: FrameDecoder::new(),
            out: Vec::new(),
            sent: 0,
            connected: false,
        };
        let end = guest_channel::open()?;
        fcntl(&end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
            .step(|| "make the channel non-blocking")?;
        channel.watch(end.as_fd())?;
        match end {
            GuestEnd::Stream(port) => channel.stream = Some(port),
            GuestEnd::Vsock(listener) => channel.listener = Some(listener),
        }
        Ok(channel)
    }

    /// Readable when the channel has something to do; then call [`Channel::turn`].
    pub fn events(&self) -> BorrowedFd<'_> {
        self.events.0.as_fd()
    }

    /// Queues one message and writes what the host takes now.
    pub fn send(&mut self, message: &GuestMessage) -> Result<(), AgentError> {
        let frame = frame::encode(message)?;
        self.out.extend_from_slice(&frame);
        self.write();
        Ok(())
    }

    /// Says whether producers should wait.
    pub fn is_full(&self) -> bool {
        self.out.len() - self.sent > FULL_BYTES
    }

    /// The next message, if a whole one is here.
    pub fn next_message(&mut self) -> Result<Option<HostMessage>, AgentError> {
        Ok(self.decoder.next_message()?)
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

    /// Waits for the host's next message, for as long as it takes.
    pub fn receive(&mut self) -> Result<HostMessage, AgentError> {
        loop {
            if let Some(message) = self.next_message()? {
                return Ok(message);
            }
            self.wait(PollTimeout::NONE)?;
        }
    }

    /// Waits for something to happen and does it; `false` once the deadline has passed.
    pub fn wait_until(&mut self, deadline: Instant) -> Result<bool, AgentError> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        let millis = i32::try_from(left.as_millis() + 1).unwrap_or(i32::MAX);
        self.wait(PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX))?;
        Ok(true)
    }

    /// Waits until no more than `bytes` are queued; the host's own deadline ends a wait in vain.
    pub fn drain_to(&mut self, bytes: usize) -> Result<(), AgentError> {
        while self.out.len() - self.sent > bytes {
            self.wait(PollTimeout::NONE)?;
        }
        Ok(())
    }

    /// Tells the host why this VM ends, for a bounded time.
    pub fn send_last_words(&mut self, error: &AgentError) {
        let reason = error.to_string();
        let _ = self.send(&GuestMessage::Failed { reason });
        let deadline = Instant::now() + LAST_WORDS;
        while self.sent < self.out.len() && Instant::now() < deadline {
            if self.wait(PollTimeout::from(100u8)).is_err() {
                return;
            }
        }
    }

    fn wait(&mut self, timeout: PollTimeout) -> Result<(), AgentError> {
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
                    self.decoder.feed(&buffer[..count]);
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

    /// Half a frame in either direction means nothing to the next host.
    fn forget_talk(&mut self) {
        self.decoder = FrameDecoder::new();
        self.out.clear();
        self.sent = 0;
        self.connected = false;
    }
}
