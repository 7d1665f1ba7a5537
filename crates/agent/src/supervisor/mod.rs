//! The supervisor of the VM's processes: their output and input, and files, on the streams of a link.
//!
//! ```text
//!   line ─> link ─> control: resume, start, follow, signal, …      control
//!                   data: standard input, orders, files' content
//!   one poll over the line, the processes' ends and pipes, the file operations' pipes
//!   link ─> line <─ what followers may have (output), answers, ends
//!
//!   sandbox      what all processes are in           namespaces  and share
//!   pending      starts whose files are on the way   launch      a start's pipes, terminal, walls
//!   spawn        a child in the namespaces           process     one process, its inputs and outputs
//!   waiting      interpreters that wait              output      what it wrote, with offsets
//!   operation    one file operation                  files       its child; collect: many files at once
//!   hold         processes that wait for another link
//!   connections  to ports of the sandbox             connection  one of them
//!   network      its programs' connections to the outside, under a policy
//! ```

mod collect;
mod connection;
mod connections;
mod control;
mod files;
mod hold;
mod input;
mod launch;
mod metadata;
mod namespaces;
mod network;
mod operation;
mod output;
mod outputs;
mod pending;
mod process;
mod sandbox;
mod spawn;
mod wait;
mod waiting;
mod watch;

use crate::error::{AgentError, Step};
use crate::line::Line;
use connections::Connections;
use network::Network;
use nix::poll::PollTimeout;
use nix::sys::resource::{Resource, setrlimit};
use operation::Operation;
use pending::Pending;
use process::{Process, Stage};
use protocol::link::{Link, MAX_DATA_BYTES, StreamId};
use protocol::supervisor::{GuestControl, ProcessId};
use protocol::wire::PROTOCOL_VERSION;
use sandbox::Sandbox;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::{Duration, Instant};
use wait::Woken;

/// Each output keeps at least so much, in bytes, however many there are.
const MIN_KEPT_BYTES: u64 = 64 * 1024;
/// Bytes that are handed to the line at once.
const OUT_BYTES: usize = 128 * 1024;
/// Descriptors of the agent's own: at most eight a process, three a file operation, one a connection. Programs have limits of theirs.
const OPEN_FILES: u64 = 4096;
/// How long the last words of a failing agent may take to leave.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Who reads a process' output.
struct Follower {
    process: ProcessId,
    /// The next byte to be sent.
    at: u64,
}

/// Everything that is going on. Fields are dropped in their order: processes before what they are in.
struct Supervisor {
    line: Line,
    link: Link,
    pending: BTreeMap<ProcessId, Pending>,
    processes: BTreeMap<ProcessId, Process>,
    followers: BTreeMap<StreamId, Follower>,
    operations: BTreeMap<u32, Operation>,
    connections: Connections,
    /// `None` where no policy gives it any.
    network: Option<Network>,
    /// `None` before the host said what it may use.
    sandbox: Option<Sandbox>,
    /// Nothing was heard since the link began anew: another host may take it up.
    is_quiet: bool,
}

/// Says hello and supervises until the VM is of no use any more; the host is told why, as far as it listens.
pub fn run(line: Line) -> Result<Infallible, AgentError> {
    let mut supervisor = Supervisor {
        line,
        link: Link::new(),
        pending: BTreeMap::new(),
        processes: BTreeMap::new(),
        followers: BTreeMap::new(),
        operations: BTreeMap::new(),
        connections: Connections::default(),
        network: None,
        sandbox: None,
        is_quiet: false,
    };
    let served = supervisor.serve();
    served.inspect_err(|error| supervisor.tell_last(error))
}

impl Supervisor {
    fn serve(&mut self) -> Result<Infallible, AgentError> {
        setrlimit(Resource::RLIMIT_NOFILE, OPEN_FILES, OPEN_FILES).step(|| "setrlimit")?;
        let protocol = PROTOCOL_VERSION;
        self.link.control(&GuestControl::Hello { protocol })?;
        loop {
            self.turn()?;
        }
    }

    /// Tells the host why this VM ends, for a bounded time.
    fn tell_last(&mut self, error: &AgentError) {
        let reason = error.to_string();
        let mut bytes = Vec::new();
        let _ = self.link.control(&GuestControl::Failed { reason });
        self.link.take_output(&mut bytes, 1);
        self.line.send(&bytes);
        let deadline = Instant::now() + LAST_WORDS;
        while self.line.queued_bytes() > 0 && Instant::now() < deadline {
            if self.line.wait(PollTimeout::from(100u8)).is_err() {
                return;
            }
        }
    }

    /// Waits for something to do and does it.
    fn turn(&mut self) -> Result<(), AgentError> {
        self.flush();
        let woken = self.wait()?;
        if woken.line {
            self.line.turn()?;
        }
        let taken = self.line.take();
        if taken.is_new_talk && !self.is_quiet {
            return Err(AgentError::OutOfTurn("the host went in the middle of it"));
        }
        self.link.feed(&taken.bytes);
        if woken.init {
            return Err(AgentError::OutOfTurn("the sandbox's init is gone"));
        }
        while let Some(event) = self.link.next_event()? {
            self.is_quiet = false;
            self.on(event)?;
        }
        self.turn_processes(&woken)?;
        self.turn_operations()?;
        if let Some(network) = &mut self.network {
            network.turn(&mut self.link)?;
        }
        self.connections.turn(&mut self.link)?;
        self.send_to_followers()
    }

