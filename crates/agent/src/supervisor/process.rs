//! One process of the sandbox: its inputs and outputs, its deadline, its end.
//!
//! ```text
//!   running ──its pidfd is readable──> exited ──what it wrote is read──> ended: told, once
//!      └ deadline: everything in its cgroup is killed ┘
//! ```
//!
//! What it leaves behind goes on in its cgroup until it is forgotten, and what that writes is kept, too.

use super::input::{Input, InputKind, Written};
use super::output::OutputLog;
use super::outputs::Outputs;
use super::spawn::reap;
use crate::audit::KernelLog;
use crate::cgroup::{self, Cgroup, Usage};
use crate::clone::Forked;
use crate::confine::{rlimits, set_limit_of};
use crate::ending::{Facts, Outcome, judge, status_of};
use crate::error::{AgentError, Step};
use crate::witnesses::OfJob;
use nix::errno::Errno;
use nix::sys::resource::Resource;
use nix::sys::signal::{Signal, kill, killpg};
use protocol::link::StreamId;
use protocol::supervisor::{
    AdoptProcess, OutputKind, ProcessLimits, ProcessReport, SignalTarget, StartProcess,
    TerminalSize,
};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// Where a process is in its life.
pub enum Stage {
    /// It runs.
    Running,
    /// It is gone; what it wrote may not all be read.
    Exited {
        /// Its wait status.
        outcome: Outcome,
        /// How long it ran.
        wall: Duration,
    },
    /// Its end was told.
    Ended,
}

/// One process.
pub struct Process {
    forked: Forked,
    /// Its number in the sandbox.
    pub pid: u32,
    /// Its share of the machine.
    pub cgroup: Cgroup,
    limits: ProcessLimits,
    memory_limit_bytes: u64,
    /// The counters when it became what it is.
    before: Usage,
    log: KernelLog,
    /// What it may keep, bytes.
    pub kept_bytes: u64,
    /// What it writes and wrote.
    pub outputs: Outputs,
    inputs: Vec<Input>,
    /// The terminal's own end, for its size.
    terminal: Option<OwnedFd>,
    /// Where it is.
    pub stage: Stage,
    /// It is an interpreter that waits for its order.
    pub waits: bool,
    started: Instant,
    /// When it is killed.
    pub deadline: Option<Instant>,
    timed_out: bool,
}

/// The agent's ends of what a process was given.
pub struct Ends {
    /// What it writes; a control descriptor comes last.
    pub outputs: Vec<(OutputKind, OwnedFd)>,
    /// What it reads.
    pub inputs: Vec<Input>,
    /// A second handle on its terminal.
    pub terminal: Option<OwnedFd>,
}

impl Process {
    /// Of a program that has just begun in `cgroup`.
    pub fn new(start: &StartProcess, forked: Forked, cgroup: Cgroup, ends: Ends) -> Process {
        let now = Instant::now();
        Process {
            pid: inside_pid(&forked),
            forked,
            cgroup,
            limits: start.limits.clone(),
            memory_limit_bytes: cgroup::memory_limit(start.limits.memory_bytes),
            before: Usage::default(),
            log: KernelLog::follow(),
            kept_bytes: start.kept_bytes,
            outputs: Outputs::new(ends.outputs, OutputLog::new(start.kept_bytes))
                .bounded(start.output_bytes),
            inputs: ends.inputs,
            terminal: ends.terminal,
            stage: Stage::Running,
            waits: false,
            started: now,
            deadline: deadline(&start.limits, now),
            timed_out: false,
        }
    }

    /// It waits from now on: nothing comes to it, and it has no deadline.
    pub fn wait_for_order(&mut self) {
        self.waits = true;
        self.deadline = None;
        for input in &mut self.inputs {
            input.stream = None;
        }
    }

    /// Nothing comes to it until another link does.
    pub fn detach(&mut self) {
        for input in &mut self.inputs {
            input.stream = None;
        }
    }

    /// An input of one of these kinds comes from this stream now; `false`: it has none (any more).
    pub fn attach(&mut self, kinds: &[InputKind], stream: StreamId) -> bool {
        let mut inputs = self.inputs.iter_mut();
        let input = inputs.find(|input| kinds.contains(&input.kind));
        let is_there = input.is_some();
        if let Some(input) = input {
            input.stream = Some(stream);
        }
        is_there
    }

