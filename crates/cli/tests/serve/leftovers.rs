//! What VMs of these tests leave on the host.

use crate::lab::{self, PLACE};

/// A service that is counted so has VMs of jobs alone: one that stands by is there as soon as it listens.
pub const NO_STANDBY: &str = "[snapshots]\nstandby = 0\n";

/// Processes, mounts, sockets and run folders of this lab's VMs.
pub fn leftovers() -> Vec<String> {
    let folder = lab::state_dir();
    let state = folder.to_string_lossy().into_owned();
    let processes = PLACE.vm_processes(&folder);
    let mut found: Vec<String> = processes
        .into_iter()
        .map(|(pid, command)| format!("process {} {command:.120}", pid.as_raw_nonzero()))
        .collect();
    for (kind, file) in [
        ("mount", "/proc/self/mountinfo"),
        ("socket", "/proc/net/unix"),
    ] {
        let text = std::fs::read_to_string(file).unwrap();
        let own = text.lines().filter(|line| line.contains(&state));
        found.extend(own.map(|line| format!("{kind} {line}")));
    }
    let run = std::fs::read_dir(lab::state_dir().join("run"));
    let folders = run.into_iter().flatten().flatten();
    found.extend(folders.map(|entry| format!("run folder {}", entry.path().display())));
    found
}
