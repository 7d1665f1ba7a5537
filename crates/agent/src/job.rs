//! One job, from its request to its report.
//!
//! ```text
//!   files into /work ─ cgroup ─ [compile] ─ execute ─ artifacts ─ report
//!                                  │ not 0: the report says phase compile
//! ```

use crate::artifacts;
use crate::audit::KernelLog;
use crate::cell::{Cell, Outcome, Program};
use crate::cgroup::{self, Cgroup, Usage};
use crate::channel::Channel;
use crate::confine::{Confinement, rlimits};
use crate::error::{AgentError, Step};
use crate::files::Folder;
use crate::filter::Filter;
use crate::pump::Pump;
use crate::report::{Seen, report, wall_limit};
use crate::root;
use crate::witnesses::OfJob;
use crate::zygote::{Waiting, Zygote};
use nix::errno::Errno;
use protocol::language::{BASE_ENV, Language, LanguageSpec, WORK_DIR};
use protocol::wire::{Ending, GuestMessage, JobReport, Phase, RunRequest};
use std::ffi::CString;
use std::time::{Duration, Instant};

/// A job being run.
struct Job<'a> {
    request: &'a RunRequest,
    /// The last phase's; dropped before the cgroup that it is in.
    cell: Option<Cell>,
    cgroup: Cgroup,
    /// The counters when the job began; loading a zygote is not the job's cost.
    before: Usage,
    confinement: Confinement,
    env: Vec<CString>,
    pump: Pump,
    log: KernelLog,
}

/// Runs it, in `zygote` if that can become this job, and tells the host how it ended; an error is
/// the agent's own and ends the VM.
pub fn run(
    request: &RunRequest,
    zygote: Option<Zygote>,
    channel: &mut Channel,
) -> Result<(), AgentError> {
    // A session hands out what changed, not all that is there.
    let since = match request.session {
        true => artifacts::now()?,
        false => artifacts::EVER,
    };
    room(request)?;
    if let Err(error) = put_files(request) {
        return refused(error, channel);
    }
    let zygote = zygote.filter(|zygote| zygote.suits(request));
    let (waiting, cgroup) = match zygote {
        Some(zygote) => (Some(zygote.waiting), zygote.cgroup),
        None => (None, Cgroup::create("job")?),
    };
    let mut job = Job::prepare(request, cgroup)?;
    let mut report = job.phases(waiting, channel)?;
    if request.collect_artifacts {
        let budget = request.limits.artifact_bytes;
        report.artifacts_truncated = artifacts::send_all(budget, since, channel)?;
    }
    channel.send(&GuestMessage::Finished(Box::new(report)))
    // Here `job` goes: what is left of its cell and cgroup no longer keeps the host waiting.
}

