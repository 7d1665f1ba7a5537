//! A job's output as it comes: server-sent events `stdout`, `stderr` and, last, `result`.
//!
//! The job runs in a task that belongs to the answer's body: when the client goes, the server drops
//! the body, the task ends, and with it the job's future and its VM.

use crate::app::App;
use crate::execute::response::ExecuteResponse;
use crate::execute::{request, run};
use crate::fair::Entry;
use crate::memory::Held;
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::job::Job;
use sandbox::conversation::Stream;
use sandbox::drive::Output;
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

/// Events between the job and a slow client: a slow client slows the program, as a pipe would.
const WAITING_EVENTS: usize = 16;

/// How often a comment is sent while nothing happens: proxies close what is silent for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Answers with the job's events.
pub fn respond(
    app: Arc<App>,
    job: Job,
    stdin: Option<String>,
    mut entry: Entry,
    held: Held,
) -> Response {
    let (events, receiver) = mpsc::channel(WAITING_EVENTS);
    let work = async move {
        let _held = held;
        let (output, outputs) = mpsc::channel(WAITING_EVENTS);
        let mut io = request::job_io(stdin);
        io.output = Some(output);
        let running = run(&app, job, io, &mut entry);
        let (result, ()) = tokio::join!(running, forward(outputs, &events));
        if let Ok(text) = serde_json::to_string(&ExecuteResponse::from(result)) {
            let room = app.memory.answer(text.len() as u64).await;
            let event = Event::default().event("result").data(one_line(text));
            // A client that is gone has this task ended anyway.
            let _ = events.send((event, room)).await;
        }
    };
    let task = tokio::spawn(work.in_current_span());
    sse(receiver, AbortOnDropHandle::new(task))
}

/// An event on its way, and the room that it takes until the next one is asked for.
pub type Sent = (Event, Held);

/// An answer of events; dropping it drops `with` too.
pub fn sse<T: Send + 'static>(receiver: mpsc::Receiver<Sent>, with: T) -> Response {
    let before = (receiver, with, Held::default());
    let stream = futures_util::stream::unfold(before, |(mut receiver, with, held)| async {
        let (event, room) = receiver.recv().await?;
        drop(held);
        Some((Ok::<_, Infallible>(event), (receiver, with, room)))
    });
    let mut response = Sse::new(stream)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response();
    // nginx would otherwise hold events back.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    response
        .headers_mut()
        .insert(unbuffered, HeaderValue::from_static("no"));
    response
}

async fn forward(mut outputs: mpsc::Receiver<Output>, events: &mpsc::Sender<Sent>) {
    let (mut stdout, mut stderr) = (Text::default(), Text::default());
    while let Some(Output { stream, data }) = outputs.recv().await {
        let (name, text) = match stream {
            Stream::Stdout => ("stdout", &mut stdout),
            Stream::Stderr => ("stderr", &mut stderr),
        };
        if !send(name, text.take(data), events).await {
            return;
        }
    }
    for (name, text) in [("stdout", stdout), ("stderr", stderr)] {
        if !send(name, text.rest, events).await {
            return;
        }
    }
}

/// Sends what is not empty; `false`: nobody listens any more.
async fn send(name: &str, bytes: Vec<u8>, events: &mpsc::Sender<Sent>) -> bool {
    if bytes.is_empty() {
        return true;
    }
    let body = match std::str::from_utf8(&bytes) {
        Ok(text) => json!({ "data": text }),
        Err(_) => json!({
            "data": String::from_utf8_lossy(&bytes),
            "base64": STANDARD.encode(&bytes),
        }),
    };
    match Event::default().event(name).json_data(body) {
        Ok(event) => events.send((event, Held::default())).await.is_ok(),
        Err(_) => true,
    }
}

/// JSON without the line breaks that stand between its values (those in a text are escaped): an event
/// of one line is read by every client, also by those that know of one `data:` only.
fn one_line(mut json: String) -> String {
    json.retain(|c| c != '\n' && c != '\r');
    json
}

/// Cuts a stream of bytes between characters, not inside them.
#[derive(Default)]
struct Text {
    /// The beginning of a character whose end is still to come: at most 3 bytes.
    rest: Vec<u8>,
}

impl Text {
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
            let mut cutter = Text::default();
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
            let mut cutter = Text::default();
            let mut seen: Vec<u8> = chunks.iter().flat_map(|chunk| cutter.take(chunk.clone())).collect();
            prop_assert!(cutter.rest.len() <= 3);
            seen.extend(cutter.rest);
            prop_assert_eq!(seen, chunks.concat());
        }
    }
}
