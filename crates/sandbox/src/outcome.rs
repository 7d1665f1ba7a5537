//! How an ending becomes a result. Pure: the one place that says which status an ending has, which
//! limit it names, and which event tells of it.

use crate::drive::heard::Heard;
use crate::error::JobError;
use crate::missing_module::tip;
use protocol::bytes::whole_characters;
use protocol::error_code::ErrorCode;
use protocol::event::EventType;
use protocol::job::Job;
use protocol::result::{Failure, Isolation, JobResult, LimitHit, Status, Timings, Usage};
use protocol::supervisor::ProcessReport;
use protocol::wire::{Ending, LimitName, MAX_ARTIFACTS, Phase};
use std::time::Duration;

const MICROS: f64 = 1e-6;
const MIB: f64 = 1024.0 * 1024.0;
const SIGKILL: i32 = 9;
const SIGSYS: i32 = 31;

/// How the job ended, as the guest saw it.
#[derive(Debug, Default)]
pub struct JobReport {
    /// Of the compiler, where there is one.
    pub compiled: Option<ProcessReport>,
    /// Of the program; `None`: the compiler's end was the job's.
    pub executed: Option<ProcessReport>,
    /// It ran in an interpreter that was loaded before it came.
    pub zygote: bool,
    /// Something was left out of the artifacts.
    pub artifacts_truncated: bool,
}

impl JobReport {
    fn processes(&self) -> impl Iterator<Item = &ProcessReport> {
        self.compiled.iter().chain(&self.executed)
    }

    /// The process whose end was the job's.
    fn last(&self) -> Option<&ProcessReport> {
        self.executed.as_ref().or(self.compiled.as_ref())
    }
}

/// How the talk about a job ended.
#[derive(Debug)]
pub enum TalkEnd {
    /// The guest reported.
    Report(Box<JobReport>),
    /// The host's own deadline for a phase passed without a report.
    HostDeadline {
        /// The phase.
        phase: Phase,
        /// How long ago the guest said that it began.
        wall: Duration,
    },
    /// The agent could not begin the job, for a reason of the job's own; its VM serves on.
    Refused(String),
    /// There is no report, and the VM is of no use any more.
    Failed(JobError),
}

/// What the host knows of a job by itself.
#[derive(Debug)]
pub struct Measured {
    /// What held it.
    pub isolation: Isolation,
    /// The times that the host measures.
    pub timings: Timings,
}

/// Puts a result together.
pub fn result(job: &Job, talk: Heard, end: TalkEnd, measured: Measured) -> JobResult {
    let mut result = JobResult {
        trace_id: job.trace_id.clone(),
        status: Status::Internal,
        exit_code: None,
        signal: None,
        phase: talk.phase,
        stdout: talk.stdout.bytes,
        stderr: talk.stderr.bytes,
        stdout_truncated: talk.stdout.truncated,
        stderr_truncated: talk.stderr.truncated,
        timings: measured.timings,
        usage: Usage::default(),
        isolation: Some(measured.isolation),
        limit: None,
        failure: None,
        notes: pattern_notes(job),
        artifacts: talk.artifacts,
        session: None,
        egress: None,
    };
    match end {
        TalkEnd::Report(report) => take_report(&mut result, job, *report),
        TalkEnd::HostDeadline { phase, wall } => {
            result.status = Status::Timeout;
            match phase {
                Phase::Compile => result.timings.compile = wall.as_secs_f64(),
                Phase::Execute => result.timings.execute = wall.as_secs_f64(),
            }
            result.limit = Some(wall_time(job, phase));
            result
                .notes
                .push("the guest did not report in time; the host ended the VM".into());
        }
        TalkEnd::Refused(reason) => {
            result.status = Status::Rejected;
            result.failure = Some(refused(&reason));
        }
        TalkEnd::Failed(error) => {
            let failure = error.failure();
            result.status = status_of_failure(failure.code);
            result.failure = Some(failure);
        }
    }
    for (bytes, cut) in [
        (&mut result.stdout, result.stdout_truncated),
        (&mut result.stderr, result.stderr_truncated),
    ] {
        if cut {
            bytes.truncate(whole_characters(bytes));
        }
    }
    result
}

