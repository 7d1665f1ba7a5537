//! One job on one VM, from `Run` to its end: moves bytes both ways and keeps the deadlines.
//! What the guest says is judged by [`Conversation`]; here is only the doing.

use crate::conversation::{Conversation, Decision, Stream};
use crate::error::{JobError, Step, Why};
use crate::lease::{Leased, channel_failed, wake, with_console};
use crate::outcome::TalkEnd;
use crate::talk::TalkError;
use protocol::error_code::ErrorCode;
use protocol::job::Job;
use protocol::wire::{GuestLimits, HostMessage, InputFile, MAX_CHUNK_BYTES, Phase, RunRequest};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// From `Run` to the first `Started`: a woken agent answers in milliseconds, emulated on a loaded
/// host in seconds.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// How much longer than the guest the host waits for a phase's end before it acts itself: time for
/// the guest to kill, reap and report, and still within one second of the limit.
const HOST_GRACE: Duration = Duration::from_millis(800);

/// Output of a job, as it comes.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Which stream.
    pub stream: Stream,
    /// Not empty, at most one chunk of the wire.
    pub data: Vec<u8>,
}

/// What the caller connects to a job.
#[derive(Default)]
pub struct JobIo {
    /// Fed to the program; `None`: empty.
    pub stdin: Option<Box<dyn AsyncRead + Send + Unpin>>,
    /// Gets the output as it comes. When its receiver is gone, the job is stopped.
    pub output: Option<mpsc::Sender<Output>>,
    /// Each interrupts the program, as Ctrl-C does at a terminal.
    pub interrupts: Option<mpsc::Receiver<()>>,
    /// Keep the interpreter for the next job (sessions).
    pub session: bool,
}

/// Sends the job and stays with it to its end.
///
/// Nothing of `io` is used up before the guest says that the job began: where it never did
/// ([`never_began`]), and its VM is gone, the job may be driven again on another.
pub async fn drive(job: &Job, leased: &mut Leased, io: &mut JobIo) -> (Conversation, TalkEnd) {
    let has_compiler = job.language.spec().compile.is_some();
    let mut talk = Conversation::new(job.trace_id.clone(), has_compiler, job.limits.clone());
    let end = match converse(job, leased, io, &mut talk).await {
        Ok(end) => end,
        Err(error) => TalkEnd::Failed(error),
    };
    (talk, end)
}

/// A talk that no guest took part in, and why: of a job that got no VM.
pub(crate) fn undriven(job: &Job, error: JobError) -> (Conversation, TalkEnd) {
    let talk = Conversation::new(job.trace_id.clone(), false, job.limits.clone());
    (talk, TalkEnd::Failed(error))
}

/// Whether the guest was silent from the start. An agent says that a phase begins before it lets it.
pub fn never_began(talk: &Conversation, end: &TalkEnd) -> bool {
    let silent = |error: &JobError| error.code() == ErrorCode::GuestSilent;
    talk.phase().is_none() && matches!(end, TalkEnd::Failed(error) if silent(error))
}

async fn converse(
    job: &Job,
    leased: &mut Leased,
    io: &mut JobIo,
    talk: &mut Conversation,
) -> Result<TalkEnd, JobError> {
    let wake = wake(leased.vm.id())?;
    let run = HostMessage::Run(Box::new(run_request(job, io.session)));
    let mut first = vec![wake, run];
    if io.stdin.is_none() {
        first.push(HostMessage::StdinEnd);
    }
    if let Err(error) = leased.sender.send(&first).await {
        return Err(channel_failed(Step::HandOver, error, &mut leased.vm).await);
    }
    let mut begun = Instant::now();
    let mut deadline = begun + START_DEADLINE;
    let mut chunk = vec![0; MAX_CHUNK_BYTES];
    loop {
        // A guest that never stops talking never lets a read time out: look at the clock as well.
        if Instant::now() >= deadline {
            return Ok(silent(talk, begun, leased));
        }
        let room = talk.stdin_room().min(chunk.len());
        let received = tokio::select! {
            // Messages first: an ending that has arrived counts, whatever else is pending.
            biased;
            received = leased.receiver.next(deadline) => received,
            () = interrupted(&mut io.interrupts), if talk.phase().is_some() => {
                interrupt(leased, deadline).await?;
                continue;
            }
            read = read_stdin(&mut io.stdin, &mut chunk[..room]),
                if room > 0 && io.stdin.is_some() && talk.phase().is_some() =>
            {
                feed_stdin(read, &chunk, leased, io, talk, deadline).await?;
                continue;
            }
        };
        let message = match received {
            Ok(message) => message,
            Err(TalkError::Silent) => return Ok(silent(talk, begun, leased)),
            Err(error) => {
                return Err(channel_failed(Step::Run, error, &mut leased.vm).await);
            }
        };
        let broken = |what| with_console(Why::Violation(what), leased.vm.as_ref());
        let decision = talk.on(message).map_err(broken)?;
        match decision {
            Decision::Wait | Decision::Credit(_) => {}
            Decision::Deadline(phase) => {
                begun = Instant::now();
                deadline = begun + phase_limit(job, phase);
            }
            Decision::Output(stream, data) => {
                pass_on(io.output.as_ref(), Output { stream, data }, deadline).await?;
            }
            Decision::Over(report) => return Ok(TalkEnd::Report(report)),
            Decision::Refused(reason) => return Ok(TalkEnd::Refused(reason)),
            Decision::AgentFailed(reason) => {
                let step = Step::Run;
                return Err(with_console(
                    Why::Agent { step, reason },
                    leased.vm.as_ref(),
                ));
            }
        }
    }
}

