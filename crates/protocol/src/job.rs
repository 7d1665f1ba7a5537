//! A job on its way in: [`JobRequest`] is what a front door read, [`Job`] is what passed validation.
//! Only [`crate::validate`] makes a `Job`, so no room behind it checks again.

use crate::bytes::Bytes;
use crate::language::Language;
use crate::limits::JobLimits;
use crate::trace_id::TraceId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Whose a job is, as events, logs and accounts name it: a key's public part, never the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    /// The key's id; `local` of a service without keys.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// What a client asked for, unchecked. Absent values take the configured defaults.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobRequest {
    /// The key that asks; `None` where nobody is asked for one, as on the command line.
    pub owner: Option<Arc<Owner>>,
    /// A language's label, exactly: its name, and `@` and an image's where it is to run in another than its own.
    pub language: String,
    /// The program.
    pub code: String,
    /// Its file, relative to the work folder; `None`: the language's own name for it.
    pub entry: Option<String>,
    /// Given to the program.
    pub args: Vec<String>,
    /// Added to the program's environment.
    pub env: BTreeMap<String, String>,
    /// Put into the work folder before the program starts.
    pub files: Vec<JobFile>,
    /// Chosen by the client, else generated.
    pub trace_id: Option<String>,
    /// What the job may use.
    pub limits: RequestedLimits,
    /// Start a new interpreter even where a loaded one waits.
    pub fresh_interpreter: bool,
    /// Bring back what the job leaves in `/work/out`.
    pub collect_artifacts: bool,
    /// Answer only at the next multiple of this.
    pub normalize_time: Option<Duration>,
    /// The job's compiled system-call filter; empty for the built-in profile `default`.
    pub seccomp_program: Vec<u64>,
    /// How this job's code is scanned, when other than configured.
    pub scan: Option<ScanMode>,
    /// The operator's policy for what it may reach; `None`: it has no network.
    pub egress: Option<String>,
}

/// The limits that a client may set; `None` takes the default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequestedLimits {
    /// Seconds; any float, for validation to judge.
    pub timeout_seconds: Option<f64>,
    /// Seconds.
    pub compile_timeout_seconds: Option<f64>,
    /// Seconds.
    pub cpu_seconds: Option<u64>,
    /// MiB.
    pub memory_mib: Option<u64>,
    /// Count.
    pub vcpus: Option<u64>,
    /// Count.
    pub pids: Option<u64>,
    /// Bytes.
    pub output_bytes: Option<u64>,
    /// Bytes.
    pub file_size_bytes: Option<u64>,
    /// MiB that the root file system takes in, 0 for as configured; `None`: it is read-only.
    pub writable_mib: Option<u64>,
}

/// A file that comes with a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobFile {
    /// Relative to the work folder.
    pub path: String,
    /// Its content.
    pub data: Bytes,
}

/// What to do with code in which the scan finds a pattern.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "host", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ScanMode {
    /// Do not look.
    Off,
    /// Run it, with an event and a note in the result.
    #[default]
    Warn,
    /// Refuse it.
    Block,
}

/// A job that may be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its name everywhere.
    pub trace_id: TraceId,
    /// The key that asked for it.
    pub owner: Option<Arc<Owner>>,
    /// The program's language.
    pub language: Language,
    /// The program: UTF-8, 1 byte to 1 MiB.
    pub code: String,
    /// Its file, relative to the work folder; none of `files`, nor above or below one of them.
    pub entry: String,
    /// Given to the program; no NUL.
    pub args: Vec<String>,
    /// Added to the environment; plain names, no NUL.
    pub env: Vec<(String, String)>,
    /// Paths are relative, plain and distinct.
    pub files: Vec<JobFile>,
    /// All within their maxima.
    pub limits: JobLimits,
    /// Start a new interpreter even where a loaded one waits.
    pub fresh_interpreter: bool,
    /// Bring back what the job leaves in `/work/out`.
    pub collect_artifacts: bool,
    /// Answer only at the next multiple of this.
    pub normalize_time: Option<Duration>,
    /// The job's system-call filter; empty for the built-in profile `default`.
    pub seccomp_program: Vec<u64>,
    /// The operator's policy for what it may reach; `None`: it has no network.
    pub egress: Option<String>,
    /// Names of the patterns that the scan found, when it was told to warn.
    pub patterns_found: Vec<String>,
}
