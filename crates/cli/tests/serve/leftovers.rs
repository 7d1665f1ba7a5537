//! What VMs of these tests leave on the host.

use crate::lab::{self, UID_BASE, UID_COUNT};

/// Processes, mounts, sockets and run folders of this lab's VMs.
pub fn leftovers() -> Vec<String> {
    let state = lab::state_dir().to_string_lossy().into_owned();
    let mut found = processes(&state);
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

/// By the uids that only these VMs have, and by the state folder in their command line.
fn processes(state: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        // A process that ends meanwhile is no process.
        let read = |file: &str| std::fs::read(entry.path().join(file)).unwrap_or_default();
        let status = String::from_utf8_lossy(&read("status")).into_owned();
        let uid = status.lines().find_map(|line| {
            let mut words = line.strip_prefix("Uid:")?.split_whitespace();
            words.next()?.parse::<u32>().ok()
        });
        let command = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        let is_tool = command.starts_with(env!("CARGO_BIN_EXE_llm-firecracker"));
        let ours = uid.is_some_and(|uid| (UID_BASE..UID_BASE + UID_COUNT).contains(&uid))
            || command.contains(state);
        if ours && !is_tool && !status.contains("State:\tZ") {
            found.push(format!("process {command:.120}"));
        }
    }
    found
}
