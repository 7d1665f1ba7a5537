//! A VMM that stands still: its guest may have wedged it. Nobody else may have to wait for it.

use crate::killed::{FAULT, Victim};
use crate::lab::{self, PLACE};
use crate::leftovers;
use crate::tool::{PATIENCE, Tool};
use rustix::process::{Signal, kill_process};
use std::time::{Duration, Instant};

/// The watchdog of this test: asks each second, and waits five.
const WATCHDOG: &str =
    "watchdog_interval = { secs = 1, nanos = 0 }\nwatchdog_deadline = { secs = 5, nanos = 0 }\n";
/// Its interval and its deadline, and the same again for a loaded host.
const WITHIN: Duration = Duration::from_secs(12);

#[test]
fn the_watchdog_ends_a_vmm_that_stands_still() {
    if !lab::lab().has("bash") {
        return;
    }
    let _alone = lab::alone();
    let before = leftovers::after_a_first_run();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let more = lab::chroots(&lab::lab().state) + WATCHDOG;
    std::fs::write(&config, PLACE.config_text(&more)).unwrap();
    // Its own time limit is far away: it is not what ends it.
    let mut tool = Tool::with(&lab::lab().state, &config)
        .program("sh", "echo ready\nread -r line")
        .args(["--timeout", "120"])
        .start();
    assert_eq!(tool.stdout_line(PATIENCE), "ready");
    let (vmm, _) = Victim::Vmm.wait_for(&mut tool);
    let begun = Instant::now();
    kill_process(vmm, Signal::STOP).unwrap();
    // The program's input stays open: it would wait for ever.
    let line = tool.stderr_line(PATIENCE);
    let took = begun.elapsed();
    assert!(
        line.contains("it no longer answered and the watchdog ended it"),
        "{line}"
    );
    assert!(took < WITHIN, "{took:?}");
    let done = tool.finish(PATIENCE);
    assert_eq!(done.code(), Some(FAULT), "{}", done.err());
    leftovers::assert_nothing_new(&before);
}
