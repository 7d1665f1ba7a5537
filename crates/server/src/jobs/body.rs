//! What is told of jobs that run and of those that ended lately.

use super::store::KeptJob;
use crate::execute::response::{ExecuteResponse, LimitBody};
use crate::mime;
use protocol::event::Event;
use protocol::job::Job;
use protocol::result::{BootPath, JobResult};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// One job, now or lately.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct JobRow {
    /// Its name here: no two jobs have the same.
    pub id: String,
    /// Its name in events and logs, which its client may have chosen.
    pub trace_id: String,
    /// The id of its key; `local` without keys.
    pub key: String,
    /// What that key is called.
    pub key_name: String,
    /// What its program is written in.
    pub language: &'static str,
    /// What its VM booted from.
    pub image: &'static str,
    /// The session that it ran in.
    pub session: Option<String>,
    /// `waiting`, `running`, or how it ended.
    pub status: &'static str,
    /// When it was asked for (RFC 3339, UTC).
    pub started_at: String,
    /// Seconds from its request to its end.
    #[serde(serialize_with = "protocol::result::micros_of_some")]
    pub total_seconds: Option<f64>,
    /// Seconds that it waited for its turn.
    #[serde(serialize_with = "protocol::result::micros_of_some")]
    pub queue_seconds: Option<f64>,
    /// Seconds until a VM took it.
    #[serde(serialize_with = "protocol::result::micros_of_some")]
    pub boot_seconds: Option<f64>,
    /// Seconds that compiler and program ran.
    #[serde(serialize_with = "protocol::result::micros_of_some")]
    pub execute_seconds: Option<f64>,
    /// CPU time of all its processes.
    #[serde(serialize_with = "protocol::result::micros_of_some")]
    pub cpu_seconds: Option<f64>,
    /// The most memory that it held, in MiB.
    pub memory_peak_mib: Option<f64>,
    /// `pool`, `clone` or `boot`: which way its VM came.
    pub path: Option<&'static str>,
    /// What its VM ran under.
    pub engine: Option<String>,
    /// The program's (or compiler's) exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The limit that ended it.
    pub limit: Option<String>,
    /// Why there is no result of the program: the stable code.
    pub code: Option<&'static str>,
    /// Its result is remembered.
    pub kept: bool,
}

/// A job, and what is remembered of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobDetail {
    /// In short.
    pub job: JobRow,
    /// As its client got it, but for `artifacts`, which stand beside it; `null` where it is not remembered (any more).
    pub result: Option<ExecuteResponse>,
    /// What it left in `/work/out`.
    pub artifacts: Vec<JobArtifact>,
    /// What was told of it, oldest first.
    #[schema(value_type = Vec<serde_json::Value>)]
    pub events: Vec<Arc<Event>>,
}

/// A file that a job left.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobArtifact {
    /// Its path below `/work/out`.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// What its name says that it is.
    pub mime_type: &'static str,
    /// Where it can be had.
    pub href: String,
}

impl JobRow {
    /// A job that waits for its turn.
    pub fn waiting(job: &Job, session: Option<&str>) -> JobRow {
        let owner = job.owner.as_deref();
        JobRow {
            id: uuid::Uuid::now_v7().to_string(),
            trace_id: job.trace_id.to_string(),
            key: owner.map(|owner| owner.id.clone()).unwrap_or_default(),
            key_name: owner.map(|owner| owner.name.clone()).unwrap_or_default(),
            language: job.language.name(),
            image: job.language.image().name(),
            session: session.map(str::to_owned),
            status: "waiting",
            started_at: jiff::Timestamp::now().to_string(),
            total_seconds: None,
            queue_seconds: None,
            boot_seconds: None,
            execute_seconds: None,
            cpu_seconds: None,
            memory_peak_mib: None,
            path: None,
            engine: None,
            exit_code: None,
            signal: None,
            limit: None,
            code: None,
            kept: false,
        }
    }

    /// The same once it ended.
    pub fn ended(self, result: &JobResult) -> JobRow {
        let (timings, usage) = (&result.timings, &result.usage);
        let limit = result.limit.clone().map(LimitBody::from);
        JobRow {
            status: result.status.as_str(),
            total_seconds: Some(timings.total),
            queue_seconds: Some(timings.queue),
            boot_seconds: Some(timings.boot),
            execute_seconds: Some(timings.compile + timings.execute),
            cpu_seconds: Some(usage.cpu_seconds),
            memory_peak_mib: Some(usage.memory_peak_mib),
            path: timings.path.map(BootPath::as_str),
            engine: result.isolation.as_ref().map(|own| own.engine.clone()),
            exit_code: result.exit_code,
            signal: result.signal,
            limit: limit.map(|limit| limit.name),
            code: result.failure.as_ref().map(|why| why.code.as_str()),
            ..self
        }
    }
}

impl JobDetail {
    /// What is remembered of this job.
    pub fn of(job: &KeptJob) -> JobDetail {
        let artifacts = job.result.iter().flat_map(|result| &result.artifacts);
        let artifact = |file: &protocol::result::ArtifactFile| JobArtifact {
            name: file.path.clone(),
            size: file.size,
            mime_type: mime::of_name(&file.path).unwrap_or("application/octet-stream"),
            href: format!(
                "/api/v1/jobs/{}/artifacts/{}",
                job.row.id,
                in_address(&file.path)
            ),
        };
        JobDetail {
            artifacts: artifacts.map(artifact).collect(),
            result: job.result.as_deref().map(without_files),
            events: job.events.clone(),
            job: job.row.clone(),
        }
    }
}

fn without_files(result: &JobResult) -> ExecuteResponse {
    let result = JobResult {
        artifacts: Vec::new(),
        egress: result.egress.clone(),
        stdout: result.stdout.clone(),
        stderr: result.stderr.clone(),
        trace_id: result.trace_id.clone(),
        timings: result.timings.clone(),
        usage: result.usage.clone(),
        isolation: result.isolation.clone(),
        limit: result.limit.clone(),
        failure: result.failure.clone(),
        notes: result.notes.clone(),
        session: result.session.clone(),
        ..*result
    };
    ExecuteResponse::from(result)
}

/// A path as one part of an address.
fn in_address(path: &str) -> String {
    let byte = |byte: u8| match byte {
        b'.' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    path.bytes().map(byte).collect()
}
