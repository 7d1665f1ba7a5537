//! Server-sent events: how one is written, and the answer that is made of them.

use crate::sandboxes::told::Form;
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often a comment is sent while nothing happens: proxies close what is silent for a minute.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// That comment.
pub const COMMENT: Bytes = Bytes::from_static(b":\n\n");
/// Ends an event.
pub const END: Bytes = Bytes::from_static(b"\n\n");

/// What stands before an event's data, which is one line.
pub fn head(name: &str) -> Bytes {
    format!("event: {name}\ndata: ").into()
}

/// A whole event, with the value's JSON as its data; `None` for a value that has none.
pub fn event(name: &str, value: &impl Serialize) -> Option<Bytes> {
    let mut bytes = head(name).to_vec();
    serde_json::to_writer(&mut bytes, value).ok()?;
    bytes.extend_from_slice(&END);
    Some(bytes.into())
}

/// An answer of what comes, in this form; dropping it drops `with` too.
pub fn answer<T: Send + 'static>(form: Form, receiver: mpsc::Receiver<Bytes>, with: T) -> Response {
    let events =
        futures_util::stream::unfold((receiver, with), move |(mut receiver, with)| async move {
            let next = match tokio::time::timeout(KEEP_ALIVE, receiver.recv()).await {
                Ok(next) => next?,
                Err(_) => form.alive(),
            };
            Some((Ok::<_, Infallible>(next), (receiver, with)))
        });
    (headers(form.content_type()), Body::from_stream(events)).into_response()
}

/// The headers of an answer that comes bit by bit.
pub fn headers(content_type: &'static str) -> [(HeaderName, HeaderValue); 3] {
    [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        // nginx would otherwise hold events back.
        (
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        ),
    ]
}
