//! A job on its way out: one [`JobResult`], whatever way it ended.

mod egress;

pub use egress::{EgressDenied, EgressUse};

use crate::bytes::Bytes;
use crate::error_code::ErrorCode;
use crate::trace_id::TraceId;
use crate::wire::{LimitName, Phase, SessionReport};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

/// How a job ended, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The program exited with 0.
    Ok,
    /// The program or its compiler exited with another code, or died of its own signal.
    Error,
    /// A wall or CPU time limit ended it.
    Timeout,
    /// The memory limit ended it.
    Oom,
    /// Another wall ended it, or the caller did.
    Killed,
    /// It was refused and never ran.
    Rejected,
    /// The sandbox failed; nothing is known about the program.
    Internal,
}

/// Every status, in the order of the documentation.
pub const STATUSES: &[Status] = &[
    Status::Ok,
    Status::Error,
    Status::Timeout,
    Status::Oom,
    Status::Killed,
    Status::Rejected,
    Status::Internal,
];

impl Status {
    /// The word, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Error => "error",
            Status::Timeout => "timeout",
            Status::Oom => "oom",
            Status::Killed => "killed",
            Status::Rejected => "rejected",
            Status::Internal => "internal",
        }
    }
}

/// The tool's exit code on a time-out (as `timeout(1)`).
pub const EXIT_TIMEOUT: u8 = 124;
/// The tool's exit code when the sandbox itself failed (as `docker run`).
pub const EXIT_INTERNAL: u8 = 125;
/// The tool's exit code when memory ran out (128 + SIGKILL).
pub const EXIT_OOM: u8 = 137;
/// The tool's exit code for a refused job.
pub const EXIT_REJECTED: u8 = 2;

/// Which way the VM came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BootPath {
    /// A VM that was ready and waiting.
    Pool,
    /// A copy-on-write clone of a snapshot.
    Clone,
    /// A cold boot.
    Boot,
}

impl BootPath {
    /// The word, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            BootPath::Pool => "pool",
            BootPath::Clone => "clone",
            BootPath::Boot => "boot",
        }
    }
}

/// Seconds as JSON has them: to the microsecond, which is what is measured. Sums of binary fractions have a tail that
/// says nothing (0.30000000000000004).
pub fn micros<S: Serializer>(seconds: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((seconds * 1e6).round() / 1e6)
}

/// The same where there may be none.
pub fn micros_of_some<S: Serializer>(
    seconds: &Option<f64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match seconds {
        Some(seconds) => micros(seconds, serializer),
        None => serializer.serialize_none(),
    }
}

/// Wall times, in seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Timings {
    /// Waiting to be admitted.
    #[serde(serialize_with = "micros")]
    pub queue: f64,
    /// Until the VM took the job, whichever way it came.
    #[serde(serialize_with = "micros")]
    pub boot: f64,
    /// The compiler, 0 without one.
    #[serde(serialize_with = "micros")]
    pub compile: f64,
    /// The program.
    #[serde(serialize_with = "micros")]
    pub execute: f64,
    /// All of it, from the request to the result.
    #[serde(serialize_with = "micros")]
    pub total: f64,
    /// Which way the VM came.
    pub path: Option<BootPath>,
    /// The program ran in an interpreter that was loaded before it came.
    pub zygote: bool,
}

/// What the job used.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Usage {
    /// CPU time of all its processes.
    #[serde(serialize_with = "micros")]
    pub cpu_seconds: f64,
    /// The most memory it held, in MiB.
    pub memory_peak_mib: f64,
}

/// What held the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Isolation {
    /// `qemu`, `firecracker` or `uml`.
    pub engine: String,
    /// `kvm`, `tcg` or, of User-Mode Linux, `none`.
    pub accelerator: String,
    /// What stands around the VMM.
    pub jail: String,
    /// What stands around a program inside its VM.
    pub guest: GuestWall,
}

/// The wall inside a VM.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GuestWall {
    /// Every program is an unprivileged user without capabilities.
    #[default]
    Confined,
    /// Programs were root there: this wall is down, and the VM is the wall.
    Root,
}

impl GuestWall {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            GuestWall::Confined => "confined",
            GuestWall::Root => "root",
        }
    }
}

/// The limit that ended the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LimitHit {
    /// The limit's name, as in the request.
    pub name: LimitName,
    /// Its value, in `unit`.
    pub value: u64,
    /// The unit of `value`.
    pub unit: &'static str,
    /// The forbidden call's name or number, for a system call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syscall: Option<String>,
}

/// Why there is no result of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The stable code.
    pub code: ErrorCode,
    /// What happened, and what to do.
    pub message: String,
    /// The request's field, for a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
}

/// A file that the job left in `/work/out`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArtifactFile {
    /// Relative to `/work/out`.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// Its content.
    pub data: Bytes,
}

