//! One VM's cgroup: its limits, what it used, its end.

use super::layout::{Tree, Version};
use super::{CPU_PERIOD_MICROS, Limits, v2};
use crate::engine::VmId;
use crate::error::{Step, VmmError};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often a group is made anew: each time, one neighbour at the wrong moment.
const MAKE_ATTEMPTS: usize = 8;

/// Removes itself when dropped; [`VmCgroup::remove`] says whether that went well.
#[derive(Debug)]
pub struct VmCgroup {
    version: Version,
    /// Of the tree; there are several on v1, and none of them counts there.
    mount: PathBuf,
    folders: Vec<PathBuf>,
}

impl VmCgroup {
    pub(super) fn new<'a>(
        version: Version,
        trees: impl Iterator<Item = &'a Tree>,
        id: &VmId,
    ) -> Self {
        let (mut mount, mut folders) = (PathBuf::new(), Vec::new());
        for tree in trees {
            mount.clone_from(&tree.mount);
            folders.push(tree.mount.join(&tree.own).join(id.as_str()));
        }
        folders.sort();
        folders.dedup();
        Self {
            version,
            mount,
            folders,
        }
    }

    /// The folders that make it up; one on v2.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// One open file a folder; a process of one thread that writes `0` to each is in. On v1 it is
    /// `tasks`: a thread that moves itself there does not wait, as with `cgroup.procs`, for all CPUs to
    /// pass a quiet state (8 ms; `cgroup_procs_write_start` in kernel/cgroup/cgroup.c).
    pub fn entrances(&self) -> std::io::Result<Vec<File>> {
        let name = match self.version {
            Version::V1 => "tasks",
            Version::V2 => "cgroup.procs",
        };
        self.folders
            .iter()
            .map(|folder| {
                OpenOptions::new()
                    .write(true)
                    .custom_flags(libc::O_CLOEXEC)
                    .open(folder.join(name))
            })
            .collect()
    }

    /// Makes it and puts `limits` in force, read back.
    pub fn establish(&self, limits: Limits) -> Result<(), VmmError> {
        let is_there = || self.folders.iter().all(|folder| folder.is_dir());
        made(|| self.make(), is_there).map_err(VmmError::io(
            Step::Prepare,
            &format!("making the cgroup {}", self.folders[0].display()),
        ))?;
        self.cap_parent(limits)?;
        self.limit(limits)
    }

    fn make(&self) -> std::io::Result<()> {
        for folder in &self.folders {
            if self.version == Version::V2 {
                v2::make_parent(&self.mount, folder.parent().unwrap_or(&self.mount))?;
            }
            std::fs::DirBuilder::new().recursive(true).create(folder)?;
        }
        Ok(())
    }

    /// Holds all VMs together to their part of the host. Each VM's start does: the parent comes and goes with them. A cap
    /// that is there stays, for it is that of VMs that run: another tool's configuration must not starve them.
    fn cap_parent(&self, limits: Limits) -> Result<(), VmmError> {
        let (file, wanted) = limits.cap(self.version);
        let parents = self.folders.iter().filter_map(|folder| folder.parent());
        let Some(path) = parents
            .map(|parent| parent.join(file))
            .find(|path| path.exists())
        else {
            return Err(not_capped(wanted, "not there"));
        };
        let read = || std::fs::read_to_string(&path).unwrap_or_default();
        if !is_cap(&read()) {
            let _ = std::fs::write(&path, wanted.to_string());
        }
        match read() {
            cap if is_cap(&cap) => Ok(()),
            other => Err(not_capped(wanted, other.trim())),
        }
    }

    fn limit(&self, limits: Limits) -> Result<(), VmmError> {
        self.write(limits).map_err(VmmError::io(
            Step::Prepare,
            &format!("writing the limits of {}", self.folders[0].display()),
        ))?;
        // No swap: what a guest holds must not be written to the host's disk. Kernels without
        // swap accounting lack the file, hosts without swap do not need it.
        for (file, value) in [("memory.swap.max", "0"), ("memory.swappiness", "0")] {
            if let Some(path) = self.find(file) {
                let _ = std::fs::write(path, value);
            }
        }
        self.check(limits)
    }

    /// A controller that is not there is found by [`VmCgroup::check`].
    fn write(&self, limits: Limits) -> std::io::Result<()> {
        // The quota's unit; on v2 both are in one file.
        let period = ("cpu.cfs_period_us", CPU_PERIOD_MICROS.to_string());
        for (file, value) in std::iter::once(period).chain(limits.settings(self.version)) {
            if let Some(path) = self.find(file) {
                std::fs::write(path, value)?;
            }
        }
        Ok(())
    }

    /// Reads the limits back from the kernel; anything but what was asked for is an error.
    pub fn check(&self, limits: Limits) -> Result<(), VmmError> {
        for (file, wanted) in limits.settings(self.version) {
            let seen = self.read(file).unwrap_or_else(|| "not there".into());
            if seen != wanted {
                return Err(VmmError::LimitNotHeld {
                    step: Step::Prepare,
                    limit: file.to_string(),
                    wanted,
                    seen,
                });
            }
        }
        Ok(())
    }

    /// Reads back that a process is in it.
    pub fn check_member(&self, pid: i32) -> Result<(), VmmError> {
        let seen = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        if self.holds(&seen) {
            return Ok(());
        }
        let name = self.folders[0].file_name().unwrap_or_default();
        Err(VmmError::not_held("cgroup", name.to_string_lossy(), seen))
    }

    /// Whether a process is in it, judged by its `/proc/PID/cgroup`.
    pub fn holds(&self, proc_cgroup: &str) -> bool {
        let name = self.folders[0].file_name().unwrap_or_default();
        let inside = proc_cgroup
            .lines()
            .filter(|line| {
                Path::new(line.rsplit(':').next().unwrap_or_default()).file_name() == Some(name)
            })
            .count();
        inside >= self.folders.len()
    }

    /// The most memory that it held, bytes; 0 where the kernel does not tell.
    pub fn memory_peak_bytes(&self) -> u64 {
        ["memory.peak", "memory.max_usage_in_bytes"]
            .iter()
            .find_map(|file| self.read(file)?.parse().ok())
            .unwrap_or(0)
    }

    /// The kernel killed something in it for memory.
    pub fn ran_out_of_memory(&self) -> bool {
        ["memory.events", "memory.oom_control"].iter().any(|file| {
            self.read(file).is_some_and(|text| {
                text.lines()
                    .any(|line| line.strip_prefix("oom_kill ").is_some_and(|n| n != "0"))
            })
        })
    }

    /// Removes it; waits for its last processes until the deadline.
    pub fn remove(&self, deadline: Duration) -> Result<(), String> {
        remove_folders(&self.folders, deadline)?;
        for folder in &self.folders {
            // The last VM's removal takes the common parent along; with others in it, this fails.
            let _ = folder.parent().map(std::fs::remove_dir);
        }
        Ok(())
    }

    fn find(&self, file: &str) -> Option<PathBuf> {
        self.folders
            .iter()
            .map(|folder| folder.join(file))
            .find(|path| path.exists())
    }

    fn read(&self, file: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.find(file)?).ok()?;
        Some(text.trim_end().to_string())
    }
}

