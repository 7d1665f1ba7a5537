//! A VMM carries its VM's id in its command line, where `ps` shows it to people and a crash's cleaner
//! finds it. Ids are random and used once, so who carries one is that VM's.

use crate::engine::VmId;
use crate::jail::inspect;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// The options that an id stands behind: QEMU's, and that of Firecracker and its jailer.
const OPTIONS: [&[u8]; 2] = [b"-name", b"--id"];

/// What an id follows in the same word: User-Mode Linux's.
pub const UML_ID: &str = "umid=";

/// Programs that carry an id on the way to its VMM, and wait for its end.
const WRAPPERS: [&str; 2] = ["bwrap", "jailer"];

/// A VM whose folder is younger may still be putting up its walls: Firecracker installs its filters
/// when the guest starts, up to 4 s after the jailer where the host is loaded.
const SETTLED: Duration = Duration::from_secs(5);

/// A VMM that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningVmm {
    /// Its process id.
    pub pid: i32,
    /// It is old enough for its walls to be up.
    pub settled: bool,
}

impl RunningVmm {
    /// Host memory that it holds, shared pages counted by their share; 0 when it is gone.
    pub fn pss_bytes(&self) -> u64 {
        crate::usage::of(self.pid, None).pss_bytes
    }
}

/// The VMMs that run on a state folder, whichever tool's they are.
pub fn running(state_dir: &Path) -> Vec<RunningVmm> {
    let folders = std::fs::read_dir(state_dir.join("run"));
    let vms: Vec<(VmId, bool)> = folders
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let id = VmId::new(entry.file_name().to_str()?).ok()?;
            let made = entry.metadata().and_then(|folder| folder.created());
            let age = made.ok()?.elapsed().ok()?;
            Some((id, age >= SETTLED))
        })
        .collect();
    if vms.is_empty() {
        return Vec::new();
    }
    let vmm = |pid: i32| {
        let (_, settled) = vms.iter().find(|(id, _)| carries(pid, id))?;
        (!is_wrapper(pid)).then_some(RunningVmm {
            pid,
            settled: *settled,
        })
    };
    let found: Vec<RunningVmm> = processes().filter_map(vmm).collect();
    // What a kernel of User-Mode Linux starts is a copy of it until it becomes a program.
    let is_copy = |pid| {
        let parent = inspect::parent_of(pid);
        found.iter().any(|vmm| Some(vmm.pid) == parent)
    };
    let originals = found.iter().filter(|vmm| !is_copy(vmm.pid));
    originals.copied().collect()
}

fn is_wrapper(pid: i32) -> bool {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    WRAPPERS.contains(&name.trim())
}

/// Kills the processes of a VM; returns what they were. Waits until they are gone.
pub fn kill(id: &VmId, deadline: Duration) -> Result<Vec<String>, String> {
    let end = Instant::now() + deadline;
    let mut killed = Vec::new();
    for pid in processes().filter(|pid| carries(*pid, id)) {
        if let Some(orphan) = Orphan::kill(pid, || carries(pid, id))? {
            killed.push(orphan.gone(end)?);
        }
    }
    Ok(killed)
}

/// A process that was sent SIGKILL, by a descriptor that can mean no other.
pub struct Orphan {
    handle: OwnedFd,
    name: String,
}

impl Orphan {
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
    let id = id.as_str().as_bytes();
    let behind_option = |pair: &[&[u8]]| OPTIONS.contains(&pair[0]) && pair[1] == id;
    words.windows(2).any(behind_option)
        || words
            .iter()
            .any(|word| word.strip_prefix(UML_ID.as_bytes()) == Some(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn only_who_carries_the_id_is_found_and_killed() {
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
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(running(dir.path()), []);
        std::fs::create_dir_all(dir.path().join("run").join(id.as_str())).unwrap();
        let found = RunningVmm {
            pid: ours.id() as i32,
            settled: false,
        };
        // A program that was just executed has no command line for a moment.
        let deadline = Instant::now() + Duration::from_secs(20);
        while running(dir.path()) != [found] {
            assert!(Instant::now() < deadline, "{:?}", running(dir.path()));
            std::thread::sleep(Duration::from_millis(1));
        }
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
