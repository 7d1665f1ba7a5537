//! Which codes an operation may refuse or fail with: the one table of it, for `/openapi.json` and `/docs`.

use crate::problem::{HTTP_CODES, HttpCode};
use protocol::error_code::{ERROR_CODES, ErrorCode};
use std::collections::BTreeMap;

/// A code of either table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// What only HTTP knows.
    Http(HttpCode),
    /// What a job can be refused for by any front door.
    Job(ErrorCode),
}

impl Code {
    /// The stable text.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Http(code) => code.as_str(),
            Code::Job(code) => code.as_str(),
        }
    }

    /// The HTTP status that goes with it.
    pub fn status(self) -> u16 {
        match self {
            Code::Http(code) => code.status(),
            Code::Job(code) => code.http_status(),
        }
    }

    /// What it means and what to do.
    pub fn sentence(self) -> &'static str {
        match self {
            Code::Http(code) => code.sentence(),
            Code::Job(code) => code.advice(),
        }
    }
}

/// Every code, sorted by its text.
pub fn all() -> Vec<Code> {
    let http = HTTP_CODES.iter().copied().map(Code::Http);
    let jobs = ERROR_CODES.iter().copied().map(Code::Job);
    let mut all: Vec<Code> = http.chain(jobs).collect();
    all.sort_by_key(|code| code.as_str());
    all
}

macro_rules! groups {
    ($($name:ident = $($kind:ident :: $code:ident)*;)*) => {
        $(const $name: &[Code] = &[$(groups!(@ $kind $code)),*];)*
    };
    (@ Http $code:ident) => { Code::Http(HttpCode::$code) };
    (@ Job $code:ident) => { Code::Job(ErrorCode::$code) };
}

groups! {
    OPEN = Http::InternalError;
    // Any key.
    KEY = Http::Unauthorized Http::HostNotAllowed Http::RateLimited Http::InternalError;
    SCOPE = Http::Forbidden;
    JSON = Http::JsonInvalid Http::FieldInvalid Http::RequestTimeout Http::BodyTooLarge Http::MediaTypeUnsupported
        Http::ContentEncodingUnsupported Http::Overloaded;
    BYTES = Http::JsonInvalid Http::FieldInvalid Http::RequestTimeout Http::ContentEncodingUnsupported;
    QUERY = Http::FieldInvalid;
    // A job's request: its language, what it is given, what it may use.
    LANGUAGE = Job::LanguageUnknown Job::ImageUnknown Job::TraceIdInvalid;
    SIZE = Job::TimeoutInvalid Job::MemoryInvalid Job::VcpusInvalid Job::LimitInvalid;
    PROGRAM = Job::CodeEmpty Job::CodeTooLarge Job::CodeNotUtf8 Job::ArgsInvalid Job::EnvInvalid Job::FilesInvalid
        Job::PatternBlocked Job::EgressUnknown Job::EgressUnavailable;
    PACKAGES = Job::PackagesRefused Job::PackagesUnresolved Job::PackagesUnavailable Http::TooManyJobs;
    // A turn in the queue, a place for what stays, a VM.
    TURN = Http::TooManyJobs Job::QueueFull Job::ShuttingDown Http::Overloaded;
    STAYS = Http::TooManySessions Http::Overloaded Job::QueueFull Job::ShuttingDown;
    VM = Job::IsolationTooWeak Job::ImageMissing Job::ImageDamaged Job::VmStartFailed Job::VmDied Job::AgentFailed
        Job::GuestMisbehaved Job::GuestSilent Job::HostFailed;
    JOB = Http::JobNotFound;
    STORED = Http::FileNotFound;
    SESSION = Http::SessionNotFound;
    BUSY = Http::SessionBusy;
    SANDBOX = Http::SandboxNotFound Http::TooManyRequestsOpen;
    TIME = Job::TimeoutInvalid;
    ROOT = Job::GuestRootForbidden Job::WritableForbidden;
    PROCESS = Http::ProcessNotFound;
    CONTEXT = Http::ContextNotFound;
    CONTEXTS = Http::ContextUnsupported Http::ProcessNotStarted Http::TooManyProcesses;
    STARTS = Http::ProcessNotStarted Http::TooManyProcesses Http::Overloaded Job::ArgsInvalid Job::EnvInvalid;
    STDIN = Http::StdinClosed Http::ProcessEnded;
    ENDED = Http::ProcessEnded;
    RUNNING = Http::ProcessRunning;
    TERMINAL = Http::NoTerminal;
    SOCKET = Http::UpgradeRequired;
    FILE = Http::FileNotFound Http::FileForbidden Http::FileInvalid Http::FileConflict;
    WRITES = Http::FileTooLarge Http::DiskFull;
    SESSION_FILE = Http::FileNotFound Http::BodyTooLarge;
    DOCTOR = Http::Overloaded;
}

