//! What every test of the tool has of the host: the real images, the agent, and uids and a cgroup that are
//! its own, so that what its VMs leave can be told from what anybody else on this host does.

use rustix::process::Pid;
use std::path::{Path, PathBuf};

const SYSTEM_STATE: &str = "/var/lib/llm-firecracker";
const AGENT: &str = "llm-firecracker-agent";

/// Uids and a cgroup that no other state folder uses by default.
pub struct Place {
    /// The first uid of its VMMs.
    pub uid_base: u32,
    /// How many there are.
    pub uid_count: u32,
    /// The cgroup that holds its VMs.
    pub cgroup: &'static str,
}

impl Place {
    /// Its configuration with more lines at the end (tables of their own).
    pub fn config_text(&self, more: &str) -> String {
        let Place {
            uid_base,
            uid_count,
            cgroup,
        } = self;
        format!(
            "[vmm]\nuid_base = {uid_base}\nuid_count = {uid_count}\ncgroup_parent = \"{cgroup}\"\n{more}"
        )
    }

    /// Processes of its VMs, with their command lines: by the uids that only they have, by the state folder
    /// in their command line. The tool itself is none of them.
    pub fn vm_processes(&self, state: &Path) -> Vec<(Pid, String)> {
        let state = state.to_string_lossy();
        let uids = self.uid_base..self.uid_base + self.uid_count;
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let name = entry.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // A process that ends meanwhile is no process.
            let read = |file: &str| std::fs::read(entry.path().join(file)).unwrap_or_default();
            let status = String::from_utf8_lossy(&read("status")).into_owned();
            let uid = status.lines().find_map(|line| {
                let mut words = line.strip_prefix("Uid:")?.split_whitespace();
                words.next()?.parse::<u32>().ok()
            });
            let command = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
            let is_tool = command.starts_with(env!("CARGO_BIN_EXE_llm-firecracker"));
            let ours = uid.is_some_and(|uid| uids.contains(&uid)) || command.contains(&*state);
            let ends =
                status.contains("State:\tZ") || is_killed(&status) || is_exiting(&read("stat"));
            if ours && !is_tool && !ends {
                let told = if command.is_empty() {
                    unnamed(&status)
                } else {
                    command
                };
                found.extend(Pid::from_raw(pid).map(|pid| (pid, told)));
            }
        }
        found
    }
}

/// What is known of a process without a command line: traced processes of User-Mode Linux have none.
fn unnamed(status: &str) -> String {
    const TOLD: [&str; 6] = ["Name:", "State:", "PPid:", "TracerPid:", "Uid:", "ShdPnd:"];
    let told = |line: &&str| TOLD.iter().any(|name| line.starts_with(name));
    let lines: Vec<&str> = status.lines().filter(told).collect();
    lines.join(" ").replace('\t', " ")
}

/// Whether a process was killed, and waits for a CPU to end on: it runs no instruction of its own any more.
fn is_killed(status: &str) -> bool {
    const SIGKILL: u64 = 1 << 8;
    let pending = |line: &str| {
        let mask = line
            .strip_prefix("SigPnd:")
            .or(line.strip_prefix("ShdPnd:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    };
    status
        .lines()
        .filter_map(pending)
        .any(|mask| mask & SIGKILL != 0)
}

/// Whether a process runs no instruction of its own any more, by its line in `/proc`, which is read last: it is
/// killed, and the kernel takes its memory back, which on a loaded host is seen; or it is gone, and has no line.
/// It is in no cgroup by then.
fn is_exiting(stat: &[u8]) -> bool {
    const PF_EXITING: u64 = 4;
    let stat = String::from_utf8_lossy(stat);
    let flags = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().nth(6)?.parse::<u64>().ok());
    flags.is_none_or(|flags| flags & PF_EXITING != 0)
}

/// Makes a state folder that has the real images.
pub fn make_state(state: &Path) {
    std::fs::create_dir_all(state).unwrap();
    let images = state.join("images");
    if std::fs::symlink_metadata(&images).is_err() {
        std::os::unix::fs::symlink(system_state().join("images"), images).unwrap();
    }
}

/// The state folder that holds the real images.
pub fn system_state() -> PathBuf {
    std::env::var_os("LLM_FIRECRACKER_STATE_DIR").map_or_else(|| SYSTEM_STATE.into(), PathBuf::from)
}

/// The agent: as named, else beside the tool, else where a release build puts it.
pub fn agent() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_BIN_EXE_llm-firecracker")).parent()?;
    let named = std::env::var_os("LLM_FIRECRACKER_AGENT").map(PathBuf::from);
    let built = [
        target.join(AGENT),
        target.with_file_name("release").join(AGENT),
    ];
    named.into_iter().chain(built).find(|path| path.exists())
}
