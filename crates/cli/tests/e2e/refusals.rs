//! Jobs that are refused, failures of the sandbox itself, and the events that tell of every job.

use crate::cases::MEMORY_TIMEOUT;
use crate::lab;
use crate::tool::{Done, PATIENCE, Tool};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Refusals need no VM: they answer at once.
const AT_ONCE: Duration = Duration::from_secs(20);
const BOMB: &str = ":(){ :|:& };:";

fn refused(done: &Done, code: &str) {
    assert_eq!(done.code(), Some(2), "{code}: {}", done.err());
    let result = done.json();
    assert_eq!(result["status"], "rejected", "{result}");
    assert_eq!(result["failure"]["code"], code, "{result}");
    let message = result["failure"]["message"].as_str().unwrap();
    assert!(
        message.len() > 30,
        "{code} does not say what to do: {message}"
    );
}

#[test]
fn a_job_that_is_out_of_bounds_is_refused_with_its_code() {
    for (flags, code) in [
        (&["--lang", "cobol"][..], "language_unknown"),
        (&["--lang", "pyhton"], "language_unknown"),
        (&["--timeout", "0"], "timeout_invalid"),
        (&["--timeout", "NaN"], "timeout_invalid"),
        (&["--timeout", "300.001"], "timeout_invalid"),
        (&["--memory", "0"], "memory_invalid"),
        (&["--memory", "4097"], "memory_invalid"),
        (&["--vcpus", "0"], "vcpus_invalid"),
        (&["--vcpus", "99"], "vcpus_invalid"),
        (&["--pids", "0"], "limit_invalid"),
        (&["--trace-id", ".hidden"], "trace_id_invalid"),
        (&["--trace-id", "a/b"], "trace_id_invalid"),
        (&["--trace-id", ""], "trace_id_invalid"),
        (&["--env", "1A=x"], "env_invalid"),
    ] {
        let tool = Tool::run("sh", "echo never").args(["--json"]).args(flags);
        refused(&tool.finish(AT_ONCE), code);
    }
    let long = "x".repeat(65);
    let tool = Tool::run("sh", "echo never").args(["--json", "--trace-id", &long]);
    refused(&tool.finish(AT_ONCE), "trace_id_invalid");
}

#[test]
fn a_program_that_is_out_of_bounds_is_refused_with_its_code() {
    let over = format!("#{}", "x".repeat(1_048_576));
    for (source, code) in [
        (over.as_bytes(), "code_too_large"),
        (b"", "code_empty"),
        (b"echo \xff", "code_not_utf8"),
    ] {
        refused(
            &Tool::run("sh", source).args(["--json"]).finish(AT_ONCE),
            code,
        );
    }
    for program in [
        BOMB,
        "rm -rf /",
        "dd if=/dev/zero of=/dev/sda",
        "while true; do echo x; done",
    ] {
        let tool = Tool::run("sh", program).args(["--json", "--scan", "block"]);
        refused(&tool.finish(AT_ONCE), "pattern_blocked");
    }
    let done = Tool::run("sh", "x")
        .args(["--trace-id", "a b"])
        .finish(AT_ONCE);
    assert_eq!((done.code(), done.out().as_str()), (Some(2), ""));
    assert!(done.err().contains("trace_id_invalid"), "{}", done.err());
}

#[test]
fn a_program_of_exactly_one_mebibyte_runs() {
    if !lab::lab().has("bash") {
        return;
    }
    let head = "echo whole\n#";
    let source = format!("{head}{}", "x".repeat(1_048_576 - head.len()));
    let done = Tool::run("sh", source)
        .args(["--timeout", "300", "--trace-id", &"x".repeat(64)])
        .go();
    assert_eq!(
        (done.code(), done.out().as_str()),
        (Some(0), "whole\n"),
        "{}",
        done.err()
    );
}

