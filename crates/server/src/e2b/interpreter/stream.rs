//! A cell's answer as it comes: lines of JSON until `end_of_execution`. One line is on its way at a time: who reads slowly
//! slows the cell, as a pipe would.

use super::end::Ending;
use super::line::{ErrorBody, Line, Printed};
use super::result::{ResultBody, Role};
use crate::memory::Held;
use crate::sandboxes::execute::Interruption;
use crate::sandboxes::table::UsedSandbox;
use crate::sse;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use sandbox::live::contexts::{
    Accepted, CellNumber, CellStream, ContextEvent, Events, Origin, RaisedError, Shown,
};
use std::collections::VecDeque;
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// How often a line is sent while nothing happens, as E2B's service does: a client that went is noticed by it.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// How long the beginning of a line waits for its end, that a line which is written in pieces is told as one.
const HOLD: Duration = Duration::from_millis(30);
/// Bytes that are not held back any longer, whatever is still to come.
const MAX_HELD_BYTES: usize = 8 * 1024;

/// An answer under way.
pub struct Answer {
    used: UsedSandbox,
    events: Events,
    cell: CellNumber,
    /// Has the cell interrupted when its client goes.
    interruption: Interruption,
    stage: Stage,
    stdout: Decoder,
    stderr: Decoder,
    /// The beginning of a line.
    begun: Option<(CellStream, String)>,
    raised: Option<RaisedError>,
    ready: VecDeque<Line>,
    held: Held,
}

/// How far it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Cells before it run.
    Waiting,
    /// It runs.
    Running,
    /// Its last line is ready.
    Over,
    /// There is no last line.
    Cut,
}

impl Answer {
    /// Of a cell that was accepted.
    pub fn new(used: UsedSandbox, accepted: Accepted, interruption: Interruption) -> Answer {
        Answer {
            used,
            events: accepted.events,
            cell: accepted.cell,
            interruption,
            stage: Stage::Waiting,
            stdout: Decoder::default(),
            stderr: Decoder::default(),
            begun: None,
            raised: None,
            ready: VecDeque::new(),
            held: Held::default(),
        }
    }

