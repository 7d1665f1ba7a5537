//! Starts the binary, feeds it, reads it, and never waits without a deadline.

use crate::{lab, place};
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// What one run of a program may take at most, the longest time limit included: a cold boot under
/// emulation on a loaded host, and the making of a snapshot before it.
pub const PATIENCE: Duration = Duration::from_secs(480);

/// A command line in the making.
pub struct Tool {
    command: Command,
    stdin: Vec<u8>,
    source: Option<tempfile::TempDir>,
}

/// A run that is over.
#[derive(Debug)]
pub struct Done {
    /// How the tool itself ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it printed to standard error.
    pub stderr: Vec<u8>,
    /// From its start to its end.
    pub wall: Duration,
}

impl Tool {
    /// The tool on a state folder and a configuration.
    pub fn with(state: &Path, config: &Path) -> Tool {
        let mut command = Command::new(env!("CARGO_BIN_EXE_llm-firecracker"));
        command
            .arg("--state-dir")
            .arg(state)
            .arg("--config")
            .arg(config);
        command.env_remove("LLM_FIRECRACKER_STATE_DIR");
        if let Some(agent) = place::agent() {
            command.arg("--agent").arg(agent);
        }
        Tool {
            command,
            stdin: Vec::new(),
            source: None,
        }
    }

    /// The tool in the lab.
    pub fn new() -> Tool {
        let lab = lab::lab();
        Tool::with(&lab.state, &lab.config)
    }

    /// The same in a network namespace that somebody made.
    pub fn within(mut self, namespace: &Path) -> Tool {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", namespace.display()));
        command.arg(self.command.get_program());
        command.args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        self.command = command;
        self
    }

    /// `run` of a program, whose language the tool finds by the extension.
    pub fn run(extension: &str, source: impl AsRef<[u8]>) -> Tool {
        Tool::new().program(extension, source)
    }

    /// The same on this tool.
    pub fn program(mut self, extension: &str, source: impl AsRef<[u8]>) -> Tool {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(format!("main.{extension}"));
        std::fs::write(&file, source).unwrap();
        self.command.arg("run").arg(file);
        self.source = Some(folder);
        self
    }

    /// More arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Tool {
        self.command.args(args);
        self
    }

    /// One more argument.
    pub fn arg(self, arg: impl AsRef<OsStr>) -> Tool {
        self.args([arg])
    }

    /// A variable of its environment.
    pub fn env(mut self, name: &str, value: &str) -> Tool {
        self.command.env(name, value);
        self
    }

    /// Standard input.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Tool {
        self.stdin = bytes.into();
        self
    }

    /// Runs it to its end in a place of its own among the VMs.
    pub fn go(self) -> Done {
        let _slot = lab::slot();
        self.finish(PATIENCE)
    }

    /// Runs it to its end.
    pub fn finish(self, patience: Duration) -> Done {
        let mut running = self.start();
        running.close_stdin();
        running.finish(patience)
    }

    /// Starts it; standard input stays open.
    pub fn start(mut self) -> Running {
        let begun = Instant::now();
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let (feed, fed) = channel::<Vec<u8>>();
        // A thread of its own: a program that reads nothing must not block the test.
        thread::spawn(move || {
            for bytes in fed {
                if stdin
                    .write_all(&bytes)
                    .and_then(|()| stdin.flush())
                    .is_err()
                {
                    return;
                }
            }
        });
        let mut running = Running {
            stdout: Pipe::read(child.stdout.take().unwrap()),
            stderr: Pipe::read(child.stderr.take().unwrap()),
            feed: Some(feed),
            child: Owned(child),
            begun,
            _source: self.source,
        };
        running.write(self.stdin);
        running
    }
}

/// A stream that a thread reads.
struct Pipe {
    chunks: Receiver<Vec<u8>>,
    seen: Vec<u8>,
    /// How much of `seen` was handed out as lines.
    taken: usize,
}

