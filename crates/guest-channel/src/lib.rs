//! Finds the guest's end of the channel. The agent and the one that `selftest` puts in its place both
//! stand on it: what one of them did not wait for, the host would take for the other's silence.
//!
//! ```text
//!   a virtio-serial device (QEMU)    its port with our name, once it has one     port
//!   none (Firecracker)               a vsock socket that listens for the host    vsock
//! ```
//!
//! What is opened blocks, and is close-on-exec.

mod port;
mod vsock;

use nix::errno::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The guest's end.
#[derive(Debug)]
pub enum GuestEnd {
    /// The port: one stream, for as long as the VM lives.
    Port(OwnedFd),
    /// A socket that listens: a clone's host connects anew.
    Vsock(OwnedFd),
}

impl AsFd for GuestEnd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        let (GuestEnd::Port(fd) | GuestEnd::Vsock(fd)) = self;
        fd.as_fd()
    }
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// A system call failed.
    #[error("{step}: {source}")]
    System {
        /// What was being done, with its operand.
        step: String,
        /// The kernel's answer.
        #[source]
        source: Errno,
    },
    /// A virtio-serial device that named no port of ours.
    #[error("the virtio-serial device showed no port named {name} in {seconds} s", name = protocol::wire::CHANNEL_NAME)]
    NoPort {
        /// How long it was waited for.
        seconds: u64,
    },
    /// Neither device.
    #[error("no virtio-serial device and no vsock device")]
    NoDevice,
}

/// Opens the port of a machine that has a virtio-serial device, else listens on vsock.
pub fn open() -> Result<GuestEnd, ChannelError> {
    match port::open()? {
        Some(port) => Ok(GuestEnd::Port(port)),
        None => vsock::listen().map(GuestEnd::Vsock),
    }
}

/// Adds what was being done to a system call's error.
trait Step<T> {
    /// `step` is only made when there is an error.
    fn step<S: Into<String>>(self, step: impl FnOnce() -> S) -> Result<T, ChannelError>;
}

impl<T, E: Into<std::io::Error>> Step<T> for Result<T, E> {
    fn step<S: Into<String>>(self, step: impl FnOnce() -> S) -> Result<T, ChannelError> {
        self.map_err(|error| ChannelError::System {
            step: step().into(),
            source: Errno::from_raw(error.into().raw_os_error().unwrap_or(Errno::EIO as i32)),
        })
    }
}
