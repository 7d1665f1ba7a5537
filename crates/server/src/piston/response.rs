//! Piston's answer.

use crate::execute::response::error_sentence;
use crate::piston::runtime::Runtime;
use crate::written::Text;
use protocol::result::{JobResult, Status};
use protocol::wire::{LimitName, Phase};
use serde::Serialize;
use utoipa::ToSchema;

/// Both streams together, in the order in which they came.
#[derive(Debug, Default)]
pub struct Output(pub Vec<u8>);

/// How a program ended, in Piston's words.
#[derive(Debug, Serialize, ToSchema)]
pub struct PistonResponse {
    /// The language's name, not its alias.
    pub language: &'static str,
    /// The version that ran.
    pub version: String,
    /// The program; what the compiler did when that failed.
    pub run: Stage,
    /// The compiler, for languages that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compile: Option<Stage>,
}

/// One stage.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Stage {
    /// What it printed.
    #[schema(value_type = String)]
    pub stdout: Text,
    /// What it printed to standard error.
    #[schema(value_type = String)]
    pub stderr: Text,
    /// Both, in order.
    #[schema(value_type = String)]
    pub output: Text,
    /// Its exit code; null when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it; null when it exited.
    pub signal: Option<String>,
    /// The most memory it held, in bytes.
    pub memory: Option<u64>,
    /// Why it did not end well.
    pub message: Option<String>,
    /// `RE` (exit code), `SG` (signal), `TO` (time), `OL` (output) or `XX`; null when it ended well.
    pub status: Option<&'static str>,
    /// CPU time, in milliseconds.
    pub cpu_time: Option<u64>,
    /// Wall time, in milliseconds.
    pub wall_time: Option<u64>,
}

/// Signals by number (signal(7), x86 and ARM).
const SIGNALS: &[(i32, &str)] = &[
    (1, "SIGHUP"),
    (2, "SIGINT"),
    (3, "SIGQUIT"),
    (4, "SIGILL"),
    (5, "SIGTRAP"),
    (6, "SIGABRT"),
    (7, "SIGBUS"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (10, "SIGUSR1"),
    (11, "SIGSEGV"),
    (12, "SIGUSR2"),
    (13, "SIGPIPE"),
    (14, "SIGALRM"),
    (15, "SIGTERM"),
    (24, "SIGXCPU"),
    (25, "SIGXFSZ"),
    (31, "SIGSYS"),
];

/// A result in which the program, or its compiler, had its say.
pub fn answer(result: JobResult, combined: Output, runtime: &Runtime) -> PistonResponse {
    let compiled = runtime.language.row().compile.is_some();
    let failed_to_compile = compiled && result.phase == Some(Phase::Compile);
    let compile_millis = millis(result.timings.compile);
    let phase = match failed_to_compile {
        true => Phase::Compile,
        false => Phase::Execute,
    };
    let stage = stage(result, combined, phase);
    let compile = compiled.then(|| match failed_to_compile {
        true => stage.clone(),
        false => Stage {
            code: Some(0),
            wall_time: Some(compile_millis),
            ..Stage::default()
        },
    });
    PistonResponse {
        language: runtime.name,
        version: runtime.version.to_string(),
        run: stage,
        compile,
    }
}

fn stage(result: JobResult, combined: Output, phase: Phase) -> Stage {
    let wall = match phase {
        Phase::Compile => result.timings.compile,
        Phase::Execute => result.timings.execute,
    };
    Stage {
        message: error_sentence(&result),
        status: status(&result),
        code: match result.signal {
            None => result.exit_code,
            Some(_) => None,
        },
        signal: result.signal.map(signal_name),
        memory: Some((result.usage.memory_peak_mib * 1024.0 * 1024.0) as u64),
        cpu_time: Some(millis(result.usage.cpu_seconds)),
        wall_time: Some(millis(wall)),
        stdout: result.stdout.into(),
        stderr: result.stderr.into(),
        output: combined.0.into(),
    }
}

fn status(result: &JobResult) -> Option<&'static str> {
    let limit = result.limit.as_ref().map(|limit| limit.name);
    match (result.status, limit) {
        (Status::Ok, _) => None,
        (Status::Timeout, _) => Some("TO"),
        (_, Some(LimitName::Output)) => Some("OL"),
        (Status::Error, _) if result.signal.is_none() => Some("RE"),
        (Status::Error | Status::Oom | Status::Killed, _) => Some("SG"),
        (Status::Rejected | Status::Internal, _) => Some("XX"),
    }
}

fn signal_name(number: i32) -> String {
    SIGNALS
        .iter()
        .find(|(known, _)| *known == number)
        .map_or_else(|| format!("SIG{number}"), |(_, name)| (*name).to_owned())
}

fn millis(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::piston::runtime::find;
    use protocol::error_code::ErrorCode;
    use protocol::result::Failure;
    use protocol::trace_id::TraceId;

    fn result(status: Status) -> JobResult {
        let failure = Failure {
            code: ErrorCode::HostFailed,
            message: String::new(),
            field: None,
        };
        let mut result = JobResult::failed(TraceId::parse("t").unwrap(), status, failure);
        result.failure = None;
        result.exit_code = Some(0);
        result
    }

    fn json(result: JobResult, language: &str) -> serde_json::Value {
        let runtime = find(language, "*").unwrap();
        serde_json::to_value(answer(result, Output::default(), &runtime)).unwrap()
    }

    #[test]
    fn endings_are_told_as_piston_tells_them() {
        let ok = json(result(Status::Ok), "python");
        assert_eq!(
            (&ok["run"]["code"], &ok["run"]["signal"]),
            (&0.into(), &serde_json::Value::Null)
        );
        assert!(ok["run"]["status"].is_null() && ok["run"]["message"].is_null());
        assert!(ok.get("compile").is_none());
        let mut timeout = result(Status::Timeout);
        (timeout.exit_code, timeout.signal) = (None, Some(9));
        let timeout = json(timeout, "python");
        assert_eq!(
            (&timeout["run"]["signal"], &timeout["run"]["status"]),
            (&"SIGKILL".into(), &"TO".into())
        );
        let mut error = result(Status::Error);
        error.exit_code = Some(3);
        assert_eq!(json(error, "python")["run"]["status"], "RE");
    }

    #[test]
    fn a_failed_compiler_stands_in_both_stages() {
        let mut failed = result(Status::Error);
        (failed.exit_code, failed.phase) = (Some(1), Some(Phase::Compile));
        failed.stderr = b"error".to_vec();
        let json = json(failed, "rust");
        assert_eq!(json["compile"]["stderr"], "error");
        assert_eq!(json["run"], json["compile"]);
    }

    #[test]
    fn a_compiled_program_that_ran_has_a_clean_compile_stage() {
        let mut fine = result(Status::Ok);
        fine.phase = Some(Phase::Execute);
        fine.timings.compile = 1.5;
        let json = json(fine, "go");
        assert_eq!(
            (&json["compile"]["code"], &json["compile"]["wall_time"]),
            (&0.into(), &1500.into())
        );
    }
}
