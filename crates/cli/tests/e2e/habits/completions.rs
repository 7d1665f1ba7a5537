//! Completions, typed in each shell on a terminal.

use crate::lab;
use crate::screen::{self, Screen};
use std::path::Path;
use std::process::Command;

/// Wide enough for every line that is typed.
const COLUMNS: u16 = 100;

/// How a shell starts without anybody's settings, and how it gets the completions.
struct Shell {
    name: &'static str,
    start: &'static str,
    setup: &'static str,
}

const SHELLS: &[Shell] = &[
    Shell {
        name: "bash",
        start: "bash --norc --noprofile -i",
        setup: "source <(llm-firecracker completions bash); PS1='ready> '",
    },
    Shell {
        name: "zsh",
        start: "zsh -f -i",
        setup: "autoload -U compinit; compinit -u; source <(llm-firecracker completions zsh); PS1='ready> '",
    },
    Shell {
        name: "fish",
        start: "fish --no-config -i",
        setup: "llm-firecracker completions fish | source; set -g fish_autosuggestion_enabled 0; function fish_prompt; echo -n 'ready> '; end",
    },
];

/// What is typed before each Tab, and what the line is then.
const TYPED: &[(&[&str], &str)] = &[
    (&["ima"], "llm-firecracker images"),
    (
        &["images bui", "python-data-f"],
        "llm-firecracker images build python-data-full",
    ),
    (&["run --la"], "llm-firecracker run --lang"),
    (&["run --lang pyt"], "llm-firecracker run --lang python"),
    (&["hello.p"], "llm-firecracker hello.py"),
    (
        &["keys revoke build-s"],
        "llm-firecracker keys revoke build-server",
    ),
    (
        &["run /etc/debian_ver"],
        "llm-firecracker run /etc/debian_version",
    ),
];

#[test]
fn each_shell_completes_commands_flags_languages_and_files() {
    if !screen::is_there() {
        return;
    }
    for shell in SHELLS {
        match Command::new(shell.name).arg("--version").output() {
            Ok(_) => types_in(shell),
            Err(_) => lab::not_run(&format!(
                "completions of {0}: {0} is not installed",
                shell.name
            )),
        }
    }
}

fn types_in(shell: &Shell) {
    let home = tempfile::tempdir().unwrap();
    let bin = Path::new(env!("CARGO_BIN_EXE_llm-firecracker"))
        .parent()
        .unwrap();
    let environment = format!(
        "env -i HOME='{}' TERM=\"$TERM\" PATH='{}':/usr/bin:/bin LANG=C.UTF-8",
        home.path().display(),
        bin.display()
    );
    std::fs::write(home.path().join("hello.py"), "print(1)").unwrap();
    let state = home.path().join("state");
    let added = Command::new(env!("CARGO_BIN_EXE_llm-firecracker"))
        .arg("--state-dir")
        .arg(&state)
        .args(["keys", "add", "build-server"])
        .output()
        .unwrap();
    assert!(added.status.success(), "{added:?}");
    let environment = format!(
        "cd '{}' && {environment} LLM_FIRECRACKER_STATE_DIR='{}'",
        home.path().display(),
        state.display()
    );
    let screen = Screen::open(&format!("{environment} {}", shell.start), COLUMNS);
    screen.keys(&[shell.setup, "Enter"]);
    // A shell that sets its terminal up may drop what was typed before.
    screen.wait("a prompt", |seen| typed_line(seen) == "ready>");
    for (typed, line) in TYPED {
        screen.keys(&["llm-firecracker "]);
        for (index, word) in typed.iter().enumerate() {
            screen.keys(&[word, "Tab"]);
            if index + 1 < typed.len() {
                // The next word is typed where the shell has put the cursor.
                screen.wait(shell.name, |seen| typed_line(seen).ends_with("build"));
            }
        }
        screen.wait(&format!("{}: {line}", shell.name), |seen| {
            typed_line(seen).ends_with(line)
        });
        screen.keys_until(&["C-u", "C-l"], |seen| typed_line(seen) == "ready>");
    }
}

/// What is typed; some shells list what there is below it.
fn typed_line(seen: &str) -> &str {
    let mut prompts = seen.lines().rev().filter(|line| line.starts_with("ready>"));
    prompts.next().unwrap_or_default().trim_end()
}
