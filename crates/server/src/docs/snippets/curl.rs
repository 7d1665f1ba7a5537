//! From a shell.

use super::literal::{JSON, literal};
use super::{Answered, Call, ORIGIN, Sent};
use std::fmt::Write as _;

/// The command; `None`: curl cannot.
pub fn curl(call: &Call<'_>) -> Option<String> {
    if call.answered == Answered::Socket {
        return None;
    }
    let mut out = "curl -sS --fail-with-body".to_owned();
    if call.answered == Answered::Events {
        out += " -N";
    }
    let implied = match call.sent {
        Sent::Nothing => "GET",
        Sent::Json(_) | Sent::Bytes(_) => "POST",
    };
    if call.method != implied {
        let _ = write!(out, " -X {}", call.method);
    }
    let _ = write!(out, " \"{ORIGIN}{}\"", call.target);
    let mut more = |argument: String| {
        let _ = write!(out, " \\\n  {argument}");
    };
    if call.keyed {
        more("-H \"Authorization: Bearer $LLM_FIRECRACKER_KEY\"".to_owned());
    }
    if call.answered == Answered::Events {
        more("-H 'Accept: text/event-stream'".to_owned());
    }
    match call.sent {
        Sent::Nothing => {}
        Sent::Json(value) => {
            let text = literal(value, JSON, 2).replace('\'', "'\\''");
            more(format!("--json '{text}'"));
        }
        Sent::Bytes(text) => {
            more("-H 'Content-Type: application/octet-stream'".to_owned());
            more(format!("--data-binary '{text}'"));
        }
    }
    Some(out)
}