    /// It becomes what the order says. Its limits are set after this: see [`Process::limit`].
    pub fn adopt(&mut self, adopt: &AdoptProcess) -> Result<(), AgentError> {
        self.waits = false;
        self.before = self.cgroup.usage()?;
        self.log = KernelLog::follow();
        self.started = Instant::now();
        self.deadline = deadline(&adopt.limits, self.started);
        self.outputs.bound(adopt.output_bytes);
        for input in &mut self.inputs {
            match input.kind {
                InputKind::Orders => {
                    input.feed(adopt.order.as_bytes());
                    input.feed(b"\n");
                    input.stream = adopt.orders;
                    if adopt.orders.is_none() {
                        input.end();
                    }
                }
                InputKind::Stdin | InputKind::Terminal => input.stream = adopt.stdin,
            }
        }
        if adopt.stdin.is_none() {
            self.inputs.retain(|input| input.kind == InputKind::Orders);
        }
        Ok(())
    }

    /// Sets limits from outside, on all its processes, before it reads its order.
    pub fn limit(&mut self, limits: &ProcessLimits) -> Result<(), AgentError> {
        self.cgroup.limit(limits.memory_bytes, limits.pids)?;
        // What was used up before, loading above all, does not count as the job's.
        let used = self.before.cpu_micros.div_ceil(1_000_000);
        for pid in self.cgroup.pids()? {
            for (resource, soft, hard) in rlimits(limits) {
                let more = if resource == Resource::RLIMIT_CPU {
                    used
                } else {
                    0
                };
                let (soft, hard) = (soft.saturating_add(more), hard.saturating_add(more));
                set_limit_of(pid, resource, soft, hard)
                    .step(|| format!("prlimit {resource:?} of {pid}"))?;
            }
        }
        self.limits = limits.clone();
        self.memory_limit_bytes = cgroup::memory_limit(limits.memory_bytes);
        Ok(())
    }

