//! How a process ended, in the words that jobs have for it.

use crate::execute::response::{IsolationBody, LimitBody, UsageBody};
use protocol::result::Isolation;
use protocol::supervisor::ProcessReport;
use protocol::wire::Ending;
use sandbox::live::LiveSandbox;
use sandbox::outcome;
use serde::Serialize;
use utoipa::ToSchema;

const MICROS: f64 = 1e-6;
const MIB: f64 = 1024.0 * 1024.0;

/// How a process ended.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExitBody {
    /// `ok`, `error`, `timeout`, `oom` or `killed`.
    pub status: &'static str,
    /// Its exit code, where it exited.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The limit that ended it.
    pub limit: Option<LimitBody>,
    /// Seconds that it ran.
    #[serde(serialize_with = "protocol::result::micros")]
    pub exec_time: f64,
    /// What it and what it started used.
    pub usage: UsageBody,
    /// Bytes that it wrote, all its outputs together: the offset where its output ends.
    pub written_bytes: u64,
    /// How often the limit of processes and threads refused a new one.
    pub pids_refused: u64,
    /// What holds its sandbox.
    pub isolation: IsolationBody,
}

impl ExitBody {
    /// What a client is told of an end in this sandbox.
    pub fn of(live: &LiveSandbox, report: ProcessReport) -> ExitBody {
        ExitBody::within(live.isolation(), report)
    }

    fn within(isolation: Isolation, report: ProcessReport) -> ExitBody {
        let by_itself = report.ending == Ending::Exited;
        ExitBody {
            status: outcome::status(&report.ending, report.exit_code).as_str(),
            // What ended it is the limit, whatever the wait status was.
            exit_code: report.exit_code.filter(|_| by_itself),
            signal: match by_itself {
                true => report.signal,
                false => report.signal.or(Some(libc::SIGKILL)),
            },
            limit: outcome::limit(&report.ending).map(LimitBody::from),
            exec_time: report.wall_micros as f64 * MICROS,
            usage: UsageBody {
                cpu_seconds: report.cpu_micros as f64 * MICROS,
                memory_peak_mib: (report.memory_peak_bytes as f64 / MIB * 10.0).round() / 10.0,
            },
            written_bytes: report.written_bytes,
            pids_refused: report.pids_refused,
            isolation: isolation.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::result::GuestWall;
    use protocol::wire::LimitName;

    fn report(ending: Ending, exit_code: Option<i32>, signal: Option<i32>) -> ProcessReport {
        ProcessReport {
            ending,
            exit_code,
            signal,
            wall_micros: 1_500_000,
            cpu_micros: 250_000,
            memory_peak_bytes: 3 << 20,
            pids_refused: 0,
            written_bytes: 7,
            stdout_truncated: false,
            stderr_truncated: false,
        }
    }

    #[test]
    fn an_ending_has_the_words_of_jobs() {
        let isolation = Isolation {
            engine: "qemu".into(),
            accelerator: "kvm".into(),
            jail: "bubblewrap".into(),
            guest: GuestWall::Root,
        };
        let limit = |limit| Ending::Limit { limit, value: 5 };
        let syscall = |name: &str| Ending::ForbiddenSyscall {
            number: 165,
            name: Some(name.into()),
        };
        for (report, status, exit_code, signal, named) in [
            (
                report(Ending::Exited, Some(0), None),
                "ok",
                Some(0),
                None,
                None,
            ),
            (
                report(Ending::Exited, Some(3), None),
                "error",
                Some(3),
                None,
                None,
            ),
            (
                report(Ending::Exited, None, Some(15)),
                "error",
                None,
                Some(15),
                None,
            ),
            (
                report(limit(LimitName::WallTime), Some(1), None),
                "timeout",
                None,
                Some(9),
                Some("wall_time"),
            ),
            (
                report(limit(LimitName::CpuTime), None, Some(24)),
                "timeout",
                None,
                Some(24),
                Some("cpu_time"),
            ),
            (
                report(limit(LimitName::Memory), None, Some(9)),
                "oom",
                None,
                Some(9),
                Some("memory"),
            ),
            (
                report(limit(LimitName::FileSize), None, Some(25)),
                "killed",
                None,
                Some(25),
                Some("file_size"),
            ),
            (
                report(syscall("mount"), None, Some(31)),
                "killed",
                None,
                Some(31),
                Some("mount"),
            ),
            (
                report(syscall("<b>\n"), None, Some(31)),
                "killed",
                None,
                Some(31),
                Some("165"),
            ),
        ] {
            let body = ExitBody::within(isolation.clone(), report);
            let limit = body.limit.as_ref();
            let limit = limit.map(|limit| limit.syscall.clone().unwrap_or(limit.name.clone()));
            assert_eq!(
                (body.status, body.exit_code, body.signal),
                (status, exit_code, signal)
            );
            assert_eq!(limit.as_deref(), named);
            assert_eq!((body.exec_time, body.usage.memory_peak_mib), (1.5, 3.0));
            assert_eq!(body.isolation.guest, "root");
        }
    }
}
