//! Finds the guest's end of the channel. The agent and the one that `selftest` puts in its place both
//! stand on it: what one of them did not wait for, the host would take for the other's silence.
//!
//! ```text
//!   a word of the command line (UML) the serial line that it names               line
//!   a virtio-serial device (QEMU)    its port with our name, once it has one     port
//!   neither (Firecracker)            a vsock socket that listens for the host    vsock
//! ```
//!
//! What is opened blocks, and is close-on-exec.

mod line;
mod port;
mod vsock;

use nix::errno::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The guest's end.
#[derive(Debug)]
pub enum GuestEnd {
    /// A port or a line: one stream, for as long as the VM lives.
    Stream(OwnedFd),
    /// A socket that listens: a clone's host connects anew.
    Vsock(OwnedFd),
}

impl AsFd for GuestEnd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        let (GuestEnd::Stream(fd) | GuestEnd::Vsock(fd)) = self;
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

/// What the kernel's command line says after `NAME=`.
pub fn kernel_word(name: &str) -> Result<Option<String>, ChannelError> {
    let words = std::fs::read_to_string("/proc/cmdline").step(|| "read /proc/cmdline")?;
    Ok(value_of(name, &words).map(str::to_owned))
}

fn value_of<'a>(name: &str, words: &'a str) -> Option<&'a str> {
    words
        .split_ascii_whitespace()
        .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

/// Opens the line that the kernel was told of, else the port of a machine that has a virtio-serial
/// device, else listens on vsock.
pub fn open() -> Result<GuestEnd, ChannelError> {
    if let Some(line) = line::open()? {
        return Ok(GuestEnd::Stream(line));
    }
    match port::open()? {
        Some(port) => Ok(GuestEnd::Stream(port)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_by_its_whole_name() {
        let words = "quiet agent.channel=/dev/ttyS0 root=/dev/ubda\n";
        assert_eq!(value_of("root", words), Some("/dev/ubda"));
        assert_eq!(value_of("channel", words), None);
        assert_eq!(value_of("quiet", words), None);
    }
}
