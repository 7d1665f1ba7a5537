//! What the service says when it says no (RFC 9457), as one sentence with its code.

use serde::Deserialize;
use std::fmt::{Display, Formatter};

/// A refusal or failure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Problem {
    /// The stable code.
    pub code: String,
    /// What happened and what to do.
    #[serde(default)]
    pub detail: String,
    /// The request's field, when one is to blame.
    #[serde(default)]
    pub field: Option<String>,
    /// The job's name in events and logs, when it has one.
    #[serde(default)]
    pub trace_id: Option<String>,
    /// What a shell exits with where a program cannot be had.
    #[serde(default)]
    pub exit_code: Option<u8>,
}

impl Problem {
    /// Reads an answer's body; `None`: it is no problem of this service.
    pub fn of(body: &[u8]) -> Option<Problem> {
        serde_json::from_slice(body).ok()
    }

    /// The process takes no more input; it may still run.
    pub fn ends_input(&self) -> bool {
        matches!(self.code.as_str(), "stdin_closed" | "process_ended")
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self.code.as_str() {
            // The service speaks of HTTP headers.
            "unauthorized" => f.write_str(
                "the service wants a valid API key: set LLM_FIRECRACKER_KEY (`llm-firecracker keys add` makes one)",
            )?,
            code if self.detail.is_empty() => f.write_str(&code.replace('_', " "))?,
            _ => f.write_str(&self.detail)?,
        }
        write!(f, " [{}]", self.code)?;
        if let Some(field) = &self.field
            && !self.detail.contains(field)
        {
            write!(f, " ({field})")?;
        }
        match &self.trace_id {
            Some(id) => write!(f, " (trace_id {id})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_one_sentence_with_its_code() {
        for (body, sentence) in [
            (
                r#"{"type":"/docs#x","title":"x","status":404,"detail":"there is no such file","code":"file_not_found"}"#,
                "there is no such file [file_not_found]",
            ),
            (
                r#"{"detail":"write a number","code":"field_invalid","field":"timeout","trace_id":"t"}"#,
                "write a number [field_invalid] (timeout) (trace_id t)",
            ),
            (r#"{"code":"disk_full"}"#, "disk full [disk_full]"),
        ] {
            assert_eq!(Problem::of(body.as_bytes()).unwrap().to_string(), sentence);
        }
        let key = Problem::of(br#"{"code":"unauthorized","detail":"Authorization: Bearer KEY"}"#);
        assert!(key.unwrap().to_string().contains("LLM_FIRECRACKER_KEY"));
        for other in ["", "<html>", "{}", r#"{"code":7}"#, "[]"] {
            assert_eq!(Problem::of(other.as_bytes()), None, "{other}");
        }
    }
}
