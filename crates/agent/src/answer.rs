//! What a session's interpreter says of one program. Pure. The program runs in that same process
//! and may write here what it likes: each line is judged, bounded, and believed no further than
//! what a program may say of itself.

use protocol::wire::{SessionError, SessionReport};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The longest line, in bytes: one frame with room for the rest of the report. The drivers keep
/// to 2 MiB.
pub const MAX_ANSWER_BYTES: usize = 3 * 1024 * 1024;

/// The answer to one order.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Which order.
    pub id: u64,
    /// What the program would have exited with.
    pub exit_code: u8,
    /// MIME type → data of each value shown.
    pub results: Vec<BTreeMap<String, String>>,
    /// The error it did not catch.
    pub error: Option<SessionError>,
}

/// Said once an order's program can be interrupted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Begun {
    /// Which order.
    begun: u64,
}

impl Answer {
    /// The host's part of it.
    pub fn into_report(self) -> SessionReport {
        SessionReport {
            results: self.results,
            error: self.error,
            lost: false,
        }
    }
}

/// What is no answer; the interpreter is of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// Longer than [`MAX_ANSWER_BYTES`].
    #[error("the session's interpreter answered with more than {MAX_ANSWER_BYTES} bytes")]
    TooLong,
    /// Not the JSON of an answer.
    #[error("the session's interpreter answered with something that is no answer")]
    Garbage,
}

/// Collects bytes and hands out the answer to one order.
#[derive(Debug, Default)]
pub struct Answers {
    line: Vec<u8>,
    /// The program of the order that is waited for runs.
    pub begun: bool,
}

impl Answers {
    /// Takes bytes in; the answer to order `id`, once it is whole. Answers to others are dropped.
    pub fn feed(&mut self, mut bytes: &[u8], id: u64) -> Result<Option<Answer>, BadAnswer> {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.take(&bytes[..end])?;
            bytes = &bytes[end + 1..];
            let line = std::mem::take(&mut self.line);
            if let Ok(Begun { begun }) = serde_json::from_slice(&line) {
                self.begun |= begun == id;
                continue;
            }
            let answer: Answer = serde_json::from_slice(&line).map_err(|_| BadAnswer::Garbage)?;
            if answer.id == id {
                return Ok(Some(answer));
            }
        }
        self.take(bytes).map(|()| None)
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), BadAnswer> {
        if self.line.len() + bytes.len() > MAX_ANSWER_BYTES {
            return Err(BadAnswer::TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(id: u64, text: &str) -> Vec<u8> {
        let shown = [("text/plain", text)];
        let shown: BTreeMap<_, _> = shown.into_iter().collect();
        let answer =
            serde_json::json!({"id": id, "exit_code": 0, "results": [shown], "error": null});
        format!("{answer}\n").into_bytes()
    }

    #[test]
    fn an_endless_line_is_refused_while_it_comes() {
        let mut answers = Answers::default();
        let piece = vec![b'x'; 64 * 1024];
        let fed = (0..100).find_map(|_| answers.feed(&piece, 1).err());
        assert_eq!(fed, Some(BadAnswer::TooLong));
        assert!(answers.line.len() <= MAX_ANSWER_BYTES);
    }

    #[test]
    fn an_answer_to_an_earlier_order_is_passed_over() {
        let mut answers = Answers::default();
        let both = [line(1, "old"), line(2, "new")].concat();
        let answer = answers.feed(&both, 2).unwrap().unwrap();
        assert_eq!(answer.results[0]["text/plain"], "new");
    }

    #[test]
    fn a_program_begins_before_its_answer() {
        let mut answers = Answers::default();
        assert_eq!(answers.feed(b"{\"begun\":1}\n", 2).unwrap(), None);
        assert!(!answers.begun);
        let whole = [&b"{\"begun\":2}\n"[..], &line(2, "x")].concat();
        assert!(answers.feed(&whole, 2).unwrap().is_some() && answers.begun);
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_answer(text in ".{0,300}", sizes in proptest::collection::vec(1usize..40, 1..40)) {
            let whole = line(7, &text);
            let (mut answers, mut rest, mut sizes) = (Answers::default(), &whole[..], sizes.iter().cycle());
            let mut got = None;
            while !rest.is_empty() {
                let size = (*sizes.next().unwrap()).min(rest.len());
                prop_assert!(got.is_none());
                got = answers.feed(&rest[..size], 7).unwrap();
                rest = &rest[size..];
            }
            prop_assert_eq!(&got.unwrap().results[0]["text/plain"], &text);
        }

        #[test]
        fn garbage_is_refused_or_waited_on_never_believed(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let mut answers = Answers::default();
            prop_assert!(!matches!(answers.feed(&bytes, 1), Ok(Some(_))));
            prop_assert!(answers.line.len() <= bytes.len());
        }
    }
}
