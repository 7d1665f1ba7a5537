//! QMP's messages. Pure; what comes from a VMM is not trusted.

use serde::Deserialize;
use serde_json::{Map, Value};

/// One line of QMP at most, bytes. QEMU's longest answer to what is asked here has 300.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// One line from QEMU.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The first line.
    Greeting,
    /// A command succeeded.
    Return(Value),
    /// A command failed, in QEMU's own words.
    Error(String),
    /// Something happened.
    Event {
        /// Its name, e.g. `RESUME`.
        name: String,
        /// What there is to know.
        data: Map<String, Value>,
    },
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "QMP")]
    greeting: Option<Value>,
    #[serde(rename = "return", default, deserialize_with = "present")]
    answer: Option<Value>,
    error: Option<Failure>,
    event: Option<String>,
    #[serde(default)]
    data: Map<String, Value>,
}

#[derive(Deserialize)]
struct Failure {
    desc: String,
}

/// `null` is a value here, not an absence.
fn present<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(input).map(Some)
}

impl Message {
    /// Reads one line; `Err` says what is wrong with it.
    pub fn parse(line: &[u8]) -> Result<Message, String> {
        let line: Line = serde_json::from_slice(line).map_err(|e| e.to_string())?;
        match line {
            Line {
                greeting: Some(_), ..
            } => Ok(Message::Greeting),
            Line {
                answer: Some(value),
                ..
            } => Ok(Message::Return(value)),
            Line {
                error: Some(error), ..
            } => Ok(Message::Error(error.desc)),
            Line {
                event: Some(name),
                data,
                ..
            } => Ok(Message::Event { name, data }),
            _ => Err("neither greeting, return, error nor event".into()),
        }
    }
}

/// Cuts a stream into lines of at most [`MAX_LINE_BYTES`].
#[derive(Debug, Default)]
pub struct Lines {
    buffer: Vec<u8>,
}

impl Lines {
    /// Takes in what came.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole line without its end; `Err` when it is too long.
    pub fn next_line(&mut self) -> Result<Option<Vec<u8>>, String> {
        match self.buffer.iter().position(|b| *b == b'\n') {
            Some(end) if end <= MAX_LINE_BYTES => {
                let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
                line.truncate(end);
                Ok(Some(line))
            }
            None if self.buffer.len() <= MAX_LINE_BYTES => Ok(None),
            _ => Err(format!("a line of more than {MAX_LINE_BYTES} bytes")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_four_kinds_are_told_apart() {
        let parse = |text: &str| Message::parse(text.as_bytes());
        assert_eq!(
            parse(r#"{"QMP": {"version": {}, "capabilities": []}}"#),
            Ok(Message::Greeting)
        );
        assert_eq!(
            parse(r#"{"return": {}}"#),
            Ok(Message::Return(serde_json::json!({})))
        );
        assert_eq!(
            parse(r#"{"return": null}"#),
            Ok(Message::Return(Value::Null))
        );
        assert_eq!(
            parse(r#"{"error": {"class": "GenericError", "desc": "no"}}"#),
            Ok(Message::Error("no".into()))
        );
        let event = parse(r#"{"timestamp": {"seconds": 1}, "event": "RESUME"}"#).unwrap();
        assert!(matches!(event, Message::Event { name, .. } if name == "RESUME"));
        for wrong in ["", "{}", "[]", "nul", r#"{"error": {}}"#, r#"{"event": 3}"#] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut lines = Lines::default();
        lines.feed(&vec![b'x'; MAX_LINE_BYTES + 1]);
        assert!(lines.next_line().is_err());
        lines.feed(b"\n");
        assert!(lines.next_line().is_err());
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let mut lines = Lines::default();
            lines.feed(&bytes);
            while let Ok(Some(line)) = lines.next_line() {
                let _ = Message::parse(&line);
            }
        }

        #[test]
        fn lines_survive_any_chunking(text in proptest::collection::vec("[a-z]{0,30}", 0..10), cut in 1usize..20) {
            let stream: Vec<u8> = text.iter().flat_map(|t| format!("{t}\n").into_bytes()).collect();
            let (mut lines, mut seen) = (Lines::default(), Vec::new());
            for chunk in stream.chunks(cut) {
                lines.feed(chunk);
                while let Some(line) = lines.next_line().unwrap() {
                    seen.push(String::from_utf8(line).unwrap());
                }
            }
            prop_assert_eq!(seen, text);
        }
    }
}
