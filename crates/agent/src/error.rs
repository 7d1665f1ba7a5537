//! What can go wrong in the agent. All but one end the VM: the host makes another.

use nix::errno::Errno;
use std::io::Write;

/// A failure of the agent, never of the job.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// A system call of the boot or of a job's setting up failed.
    #[error("{step}: {source}")]
    System {
        /// What was being done, with its operand.
        step: String,
        /// The kernel's answer.
        #[source]
        source: Errno,
    },
    /// The root disk never showed up.
    #[error("no {device} after {seconds} s; is virtio_blk in the initramfs and the disk attached?")]
    NoDisk {
        /// The device waited for.
        device: String,
        /// How long.
        seconds: u64,
    },
    /// No end of the channel to be found.
    #[error("no channel: {0}")]
    Channel(#[from] guest_channel::ChannelError),
    /// The host sent what does not belong on a link.
    #[error("link to the host: {0}")]
    Link(#[from] protocol::link::LinkError),
    /// The host sent a message that makes no sense now.
    #[error("message from the host out of turn: {0}")]
    OutOfTurn(&'static str),
    /// A job's file could not be put into the work folder: the one error that is the job's own.
    #[error("input file {path:?}: {reason}")]
    InputFile {
        /// As the host named it.
        path: String,
        /// Why not.
        reason: String,
    },
    /// A string with a NUL byte where the kernel wants none.
    #[error("{what} contains a NUL byte")]
    Nul {
        /// Which string.
        what: &'static str,
    },
}

/// Adds what was being done to a system call's error.
pub trait Step<T> {
    /// `step` is only made when there is an error.
    fn step<S: Into<String>>(self, step: impl FnOnce() -> S) -> Result<T, AgentError>;
}

impl<T, E: Into<std::io::Error>> Step<T> for Result<T, E> {
    fn step<S: Into<String>>(self, step: impl FnOnce() -> S) -> Result<T, AgentError> {
        self.map_err(|error| AgentError::System {
            step: step().into(),
            source: Errno::from_raw(error.into().raw_os_error().unwrap_or(libc::EIO)),
        })
    }
}

/// The step of a process' preparation that failed, and the kernel's answer.
pub type SetupFailure = (&'static str, nix::errno::Errno);

/// The step of a file operation that failed, and why.
pub type FileFailure = (&'static str, std::io::Error);

/// One line to the console; the host keeps its last lines for a VM that fails to start.
pub fn report(message: &dyn std::fmt::Display) {
    let line = format!("agent: {message}\n");
    if let Ok(mut console) = std::fs::OpenOptions::new().write(true).open("/dev/console") {
        let _ = console.write_all(line.as_bytes());
    }
}
