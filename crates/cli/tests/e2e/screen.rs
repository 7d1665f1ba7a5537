//! A terminal, by tmux: keys go in as a person types them, and the screen is read.

use crate::lab;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A VM's boot and a program's start, emulated on a loaded host.
const PATIENCE: Duration = Duration::from_secs(120);

/// Says whether a test of a terminal can run; where it cannot, says so or fails.
pub fn is_there() -> bool {
    let there = Command::new("tmux").arg("-V").output().is_ok();
    if !there {
        lab::not_run("a terminal: tmux is not installed");
    }
    there
}

/// A tmux of its own, in which a command runs.
pub struct Screen {
    socket: String,
}

impl Screen {
    /// A terminal of 25 lines that runs a shell's command.
    pub fn open(command: &str, columns: u16) -> Screen {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let screen = Screen {
            socket: format!("llm-firecracker-{}-{count}", std::process::id()),
        };
        let columns = columns.to_string();
        screen.tmux(&["new-session", "-d", "-x", &columns, "-y", "25", command]);
        screen.tmux(&["set-option", "-g", "remain-on-exit", "on"]);
        screen
    }

    /// A command of tmux's own; what it prints.
    pub fn tmux(&self, args: &[&str]) -> String {
        let output = Command::new("tmux")
            .args(["-f", "/dev/null", "-L", &self.socket])
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "tmux {args:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Types: text, or keys by tmux' names.
    pub fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// What was on the screen so far, with lines that scrolled away; one that was too wide for it is one line again.
    pub fn text(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-J", "-S", "-"])
    }

    /// Waits until the screen shows what `is_there` looks for.
    pub fn wait(&self, what: &str, is_there: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        loop {
            let seen = self.tmux(&["capture-pane", "-p"]);
            if is_there(&seen) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "no {what} in:\n{seen}");
            sleep(Duration::from_millis(50));
        }
    }

    /// Types keys that do no harm twice, again and again until the screen shows what `is_there` looks for: a shell that
    /// completes something takes none meanwhile.
    pub fn keys_until(&self, keys: &[&str], is_there: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        while !is_there(&self.tmux(&["capture-pane", "-p"])) {
            assert!(
                begun.elapsed() < PATIENCE,
                "{keys:?} change nothing in:\n{}",
                self.text()
            );
            self.keys(keys);
            sleep(Duration::from_millis(300));
        }
    }

    /// Waits until the screen shows this.
    pub fn shows(&self, text: &str) {
        self.wait(text, |seen| seen.contains(text));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = Command::new("tmux")
            .args(["-L", &self.socket, "kill-server"])
            .output();
    }
}