impl Drop for VmCgroup {
    fn drop(&mut self) {
        let _ = self.remove(Duration::ZERO);
    }
}

/// Whether a limit of memory limits anything: version 2 writes `max`, version 1 a number near 2^63.
fn is_cap(text: &str) -> bool {
    text.trim()
        .parse::<u64>()
        .is_ok_and(|bytes| bytes < 1 << 62)
}

fn not_capped(wanted: u64, seen: &str) -> VmmError {
    VmmError::LimitNotHeld {
        step: Step::Prepare,
        limit: "the memory of all VMs".into(),
        wanted: wanted.to_string(),
        seen: seen.into(),
    }
}

/// Makes a group, again where a neighbour came between two of the steps: the common parent may go with
/// another VM's end after it was seen, or come with another VM's start before it was made.
fn made<E>(mut make: impl FnMut() -> Result<(), E>, is_there: impl Fn() -> bool) -> Result<(), E> {
    for _ in 1..MAKE_ATTEMPTS {
        if make().is_ok() && is_there() {
            return Ok(());
        }
    }
    make()
}

/// Removes empty cgroup folders. The kernel has no event for 'empty' on v1, so it is asked again
/// each millisecond while it says 'busy'.
pub fn remove_folders(folders: &[PathBuf], deadline: Duration) -> Result<(), String> {
    let start = Instant::now();
    for folder in folders {
        loop {
            match std::fs::remove_dir(folder) {
                Ok(()) => break,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => break,
                Err(e) if e.raw_os_error() == Some(libc::EBUSY) && start.elapsed() < deadline => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(e) => return Err(format!("{}: {e}", folder.display())),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