    /// Hands the line what it has room for.
    fn flush(&mut self) {
        // What comes up between two links is the next one's to hear.
        if self.is_quiet {
            return;
        }
        while self.link.has_output() && !self.line.is_full() {
            let mut bytes = Vec::new();
            self.link.take_output(&mut bytes, OUT_BYTES);
            self.line.send(&bytes);
        }
    }

    /// Waits until everything that was said is out; the host's own deadline ends a wait in vain.
    fn drain(&mut self) -> Result<(), AgentError> {
        self.flush();
        while self.line.queued_bytes() > 0 {
            self.line.wait(PollTimeout::NONE)?;
            self.flush();
        }
        Ok(())
    }

    fn turn_processes(&mut self, woken: &Woken) -> Result<(), AgentError> {
        let now = Instant::now();
        let has_gone = |process: &Process| matches!(process.stage, Stage::Exited { .. });
        let is_due = |process: &Process| process.deadline.is_some_and(|deadline| deadline <= now);
        let of_interest = self.processes.iter().filter(|(id, process)| {
            woken.processes.contains(id) || has_gone(process) || is_due(process)
        });
        let ids: Vec<ProcessId> = of_interest.map(|(id, _)| *id).collect();
        for id in ids {
            self.write_input(id);
            let unread_from = self.unread_from(id);
            let Some(process) = self.processes.get_mut(&id) else {
                continue;
            };
            match woken.ended.contains(&id) {
                true => process.reap(),
                false => process.check_deadline(now)?,
            }
            if process.waits && !matches!(process.stage, Stage::Running) {
                // Nobody asked for it yet: who does hears that it is not there.
                self.processes.remove(&id);
                continue;
            }
            let mut drained = process.outputs.read(unread_from)?;
            if let Stage::Exited { .. } = process.stage {
                // What it wrote before its end was written by now.
                while !drained && process.outputs.has_room(unread_from) {
                    drained = process.outputs.read(unread_from)?;
                }
                if (drained || process.outputs.is_spent())
                    && let Some(report) = process.report()?
                {
                    let ended = GuestControl::Ended {
                        process: id,
                        report,
                    };
                    self.link.control(&ended)?;
                }
            }
        }
        Ok(())
    }

    /// Writes what a process takes of its inputs, and gives it back as credit.
    fn write_input(&mut self, id: ProcessId) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        for written in process.write() {
            let Some(stream) = written.stream else {
                continue;
            };
            self.link.used(stream, written.bytes);
            if !written.is_open {
                self.link.refuse(stream);
            }
        }
    }

    fn turn_operations(&mut self) -> Result<(), AgentError> {
        let mut over = Vec::new();
        for (request, operation) in &mut self.operations {
            if let Some(answer) = operation.turn(&mut self.link)? {
                self.link.control(&GuestControl::FileDone {
                    request: *request,
                    answer,
                })?;
                over.push(*request);
            }
        }
        for request in over {
            self.operations.remove(&request);
        }
        Ok(())
    }

    fn send_to_followers(&mut self) -> Result<(), AgentError> {
        let mut over = Vec::new();
        for (stream, follower) in &mut self.followers {
            let Some(process) = self.processes.get(&follower.process) else {
                over.push(*stream);
                continue;
            };
            let written = &process.outputs.log;
            follower.at = follower.at.max(written.start());
            // A record's first byte says which output it is of.
            while let room @ 2.. = self.link.room(*stream).min(MAX_DATA_BYTES)
                && let Some((kind, bytes)) = written.read(follower.at, room - 1)
            {
                let record = [&[kind.byte()], bytes].concat();
                follower.at += bytes.len() as u64;
                self.link.push(*stream, &record)?;
            }
            let is_over = matches!(process.stage, Stage::Ended);
            if is_over && follower.at >= written.written() {
                over.push(*stream);
            }
        }
        for stream in over {
            self.link.end(stream);
            self.followers.remove(&stream);
        }
        Ok(())
    }

    /// Where the slowest follower of a process is.
    fn unread_from(&self, process: ProcessId) -> Option<u64> {
        let of = self.followers.values().filter(|it| it.process == process);
        of.map(|follower| follower.at).min()
    }

    /// Shares what may be kept of all outputs together.
    fn share_kept(&mut self) {
        let kept_bytes = self
            .sandbox
            .as_ref()
            .map_or(0, |sandbox| sandbox.kept_bytes);
        let share = kept_bytes / (self.processes.len() as u64).max(1);
        let ids: Vec<ProcessId> = self.processes.keys().copied().collect();
        for id in ids {
            let unread_from = self.unread_from(id);
            if let Some(process) = self.processes.get_mut(&id) {
                let kept = process.kept_bytes.min(share.max(MIN_KEPT_BYTES));
                process.outputs.log.keep(kept, unread_from);
            }
        }
    }
}