#[test]
fn a_failure_of_the_sandbox_is_125_and_says_what_to_do() {
    let empty = tempfile::tempdir().unwrap();
    let done = Tool::with(empty.path(), &lab::lab().config)
        .program("sh", "echo never")
        .args(["--json", "--accel", "tcg"])
        .finish(PATIENCE);
    assert_eq!(done.code(), Some(125), "{}", done.err());
    let result = done.json();
    assert_eq!(result["failure"]["code"], "image_missing", "{result}");
    assert!(
        result["failure"]["message"]
            .as_str()
            .unwrap()
            .contains("images build"),
        "{result}"
    );
}

#[test]
fn an_empty_path_is_none_in_a_variable_and_refused_in_a_flag() {
    for (variable, flag) in [
        ("FIRECRACKER_BIN", "--firecracker"),
        ("JAILER_BIN", "--jailer"),
    ] {
        let list = || Tool::new().arg("languages").env(variable, "");
        let done = list().finish(AT_ONCE);
        assert_eq!(done.code(), Some(0), "{}", done.err());
        let done = list().args([flag, ""]).finish(AT_ONCE);
        assert_eq!(done.code(), Some(2), "{}", done.err());
        assert!(done.err().contains(flag), "{}", done.err());
    }
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    let done = Tool::new()
        .args(["run", "/no/such/file.py"])
        .finish(AT_ONCE);
    assert_eq!((done.code(), done.out().as_str()), (Some(2), ""));
    assert!(done.err().contains("/no/such/file.py"), "{}", done.err());
}

#[test]
fn every_job_leaves_one_start_and_one_ending() {
    if !lab::lab().has("bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (events, config) = (
        folder.path().join("events.jsonl"),
        folder.path().join("config.toml"),
    );
    let text = lab::PLACE.config_text(&format!("[events]\nfile = {:?}\n", events));
    std::fs::write(&config, text).unwrap();
    let jobs: &[(&str, &str, &[&str], &[&str])] = &[
        ("fine", "echo x", &[], &["VM_START", "VM_STOP"]),
        ("own-code", "exit 3", &[], &["VM_START", "VM_STOP"]),
        (
            "slow",
            "echo; while :; do :; done",
            &["--timeout", "1", "--scan", "off"],
            &["VM_START", "VM_TIMEOUT"],
        ),
        (
            "hog",
            "x=0123456789abcdef\nwhile :; do x+=$x; done",
            &["--timeout", MEMORY_TIMEOUT, "--scan", "off"],
            &["VM_START", "VM_OOM"],
        ),
        ("over", "echo", &["--timeout", "301"], &["VALIDATION_FAIL"]),
        (
            "warned",
            "true || rm -rf /",
            &[],
            &["DANGEROUS_PATTERN", "VM_START", "VM_STOP"],
        ),
        (
            "blocked",
            "rm -rf /",
            &["--scan", "block"],
            &["DANGEROUS_PATTERN", "VALIDATION_FAIL"],
        ),
    ];
    for (id, source, flags, _) in jobs {
        let _slot = lab::slot();
        let done = Tool::with(&lab::lab().state, &config)
            .program("sh", source)
            .args(["--json", "--trace-id", id])
            .args(*flags)
            .finish(PATIENCE);
        assert_eq!(done.json()["trace_id"], *id);
    }
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut last = String::new();
    for line in std::fs::read_to_string(&events).unwrap().lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let word = |field: &str| {
            event[field]
                .as_str()
                .unwrap_or_else(|| panic!("{field}: {line}"))
                .to_owned()
        };
        let timestamp = word("timestamp");
        assert!(
            timestamp.ends_with('Z') && timestamp.contains('T'),
            "{line}"
        );
        // To the second: fractions may have any number of digits.
        assert!(timestamp[..19] >= *last, "{line}");
        assert!(word("details").len() > 5, "{line}");
        last = timestamp[..19].to_owned();
        told.entry(word("trace_id"))
            .or_default()
            .push(word("event_type"));
    }
    for (id, _, _, expected) in jobs {
        assert_eq!(told.remove(*id).unwrap_or_default(), *expected, "{id}");
    }
    assert!(
        told.is_empty(),
        "events of jobs that were not run: {told:?}"
    );
}
