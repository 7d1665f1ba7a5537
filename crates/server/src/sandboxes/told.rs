//! What is told of a process, and the two ways in which it is written: server-sent events, and lines of JSON.
//!
//! | event | says |
//! |---|---|
//! | `started` | the process; first, where the request started it |
//! | `output` | what it wrote, whose offset is `offset`; `next_offset` is where to go on |
//! | `expiring` | the sandbox ends by itself soon; once for each time that its end is near |
//! | `exit` | how it ended; nothing comes after it |
//! | `error` | why there is no more to tell, as a problem; nothing comes after it |
//!
//! Events carry `next_offset` as their `id`, so a client that comes back with `Last-Event-ID` misses nothing and hears
//! nothing twice. A stream without `exit` or `error` at its end was cut.

use super::cutter::{end_of, name};
use super::exit::ExitBody;
use super::expiry::ExpiringBody;
use super::process::ProcessBody;
use crate::execute::wants_lines;
use crate::problem::ProblemBody;
use crate::sse;
use crate::written::{Base64, Text};
use axum::body::Bytes;
use axum::http::HeaderMap;
use sandbox::live::OutputPiece;
use serde::Serialize;
use utoipa::ToSchema;

/// One thing that is told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Told {
    /// It runs.
    Started(Box<ProcessBody>),
    /// It wrote this.
    Output(OutputBody),
    /// Its sandbox ends by itself soon.
    Expiring(ExpiringBody),
    /// It ended.
    Exit(ExitBody),
    /// There is no more to tell.
    Error(ProblemBody),
}

/// One server-sent event, as the API's page describes it.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is only described; `sse` writes its text")]
pub struct EventBody {
    /// Where to go on; absent where that is as before.
    id: Option<String>,
    /// `started`, `output`, `expiring`, `exit` or `error`; of a watch, what happened.
    event: String,
    /// One line of JSON: what a line of the other form holds.
    data: String,
}

/// What a process wrote.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutputBody {
    /// Of its first byte, among all that the process wrote.
    pub offset: u64,
    /// Of the first byte behind it.
    pub next_offset: u64,
    /// `stdout`, `stderr` or `terminal`.
    pub stream: &'static str,
    /// As text; bytes that are no UTF-8 replaced.
    #[schema(value_type = String)]
    pub data: Text,
    /// The same as base64, when it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub base64: Option<Base64>,
}

impl From<OutputPiece> for Told {
    fn from(piece: OutputPiece) -> Told {
        let (offset, next_offset) = (piece.offset, end_of(&piece));
        let data = Text::from(piece.data);
        Told::Output(OutputBody {
            offset,
            next_offset,
            stream: name(piece.kind),
            base64: data.as_base64(),
            data,
        })
    }
}

impl Telling for Told {
    fn name(&self) -> &'static str {
        match self {
            Told::Started(_) => "started",
            Told::Output(_) => "output",
            Told::Expiring(_) => "expiring",
            Told::Exit(_) => "exit",
            Told::Error(_) => "error",
        }
    }

    fn next_offset(&self) -> Option<u64> {
        match self {
            Told::Output(output) => Some(output.next_offset),
            Told::Exit(exit) => Some(exit.written_bytes),
            Told::Started(_) | Told::Expiring(_) | Told::Error(_) => None,
        }
    }
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Server-sent events.
    Events,
    /// Lines of JSON, each with its event's name as `event`.
    Lines,
}

/// What events say.
pub trait Telling: Serialize {
    /// The event's name.
    fn name(&self) -> &'static str;
    /// Where a client goes on that has this.
    fn next_offset(&self) -> Option<u64>;
}

/// A line of JSON.
#[derive(Serialize)]
pub struct Line<T> {
    /// Its event's name.
    pub event: &'static str,
    /// What it says.
    #[serde(flatten)]
    pub told: Option<T>,
}

impl Form {
    /// What the client wants: events, unless it asks for lines.
    pub fn of(headers: &HeaderMap) -> Form {
        match wants_lines(headers) {
            true => Form::Lines,
            false => Form::Events,
        }
    }

    /// Its media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Form::Events => "text/event-stream",
            Form::Lines => "application/x-ndjson",
        }
    }

    /// This, written; `None` for a value that has no JSON.
    pub fn write(self, told: &impl Telling) -> Option<Bytes> {
        let bytes = self.event(told.name(), told)?;
        match (self, told.next_offset()) {
            (Form::Events, Some(offset)) => {
                let head = format!("id: {offset}\n");
                Some([head.as_bytes(), &bytes].concat().into())
            }
            _ => Some(bytes),
        }
    }

    /// Anything under a name, written; `None` for a value that has no JSON.
    pub fn event(self, name: &'static str, value: &impl Serialize) -> Option<Bytes> {
        match self {
            Form::Lines => line(&Line {
                event: name,
                told: Some(value),
            }),
            Form::Events => sse::event(name, value),
        }
    }

    /// Says that there is nothing to say: proxies close what is silent.
    pub fn alive(self) -> Bytes {
        let line = || {
            line(&Line::<&Told> {
                event: "alive",
                told: None,
            })
        };
        match self {
            Form::Events => sse::COMMENT,
            Form::Lines => line().unwrap_or_default(),
        }
    }
}

fn line(line: &Line<impl Serialize>) -> Option<Bytes> {
    let mut bytes = serde_json::to_vec(line).ok()?;
    bytes.push(b'\n');
    Some(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::super::expiry::Limit;
    use super::*;
    use protocol::supervisor::OutputKind;

    #[test]
    fn both_forms_say_the_same() {
        let told = |data: &[u8]| {
            Told::from(OutputPiece {
                offset: 7,
                kind: OutputKind::Stderr,
                data: data.into(),
            })
        };
        for (told, lines, events) in [
            (
                told("ü\n".as_bytes()),
                "{\"event\":\"output\",\"offset\":7,\"next_offset\":10,\"stream\":\"stderr\",\"data\":\"ü\\n\"}\n",
                "id: 10\nevent: output\ndata: {\"offset\":7,\"next_offset\":10,\"stream\":\"stderr\",\"data\":\"ü\\n\"}\n\n",
            ),
            (
                Told::Expiring(ExpiringBody {
                    limit: Limit::Total,
                    seconds_left: 59.75,
                }),
                "{\"event\":\"expiring\",\"limit\":\"total\",\"seconds_left\":59.75}\n",
                "event: expiring\ndata: {\"limit\":\"total\",\"seconds_left\":59.75}\n\n",
            ),
            (
                told(b"\xff"),
                "{\"event\":\"output\",\"offset\":7,\"next_offset\":8,\"stream\":\"stderr\",\"data\":\"\u{fffd}\",\"base64\":\"/w==\"}\n",
                "id: 8\nevent: output\ndata: {\"offset\":7,\"next_offset\":8,\"stream\":\"stderr\",\"data\":\"\u{fffd}\",\"base64\":\"/w==\"}\n\n",
            ),
        ] {
            assert_eq!(Form::Lines.write(&told).unwrap(), lines);
            assert_eq!(Form::Events.write(&told).unwrap(), events);
        }
        assert_eq!(Form::Lines.alive(), "{\"event\":\"alive\"}\n");
    }
}
