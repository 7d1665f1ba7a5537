//! Words as people write them.

use crate::lab::{self, lab};
use crate::tool::{PATIENCE, Tool};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Nothing of it needs a VM.
const AT_ONCE: Duration = Duration::from_secs(60);

/// A folder with programs of each habit.
fn programs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("args.sh", "echo \"$@\""),
        (
            "script",
            "#!/usr/bin/env -S bash -e\necho by its first line\n",
        ),
        ("yes.sh", "while :; do echo y; done"),
        ("hog.sh", "x=0123456789abcdef\nwhile :; do x+=$x; done"),
        ("notes.txt", "no program"),
        ("nothing", "no program"),
        ("wrong.toml", "[limits]\nno_such_key = 1\n"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn a_wrong_word_is_answered_with_what_to_write() {
    let folder = programs();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (args, notes, nothing) = (&at("args.sh"), &at("notes.txt"), &at("nothing"));
    let (wrong, here) = (&at("wrong.toml"), &at("."));
    for (words, said) in [
        (&["run", args, "x", "y"][..], "args.sh -- x y"),
        (&[args, "x"], "args.sh -- x"),
        (&["imagse"], "'images'"),
        (
            &["run", "--lnag", "bash", args],
            "a similar argument exists: '--lang'",
        ),
        (&["run", "--lang", "pyhton", args], "did you mean python?"),
        (&["images", "build", "pythn"], "did you mean python?"),
        (
            &["run", here],
            "is a folder: name the program in it, such as ",
        ),
        (&["run", notes], ".txt of "),
        (
            &["run", nothing],
            "neither an extension nor a #! line tells the language",
        ),
        (
            &["run", args, "--timeout", "6m"],
            "--timeout is 360, allowed is above 0 and at most 300",
        ),
        (
            &["run", args, "--memory", "64m"],
            "--memory is 64 MiB, allowed is 128 MiB to 4 GiB",
        ),
        (
            &["run", args, "--memory", "9g"],
            "--memory is 9 GiB, allowed is 128 MiB to 4 GiB",
        ),
        (
            &["run", args, "--vcpus", "two"],
            "invalid value 'two' for '--vcpus <N>': write a whole number",
        ),
        (
            &["run", args, "--stdin", "nothere"],
            "--stdin nothere: No such file",
        ),
        (
            &["run", args, "--output", notes],
            "notes.txt cannot be a folder",
        ),
        (&["images", "build", "nothere.toml"], "nothere.toml"),
        (&["images", "list", "--config", wrong], "no_such_key"),
        (&["config", "check", wrong], ""),
        (&[here], "is a folder: name the program in it, such as "),
        (&["shell", "node"], "shell --image node"),
        (&["shell", "ls", "-la"], "shell -- ls -la"),
        (
            &["keys", "--config", "/nothere/c.toml", "list"],
            "/nothere/c.toml",
        ),
        (&["sandbox", "cp", "nothere", "id:"], "opening nothere"),
        (&["sandbox", "cp", "x", "y"], "write one as ID:/PATH"),
        (&["sandbox", "cp", ":/x", "y"], "names no sandbox"),
        (&["sandbox", "cp", "a:/x", "b:/x"], "sandbox cp a:/x "),
        (
            &["run", args, "--memory", "much"],
            "for '--memory <SIZE>': write MiB",
        ),
        (&["run", args, "--config", wrong], "no_such_key"),
    ] {
        let done = Tool::new().args(words).finish(AT_ONCE);
        let seen = done.err();
        assert!(seen.contains(said), "{words:?}: {seen}");
        assert_eq!(done.code(), Some(2), "{words:?}: {seen}");
    }
}

#[test]
fn programs_run_as_people_name_them() {
    if !lab().has("bash") {
        return;
    }
    let folder = programs();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (args, script) = (&at("args.sh"), &at("script"));
    for (words, out) in [
        (&[args, "--", "x", "y"][..], "x y\n"),
        (&["run", script], "by its first line\n"),
        (
            &[
                "run",
                "--lang",
                "Shell",
                "--timeout",
                "1m",
                "--memory",
                "0.5g",
                "-c",
                "echo $0",
            ],
            "main.sh\n",
        ),
    ] {
        let done = Tool::new().args(words).go();
        let seen = (done.out(), done.code());
        assert_eq!(seen, (out.to_owned(), Some(0)), "{words:?}: {}", done.err());
    }
}

#[test]
fn what_memory_ended_a_program_is_told_with_what_its_vm_has() {
    if !lab().has("bash") {
        return;
    }
    let folder = programs();
    let hog = folder.path().join("hog.sh");
    let words = ["--memory", "128m", "--timeout", "5m", "--scan", "off"];
    let done = Tool::new().arg("run").arg(hog).args(words).go();
    assert_eq!(done.code(), Some(137), "{}", done.err());
    let said = "which a VM of 128 MiB leaves to the program (--memory)";
    assert!(done.err().contains(said), "{}", done.err());
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_in_silence() {
    if !lab().has("bash") {
        return;
    }
    let folder = programs();
    let _slot = lab::slot();
    let tool = |words: &str| tool_words(words);
    let run = tool(&format!(
        "run --scan off {}",
        folder.path().join("yes.sh").display()
    ));
    for (command, out) in [
        (
            format!("{run} | head -2; echo ${{PIPESTATUS[0]}}"),
            "y\ny\n141\n",
        ),
        (format!("{} | head -c 1", tool("languages --json")), "{"),
        (format!("{} | head -c 1", tool("languages")), " "),
        (format!("{} | head -c 3", tool("run --help")), "Run"),
    ] {
        let done = Command::new("bash")
            .args(["-c", &command])
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let seen = (text(&done.stdout), text(&done.stderr));
        assert_eq!(seen, (out.to_owned(), String::new()), "{command}");
    }
}

/// The tool in the lab, as a shell has it.
pub fn tool_words(words: &str) -> String {
    tool_words_in(&lab().state, words)
}

/// The same in another state folder.
pub fn tool_words_in(state: &Path, words: &str) -> String {
    let agent = crate::place::agent().map(|agent| format!("--agent '{}'", agent.display()));
    format!(
        "'{}' --state-dir '{}' --config '{}' {} {words}",
        env!("CARGO_BIN_EXE_llm-firecracker"),
        state.display(),
        lab().config.display(),
        agent.unwrap_or_default(),
    )
}

#[test]
fn an_image_that_is_not_there_is_one_line_with_the_right_command() {
    let empty = tempfile::tempdir().unwrap();
    for (extension, image) in [("py", "python"), ("sh", "bash")] {
        let tool = Tool::with(empty.path(), &lab().config).program(extension, "x");
        let done = tool.finish(PATIENCE);
        let line = format!(
            "llm-firecracker: the {image} image is not built yet: run `llm-firecracker images build {image}` \
             [image_missing]\n"
        );
        assert_eq!((done.code(), done.err()), (Some(125), line));
    }
}
