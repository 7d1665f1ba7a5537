//! `shell`: a terminal in a VM, driven by tmux as a person would; and pipes.

use crate::lab::{self, lab};
use crate::place;
use crate::screen::{self, Screen};
use crate::tool::Tool;

#[test]
fn a_shell_with_pipes_is_the_program_in_the_vm() {
    if !lab().has("bash") {
        return;
    }
    let of = |args: &[&str], stdin: &str| {
        Tool::new()
            .args(["shell", "--image", "bash"])
            .args(args)
            .stdin(stdin)
            .go()
    };
    for (args, stdin, out, err, code) in [
        (
            &[][..],
            "pwd; echo $HOME; echo err >&2; exit 7",
            "/work\n/work\n",
            "err\n",
            7,
        ),
        (&["--", "cat"], "through\n", "through\n", "", 0),
        (&["-e", "A=b c", "--", "printenv", "A"], "", "b c\n", "", 0),
        (&["--", "sh", "-c", "kill -9 $$"], "", "", "", 137),
        (&["--timeout", "0.5", "--", "sleep", "100"], "", "", "", 124),
        (
            &["--", "nosuch"],
            "",
            "",
            "llm-firecracker: the process did not start: there is no program \"nosuch\" in the sandbox\'s PATH\n",
            127,
        ),
    ] {
        let done = of(args, stdin);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let seen = (text(&done.stdout), text(&done.stderr), done.status.code());
        assert_eq!(
            seen,
            (out.to_owned(), err.to_owned(), Some(code)),
            "{args:?}"
        );
    }
}

#[test]
fn a_shell_on_a_terminal_is_as_any_terminal() {
    if !lab().has("bash") {
        return;
    }
    if !screen::is_there() {
        return;
    }
    let _slot = lab::slot();
    let agent = place::agent().map(|agent| format!("--agent '{}'", agent.display()));
    let command = format!(
        "{} --state-dir '{}' --config '{}' {} shell --image bash -e PS1='ready> ' -- bash --norc; echo \"code $?\"; sleep 1000",
        env!("CARGO_BIN_EXE_llm-firecracker"),
        lab().state.display(),
        lab().config.display(),
        agent.unwrap_or_default(),
    );
    let screen = Screen::open(&command, 90);
    screen.shows("ready>");
    screen.keys(&["stty size; tty", "Enter"]);
    screen.shows("25 90\n/dev/pts/0");
    // Job control and Ctrl-C.
    screen.keys(&["sleep 1000 & jobs", "Enter"]);
    screen.shows("Running");
    screen.keys(&["sh -c 'echo begun $((6*7)); exec sleep 1000'", "Enter"]);
    screen.shows("begun 42");
    screen.keys(&["C-c"]);
    screen.wait("a prompt after ^C", |seen| {
        seen.trim_end().ends_with("^C\nready>")
    });
    screen.keys(&["echo code $?", "Enter"]);
    screen.shows("code 130");
    screen.tmux(&["resize-window", "-x", "100", "-y", "30"]);
    screen.keys(&["clear; stty size", "Enter"]);
    screen.shows("30 100");
    // A program that takes the whole screen, and gives it back.
    screen.keys(&["top", "Enter"]);
    screen.wait("top", |seen| {
        seen.contains("Tasks:") && seen.contains("PID")
    });
    screen.keys(&["q"]);
    screen.wait("a prompt after top", |seen| {
        seen.trim_end().ends_with("ready>")
    });
    screen.keys(&["clear; vi note", "Enter"]);
    screen.wait("vi", |seen| seen.contains("\n~\n"));
    screen.keys(&["ihello from vi", "Escape", ":wq", "Enter"]);
    screen.wait("a prompt after vi", |seen| {
        seen.trim_end().ends_with("ready>")
    });
    screen.keys(&["clear; wc -c note", "Enter"]);
    screen.shows("14 note");
    screen.keys(&["clear; exit 5", "Enter"]);
    screen.shows("code 5");
}
