//! What clients send to sessions and get from them.

use crate::body::{LARGER_FILES, null_as_absent};
use crate::config::SessionBounds;
use crate::execute::common::ErrorInfoBody;
use crate::execute::request::RequestFile;
use crate::execute::response::{ArtifactBody, ExecuteResponse, LimitBody, TimingsBody};
use crate::problem::{HttpCode, Problem};
use crate::staying::{AskedTimes, VmSize};
use crate::written::{Base64, Text};
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use protocol::job::{JobRequest, RequestedLimits};
use protocol::path::check_relative;
use protocol::result::JobResult;
use protocol::wire::{FileEntry, InputFile};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// A session that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"language": "python", "idle_timeout": 120}))]
pub struct SessionRequest {
    /// python, node, go, rust or bash.
    pub language: String,
    /// Memory of the VM, in MiB.
    #[serde(default)]
    pub memory_mib: Option<u64>,
    /// Virtual CPUs.
    #[serde(default)]
    pub vcpus: Option<u64>,
    /// Seconds without use after which it ends; at most as configured.
    #[serde(default)]
    pub idle_timeout: Option<f64>,
    /// Seconds after which it ends; at most as configured.
    #[serde(default)]
    pub timeout: Option<f64>,
}

/// A session.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SessionBody {
    /// Its name.
    pub id: String,
    /// Its language.
    pub language: &'static str,
    /// When it began (RFC 3339, UTC).
    pub created_at: String,
    /// Seconds without use after which it ends.
    pub idle_timeout: f64,
    /// Seconds of its total time.
    pub timeout: f64,
    /// When its total time is up (RFC 3339, UTC).
    pub expires_at: String,
    /// A program, or a file on its way, has it now; whoever comes meanwhile gets 409 `session_busy`.
    pub busy: bool,
    /// Memory of its VM, in MiB.
    pub memory_mib: u32,
    /// Its VM's virtual CPUs.
    pub vcpus: u32,
}

impl SessionRequest {
    /// Total and idle time.
    pub fn seconds(&self, bounds: &SessionBounds) -> Result<(Duration, Duration), Problem> {
        let asked = AskedTimes {
            total: self.timeout,
            idle: self.idle_timeout,
        };
        asked.within(bounds)
    }

    /// What is validated: a job that is never run.
    pub fn job(self) -> JobRequest {
        JobRequest {
            language: self.language,
            // Nothing in any of the languages.
            code: "\n".into(),
            limits: RequestedLimits {
                memory_mib: self.memory_mib,
                vcpus: self.vcpus,
                ..RequestedLimits::default()
            },
            ..JobRequest::default()
        }
    }
}

/// A program for a session.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "x = 41\nx + 1"}))]
pub struct CellRequest {
    /// The program.
    pub code: String,
    /// Seconds that it may run.
    #[serde(default)]
    pub timeout: Option<f64>,
    /// Fed to it.
    #[serde(default)]
    pub stdin: Option<String>,
    /// Added to its environment.
    #[serde(default, deserialize_with = "null_as_absent")]
    #[schema(nullable)]
    pub env: BTreeMap<String, String>,
    /// The job's name in events and logs.
    #[serde(default)]
    pub trace_id: Option<String>,
}

impl CellRequest {
    /// What is validated, and what is fed to it. It is judged by the size of the VM that it gets.
    pub fn job(self, session: &SessionBody) -> (JobRequest, Option<String>) {
        let size = VmSize {
            memory_mib: session.memory_mib,
            vcpus: session.vcpus,
        };
        let judged = size.job(session.language);
        let request = JobRequest {
            code: self.code,
            env: self.env,
            trace_id: self.trace_id,
            limits: RequestedLimits {
                timeout_seconds: self.timeout,
                ..judged.limits
            },
            collect_artifacts: true,
            ..judged
        };
        (request, self.stdin)
    }
}

/// How a session's program ended, in the words of code interpreters.
#[derive(Debug, Serialize, ToSchema)]
pub struct CellResponse {
    /// The job's name in events and logs.
    pub trace_id: String,
    /// `ok`, `error`, `timeout`, `oom` or `killed`.
    pub status: &'static str,
    /// MIME type → data of each value shown, in order.
    #[schema(value_type = Vec<BTreeMap<String, String>>)]
    pub results: Vec<Arc<BTreeMap<String, String>>>,
    /// The same, as jobs and sandboxes tell it, too.
    #[schema(value_type = Vec<BTreeMap<String, String>>)]
    pub shown: Vec<Arc<BTreeMap<String, String>>>,
    /// What it printed.
    pub logs: Logs,
    /// The same of standard output, as jobs and sandboxes tell it, too.
    #[schema(value_type = String)]
    pub stdout: Text,
    /// The same as base64, when it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub stdout_base64: Option<Base64>,
    /// The same of standard error.
    #[schema(value_type = String)]
    pub stderr: Text,
    /// The same as base64, when it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub stderr_base64: Option<Base64>,
    /// The error that it did not catch.
    pub error: Option<CellError>,
    /// The same, as jobs and sandboxes tell it, too.
    pub error_info: Option<ErrorInfoBody>,
    /// Seconds that it ran.
    #[serde(serialize_with = "protocol::result::micros")]
    pub exec_time: f64,
    /// Its exit code, where it was a process of its own.
    pub exit_code: Option<i32>,
    /// The limit that ended it.
    pub limit: Option<LimitBody>,
    /// What it left in `/work/out`.
    pub artifacts: Vec<ArtifactBody>,
    /// Wall times.
    pub timings: TimingsBody,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// What a program printed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Logs {
    /// To standard output.
    #[schema(value_type = String)]
    pub stdout: Text,
    /// To standard error.
    #[schema(value_type = String)]
    pub stderr: Text,
}

