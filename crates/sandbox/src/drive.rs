//! The job on its VM: a sandbox with one program, or two where there is a compiler.
//!
//! ```text
//!   resume ─ bounds ─ [compile] ─ execute ─ artifacts ─> report
//!                        │ not 0: the report says phase compile
//!   an interpreter that waits becomes the program, where it can
//! ```
//!
//! What the guest says is judged by [`crate::live`]; here are the job's steps and the host's own deadlines.

pub(crate) mod heard;
mod input;
mod network;
mod program;

pub use heard::{Capped, Heard, JobOutput, OutputStream};
pub use input::JobIo;
pub(crate) use program::bounds;
pub use program::standing_limits;

use crate::error::{JobError, Step, Why};
use crate::lease::{Leased, resume, with_console};
use crate::live::{AdoptSpec, Guest, Launch, LaunchSpec, LiveError, Service, SignalTarget};
use crate::outcome::{JobReport, TalkEnd};
use crate::step;
use crate::talk::TalkError;
use crate::waiting::Waiting;
use input::{Abandoned, feed};
pub(crate) use input::{interrupted, pass_on};
use protocol::collection::CollectionBounds;
use protocol::environment::OUT_DIR;
use protocol::error_code::ErrorCode;
use protocol::job::Job;
use protocol::limits::SandboxRules;
use protocol::result::ArtifactFile;
use protocol::supervisor::{ProcessReport, Resume};
use protocol::wire::{Ending, MAX_ARTIFACTS, Phase};
use std::pin::pin;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

/// From the first word to the first phase: a resumed agent answers in milliseconds, emulated on a loaded host in
/// seconds.
const START_DEADLINE: Duration = Duration::from_secs(20);
/// How much longer than the guest the host waits for a phase's end before it acts itself: time for
/// the guest to kill, reap and report, and still within one second of the limit.
const HOST_GRACE: Duration = Duration::from_millis(800);
/// How long handing out what a job left may take: its bytes are bounded. Emulated on a loaded host, it may be seconds.
const COLLECT_DEADLINE: Duration = Duration::from_secs(20);
/// Kept in the guest of what a job prints until the host has it, in bytes (256 KiB).
const KEPT_BYTES: u64 = 256 * 1024;
const SIGINT: i32 = 2;
const SIGKILL: i32 = 9;

/// Sends the job and stays with it to its end.
///
/// Nothing of `io` is used up before the guest says that the job began: where it never did
/// ([`never_began`]), and its VM is gone, the job may be driven again on another.
pub async fn drive(job: &Job, leased: &mut Leased, io: &mut JobIo) -> (Heard, TalkEnd) {
    talk(job, leased, io, Afterwards::Nothing).await
}

/// The same of a program of ours: nothing of it stays, and the guest is quiet.
pub(crate) async fn drive_and_clear(job: &Job, leased: &mut Leased) -> (Heard, TalkEnd) {
    talk(job, leased, &mut JobIo::default(), Afterwards::Clear).await
}

/// What becomes of the guest when the job is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Afterwards {
    /// Its VM is destroyed.
    Nothing,
    /// Another job comes to it.
    Clear,
}

async fn talk(
    job: &Job,
    leased: &mut Leased,
    io: &mut JobIo,
    afterwards: Afterwards,
) -> (Heard, TalkEnd) {
    let mut heard = Heard::default();
    let (guest, mut service) = Service::open(watch::Sender::default(), SandboxRules::default());
    let mut course = Course {
        job,
        guest: &guest,
        io,
        heard: &mut heard,
        collects: true,
    };
    let waiting: Waiting = match afterwards {
        Afterwards::Nothing => std::mem::take(&mut leased.waiting),
        Afterwards::Clear => Vec::from_iter(leased.waiting.programs.pop()).into(),
    };
    let ended = match resume(leased.vm.id(), SystemTime::now()) {
        Ok(resume) => {
            // A future of its own: who holds this one holds many already.
            let work = Box::pin(course.run(resume, &waiting, afterwards));
            service.beside(leased, Step::Run, work).await
        }
        Err(error) => Err(error),
    };
    let end = match ended {
        Ok(Ok(end)) => end,
        Ok(Err(stopped)) => TalkEnd::Failed(stopped.explain(leased)),
        Err(error) => TalkEnd::Failed(error),
    };
    (heard, end)
}