impl Pipe {
    fn read(mut from: impl Read + Send + 'static) -> Pipe {
        let (sender, chunks) = channel();
        thread::spawn(move || {
            let mut chunk = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = from.read(&mut chunk) {
                if sender.send(chunk[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Pipe {
            chunks,
            seen: Vec::new(),
            taken: 0,
        }
    }

    fn line(&mut self, deadline: Instant) -> Option<String> {
        loop {
            let rest = &self.seen[self.taken..];
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line = String::from_utf8_lossy(&rest[..end]).into_owned();
                self.taken += end + 1;
                return Some(line);
            }
            let patience = deadline.saturating_duration_since(Instant::now());
            self.seen.extend(self.chunks.recv_timeout(patience).ok()?);
        }
    }

    fn into_end(mut self, deadline: Instant) -> Vec<u8> {
        loop {
            let patience = deadline.saturating_duration_since(Instant::now());
            match self.chunks.recv_timeout(patience) {
                Ok(chunk) => self.seen.extend(chunk),
                Err(RecvTimeoutError::Disconnected) => return self.seen,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("a pipe of the tool is still open: {}", self.text());
                }
            }
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }
}

/// A process that is killed when nobody waits for it any more.
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // Both do nothing when it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The tool while it runs; dropped before it ended, it is killed.
pub struct Running {
    child: Owned,
    stdout: Pipe,
    stderr: Pipe,
    feed: Option<std::sync::mpsc::Sender<Vec<u8>>>,
    begun: Instant,
    _source: Option<tempfile::TempDir>,
}

impl Running {
    /// The tool's process id.
    pub fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Says whether it has not ended yet.
    pub fn is_alive(&mut self) -> bool {
        self.child.0.try_wait().unwrap().is_none()
    }

    /// Feeds its standard input.
    pub fn write(&mut self, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        if let (Some(feed), false) = (&self.feed, bytes.is_empty()) {
            // A tool that has ended takes nothing any more; the test will see its end.
            let _ = feed.send(bytes);
        }
    }

    /// Ends its standard input once everything is written.
    pub fn close_stdin(&mut self) {
        self.feed = None;
    }

    /// The next line of its standard output.
    pub fn stdout_line(&mut self, patience: Duration) -> String {
        let line = self.stdout.line(Instant::now() + patience);
        line.unwrap_or_else(|| self.no_line("stdout"))
    }

    /// The next line of its standard error.
    pub fn stderr_line(&mut self, patience: Duration) -> String {
        let line = self.stderr.line(Instant::now() + patience);
        line.unwrap_or_else(|| self.no_line("stderr"))
    }

    fn no_line(&mut self, name: &str) -> ! {
        // What it said on the other stream tells why.
        let now = Instant::now();
        while self.stderr.line(now).is_some() {}
        panic!(
            "no line on {name} in time; stdout {:?}, stderr {:?}",
            self.stdout.text(),
            self.stderr.text()
        )
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child.0);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Ends its standard input and waits for its end.
    pub fn finish(mut self, patience: Duration) -> Done {
        self.close_stdin();
        self.end(patience)
    }

    /// Waits for its end; standard input stays open.
    pub fn end(mut self, patience: Duration) -> Done {
        let deadline = Instant::now() + patience;
        let pid = rustix::process::Pid::from_child(&self.child.0);
        if !crate::host::Watched::open(pid).ends_before(deadline) {
            self.signal(rustix::process::Signal::KILL);
            panic!(
                "the tool did not end within {patience:?}; stdout {:?}, stderr {:?}",
                self.stdout.text(),
                self.stderr.text()
            );
        }
        let wall = self.begun.elapsed();
        // Nothing else may hold these pipes: whoever does outlived the tool.
        let deadline = Instant::now() + Duration::from_secs(5);
        Done {
            status: self.child.0.wait().unwrap(),
            stdout: self.stdout.into_end(deadline),
            stderr: self.stderr.into_end(deadline),
            wall,
        }
    }
}

impl Done {
    /// The tool's exit code; none when a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Standard output as text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Standard output as the one JSON value that it must be.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| {
            panic!(
                "no JSON ({error}): stdout {:?}, stderr {:?}",
                self.out(),
                self.err()
            )
        })
    }
}