/// An error that a program did not catch.
#[derive(Debug, Serialize, ToSchema)]
pub struct CellError {
    /// Its class.
    pub name: String,
    /// Its message.
    pub value: String,
    /// Its traceback.
    pub traceback: String,
}

impl From<JobResult> for CellResponse {
    fn from(result: JobResult) -> Self {
        let body = ExecuteResponse::from(result);
        // A limit, or a language without a driver: the one sentence about it is the error.
        let error = body.error_info.clone().map(|error| CellError {
            name: error.name,
            value: error.value,
            traceback: error.traceback,
        });
        CellResponse {
            trace_id: body.trace_id,
            status: body.status,
            results: body.shown.clone(),
            shown: body.shown,
            logs: Logs {
                stdout: body.stdout.clone(),
                stderr: body.stderr.clone(),
            },
            stdout: body.stdout,
            stdout_base64: body.stdout_base64,
            stderr: body.stderr,
            stderr_base64: body.stderr_base64,
            error,
            error_info: body.error_info,
            exec_time: body.exec_time,
            exit_code: body.exit_code,
            limit: body.limit,
            artifacts: body.artifacts,
            timings: body.timings,
            notes: body.notes,
        }
    }
}

/// A file for a session: `content` is text, or `data` is base64.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct FileUpload(pub RequestFile);

impl FileUpload {
    /// The file, when its name and size are allowed.
    pub fn file(self, max: usize) -> Result<InputFile, Problem> {
        let wrong =
            |field: &str, text: String| Problem::with(HttpCode::FieldInvalid, text).field(field);
        check_relative(&self.0.path).map_err(|error| wrong("path", error.to_string()))?;
        let file = crate::execute::request::job_file(self.0)
            .map_err(|rejection| wrong("data", rejection.message))?;
        if file.data.0.len() > max {
            let sentence = format!("the file has more than {max} bytes; {LARGER_FILES}");
            return Err(Problem::with(HttpCode::BodyTooLarge, sentence).field("data"));
        }
        Ok(InputFile {
            path: file.path,
            data: file.data,
        })
    }
}

/// A file of a session.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileBody {
    /// Relative to the work folder.
    pub path: String,
    /// In bytes.
    pub size: u64,
}

impl From<FileEntry> for FileBody {
    fn from(entry: FileEntry) -> Self {
        FileBody {
            path: entry.path,
            size: entry.size,
        }
    }
}

/// Which file.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FileQuery {
    /// Relative to the work folder.
    #[param(example = "hello.txt")]
    pub path: String,
}

impl FileQuery {
    /// The path, when it stays within the work folder.
    pub fn taken(query: Result<Query<FileQuery>, QueryRejection>) -> Result<String, Problem> {
        let wrong = |text: String| Problem::with(HttpCode::FieldInvalid, text).field("path");
        let Query(FileQuery { path }) = query.map_err(|_| wrong("path is missing".into()))?;
        check_relative(&path).map_err(|error| wrong(error.to_string()))?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_cell_is_judged_by_its_sessions_size() {
        let session = SessionBody {
            id: "s".into(),
            language: "python",
            created_at: String::new(),
            idle_timeout: 1.0,
            timeout: 1.0,
            expires_at: String::new(),
            busy: false,
            memory_mib: 1024,
            vcpus: 4,
        };
        let cell: CellRequest =
            serde_json::from_value(json!({"code": "x", "timeout": 10})).unwrap();
        let policy = sandbox::config::Config::default().policy().unwrap();
        let job = policy.validate(cell.job(&session).0).unwrap();
        assert_eq!((job.limits.memory_mib, job.limits.vcpus), (1024, 4));
        // Four CPUs for the longer of the two phases (60 s by default), and two seconds to spare.
        assert_eq!(job.limits.cpu, Duration::from_secs(4 * 60 + 2));
        assert_eq!(job.limits.tmpfs_mib, 256);
    }

    fn path_of(query: &str) -> String {
        let uri = format!("/api/v1/sessions/s/files/content?{query}")
            .parse()
            .unwrap();
        Query::<FileQuery>::try_from_uri(&uri).unwrap().0.path
    }

    #[test]
    fn names_of_files_come_through_as_browsers_and_curl_write_them() {
        for (query, path) in [
            ("path=a%20b.txt", "a b.txt"),
            ("path=a+b.txt", "a b.txt"),
            ("path=a%2Bb.txt", "a+b.txt"),
            ("path=100%25.txt", "100%.txt"),
            ("path=a%23b", "a#b"),
            ("path=a%26b%3Dc", "a&b=c"),
            ("path=%C3%BC/%E6%97%A5.txt", "ü/日.txt"),
            ("path=d/%3F", "d/?"),
        ] {
            assert_eq!(path_of(query), path, "{query}");
            assert!(check_relative(path).is_ok());
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_through(path in "\\PC{1,40}") {
            let escaped: String = path.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(path_of(&format!("path={escaped}")), path);
        }
    }
}
