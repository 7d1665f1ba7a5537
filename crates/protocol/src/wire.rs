//! What host and guest say to each other, one message a frame (see [`crate::frame`]).
//!
//! ```text
//!  host                              guest (PID 1)
//!   |  <- Hello                        after boot
//!   |  Warm ->            <- Warmed    only before a snapshot: load one more zygote
//!   |  Wake ->            <- Awake     first thing after a boot or a clone: entropy, clock, names
//!   |  Run ->             <- Started   a phase (compile, execute) began
//!   |  Stdin, StdinEnd -> <- StdinTaken, Stdout, Stderr, Artifact
//!   |  Interrupt ->                   what Ctrl-C is at a terminal
//!   |                     <- Finished  exactly one, the last word about that job
//! ```
//!
//! The guest is hostile: the host believes nothing here beyond what the job itself could print.
//! A change of these types changes [`PROTOCOL_VERSION`] and `wire.jsonl`, which holds one of each message.

use crate::bytes::Bytes;
use crate::language::Language;
use serde::{Deserialize, Serialize};

/// The version of this file; host and agent must agree exactly, they ship together.
pub const PROTOCOL_VERSION: u32 = 4;

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

/// Bytes of one `Stdin`, `Stdout`, `Stderr` or `Artifact` message at most, before base64.
pub const MAX_CHUNK_BYTES: usize = 64 * 1024;

/// Bytes of stdin that the host may send ahead of the guest's `StdinTaken`.
pub const STDIN_WINDOW_BYTES: usize = 256 * 1024;

/// Files from `/work/out` that one job may hand out; the agent stops there, the host takes no more.
pub const MAX_ARTIFACTS: usize = 256;

/// What the host says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum HostMessage {
    /// Load one more interpreter that waits for a job, then hold still for a snapshot.
    Warm {
        /// Whose.
        language: Language,
    },
    /// Become a machine of its own: nothing of a template's randomness, time or names stays.
    Wake(Wake),
    /// Run one job.
    Run(Box<RunRequest>),
    /// More standard input for the running job.
    Stdin {
        /// At most [`MAX_CHUNK_BYTES`].
        data: Bytes,
    },
    /// Standard input ends here.
    StdinEnd,
    /// Interrupt the running program (SIGINT to its process group); nothing where none runs.
    Interrupt,
    /// Put a file into the work folder (sessions).
    PutFile(InputFile),
    /// List the regular files below the work folder (sessions).
    ListFiles,
    /// Send one file of the work folder as `Artifact` messages (sessions).
    GetFile {
        /// Relative to the work folder.
        path: String,
    },
}

/// What makes a machine itself; sent before the job, after every boot and every clone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wake {
    /// Fresh from the host's generator; credited, then the guest's generator is reseeded.
    pub entropy: Bytes,
    /// The host's wall clock, nanoseconds since 1970-01-01 UTC.
    pub unix_time_nanos: u64,
    /// The guest's new host name.
    pub hostname: String,
    /// Shown as `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
}

/// One job, as the guest needs to know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// Repeated in [`JobReport`]; the host checks it.
    pub trace_id: String,
    /// How to compile and run.
    pub language: Language,
    /// The program, UTF-8; as bytes, which JSON cannot make longer than their base64.
    pub code: Bytes,
    /// Its file, relative to the work folder, checked as the files' paths are.
    pub entry: String,
    /// What follows the program in its argv.
    pub args: Vec<String>,
    /// Added to the clean environment.
    pub env: Vec<(String, String)>,
    /// Put into the work folder before the job starts.
    pub files: Vec<InputFile>,
    /// What the job may use.
    pub limits: GuestLimits,
    /// `false`: use a loaded interpreter when there is one. `true`: always start a new one.
    pub fresh_interpreter: bool,
    /// Send what the job leaves in `/work/out`.
    pub collect_artifacts: bool,
    /// Keep the interpreter and its variables for the next `Run` (python and node sessions).
    pub session: bool,
    /// The job's system-call filter: a classic BPF program, each instruction as one `u64`
    /// (`code << 48 | jt << 40 | jf << 32 | k`). Empty: the built-in profile `default`.
    pub seccomp_program: Vec<u64>,
}

/// A file handed to the job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
    /// Relative to the work folder, checked by [`crate::path::check_relative`].
    pub path: String,
    /// Its content.
    pub data: Bytes,
}