/// The agent refuses only what it was to put into the work folder.
fn refused(reason: &str) -> Failure {
    let code = ErrorCode::FilesInvalid;
    Failure {
        code,
        message: format!("the work folder refused {reason}; {}", code.advice()),
        field: Some("files"),
    }
}

fn pattern_notes(job: &Job) -> Vec<String> {
    job.patterns_found
        .iter()
        .map(|name| format!("the scan found the pattern {name}"))
        .collect()
}

fn wall_time(job: &Job, phase: Phase) -> LimitHit {
    let limit = match phase {
        Phase::Compile => job.limits.compile_timeout,
        Phase::Execute => job.limits.timeout,
    };
    limit_hit(LimitName::WallTime, limit.as_millis() as u64)
}

fn limit_hit(name: LimitName, value: u64) -> LimitHit {
    LimitHit {
        name,
        value,
        unit: name.unit(),
        syscall: None,
    }
}

fn take_report(result: &mut JobResult, job: &Job, report: JobReport) {
    let wall = |process: &Option<ProcessReport>| {
        let process = process.as_ref();
        process.map_or(0.0, |process| process.wall_micros as f64 * MICROS)
    };
    result.timings.compile = wall(&report.compiled);
    result.timings.execute = wall(&report.executed);
    result.timings.zygote = report.zygote;
    // A compiler prints to standard error alone.
    result.stderr_truncated |= report.compiled.as_ref().is_some_and(is_cut);
    if let Some(executed) = &report.executed {
        result.stdout_truncated |= executed.stdout_truncated;
        result.stderr_truncated |= executed.stderr_truncated;
    }
    let cpu_micros: u64 = report.processes().map(|process| process.cpu_micros).sum();
    let peaks = report.processes().map(|process| process.memory_peak_bytes);
    result.usage = Usage {
        cpu_seconds: cpu_micros as f64 * MICROS,
        memory_peak_mib: (peaks.max().unwrap_or(0) as f64 / MIB * 10.0).round() / 10.0,
    };
    if report.artifacts_truncated {
        result.notes.push(left_out(job));
    }
    let pids_refused: u64 = report.processes().map(|process| process.pids_refused).sum();
    if pids_refused > 0 {
        result.notes.push(format!(
            "the limit of {} processes and threads refused {pids_refused} more",
            job.limits.pids
        ));
    }
    let Some(report) = report.last() else { return };
    result.exit_code = report.exit_code;
    result.signal = report.signal;
    result.status = status(&report.ending, report.exit_code);
    if result.status == Status::Error {
        result.notes.extend(tip(job.language, &result.stderr));
    }
    result.limit = limit(&report.ending);
    match &report.ending {
        Ending::Exited => {}
        // What ended it is the limit, whatever the wait status was.
        Ending::Limit { .. } => {
            result.exit_code = None;
            result.signal = result.signal.or(Some(SIGKILL));
        }
        Ending::ForbiddenSyscall { .. } => {
            result.exit_code = None;
            result.signal = Some(SIGSYS);
        }
    }
}

/// The guest does not say which: a file that comes whole is in the result.
fn left_out(job: &Job) -> String {
    let mib = job.limits.artifact_bytes as f64 / MIB;
    format!(
        "some files of /work/out were left out: together they may have {mib} MiB (artifact_bytes in [limits] of the \
         configuration), and be {MAX_ARTIFACTS} regular files"
    )
}

fn is_cut(process: &ProcessReport) -> bool {
    process.stdout_truncated || process.stderr_truncated
}

/// Of a program that ended so, with this exit code if it has one.
pub fn status(ending: &Ending, exit_code: Option<i32>) -> Status {
    match ending {
        Ending::Exited if exit_code == Some(0) => Status::Ok,
        Ending::Exited => Status::Error,
        Ending::Limit { limit, .. } => match limit {
            LimitName::WallTime | LimitName::CpuTime => Status::Timeout,
            LimitName::Memory => Status::Oom,
            _ => Status::Killed,
        },
        Ending::ForbiddenSyscall { .. } => Status::Killed,
    }
}

