//! A VMM carries its VM's id in its command line, where `ps` shows it to people and a crash's cleaner
//! finds it. Ids are random and used once, so who carries one is that VM's.

use crate::engine::VmId;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// The options that an id stands behind: QEMU's, and that of Firecracker and its jailer.
const OPTIONS: [&[u8]; 2] = [b"-name", b"--id"];

/// Kills the processes of a VM; returns what they were. Waits until they are gone.
pub fn kill(id: &VmId, deadline: Duration) -> Result<Vec<String>, String> {
    let end = Instant::now() + deadline;
    let mut killed = Vec::new();
    for pid in processes().filter(|pid| carries(*pid, id)) {
        if let Some(doomed) = Doomed::kill(pid, || carries(pid, id))? {
            killed.push(doomed.gone(end)?);
        }
    }
    Ok(killed)
}

/// A process that was sent SIGKILL, by a descriptor that can mean no other.
pub struct Doomed {
    handle: OwnedFd,
    name: String,
}

impl Doomed {
    /// Kills a process if, when its number can no longer become another's, it is still the one that
    /// was meant.
    pub fn kill(pid: i32, meant: impl Fn() -> bool) -> Result<Option<Self>, String> {
        let handle = Pid::from_raw(pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        let Some(handle) = handle.filter(|_| meant()) else {
            return Ok(None);
        };
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        let name = format!("{pid} ({})", name.trim().escape_debug());
        pidfd_send_signal(&handle, Signal::KILL).map_err(|e| format!("process {name}: {e}"))?;
        Ok(Some(Self { handle, name }))
    }

    /// Waits for its end; says what it was.
    pub fn gone(self, end: Instant) -> Result<String, String> {
        let left = end.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).ok();
        match poll(
            &mut [PollFd::new(&self.handle, PollFlags::IN)],
            left.as_ref(),
        ) {
            Ok(1..) => Ok(self.name),
            _ => Err(format!("process {} does not end", self.name)),
        }
    }
}

fn processes() -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn carries(pid: i32, id: &VmId) -> bool {
    let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<&[u8]> = command.split(|byte| *byte == 0).collect();
    words
        .windows(2)
        .any(|pair| OPTIONS.contains(&pair[0]) && pair[1] == id.as_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn only_who_carries_the_id_is_killed() {
        let start = |words: &[&str]| {
            // It waits for a line that never comes.
            let mut command = Command::new("sh");
            command.args(["-c", "read -r line", "sh"]).args(words);
            command.stdin(Stdio::piped()).spawn().unwrap()
        };
        let id = VmId::new(format!("mark-test-{}", std::process::id())).unwrap();
        let mut ours = start(&["-name", id.as_str()]);
        let mut others = [
            start(&[id.as_str(), "-name"]),
            start(&["-name", &format!("{id}1")]),
        ];
        let killed = kill(&id, Duration::from_secs(5)).unwrap();
        assert_eq!(killed, [format!("{} (sh)", ours.id())]);
        assert!(!ours.wait().unwrap().success());
        for other in &mut others {
            assert!(other.try_wait().unwrap().is_none());
            other.kill().unwrap();
            other.wait().unwrap();
        }
    }
}
