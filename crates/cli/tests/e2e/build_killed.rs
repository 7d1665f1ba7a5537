//! A build of images that is stopped midway: what it had mounted is no mount of the host's, and what it had made can be
//! swept away by the next one.

use crate::lab;
use crate::tool::{PATIENCE, Tool};
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// The packages' own programs wind down after the tool.
const WIND_DOWN: Duration = Duration::from_secs(20);

#[test]
fn a_build_that_is_stopped_while_it_unpacks_leaves_nothing_mounted() {
    if !lab::lab().has("bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let words = ["images", "build", "--kernel", "virtual", "bash"];
    let mut build = Tool::with(&state, &lab::lab().config_aside)
        .args(words)
        .start();
    while !build.stderr_line(PATIENCE).contains("unpacking") {}
    build.signal(Signal::TERM);
    let done = build.finish(PATIENCE);
    assert_ne!(done.code(), Some(0));
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let ours = state.to_string_lossy().into_owned();
    let left: Vec<_> = mounts.lines().filter(|line| line.contains(&ours)).collect();
    assert!(left.is_empty(), "{left:?}");
    let deadline = Instant::now() + WIND_DOWN;
    while let Err(error) = std::fs::remove_dir_all(&state) {
        assert!(Instant::now() < deadline, "it cannot be swept: {error}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
