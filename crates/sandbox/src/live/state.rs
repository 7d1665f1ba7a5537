//! What the guest may say, and when. Pure: the host's questions and the guest's words go in, decisions come out.
//! The guest is hostile: what it names is looked up here, and what nobody asked for ends the sandbox.
//!
//! ```text
//!  process   Asked ──Starting──> Starting ──Started──> Running ──Ended──> Ended ──(forget)
//!               └──NotStarted──> (none) <──NotStarted──┘
//!  output    Asked ──Following──> Begun ──(data)──> (end)
//!                                   └──(refuse)──> Refused      until the link has its end
//!  request   asked ──FileDone──> (over)      a read is over when its answer and its stream's end came
//!  connection  Asked ──Connected──> Open ──(data)──> (end);  Asked ──NotConnected──> (end)
//! ```

mod connections;
mod lines;
mod requests;

pub(super) use lines::Lines;
pub(super) use requests::Wanted;

use super::error::{Broken, Misbehaviour};
use crate::quoted::quoted;
use connections::Connections;
use protocol::link::StreamId;
use protocol::supervisor::{
    Destination, FileAnswer, GuestControl, HostControl, MAX_QUERY_BYTES, OutputKind, ProcessId,
    ProcessReport, StartStep, record,
};
use protocol::wire::Ending;
use requests::Requests;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest name of a system call that is believed, in bytes; the longest there is has 23.
const MAX_SYSCALL_NAME: usize = 64;

/// What is to be done about what the guest said.
#[derive(Debug, PartialEq)]
pub(super) enum Decision {
    /// Nothing.
    Nothing,
    /// All that the guest was told is done.
    Settled,
    /// The folders are empty.
    Cleared,
    /// Nothing is in flight.
    Quiet,
    /// A process is about to run.
    Begun(ProcessId),
    /// A process runs, under this number.
    Started(ProcessId, u32),
    /// A process never ran: at which step, and for which reason (escaped).
    NotStarted(ProcessId, StartStep, String),
    /// A process ended.
    Ended(ProcessId, ProcessReport),
    /// A stream of output begins at this offset.
    Begins(StreamId, u64),
    /// A stream of output is over.
    OutputOver(StreamId),
    /// A file operation is over.
    Answered(u32, FileAnswer),
    /// Something in the guest has a connection.
    Connected(StreamId),
    /// Nothing took a connection: the kernel's number for why.
    NotConnected(StreamId, i32),
    /// A program connected to something outside.
    Dialled(u32, Destination),
    /// A program asks for a name.
    Queried(u32, Vec<u8>),
}

/// What the bytes of a stream are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A record of a process' output.
    Record,
    /// The next bytes of a file, a watch or a connection.
    Bytes,
}

/// How far a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing was heard of it.
    Asked,
    /// It is about to run.
    Starting,
    /// It runs.
    Running,
    /// It ended and is not forgotten.
    Ended,
}

/// What a process may write on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Voice {
    Pipes,
    Terminal,
    /// Pipes, and what only a process with orders has.
    Interpreter,
}

impl Voice {
    fn has(self, kind: OutputKind) -> bool {
        match self {
            Voice::Terminal => kind == OutputKind::Terminal,
            Voice::Pipes => kind != OutputKind::Terminal && !kind.needs_orders(),
            Voice::Interpreter => kind != OutputKind::Terminal,
        }
    }
}

/// How far a stream of output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    Asked,
    Begun,
    Refused,
}

/// Everything that the guest may speak of.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// Answers that have no name, how many of each.
    unnamed: Unnamed,
    processes: BTreeMap<ProcessId, (Stage, Voice)>,
    outputs: BTreeMap<StreamId, (Course, Voice)>,
    /// File operations.
    pub(super) requests: Requests,
    /// To ports.
    pub(super) connections: Connections,
    /// Whether programs may connect to the outside at all.
    has_network: bool,
}

/// Answers to come that have no name.
#[derive(Debug, Default)]
struct Unnamed {
    ready: u32,
    cleared: u32,
    quiet: u32,
}

/// One of them came; whether it was due.
fn came(due: &mut u32) -> bool {
    let before = *due;
    *due = before.saturating_sub(1);
    before > 0
}

