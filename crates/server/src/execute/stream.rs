//! A program's output as it comes: events `stdout`, `stderr` and, last, `result`; `problem` where it has none. They are
//! server-sent events, or lines of JSON.
//!
//! The program runs in a task that belongs to the answer's body: when the client goes, the server drops
//! the body, the task ends, and with it the program's future.

use crate::pieces::{self, Lines};
use crate::problem::Problem;
use crate::sandboxes::told::{Form, Line};
use crate::sse;
use crate::turn::Turn;
use crate::written::{Base64, Text};
use axum::body::Bytes;
use axum::response::Response;
use sandbox::drive::{JobOutput, OutputStream};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

/// Events between the job and a slow client: a slow client slows the program, as a pipe would.
const WAITING_EVENTS: usize = 16;

/// What a program that was followed came to. Its turn ends when its client has all of it.
pub struct Followed<B> {
    /// Its turn, with its place.
    pub turn: Turn,
    /// The body of the event `result`.
    pub body: Result<B, Problem>,
}

/// Answers with what a program prints, which it sends while it runs, and what it came to.
pub fn respond<B, F>(form: Form, program: impl FnOnce(mpsc::Sender<JobOutput>) -> F) -> Response
where
    B: Serialize + Send + 'static,
    F: Future<Output = Followed<B>> + Send + 'static,
{
    let (events, receiver) = mpsc::channel(WAITING_EVENTS);
    let (output, outputs) = mpsc::channel(WAITING_EVENTS);
    let running = program(output);
    let work = async move {
        let (Followed { turn, body }, ()) = tokio::join!(running, forward(form, outputs, &events));
        match body {
            Ok(body) => finish(form, body, &events).await,
            Err(problem) => {
                if let Some(event) = form.event("problem", &problem.body()) {
                    let _ = events.send(event).await;
                }
            }
        }
        drop(turn);
    };
    let task = tokio::spawn(work.in_current_span());
    sse::answer(form, receiver, AbortOnDropHandle::new(task))
}

/// Sends the result, piece by piece.
async fn finish<B: Serialize + Send + 'static>(form: Form, body: B, events: &mpsc::Sender<Bytes>) {
    // A client that is gone has this task ended anyway.
    let _ = match form {
        Form::Events => {
            let _ = events.send(sse::head("result")).await;
            let _ = pieces::spawn_writer(body, events.clone(), Lines::Joined).await;
            events.send(sse::END).await
        }
        Form::Lines => {
            let line = Line {
                event: "result",
                told: Some(body),
            };
            let _ = pieces::spawn_writer(line, events.clone(), Lines::Joined).await;
            events.send(Bytes::from_static(b"\n")).await
        }
    };
}

async fn forward(form: Form, mut outputs: mpsc::Receiver<JobOutput>, events: &mpsc::Sender<Bytes>) {
    let (mut stdout, mut stderr) = (Cutter::default(), Cutter::default());
    while let Some(JobOutput { stream, data }) = outputs.recv().await {
        let (name, text) = match stream {
            OutputStream::Stdout => ("stdout", &mut stdout),
            OutputStream::Stderr => ("stderr", &mut stderr),
        };
        if !send(form, name, text.take(data), events).await {
            return;
        }
    }
    for (name, text) in [("stdout", stdout), ("stderr", stderr)] {
        if !send(form, name, text.rest, events).await {
            return;
        }
    }
}

/// The data of an event `stdout` or `stderr`.
#[derive(Serialize)]
struct OutputBody {
    data: Text,
    /// The same as base64, when it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<Base64>,
}

/// Sends what is not empty; `false`: nobody listens any more.
async fn send(
    form: Form,
    name: &'static str,
    bytes: Vec<u8>,
    events: &mpsc::Sender<Bytes>,
) -> bool {
    if bytes.is_empty() {
        return true;
    }
    let data = Text::from(bytes);
    let base64 = data.as_base64();
    match form.event(name, &OutputBody { data, base64 }) {
        Some(event) => events.send(event).await.is_ok(),
        None => true,
    }
}

/// Cuts a stream of bytes between characters, not inside them.
#[derive(Default)]
struct Cutter {
    /// The beginning of a character whose end is still to come: at most 3 bytes.
    rest: Vec<u8>,
}

impl Cutter {
    fn take(&mut self, data: Vec<u8>) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.extend_from_slice(&data);
        let incomplete = match std::str::from_utf8(&bytes) {
            // Only an error without a length is a character that goes on.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => return bytes,
        };
        self.rest = bytes.split_off(incomplete);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_cut_anywhere_arrives_whole(text in "\\PC{0,60}", cuts in proptest::collection::vec(1usize..6, 1..40)) {
            let mut cutter = Cutter::default();
            let mut seen = Vec::new();
            let mut rest = text.as_bytes();
            let mut cut = cuts.iter().cycle();
            while !rest.is_empty() {
                let take = (*cut.next().unwrap()).min(rest.len());
                let out = cutter.take(rest[..take].to_vec());
                prop_assert!(std::str::from_utf8(&out).is_ok());
                seen.extend(out);
                rest = &rest[take..];
            }
            prop_assert!(cutter.rest.is_empty());
            prop_assert_eq!(seen, text.as_bytes());
        }

        #[test]
        fn no_byte_is_lost(chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9), 0..20)) {
            let mut cutter = Cutter::default();
            let mut seen: Vec<u8> = chunks.iter().flat_map(|chunk| cutter.take(chunk.clone())).collect();
            prop_assert!(cutter.rest.len() <= 3);
            seen.extend(cutter.rest);
            prop_assert_eq!(seen, chunks.concat());
        }
    }
}
