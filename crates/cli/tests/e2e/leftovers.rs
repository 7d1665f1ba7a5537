//! What runs leave behind: nothing. Counted before and after: processes, mounts, sockets, cgroups,
//! files of the state folder.

use crate::cases::MEMORY_TIMEOUT;
use crate::host;
use crate::lab;
use crate::tool::{PATIENCE, Tool};
use std::collections::BTreeSet;

/// Fails when the host shows anything of this lab's that it did not show before.
pub fn assert_nothing_new(before: &BTreeSet<String>) {
    let now = host::traces();
    let new: Vec<&String> = now.difference(before).collect();
    assert!(new.is_empty(), "left behind: {new:#?}");
}

/// What the host shows once a run has made what stays on purpose: the snapshot, the jail's root, cached
/// digests, the probe's answer.
pub fn after_a_first_run() -> BTreeSet<String> {
    let first = Tool::run("sh", "exit 0").finish(PATIENCE);
    assert_eq!(first.code(), Some(0), "{}", first.err());
    host::traces()
}

/// How many runs; under emulation without snapshots a boot takes seconds, so it can be lowered.
fn runs() -> usize {
    let named = std::env::var("LLM_FIRECRACKER_RUNS").ok();
    named.map_or(100, |text| text.parse().unwrap())
}

#[test]
fn a_hundred_runs_leave_nothing_behind() {
    if !lab::lab().has("bash") {
        return;
    }
    let _alone = lab::alone();
    let hello = || Tool::run("sh", "echo $((6 * 7))").finish(PATIENCE);
    let before = after_a_first_run();
    let runs = runs();
    for run in 1..=runs {
        let done = hello();
        assert_eq!(
            (done.code(), done.out().as_str()),
            (Some(0), "42\n"),
            "run {run}: {}",
            done.err()
        );
    }
    assert_nothing_new(&before);
    println!("{runs} runs, {} traces before and after", before.len());
}

#[test]
fn every_way_to_end_leaves_nothing_behind() {
    if !lab::lab().has("bash") {
        return;
    }
    let _alone = lab::alone();
    let before = after_a_first_run();
    for (name, source, flags, code) in [
        ("own exit code", "exit 41", &[][..], 41),
        ("signal", "kill -SEGV $$", &[], 139),
        ("time-out", "while :; do :; done", &["--timeout", "1"], 124),
        (
            "memory",
            "x=0123456789abcdef\nwhile :; do x+=$x; done",
            &["--timeout", MEMORY_TIMEOUT],
            137,
        ),
        ("boot", "exit 5", &["--no-snapshot"], 5),
        ("refused", "exit 0", &["--timeout", "0"], 2),
    ] {
        let done = Tool::run("sh", source).args(flags).finish(PATIENCE);
        assert_eq!(done.code(), Some(code), "{name}: {}", done.err());
        assert_nothing_new(&before);
    }
}