    /// The answer.
    pub fn respond(self) -> Response {
        let headers = sse::headers("application/x-ndjson");
        let lines = futures_util::stream::unfold(self, |mut answer| async {
            let next = answer.next().await?;
            Some((next, answer))
        });
        (headers, Body::from_stream(lines)).into_response()
    }

    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        self.held = Held::default();
        let line = match timeout(KEEP_ALIVE, self.line()).await {
            Ok(Some(line)) => line,
            Ok(None) if self.stage == Stage::Cut => {
                self.stage = Stage::Over;
                return Some(Err(io::ErrorKind::ConnectionAborted.into()));
            }
            Ok(None) => return None,
            Err(_) => Line::Keepalive,
        };
        let bytes = line.bytes();
        self.held = self.used.app.memory.answer(bytes.len() as u64).await;
        Some(Ok(bytes))
    }

    /// The next line; `None`: nothing more. Cancel-safe.
    async fn line(&mut self) -> Option<Line> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(line);
            }
            if matches!(self.stage, Stage::Over | Stage::Cut) {
                return None;
            }
            let next = match &self.begun {
                None => Ok(self.events.next().await),
                Some(_) => timeout(HOLD, self.events.next()).await,
            };
            match next {
                Ok(Some((_, event))) => self.take(&event),
                Ok(None) if self.used.live.is_alive() => self.removed(),
                Ok(None) => self.cut(),
                Err(_) => self.tell_begun(),
            }
        }
    }

    /// Its context was removed.
    fn removed(&mut self) {
        self.end(Some(ErrorBody {
            name: "ContextRestarting".into(),
            value: "Context was removed".into(),
            traceback: String::new(),
        }));
    }

    fn take(&mut self, event: &ContextEvent) {
        match event {
            ContextEvent::Begun(cell) if *cell == self.cell => {
                self.stage = Stage::Running;
                let execution_count = self.cell;
                self.ready
                    .push_back(Line::NumberOfExecutions { execution_count });
            }
            ContextEvent::Raised(cell, raised) if *cell == self.cell => {
                self.raised = Some(raised.clone());
            }
            ContextEvent::Ended(cell, end) if *cell == self.cell => {
                match Ending::of(end, self.raised.as_ref()) {
                    Ending::Told(error) => self.end(error),
                    Ending::Cut => self.cut(),
                }
            }
            // What earlier cells left running shows and prints in this one, as it does in notebooks.
            ContextEvent::Printed { stream, data, .. } if self.stage == Stage::Running => {
                self.printed(*stream, data);
            }
            ContextEvent::Shown {
                origin,
                shown,
                data,
            } if self.stage == Stage::Running => {
                let is_main = (*origin, *shown) == (Origin::Running(self.cell), Shown::Result);
                let role = if is_main { Role::Main } else { Role::Display };
                let body = ResultBody::of(data, role);
                self.tell_begun();
                self.ready.push_back(Line::Result(Box::new(body)));
            }
            _ => {}
        }
    }

    fn printed(&mut self, stream: CellStream, data: &[u8]) {
        let text = match stream {
            CellStream::Stdout => self.stdout.take(data),
            CellStream::Stderr => self.stderr.take(data),
        };
        self.say(stream, &text);
    }

    /// Tells a text up to its last line's end; what is behind that waits a moment.
    fn say(&mut self, stream: CellStream, text: &str) {
        if self.begun.as_ref().is_some_and(|(own, _)| *own != stream) {
            self.tell_begun();
        }
        let (_, begun) = self.begun.get_or_insert((stream, String::new()));
        begun.push_str(text);
        if begun.is_empty() || begun.ends_with('\n') || begun.len() > MAX_HELD_BYTES {
            self.tell_begun();
        }
    }

    /// Tells what was held back.
    fn tell_begun(&mut self) {
        let Some((stream, text)) = self.begun.take().filter(|(_, text)| !text.is_empty()) else {
            return;
        };
        let timestamp = i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
        let printed = Printed { text, timestamp };
        self.ready.push_back(match stream {
            CellStream::Stdout => Line::Stdout(printed),
            CellStream::Stderr => Line::Stderr(printed),
        });
    }

    fn end(&mut self, error: Option<ErrorBody>) {
        let (out, err) = (self.stdout.rest(), self.stderr.rest());
        self.say(CellStream::Stdout, &out);
        self.say(CellStream::Stderr, &err);
        self.tell_begun();
        self.ready.extend(error.map(Line::Error));
        self.ready.push_back(Line::EndOfExecution);
        self.stage = Stage::Over;
        self.interruption.done();
    }

    fn cut(&mut self) {
        self.stage = Stage::Cut;
        self.interruption.done();
    }
}

/// Makes text of bytes that come in pieces: holds back the beginning of a character, at most 3 bytes.
#[derive(Debug, Default)]
struct Decoder {
    rest: Vec<u8>,
}

impl Decoder {
    fn take(&mut self, data: &[u8]) -> String {
        self.rest.extend_from_slice(data);
        let whole = match std::str::from_utf8(&self.rest) {
            // Only an error without a length is a character that goes on.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.rest.len(),
        };
        let rest = self.rest.split_off(whole);
        let told = std::mem::replace(&mut self.rest, rest);
        String::from_utf8_lossy(&told).into_owned()
    }

    fn rest(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.rest)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_in_pieces_is_the_same_text(text in "\\PC{0,40}", size in 1usize..6) {
            let mut decoder = Decoder::default();
            let mut told: String = text.as_bytes().chunks(size).map(|piece| decoder.take(piece)).collect();
            prop_assert!(decoder.rest.is_empty());
            told += &decoder.rest();
            prop_assert_eq!(told, text);
        }

        #[test]
        fn little_is_held_back_of_any_bytes(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9), 0..9)) {
            let mut decoder = Decoder::default();
            for piece in pieces {
                decoder.take(&piece);
                prop_assert!(decoder.rest.len() <= 3);
            }
        }
    }
}
