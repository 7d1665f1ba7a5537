//! The same stream to the host that the real agent has, without its manners.

use crate::error::{Broken, Tried as _};
use guest_channel::GuestEnd;
use nix::libc;
use nix::sys::socket::accept;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::Duration;

/// How often a port is looked at while it has no host: it reads as ended and wakes nobody.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Hangs a line up; others refuse it (asm-generic/ioctls.h).
const TIOCVHANGUP: libc::Ioctl = 0x5437;

/// The stream, and how to get the next one when the host comes anew.
pub struct Channel {
    stream: File,
    listener: Option<OwnedFd>,
}

impl Channel {
    /// Opens the port or line, or waits for the host on vsock.
    pub fn open() -> Result<Channel, Broken> {
        let (stream, listener) = match guest_channel::open()? {
            GuestEnd::Stream(port) => (port.into(), None),
            GuestEnd::Vsock(listener) => (next_host(&listener)?, Some(listener)),
        };
        Ok(Channel { stream, listener })
    }

    /// The next bytes the host says; none: it went, and comes anew.
    pub fn read<'a>(&mut self, buffer: &'a mut [u8]) -> Result<&'a [u8], Broken> {
        match (self.stream.read(buffer), &self.listener) {
            (Ok(count), _) if count > 0 => return Ok(&buffer[..count]),
            (_, Some(listener)) => self.stream = next_host(listener)?,
            (_, None) => std::thread::sleep(LOOK_AGAIN),
        }
        Ok(&[])
    }

    /// Says these bytes, whatever they are; whether the host still takes them.
    pub fn is_heard(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Hangs up where that is possible; a port's host learns it from the VM's end.
    pub fn hang_up(&mut self) {
        let _ =
            nix::sys::socket::shutdown(self.stream.as_raw_fd(), nix::sys::socket::Shutdown::Both);
        // SAFETY: the descriptor is open, and the request takes no argument; a line hangs up by it.
        unsafe { libc::ioctl(self.stream.as_raw_fd(), TIOCVHANGUP) };
    }
}

fn next_host(listener: &OwnedFd) -> Result<File, Broken> {
    accept(listener).tried("vsock accept").map(File::from)
}