impl<'a> Job<'a> {
    fn prepare(request: &'a RunRequest, cgroup: Cgroup) -> Result<Job<'a>, AgentError> {
        let limits = &request.limits;
        cgroup.limit(limits.memory_bytes, limits.pids)?;
        let own_filter = Filter::from_words(&request.seccomp_program);
        let own_env = request
            .env
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        Ok(Job {
            request,
            cell: None,
            before: cgroup.usage()?,
            cgroup,
            confinement: Confinement {
                rlimits: rlimits(limits),
                filters: std::iter::once(Filter::baseline())
                    .chain(own_filter)
                    .collect(),
            },
            env: environment(request.language, own_env)?,
            pump: Pump::new(limits.output_bytes)?,
            log: KernelLog::follow(),
        })
    }

    fn phases(
        &mut self,
        waiting: Option<Waiting>,
        channel: &mut Channel,
    ) -> Result<JobReport, AgentError> {
        if let Some(waiting) = waiting {
            let report = self.phase(Phase::Execute, channel, |job| {
                waiting.hand_over(job.request, &job.cgroup)
            })?;
            return Ok(JobReport {
                zygote: true,
                ..report
            });
        }
        let mut compile_micros = 0;
        let spec = self.request.language.spec();
        if let Some(compiler) = spec.compile {
            let argv = c_strings(LanguageSpec::argv(compiler, &self.request.entry).into_iter())?;
            let report = self.phase(Phase::Compile, channel, |job| {
                job.start(&argv, Phase::Compile)
            })?;
            if report.ending != Ending::Exited || report.exit_code != Some(0) {
                return Ok(report);
            }
            compile_micros = report.compile_micros;
        }
        let argv = LanguageSpec::argv(spec.run, &self.request.entry);
        let argv = c_strings(argv.into_iter().chain(self.request.args.iter().cloned()))?;
        let report = self.phase(Phase::Execute, channel, |job| {
            job.start(&argv, Phase::Execute)
        })?;
        Ok(JobReport {
            compile_micros,
            ..report
        })
    }

    /// A new process for this phase.
    fn start(&self, argv: &[CString], phase: Phase) -> Result<Cell, AgentError> {
        let program = Program {
            argv,
            env: &self.env,
            confinement: &self.confinement,
            lent: &[],
            stdin: phase == Phase::Execute,
            merged: phase == Phase::Compile,
        };
        Cell::start(&self.cgroup, &program)
    }

    /// Runs one program in a cell of its own and says how it ended.
    fn phase(
        &mut self,
        phase: Phase,
        channel: &mut Channel,
        start: impl FnOnce(&Self) -> Result<Cell, AgentError>,
    ) -> Result<JobReport, AgentError> {
        let before_phase = self.cgroup.usage()?;
        channel.send(&GuestMessage::Started { phase })?;
        // Nothing begins of which the host could not know: where it was not told, it gives the job
        // to another VM.
        channel.drain_to(0)?;
        let started = Instant::now();
        let mut cell = start(self)?;
        self.pump.attach(&mut cell);
        let limit = Duration::from_millis(wall_limit(&self.request.limits, phase));
        let end = self
            .pump
            .run(&mut cell, &self.cgroup, channel, started, limit)?;
        self.cell = Some(cell);
        if let Outcome::NotStarted { step, errno } = &end.outcome {
            return Err(*errno).step(|| format!("confining the job: {step}"));
        }
        let seen = Seen {
            request: self.request,
            phase,
            outcome: &end.outcome,
            timed_out: end.timed_out,
            wall: end.wall,
            memory_limit_bytes: cgroup::memory_limit(self.request.limits.memory_bytes),
            before_phase,
            before_job: self.before,
            now: self.cgroup.usage()?,
            pump: &self.pump,
        };
        Ok(report(&seen, &mut OfJob(&mut self.log)))
    }
}

/// Gives the job's folders their size.
pub fn room(request: &RunRequest) -> Result<(), AgentError> {
    match root::resize(request.limits.tmpfs_bytes) {
        // A session's files that are there already take more: the size stays as it was.
        Err(AgentError::System {
            source: Errno::EINVAL,
            ..
        }) if request.session => Ok(()),
        resized => resized,
    }
}

/// A job's files found no place: that ends the job and not the VM. Any other error is passed on.
pub fn refused(error: AgentError, channel: &mut Channel) -> Result<(), AgentError> {
    match error {
        AgentError::InputFile { .. } => channel.send(&GuestMessage::Refused {
            reason: error.to_string(),
        }),
        error => Err(error),
    }
}

/// The program and what came with it.
fn put_files(request: &RunRequest) -> Result<(), AgentError> {
    let work = put_inputs(request)?;
    work.put(&request.entry, &request.code.0)
}

/// What came with the program; gives the work folder.
pub fn put_inputs(request: &RunRequest) -> Result<Folder, AgentError> {
    let work = Folder::open(WORK_DIR).step(|| format!("open {WORK_DIR}"))?;
    for file in &request.files {
        work.put(&file.path, &file.data.0)?;
    }
    Ok(work)
}

/// The clean environment of a language's programs; `own` comes last and wins.
pub fn environment<'a>(
    language: Language,
    own: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<CString>, AgentError> {
    let fixed = BASE_ENV.iter().chain(language.spec().env).copied();
    let mut variables: Vec<(&str, &str)> = Vec::new();
    for (name, value) in fixed.chain(own) {
        variables.retain(|(known, _)| *known != name);
        variables.push((name, value));
    }
    c_strings(
        variables
            .into_iter()
            .map(|(name, value)| format!("{name}={value}")),
    )
}

/// Arguments or variables as the kernel wants them.
pub fn c_strings(words: impl Iterator<Item = String>) -> Result<Vec<CString>, AgentError> {
    let strings: Result<Vec<CString>, _> = words.map(CString::new).collect();
    strings.map_err(|_| AgentError::Nul {
        what: "an argument or an environment variable",
    })
}
