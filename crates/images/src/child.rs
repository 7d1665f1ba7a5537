//! Runs the programs that images are made with: with a deadline, and with their last words kept.

use crate::error::ImageError;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

/// How many lines of a failed program an error carries.
const LAST_LINES: usize = 12;
/// The longest line kept, in bytes; a program's progress bars have no line ends.
const MAX_LINE_BYTES: u64 = 4096;
/// Read of what comes behind what was wanted, in bytes: tar fills its last record, of 10 KiB as it comes.
const MAX_PADDING_BYTES: u64 = 1 << 20;
/// What a program gets to clean up in before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// A program, what it is run for, and how long it may take.
pub(crate) struct Tool<'a> {
    pub(crate) name: &'a str,
    pub(crate) doing: &'a str,
    pub(crate) deadline: Duration,
}

/// What is known of a program at its end besides its status.
struct Ended {
    last_lines: VecDeque<String>,
    /// Its deadline came first.
    expired: bool,
}

/// What was made of its output, its status, and what is known besides.
type Followed<T> = (Result<T, ImageError>, ExitStatus, Ended);

impl Tool<'_> {
    /// Runs to the end; each line of either stream goes to `on_line`.
    pub(crate) fn run(
        &self,
        command: &mut Command,
        on_line: impl Fn(&str) + Sync,
    ) -> Result<(), ImageError> {
        self.run_reading(command, on_line, |mut stdout| {
            // What these programs print is of interest only when they fail.
            io::copy(&mut stdout, &mut io::sink())
                .map(drop)
                .map_err(ImageError::io("reading the output of", self.name.as_ref()))
        })
    }

    /// Runs to the end while `read` takes its stdout; each line of stderr goes to `on_line`.
    ///
    /// The program's failure is the one reported when both fail, as a cut stream follows from it;
    /// but a full disk on our side is what makes the program fail.
    pub(crate) fn run_reading<T>(
        &self,
        command: &mut Command,
        on_line: impl Fn(&str) + Sync,
        read: impl FnOnce(ChildStdout) -> Result<T, ImageError>,
    ) -> Result<T, ImageError> {
        let (value, status, ended) = self.read_from(command, on_line, read)?;
        self.unless_it_failed(value, status, ended)
    }

    /// The same of a program whose status says more than that it failed. Only that it took too long is an error here.
    pub(crate) fn run_for_status<T>(
        &self,
        command: &mut Command,
        on_line: impl Fn(&str) + Sync,
        read: impl FnOnce(ChildStdout) -> Result<T, ImageError>,
    ) -> Result<(T, ExitStatus), ImageError> {
        let (value, status, ended) = self.read_from(command, on_line, read)?;
        if ended.expired {
            self.judge(status, ended)?;
        }
        Ok((value?, status))
    }

    fn read_from<T>(
        &self,
        command: &mut Command,
        on_line: impl Fn(&str) + Sync,
        read: impl FnOnce(ChildStdout) -> Result<T, ImageError>,
    ) -> Result<Followed<T>, ImageError> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = self.spawn(command)?;
        let Some(stdout) = child.stdout.take() else {
            return Err(self.cannot_start(io::Error::other("it has no pipes")));
        };
        let rest = stdout.as_fd().try_clone_to_owned();
        let rest = rest.map_err(|error| self.cannot_start(error))?;
        self.follow(&mut child, &on_line, || {
            let value = read(stdout)?;
            // An archive's padding comes after its end; whoever writes it is not to find the pipe closed.
            let mut padding = File::from(rest).take(MAX_PADDING_BYTES);
            // Where it cannot be read, the program says so itself.
            let _ = io::copy(&mut padding, &mut io::sink());
            Ok(value)
        })
    }

    /// Runs to the end while `feed` writes its stdin; what it prints on stdout is thrown away.
    ///
    /// `feed` is to take a closed pipe for the program's early end, which is judged here.
    pub(crate) fn run_fed<T>(
        &self,
        command: &mut Command,
        feed: impl FnOnce(ChildStdin) -> T,
    ) -> Result<T, ImageError> {
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = self.spawn(command)?;
        let Some(stdin) = child.stdin.take() else {
            return Err(self.cannot_start(io::Error::other("it has no pipes")));
        };
        let on_line = |_: &str| {};
        let (value, status, ended) = self.follow(&mut child, &on_line, || Ok(feed(stdin)))?;
        self.unless_it_failed(value, status, ended)
    }

    fn spawn(&self, command: &mut Command) -> Result<Child, ImageError> {
        let spawned = command.stderr(Stdio::piped()).spawn();
        spawned.map_err(|error| self.cannot_start(error))
    }

    /// Does `work` while the program runs, and waits for its end.
    fn follow<T>(
        &self,
        child: &mut Child,
        on_line: &(impl Fn(&str) + Sync),
        work: impl FnOnce() -> Result<T, ImageError>,
    ) -> Result<Followed<T>, ImageError> {
        let Some(stderr) = child.stderr.take() else {
            return Err(self.cannot_start(io::Error::other("it has no pipes")));
        };
        let running = &*child;
        let (value, ended) = thread::scope(|scope| {
            let lines = scope.spawn(|| keep_last_lines(stderr, on_line));
            let watchdog = scope.spawn(|| stop_after(running, self.deadline));
            let value = work();
            let last_lines = lines.join().unwrap_or_default();
            let expired = watchdog.join().unwrap_or(false);
            let ended = Ended {
                last_lines,
                expired,
            };
            (value, ended)
        });
        let status = child
            .wait()
            .map_err(ImageError::io("waiting for", self.name.as_ref()))?;
        Ok((value, status, ended))
    }

    fn unless_it_failed<T>(
        &self,
        value: Result<T, ImageError>,
        status: ExitStatus,
        ended: Ended,
    ) -> Result<T, ImageError> {
        if matches!(value, Err(ImageError::NoSpace { .. })) {
            return value;
        }
        self.judge(status, ended)?;
        value
    }

    fn judge(&self, status: ExitStatus, ended: Ended) -> Result<(), ImageError> {
        if status.success() {
            return Ok(());
        }
        let last_lines = Vec::from(ended.last_lines).join("\n");
        let (tool, doing) = (self.name.to_owned(), self.doing.to_owned());
        if ended.expired {
            let seconds = self.deadline.as_secs();
            return Err(ImageError::Deadline {
                tool,
                doing,
                seconds,
                last_lines,
            });
        }
        if last_lines.contains("No space left on device") {
            return Err(ImageError::NoSpace {
                path: tool.into(),
                doing,
            });
        }
        Err(ImageError::Tool {
            tool,
            doing,
            status: status.to_string(),
            last_lines,
        })
    }

    fn cannot_start(&self, error: io::Error) -> ImageError {
        match error.kind() {
            io::ErrorKind::NotFound => ImageError::ToolMissing {
                tool: self.name.to_owned(),
            },
            _ => ImageError::io("starting", self.name.as_ref())(error),
        }
    }
}

