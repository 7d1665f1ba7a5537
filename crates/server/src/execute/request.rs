//! What a client asks for: the JSON of `POST /api/v1/execute`, and how it becomes a job.

use crate::body::{null_as_absent, objects};
use protocol::bytes::from_base64;
use protocol::error_code::ErrorCode;
use protocol::job::{JobFile, JobRequest, RequestedLimits};
use protocol::language::asked_for;
use protocol::validate::Rejection;
use sandbox::drive::JobIo;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use utoipa::ToSchema;

/// A program to run.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"language": "python", "code": "print(6 * 7)", "timeout": 5}))]
pub struct ExecuteRequest {
    /// A language that GET /api/v1/languages lists; absent: the first of `image`'s.
    #[serde(default)]
    pub language: Option<String>,
    /// An image that GET /api/v1/rootfs lists; absent: the language's own.
    #[serde(default)]
    pub image: Option<String>,
    /// The same under its short name; give one of the two.
    #[serde(default)]
    pub lang: Option<String>,
    /// The program, at most 1 MiB of UTF-8.
    pub code: String,
    /// Packages that the program needs besides its image's: names with versions or without, such as `pandas>=2` for
    /// python or `lodash@4` for node. At most 64, and only where the operator allows it.
    #[serde(default, deserialize_with = "null_as_absent")]
    #[schema(nullable)]
    pub packages: Vec<String>,
    /// The program's file, relative to the work folder, such as `hello.mjs` or `src/app.py`; absent: `main` with the
    /// language's extension.
    #[serde(default)]
    pub entry: Option<String>,
    /// Seconds that the program may run: above 0, at most 300.
    #[serde(default)]
    pub timeout: Option<f64>,
    /// Seconds that the compiler may run.
    #[serde(default)]
    pub compile_timeout: Option<f64>,
    /// Seconds of CPU time that one process may use.
    #[serde(default)]
    pub cpu_seconds: Option<u64>,
    /// Memory of the VM, in MiB.
    #[serde(default)]
    pub memory_mib: Option<u64>,
    /// Virtual CPUs.
    #[serde(default)]
    pub vcpus: Option<u64>,
    /// Processes and threads at one time.
    #[serde(default)]
    pub pids: Option<u64>,
    /// Bytes kept of stdout, and of stderr.
    #[serde(default)]
    pub output_bytes: Option<u64>,
    /// The largest file that the program may write, in bytes.
    #[serde(default)]
    pub file_size_bytes: Option<u64>,
    /// Fed to the program.
    #[serde(default)]
    pub stdin: Option<String>,
    /// The program's arguments.
    #[serde(default, deserialize_with = "null_as_absent")]
    #[schema(nullable)]
    pub args: Vec<String>,
    /// Added to the program's environment.
    #[serde(default, deserialize_with = "null_as_absent")]
    #[schema(nullable)]
    pub env: BTreeMap<String, String>,
    /// Put into the work folder before the program starts.
    #[serde(default, deserialize_with = "objects")]
    #[schema(nullable)]
    pub files: Vec<RequestFile>,
    /// The job's name in events and logs: 1 to 64 of `A-Z a-z 0-9 . _ -`. Absent: from the
    /// `traceparent` header, else a new UUIDv7.
    #[serde(default)]
    pub trace_id: Option<String>,
    /// Start a new interpreter even where a loaded one waits (a new hash seed, for python).
    #[serde(default, deserialize_with = "null_as_absent")]
    #[schema(nullable)]
    pub fresh_interpreter: bool,
    /// Bring back what the program leaves in `/work/out`; on unless `false`.
    #[serde(default)]
    pub artifacts: Option<bool>,
    /// Answer only at the next multiple of this many seconds, so that run times cannot be read off.
    #[serde(default)]
    pub normalize_time: Option<f64>,
    /// The operator's policy for what the program may reach. Absent: it has no network.
    #[serde(default)]
    pub egress: Option<String>,
}

/// A file that comes with the program: `content` is text, or `data` is base64.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"path": "hello.txt", "content": "hello"}))]
pub struct RequestFile {
    /// Relative to the work folder.
    pub path: String,
    /// Its content as text.
    #[serde(default)]
    pub content: Option<String>,
    /// Its content as base64.
    #[serde(default)]
    pub data: Option<String>,
}

/// A request taken apart: what is validated, and what is fed to the program.
#[derive(Debug)]
pub struct Submission {
    /// For [`sandbox::sandbox::Sandbox::admit`].
    pub request: JobRequest,
    /// For [`JobIo::stdin`].
    pub stdin: Option<String>,
    /// For [`crate::app::App::bring_packages`].
    pub packages: Vec<String>,
}

/// The longest bucket of `normalize_time`: the longest timeout.
const MAX_NORMALIZE_SECONDS: f64 = protocol::limits::MAX_TIMEOUT_SECONDS;