/// The same in a guest that supervises already, and goes on.
pub(crate) async fn drive_in(job: &Job, guest: &Guest, io: &mut JobIo) -> (Heard, TalkEnd) {
    let mut heard = Heard::default();
    let mut course = Course {
        job,
        guest,
        io,
        heard: &mut heard,
        collects: false,
    };
    let end = match course.bounded_phases(None).await {
        Ok(end) => end,
        Err(stopped) => TalkEnd::Failed(stopped.why().into()),
    };
    for process in guest.processes() {
        let is_over = process.report.is_some() && !process.terminal;
        // What it left behind goes with it.
        if is_over && guest.forget(process.id).await.is_err() {
            break;
        }
    }
    (heard, end)
}

/// A talk that no guest took part in, and why: of a job that got no VM.
pub(crate) fn undriven(error: JobError) -> (Heard, TalkEnd) {
    (Heard::default(), TalkEnd::Failed(error))
}

/// Whether the guest was silent from the start. An agent says that a phase begins before it lets it.
pub fn never_began(heard: &Heard, end: &TalkEnd) -> bool {
    let silent = |error: &JobError| error.code() == ErrorCode::GuestSilent;
    heard.phase.is_none() && matches!(end, TalkEnd::Failed(error) if silent(error))
}

/// Why a job's steps were not gone to their end, though the link is whole.
enum Stopped {
    /// It did not begin in time.
    NotStarted,
    /// What it left did not come in time.
    Silent,
    /// Nobody takes its output any more.
    Abandoned,
    /// The guest did not do what it was asked for.
    Guest(LiveError),
}

impl From<Abandoned> for Stopped {
    fn from(_: Abandoned) -> Stopped {
        Stopped::Abandoned
    }
}

impl From<LiveError> for Stopped {
    fn from(error: LiveError) -> Stopped {
        Stopped::Guest(error)
    }
}

impl Stopped {
    fn explain(self, leased: &Leased) -> JobError {
        match self {
            Stopped::Abandoned => Why::Abandoned.into(),
            stopped => with_console(stopped.why(), leased.vm.as_ref()),
        }
    }

    fn why(self) -> Why {
        match self {
            Stopped::Abandoned => Why::Abandoned,
            Stopped::NotStarted => Why::NotStarted,
            Stopped::Silent => Why::Channel {
                step: Step::Collect,
                source: TalkError::Silent,
            },
            Stopped::Guest(LiveError::Gone(_)) => Why::Gone,
            Stopped::Guest(LiveError::Misbehaved(what)) => Why::Violation(what),
            Stopped::Guest(error) => Why::Agent {
                step: Step::Run,
                reason: error.to_string(),
            },
        }
    }
}

/// One job on its way through a guest.
struct Course<'a> {
    job: &'a Job,
    guest: &'a Guest,
    io: &'a mut JobIo,
    heard: &'a mut Heard,
    /// All that is in the folder for it is the job's own.
    collects: bool,
}

/// How a phase ended.
enum PhaseEnd {
    /// Its process did.
    Ended(Box<ProcessReport>),
    /// The host's own deadline passed, so long after it began.
    HostDeadline(Duration),
    /// One of its files has no place.
    Refused(String),
}

