//! What host and guest say of a sandbox's processes and files: the control messages of a [`crate::link`].
//!
//! ```text
//!  host                                guest (PID 1)
//!   |                       <- Hello                      after boot
//!   |  Resume ->                                          first thing after a boot or a clone: entropy, clock, names
//!   |  Supervise ->         <- Ready                      what its processes may use together
//!   |  Start, Adopt ->      <- Starting, then Started | NotStarted      inputs are streams that go to the guest
//!   |  Follow ->            <- Following, then its stream  output from an offset on, to its end
//!   |  Signal, Resize, Forget ->
//!   |                       <- Ended                      exactly one for each that started
//!   |  File ->              <- FileDone                   content travels on a stream
//!   |  Connect ->           <- Connected | NotConnected   a port of the sandbox: a stream each way
//!   |  OpenNetwork ->                                     its programs may ask for the outside: only under a policy
//!   |  Dialled | NotDialled ->   <- Dial                  a program connects to the outside: a stream each way
//!   |  Answer ->            <- Query                      a program asks for a name
//!   |  Clear ->             <- Cleared                    nothing of a warm-up stays
//!   |  Quiesce ->           <- Quiet                      interpreters wait; the link begins anew
//!   |  Hold ->              <- Quiet                      processes go on; the link begins anew: Resume, then Attach for each
//! ```
//!
//! A VM that is made ahead of its job starts interpreters and quiesces: nothing is in flight, and who talks to it next,
//! the same host or that of a clone, begins a link of its own with `Resume`, and adopts an interpreter that waits.
//!
//! A VM that is to be saved at work holds: its processes, what they wrote and what they were not given yet stay, and who
//! talks to it next gives their inputs new streams. Ends that come meanwhile are told on the next link.
//!
//! An output stream's data frames are records: the first byte says which output ([`OutputKind`]), the rest is what
//! was written. Offsets count written bytes, of all outputs of a process together, in the order of writing.
//! The guest is hostile: the host believes nothing here beyond what the sandbox's own programs could print.

mod connection;
mod files;
mod metadata;
mod outbound;
mod output;
mod process;

pub use connection::*;
pub use files::*;
pub use metadata::*;
pub use outbound::*;
pub use output::*;
pub use process::*;

use crate::bytes::Bytes;
use crate::link::StreamId;
use serde::{Deserialize, Serialize};

/// A process' name on the link: chosen by the host, never used again in its sandbox.
pub type ProcessId = u32;

/// Processes that a sandbox keeps, running or ended and not forgotten: each has its pipes and its output.
pub const MAX_PROCESSES: usize = 256;
/// Readers of outputs at one time.
pub const MAX_FOLLOWERS: usize = 512;
/// Kept of a process' output for who comes back, in bytes, where nobody says otherwise (1 MiB).
pub const DEFAULT_KEPT_BYTES: u64 = 1024 * 1024;
/// Kept of all outputs of a sandbox together, in bytes (32 MiB): it is the agent's memory, not the processes'.
pub const MAX_KEPT_BYTES: u64 = 32 * 1024 * 1024;

/// What makes a machine itself; sent after every boot and every clone, before anything of a client's runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// Fresh from the host's generator; credited, then the guest's generator is reseeded.
    pub entropy: Bytes,
    /// The host's wall clock, nanoseconds since 1970-01-01 UTC.
    pub unix_time_nanos: u64,
    /// The guest's new host name.
    pub hostname: String,
    /// Shown as `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
}

/// What the sandbox as a whole may use; sent before the first process, and again where it changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Supervise {
    /// Processes and threads at one time.
    pub pids: u64,
    /// Size of `/tmp` and of the work folder, in bytes each.
    pub tmpfs_bytes: u64,
    /// What the root file system takes in beside the image, in bytes; 0: it is read-only. Another one means another
    /// sandbox: no process may run.
    pub writable_bytes: u64,
    /// Kept of all outputs together, in bytes, at most [`MAX_KEPT_BYTES`]; its processes have that much less memory.
    pub kept_bytes: u64,
    /// The operator's system-call filter: a classic BPF program, each instruction as one `u64`
    /// (`code << 48 | jt << 40 | jf << 32 | k`). Empty: the built-in profile `default`.
    pub seccomp_program: Vec<u64>,
}

