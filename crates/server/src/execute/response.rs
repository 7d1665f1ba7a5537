//! What a client gets: the result of `run --json`, with `error` and `exec_time`, artifacts keyed by
//! their MIME type, and nothing of this host's inside.

use super::common::ErrorInfoBody;
pub use super::egress::{DeniedBody, EgressBody};
use crate::mime;
use crate::problem::public_sentence;
use crate::written::{Base64, Text};
use protocol::result::{ArtifactFile, BootPath, Isolation, JobResult, LimitHit, Status};
use protocol::wire::Phase;
use sandbox::outcome;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// How a job ended.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExecuteResponse {
    /// The job's name in events and logs.
    pub trace_id: String,
    /// `ok`, `error`, `timeout`, `oom`, `killed`, `rejected` or `internal`.
    pub status: &'static str,
    /// One sentence about why it is not `ok`.
    pub error: Option<String>,
    /// The same with its parts, as sessions and sandboxes tell it, too.
    pub error_info: Option<ErrorInfoBody>,
    /// MIME type → data of each value shown, in order; none but of a session's program.
    #[schema(value_type = Vec<BTreeMap<String, String>>)]
    pub shown: Vec<Arc<BTreeMap<String, String>>>,
    /// Seconds that the program ran.
    #[serde(serialize_with = "protocol::result::micros")]
    pub exec_time: f64,
    /// The program's (or compiler's) exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// `compile` or `execute`: where it ended.
    pub phase: Option<&'static str>,
    /// What it printed; bytes that are no UTF-8 replaced.
    #[schema(value_type = String)]
    pub stdout: Text,
    /// The same as base64, when it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub stdout_base64: Option<Base64>,
    /// What it, or its compiler, printed to standard error.
    #[schema(value_type = String)]
    pub stderr: Text,
    /// The same as base64, when it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub stderr_base64: Option<Base64>,
    /// Something was dropped from stdout.
    pub stdout_truncated: bool,
    /// Something was dropped from stderr.
    pub stderr_truncated: bool,
    /// Wall times.
    pub timings: TimingsBody,
    /// What the job used.
    pub usage: UsageBody,
    /// What held it.
    pub isolation: Option<IsolationBody>,
    /// The limit that ended it.
    pub limit: Option<LimitBody>,
    /// Why there is no result of the program.
    pub failure: Option<FailureBody>,
    /// What else there is to know.
    pub notes: Vec<String>,
    /// What it left in `/work/out`.
    pub artifacts: Vec<ArtifactBody>,
    /// What came of its way out, where it named a policy for the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub egress: Option<EgressBody>,
}

/// Wall times, in seconds.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimingsBody {
    /// Waiting for a turn.
    #[serde(serialize_with = "protocol::result::micros")]
    pub queue: f64,
    /// Until the VM took the job.
    #[serde(serialize_with = "protocol::result::micros")]
    pub boot: f64,
    /// The compiler.
    #[serde(serialize_with = "protocol::result::micros")]
    pub compile: f64,
    /// The program.
    #[serde(serialize_with = "protocol::result::micros")]
    pub execute: f64,
    /// All of it.
    #[serde(serialize_with = "protocol::result::micros")]
    pub total: f64,
    /// `pool`, `clone` or `boot`: which way the VM came.
    pub path: Option<&'static str>,
    /// It ran in an interpreter that was loaded before it came.
    pub zygote: bool,
}

/// What a job used.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UsageBody {
    /// CPU time of all its processes.
    #[serde(serialize_with = "protocol::result::micros")]
    pub cpu_seconds: f64,
    /// The most memory it held, in MiB.
    pub memory_peak_mib: f64,
}

/// What held a job.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IsolationBody {
    /// `qemu` or `firecracker`.
    pub engine: String,
    /// `kvm` or `tcg`.
    pub accelerator: String,
    /// What stands around the VMM.
    pub jail: String,
    /// What stands around a program inside its VM: `confined`, or `root` where programs of a sandbox were root. That
    /// wall is down then, and the VM is the wall.
    pub guest: &'static str,
}

impl From<Isolation> for IsolationBody {
    fn from(isolation: Isolation) -> Self {
        IsolationBody {
            engine: isolation.engine,
            accelerator: isolation.accelerator,
            jail: isolation.jail,
            guest: isolation.guest.as_str(),
        }
    }
}

/// The limit that ended a job.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LimitBody {
    /// The name of the limit.
    pub name: String,
    /// Its value, in `unit`.
    pub value: u64,
    /// The unit of `value`.
    pub unit: &'static str,
    /// The forbidden system call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syscall: Option<String>,
}

impl From<LimitHit> for LimitBody {
    fn from(limit: LimitHit) -> Self {
        LimitBody {
            name: serde_json::to_value(limit.name)
                .ok()
                .and_then(|name| name.as_str().map(str::to_owned))
                .unwrap_or_default(),
            value: limit.value,
            unit: limit.unit,
            syscall: limit.syscall,
        }
    }
}