impl Course<'_> {
    async fn run(
        &mut self,
        resume: Resume,
        waiting: &Waiting,
        afterwards: Afterwards,
    ) -> Result<TalkEnd, Stopped> {
        self.guest.resume(resume).await?;
        let last = waiting.programs.last();
        let adopt = last.and_then(|process| program::adopted(self.job, *process));
        // A job sees no interpreter that is not its own.
        if waiting.len() > usize::from(adopt.is_some()) {
            let except = adopt.as_ref().map(|adopt| adopt.process);
            self.guest.dismiss(except).await?;
        }
        let end = self.bounded_phases(adopt).await?;
        if afterwards == Afterwards::Clear {
            for process in self.guest.processes() {
                self.guest.forget(process.id).await?;
            }
            self.guest.clear().await?;
            self.guest.quiesce().await?;
        }
        Ok(end)
    }

    async fn phases(&mut self, adopt: Option<AdoptSpec>) -> Result<TalkEnd, Stopped> {
        let mut report = JobReport::default();
        for (phase, spec) in program::phases(self.job, adopt) {
            let end = self.phase_or_other(phase, spec, &mut report).await?;
            let process = match end {
                PhaseEnd::Ended(process) => process,
                PhaseEnd::HostDeadline(wall) => {
                    return Ok(TalkEnd::HostDeadline { phase, wall });
                }
                PhaseEnd::Refused(reason) => return Ok(TalkEnd::Refused(reason)),
            };
            let goes_on = process.ending == Ending::Exited && process.exit_code == Some(0);
            match phase {
                Phase::Compile => report.compiled = Some(*process),
                Phase::Execute => report.executed = Some(*process),
            }
            if phase == Phase::Compile && !goes_on {
                return Ok(TalkEnd::Report(Box::new(report)));
            }
        }
        if self.collects && self.job.collect_artifacts {
            report.artifacts_truncated = self.collect().await?;
        }
        Ok(TalkEnd::Report(Box::new(report)))
    }

    /// A phase; in a new process, where the interpreter that waits cannot become it.
    async fn phase_or_other(
        &mut self,
        phase: Phase,
        spec: LaunchSpec,
        report: &mut JobReport,
    ) -> Result<PhaseEnd, Stopped> {
        report.zygote = spec.is_waiting();
        match self.phase(phase, spec).await {
            Err(Stopped::Guest(LiveError::NotAdopted(_))) => {
                report.zygote = false;
                self.guest.dismiss(None).await?;
                // Its files are there.
                self.phase(phase, program::again(self.job)).await
            }
            end => end,
        }
    }

    async fn phase(&mut self, phase: Phase, spec: LaunchSpec) -> Result<PhaseEnd, Stopped> {
        let launch = timeout(START_DEADLINE, self.guest.launch(spec)).await;
        let launch = match launch.map_err(|_| Stopped::NotStarted)? {
            Err(LiveError::FilesRefused(reason)) => return Ok(PhaseEnd::Refused(reason)),
            launch => launch?,
        };
        let begun = Instant::now();
        match phase {
            Phase::Compile => step::begins("compiling"),
            Phase::Execute => step::program_runs(),
        }
        self.heard.begin(phase);
        let deadline = begun + HOST_GRACE + program::wall_limit(self.job, phase);
        match timeout_at(deadline, self.follow(launch, deadline)).await {
            Ok(report) => Ok(PhaseEnd::Ended(Box::new(report?))),
            Err(_) => Ok(PhaseEnd::HostDeadline(begun.elapsed())),
        }
    }

    /// Moves a process' input and output until it ended and all of its output is here.
    async fn follow(
        &mut self,
        launch: Launch,
        deadline: Instant,
    ) -> Result<ProcessReport, Stopped> {
        let Launch {
            process,
            output,
            started,
        } = launch;
        let gone = || LiveError::Gone("its task ended".into());
        started.await.unwrap_or_else(|_| Err(gone()))?;
        let mut output = output.ok_or_else(gone)?;
        // A compiler has none.
        let stdin = match self.heard.phase {
            Some(Phase::Execute) => self.io.stdin.take(),
            _ => None,
        };
        let mut feeding = pin!(feed(stdin, self.guest, process));
        let mut is_fed = false;
        loop {
            tokio::select! {
                // Output first: what has arrived counts, whatever else is pending.
                biased;
                piece = output.next() => match piece? {
                    Some(piece) => {
                        if let Some(heard) = self.heard.take(piece, self.job.limits.output_bytes) {
                            // Of a reader that is slower than the job may take, the next wait finds the deadline passed.
                            let passed = pass_on(self.io.output.as_ref(), heard);
                            timeout_at(deadline, passed).await.unwrap_or(Ok(()))?;
                        }
                    }
                    None => return Ok(self.guest.wait(process).await?),
                },
                () = &mut feeding, if !is_fed => is_fed = true,
                () = interrupted(&mut self.io.interrupts) => {
                    self.guest.signal(process, SIGINT, SignalTarget::Group).await?;
                }
            }
        }
    }

    /// Takes what the job left; whether something was left out.
    async fn collect(&mut self) -> Result<bool, Stopped> {
        // Whoever it left behind changes nothing of it any more.
        for process in self.guest.processes() {
            self.guest
                .signal(process.id, SIGKILL, SignalTarget::All)
                .await?;
        }
        let bounds = CollectionBounds {
            bytes: self.job.limits.artifact_bytes,
            files: MAX_ARTIFACTS,
        };
        let collected = timeout(COLLECT_DEADLINE, self.guest.collect(OUT_DIR, bounds)).await;
        let collected = collected.map_err(|_| Stopped::Silent)??;
        let artifact = |file: protocol::collection::CollectedFile| ArtifactFile {
            size: file.data.len() as u64,
            path: file.path,
            data: file.data.into(),
        };
        self.heard.artifacts = collected.files.into_iter().map(artifact).collect();
        Ok(collected.truncated)
    }
}

#[cfg(test)]
mod tests;
