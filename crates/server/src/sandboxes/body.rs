//! What clients send to sandboxes as a whole, and get from them.

use super::expiry::Limit;
use crate::body::{null_as_absent, object_or_default};
use crate::config::SessionBounds;
use crate::execute::response::IsolationBody;
use crate::problem::{HttpCode, Problem};
use crate::staying::AskedTimes;
use protocol::job::{JobRequest, RequestedLimits};
use protocol::language::asked_for;
use protocol::validate::{Rejection, shown};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use utoipa::ToSchema;

/// Entries of a sandbox's metadata, and bytes of each name and each value.
const MAX_METADATA: usize = 16;
const MAX_METADATA_BYTES: usize = 256;

/// A sandbox that is wanted.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"language": "python", "timeout": 600, "metadata": {"user": "42"}}))]
pub struct SandboxRequest {
    /// What it has: an image that GET /api/v1/rootfs lists; absent: the language's own; without a language, too: `agent`
    /// where that is built, else python's.
    #[serde(default)]
    pub image: Option<String>,
    /// What cells are written in that name nothing; absent: the first of the image's, else python.
    #[serde(default)]
    pub language: Option<String>,
    /// Packages that it has besides its image's, of the language's registry: names with versions or without, such as
    /// `pandas>=2`. At most 64, and only where the operator allows it.
    #[serde(default, deserialize_with = "null_as_absent")]
    #[schema(nullable)]
    pub packages: Vec<String>,
    /// Seconds after which it ends; at most as configured.
    #[serde(default)]
    pub timeout: Option<f64>,
    /// Seconds without a request after which it ends; at most as configured.
    #[serde(default)]
    pub idle_timeout: Option<f64>,
    /// In the environment of each process.
    #[serde(default, deserialize_with = "null_as_absent")]
    #[schema(nullable)]
    pub env: BTreeMap<String, String>,
    /// Kept and shown, not read: at most 16 texts of 256 bytes.
    #[serde(default, deserialize_with = "null_as_absent")]
    #[schema(nullable)]
    pub metadata: BTreeMap<String, String>,
    /// Let the root file system be written to, as far as `limits.writable_mib`; only where the operator allows it.
    #[serde(default)]
    pub writable: Option<bool>,
    /// What all of it may use.
    #[serde(default, deserialize_with = "object_or_default")]
    #[schema(nullable)]
    pub limits: SandboxLimits,
}

/// What a sandbox may use; absent: as configured.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SandboxLimits {
    /// Memory of the VM, in MiB.
    #[serde(default)]
    pub memory_mib: Option<u64>,
    /// Virtual CPUs.
    #[serde(default)]
    pub vcpus: Option<u64>,
    /// Processes and threads at one time, of all of it.
    #[serde(default)]
    pub pids: Option<u64>,
    /// The largest file that a process may write, in bytes, unless the process has a limit of its own.
    #[serde(default)]
    pub file_size_bytes: Option<u64>,
    /// What the root file system takes in where it is `writable`, in MiB of the memory; absent: a quarter of it.
    #[serde(default)]
    #[schema(minimum = 1)]
    pub writable_mib: Option<u64>,
}

/// More time for a session or a sandbox.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"timeout": 600}))]
pub struct ExtendRequest {
    /// Seconds from now after which it ends; at most as configured.
    pub timeout: f64,
}

/// A sandbox.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SandboxBody {
    /// Its name.
    pub id: String,
    /// What its VM booted from.
    pub image: &'static str,
    /// What cells are written in that name nothing.
    pub language: &'static str,
    /// When it began (RFC 3339, UTC).
    pub created_at: String,
    /// Seconds of its total time.
    pub timeout: f64,
    /// Seconds without a request after which it ends.
    pub idle_timeout: f64,
    /// When its total time is up (RFC 3339, UTC).
    pub expires_at: String,
    /// As it was sent.
    pub metadata: BTreeMap<String, String>,
    /// Memory of its VM, in MiB.
    pub memory_mib: u32,
    /// Its VM's virtual CPUs.
    pub vcpus: u32,
    /// What its root file system takes in, in MiB of the memory; 0: it is read-only.
    pub writable_mib: u32,
    /// What holds it.
    pub isolation: IsolationBody,
}

