//! What host and guest agree on besides what they say ([`crate::supervisor`]): the version, where the channel is, how
//! processes end.

use crate::bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The version of this file; host and agent must agree exactly, they ship together.
pub const PROTOCOL_VERSION: u32 = 12;

/// The vsock port that the agent listens on under Firecracker.
pub const VSOCK_PORT: u32 = 5000;

/// The name of the virtio-serial port that the agent talks through under QEMU.
pub const CHANNEL_NAME: &str = "llm-firecracker.agent";

/// The word of the kernel's command line that names the agent's serial line under User-Mode Linux.
pub const CHANNEL_WORD: &str = "agent.channel";

/// The word of the kernel's command line that asks the agent only to show that it runs.
pub const PROBE_WORD: &str = "agent.probe";

/// What it then writes to the console.
pub const PROBE_ANSWER: &str = "agent: a process of this guest runs";

/// Files from `/work/out` that one job may hand out; the agent stops there, the host takes no more.
pub const MAX_ARTIFACTS: usize = 256;

/// A file handed to the job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
    /// Relative to the work folder, checked by [`crate::path::check_relative`].
    pub path: String,
    /// Its content.
    pub data: Bytes,
}

/// Which part of a job is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The compiler runs.
    Compile,
    /// The program runs.
    Execute,
}

/// One file in the work folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Relative to the work folder.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
}

/// What ended the job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ending {
    /// The process ended by itself: exit code or signal say how.
    Exited,
    /// A limit ended it.
    Limit {
        /// The first limit that it met.
        limit: LimitName,
        /// The limit's value, in the unit that [`LimitName::unit`] gives.
        value: u64,
    },
    /// The system-call filter ended it.
    ForbiddenSyscall {
        /// The call's number in the guest's table.
        number: i64,
        /// Its name, when the agent knows it.
        name: Option<String>,
    },
}

impl Ending {
    /// Whether a process that ended so can have this exit code and signal.
    pub fn allows(&self, exit_code: Option<i32>, signal: Option<i32>) -> bool {
        match (exit_code, signal) {
            (Some(code), None) => (0..=255).contains(&code),
            // 1 to 64: Linux' signals (signal(7)).
            (None, Some(signal)) => (1..=64).contains(&signal),
            (None, None) => *self != Ending::Exited,
            (Some(_), Some(_)) => false,
        }
    }
}

/// The limits that can end a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitName {
    /// Wall time of a phase.
    WallTime,
    /// CPU time.
    CpuTime,
    /// Memory.
    Memory,
    /// Processes and threads.
    Pids,
    /// Bytes of output.
    Output,
    /// Size of one file.
    FileSize,
    /// A system call that the profile forbids.
    Syscall,
}

impl LimitName {
    /// The unit of this limit's value.
    pub fn unit(self) -> &'static str {
        match self {
            LimitName::WallTime => "ms",
            LimitName::CpuTime => "s",
            LimitName::Memory | LimitName::Output | LimitName::FileSize => "bytes",
            LimitName::Pids => "processes",
            LimitName::Syscall => "",
        }
    }
}

/// What a session's cell came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionReport {
    /// MIME type → data of each value shown, in order.
    pub results: Vec<std::collections::BTreeMap<String, String>>,
    /// The uncaught error, if there was one.
    pub error: Option<SessionError>,
    /// The interpreter is gone, and with it all variables; the next program gets a new one.
    pub lost: bool,
}

/// An error that a session's cell did not catch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionError {
    /// Its class.
    pub name: String,
    /// Its message.
    pub value: String,
    /// Its traceback, lines joined.
    pub traceback: String,
}