fn misbehaved<T>(what: &'static str) -> Result<T, Broken> {
    Err(Misbehaviour(what).into())
}

impl Expected {
    /// Judges a control message.
    pub(super) fn on(&mut self, message: GuestControl) -> Result<Decision, Broken> {
        match message {
            GuestControl::Hello { .. } => misbehaved("it said hello twice"),
            GuestControl::Ready if came(&mut self.unnamed.ready) => {
                let settled = self.is_settled();
                Ok(if settled {
                    Decision::Settled
                } else {
                    Decision::Nothing
                })
            }
            GuestControl::Cleared if came(&mut self.unnamed.cleared) => Ok(Decision::Cleared),
            GuestControl::Quiet if came(&mut self.unnamed.quiet) => Ok(Decision::Quiet),
            GuestControl::Ready | GuestControl::Cleared | GuestControl::Quiet => {
                misbehaved("it answered what it was not asked")
            }
            GuestControl::Starting { process } => {
                let why = "it began what was not to start";
                let voice = self.leave(process, Stage::Asked, why)?;
                self.processes.insert(process, (Stage::Starting, voice));
                Ok(Decision::Begun(process))
            }
            GuestControl::Started { process, pid } => {
                let why = "it started what was not to start";
                let voice = self.leave(process, Stage::Starting, why)?;
                self.processes.insert(process, (Stage::Running, voice));
                Ok(Decision::Started(process, pid))
            }
            GuestControl::NotStarted {
                process,
                step,
                reason,
            } => {
                let phase = self.processes.remove(&process).map(|(phase, _)| phase);
                match (phase, step) {
                    (Some(Stage::Asked), _) => {
                        Ok(Decision::NotStarted(process, step, quoted(&reason)))
                    }
                    (Some(Stage::Starting), step) if step.is_of_launch() => {
                        Ok(Decision::NotStarted(process, step, quoted(&reason)))
                    }
                    _ => misbehaved("it did not start what was not to start"),
                }
            }
            GuestControl::Ended { process, report } => {
                let why = "it ended a process that did not run";
                let voice = self.leave(process, Stage::Running, why)?;
                if !is_plausible(&report) {
                    return misbehaved("it reported an end that no process can have");
                }
                self.processes.insert(process, (Stage::Ended, voice));
                Ok(Decision::Ended(process, report))
            }
            GuestControl::Following { stream, from } => self.following(stream, from),
            GuestControl::FileDone { request, answer } => self.requests.answered(request, answer),
            GuestControl::Connected { to_host } => self.connections.connected(to_host),
            GuestControl::NotConnected { to_host, errno } => {
                self.connections.not_connected(to_host, errno)
            }
            GuestControl::Dial { .. } | GuestControl::Query { .. } if !self.has_network => {
                misbehaved("it asked for the outside, which it has not")
            }
            GuestControl::Dial { dial, to } => Ok(Decision::Dialled(dial, to)),
            GuestControl::Query { query, message } if message.0.len() <= MAX_QUERY_BYTES => {
                Ok(Decision::Queried(query, message.0))
            }
            GuestControl::Query { .. } => misbehaved("it asked for a name longer than any is"),
            GuestControl::Failed { reason } => Err(Broken::Agent(reason)),
        }
    }

    /// Judges a frame of data.
    pub(super) fn data(&mut self, stream: StreamId, data: &[u8]) -> Result<Content, Broken> {
        if let Some((course, voice)) = self.outputs.get(&stream) {
            return match (course, record(data)) {
                (Course::Begun, Some((kind, _))) if voice.has(kind) => Ok(Content::Record),
                (Course::Begun, Some(_)) => {
                    misbehaved("it sent an output that the process has not")
                }
                (Course::Begun, None) => misbehaved("it sent a malformed record of output"),
                _ => misbehaved("it sent output before it said where it begins"),
            };
        }
        if let Some(judged) = self.connections.data(stream) {
            return judged;
        }
        self.requests.data(stream, data)?;
        Ok(Content::Bytes)
    }

