//! A job while it runs: output as it comes, input as it is typed, signals, and what its end leaves.

use crate::host::{self, Watched};
use crate::tool::{PATIENCE, Running, Tool};
use crate::{lab, leftovers};
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// A program that says `ready` and stays.
const STAYS: &str = "echo ready\nwhile read -r line; do echo \"got $line\"; done\necho end";
const SOON: Duration = Duration::from_secs(20);

/// A VM that runs [`STAYS`]; its test must hold the host alone.
fn ready(more: &[&str]) -> Running {
    let mut running = Tool::run("sh", STAYS).args(more).start();
    assert_eq!(running.stdout_line(PATIENCE), "ready");
    running
}

#[test]
fn output_comes_while_the_program_runs_and_the_streams_stay_apart() {
    if !lab::lab().has("python") {
        return;
    }
    let _slot = lab::slot();
    let source = "import sys\n\
        print('first', flush=True)\n\
        print('aside', file=sys.stderr, flush=True)\n\
        sys.stdin.readline()\n\
        print('last')";
    let mut running = Tool::run("py", source).args(["--timeout", "60"]).start();
    assert_eq!(running.stdout_line(PATIENCE), "first");
    assert_eq!(running.stderr_line(SOON), "aside");
    // The program waits for a line that is written only now, so its output cannot have come at its end.
    assert!(running.is_alive());
    running.write("go on\n");
    assert_eq!(running.stdout_line(SOON), "last");
    assert_eq!(running.finish(PATIENCE).code(), Some(0));
}

#[test]
fn input_is_fed_as_it_is_typed() {
    if !lab::lab().has("bash") {
        return;
    }
    let _slot = lab::slot();
    let mut running = ready(&["--timeout", "60"]);
    for line in ["one", "two \u{fc}"] {
        running.write(format!("{line}\n"));
        assert_eq!(running.stdout_line(SOON), format!("got {line}"));
    }
    running.close_stdin();
    assert_eq!(running.stdout_line(SOON), "end");
    assert_eq!(running.finish(PATIENCE).code(), Some(0));
}

#[test]
fn two_megabytes_go_in_and_out_unchanged() {
    if !lab::lab().has("bash") {
        return;
    }
    let input: Vec<u8> = (0..200_000)
        .flat_map(|n| format!("{n:09}\n").into_bytes())
        .collect();
    let done = Tool::run("sh", "cat")
        .args(["--timeout", "60", "--output-limit", "4000000"])
        .stdin(input.clone())
        .go();
    assert_eq!(done.code(), Some(0), "{}", done.err());
    assert!(
        done.stdout == input,
        "{} of {} bytes, or others",
        done.stdout.len(),
        input.len()
    );
}

#[test]
fn a_signal_to_the_tool_destroys_the_vm() {
    if !lab::lab().has("bash") {
        return;
    }
    let _alone = lab::alone();
    let before = leftovers::after_a_first_run();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let running = ready(&["--timeout", "120"]);
        assert!(
            !host::vm_processes().is_empty(),
            "no process of a VM was found to watch"
        );
        running.signal(signal);
        // With the end of its input the program would end by itself.
        let done = running.end(SOON);
        assert_eq!(done.code(), Some(code), "{}", done.err());
        assert!(done.err().contains("VM is destroyed"), "{}", done.err());
        leftovers::assert_nothing_new(&before);
    }
}

