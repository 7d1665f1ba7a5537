//! From what was seen of a job to what the host is told.

use crate::cell::Outcome;
use crate::cgroup::Usage;
use crate::ending::{Facts, Witnesses, judge, status_of};
use crate::pump::Pump;
use protocol::wire::{GuestLimits, JobReport, Phase, RunRequest};
use std::time::Duration;

/// One phase, as it was seen.
pub struct Seen<'a> {
    /// Whose.
    pub request: &'a RunRequest,
    /// Which.
    pub phase: Phase,
    /// How its program ended.
    pub outcome: &'a Outcome,
    /// Its deadline passed.
    pub timed_out: bool,
    /// How long it took.
    pub wall: Duration,
    /// The memory limit in force, bytes.
    pub memory_limit_bytes: u64,
    /// The counters before the phase.
    pub before_phase: Usage,
    /// The counters before the job.
    pub before_job: Usage,
    /// The counters now.
    pub now: Usage,
    /// Where its output went.
    pub pump: &'a Pump,
}

/// The report of a job that ended in this phase.
pub fn report(seen: &Seen<'_>, witnesses: &mut impl Witnesses) -> JobReport {
    let facts = Facts {
        outcome: seen.outcome,
        timed_out: seen.timed_out,
        wall_limit_millis: wall_limit(&seen.request.limits, seen.phase),
        memory_limit_bytes: seen.memory_limit_bytes,
        usage: seen.now.since(&seen.before_phase),
        limits: &seen.request.limits,
    };
    let (exit_code, signal) = status_of(seen.outcome);
    let wall = seen.wall.as_micros() as u64;
    let (compile_micros, execute_micros) = match seen.phase {
        Phase::Compile => (wall, 0),
        Phase::Execute => (0, wall),
    };
    let job = seen.now.since(&seen.before_job);
    JobReport {
        trace_id: seen.request.trace_id.clone(),
        phase: seen.phase,
        ending: judge(&facts, witnesses),
        exit_code,
        signal,
        stdout_truncated: seen.pump.stdout.truncated,
        stderr_truncated: seen.pump.stderr.truncated,
        artifacts_truncated: false,
        compile_micros,
        execute_micros,
        cpu_micros: job.cpu_micros,
        memory_peak_bytes: job.memory_peak_bytes,
        pids_refused: job.pids_refused,
        zygote: false,
        session: None,
    }
}

/// The wall limit of a phase, milliseconds.
pub fn wall_limit(limits: &GuestLimits, phase: Phase) -> u64 {
    match phase {
        Phase::Compile => limits.compile_millis,
        Phase::Execute => limits.execute_millis,
    }
}
