//! Killed at each step of a boot, of a snapshot's load and of a job's run: the tool, the jail, the
//! VMM. Nothing is left.

use crate::host;
use crate::lab;
use crate::leftovers;
use crate::tool::{PATIENCE, Running, Tool};
use rustix::process::{Pid, Signal, kill_process};
use std::thread;
use std::time::{Duration, Instant};

/// How long what was killed may take to be gone: the kernel's work alone, on an emulated host, too.
const SOON: Duration = Duration::from_secs(20);
/// What the tool exits with when the VM was lost.
pub const FAULT: i32 = 125;

/// What it exits with when the program was killed: the guest's kernel passes it on as what it saw of it.
const KILLED: [i32; 2] = [128 + 9, 128 + 11];

/// Who is killed.
#[derive(Debug, Clone, Copy)]
pub enum Victim {
    Tool,
    /// bubblewrap, which ends its pid namespace.
    Jail,
    Vmm,
    /// The newest process of the guest, where each is one of the host's.
    GuestProcess,
}

/// Who there is to kill with this engine.
fn victims() -> Vec<Victim> {
    let guest = lab::engine().guest_process.map(|_| Victim::GuestProcess);
    let always = [Victim::Tool, Victim::Jail, Victim::Vmm];
    always.into_iter().chain(guest).collect()
}

impl Victim {
    /// Its process and that one's name, once it is there.
    pub fn find(self, tool: &Running) -> Option<(Pid, String)> {
        if let Victim::Tool = self {
            let pid = Pid::from_raw(tool.pid().try_into().unwrap()).unwrap();
            return Some((pid, "the tool".into()));
        }
        let mut named: Vec<(Pid, String)> = host::vm_processes()
            .into_iter()
            .filter_map(|pid| {
                let file = format!("/proc/{}/comm", pid.as_raw_nonzero());
                Some((pid, std::fs::read_to_string(file).ok()?.trim_end().into()))
            })
            .collect();
        named.sort_by_key(|(pid, _)| pid.as_raw_nonzero());
        let wrapped = |(_, name): &&(Pid, String)| name == "bwrap";
        let found = match self {
            Victim::Tool => None,
            Victim::Jail => named.iter().find(wrapped),
            Victim::GuestProcess => {
                let of_guest = lab::engine().guest_process;
                named
                    .iter()
                    .rfind(|(_, name)| Some(name.as_str()) == of_guest)
            }
            Victim::Vmm => named.iter().find(|(_, name)| {
                lab::engine()
                    .vmm
                    .iter()
                    .any(|known| name.starts_with(known))
            }),
        };
        found.cloned()
    }

    /// The same, as soon as it is there.
    pub fn wait_for(self, tool: &mut Running) -> (Pid, String) {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = self.find(tool) {
                return found;
            }
            assert!(tool.is_alive(), "{self:?}: the tool ended before");
            assert!(Instant::now() < end, "{self:?} was never there");
            thread::yield_now();
        }
    }
}

/// When: a part, in quarters, of the way from the victim's start to the program's first word; with all
/// four of them, after that word.
const QUARTERS: [u32; 4] = [0, 1, 3, 4];

fn start(flags: &[&str]) -> Running {
    Tool::run("sh", "echo ready\nread -r line\necho end")
        .args(["--timeout", "120"])
        .args(flags)
        .start()
}

/// How long the way from each victim's start to the program's first word is.
fn ways(flags: &[&str]) -> Vec<Duration> {
    let mut tool = start(flags);
    let seen: Vec<Instant> = victims()
        .into_iter()
        .map(|victim| {
            victim.wait_for(&mut tool);
            Instant::now()
        })
        .collect();
    assert_eq!(tool.stdout_line(PATIENCE), "ready");
    let ways = seen.iter().map(Instant::elapsed).collect();
    assert_eq!(tool.finish(PATIENCE).code(), Some(0));
    ways
}

fn until_no_vm_is_left(victim: Victim) {
    let end = Instant::now() + SOON;
    while !host::vm_processes().is_empty() {
        assert!(
            Instant::now() < end,
            "a VM outlived its {victim:?} by {SOON:?}"
        );
        thread::yield_now();
    }
}

fn kill(victim: Victim, quarters: u32, way: Duration, flags: &[&str]) -> String {
    let mut tool = start(flags);
    let (pid, name) = match quarters {
        4 => {
            assert_eq!(tool.stdout_line(PATIENCE), "ready");
            victim.wait_for(&mut tool)
        }
        _ => {
            victim.wait_for(&mut tool);
            // The moment that is tested; nothing is waited for.
            thread::sleep(way * quarters / 4);
            victim.wait_for(&mut tool)
        }
    };
    // It may have ended just now; then the run is as good as any.
    let _ = kill_process(pid, Signal::KILL);
    // After its first word the program's input ends below: one that is still there would end well. Of a guest's
    // processes the newest need not be the program's.
    if matches!(victim, Victim::Tool) || quarters == 4 && !matches!(victim, Victim::GuestProcess) {
        until_no_vm_is_left(victim);
    }
    if let Victim::Tool = victim {
        assert_eq!(tool.finish(SOON).code(), None);
        // What only the tool could give back, `clean` does.
        let cleaned = Tool::new().args(["clean", "--json"]).finish(SOON);
        assert_eq!(cleaned.code(), Some(0), "{}", cleaned.err());
        return name;
    }
    let done = tool.finish(PATIENCE);
    // A clone that failed is booted instead.
    let whole = done.code() == Some(0) && done.out() == "ready\nend\n" && quarters < 4;
    // A guest's process that was the program's has ended as any that is killed does.
    let ended_by_it = done.code().is_some_and(|code| KILLED.contains(&code));
    let told = matches!(victim, Victim::GuestProcess) && ended_by_it;
    assert!(
        whole || told || done.code() == Some(FAULT),
        "{name} killed: {:?} {:?} {}",
        done.code(),
        done.out(),
        done.err()
    );
    name
}

fn killed_at_each_step(what: &str, flags: &[&str]) {
    if !lab::lab().has("bash") {
        return;
    }
    let _alone = lab::alone();
    let before = leftovers::after_a_first_run();
    let ways = ways(flags);
    for (victim, way) in victims().into_iter().zip(ways) {
        for quarters in QUARTERS {
            let name = kill(victim, quarters, way, flags);
            println!("{what}, {quarters}/4 of {way:.1?}: {victim:?} ({name}) killed");
            leftovers::assert_nothing_new(&before);
        }
    }
}

#[test]
fn killed_at_each_step_of_boot_and_run() {
    killed_at_each_step("boot", &["--no-snapshot"]);
}

#[test]
fn killed_at_each_step_of_load_and_run() {
    if lab::has_snapshots() {
        killed_at_each_step("load", &[]);
    }
}
