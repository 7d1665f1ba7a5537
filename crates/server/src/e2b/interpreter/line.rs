//! One line of an answer to `/execute`. E2B's clients split at every line end that Unicode knows, decode each chunk of
//! bytes by itself, and crash at a blank line: so a line is ASCII, has no line end but its last byte, and is never blank.

use super::result::ResultBody;
use axum::body::Bytes;
use serde::Serialize;
use std::fmt::Write as _;

/// What is told.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    /// Printed on standard output.
    Stdout(Printed),
    /// Printed on standard error.
    Stderr(Printed),
    /// A value was shown.
    Result(Box<ResultBody>),
    /// What the cell did not catch, or what stopped it.
    Error(ErrorBody),
    /// The cell runs; it is the context's so manieth.
    NumberOfExecutions {
        /// From 1 on.
        execution_count: u64,
    },
    /// Nothing happened for a while.
    Keepalive,
    /// Nothing comes after it.
    EndOfExecution,
}

/// What was printed.
#[derive(Debug, Serialize)]
pub struct Printed {
    /// Bytes that are no UTF-8 are replaced.
    pub text: String,
    /// When, in nanoseconds since 1970.
    pub timestamp: i64,
}

/// An error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorBody {
    /// Its class.
    pub name: String,
    /// Its message.
    pub value: String,
    /// Where it came from.
    pub traceback: String,
}

impl Line {
    /// The line, with its end.
    pub fn bytes(&self) -> Bytes {
        // All of it is text, or JSON that was read already.
        let json = serde_json::to_string(self).unwrap_or_default();
        let mut line = String::with_capacity(json.len() + 1);
        for letter in json.chars() {
            match letter {
                // Between a guest's values; within texts they are escaped.
                '\n' | '\r' | '\t' => line.push(' '),
                ' '..='~' => line.push(letter),
                other => {
                    for unit in other.encode_utf16(&mut [0; 2]) {
                        let _ = write!(line, "\\u{unit:04x}");
                    }
                }
            }
        }
        line.push('\n');
        line.into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::result::Role;
    use super::*;
    use proptest::prelude::*;
    use sandbox::live::contexts::Bundle;
    use serde_json::{Value, json};

    fn is_readable(line: &[u8]) -> bool {
        let (last, rest) = line.split_last().unwrap();
        *last == b'\n' && !rest.is_empty() && rest.iter().all(|byte| (b' '..=b'~').contains(byte))
    }

    #[test]
    fn each_line_says_its_type() {
        let error = ErrorBody {
            name: "E".into(),
            value: "v".into(),
            traceback: "t\nu".into(),
        };
        let printed = |text: &str| Printed {
            text: text.into(),
            timestamp: 7,
        };
        for (line, json) in [
            (
                Line::Stdout(printed("a\u{2028}\n")),
                json!({"type": "stdout", "text": "a\u{2028}\n", "timestamp": 7}),
            ),
            (
                Line::Stderr(printed("🙂")),
                json!({"type": "stderr", "text": "🙂", "timestamp": 7}),
            ),
            (
                Line::Result(Box::default()),
                json!({"type": "result", "extra": {}, "is_main_result": false}),
            ),
            (
                Line::Error(error),
                json!({"type": "error", "name": "E", "value": "v", "traceback": "t\nu"}),
            ),
            (
                Line::NumberOfExecutions { execution_count: 3 },
                json!({"type": "number_of_executions", "execution_count": 3}),
            ),
            (Line::Keepalive, json!({"type": "keepalive"})),
            (Line::EndOfExecution, json!({"type": "end_of_execution"})),
        ] {
            let bytes = line.bytes();
            assert!(is_readable(&bytes), "{bytes:?}");
            assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), json);
        }
    }

    proptest! {
        #[test]
        fn every_line_is_ascii_and_one_line(kind in "\\PC{0,9}", text in "(.|[\\n\\r\\t\\x7f\u{85}\u{2028}\u{2029}🙂]){0,40}") {
            let json = format!("{{\n\"k\"\t:\r\n{}}}", Value::from(text.as_str()));
            let bundle = Bundle::from([
                (kind, text.clone()),
                ("text/html".into(), text.clone()),
                ("e2b/data".into(), json.clone()),
                ("x/y+json".into(), json),
            ]);
            let bytes = Line::Result(Box::new(ResultBody::of(&bundle, Role::Main))).bytes();
            prop_assert!(is_readable(&bytes));
            let read: Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(&read["html"], &json!(text));
            prop_assert_eq!(&read["data"], &json!({"k": text}));
            prop_assert_eq!(&read["extra"]["x/y+json"]["k"], &json!(text));
        }
    }
}