impl ExecuteRequest {
    /// Takes the request apart; `trace_id` is the one that its headers name.
    pub fn submission(self, trace_id: Option<String>) -> Result<Submission, Rejection> {
        let language = match (self.language, self.lang) {
            (Some(_), Some(_)) => {
                let text = "both language and lang are given";
                return Err(Rejection::new(ErrorCode::LanguageUnknown, "lang", text));
            }
            (Some(language), None) | (None, Some(language)) => Some(language),
            (None, None) => None,
        };
        let language = asked_for(language.as_deref(), self.image.as_deref())?.ok_or_else(|| {
            let text = "the language is missing";
            Rejection::new(ErrorCode::LanguageUnknown, "language", text)
        })?;
        let files = self
            .files
            .into_iter()
            .map(job_file)
            .collect::<Result<_, _>>()?;
        let request = JobRequest {
            language,
            code: self.code,
            entry: self.entry,
            args: self.args,
            env: self.env,
            files,
            trace_id: self.trace_id.or(trace_id),
            limits: RequestedLimits {
                timeout_seconds: self.timeout,
                compile_timeout_seconds: self.compile_timeout,
                cpu_seconds: self.cpu_seconds,
                memory_mib: self.memory_mib,
                vcpus: self.vcpus,
                pids: self.pids,
                output_bytes: self.output_bytes,
                file_size_bytes: self.file_size_bytes,
                writable_mib: None,
            },
            fresh_interpreter: self.fresh_interpreter,
            collect_artifacts: self.artifacts.unwrap_or(true),
            normalize_time: self.normalize_time.map(bucket).transpose()?,
            egress: self.egress,
            ..JobRequest::default()
        };
        Ok(Submission {
            request,
            stdin: self.stdin,
            packages: self.packages,
        })
    }
}

/// What is connected to a job without streaming.
pub fn job_io(stdin: Option<String>) -> JobIo {
    JobIo {
        stdin: stdin
            .filter(|text| !text.is_empty())
            .map(|text| Box::new(std::io::Cursor::new(text.into_bytes())) as _),
        ..JobIo::default()
    }
}

/// A file as the sandbox takes it.
pub fn job_file(file: RequestFile) -> Result<JobFile, Rejection> {
    let refuse = |what: &str| {
        let name = protocol::validate::shown(&file.path);
        Rejection::new(
            ErrorCode::FilesInvalid,
            "files",
            format!("file {name}: {what}"),
        )
    };
    let data = match (&file.content, &file.data) {
        (Some(text), None) => text.clone().into_bytes(),
        (None, Some(base64)) => {
            from_base64(base64).map_err(|_| refuse("its data is not base64"))?
        }
        _ => return Err(refuse("give either content or data")),
    };
    Ok(JobFile {
        path: file.path,
        data: data.into(),
    })
}

fn bucket(seconds: f64) -> Result<Duration, Rejection> {
    // Below a millisecond there is nothing to hide, and no more than the longest job.
    if (0.001..=MAX_NORMALIZE_SECONDS).contains(&seconds) {
        return Ok(Duration::from_secs_f64(seconds));
    }
    Err(Rejection::new(
        ErrorCode::LimitInvalid,
        "normalize_time",
        format!("normalize_time is {seconds}, allowed is 0.001 to {MAX_NORMALIZE_SECONDS} seconds"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(json: serde_json::Value) -> ExecuteRequest {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn either_name_of_the_language_will_do_but_not_both() {
        let code = |json| request(json).submission(None).map(|s| s.request.language);
        let python = serde_json::json!({"lang": "python", "code": "x"});
        assert_eq!(code(python).unwrap(), "python");
        let both = serde_json::json!({"lang": "python", "language": "python", "code": "x"});
        assert_eq!(code(both).unwrap_err().field, "lang");
        assert_eq!(
            code(serde_json::json!({"code": "x"})).unwrap_err().field,
            "language"
        );
    }

    #[test]
    fn a_file_is_text_or_base64() {
        let files = |files| {
            request(serde_json::json!({"lang": "bash", "code": "x", "files": files}))
                .submission(None)
                .map(|s| {
                    s.request
                        .files
                        .into_iter()
                        .map(|f| f.data.0)
                        .collect::<Vec<_>>()
                })
        };
        let fine =
            serde_json::json!([{"path": "a", "content": "ü"}, {"path": "b", "data": "/w\r\n==\n"}]);
        assert_eq!(files(fine).unwrap(), ["ü".as_bytes().to_vec(), vec![255]]);
        for wrong in [
            serde_json::json!([{"path": "a"}]),
            serde_json::json!([{"path": "a", "data": "!"}]),
            serde_json::json!([{"path": "a", "data": "", "content": ""}]),
        ] {
            assert_eq!(files(wrong).unwrap_err().code, ErrorCode::FilesInvalid);
        }
    }
}
