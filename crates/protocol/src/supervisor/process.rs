//! One process: what it is started with, what is done to it, how it ended.

use super::ProcessId;
use crate::link::StreamId;
use crate::wire::Ending;
use serde::{Deserialize, Serialize};

/// What a stream that goes to a process, a file for it, or a port may be ahead of who takes it, in bytes (64 KiB); the host
/// has so much credit from the start.
pub const INPUT_WINDOW_BYTES: u32 = 64 * 1024;
/// Who gets a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalTarget {
    /// The process that was started.
    Process,
    /// Its process group: it and what it started, unless that left.
    Group,
    /// Everything in its cgroup; for SIGKILL.
    All,
}

/// A terminal's size, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalSize {
    /// Lines.
    pub rows: u16,
    /// Characters a line.
    pub columns: u16,
}

/// As whom a process runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessUser {
    /// The sandbox's own user: no capabilities.
    #[default]
    Sandbox,
    /// Root of the guest, with the few capabilities that installing things takes.
    Root,
}

/// A process to start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartProcess {
    /// Its name on this link.
    pub process: ProcessId,
    /// The program and its arguments; a program without `/` is looked for in `PATH`.
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: Vec<(String, String)>,
    /// Where it starts; absolute.
    pub cwd: String,
    /// As whom it runs.
    pub user: ProcessUser,
    /// Its standard input: a stream that goes to the guest, `None`: empty. A terminal always has one.
    pub stdin: Option<StreamId>,
    /// A terminal for all three, of this size; `None`: pipes.
    pub terminal: Option<TerminalSize>,
    /// Put into the work folder before it starts.
    pub files: Vec<StartFile>,
    /// The stream that its output comes in on from the first byte on, as with `Follow`.
    pub output: Option<StreamId>,
    /// Bytes taken of each output; what is over is dropped, and said. 0: all of it.
    pub output_bytes: u64,
    /// An interpreter's orders: a stream that goes to the guest, read from [`ORDERS_FD`]; what is written to
    /// [`CONTROL_FD`] is output of the kind [`OutputKind::Control`]. `None`: it has neither.
    pub orders: Option<StreamId>,
    /// Further pairs of outputs, for a process with orders; at most [`LANES`].
    pub lanes: u8,
    /// Bytes kept of its output.
    pub kept_bytes: u64,
    /// What it may use.
    pub limits: ProcessLimits,
}

impl StartProcess {
    /// Streams that go to the process.
    pub fn inputs(&self) -> impl Iterator<Item = StreamId> {
        self.stdin.into_iter().chain(self.orders)
    }
}

/// A file for a process that is to start. Its content comes on a stream; it starts when all are whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartFile {
    /// Relative to the work folder, checked by [`crate::path::check_relative`].
    pub path: String,
    /// Goes to the guest.
    pub stream: StreamId,
}

/// An interpreter that waits, and what it is to become.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptProcess {
    /// Which one.
    pub process: ProcessId,
    /// The line that it reads as its order: what to become.
    pub order: String,
    /// Further orders: a stream that goes to the guest, `None`: there are none.
    pub orders: Option<StreamId>,
    /// Absolute paths. Where one of them is there, the interpreter has loaded what the program hides: it is not adopted.
    pub absent: Vec<String>,
    /// Its standard input: a stream that goes to the guest, `None`: at its end.
    pub stdin: Option<StreamId>,
    /// As in [`StartProcess`].
    pub files: Vec<StartFile>,
    /// Its output from now on.
    pub output: StreamId,
    /// As in [`StartProcess`].
    pub output_bytes: u64,
    /// What it may use; loading is not counted.
    pub limits: ProcessLimits,
}

impl AdoptProcess {
    /// Streams that go to the process.
    pub fn inputs(&self) -> impl Iterator<Item = StreamId> {
        self.stdin.into_iter().chain(self.orders)
    }
}

/// The limits of one process and of what it starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessLimits {
    /// Wall time, milliseconds; 0: as long as the sandbox lives.
    pub wall_millis: u64,
    /// CPU time of one process, whole seconds; 0: no bound.
    pub cpu_seconds: u64,
    /// Memory, bytes; 0: what the sandbox has.
    pub memory_bytes: u64,
    /// Processes and threads at one time.
    pub pids: u64,
    /// The largest file, bytes.
    pub file_size_bytes: u64,
    /// Files that one process may hold open.
    pub open_files: u64,
}

/// What a start failed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartStep {
    /// A file of it has no place.
    Files,
    /// The interpreter cannot become it; another process can.
    Adopt,
    /// There is no such program, or what its first line names is not there.
    Absent,
    /// The program may not be executed: a folder, no right to it, or no program of this kind of machine.
    Forbidden,
    /// Anything else after that.
    Launch,
}

impl StartStep {
    /// Whether it is one of the process' own: its files were there, and it was about to begin.
    pub fn is_of_launch(self) -> bool {
        matches!(
            self,
            StartStep::Absent | StartStep::Forbidden | StartStep::Launch
        )
    }
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessReport {
    /// What ended it.
    pub ending: Ending,
    /// The wait status' exit code, when it exited.
    pub exit_code: Option<i32>,
    /// The wait status' signal, when one ended it.
    pub signal: Option<i32>,
    /// Wall time, microseconds.
    pub wall_micros: u64,
    /// CPU time of it and what it started, microseconds.
    pub cpu_micros: u64,
    /// The most memory that they held, bytes.
    pub memory_peak_bytes: u64,
    /// How often the pids limit refused a new process or thread.
    pub pids_refused: u64,
    /// Bytes written until then.
    pub written_bytes: u64,
    /// Something was dropped from standard output.
    pub stdout_truncated: bool,
    /// Something was dropped from standard error.
    pub stderr_truncated: bool,
}