/// Why there is no result of the program.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FailureBody {
    /// The stable code.
    pub code: &'static str,
    /// What happened.
    pub message: String,
}

/// A file that a job left.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ArtifactBody {
    /// Its path below `/work/out`.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// The type that `data` has it under.
    pub mime_type: &'static str,
    /// MIME type → content: text as it is, JSON byte for byte (nested 100 deep at most, else as text),
    /// everything else as base64.
    #[schema(value_type = BTreeMap<String, serde_json::Value>)]
    pub data: BTreeMap<String, mime::Data>,
}

impl From<ArtifactFile> for ArtifactBody {
    fn from(file: ArtifactFile) -> Self {
        let (mime_type, data) = mime::bundle(&file.path, file.data.0);
        ArtifactBody {
            name: file.path,
            size: file.size,
            mime_type,
            data,
        }
    }
}

/// One sentence about why a result is not `ok`, fit for a client.
pub fn error_sentence(result: &JobResult) -> Option<String> {
    match &result.failure {
        Some(failure) => Some(public_sentence(failure)),
        None if result.status == Status::Ok => None,
        None => Some(outcome::sentence(result)),
    }
}

/// A phase as a word.
pub fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Compile => "compile",
        Phase::Execute => "execute",
    }
}

impl From<JobResult> for ExecuteResponse {
    fn from(mut result: JobResult) -> Self {
        let error = error_sentence(&result);
        let report = result.session.take();
        let (shown, raised) = report.map_or((Vec::new(), None), |it| (it.results, it.error));
        let error_info = raised.map(ErrorInfoBody::from).or_else(|| {
            let sentence = error.clone()?;
            Some(ErrorInfoBody {
                code: result.failure.as_ref().map(|failure| failure.code.as_str()),
                ..ErrorInfoBody::of_end(result.status.as_str(), sentence)
            })
        });
        let failure = result.failure.as_ref().map(|failure| FailureBody {
            code: failure.code.as_str(),
            message: public_sentence(failure),
        });
        let (stdout, stderr) = (Text::from(result.stdout), Text::from(result.stderr));
        ExecuteResponse {
            trace_id: result.trace_id.into(),
            status: result.status.as_str(),
            error,
            error_info,
            shown: shown.into_iter().map(Arc::new).collect(),
            exec_time: result.timings.execute,
            exit_code: result.exit_code,
            signal: result.signal,
            phase: result.phase.map(phase_name),
            stdout_base64: stdout.as_base64(),
            stdout,
            stderr_base64: stderr.as_base64(),
            stderr,
            stdout_truncated: result.stdout_truncated,
            stderr_truncated: result.stderr_truncated,
            timings: TimingsBody {
                queue: result.timings.queue,
                boot: result.timings.boot,
                compile: result.timings.compile,
                execute: result.timings.execute,
                total: result.timings.total,
                path: result.timings.path.map(BootPath::as_str),
                zygote: result.timings.zygote,
            },
            usage: UsageBody {
                cpu_seconds: result.usage.cpu_seconds,
                memory_peak_mib: result.usage.memory_peak_mib,
            },
            isolation: result.isolation.map(IsolationBody::from),
            limit: result.limit.map(LimitBody::from),
            failure,
            notes: result.notes,
            artifacts: result.artifacts.into_iter().map(Into::into).collect(),
            egress: result.egress.map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::error_code::ErrorCode;
    use protocol::result::{Failure, Isolation};
    use protocol::trace_id::TraceId;
    use protocol::wire::LimitName;
    use serde_json::Value;

    fn result() -> JobResult {
        let failure = Failure {
            code: ErrorCode::QueueFull,
            message: "full".into(),
            field: None,
        };
        let mut result = JobResult::failed(TraceId::parse("t").unwrap(), Status::Killed, failure);
        result.stdout = b"a\xff".to_vec();
        result.phase = Some(Phase::Compile);
        result.timings.path = Some(BootPath::Clone);
        result.isolation = Some(Isolation {
            engine: "qemu".into(),
            accelerator: "tcg".into(),
            jail: "bubblewrap".into(),
            guest: protocol::result::GuestWall::Confined,
        });
        result.limit = Some(LimitHit {
            name: LimitName::WallTime,
            value: 5,
            unit: "ms",
            syscall: Some("mount".into()),
        });
        result
    }

    /// The API and `run --json` say the same: whatever field the one gets, the other must get.
    #[test]
    fn every_field_of_the_tools_json_is_here_with_the_same_value() {
        let tool = serde_json::to_value(result()).unwrap();
        let mut api = serde_json::to_value(ExecuteResponse::from(result())).unwrap();
        let api = api.as_object_mut().unwrap();
        for added in ["error", "error_info", "shown", "exec_time", "artifacts"] {
            assert!(api.remove(added).is_some());
        }
        assert_eq!(&tool, &Value::Object(api.clone()));
    }
}
