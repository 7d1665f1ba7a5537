//! What a person sees on a terminal of 80 columns.

use super::words::{tool_words, tool_words_in};
use crate::lab::{self, lab};
use crate::place;
use crate::screen::{self, Screen};
use rustix::fs::{FlockOperation, flock};
use std::fs::File;

const COLUMNS: u16 = 80;
/// Said by the shell once the tool has ended.
const OVER: &str = "that was all";

/// A screen on which commands of a shell run, one after the other, to their end.
fn screen_after(commands: &[String]) -> Screen {
    let script = commands.join("; ");
    Screen::open(&format!("{script}; echo {OVER}; sleep 1000"), COLUMNS)
}

#[test]
fn the_first_use_of_a_language_offers_to_build_its_image() {
    if !screen::is_there() {
        return;
    }
    let empty = tempfile::tempdir().unwrap();
    let run = tool_words_in(empty.path(), "run --lang python -c 'print(1)'");
    let screen = screen_after(&[run, "echo code $?".into()]);
    screen.shows("The python image is not built yet");
    screen.shows("[Y/n]");
    screen.keys(&["n", "Enter"]);
    screen.shows(OVER);
    let seen = screen.text();
    assert!(seen.contains("images build python`"), "{seen}");
    assert!(seen.contains("code 125"), "{seen}");
}

#[test]
fn tables_fit_the_terminal_and_wide_ones_are_had_by_asking() {
    if !screen::is_there() {
        return;
    }
    let commands = [
        "languages",
        "images list",
        "images outdated",
        "snapshots list",
        "selftest --list",
    ];
    let screen = screen_after(&commands.map(tool_words));
    screen.shows(OVER);
    let seen = screen.text();
    let broken = seen
        .lines()
        .find(|line| line.trim_end().chars().count() > COLUMNS.into());
    assert_eq!(broken, None, "{seen}");
    assert!(seen.contains("--wide shows also: "), "{seen}");
    assert!(
        seen.contains(" ago"),
        "no times as people say them:\n{seen}"
    );
    let wide = screen_after(&[tool_words("images list --wide")]);
    wide.shows(OVER);
    assert!(wide.text().contains("SHA256"), "{}", wide.text());
}

#[test]
fn what_takes_long_is_told_while_it_does_and_leaves_nothing() {
    if !screen::is_there() || !lab().has("bash") {
        return;
    }
    let _slot = lab::slot();
    let state = tempfile::tempdir().unwrap();
    place::make_state(state.path());
    // Nobody gets a folder for a VM before this is given back.
    let lock = File::create(state.path().join("run.lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let run = tool_words_in(state.path(), "run --no-snapshot --lang sh -c 'echo x'");
    let screen = screen_after(&[run]);
    screen.shows("looking for an engine that works here");
    drop(lock);
    screen.shows(OVER);
    let seen = screen.text();
    assert!(!seen.contains("looking for an engine"), "{seen}");
    assert!(seen.contains("\nx\n") || seen.starts_with("x\n"), "{seen}");
}

#[test]
fn the_report_of_the_doctor_fits_the_terminal() {
    if !screen::is_there() || !lab().has("bash") {
        return;
    }
    let _slot = lab::slot();
    let screen = screen_after(&[tool_words("doctor")]);
    screen.shows(OVER);
    let seen = screen.text();
    assert!(seen.contains(" passed, "), "{seen}");
    let broken = seen
        .lines()
        .find(|line| line.trim_end().chars().count() > COLUMNS.into());
    assert_eq!(broken, None, "{seen}");
}

#[test]
fn an_assistants_server_that_is_started_by_hand_says_what_it_waits_for() {
    if !screen::is_there() || !lab().has("bash") {
        return;
    }
    let _slot = lab::slot();
    let screen = screen_after(&[tool_words("mcp")]);
    screen.shows("claude mcp add sandbox -- llm-firecracker mcp");
    screen.keys(&["C-d"]);
    screen.shows(OVER);
}

#[test]
fn verbose_says_each_step_with_its_time() {
    if !lab().has("bash") {
        return;
    }
    let tool = crate::tool::Tool::new();
    let done = tool
        .args(["run", "-v", "--lang", "sh", "-c", "echo x"])
        .go();
    let seen = done.err();
    for step in ["checking the bash image", "running the program"] {
        let line = seen.lines().find(|line| line.contains(step));
        let line = line.unwrap_or_else(|| panic!("no {step}: {seen}"));
        let time = line.split('s').next().unwrap().trim();
        assert!(time.parse::<f64>().is_ok(), "no time in {line:?}");
        let digits = time.split('.').nth(1).map_or(0, str::len);
        assert!(digits <= 3, "more digits than anybody reads in {line:?}");
    }
}