/// The job's limits that the guest keeps; the host keeps its own deadlines besides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuestLimits {
    /// Wall time of the program itself, milliseconds.
    pub execute_millis: u64,
    /// Wall time of the compiler, milliseconds.
    pub compile_millis: u64,
    /// CPU time of one process of the job, whole seconds (`RLIMIT_CPU`).
    pub cpu_seconds: u64,
    /// Memory of all the job's processes and of its tmpfs files together; 0: what the VM can spare.
    pub memory_bytes: u64,
    /// Processes and threads of the job at one time.
    pub pids: u64,
    /// Bytes kept of stdout, and of stderr; what is over is dropped.
    pub output_bytes: u64,
    /// The largest file that the job may write (`RLIMIT_FSIZE`).
    pub file_size_bytes: u64,
    /// Size of `/tmp` and of the work folder, each.
    pub tmpfs_bytes: u64,
    /// Files that one process may hold open (`RLIMIT_NOFILE`).
    pub open_files: u64,
    /// Bytes of all artifacts together.
    pub artifact_bytes: u64,
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

/// What the guest says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum GuestMessage {
    /// The agent is up.
    Hello {
        /// Must equal [`PROTOCOL_VERSION`].
        protocol: u32,
    },
    /// The zygote is loaded and idle; a snapshot may be taken now.
    Warmed,
    /// `Wake` was carried out.
    Awake,
    /// A phase of the job began.
    Started {
        /// Which.
        phase: Phase,
    },
    /// The job wrote to standard output.
    Stdout {
        /// At most [`MAX_CHUNK_BYTES`].
        data: Bytes,
    },
    /// The job, or its compiler, wrote to standard error.
    Stderr {
        /// At most [`MAX_CHUNK_BYTES`].
        data: Bytes,
    },
    /// The job read standard input: the host may send that many more bytes.
    StdinTaken {
        /// Bytes since the last such message.
        bytes: u64,
    },
    /// A piece of a file from `/work/out`, or the answer to `GetFile`.
    Artifact {
        /// Relative to `/work/out` (or to the work folder, for `GetFile`).
        path: String,
        /// The next piece; pieces of one file come in order and are not mixed with another's.
        data: Bytes,
        /// This was the file's last piece.
        last: bool,
    },
    /// The answer to `ListFiles`.
    Files {
        /// Every regular file, in order of its path.
        files: Vec<FileEntry>,
    },
    /// The answer to `PutFile`, and the end of `GetFile`.
    FileDone {
        /// Why it failed, if it did.
        error: Option<String>,
    },
    /// The job is over; nothing about it follows.
    Finished(Box<JobReport>),
    /// The job could not begin, for a reason of its own: its files have no room. The VM serves on.
    Refused {
        /// What was refused, and why.
        reason: String,
    },
    /// The agent itself failed; this VM is of no use any more.
    Failed {
        /// At which step, and why.
        reason: String,
    },
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

/// How the job ended, as the guest saw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobReport {
    /// The job that this is about.
    pub trace_id: String,
    /// In which phase it ended.
    pub phase: Phase,
    /// How.
    pub ending: Ending,
    /// The wait status' exit code, when the process exited.
    pub exit_code: Option<i32>,
    /// The wait status' signal, when one ended the process.
    pub signal: Option<i32>,
    /// Something was dropped from stdout.
    pub stdout_truncated: bool,
    /// Something was dropped from stderr.
    pub stderr_truncated: bool,
    /// Something was left out of the artifacts.
    pub artifacts_truncated: bool,
    /// Wall time of the compiler, microseconds (0 without one).
    pub compile_micros: u64,
    /// Wall time of the program, microseconds.
    pub execute_micros: u64,
    /// CPU time of the whole job, microseconds.
    pub cpu_micros: u64,
    /// The most memory that the job held, bytes.
    pub memory_peak_bytes: u64,
    /// How often the pids limit refused a new process or thread.
    pub pids_refused: u64,
    /// The job ran in an interpreter that was loaded before it came.
    pub zygote: bool,
    /// Sessions: the value and error of the cell, as the driver in the guest tells them.
    pub session: Option<SessionReport>,
}

/// What ended the job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ending {
    /// The process ended by itself: exit code or signal say how.
    Exited,
    /// A limit ended it.
    Limit {
        /// Which.
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

#[cfg(test)]
mod tests;
