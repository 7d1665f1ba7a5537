//! One job, from its request to its report.
//!
//! ```text
//!   files into /work ─ cgroup ─ [compile] ─ execute ─ artifacts ─ report
//!                                  │ not 0: the report says phase compile
//! ```

use crate::audit::KernelLog;
use crate::cell::{Cell, Outcome, Program};
use crate::cgroup::{self, Cgroup, Usage};
use crate::channel::Channel;
use crate::confine::{Confinement, rlimits};
use crate::ending::{Facts, judge, status_of};
use crate::error::{AgentError, Step};
use crate::files::Folder;
use crate::filter::Filter;
use crate::pump::{PhaseEnd, Pump};
use crate::root;
use protocol::language::{BASE_ENV, WORK_DIR};
use protocol::wire::{Ending, GuestLimits, GuestMessage, JobReport, Phase, RunRequest};
use std::ffi::CString;
use std::time::{Duration, Instant};

/// A job being run.
pub struct Job<'a> {
    request: &'a RunRequest,
    cgroup: Cgroup,
    confinement: Confinement,
    env: Vec<CString>,
    pump: Pump,
    log: KernelLog,
    memory_limit_bytes: u64,
    compile_micros: u64,
}

/// Runs it; an error is the agent's own and ends the VM.
pub fn run(request: &RunRequest, channel: &mut Channel) -> Result<JobReport, AgentError> {
    root::resize(request.limits.tmpfs_bytes)?;
    put_files(request)?;
    let mut job = Job::prepare(request)?;
    let spec = request.language.spec();
    if let Some(compiler) = spec.compile {
        let report = job.phase(Phase::Compile, arguments(compiler, &[])?, channel)?;
        if report.ending != Ending::Exited || report.exit_code != Some(0) {
            return Ok(report);
        }
        job.compile_micros = report.compile_micros;
    }
    job.phase(Phase::Execute, arguments(spec.run, &request.args)?, channel)
}

impl<'a> Job<'a> {
    fn prepare(request: &'a RunRequest) -> Result<Job<'a>, AgentError> {
        let limits = &request.limits;
        let cgroup = Cgroup::create("job")?;
        cgroup.limit(limits.memory_bytes, limits.pids)?;
        let own = Filter::from_words(&request.seccomp_program);
        Ok(Job {
            request,
            cgroup,
            confinement: Confinement {
                rlimits: rlimits(limits),
                filters: std::iter::once(Filter::baseline()).chain(own).collect(),
            },
            env: environment(request)?,
            pump: Pump::new(limits.output_bytes)?,
            log: KernelLog::follow(),
            memory_limit_bytes: cgroup::memory_limit(limits.memory_bytes)?,
            compile_micros: 0,
        })
    }

    /// Runs one program in a cell of its own and says how it ended.
    fn phase(
        &mut self,
        phase: Phase,
        argv: Vec<CString>,
        channel: &mut Channel,
    ) -> Result<JobReport, AgentError> {
        let before = self.cgroup.usage()?;
        channel.send(&GuestMessage::Started { phase })?;
        let started = Instant::now();
        let mut cell = Cell::start(
            &self.cgroup,
            &Program {
                argv: &argv,
                env: &self.env,
                confinement: &self.confinement,
                lent: &[],
                stdin: phase == Phase::Execute,
                merged: phase == Phase::Compile,
            },
        )?;
        self.pump.attach(&mut cell);
        let limit = Duration::from_millis(wall_limit(&self.request.limits, phase));
        let end = self
            .pump
            .run(&mut cell, &self.cgroup, channel, started, limit)?;
        if let Outcome::NotStarted { step, errno } = &end.outcome {
            return Err(*errno).step(|| format!("confining the job: {step}"));
        }
        self.report(phase, &end, before)
    }

    fn report(
        &mut self,
        phase: Phase,
        end: &PhaseEnd,
        before: Usage,
    ) -> Result<JobReport, AgentError> {
        let request = self.request;
        let usage = self.cgroup.usage()?;
        let facts = Facts {
            outcome: &end.outcome,
            timed_out: end.timed_out,
            wall_limit_millis: wall_limit(&request.limits, phase),
            memory_limit_bytes: self.memory_limit_bytes,
            usage: Usage {
                cpu_micros: usage.cpu_micros - before.cpu_micros,
                oom_kills: usage.oom_kills - before.oom_kills,
                ..usage
            },
            limits: &request.limits,
        };
        let ending = judge(&facts, || self.log.forbidden_call());
        let (exit_code, signal) = status_of(&end.outcome);
        let wall = end.wall.as_micros() as u64;
        let (compile_micros, execute_micros) = match phase {
            Phase::Compile => (wall, 0),
            Phase::Execute => (self.compile_micros, wall),
        };
        Ok(JobReport {
            trace_id: request.trace_id.clone(),
            phase,
            ending,
            exit_code,
            signal,
            stdout_truncated: self.pump.stdout.truncated,
            stderr_truncated: self.pump.stderr.truncated,
            artifacts_truncated: false,
            compile_micros,
            execute_micros,
            cpu_micros: usage.cpu_micros,
            memory_peak_bytes: usage.memory_peak_bytes,
            pids_refused: usage.pids_refused,
            zygote: false,
            session: None,
        })
    }
}

fn wall_limit(limits: &GuestLimits, phase: Phase) -> u64 {
    match phase {
        Phase::Compile => limits.compile_millis,
        Phase::Execute => limits.execute_millis,
    }
}

/// The program and what came with it.
fn put_files(request: &RunRequest) -> Result<(), AgentError> {
    let work = Folder::open(WORK_DIR).step(|| format!("open {WORK_DIR}"))?;
    for file in &request.files {
        work.put(&file.path, &file.data.0)?;
    }
    work.put(request.language.spec().source_file, request.code.as_bytes())
}

/// The clean environment; what the job names itself comes last and wins.
fn environment(request: &RunRequest) -> Result<Vec<CString>, AgentError> {
    let fixed = BASE_ENV.iter().chain(request.language.spec().env).copied();
    let own = request
        .env
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let mut variables: Vec<(&str, &str)> = Vec::new();
    for (name, value) in fixed.chain(own) {
        variables.retain(|(known, _)| *known != name);
        variables.push((name, value));
    }
    variables
        .into_iter()
        .map(|(name, value)| c_string(format!("{name}={value}"), "an environment variable"))
        .collect()
}

fn arguments(fixed: &[&str], own: &[String]) -> Result<Vec<CString>, AgentError> {
    let fixed = fixed.iter().map(|word| (*word).to_owned());
    fixed
        .chain(own.iter().cloned())
        .map(|word| c_string(word, "an argument"))
        .collect()
}

fn c_string(text: String, what: &'static str) -> Result<CString, AgentError> {
    CString::new(text).map_err(|_| AgentError::Nul { what })
}