#[test]
fn kill_9_of_the_tool_destroys_the_vm_within_two_seconds() {
    if !lab::lab().has("bash") {
        return;
    }
    let _alone = lab::alone();
    let before = leftovers::after_a_first_run();
    let running = ready(&["--timeout", "120"]);
    let vm: Vec<(i32, Watched)> = host::vm_processes()
        .into_iter()
        .map(|pid| (pid.as_raw_nonzero().get(), Watched::open(pid)))
        .collect();
    assert!(!vm.is_empty(), "no process of a VM was found to watch");
    running.signal(Signal::KILL);
    let deadline = Instant::now() + Duration::from_secs(2);
    for (pid, watched) in &vm {
        assert!(
            watched.ends_before(deadline),
            "process {pid} outlived the tool by 2 s"
        );
    }
    assert_eq!(running.finish(SOON).code(), None);
    // What only the tool could give back, `clean` does.
    let cleaned = Tool::new().args(["clean", "--json"]).finish(SOON);
    assert_eq!(cleaned.code(), Some(0), "{}", cleaned.err());
    leftovers::assert_nothing_new(&before);
}

/// How much the flood prints; 10 GB take minutes under emulation (`LLM_FIRECRACKER_FLOOD_MB=10000`), and a
/// tenth shows the same, for nothing beyond the first MiB is kept anywhere.
fn flood_mb() -> u64 {
    let named = std::env::var("LLM_FIRECRACKER_FLOOD_MB").ok();
    named.map_or(1_000, |text| text.parse().unwrap())
}

#[test]
fn a_flood_leaves_the_tool_below_64_mib() {
    if !lab::lab().has("python") {
        return;
    }
    let _slot = lab::slot();
    let mb = flood_mb();
    let source = format!(
        "import os, sys\n\
        chunk = b'x' * 1_000_000\n\
        for _ in range({mb}):\n    written = 0\n    \
            while written < len(chunk): written += os.write(1, chunk[written:])\n\
        print('printed', file=sys.stderr, flush=True)\n\
        sys.stdin.read()"
    );
    let mut running = Tool::run("py", source).args(["--timeout", "300"]).start();
    assert_eq!(running.stderr_line(Duration::from_secs(300)), "printed");
    // The program still waits for the end of its input, so the tool is there to be looked at.
    let peak = host::memory_peak_bytes(running.pid());
    let done = running.finish(PATIENCE);
    println!(
        "{mb} MB were printed, the tool held {} MB at most",
        peak / 1_000_000
    );
    assert_eq!(done.code(), Some(0), "{}", done.err());
    assert_eq!(done.stdout.len(), 1 << 20);
    assert!(done.err().contains("stdout was cut"), "{}", done.err());
    assert!(peak < 64 << 20, "the tool held {peak} bytes");
}

#[test]
fn files_go_in_and_artifacts_come_back() {
    if !lab::lab().has("bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("data.txt"), folder.path().join("saved"));
    std::fs::write(&input, "from the host\n").unwrap();
    let source = "mkdir -p out/deep\ntr a-z A-Z < renamed.txt > out/deep/upper.txt\necho \"$WORD\"";
    let done = Tool::run("sh", source)
        .args(["--env", "WORD=given", "--output", output.to_str().unwrap()])
        .args(["--input", &format!("{}:renamed.txt", input.display())])
        .go();
    assert_eq!(
        (done.code(), done.out().as_str()),
        (Some(0), "given\n"),
        "{}",
        done.err()
    );
    let saved = std::fs::read_to_string(output.join("deep/upper.txt")).unwrap();
    assert_eq!(saved, "FROM THE HOST\n");
}

#[test]
fn more_files_than_are_taken_are_cut_off_and_said_so() {
    if !lab::lab().has("bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("saved");
    let source = "mkdir out; cd out; for n in {1001..1300}; do echo $n > $n; done";
    let done = Tool::run("sh", source)
        .args(["--json", "--output", output.to_str().unwrap()])
        .go();
    let result = done.json();
    assert_eq!(result["status"], "ok", "{result}");
    let notes = result["notes"].to_string();
    assert!(notes.contains("left out"), "{notes}");
    let saved = std::fs::read_dir(&output).unwrap().count();
    assert_eq!(saved, protocol::wire::MAX_ARTIFACTS);
    let last = std::fs::read_to_string(output.join("1256")).unwrap();
    assert_eq!(last, "1256\n");
}