/// Everything there is to say about one job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobResult {
    /// The job.
    pub trace_id: TraceId,
    /// How it ended.
    pub status: Status,
    /// The program's (or compiler's) exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// In which phase it ended.
    pub phase: Option<Phase>,
    /// What it printed, up to the limit.
    pub stdout: Vec<u8>,
    /// What it, or its compiler, printed to standard error, up to the limit.
    pub stderr: Vec<u8>,
    /// Something was dropped from stdout.
    pub stdout_truncated: bool,
    /// Something was dropped from stderr.
    pub stderr_truncated: bool,
    /// Wall times.
    pub timings: Timings,
    /// What it used.
    pub usage: Usage,
    /// What held it; `None` when it was refused before a VM was chosen.
    pub isolation: Option<Isolation>,
    /// The limit that ended it.
    pub limit: Option<LimitHit>,
    /// Why there is no result of the program.
    pub failure: Option<Failure>,
    /// What else the caller should know.
    pub notes: Vec<String>,
    /// Files from `/work/out`.
    pub artifacts: Vec<ArtifactFile>,
    /// A session cell's values and error.
    pub session: Option<SessionReport>,
    /// What came of its way out; `None`: it had none.
    pub egress: Option<EgressUse>,
}

impl JobResult {
    /// A result that says only that this job did not run.
    pub fn failed(trace_id: TraceId, status: Status, failure: Failure) -> JobResult {
        JobResult {
            trace_id,
            status,
            exit_code: None,
            signal: None,
            phase: None,
            stdout: Vec::new(),
            stderr: Vec::new(),
            stdout_truncated: false,
            stderr_truncated: false,
            timings: Timings::default(),
            usage: Usage::default(),
            isolation: None,
            limit: None,
            failure: Some(failure),
            notes: Vec::new(),
            artifacts: Vec::new(),
            session: None,
            egress: None,
        }
    }

    fn lacks_image(&self) -> bool {
        let failure = self.failure.as_ref();
        failure.is_some_and(|failure| failure.code == ErrorCode::ImageMissing)
    }

    /// The exit code of a tool that stands for this job: the program's own where it ended by itself.
    pub fn tool_exit_code(&self) -> u8 {
        match self.status {
            Status::Ok => 0,
            Status::Error => match (self.exit_code, self.signal) {
                (Some(code), _) => u8::try_from(code).unwrap_or(1),
                (None, Some(signal)) => signal_exit(signal),
                (None, None) => 1,
            },
            Status::Timeout => EXIT_TIMEOUT,
            Status::Oom => EXIT_OOM,
            Status::Killed => signal_exit(self.signal.unwrap_or(9)),
            // Whoever builds images is to mend it, not who wrote the program.
            Status::Rejected if self.lacks_image() => EXIT_INTERNAL,
            Status::Rejected => EXIT_REJECTED,
            Status::Internal => EXIT_INTERNAL,
        }
    }
}

/// 128 + the signal, as shells do.
fn signal_exit(signal: i32) -> u8 {
    u8::try_from(signal.saturating_add(128)).unwrap_or(255)
}

impl Serialize for JobResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("JobResult", 19)?;
        out.serialize_field("trace_id", &self.trace_id)?;
        out.serialize_field("status", &self.status)?;
        out.serialize_field("exit_code", &self.exit_code)?;
        out.serialize_field("signal", &self.signal)?;
        out.serialize_field("phase", &self.phase)?;
        for (text, raw, bytes) in [
            ("stdout", "stdout_base64", &self.stdout),
            ("stderr", "stderr_base64", &self.stderr),
        ] {
            out.serialize_field(text, &String::from_utf8_lossy(bytes))?;
            // Only where the text above cannot say it.
            if std::str::from_utf8(bytes).is_err() {
                out.serialize_field(raw, &Bytes::from(bytes.as_slice()))?;
            }
        }
        out.serialize_field("stdout_truncated", &self.stdout_truncated)?;
        out.serialize_field("stderr_truncated", &self.stderr_truncated)?;
        out.serialize_field("timings", &self.timings)?;
        out.serialize_field("usage", &self.usage)?;
        out.serialize_field("isolation", &self.isolation)?;
        out.serialize_field("limit", &self.limit)?;
        out.serialize_field("failure", &self.failure)?;
        out.serialize_field("notes", &self.notes)?;
        if !self.artifacts.is_empty() {
            out.serialize_field("artifacts", &self.artifacts)?;
        }
        if let Some(session) = &self.session {
            out.serialize_field("session", session)?;
        }
        if let Some(egress) = &self.egress {
            out.serialize_field("egress", egress)?;
        }
        out.end()
    }
}

#[cfg(test)]
mod tests;