struct Row {
    method: &'static str,
    path: &'static str,
    groups: &'static [&'static [Code]],
}

macro_rules! operations {
    ($($method:ident $path:literal $($group:ident)*;)*) => {
        const OPERATIONS: &[Row] = &[$(Row {
            method: stringify!($method),
            path: $path,
            groups: &[$($group),*],
        }),*];
    };
}

operations! {
    post "/api/v1/execute" KEY SCOPE JSON LANGUAGE SIZE PROGRAM PACKAGES TURN VM;
    post "/api/v1/sessions" KEY SCOPE JSON LANGUAGE SIZE STAYS VM;
    get "/api/v1/sessions" KEY;
    get "/api/v1/sessions/{id}" KEY SCOPE SESSION;
    patch "/api/v1/sessions/{id}" KEY SCOPE SESSION JSON TIME;
    delete "/api/v1/sessions/{id}" KEY SCOPE SESSION;
    post "/api/v1/sessions/{id}/execute" KEY SCOPE SESSION BUSY JSON LANGUAGE SIZE PROGRAM TURN VM;
    post "/api/v1/sessions/{id}/interrupt" KEY SCOPE SESSION;
    post "/api/v1/sessions/{id}/files" KEY SCOPE SESSION BUSY JSON;
    get "/api/v1/sessions/{id}/files" KEY SCOPE SESSION BUSY;
    put "/api/v1/sessions/{id}/files" KEY SCOPE SESSION BUSY BYTES FILE WRITES;
    delete "/api/v1/sessions/{id}/files" KEY SCOPE SESSION BUSY QUERY FILE;
    get "/api/v1/sessions/{id}/files/content" KEY SCOPE SESSION BUSY QUERY SESSION_FILE;
    post "/api/v1/sandboxes" KEY SCOPE JSON LANGUAGE SIZE PACKAGES ROOT STAYS VM;
    get "/api/v1/sandboxes" KEY;
    get "/api/v1/sandboxes/{id}" KEY SCOPE SANDBOX;
    patch "/api/v1/sandboxes/{id}" KEY SCOPE SANDBOX JSON TIME;
    delete "/api/v1/sandboxes/{id}" KEY SCOPE SANDBOX;
    post "/api/v1/sandboxes/{id}/execute" KEY SCOPE SANDBOX CONTEXT CONTEXTS JSON SIZE PROGRAM;
    post "/api/v1/sandboxes/{id}/processes" KEY SCOPE SANDBOX JSON SIZE STARTS ROOT;
    get "/api/v1/sandboxes/{id}/processes" KEY SCOPE SANDBOX;
    get "/api/v1/sandboxes/{id}/processes/{process}" KEY SCOPE SANDBOX PROCESS;
    delete "/api/v1/sandboxes/{id}/processes/{process}" KEY SCOPE SANDBOX PROCESS RUNNING;
    get "/api/v1/sandboxes/{id}/processes/{process}/output" KEY SCOPE SANDBOX PROCESS QUERY;
    post "/api/v1/sandboxes/{id}/processes/{process}/stdin" KEY SCOPE SANDBOX PROCESS BYTES STDIN;
    post "/api/v1/sandboxes/{id}/processes/{process}/signal" KEY SCOPE SANDBOX PROCESS JSON ENDED;
    post "/api/v1/sandboxes/{id}/processes/{process}/resize" KEY SCOPE SANDBOX PROCESS JSON ENDED TERMINAL;
    get "/api/v1/sandboxes/{id}/processes/{process}/terminal" KEY SCOPE SANDBOX PROCESS QUERY TERMINAL SOCKET;
    post "/api/v1/sandboxes/{id}/contexts" KEY SCOPE SANDBOX JSON LANGUAGE CONTEXTS;
    get "/api/v1/sandboxes/{id}/contexts" KEY SCOPE SANDBOX;
    delete "/api/v1/sandboxes/{id}/contexts/{context}" KEY SCOPE SANDBOX CONTEXT;
    post "/api/v1/sandboxes/{id}/contexts/{context}/interrupt" KEY SCOPE SANDBOX CONTEXT;
    post "/api/v1/sandboxes/{id}/contexts/{context}/restart" KEY SCOPE SANDBOX CONTEXT;
    get "/api/v1/sandboxes/{id}/contexts/{context}/events" KEY SCOPE SANDBOX CONTEXT QUERY;
    get "/api/v1/sandboxes/{id}/files" KEY SCOPE SANDBOX QUERY FILE;
    put "/api/v1/sandboxes/{id}/files" KEY SCOPE SANDBOX BYTES FILE WRITES;
    delete "/api/v1/sandboxes/{id}/files" KEY SCOPE SANDBOX QUERY FILE;
    get "/api/v1/sandboxes/{id}/entries" KEY SCOPE SANDBOX QUERY FILE;
    get "/api/v1/sandboxes/{id}/entries/stat" KEY SCOPE SANDBOX QUERY FILE;
    post "/api/v1/sandboxes/{id}/folders" KEY SCOPE SANDBOX JSON FILE WRITES;
    post "/api/v1/sandboxes/{id}/move" KEY SCOPE SANDBOX JSON FILE WRITES;
    get "/api/v1/sandboxes/{id}/files/watch" KEY SCOPE SANDBOX QUERY FILE;
    post "/api/v2/execute" KEY SCOPE JSON LANGUAGE SIZE PROGRAM TURN VM;
    get "/api/v2/runtimes" KEY;
    get "/api/v1/jobs" KEY SCOPE QUERY;
    get "/api/v1/jobs/{id}" KEY SCOPE JOB;
    get "/api/v1/jobs/{id}/artifacts/{name}" KEY SCOPE JOB STORED;
    get "/api/v1/languages" KEY;
    get "/api/v1/rootfs" KEY;
    get "/api/v1/snapshots" KEY;
    get "/api/v1/whoami" KEY;
    get "/api/v1/usage" KEY SCOPE QUERY;
    get "/api/v1/history" KEY SCOPE QUERY;
    get "/api/v1/status" KEY SCOPE;
    get "/api/v1/events" KEY SCOPE QUERY;
    get "/api/v1/doctor" KEY SCOPE DOCTOR;
    get "/metrics" KEY SCOPE;
    get "/healthz" OPEN;
    get "/readyz" OPEN;
}

