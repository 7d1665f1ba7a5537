//! What the host shows: processes, mounts, sockets, cgroups and files of this lab's VMs.

use crate::lab::{self, CGROUP, UID_BASE, UID_COUNT};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

/// A process that is waited for, whoever its parent is.
pub struct Watched(Option<OwnedFd>);

impl Watched {
    /// Watches a process; one that is gone already counts as ended.
    pub fn open(pid: Pid) -> Watched {
        Watched(pidfd_open(pid, PidfdFlags::empty()).ok())
    }

    /// Says whether it ends before the deadline.
    pub fn ends_before(&self, deadline: Instant) -> bool {
        let Some(pidfd) = &self.0 else { return true };
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).unwrap();
            let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
            match poll(&mut fds, Some(&timeout)) {
                Ok(ready) => return ready > 0,
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => panic!("poll: {errno}"),
            }
        }
    }
}

/// Processes of this lab's VMs: by the uids that only they have, by the state folder in their command line.
/// The tool itself is none of them.
pub fn vm_processes() -> Vec<Pid> {
    let state = lab::lab().state.to_string_lossy().into_owned();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that ends meanwhile is no process.
        let read = |file: &str| std::fs::read(entry.path().join(file)).unwrap_or_default();
        let status = String::from_utf8_lossy(&read("status")).into_owned();
        let uid = status
            .lines()
            .find_map(|line| {
                line.strip_prefix("Uid:")?
                    .split_whitespace()
                    .next()?
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        let is_zombie = status.contains("State:\tZ");
        let command = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        let is_tool = command.starts_with(env!("CARGO_BIN_EXE_llm-firecracker"));
        let ours = (UID_BASE..UID_BASE + UID_COUNT).contains(&uid) || command.contains(&state);
        if ours && !is_tool && !is_zombie {
            found.extend(Pid::from_raw(pid));
        }
    }
    found
}

/// Everything of ours that a host shows, each with a name that tells what it is.
pub fn traces() -> BTreeSet<String> {
    let state = lab::lab().state.to_string_lossy().into_owned();
    let mut traces = BTreeSet::new();
    traces.extend(vm_processes().iter().map(|pid| {
        let command = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
        let command = String::from_utf8_lossy(&command.unwrap_or_default()).replace('\0', " ");
        format!("process {} {command:.120}", pid.as_raw_nonzero())
    }));
    for (kind, file) in [
        ("mount", "/proc/self/mountinfo"),
        ("socket", "/proc/net/unix"),
    ] {
        let text = std::fs::read_to_string(file).unwrap();
        let ours = text.lines().filter(|line| line.contains(&state));
        traces.extend(ours.map(|line| format!("{kind} {line}")));
    }
    cgroups(Path::new("/sys/fs/cgroup"), &mut traces);
    files(Path::new(&state), &mut traces);
    traces
}

/// Every cgroup below one of this lab's name, in whatever hierarchy.
fn cgroups(folder: &Path, traces: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let path = entry.path();
        // The lab's own group may stay; what is in it may not.
        if path
            .parent()
            .is_some_and(|parent| parent.to_string_lossy().contains(CGROUP))
        {
            traces.insert(format!("cgroup {}", path.display()));
        }
        cgroups(&path, traces);
    }
}

fn files(folder: &Path, traces: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        traces.insert(format!("file {}", path.display()));
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files(&path, traces);
        }
    }
}

/// The most memory that a process held so far, in bytes.
pub fn memory_peak_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let kib: u64 = status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .unwrap();
    kib * 1024
}