fn phase_limit(job: &Job, phase: Phase) -> Duration {
    HOST_GRACE
        + match phase {
            Phase::Compile => job.limits.compile_timeout,
            Phase::Execute => job.limits.timeout,
        }
}

fn silent(talk: &Conversation, begun: Instant, leased: &Leased) -> TalkEnd {
    match talk.phase() {
        Some(phase) => TalkEnd::HostDeadline {
            phase,
            wall: begun.elapsed(),
        },
        None => TalkEnd::Failed(with_console(Why::NotStarted, leased.vm.as_ref())),
    }
}

/// Once an interrupt is asked for.
async fn interrupted(interrupts: &mut Option<mpsc::Receiver<()>>) {
    if let Some(interrupts) = interrupts
        && interrupts.recv().await.is_some()
    {
        return;
    }
    std::future::pending().await
}

async fn interrupt(leased: &mut Leased, deadline: Instant) -> Result<(), JobError> {
    let message = [HostMessage::Interrupt];
    match timeout_at(deadline, leased.sender.send(&message)).await {
        // A guest that takes nothing any more is heard out: its ending may be on the way.
        Ok(Ok(()) | Err(TalkError::Closed | TalkError::Io(_))) | Err(_) => Ok(()),
        Ok(Err(error)) => Err(channel_failed(Step::Run, error, &mut leased.vm).await),
    }
}

async fn read_stdin(
    stdin: &mut Option<Box<dyn AsyncRead + Send + Unpin>>,
    chunk: &mut [u8],
) -> std::io::Result<usize> {
    match stdin {
        Some(stdin) => stdin.read(chunk).await,
        None => std::future::pending().await,
    }
}

async fn feed_stdin(
    read: std::io::Result<usize>,
    chunk: &[u8],
    leased: &mut Leased,
    io: &mut JobIo,
    talk: &mut Conversation,
    deadline: Instant,
) -> Result<(), JobError> {
    let message = match read {
        // A stdin that cannot be read any further ends; the program sees the end of its input.
        Ok(0) | Err(_) => {
            io.stdin = None;
            HostMessage::StdinEnd
        }
        Ok(bytes) => {
            talk.sent_stdin(bytes);
            HostMessage::Stdin {
                data: chunk[..bytes].into(),
            }
        }
    };
    let message = [message];
    match timeout_at(deadline, leased.sender.send(&message)).await {
        Ok(Ok(())) => Ok(()),
        // A guest that takes no input any more is heard out: its ending may be on the way.
        Ok(Err(TalkError::Closed | TalkError::Io(_))) | Err(_) => {
            io.stdin = None;
            Ok(())
        }
        Ok(Err(error)) => Err(channel_failed(Step::Stdin, error, &mut leased.vm).await),
    }
}

async fn pass_on(
    sink: Option<&mpsc::Sender<Output>>,
    output: Output,
    deadline: Instant,
) -> Result<(), JobError> {
    let Some(sink) = sink else {
        return Ok(());
    };
    match timeout_at(deadline, sink.send(output)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Why::Abandoned.into()),
        // The reader is slower than the job may take; the next wait finds the deadline passed.
        Err(_) => Ok(()),
    }
}

fn run_request(job: &Job, session: bool) -> RunRequest {
    let limits = &job.limits;
    RunRequest {
        trace_id: job.trace_id.to_string(),
        language: job.language,
        code: job.code.clone().into_bytes().into(),
        entry: job.entry.clone(),
        args: job.args.clone(),
        env: job.env.clone(),
        files: job
            .files
            .iter()
            .map(|file| InputFile {
                path: file.path.clone(),
                data: file.data.clone(),
            })
            .collect(),
        limits: GuestLimits {
            execute_millis: limits.timeout.as_millis() as u64,
            compile_millis: limits.compile_timeout.as_millis() as u64,
            cpu_seconds: limits.cpu.as_secs().max(1),
            memory_bytes: 0,
            pids: limits.pids,
            output_bytes: limits.output_bytes,
            file_size_bytes: limits.file_size_bytes,
            tmpfs_bytes: u64::from(limits.tmpfs_mib) * 1024 * 1024,
            open_files: limits.open_files,
            artifact_bytes: limits.artifact_bytes,
        },
        fresh_interpreter: job.fresh_interpreter,
        collect_artifacts: job.collect_artifacts,
        session,
        seccomp_program: job.seccomp_program.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::frame::encode;
    use protocol::job::{JobFile, JobRequest, ScanMode};
    use protocol::limits::{
        LimitValues, MAX_ARG_BYTES, MAX_CODE_BYTES, MAX_FILES_BYTES, default_maxima,
    };
    use protocol::scan::Scanner;
    use protocol::validate::Policy;

    /// Control characters, of which JSON makes six each.
    fn worst(bytes: usize) -> String {
        "\u{1}".repeat(bytes)
    }

    #[test]
    fn the_largest_job_that_is_admitted_fits_one_frame() {
        let policy = Policy {
            defaults: LimitValues::default(),
            maxima: default_maxima(),
            scan_mode: ScanMode::Off,
            scanner: Scanner::new(&[]).unwrap(),
        };
        let request = JobRequest {
            language: "bash".into(),
            code: worst(MAX_CODE_BYTES),
            args: vec![worst(MAX_ARG_BYTES)],
            env: [("A".to_owned(), worst(MAX_ARG_BYTES - 1))].into(),
            files: vec![JobFile {
                path: "f".into(),
                data: vec![0; MAX_FILES_BYTES].into(),
            }],
            ..JobRequest::default()
        };
        let job = policy.validate(request).unwrap();
        let message = HostMessage::Run(Box::new(run_request(&job, false)));
        assert!(encode(&message).is_ok());
    }
}
