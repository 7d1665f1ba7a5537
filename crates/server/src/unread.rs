//! What is left of a request's body when its answer is there, a refusal mostly. Where it stays in the socket the connection
//! is reset, and a client that was still sending sees no answer: so a little of it is read, and where that was not all, the
//! answer says that the connection closes.

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

/// Bytes read of it: forms and JSON that are refused by their header are mostly smaller.
const MAX_BYTES: usize = 64 * 1024;
/// How long an answer waits for them.
const PATIENCE: Duration = Duration::from_millis(250);

/// Where a body goes that is dropped before its end.
type Back = Arc<Mutex<Option<Body>>>;

/// A body that comes back.
struct Lent {
    /// There until its end was read, or it failed.
    body: Option<Body>,
    back: Back,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let left = self.body.take().filter(|body| !body.is_end_stream());
        *self.back.lock().unwrap_or_else(PoisonError::into_inner) = left;
    }
}

/// Reads a little of what nobody read. What somebody still reads when the answer is there is theirs.
pub async fn read_a_little(request: Request, next: Next) -> Response {
    // Most have none.
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Whoever waits for leave to send would be given it.
    let waits = request.headers().contains_key(header::EXPECT);
    let closes_by_header = request.version() <= Version::HTTP_11;
    let back = Back::default();
    let request = request.map(|body| {
        Body::new(Lent {
            body: Some(body),
            back: back.clone(),
        })
    });
    let mut response = next.run(request).await;
    let left = back.lock().unwrap_or_else(PoisonError::into_inner).take();
    let closes = response.headers().contains_key(header::CONNECTION);
    let Some(left) = left.filter(|_| !closes) else {
        return response;
    };
    let read_all = !waits && tokio::time::timeout(PATIENCE, is_all(left)).await == Ok(true);
    if !read_all && closes_by_header {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

/// Whether it ends within [`MAX_BYTES`].
async fn is_all(mut body: Body) -> bool {
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        bytes += frame.data_ref().map_or(0, Bytes::len);
        if bytes > MAX_BYTES {
            return false;
        }
    }
    true
}