/// A sandbox as an operator sees it, whoever's it is: nothing that its client wrote.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SandboxRow {
    /// Its name.
    pub id: String,
    /// The id of its key; `local` without keys.
    pub key: String,
    /// What its VM booted from.
    pub image: &'static str,
    /// What cells are written in that name nothing.
    pub language: &'static str,
    /// When it began (RFC 3339, UTC).
    pub created_at: String,
    /// What ends it if nobody does anything.
    pub limit: Limit,
    /// Seconds until then.
    #[serde(serialize_with = "protocol::result::micros")]
    pub seconds_left: f64,
    /// Requests that use it now.
    pub open_requests: usize,
    /// Memory of its VM, in MiB.
    pub memory_mib: u32,
    /// What its VM runs under.
    pub engine: String,
}

impl SandboxRequest {
    /// Total and idle time.
    pub fn seconds(&self, bounds: &SessionBounds) -> Result<(Duration, Duration), Problem> {
        let asked = AskedTimes {
            total: self.timeout,
            idle: self.idle_timeout,
        };
        asked.within(bounds)
    }

    /// Refuses a size of what is not asked for.
    pub fn check_writable(&self) -> Result<(), Problem> {
        let sentence = match (self.writable.unwrap_or(false), self.limits.writable_mib) {
            (_, Some(0)) => "writable_mib is 0; without writable the root file system is read-only",
            (false, Some(_)) => "writable_mib is of use only with writable",
            _ => return Ok(()),
        };
        Err(Problem::with(HttpCode::FieldInvalid, sentence).field("limits.writable_mib"))
    }

    /// Refuses metadata that is more than a label.
    pub fn check_metadata(&self) -> Result<(), Problem> {
        let count = self.metadata.len();
        let texts = self.metadata.iter().flat_map(|(name, value)| [name, value]);
        let long = texts
            .into_iter()
            .find(|text| text.len() > MAX_METADATA_BYTES);
        let sentence = match long {
            Some(text) => format!("{} has over {MAX_METADATA_BYTES} bytes", shown(text)),
            None if count > MAX_METADATA => {
                format!("metadata has {count} entries, allowed are {MAX_METADATA}")
            }
            None => return Ok(()),
        };
        Err(Problem::with(HttpCode::FieldInvalid, sentence).field("metadata"))
    }

    /// What is validated, and says how large the VM is: a job that is never run.
    pub fn job(self) -> Result<JobRequest, Rejection> {
        let language = asked_for(self.language.as_deref(), self.image.as_deref())?;
        Ok(JobRequest {
            language: language.unwrap_or_else(|| "python".into()),
            // Nothing in any of the languages.
            code: "\n".into(),
            env: self.env,
            limits: RequestedLimits {
                memory_mib: self.limits.memory_mib,
                vcpus: self.limits.vcpus,
                pids: self.limits.pids,
                file_size_bytes: self.limits.file_size_bytes,
                // 0 is as configured.
                writable_mib: (self.writable == Some(true))
                    .then_some(self.limits.writable_mib.unwrap_or(0)),
                ..RequestedLimits::default()
            },
            ..JobRequest::default()
        })
    }
}

/// A refusal by the names that requests to sandboxes have.
pub fn in_limits(problem: Problem) -> Problem {
    const LIMITS: &[&str] = &[
        "memory_mib",
        "vcpus",
        "pids",
        "cpu_seconds",
        "file_size_bytes",
        "writable_mib",
    ];
    match problem.field.as_deref() {
        Some(field) if LIMITS.contains(&field) => {
            let field = format!("limits.{field}");
            problem.field(field)
        }
        _ => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn metadata_is_bounded() {
        let long = "x".repeat(MAX_METADATA_BYTES + 1);
        let many: BTreeMap<String, String> = (0..=MAX_METADATA)
            .map(|n| (n.to_string(), String::new()))
            .collect();
        let most: BTreeMap<String, String> = (0..MAX_METADATA)
            .map(|n| (format!("{n:0>256}"), "y".repeat(MAX_METADATA_BYTES)))
            .collect();
        for (metadata, fine) in [
            (json!({}), true),
            (Value::Null, true),
            (json!(most), true),
            (json!(many), false),
            (json!({ "a": long }), false),
            (json!({ long: "a" }), false),
        ] {
            let request = json!({ "metadata": metadata });
            let request: SandboxRequest = serde_json::from_value(request).unwrap();
            assert_eq!(request.check_metadata().is_ok(), fine, "{metadata:.60}");
        }
    }

    #[test]
    fn a_limit_is_named_where_it_stands() {
        for (field, named) in [
            ("pids", "limits.pids"),
            ("env", "env"),
            ("timeout", "timeout"),
        ] {
            let problem = in_limits(Problem::new(HttpCode::FieldInvalid).field(field));
            assert_eq!(problem.field.as_deref(), Some(named));
        }
    }
}
