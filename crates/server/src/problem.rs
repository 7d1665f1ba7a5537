//! Every answer that is no success: RFC 9457 problem JSON with a stable `code`.
//!
//! Two tables of codes: [`ErrorCode`] for what a job can be refused for by any front door, and
//! [`HttpCode`] for what only HTTP knows. What a failure says of the inside of this host (paths, a
//! console's last lines) stays in the log: a client gets one sentence and the trace id to ask with.

mod fields;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fields::FIELDS;
use protocol::error_code::ErrorCode;
use protocol::job::Job;
use protocol::language::RootImage;
use protocol::result::Failure;
use protocol::validate::Rejection;
use sandbox::error::JobError;
use serde::Serialize;
use utoipa::ToSchema;

macro_rules! http_codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $code:literal, $status:literal, $sentence:literal;)*) => {
        /// What only HTTP knows to refuse.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum HttpCode {
            $($(#[doc = $doc])* $variant,)*
        }

        /// Every such code, in the order of the documentation.
        pub const HTTP_CODES: &[HttpCode] = &[$(HttpCode::$variant),*];

        impl HttpCode {
            /// The stable text that clients match on.
            pub fn as_str(self) -> &'static str {
                match self { $(HttpCode::$variant => $code),* }
            }

            /// The status that goes with it.
            pub fn status(self) -> u16 {
                match self { $(HttpCode::$variant => $status),* }
            }

            /// What happened and what to do, when there is nothing more exact to say.
            pub fn sentence(self) -> &'static str {
                match self { $(HttpCode::$variant => $sentence),* }
            }
        }
    };
}

http_codes! {
    /// The body is not JSON.
    JsonInvalid = "json_invalid", 400, "the body is not valid JSON";
    /// A field is missing, unknown or of the wrong type.
    FieldInvalid = "field_invalid", 400, "a field is missing, unknown or of the wrong type";
    /// No key, or none that counts.
    Unauthorized = "unauthorized", 401, "send a valid API key: Authorization: Bearer KEY";
    /// The key may not do this.
    Forbidden = "forbidden", 403, "this key may not do that";
    /// A web page of another site, or another name for this host, asks without a key.
    HostNotAllowed = "host_not_allowed", 403, "without keys the service answers only to localhost and its own pages";
    /// No such page.
    NotFound = "not_found", 404, "there is nothing here; see /docs";
    /// No such job, or not this key's.
    JobNotFound = "job_not_found", 404, "there is no such job; it may have been forgotten";
    /// No such session, or not this key's.
    SessionNotFound = "session_not_found", 404, "there is no such session; it may have ended";
    /// No such sandbox, or not this key's.
    SandboxNotFound = "sandbox_not_found", 404, "there is no such sandbox; it may have ended";
    /// No such process in the sandbox.
    ProcessNotFound = "process_not_found", 404, "the sandbox has no such process; it may have been forgotten";
    /// No such context in the sandbox.
    ContextNotFound = "context_not_found", 404, "the sandbox has no such context; it may have been deleted";
    /// No such file in the session or sandbox.
    FileNotFound = "file_not_found", 404, "there is no such file";
    /// The sandbox's user may not do this with the file.
    FileForbidden = "file_forbidden", 403, "the sandbox's user may not do that there";
    /// Not with this method.
    MethodNotAllowed = "method_not_allowed", 405, "this path takes other methods; see the Allow header";
    /// The body did not come in time.
    RequestTimeout = "request_timeout", 408, "the request's body did not arrive in time";
    /// The session runs a cell already.
    SessionBusy = "session_busy", 409, "the session is at work; wait for its answer first";
    /// A file or folder stands in the way, or is of another kind.
    FileConflict = "file_conflict", 409, "what is there is of another kind, not empty or in use";
    /// The process ended.
    ProcessEnded = "process_ended", 409, "the process has ended";
    /// The process runs.
    ProcessRunning = "process_running", 409, "the process still runs; try again shortly";
    /// The process takes no input.
    StdinClosed = "stdin_closed", 409, "the process takes no input: it was started without (stdin: open), or it is closed";
    /// The process has no terminal.
    NoTerminal = "no_terminal", 409, "the process has no terminal; start it with pty";
    /// The body is over its bound.
    BodyTooLarge = "body_too_large", 413, "the request's body is too large";
    /// A file would grow over the limit of one file.
    FileTooLarge = "file_too_large", 413, "the file is larger than a file may be there";
    /// Not JSON.
    MediaTypeUnsupported = "media_type_unsupported", 415, "send Content-Type: application/json";
    /// The body is compressed in a way that is not known here.
    ContentEncodingUnsupported = "content_encoding_unsupported", 415, "send the body as it is, or as gzip";
    /// The sandbox cannot do this with the path.
    FileInvalid = "file_invalid", 422, "the sandbox's file system refuses that";
    /// The process never ran.
    ProcessNotStarted = "process_not_started", 422, "the process did not start: look at its program and folder";
    /// The language has no interpreter that keeps its variables.
    ContextUnsupported = "context_unsupported", 422, "this language keeps no variables between programs: start processes";
    /// Only a WebSocket is served here.
    UpgradeRequired = "upgrade_required", 426, "this is a WebSocket (RFC 6455, version 13)";
    /// The key asks too often.
    RateLimited = "rate_limited", 429, "too many requests; wait as long as Retry-After says";
    /// The key has too many jobs at one time.
    TooManyJobs = "too_many_jobs", 429, "this key has as many jobs as it may have at one time";
    /// The key, or the service, has as many sessions as there may be.
    TooManySessions = "too_many_sessions", 429, "there are as many sessions and sandboxes as there may be; end one first";
    /// The sandbox keeps as many processes as it may.
    TooManyProcesses = "too_many_processes", 429, "the sandbox keeps as many processes as it may; forget ended ones first";
    /// The sandbox has as many requests open as it may.
    TooManyRequestsOpen = "too_many_requests_open", 429, "the sandbox has as many requests open as it may; end one first";
    /// A defect of this service.
    InternalError = "internal_error", 500, "the service failed; its log has the reason";
    /// Bodies of all requests together are over their bound.
    Overloaded = "overloaded", 503, "the service holds as much as it may; try again shortly";
    /// The sandbox's disk is full.
    DiskFull = "disk_full", 507, "the sandbox's disk is full; remove something first";
}

