//! A battery that cannot fail says nothing. While `selftest` runs, traces are planted on the host as a
//! wall that gave way would leave them; and it runs under limits so high that an attack succeeds. Each
//! must be seen, its row named, and the run must fail.

use crate::canaries::{self, Undo};
use crate::damage::OwnImages;
use crate::killed::Victim;
use crate::lab::{self, PLACE};
use crate::leftovers;
use crate::tool::{PATIENCE, Running, Tool};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use serde_json::Value;

/// The exit code where a wall gave way.
const GAVE_WAY: i32 = 1;

/// What is planted while an attack runs, and what its row must say then.
struct Canary {
    attack: &'static str,
    act: Option<fn(&Running) -> Undo>,
    seen: &'static [&'static str],
}

const fn quiet(attack: &'static str) -> Canary {
    Canary {
        attack,
        act: None,
        seen: &["host clean, next job right"],
    }
}

const fn canary(
    attack: &'static str,
    act: fn(&Running) -> Undo,
    seen: &'static [&'static str],
) -> Canary {
    Canary {
        attack,
        act: Some(act),
        seen,
    }
}

/// Attacks in the battery's order; all in bash, for one image is enough.
const CANARIES: &[Canary] = &[
    quiet("fork-bomb"),
    canary(
        "fill-tmp",
        canaries::file,
        &["left behind: file", "run/planted"],
    ),
    canary(
        "fill-shm",
        canaries::mount,
        &["left behind: mount", "(tmpfs)"],
    ),
    canary(
        "yes",
        canaries::process_that_listens,
        &[
            "an orphan with a VM's mark",
            "listening socket tcp 127.0.0.1:",
        ],
    ),
    canary(
        "long-line",
        canaries::process_with_the_tools_name,
        &["(llm-firecracker, an orphan with a VM's mark)"],
    ),
    canary("recursion-bash", canaries::cgroup, &["left behind: cgroup"]),
    canary(
        "ignores-signals",
        canaries::written_image,
        &["left behind: changed file"],
    ),
    // What was planted before is still there, and is nobody's fault any more.
    quiet("closes-output"),
    canary(
        "sleep",
        canaries::connection,
        &["a TCP connection from 127.0.0.1"],
    ),
];

/// Does it while an attack's VM, or the next job's, is there: after the first look at the host, before
/// the second one.
fn amid(tool: &mut Running, act: fn(&Running) -> Undo) -> Undo {
    let pid = Pid::from_raw(tool.pid().try_into().unwrap()).unwrap();
    loop {
        let (vmm, _) = Victim::Vmm.wait_for(tool);
        tool.signal(Signal::STOP);
        waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED).unwrap();
        // A tool that stands still destroys no VM: if this one is there yet, the second look is to come.
        let amid = Victim::Vmm.find(tool).is_some_and(|(now, _)| now == vmm);
        let undo = amid.then(|| act(tool));
        tool.signal(Signal::CONT);
        if let Some(undo) = undo {
            return undo;
        }
    }
}

/// The line that tells an attack's verdict, as it comes.
fn verdict(tool: &mut Running, attack: &str) -> String {
    loop {
        let line = tool.stderr_line(PATIENCE);
        if line.ends_with(&format!(" s {attack}")) {
            return line;
        }
    }
}

fn row<'a>(report: &'a Value, attack: &str) -> &'a Value {
    let mut rows = report["attacks"].as_array().unwrap().iter();
    let row = rows.find(|row| row["name"] == attack);
    row.unwrap_or_else(|| panic!("no row {attack}: {report}"))
}

fn assert_seen(row: &Value, words: &[&str]) {
    for word in words {
        let seen = row["seen"].as_str().unwrap();
        assert!(seen.contains(word), "{word:?} is not in {row}");
    }
}

/// As root: others can neither mount nor become a VM's uid.
#[test]
fn a_trace_of_a_wall_that_gave_way_is_seen_and_fails_the_run() {
    if !lab::lab().has("bash") {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        println!("not run: the tests are not root's");
        return;
    }
    let _alone = lab::alone();
    let _images = OwnImages::copied();
    let before = leftovers::after_a_first_run();
    let only = CANARIES.iter().flat_map(|canary| ["--only", canary.attack]);
    let mut tool = Tool::new().args(["selftest", "--json"]).args(only).start();
    let mut undo = Vec::new();
    for canary in CANARIES {
        undo.extend(canary.act.map(|act| amid(&mut tool, act)));
        let word = match canary.act {
            Some(_) => "GAVE WAY",
            None => "held",
        };
        let line = verdict(&mut tool, canary.attack);
        assert_eq!(line.trim_start().get(..word.len()), Some(word), "{line}");
    }
    let done = tool.finish(PATIENCE);
    drop(undo);
    assert_eq!(done.code(), Some(GAVE_WAY), "{}", done.err());
    let report = done.json();
    assert_eq!(report["attacks"].as_array().unwrap().len(), CANARIES.len());
    for canary in CANARIES {
        let row = row(&report, canary.attack);
        println!("{}: {}", canary.attack, row["seen"]);
        assert_eq!(row["contained"], canary.act.is_none(), "{row}");
        assert_seen(row, canary.seen);
    }
    leftovers::assert_nothing_new(&before);
}

/// An attack that relies on a limit succeeds where the operator lifted it.
#[test]
fn a_limit_that_was_lifted_fails_the_run() {
    if !lab::lab().has("bash") {
        return;
    }
    let _slot = lab::slot();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    // The attack writes 40 MB.
    let lifted =
        "[limits.defaults]\noutput_bytes = 67108864\n[limits.maxima]\noutput_bytes = 67108864\n";
    let chroots = lab::chroots(&lab::lab().state);
    std::fs::write(&config, PLACE.config_text(&format!("{chroots}{lifted}"))).unwrap();
    let attack = "long-line-stderr";
    let run = |config: &std::path::Path| {
        let tool = Tool::with(&lab::lab().state, config);
        let done = tool.args(["selftest", "--json", "--only", attack]);
        let done = done.finish(PATIENCE);
        (done.code(), row(&done.json(), attack).clone())
    };
    let (code, held) = run(&lab::lab().config);
    assert_eq!(code, Some(0), "{held}");
    let (code, lifted) = run(&config);
    println!("{attack}: {}", lifted["seen"]);
    assert_eq!(lifted["contained"], false, "{lifted}");
    assert_seen(&lifted, &["the output was not cut", "memory grew"]);
    assert_eq!(code, Some(GAVE_WAY));
}
