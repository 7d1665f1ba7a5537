//! How an ending becomes a result. Pure: the one place that says which status an ending has, which
//! limit it names, and which event tells of it.

use crate::conversation::Conversation;
use crate::error::JobError;
use protocol::bytes::whole_characters;
use protocol::error_code::ErrorCode;
use protocol::event::EventType;
use protocol::job::Job;
use protocol::result::{Failure, Isolation, JobResult, LimitHit, Status, Timings, Usage};
use protocol::wire::{Ending, JobReport, LimitName, Phase};
use std::time::Duration;

const MICROS: f64 = 1e-6;
const MIB: f64 = 1024.0 * 1024.0;
const SIGKILL: i32 = 9;
const SIGSYS: i32 = 31;

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

/// Puts a result together; times that the host measures are already in `timings`.
pub fn result(
    job: &Job,
    talk: Conversation,
    end: TalkEnd,
    isolation: Isolation,
    timings: Timings,
) -> JobResult {
    let mut result = JobResult {
        trace_id: job.trace_id.clone(),
        status: Status::Internal,
        exit_code: None,
        signal: None,
        phase: talk.phase(),
        stdout: talk.stdout.bytes,
        stderr: talk.stderr.bytes,
        stdout_truncated: talk.stdout.truncated,
        stderr_truncated: talk.stderr.truncated,
        timings,
        usage: Usage::default(),
        isolation: Some(isolation),
        limit: None,
        failure: None,
        notes: pattern_notes(job),
        artifacts: talk.artifacts,
        session: None,
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
        TalkEnd::Failed(error) => result.failure = Some(error.failure()),
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
    result.exit_code = report.exit_code;
    result.signal = report.signal;
    result.stdout_truncated |= report.stdout_truncated;
    result.stderr_truncated |= report.stderr_truncated;
    result.timings.compile = report.compile_micros as f64 * MICROS;
    result.timings.execute = report.execute_micros as f64 * MICROS;
    result.timings.zygote = report.zygote;
    result.usage = Usage {
        cpu_seconds: report.cpu_micros as f64 * MICROS,
        memory_peak_mib: (report.memory_peak_bytes as f64 / MIB * 10.0).round() / 10.0,
    };
    if report.session.as_ref().is_some_and(|session| session.lost) {
        result.notes.push(
            "the session's interpreter has ended: its variables are gone, its files are there"
                .into(),
        );
    }
    result.session = report.session;
    if report.artifacts_truncated {
        result
            .notes
            .push("some files of /work/out were left out: over the artifact limit".into());
    }
    if report.pids_refused > 0 {
        result.notes.push(format!(
            "the limit of {} processes and threads refused {} more",
            job.limits.pids, report.pids_refused
        ));
    }
    match report.ending {
        Ending::Exited => {
            let clean = report.exit_code == Some(0);
            result.status = if clean { Status::Ok } else { Status::Error };
        }
        Ending::Limit { limit, value } => {
            result.status = match limit {
                LimitName::WallTime | LimitName::CpuTime => Status::Timeout,
                LimitName::Memory => Status::Oom,
                _ => Status::Killed,
            };
            // What ended it is the limit, whatever the wait status was.
            result.exit_code = None;
            result.signal = result.signal.or(Some(SIGKILL));
            result.limit = Some(limit_hit(limit, value));
        }
        Ending::ForbiddenSyscall { number, name } => {
            result.status = Status::Killed;
            result.exit_code = None;
            result.signal = Some(SIGSYS);
            // The guest wrote the name: what is no system call's name is not repeated.
            let plain = |name: &String| {
                (1..=32).contains(&name.len())
                    && name
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            };
            let syscall = name.filter(plain).unwrap_or_else(|| number.to_string());
            result.limit = Some(LimitHit {
                syscall: Some(syscall),
                ..limit_hit(LimitName::Syscall, number.max(0) as u64)
            });
        }
    }
}

/// The event that tells of this end.
pub fn event_type(result: &JobResult) -> EventType {
    match result.status {
        Status::Timeout => EventType::VmTimeout,
        Status::Oom => EventType::VmOom,
        _ => EventType::VmStop,
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
    use protocol::wire::GuestMessage;

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
            let compiles = phase == Phase::Compile;
            let mut talk = Conversation::new(job.trace_id.clone(), compiles, job.limits.clone());
            talk.on(GuestMessage::Started { phase }).unwrap();
            let end = TalkEnd::HostDeadline {
                phase,
                wall: Duration::from_millis(2500),
            };
            let isolation = Isolation {
                engine: "qemu".into(),
                accelerator: "tcg".into(),
                jail: "none".into(),
            };
            let result = result(&job, talk, end, isolation, Timings::default());
            assert_eq!(result.status, Status::Timeout);
            assert_eq!((result.timings.compile, result.timings.execute), expected);
            assert_eq!(result.limit, Some(wall_time(&job, phase)));
        }
    }
}