    /// Readable once it has ended; `None` when that is known.
    pub fn end(&self) -> Option<BorrowedFd<'_>> {
        matches!(self.stage, Stage::Running).then(|| self.forked.pidfd.as_fd())
    }

    /// Takes in what is for one of its inputs; `false`: none of them comes from this stream.
    pub fn feed(&mut self, stream: StreamId, data: &[u8]) -> bool {
        let input = self.input(stream);
        let is_its = input.is_some();
        if let Some(input) = input {
            input.feed(data);
        }
        is_its
    }

    /// An input ends after what waits; `false`: none of them comes from this stream.
    pub fn end_input(&mut self, stream: StreamId) -> bool {
        let input = self.input(stream);
        let is_its = input.is_some();
        if let Some(input) = input {
            input.end();
        }
        is_its
    }

    fn input(&mut self, stream: StreamId) -> Option<&mut Input> {
        let mut inputs = self.inputs.iter_mut();
        inputs.find(|input| input.stream == Some(stream))
    }

    /// Where there is something to be written.
    pub fn writable(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.inputs.iter().filter_map(Input::writable)
    }

    /// Writes what its inputs take and closes those that are over; what became of each.
    pub fn write(&mut self) -> Vec<Written> {
        let mut written = Vec::new();
        self.inputs.retain_mut(|input| {
            let became = input.write();
            let is_open = became.is_open;
            written.push(became);
            is_open
        });
        written
    }

    /// Sends a signal; to a process that is gone it means nothing.
    pub fn signal(&self, signal: i32, to: SignalTarget) -> Result<(), AgentError> {
        let Ok(signal) = Signal::try_from(signal) else {
            return Ok(());
        };
        if to == SignalTarget::All && signal == Signal::SIGKILL {
            return self.cgroup.kill();
        }
        let running = matches!(self.stage, Stage::Running);
        let sent = match to {
            SignalTarget::Process if running => kill(self.forked.pid, signal),
            SignalTarget::Group if running => killpg(self.forked.pid, signal),
            SignalTarget::All => {
                for pid in self.cgroup.pids()? {
                    let _ = kill(nix::unistd::Pid::from_raw(pid), signal);
                }
                Ok(())
            }
            SignalTarget::Process | SignalTarget::Group => Ok(()),
        };
        match sent {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(source) => Err(source).step(|| "send a signal"),
        }
    }

    /// Gives its terminal another size; without one it means nothing.
    pub fn resize(&self, size: TerminalSize) -> Result<(), AgentError> {
        match &self.terminal {
            Some(terminal) => set_size(terminal.as_fd(), size),
            None => Ok(()),
        }
    }

    /// Its end came.
    pub fn reap(&mut self) {
        if !matches!(self.stage, Stage::Running) {
            return;
        }
        let outcome = reap(&self.forked).map_or(Outcome::Killed, Outcome::Ended);
        let wall = self.started.elapsed();
        self.stage = Stage::Exited { outcome, wall };
        self.outputs.end_soon();
        self.deadline = None;
    }

    /// Ends it where its deadline has come.
    pub fn check_deadline(&mut self, now: Instant) -> Result<(), AgentError> {
        let is_running = matches!(self.stage, Stage::Running);
        if is_running && self.deadline.is_some_and(|deadline| now >= deadline) {
            self.timed_out = true;
            self.deadline = None;
            self.cgroup.kill()?;
        }
        Ok(())
    }

    /// How it ended, once: after all that it wrote was read.
    pub fn report(&mut self) -> Result<Option<ProcessReport>, AgentError> {
        let Stage::Exited { outcome, wall } = &self.stage else {
            return Ok(None);
        };
        let usage = self.cgroup.usage()?.since(&self.before);
        let facts = Facts {
            outcome,
            timed_out: self.timed_out,
            wall_limit_millis: self.limits.wall_millis,
            memory_limit_bytes: self.memory_limit_bytes,
            usage,
            limits: &self.limits,
        };
        let (exit_code, signal) = status_of(outcome);
        let report = ProcessReport {
            ending: judge(&facts, &mut OfJob(&mut self.log)),
            exit_code,
            signal,
            wall_micros: wall.as_micros() as u64,
            cpu_micros: usage.cpu_micros,
            memory_peak_bytes: usage.memory_peak_bytes,
            pids_refused: usage.pids_refused,
            written_bytes: self.outputs.log.written(),
            stdout_truncated: self.outputs.is_truncated(OutputKind::Stdout),
            stderr_truncated: self.outputs.is_truncated(OutputKind::Stderr),
        };
        self.stage = Stage::Ended;
        self.inputs.clear();
        Ok(Some(report))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.cgroup.kill();
        if matches!(self.stage, Stage::Running) {
            reap(&self.forked);
        }
    }
}

/// Gives a terminal its size; the kernel tells its foreground processes.
pub fn set_size(terminal: BorrowedFd<'_>, size: TerminalSize) -> Result<(), AgentError> {
    let size = libc::winsize {
        ws_row: size.rows,
        ws_col: size.columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the kernel reads one winsize, which lives on this stack.
    let set = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    Errno::result(set)
        .step(|| "set a terminal's size")
        .map(drop)
}

fn deadline(limits: &ProcessLimits, now: Instant) -> Option<Instant> {
    (limits.wall_millis > 0).then(|| now + Duration::from_millis(limits.wall_millis))
}

/// Its number in the sandbox; 0 when it is gone already.
fn inside_pid(forked: &Forked) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", forked.pid));
    inside_number(&status.unwrap_or_default()).unwrap_or(0)
}

/// A process' number in the one namespace below the agent's, from its `/proc/PID/status`; `None`: it is in another.
fn inside_number(status: &str) -> Option<u32> {
    let numbers = status
        .lines()
        .find_map(|line| line.strip_prefix("NSpid:"))?;
    let mut numbers = numbers.split_ascii_whitespace().skip(1);
    let number = numbers.next()?.parse().ok()?;
    numbers.next().is_none().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_number_in_the_sandbox() {
        for (numbers, expected) in [
            ("40\t2", Some(2)),
            ("2", None),
            // In a namespace that the program made.
            ("41\t5\t2", None),
            ("", None),
        ] {
            let status = format!("Name:\tx\nNSpid:\t{numbers}\nNSsid:\t40\t2\n");
            assert_eq!(inside_number(&status), expected, "{numbers}");
        }
    }
}
