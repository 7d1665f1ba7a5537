//! What is wrong with a body, told by the field that it is of.

use crate::problem::{HttpCode, Problem};
use protocol::error_code::ErrorCode;
use protocol::language::closest;

/// A problem of serde's words: what they quote is shortened, and on one line.
pub(super) fn describe(path: String, error: serde_json::Error) -> Problem {
    if !error.is_data() {
        return Problem::with(HttpCode::JsonInvalid, not_json(&error));
    }
    let text = error.to_string();
    let is_of_field = path == "." || path.contains('?');
    let field = if is_of_field {
        // "missing field `code`", "unknown field `cod`, expected …".
        text.split('`').nth(1).unwrap_or("").to_owned()
    } else {
        path
    };
    let meant = meant(&field, &text);
    // serde quotes what the client sent: shortened, with room for all names of a request, on one line, without the position in our copy.
    let sentence: String = text
        .split(" at line ")
        .next()
        .unwrap_or("")
        .chars()
        .take(1200)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let sentence = match meant {
        Some(meant) => format!("did you mean {meant}? {sentence}"),
        None => sentence,
    };
    let shown: String = field
        .chars()
        .take(64)
        .flat_map(char::escape_debug)
        .collect();
    let problem = match field_code(&field) {
        Some(code) => Problem {
            code: code.as_str(),
            ..Problem::with(
                HttpCode::FieldInvalid,
                format!("{sentence}; {}", code.advice()),
            )
        },
        None => Problem::with(HttpCode::FieldInvalid, sentence),
    };
    if shown.is_empty() {
        problem
    } else {
        problem.field(shown)
    }
}

/// The field that may have been meant, of those that the error names after the wrong one.
fn meant<'a>(field: &str, text: &'a str) -> Option<&'a str> {
    let wrong = field.rsplit('.').next().unwrap_or(field);
    let mut quoted = text.split('`').skip(1).step_by(2);
    let named = quoted.next().filter(|named| *named == wrong)?;
    closest(named, quoted)
}

pub(super) fn not_json(error: &serde_json::Error) -> String {
    format!(
        "the body is not valid JSON (line {}, column {})",
        error.line(),
        error.column()
    )
}

/// The code that a client expects for this field, whatever way its value is wrong.
fn field_code(field: &str) -> Option<ErrorCode> {
    let name = field.split(['.', '[']).next().unwrap_or(field);
    Some(match name {
        "timeout" | "compile_timeout" | "run_timeout" => ErrorCode::TimeoutInvalid,
        "memory_mib" => ErrorCode::MemoryInvalid,
        "vcpus" => ErrorCode::VcpusInvalid,
        "cpu_seconds" | "pids" | "output_bytes" | "file_size_bytes" => ErrorCode::LimitInvalid,
        "args" => ErrorCode::ArgsInvalid,
        "env" => ErrorCode::EnvInvalid,
        "files" => ErrorCode::FilesInvalid,
        "packages" => ErrorCode::PackagesRefused,
        "trace_id" => ErrorCode::TraceIdInvalid,
        _ => return None,
    })
}
