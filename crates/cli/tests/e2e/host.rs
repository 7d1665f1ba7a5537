//! What the host shows: processes, mounts, sockets, cgroups and files of this lab's VMs.

use crate::lab::{self, PLACE};
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

/// Processes of this lab's VMs.
pub fn vm_processes() -> Vec<Pid> {
    let found = PLACE.vm_processes(&lab::lab().state);
    found.into_iter().map(|(pid, _)| pid).collect()
}

/// Everything of ours that a host shows, each with a name that tells what it is.
pub fn traces() -> BTreeSet<String> {
    let state = lab::lab().state.to_string_lossy().into_owned();
    let mut traces = BTreeSet::new();
    let processes = PLACE.vm_processes(&lab::lab().state);
    traces.extend(
        processes
            .iter()
            .map(|(pid, command)| format!("process {} {command:.120}", pid.as_raw_nonzero())),
    );
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
            .is_some_and(|parent| parent.to_string_lossy().contains(PLACE.cgroup))
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