/// The body of an answer that is no success (RFC 9457).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProblemBody {
    /// Where this code is documented.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do.
    pub detail: String,
    /// The stable code: match on this.
    pub code: String,
    /// The request's field, when one is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The job's name in events and logs, when it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// What a shell exits with where a process' program cannot be had: 127 where it is not there, 126 where it may not be
    /// executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
}

/// A refusal or failure on its way to the client.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable code.
    pub code: &'static str,
    /// What happened and what to do; fit for a client.
    pub detail: String,
    /// The request's field.
    pub field: Option<String>,
    /// The job.
    pub trace_id: Option<String>,
    /// What a shell exits with where a program cannot be had.
    pub exit_code: Option<u8>,
    /// Seconds until it is worth trying again.
    pub retry_after: Option<u64>,
    /// Its event is in the log already.
    pub noted: bool,
    /// Close the connection: what is left of the body is not read.
    pub close: bool,
}

impl Problem {
    /// A problem that only HTTP knows, with its own sentence.
    pub fn new(code: HttpCode) -> Problem {
        Problem::with(code, code.sentence())
    }

    /// A problem that only HTTP knows, with a more exact sentence.
    pub fn with(code: HttpCode, detail: impl Into<String>) -> Problem {
        Problem::plain(code.as_str(), code.status(), detail)
    }

    fn plain(code: &'static str, status: u16, detail: impl Into<String>) -> Problem {
        Problem {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            detail: detail.into(),
            field: None,
            trace_id: None,
            exit_code: None,
            retry_after: None,
            noted: false,
            close: false,
        }
    }

    /// Blames a field.
    pub fn field(mut self, field: impl Into<String>) -> Problem {
        self.field = Some(field.into());
        self
    }