/// The limit that an ending names. The guest wrote it: what is no system call's name is not repeated.
pub fn limit(ending: &Ending) -> Option<LimitHit> {
    match ending {
        Ending::Exited => None,
        Ending::Limit { limit, value } => Some(limit_hit(*limit, *value)),
        Ending::ForbiddenSyscall { number, name } => {
            let plain = name.clone().filter(|name| is_plain(name));
            Some(LimitHit {
                syscall: Some(plain.unwrap_or_else(|| number.to_string())),
                ..limit_hit(LimitName::Syscall, u64::try_from(*number).unwrap_or(0))
            })
        }
    }
}

fn is_plain(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=32).contains(&name.len()) && name.bytes().all(letter)
}

/// The event that tells of this end.
pub fn event_type(result: &JobResult) -> EventType {
    match result.status {
        Status::Timeout => EventType::VmTimeout,
        Status::Oom => EventType::VmOom,
        _ => EventType::VmStop,
    }
}

/// The status of what has no result for this reason: an image that nobody built is no failure of the sandbox.
pub fn status_of_failure(code: ErrorCode) -> Status {
    match code {
        ErrorCode::ImageMissing => Status::Rejected,
        _ => Status::Internal,
    }
}

/// One sentence about how it ended, for events and for standard error.
pub fn sentence(result: &JobResult) -> String {
    if let Some(failure) = &result.failure {
        return failure.message.clone();
    }
    if let Some(limit) = &result.limit {
        return match (&limit.syscall, limit.name) {
            (Some(syscall), _) => format!("killed: the system call {syscall} is forbidden"),
            (_, LimitName::WallTime) => {
                let phase = match result.phase {
                    Some(Phase::Compile) => "compiling",
                    _ => "running",
                };
                format!(
                    "timed out: {phase} took more than {} s",
                    limit.value as f64 / 1000.0
                )
            }
            (_, LimitName::CpuTime) => format!("timed out: over {} s of CPU time", limit.value),
            (_, LimitName::Memory) => {
                format!("out of memory: over {:.0} MiB", limit.value as f64 / MIB)
            }
            (_, LimitName::Pids) => format!("killed: over {} processes", limit.value),
            (_, LimitName::Output) => format!("killed: over {} bytes of output", limit.value),
            (_, LimitName::FileSize) => {
                format!("killed: a file grew over {} bytes", limit.value)
            }
            (_, LimitName::Syscall) => "killed: a forbidden system call".into(),
        };
    }
    match (result.exit_code, result.signal) {
        (Some(code), _) => format!("exited with {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => format!("ended: {}", result.status.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::job::JobRequest;

    #[test]
    fn a_guest_that_does_not_report_is_timed_by_the_host() {
        let request = JobRequest {
            language: "go".into(),
            code: "package main".into(),
            ..JobRequest::default()
        };
        let policy = crate::config::Config::default().policy().unwrap();
        let job = policy.validate(request).unwrap();
        for (phase, expected) in [(Phase::Compile, (2.5, 0.0)), (Phase::Execute, (0.0, 2.5))] {
            let talk = Heard {
                phase: Some(phase),
                ..Heard::default()
            };
            let end = TalkEnd::HostDeadline {
                phase,
                wall: Duration::from_millis(2500),
            };
            let isolation = Isolation {
                engine: "qemu".into(),
                accelerator: "tcg".into(),
                jail: "none".into(),
                guest: protocol::result::GuestWall::Confined,
            };
            let measured = Measured {
                isolation,
                timings: Timings::default(),
            };
            let result = result(&job, talk, end, measured);
            assert_eq!(result.status, Status::Timeout);
            assert_eq!((result.timings.compile, result.timings.execute), expected);
            assert_eq!(result.limit, Some(wall_time(&job, phase)));
        }
    }
}
