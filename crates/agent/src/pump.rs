//! While a program runs: its output out, its input in, its deadline kept.
//!
//! One `poll` over the channel, the three pipes and what ends the phase. Pipes are only read
//! while the channel has room, so nothing here grows with what the job prints.
//!
//! The agent runs before whoever has written (see `harden`), and one of the two outputs is always waited for: what
//! the other holds when this one becomes readable was written before. So the order in which they are passed on
//! is the order of writing, on one CPU; on several, as far as they keep step.

use crate::cell::{Cell, Outcome};
use crate::cgroup::Cgroup;
use crate::channel::Channel;
use crate::error::{AgentError, Step};
use crate::foreground::Foreground;
use crate::stream::Stream;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use protocol::wire::{GuestMessage, HostMessage, STDIN_WINDOW_BYTES};
use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// Standard input on its way in; bounded by the window that the host keeps to.
#[derive(Default)]
pub struct Stdin {
    waiting: VecDeque<u8>,
    ended: bool,
    /// The job's end; `None` before it starts and once it closed its own.
    pipe: Option<OwnedFd>,
    /// The job reads no more: what comes is credited and dropped.
    refused: bool,
}

/// The ways in and out of one job, over all of its phases.
pub struct Pump {
    /// Its standard output.
    pub stdout: Stream,
    /// Its standard error, and the compiler's words.
    pub stderr: Stream,
    /// Its standard input.
    pub stdin: Stdin,
    /// What an interrupt is for, once that is ready for it.
    interruptible: Option<Foreground>,
    /// One came before.
    interrupted: bool,
}

/// How a phase ended.
pub struct PhaseEnd {
    /// What the cell's init told.
    pub outcome: Outcome,
    /// The deadline passed, so the agent killed it.
    pub timed_out: bool,
    /// How long it ran.
    pub wall: Duration,
}

/// What has something.
struct Woken {
    /// What ends the phase.
    ended: bool,
    /// The channel.
    talk: bool,
    stdout: bool,
    stderr: bool,
}

impl Pump {
    /// Pipes for a job that may print `output_bytes` to each of stdout and stderr.
    pub fn new(output_bytes: u64) -> Result<Pump, AgentError> {
        Ok(Pump {
            stdout: Stream::new(|data| GuestMessage::Stdout { data }, output_bytes)?,
            stderr: Stream::new(|data| GuestMessage::Stderr { data }, output_bytes)?,
            stdin: Stdin::default(),
            interruptible: None,
            interrupted: false,
        })
    }

    /// Takes over the pipes of a program that starts now.
    pub fn attach(&mut self, cell: &mut Cell) {
        if let Some(pipe) = cell.stdout.take() {
            self.stdout.attach(pipe);
        }
        if let Some(pipe) = cell.stderr.take() {
            self.stderr.attach(pipe);
        }
        if let Some(pipe) = cell.stdin.take() {
            self.stdin.pipe = Some(pipe);
        }
    }

    /// Gives the pipes of a program back that stays.
    pub fn detach(&mut self, cell: &mut Cell) {
        cell.stdout = self.stdout.detach();
        cell.stderr = self.stderr.detach();
    }

    /// Takes all of standard input into `file`; `false`: not before the deadline.
    pub fn take_input(
        &mut self,
        file: OwnedFd,
        channel: &mut Channel,
        deadline: Instant,
    ) -> Result<bool, AgentError> {
        self.stdin.pipe = Some(file);
        loop {
            while let Some(message) = channel.next_message()? {
                self.take(message)?;
            }
            self.stdin.turn(channel)?;
            if self.stdin.pipe.is_none() {
                return Ok(true);
            }
            if !channel.wait_until(deadline)? {
                return Ok(false);
            }
        }
    }

    /// Pumps until the program is gone, which `limit` after `started` is made so.
    pub fn run(
        &mut self,
        cell: &mut Cell,
        cgroup: &Cgroup,
        channel: &mut Channel,
        started: Instant,
        limit: Duration,
    ) -> Result<PhaseEnd, AgentError> {
        let deadline = started + limit;
        self.interrupts(cgroup);
        let timed_out = !self.until_readable(cell.report.as_fd(), channel, deadline)?;
        if timed_out {
            cgroup.kill()?;
        }
        // Nothing of the cell runs after this: no writer is left.
        let outcome = cell.outcome()?;
        let wall = started.elapsed();
        self.stdout.finish(channel)?;
        self.stderr.finish(channel)?;
        self.stdin.pipe = None;
        Ok(PhaseEnd {
            outcome,
            timed_out,
            wall,
        })
    }

    /// An interrupt is for the program of this cgroup from now on, one that came before among them.
    pub fn interrupts(&mut self, cgroup: &Cgroup) {
        let program = Foreground::of(cgroup);
        if std::mem::take(&mut self.interrupted) {
            program.interrupt();
        }
        self.interruptible = Some(program);
    }