    /// Says when to try again.
    pub fn retry_after(mut self, seconds: u64) -> Problem {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// Names the job.
    pub fn trace_id(mut self, trace_id: impl Into<String>) -> Problem {
        self.trace_id = Some(trace_id.into());
        self
    }

    /// Has the connection closed after the answer.
    pub fn close(mut self) -> Problem {
        self.close = true;
        self
    }

    /// A job that ended without a result of the program. Its event is in the log already.
    pub fn failed(failure: &Failure, trace_id: &str) -> Problem {
        let code = failure.code;
        let problem = Problem {
            noted: true,
            field: failure.field.map(str::to_owned),
            ..Problem::plain(code.as_str(), code.http_status(), public_sentence(failure))
        };
        let problem = problem.trace_id(trace_id);
        match code.http_status() {
            503 => problem.retry_after(1),
            _ => problem,
        }
    }

    /// A VM that was to stay and did not come about.
    pub fn not_opened(error: &JobError, job: &Job) -> Problem {
        let problem = Problem::failed(&error.failure(), job.trace_id.as_str());
        problem.of_image(job.language.image())
    }

    /// Names the image, where it is the one that is missing.
    pub fn of_image(mut self, image: RootImage) -> Problem {
        // A set of packages has no name that anybody could build it by.
        if self.code == ErrorCode::ImageMissing.as_str() && !image.is_package_set() {
            self.detail = missing(image.name(), image.name());
        }
        self
    }

    /// The body as JSON.
    pub fn body(&self) -> ProblemBody {
        ProblemBody {
            kind: format!("/docs#{}", self.code),
            title: self.code.replace('_', " "),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            code: self.code.to_owned(),
            field: self.field.clone(),
            trace_id: self.trace_id.clone(),
            exit_code: self.exit_code,
        }
    }

    /// What others than this client may read of it: nothing that the client sent.
    pub fn public_sentence(&self) -> String {
        let mut codes = crate::openapi::codes::all().into_iter();
        let known = codes.find(|code| code.as_str() == self.code);
        let advice = known.map_or("", |code| code.sentence());
        format!("a request was refused: {}; {advice}", self.code)
    }

    /// The same of the field: its name when it is one of ours, and never what stands below it.
    pub fn public_field(&self) -> Option<&'static str> {
        let field = self.field.as_deref()?;
        let first = field.split(['.', '[']).next().unwrap_or(field);
        FIELDS.iter().find(|known| **known == first).copied()
    }

    /// An answer with this body and the problem's headers.
    pub fn respond(self, content_type: &'static str, body: String) -> Response {
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.code == HttpCode::UpgradeRequired.as_str() {
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        }
        if self.code == HttpCode::ContentEncodingUnsupported.as_str() {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&self.body()).unwrap_or_default();
        self.respond("application/problem+json", body)
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Problem {
        let code = rejection.code;
        Problem {
            field: Some(rejection.field.to_owned()),
            trace_id: rejection.trace_id.as_ref().map(ToString::to_string),
            ..Problem::plain(code.as_str(), code.http_status(), rejection.to_string())
        }
    }
}

/// What a client may read of a failure. Only refusals speak of the client's own request; everything
/// else may carry paths of this host or lines of a guest's console.
pub fn public_sentence(failure: &Failure) -> String {
    let hidden = match failure.code {
        ErrorCode::ImageMissing => return missing("of this language", "NAME"),
        ErrorCode::ImageDamaged => "the image of this language failed its check and is not used",
        ErrorCode::VmStartFailed => "no VM could be started for this job",
        ErrorCode::VmDied => "the VM ended while it held the job; run it again",
        ErrorCode::AgentFailed => "the VM could not go on with the job and is gone; run it again",
        ErrorCode::GuestMisbehaved => {
            "the guest broke the protocol, so nothing it said counts; its VM is gone"
        }
        ErrorCode::GuestSilent => "the VM no longer answered and is gone; run the job again",
        ErrorCode::HostFailed => "the host failed",
        ErrorCode::PackagesUnavailable => "the packages could not be brought; try again later",
        _ => return failure.message.clone(),
    };
    format!("{hidden}; the operator finds the reason in the log under this trace_id")
}

fn missing(which: &str, name: &str) -> String {
    format!(
        "the image {which} is not built on this host; who runs the service builds it: llm-firecracker images build {name}"
    )
}

#[cfg(test)]
mod tests;