    /// Judges the end of a stream.
    pub(super) fn end(&mut self, stream: StreamId) -> Result<Decision, Broken> {
        match self.outputs.remove(&stream) {
            None => match self.connections.end(stream) {
                Some(judged) => judged,
                None => self.requests.end(stream),
            },
            Some((Course::Asked, _)) => {
                misbehaved("it ended output before it said where it begins")
            }
            Some(_) => Ok(Decision::OutputOver(stream)),
        }
    }

    /// The guest is told something that it answers without a name, or not at all.
    pub(super) fn told(&mut self, message: &HostControl) {
        match message {
            HostControl::Supervise(_) => self.unnamed.ready += 1,
            HostControl::Clear => self.unnamed.cleared += 1,
            HostControl::Quiesce | HostControl::Hold => self.unnamed.quiet += 1,
            _ => {}
        }
    }

    /// Programs may connect to the outside from here on.
    pub(super) fn open_network(&mut self) {
        self.has_network = true;
    }

    /// Whether all bounds that the guest was told are in force.
    pub(super) fn is_settled(&self) -> bool {
        self.unnamed.ready == 0
    }

    /// A process is to start.
    pub(super) fn start(&mut self, process: ProcessId, voice: Voice) {
        self.processes.insert(process, (Stage::Asked, voice));
    }

    /// How far a process is.
    pub(super) fn phase(&self, process: ProcessId) -> Option<Stage> {
        self.processes.get(&process).map(|(phase, _)| *phase)
    }

    /// Processes that are to start, run, or ended and are not forgotten.
    pub(super) fn processes(&self) -> usize {
        self.processes.len()
    }

    /// A process that the guest had before this link.
    pub(super) fn remember(&mut self, process: ProcessId, stage: Stage, voice: Voice) {
        self.processes.insert(process, (stage, voice));
    }

    /// What a process may write on.
    pub(super) fn voice(&self, process: ProcessId) -> Option<Voice> {
        self.processes.get(&process).map(|(_, voice)| *voice)
    }

    /// An ended process is no longer known.
    pub(super) fn forget(&mut self, process: ProcessId) {
        self.processes.remove(&process);
    }

    /// A stream of a process' output is to begin.
    pub(super) fn follow(&mut self, stream: StreamId, process: ProcessId) {
        // Of one that is not known nothing is right.
        let known = self.processes.get(&process);
        let voice = known.map_or(Voice::Pipes, |(_, voice)| *voice);
        self.outputs.insert(stream, (Course::Asked, voice));
    }

    /// A stream of output is wanted no more.
    pub(super) fn refuse(&mut self, stream: StreamId) {
        if let Some((course, _)) = self.outputs.get_mut(&stream) {
            *course = Course::Refused;
        }
    }

    /// Streams of output; a refused one counts for as long as it is open.
    pub(super) fn outputs(&mut self, is_open: impl Fn(StreamId) -> bool) -> usize {
        self.outputs
            .retain(|stream, (course, _)| *course != Course::Refused || is_open(*stream));
        self.outputs.len()
    }

    /// Takes a process out of the phase that it has to be in.
    fn leave(
        &mut self,
        process: ProcessId,
        phase: Stage,
        what: &'static str,
    ) -> Result<Voice, Broken> {
        match self.processes.get(&process) {
            Some(&(own, voice)) if own == phase => {
                self.processes.remove(&process);
                Ok(voice)
            }
            _ => misbehaved(what),
        }
    }

    fn following(&mut self, stream: StreamId, from: u64) -> Result<Decision, Broken> {
        match self.outputs.get_mut(&stream) {
            Some((course @ Course::Asked, _)) => {
                *course = Course::Begun;
                Ok(Decision::Begins(stream, from))
            }
            Some(_) => misbehaved("it began a stream of output twice"),
            None => misbehaved("it began a stream of output that nobody asked for"),
        }
    }
}

fn is_plausible(report: &ProcessReport) -> bool {
    let name = match &report.ending {
        Ending::ForbiddenSyscall { name, .. } => name.as_deref(),
        Ending::Exited | Ending::Limit { .. } => None,
    };
    let exit = report.ending.allows(report.exit_code, report.signal);
    exit && name.is_none_or(|name| name.len() <= MAX_SYSCALL_NAME)
}

#[cfg(test)]
mod tests;