/// The codes of one operation by their status, each list sorted. `None`: the table has no such operation.
pub fn of(method: &str, path: &str) -> Option<BTreeMap<u16, Vec<Code>>> {
    let row = OPERATIONS
        .iter()
        .find(|row| row.method == method && row.path == path)?;
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in row.groups.iter().copied().flatten() {
        by_status.entry(code.status()).or_default().push(*code);
    }
    for codes in by_status.values_mut() {
        codes.sort_by_key(|code| code.as_str());
        codes.dedup();
    }
    Some(by_status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Of requests that reach no operation, of clients that are gone, and of the command line.
    const OUTSIDE: [&str; 4] = [
        "not_found",
        "method_not_allowed",
        "cancelled",
        "seccomp_profile_invalid",
    ];

    #[test]
    fn every_operation_is_in_the_table_and_no_other() {
        let (_, api) = crate::app::documented().split_for_parts();
        let json: serde_json::Value = serde_json::from_str(&api.to_json().unwrap()).unwrap();
        let mut documented = BTreeSet::new();
        for (path, item) in json["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                documented.insert((method.clone(), path.clone()));
            }
        }
        let row = |row: &Row| (row.method.to_owned(), row.path.to_owned());
        let table: BTreeSet<_> = OPERATIONS.iter().map(row).collect();
        assert_eq!(table, documented);
        assert_eq!(table.len(), OPERATIONS.len(), "a row stands twice");
    }

    #[test]
    fn every_code_belongs_to_an_operation() {
        let used: BTreeSet<&str> = OPERATIONS
            .iter()
            .flat_map(|row| row.groups.iter().copied().flatten())
            .map(|code| code.as_str())
            .collect();
        for code in all() {
            let outside = OUTSIDE.contains(&code.as_str());
            assert_ne!(used.contains(code.as_str()), outside, "{}", code.as_str());
        }
    }
}