/// What the host says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum HostControl {
    /// Become a machine of its own: nothing of a template's randomness, time or names stays.
    Resume(Box<Resume>),
    /// Keep the sandbox as a whole within these bounds.
    Supervise(Box<Supervise>),
    /// Start a process.
    Start(Box<StartProcess>),
    /// Have an interpreter that waits become a process of the host's.
    Adopt(Box<AdoptProcess>),
    /// End the interpreters that wait: their memory is the others'.
    Dismiss {
        /// The one that stays, for it is to be adopted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        except: Option<ProcessId>,
    },
    /// Empty the folders that processes write to.
    Clear,
    /// Let go of all streams and hold still: whatever runs is an interpreter that waits.
    Quiesce,
    /// Let go of all streams, what is under way with files, and starts whose files are not whole; processes stay, and what
    /// they write is kept within its bounds.
    Hold,
    /// Have what a process that stayed reads come from these streams; what is not open any more is refused.
    Attach {
        /// The process' id; the host gives it.
        process: ProcessId,
        /// Goes to its standard input, or its terminal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stdin: Option<StreamId>,
        /// Goes to an interpreter's orders.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        orders: Option<StreamId>,
    },
    /// Send what a process wrote from an offset on, and go on until it has ended and all is sent.
    Follow {
        /// The process' id; the host gives it.
        process: ProcessId,
        /// The first byte that is wanted; what is no longer kept is left out.
        from: u64,
        /// Comes in at the host.
        stream: StreamId,
    },
    /// Send a signal.
    Signal {
        /// To whom.
        process: ProcessId,
        /// Its number.
        signal: i32,
        /// Which of its processes.
        to: SignalTarget,
    },
    /// Its terminal has another size.
    Resize {
        /// The process' id; the host gives it.
        process: ProcessId,
        /// The new one.
        size: TerminalSize,
    },
    /// Throw an ended process' output away.
    Forget {
        /// The process' id; the host gives it.
        process: ProcessId,
    },
    /// Do something with files, as the sandbox's user.
    File {
        /// Repeated in the answer.
        request: u32,
        /// What.
        operation: FileOperation,
    },
    /// Stop a file operation: a file that was being written stays what it was. No answer follows, unless it was on its
    /// way.
    AbortFile {
        /// Which; one that is over already is fine.
        request: u32,
    },
    /// Connect to what listens on a port of the sandbox, and carry its bytes both ways. Refusing what comes in ends both.
    Connect {
        /// On the sandbox's loopback address.
        port: u16,
        /// Goes to the guest, with [`INPUT_WINDOW_BYTES`] of credit from the start.
        to_guest: StreamId,
        /// Comes in at the host; the connection's name in what is answered.
        to_host: StreamId,
    },
    /// Capture what its programs connect to, whatever the address.
    OpenNetwork {
        /// At these ports, at most [`MAX_PORTS`].
        ports: Vec<u16>,
        /// Certificates that programs believe, PEM: shown as [`TRUST_FILE`].
        trust: Bytes,
    },
    /// The host carries the bytes of a program's connection. Refusing what comes in ends both directions.
    Dialled {
        /// As the guest named it.
        dial: u32,
        /// Goes to the guest, with [`OUTBOUND_WINDOW_BYTES`] of credit from the start.
        to_guest: StreamId,
        /// Comes in at the host.
        to_host: StreamId,
    },
    /// It does not: the program's connection is reset.
    NotDialled {
        /// As the guest named it.
        dial: u32,
    },
    /// What a program that asked for a name is answered.
    Answer {
        /// As the guest named the question.
        query: u32,
        /// A DNS message, at most [`MAX_QUERY_BYTES`].
        message: Bytes,
    },
}

/// What the guest says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum GuestControl {
    /// The agent is up.
    Hello {
        /// Must equal [`crate::wire::PROTOCOL_VERSION`].
        protocol: u32,
    },
    /// Processes may be started.
    Ready,
    /// The folders are empty.
    Cleared,
    /// Nothing is in flight; the next words on this line are a new link's.
    Quiet,
    /// A process is about to run; it does not before this is out of the guest.
    Starting {
        /// The process' id; the host gives it.
        process: ProcessId,
    },
    /// A process runs.
    Started {
        /// The process' id; the host gives it.
        process: ProcessId,
        /// Its number inside the sandbox.
        pid: u32,
    },
    /// A process never ran.
    NotStarted {
        /// The process' id; the host gives it.
        process: ProcessId,
        /// What failed.
        step: StartStep,
        /// Why.
        reason: String,
    },
    /// A stream of output begins.
    Following {
        /// Which stream.
        stream: StreamId,
        /// The offset of its first byte: later than asked for where that is no longer kept, earlier where it was never
        /// written.
        from: u64,
    },
    /// A process ended; what it wrote is all kept or sent by now.
    Ended {
        /// The process' id; the host gives it.
        process: ProcessId,
        /// How.
        report: ProcessReport,
    },
    /// A file operation is over.
    FileDone {
        /// The request's number.
        request: u32,
        /// What came of it.
        answer: FileAnswer,
    },
    /// Something listens on the port and has the connection.
    Connected {
        /// What comes of it: [`HostControl::Connect`]'s `to_host`.
        to_host: StreamId,
    },
    /// Nothing took the connection; both of its streams are over.
    NotConnected {
        /// The stream that nothing comes on.
        to_host: StreamId,
        /// The kernel's number for why (`errno`).
        errno: i32,
    },
    /// A program connected to the outside.
    Dial {
        /// The guest's name for it, not used again before it is answered.
        dial: u32,
        /// What it connected to.
        to: Destination,
    },
    /// A program asks for a name.
    Query {
        /// The guest's name for it, not used again before it is answered.
        query: u32,
        /// A DNS message, at most [`MAX_QUERY_BYTES`].
        message: Bytes,
    },
    /// The agent itself failed; this VM is of no use any more.
    Failed {
        /// At which step, and why.
        reason: String,
    },
}

#[cfg(test)]
mod tests;