fn keep_last_lines(stream: impl Read, on_line: &impl Fn(&str)) -> VecDeque<String> {
    let mut kept = VecDeque::with_capacity(LAST_LINES);
    each_line(stream, |line| {
        on_line(line);
        if !line.is_empty() {
            if kept.len() == LAST_LINES {
                kept.pop_front();
            }
            kept.push_back(line.to_owned());
        }
    });
    kept
}

/// Hands out the lines of a program until it closes the stream.
pub(crate) fn each_line(stream: impl Read, mut on_line: impl FnMut(&str)) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut bytes = Vec::new();
        let mut line = (&mut reader).take(MAX_LINE_BYTES);
        match line.read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return,
            Ok(_) => on_line(String::from_utf8_lossy(&bytes).trim_end()),
        }
    }
}

/// Waits for the child's end; when that does not come in time, asks it to stop, then makes it. True
/// when the deadline passed. The child is not reaped meanwhile, so its pid stays its own.
fn stop_after(child: &Child, deadline: Duration) -> bool {
    let pidfd = i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    let Some(pidfd) = pidfd else {
        return false;
    };
    let ended = |within: Duration| {
        let timeout = Timespec {
            tv_sec: i64::try_from(within.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: 0,
        };
        let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
        matches!(poll(&mut fds, Some(&timeout)), Ok(ready) if ready > 0)
    };
    if ended(deadline) {
        return false;
    }
    // Errors here mean that it has just ended by itself.
    let _ = pidfd_send_signal(&pidfd, Signal::TERM);
    if !ended(GRACE) {
        let _ = pidfd_send_signal(&pidfd, Signal::KILL);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    const TOOL: Tool<'static> = Tool {
        name: "sh",
        doing: "testing",
        deadline: Duration::from_secs(20),
    };

    #[test]
    fn a_failure_carries_the_last_lines_and_the_status() {
        let script = "for i in $(seq 100); do echo line $i >&2; done; exit 7";
        let error = TOOL
            .run(&mut shell(script), |_| {})
            .unwrap_err()
            .to_string();
        assert!(error.contains("exit status: 7"), "{error}");
        assert!(
            error.contains("line 89\n") && error.ends_with("line 100"),
            "{error}"
        );
        assert!(!error.contains("line 88\n"), "{error}");
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let script = "echo 'mkfs: write: No space left on device' >&2; exit 1";
        let error = TOOL.run(&mut shell(script), |_| {}).unwrap_err();
        assert!(matches!(error, ImageError::NoSpace { .. }), "{error}");
    }

    #[test]
    fn a_missing_program_names_what_installs_it() {
        let tool = Tool {
            name: "no-such-tool",
            ..TOOL
        };
        let error = tool
            .run(&mut Command::new("no-such-tool"), |_| {})
            .unwrap_err();
        assert!(error.to_string().contains("setup-debian.sh"), "{error}");
    }

    #[test]
    fn a_deadline_ends_a_program_that_does_not() {
        let tool = Tool {
            deadline: Duration::from_secs(1),
            ..TOOL
        };
        let error = tool
            .run(&mut shell("echo here >&2; exec sleep 1000"), |_| {})
            .unwrap_err();
        assert!(error.to_string().contains("stopped after 1 s"), "{error}");
        assert!(error.to_string().ends_with("here"), "{error}");
    }

    #[test]
    fn what_comes_behind_an_archives_end_fails_nobody() {
        let read = |mut stdout: ChildStdout| {
            let mut end = [0; 4];
            stdout.read_exact(&mut end).unwrap();
            Ok(end)
        };
        let padded = "printf over; sleep 0.2; exec head -c 10240 /dev/zero";
        let end = TOOL.run_reading(&mut shell(padded), |_| {}, read).unwrap();
        assert_eq!(&end, b"over");
    }

    #[test]
    fn stdout_is_read_while_it_runs() {
        let read = |mut stdout: ChildStdout| {
            let mut text = String::new();
            stdout.read_to_string(&mut text).unwrap();
            Ok(text)
        };
        let text = TOOL
            .run_reading(&mut shell("echo out; echo err >&2"), |_| {}, read)
            .unwrap();
        assert_eq!(text, "out\n");
    }
}
