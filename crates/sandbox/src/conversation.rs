//! What a guest may say about one job, and when. Pure: messages go in, decisions come out; the
//! guest is hostile, so everything it says is judged here before anybody acts on it.
//!
//! ```text
//!  Sent ──Awake──> Sent ──Started──> Running ──Finished──> (over)
//!                                     │  ^ Started (compile, then execute)
//!                                     └──┘ Stdout, Stderr, StdinTaken, Artifact
//!  anything else, anywhere ──> Misbehaviour: nothing that this guest said counts
//! ```

use protocol::limits::JobLimits;
use protocol::path::check_relative;
use protocol::result::ArtifactFile;
use protocol::trace_id::TraceId;
use protocol::wire::{
    Ending, GuestMessage, JobReport, MAX_ARTIFACTS, MAX_CHUNK_BYTES, Phase, STDIN_WINDOW_BYTES,
};

/// Output streams of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What the driver of the conversation does next.
#[derive(Debug, PartialEq)]
pub enum Decision {
    /// Nothing.
    Wait,
    /// A phase began: its deadline starts now.
    Deadline(Phase),
    /// Hand these bytes to the caller.
    Output(Stream, Vec<u8>),
    /// The guest took that many bytes of stdin.
    Credit(usize),
    /// The job is over.
    Over(Box<JobReport>),
    /// The agent could not begin the job, for this reason of the job's own.
    Refused(String),
    /// The agent cannot go on, for this reason.
    AgentFailed(String),
}

/// A message that no honest agent sends at this point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Misbehaviour(String);

fn misbehaved<T>(what: impl Into<String>) -> Result<T, Misbehaviour> {
    Err(Misbehaviour(what.into()))
}

/// A guest's words as they may be told: shortened and escaped.
pub(crate) fn quoted(words: &str) -> String {
    const CHARACTERS: usize = 500;
    let first = words.chars().take(CHARACTERS);
    first.flat_map(char::escape_debug).collect()
}

/// What was kept of one output stream.
#[derive(Debug, Default)]
pub struct Kept {
    /// At most the job's output limit.
    pub bytes: Vec<u8>,
    /// The guest sent more than an honest agent would have.
    pub truncated: bool,
}

/// The talk about one job, from `Run` to `Finished`.
#[derive(Debug)]
pub struct Conversation {
    trace_id: TraceId,
    has_compiler: bool,
    limits: JobLimits,
    phase: Option<Phase>,
    /// Bytes of stdin sent and not yet taken.
    stdin_in_flight: usize,
    /// What the caller gets in the end.
    pub stdout: Kept,
    /// The same of stderr.
    pub stderr: Kept,
    /// Whole files so far.
    pub artifacts: Vec<ArtifactFile>,
    artifact_bytes: u64,
    artifact_open: bool,
}

impl Conversation {
    /// A talk that begins with sending this job.
    pub fn new(trace_id: TraceId, has_compiler: bool, limits: JobLimits) -> Conversation {
        Conversation {
            trace_id,
            has_compiler,
            limits,
            phase: None,
            stdin_in_flight: 0,
            stdout: Kept::default(),
            stderr: Kept::default(),
            artifacts: Vec::new(),
            artifact_bytes: 0,
            artifact_open: false,
        }
    }

    /// The phase that the guest says it is in.
    pub fn phase(&self) -> Option<Phase> {
        self.phase
    }

    /// How many bytes of stdin may be sent now.
    pub fn stdin_room(&self) -> usize {
        STDIN_WINDOW_BYTES - self.stdin_in_flight
    }

    /// Notes bytes of stdin as sent.
    pub fn sent_stdin(&mut self, bytes: usize) {
        self.stdin_in_flight = (self.stdin_in_flight + bytes).min(STDIN_WINDOW_BYTES);
    }

    /// Judges one message.
    pub fn on(&mut self, message: GuestMessage) -> Result<Decision, Misbehaviour> {
        match (self.phase, message) {
            (None, GuestMessage::Awake) => Ok(Decision::Wait),
            (before, GuestMessage::Started { phase }) => self.started(before, phase),
            (_, GuestMessage::Failed { reason }) => Ok(Decision::AgentFailed(quoted(&reason))),
            (None, GuestMessage::Refused { reason }) => Ok(Decision::Refused(quoted(&reason))),
            (None, _) => misbehaved("it spoke of a job that it had not started"),
            (Some(_), GuestMessage::Stdout { data }) => self.output(Stream::Stdout, data.0),
            (Some(_), GuestMessage::Stderr { data }) => self.output(Stream::Stderr, data.0),
            (Some(_), GuestMessage::StdinTaken { bytes }) => self.credit(bytes),
            (Some(_), GuestMessage::Artifact { path, data, last }) => {
                self.artifact(path, data.0, last)
            }
            (Some(phase), GuestMessage::Finished(report)) => self.finished(phase, report),
            (Some(_), _) => misbehaved("it sent a message that has no place in a running job"),
        }
    }

