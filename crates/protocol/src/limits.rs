//! Limits: what a job gets when it says nothing, and the most it may ask for.
//! The operator configures both; the bounds that no configuration lifts are constants here.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The largest program, in bytes (1 MiB).
pub const MAX_CODE_BYTES: usize = 1_048_576;
/// The longest timeout that any configuration allows, in seconds.
pub const MAX_TIMEOUT_SECONDS: f64 = 300.0;
/// The smallest VM that boots Debian's kernel and starts an interpreter, in MiB.
pub const MIN_MEMORY_MIB: u32 = 128;
/// Arguments and their bytes together: what `execve` surely takes (Linux: a quarter of the stack).
pub const MAX_ARGS: usize = 1024;
/// Environment variables that come with a job.
pub const MAX_ENV: usize = 1024;
/// The smallest bucket of `normalize_time`.
pub const MIN_NORMALIZE_TIME: Duration = Duration::from_millis(1);
/// The largest: the longest timeout.
pub const MAX_NORMALIZE_TIME: Duration = Duration::from_secs(MAX_TIMEOUT_SECONDS as u64);
/// Bytes of all arguments, and of all environment variables.
pub const MAX_ARG_BYTES: usize = 128 * 1024;
/// Files that come with a job.
pub const MAX_FILES: usize = 64;
/// Bytes of all files that come with a job: what fits one frame as base64 beside the code.
pub const MAX_FILES_BYTES: usize = 2 * 1024 * 1024;

/// What sandboxes may do that takes a wall away; nothing, unless the operator says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "host", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SandboxRules {
    /// Processes may be root in the guest: then the VM is the wall.
    pub guest_root: bool,
    /// The root file system may be written to, within `writable_mib`.
    pub writable: bool,
}

/// What one job may use; each default and maximum can be configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "host", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LimitValues {
    /// Wall time of the program, in seconds.
    #[cfg_attr(feature = "host", schemars(range(min = 0.0, max = 300.0)))]
    pub timeout_seconds: f64,
    /// Wall time of the compiler, in seconds.
    #[cfg_attr(feature = "host", schemars(range(min = 0.0, max = 300.0)))]
    pub compile_timeout_seconds: f64,
    /// CPU time of one process, in seconds; 0: as much as the wall time allows.
    pub cpu_seconds: u64,
    /// Memory of the VM, in MiB.
    #[cfg_attr(feature = "host", schemars(range(min = 128)))]
    pub memory_mib: u32,
    /// Virtual CPUs.
    #[cfg_attr(feature = "host", schemars(range(min = 1)))]
    pub vcpus: u32,
    /// Processes and threads at one time.
    #[cfg_attr(feature = "host", schemars(range(min = 1)))]
    pub pids: u64,
    /// Bytes kept of stdout, and of stderr.
    pub output_bytes: u64,
    /// The largest file a job may write, in bytes.
    pub file_size_bytes: u64,
    /// Size of `/tmp` and of the work folder, in MiB each; 0: a quarter of the memory.
    pub tmpfs_mib: u32,
    /// What the root of a sandbox that may write to it takes in, in MiB of its memory; 0: a quarter of that. At most
    /// half of the memory.
    pub writable_mib: u32,
    /// Files that one process may hold open.
    pub open_files: u64,
    /// Bytes of all files brought back from `/work/out`.
    pub artifact_bytes: u64,
}

impl Default for LimitValues {
    fn default() -> Self {
        LimitValues {
            timeout_seconds: 10.0,
            compile_timeout_seconds: 60.0,
            cpu_seconds: 0,
            memory_mib: 512,
            vcpus: 1,
            pids: 128,
            output_bytes: 1024 * 1024,
            file_size_bytes: 64 * 1024 * 1024,
            tmpfs_mib: 0,
            writable_mib: 0,
            open_files: 1024,
            artifact_bytes: 8 * 1024 * 1024,
        }
    }
}

/// The most that a job may ask for.
pub fn default_maxima() -> LimitValues {
    LimitValues {
        timeout_seconds: MAX_TIMEOUT_SECONDS,
        compile_timeout_seconds: MAX_TIMEOUT_SECONDS,
        cpu_seconds: 1200,
        memory_mib: 4096,
        vcpus: 4,
        pids: 4096,
        output_bytes: 16 * 1024 * 1024,
        file_size_bytes: 1024 * 1024 * 1024,
        tmpfs_mib: 2048,
        writable_mib: 2048,
        open_files: 65_536,
        artifact_bytes: 64 * 1024 * 1024,
    }
}

/// A job's limits after validation: every value is within its maximum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobLimits {
    /// Wall time of the program.
    pub timeout: Duration,
    /// Wall time of the compiler.
    pub compile_timeout: Duration,
    /// CPU time of one process.
    pub cpu: Duration,
    /// Memory of the VM, in MiB.
    pub memory_mib: u32,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// Processes and threads at one time.
    pub pids: u64,
    /// Bytes kept of stdout, and of stderr.
    pub output_bytes: u64,
    /// The largest file a job may write, in bytes.
    pub file_size_bytes: u64,
    /// Size of `/tmp` and of the work folder, in MiB each.
    pub tmpfs_mib: u32,
    /// What the root takes in, in MiB; 0: it is read-only.
    pub writable_mib: u32,
    /// Files that one process may hold open.
    pub open_files: u64,
    /// Bytes of all files brought back from `/work/out`.
    pub artifact_bytes: u64,
}