    /// Pumps until `end` is readable (`true`) or the deadline passed (`false`).
    pub fn until_readable(
        &mut self,
        end: BorrowedFd<'_>,
        channel: &mut Channel,
        deadline: Instant,
    ) -> Result<bool, AgentError> {
        loop {
            let now = Instant::now();
            if now >= deadline {
                return Ok(false);
            }
            let woken = self.wait(end, channel, now, deadline)?;
            if woken.talk {
                channel.turn()?;
            }
            while let Some(message) = channel.next_message()? {
                self.take(message)?;
            }
            self.stdin.turn(channel)?;
            if woken.ended {
                return Ok(true);
            }
            self.pass_on(&woken, channel)?;
        }
    }

    /// Reads what is there of both outputs, first the one that was written to before.
    fn pass_on(&mut self, woken: &Woken, channel: &mut Channel) -> Result<(), AgentError> {
        let (first, second) = match (woken.stdout, woken.stderr) {
            (true, false) => (&mut self.stderr, &mut self.stdout),
            _ => (&mut self.stdout, &mut self.stderr),
        };
        for stream in [&mut *first, &mut *second] {
            if !channel.is_full() {
                stream.turn(channel)?;
            }
        }
        // One at a time is left alone for a while.
        if second.is_left_alone() {
            first.read_at_once();
        }
        Ok(())
    }

    /// Waits for the next thing to do; says what has something.
    fn wait(
        &self,
        end: BorrowedFd<'_>,
        channel: &Channel,
        now: Instant,
        deadline: Instant,
    ) -> Result<Woken, AgentError> {
        let mut fds = vec![
            PollFd::new(end, PollFlags::POLLIN),
            PollFd::new(channel.events(), PollFlags::POLLIN),
        ];
        let mut wake_at = deadline;
        let mut places = [None; 2];
        for (stream, place) in [&self.stdout, &self.stderr].into_iter().zip(&mut places) {
            let Some(pipe) = stream.pipe().filter(|_| !channel.is_full()) else {
                continue;
            };
            if stream.due() <= now {
                *place = Some(fds.len());
                fds.push(PollFd::new(pipe, PollFlags::POLLIN));
            } else {
                wake_at = wake_at.min(stream.due());
            }
        }
        if let Some(pipe) = self.stdin.wants_to_write() {
            fds.push(PollFd::new(pipe, PollFlags::POLLOUT));
        }
        let timeout = TimeSpec::from(wake_at.saturating_duration_since(now));
        match ppoll(&mut fds, Some(timeout), None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(source) => return Err(source).step(|| "poll a job"),
        }
        let ready = |place: usize| fds[place].any().unwrap_or(false);
        Ok(Woken {
            ended: ready(0),
            talk: ready(1),
            stdout: places[0].is_some_and(ready),
            stderr: places[1].is_some_and(ready),
        })
    }

    /// A message of the host's in the middle of a job.
    fn take(&mut self, message: HostMessage) -> Result<(), AgentError> {
        match message {
            HostMessage::Stdin { data } => self.stdin.push(&data.0),
            HostMessage::StdinEnd => {
                self.stdin.ended = true;
                Ok(())
            }
            HostMessage::Interrupt => {
                match &self.interruptible {
                    Some(program) => program.interrupt(),
                    None => self.interrupted = true,
                }
                Ok(())
            }
            _ => Err(AgentError::OutOfTurn("a job is running")),
        }
    }
}

impl Stdin {
    /// Takes in what the host sent.
    fn push(&mut self, data: &[u8]) -> Result<(), AgentError> {
        if self.waiting.len() + data.len() > STDIN_WINDOW_BYTES {
            return Err(AgentError::OutOfTurn(
                "more standard input than the window allows",
            ));
        }
        self.waiting.extend(data);
        Ok(())
    }

    fn wants_to_write(&self) -> Option<BorrowedFd<'_>> {
        self.pipe
            .as_ref()
            .filter(|_| !self.waiting.is_empty())
            .map(AsFd::as_fd)
    }

    /// Writes what the job takes, tells the host how much that was, closes after the last byte.
    fn turn(&mut self, channel: &mut Channel) -> Result<(), AgentError> {
        let mut taken = 0;
        while let Some(pipe) = self.pipe.as_ref().filter(|_| !self.waiting.is_empty()) {
            match nix::unistd::write(pipe, self.waiting.as_slices().0) {
                Ok(count) => {
                    self.waiting.drain(..count);
                    taken += count as u64;
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break,
                // The job closed its end, or every process that had it is gone.
                Err(_) => {
                    self.pipe = None;
                    self.refused = true;
                }
            }
        }
        if self.refused {
            taken += self.waiting.len() as u64;
            self.waiting.clear();
        }
        if self.ended && self.waiting.is_empty() {
            self.pipe = None;
        }
        if taken > 0 {
            channel.send(&GuestMessage::StdinTaken { bytes: taken })?;
        }
        Ok(())
    }
}