    fn started(&mut self, before: Option<Phase>, phase: Phase) -> Result<Decision, Misbehaviour> {
        let in_order = match (before, phase) {
            (None, Phase::Compile) => self.has_compiler,
            (None, Phase::Execute) => !self.has_compiler,
            (Some(Phase::Compile), Phase::Execute) => true,
            _ => false,
        };
        if !in_order {
            return misbehaved("it started a phase out of order");
        }
        self.phase = Some(phase);
        Ok(Decision::Deadline(phase))
    }

    fn output(&mut self, stream: Stream, mut data: Vec<u8>) -> Result<Decision, Misbehaviour> {
        if data.len() > MAX_CHUNK_BYTES {
            return misbehaved("it sent an output chunk over the bound");
        }
        let kept = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        // An honest agent drops what is over; for a dishonest one it is dropped here.
        let room = (self.limits.output_bytes as usize).saturating_sub(kept.bytes.len());
        if data.len() > room {
            data.truncate(room);
            kept.truncated = true;
        }
        if data.is_empty() {
            return Ok(Decision::Wait);
        }
        kept.bytes.extend_from_slice(&data);
        Ok(Decision::Output(stream, data))
    }

    fn credit(&mut self, bytes: u64) -> Result<Decision, Misbehaviour> {
        match usize::try_from(bytes) {
            Ok(bytes) if bytes <= self.stdin_in_flight => {
                self.stdin_in_flight -= bytes;
                Ok(Decision::Credit(bytes))
            }
            _ => misbehaved("it took more stdin than it was sent"),
        }
    }

    fn artifact(
        &mut self,
        path: String,
        data: Vec<u8>,
        last: bool,
    ) -> Result<Decision, Misbehaviour> {
        if check_relative(&path).is_err() {
            return misbehaved("it named an artifact outside the folder");
        }
        if data.len() > MAX_CHUNK_BYTES {
            return misbehaved("it sent an artifact chunk over the bound");
        }
        self.artifact_bytes += data.len() as u64;
        if self.artifact_bytes > self.limits.artifact_bytes {
            return misbehaved("it sent more artifact bytes than allowed");
        }
        match self.artifacts.last_mut() {
            Some(open) if self.artifact_open => {
                if open.path != path {
                    return misbehaved("it mixed the pieces of two artifacts");
                }
                open.size += data.len() as u64;
                open.data.0.extend(data);
            }
            _ => {
                if self.artifacts.len() == MAX_ARTIFACTS {
                    return misbehaved("it sent too many artifacts");
                }
                if self.artifacts.iter().any(|file| file.path == path) {
                    return misbehaved("it sent an artifact twice");
                }
                self.artifacts.push(ArtifactFile {
                    size: data.len() as u64,
                    path,
                    data: data.into(),
                });
            }
        }
        self.artifact_open = !last;
        Ok(Decision::Wait)
    }

    fn finished(&mut self, phase: Phase, report: Box<JobReport>) -> Result<Decision, Misbehaviour> {
        if report.trace_id != self.trace_id.as_str() {
            return misbehaved("it answered for another job");
        }
        if report.phase != phase {
            return misbehaved("it finished a phase that it was not in");
        }
        if self.artifact_open {
            return misbehaved("it finished in the middle of an artifact");
        }
        let plain_exit = match (report.exit_code, report.signal) {
            (Some(code), None) => (0..=255).contains(&code),
            // 1 to 64: Linux' signals (signal(7)).
            (None, Some(signal)) => (1..=64).contains(&signal),
            (None, None) => report.ending != Ending::Exited,
            (Some(_), Some(_)) => false,
        };
        if !plain_exit {
            return misbehaved("it reported an exit that no process can have");
        }
        Ok(Decision::Over(report))
    }
}

#[cfg(test)]
mod tests;
