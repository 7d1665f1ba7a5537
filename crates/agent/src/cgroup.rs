//! The job's share of the machine: one cgroup, whose counters say what it cost and what it hit.

use crate::error::{AgentError, Step};
use nix::mount::{MsFlags, mount};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where the agent, and only the agent, sees cgroups.
const CGROUPS: &str = "/sys/fs/cgroup";
/// Of the memory that is free after boot, what a job never gets: the kernel must not run out
/// before the job does. Most of it is page cache of the interpreter, which is nobody's in the
/// job's cgroup; without it a hog makes the VM read its own program again and again, and meets
/// the time limit instead of its memory limit.
const RESERVE_BYTES: u64 = 64 * 1024 * 1024;
/// What the VM can spare, as it was after boot with nothing running.
static SPARE_BYTES: OnceLock<u64> = OnceLock::new();
/// What loaded interpreters hold that no job has got.
static WAITING_BYTES: AtomicU64 = AtomicU64::new(0);
/// The job's weight against the agent's (100): small, so a fork bomb does not slow its answers.
const CPU_WEIGHT: &str = "20";
/// What is handed down.
const CONTROLLERS: &str = "+memory +pids +cpu";
/// Of each cgroup.
const PROCESSES: &str = "cgroup.procs";

/// Mounts the hierarchy and hands the controllers down; once, at boot.
pub fn mount_hierarchy() -> Result<(), AgentError> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(
        Some("cgroup2"),
        CGROUPS,
        Some("cgroup2"),
        flags,
        None::<&str>,
    )
    .step(|| "mount cgroup2")?;
    let control = format!("{CGROUPS}/cgroup.subtree_control");
    let meminfo = std::fs::read_to_string("/proc/meminfo").step(|| "read /proc/meminfo")?;
    let available = field(&meminfo, "MemAvailable:") * 1024;
    let _ = SPARE_BYTES.set(available.saturating_sub(RESERVE_BYTES));
    std::fs::write(&control, CONTROLLERS).step(|| format!("write {control}"))
}

/// One cgroup; removed on drop, after everything in it was killed.
pub struct Cgroup {
    path: PathBuf,
    folder: File,
}

/// What the counters said at one time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time, microseconds.
    pub cpu_micros: u64,
    /// The most memory ever held, bytes.
    pub memory_peak_bytes: u64,
    /// Processes that the out-of-memory killer took.
    pub oom_kills: u64,
    /// Forks that the pids limit refused.
    pub pids_refused: u64,
}

impl Usage {
    /// What was used since `earlier`; a peak has no 'since'.
    pub fn since(&self, earlier: &Usage) -> Usage {
        Usage {
            cpu_micros: self.cpu_micros.saturating_sub(earlier.cpu_micros),
            memory_peak_bytes: self.memory_peak_bytes,
            oom_kills: self.oom_kills.saturating_sub(earlier.oom_kills),
            pids_refused: self.pids_refused.saturating_sub(earlier.pids_refused),
        }
    }
}

impl Cgroup {
    /// Makes an empty one.
    pub fn create(name: &str) -> Result<Cgroup, AgentError> {
        let path = PathBuf::from(CGROUPS).join(name);
        std::fs::create_dir(&path).step(|| format!("mkdir {}", path.display()))?;
        let folder = File::open(&path).step(|| format!("open {}", path.display()))?;
        let cgroup = Cgroup { path, folder };
        cgroup.write("cpu.weight", CPU_WEIGHT)?;
        cgroup.write("memory.swap.max", "0").or_else(no_such_file)?;
        // The job dies as a whole: a half-killed program gives answers that mean nothing.
        cgroup.write("memory.oom.group", "1")?;
        Ok(cgroup)
    }

    /// Makes one that others are made below, and nothing runs in.
    pub fn create_parent(name: &str) -> Result<Cgroup, AgentError> {
        let cgroup = Cgroup::create(name)?;
        // What runs out of memory is one of those below.
        cgroup.write("memory.oom.group", "0")?;
        cgroup.write("cgroup.subtree_control", CONTROLLERS)?;
        Ok(cgroup)
    }

    /// Sets the limits; `memory_bytes` 0 is what the VM can spare.
    pub fn limit(&self, memory_bytes: u64, pids: u64) -> Result<(), AgentError> {
        self.write("memory.max", &memory_limit(memory_bytes).to_string())?;
        self.write("pids.max", &pids.to_string())
    }

    /// For `CLONE_INTO_CGROUP`.
    pub fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// Kills every process in it at once, however many and however fast they fork.
    pub fn kill(&self) -> Result<(), AgentError> {
        self.write("cgroup.kill", "1")
    }

    /// Its processes as the agent numbers them.
    pub fn pids(&self) -> Result<Vec<i32>, AgentError> {
        let text = self.read(PROCESSES)?;
        Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
    }

    /// What its processes hold now, bytes.
    pub fn memory_bytes(&self) -> Result<u64, AgentError> {
        Ok(self.read("memory.current")?.trim().parse().unwrap_or(0))
    }

    /// The counters now.
    pub fn usage(&self) -> Result<Usage, AgentError> {
        Ok(Usage {
            cpu_micros: field(&self.read("cpu.stat")?, "usage_usec"),
            memory_peak_bytes: self.read("memory.peak")?.trim().parse().unwrap_or(0),
            oom_kills: field(&self.read("memory.events")?, "oom_kill"),
            pids_refused: field(&self.read("pids.events")?, "max"),
        })
    }

    fn read(&self, name: &str) -> Result<String, AgentError> {
        let path = self.path.join(name);
        std::fs::read_to_string(&path).step(|| format!("read {}", path.display()))
    }

    fn write(&self, name: &str, value: &str) -> Result<(), AgentError> {
        let path = self.path.join(name);
        std::fs::write(&path, value).step(|| format!("write {value} to {}", path.display()))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = self.kill();
        // Refused while a process is still dying; then it stays, empty, until the VM goes.
        let _ = std::fs::remove_dir(&self.path);
    }
}

/// Keeps so much of the VM's memory from jobs.
pub fn set_waiting_bytes(bytes: u64) {
    WAITING_BYTES.store(bytes, Ordering::Relaxed);
}

/// The job's memory limit in bytes, for a request of `bytes`.
pub fn memory_limit(bytes: u64) -> u64 {
    let spare = SPARE_BYTES.get().copied().unwrap_or(u64::MAX);
    let spare = spare.saturating_sub(WAITING_BYTES.load(Ordering::Relaxed));
    if bytes == 0 { spare } else { bytes.min(spare) }
}

/// The number after `name` in a file of `name value` lines; 0 when it is not there.
fn field(text: &str, name: &str) -> u64 {
    let mut words = text
        .lines()
        .map(str::split_ascii_whitespace)
        .filter_map(|mut words| (words.next() == Some(name)).then(|| words.next()).flatten());
    words
        .next()
        .and_then(|value| value.parse().ok())
        .unwrap_or(0)
}

/// A kernel without swap has no file for it.
fn no_such_file(error: AgentError) -> Result<(), AgentError> {
    match error {
        AgentError::System {
            source: nix::errno::Errno::ENOENT | nix::errno::Errno::EACCES,
            ..
        } => Ok(()),
        error => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let events = "low 0\noom 3\noom_kill 2\noom_group_kill 1\n";
        assert_eq!(field(events, "oom_kill"), 2);
        assert_eq!(field(events, "oom"), 3);
        assert_eq!(field(events, "nothing"), 0);
        assert_eq!(field("MemTotal:  500 kB\n", "MemTotal:"), 500);
    }
}
