//! A VMM that stands still: its guest may have wedged it. Nobody else may have to wait for it.

use crate::engines::StandstillEndedBy;
use crate::killed::{FAULT, Victim};
use crate::lab::{self, PLACE};
use crate::leftovers;
use crate::tool::{PATIENCE, Tool};
use protocol::result::EXIT_TIMEOUT;
use rustix::process::{Signal, kill_process};
use std::time::{Duration, Instant};

/// What ends it, as the table of engines has it; the other one's time is far away.
struct Ending {
    by: StandstillEndedBy,
    /// Lines of the table `[vmm]`, and the job's own time limit.
    more: &'static str,
    timeout: &'static str,
    /// From the standstill on.
    within: Duration,
    says: &'static str,
    code: i32,
}

const ENDINGS: [Ending; 2] = [
    Ending {
        by: StandstillEndedBy::Watchdog,
        // Asks each second, and waits five; both again for a loaded host.
        more: "watchdog_interval = { secs = 1, nanos = 0 }\nwatchdog_deadline = { secs = 5, nanos = 0 }\n",
        timeout: "120",
        within: Duration::from_secs(12),
        says: "it no longer answered and the watchdog ended it",
        code: FAULT,
    },
    Ending {
        by: StandstillEndedBy::HostDeadline,
        more: "",
        timeout: "5",
        // The same again for a loaded host.
        within: Duration::from_secs(10),
        says: "running took more than 5 s",
        code: EXIT_TIMEOUT as i32,
    },
];

#[test]
fn a_vmm_that_stands_still_is_ended() {
    if !lab::lab().has("bash") {
        return;
    }
    let by = lab::engine().standstill_ended_by;
    let ending = ENDINGS.iter().find(|ending| ending.by == by).unwrap();
    let _alone = lab::alone();
    let before = leftovers::after_a_first_run();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let more = lab::chroots(&lab::lab().state) + ending.more;
    std::fs::write(&config, PLACE.config_text(&more)).unwrap();
    let mut tool = Tool::with(&lab::lab().state, &config)
        .program("sh", "echo ready\nread -r line")
        .args(["--timeout", ending.timeout])
        .start();
    assert_eq!(tool.stdout_line(PATIENCE), "ready");
    let (vmm, _) = Victim::Vmm.wait_for(&mut tool);
    let begun = Instant::now();
    kill_process(vmm, Signal::STOP).unwrap();
    // The program's input stays open: it would wait for ever.
    let line = tool.stderr_line(PATIENCE);
    let took = begun.elapsed();
    assert!(line.contains(ending.says), "{line}");
    assert!(took < ending.within, "{took:?}");
    let done = tool.finish(PATIENCE);
    assert_eq!(done.code(), Some(ending.code), "{}", done.err());
    leftovers::assert_nothing_new(&before);
}
