//! `llm-firecracker sandbox` against a service with real VMs: what a user and a script see of it.

use crate::lab;
use crate::leftovers::leftovers;
use crate::service::{Service, tool, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// More than all buffers on the way hold.
const LARGE_BYTES: usize = 8 << 20;

/// `sandbox` with these words, asking that service.
fn sandbox(base: &str, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_llm-firecracker"));
    command
        .env("LLM_FIRECRACKER_URL", base)
        .env_remove("LLM_FIRECRACKER_KEY")
        .arg("sandbox")
        .args(words)
        .stdin(Stdio::null());
    command
}

fn done(base: &str, words: &[&str]) -> Output {
    sandbox(base, words).output().unwrap()
}

/// Standard output of a command that must succeed, without its last newline.
fn out(base: &str, words: &[&str]) -> String {
    let done = done(base, words);
    assert!(done.status.success(), "{words:?}: {}", said(&done));
    String::from_utf8(done.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

fn said(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

fn fed(base: &str, words: &[&str], input: &[u8]) -> Output {
    let mut command = sandbox(base, words);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || {
        // A program that reads no more is no failure of whoever feeds it.
        let _ = stdin.write_all(&input);
    });
    let done = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_in_a_sandbox_is_as_one_here() {
    let _alone = lab::alone().await;
    if !lab::can_run("bash") {
        return;
    }
    let service = Service::start("sandbox-command", "");
    let base = &service.base.clone();
    let words = [
        "create",
        "--image",
        "bash",
        "--metadata",
        "a=b",
        "-e",
        "N=1",
    ];
    let id = out(base, &words);
    let listed: Value = serde_json::from_str(&out(base, &["list", "--json"])).unwrap();
    assert_eq!(listed["sandboxes"][0]["id"], id.as_str());
    let table = out(base, &["list"]);
    assert!(table.contains(&id) && table.contains("a=b"), "{table}");
    assert!(table.contains(" ago") && table.contains(" in "), "{table}");

    for (words, code, stdout, stderr) in [
        (
            &["bash", "-c", "echo $N; echo e >&2; exit 3"][..],
            3,
            "1\n",
            "e\n",
        ),
        (&["pwd"], 0, "/work\n", ""),
        (&["printf", r"\xff\x1b[m"], 0, "", ""),
        (
            &["bash", "-c", "kill -TERM $$"],
            143,
            "",
            "ended by signal 15",
        ),
        (
            &["/no/such/program"],
            127,
            "",
            r#""/no/such/program" is not there"#,
        ),
        (&["nosuch"], 127, "", r#"no program "nosuch" in"#),
        (&["echo $N"], 127, "", "-- bash -c 'echo $N'"),
        (&["/etc/passwd"], 126, "", "may not be executed"),
    ] {
        let done = done(base, &[&["exec", &id, "--"], words].concat());
        assert_eq!(done.status.code(), Some(code), "{words:?}: {}", said(&done));
        assert!(done.stdout.starts_with(stdout.as_bytes()), "{words:?}");
        assert!(said(&done).contains(stderr), "{words:?}: {}", said(&done));
    }
    let raw = done(base, &["exec", &id, "--", "printf", r"\xff\x1b[m"]);
    assert_eq!(raw.stdout, b"\xff\x1b[m", "{}", said(&raw));
    let slow = done(
        base,
        &["exec", &id, "--timeout", "0.3", "--", "sleep", "60"],
    );
    assert_eq!(slow.status.code(), Some(124), "{}", said(&slow));

    let large = vec![b'x'; LARGE_BYTES];
    let counted = fed(base, &["exec", &id, "-i", "--", "wc", "-c"], &large);
    assert_eq!(counted.stdout, format!("{LARGE_BYTES}\n").as_bytes());
    // It reads no more long before all is sent, and goes on.
    let line = "read -rN1 one; exec <&-; sleep 0.5; echo $one";
    let early = fed(base, &["exec", &id, "-i", "--", "bash", "-c", line], &large);
    assert_eq!(early.stdout, b"x\n", "{}", said(&early));
    // Each was forgotten with its end.
    let processes = format!("/api/v1/sandboxes/{id}/processes");
    assert_eq!(service.json(&processes).await, serde_json::json!([]));

    assert_eq!(out(base, &["rm", &id]), id);
    let gone = done(base, &["exec", &id, "--", "true"]);
    assert_eq!(gone.status.code(), Some(125));
    assert!(
        said(&gone).contains("[sandbox_not_found]"),
        "{}",
        said(&gone)
    );
    until("its VM is gone", async || {
        !leftovers().iter().any(|own| own.contains(&id))
    })
    .await;
    service.stop();
    let absent = done(base, &["list"]);
    assert_eq!(absent.status.code(), Some(1));
    assert!(
        said(&absent).contains("llm-firecracker serve"),
        "{}",
        said(&absent)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_terminals_and_logs_reach_their_process() {
    let _alone = lab::alone().await;
    if !lab::can_run("bash") {
        return;
    }
    let service = Service::start("sandbox-signals", "");
    let base = service.base.as_str();
    let id = out(base, &["create", "--image", "bash"]);

    for (trap, interrupts, code) in [("trap 'exit 5' INT", 1, 5), ("trap '' INT", 3, 137)] {
        // A bash that is interrupted just as its child is over sends itself the signal again and again: it waits for none.
        let line = format!("{trap}; sleep 1000 & echo up; wait");
        let exec = ["exec", &id, "--timeout", "60", "--", "bash", "-c", &line];
        let mut command = sandbox(base, &exec);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        assert_eq!(first, "up\n");
        for _ in 0..interrupts {
            kill_process(Pid::from_child(&child), Signal::INT).unwrap();
            // Two at one time are one.
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
        stdout.read_to_string(&mut first).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{trap}");
    }

    let line = "echo one; sleep 1; echo two";
    let process = out(
        base,
        &["exec", &id, "--background", "--", "bash", "-c", line],
    );
    assert_eq!(out(base, &["logs", &id, &process, "-f"]), "one\ntwo");
    assert_eq!(out(base, &["logs", &id, &process, "--from", "4"]), "two");

    if let Some(script) = lab::program("script", "bsdutils") {
        let tool = env!("CARGO_BIN_EXE_llm-firecracker");
        let inner = "test -t 0 && stty size && exit 7";
        let line = format!("{tool} sandbox exec {id} -t -- bash -c '{inner}'");
        let mut command = Command::new(script);
        command.args([
            "-qec",
            &format!("stty rows 33 cols 99; {line}"),
            "/dev/null",
        ]);
        let done = command.env("LLM_FIRECRACKER_URL", base).output().unwrap();
        let shown = String::from_utf8_lossy(&done.stdout).into_owned();
        assert_eq!(done.status.code(), Some(7), "{shown}");
        assert!(shown.contains("33 99"), "{shown}");
    }
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_both_ways_and_a_half_one_is_none() {
    let _alone = lab::alone().await;
    if !lab::can_run("bash") {
        return;
    }
    let service = Service::start("sandbox-cp", "");
    let base = service.base.as_str();
    let id = out(base, &["create", "--image", "bash"]);
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let bytes: Vec<u8> = (0..LARGE_BYTES).map(|n| (n * 7 / 3) as u8).collect();
    std::fs::write(path("a b"), &bytes).unwrap();

    out(base, &["cp", &path("a b"), &format!("{id}:/work/")]);
    out(base, &["cp", &format!("{id}:/work/a b"), &path("back")]);
    assert!(std::fs::read(path("back")).unwrap() == bytes);

    // The other end goes in the middle: what is there stays, and nothing is left beside it.
    let endless = format!("{id}:/dev/zero");
    let mut half = sandbox(base, &["cp", &endless, &path("back")]);
    let mut half = half.stderr(Stdio::null()).spawn().unwrap();
    until("some of it is there", async || names(dir.path()).len() > 2).await;
    out(base, &["rm", &id]);
    assert_eq!(half.wait().unwrap().code(), Some(1));
    assert_eq!(names(dir.path()), ["a b", "back"]);
    assert!(std::fs::read(path("back")).unwrap() == bytes);
    service.stop();
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_asked_for_and_never_printed() {
    let _alone = lab::alone().await;
    if !lab::can_run("bash") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let keys_file = dir.path().join("keys.json");
    let more = format!("[server]\nkeys_file = {keys_file:?}\n");
    let config = lab::config_file("sandbox-keys", &more);
    let added = tool(&config)
        .args(["keys", "add", "tester"])
        .output()
        .unwrap();
    let key = String::from_utf8(added.stdout).unwrap().trim().to_owned();
    let service = Service::start("sandbox-keys", &more);
    for (key, fine) in [
        (key.as_str(), true),
        ("lf_of_nobody_at_all", false),
        ("", false),
    ] {
        let mut command = sandbox(&service.base, &["list"]);
        let done = command.env("LLM_FIRECRACKER_KEY", key).output().unwrap();
        assert_eq!(done.status.success(), fine, "{}", said(&done));
        assert_eq!(said(&done).contains("[unauthorized]"), !fine);
        let help = sandbox(&service.base, &["list", "--help"]);
        let help = { help }.env("LLM_FIRECRACKER_KEY", key).output().unwrap();
        let printed = [done.stdout, done.stderr, help.stdout].concat();
        let printed = String::from_utf8_lossy(&printed).into_owned();
        assert!(key.is_empty() || !printed.contains(key));
    }
    service.stop();
}
