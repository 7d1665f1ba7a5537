//! Bodies on their way through, both ways: as fast as the other side takes them, counted, never held.

use super::Held;
use crate::sandboxes::bytes::Incoming;
use axum::body::{Body, Bytes};
use futures_util::stream::{self, BoxStream};
use hyper::body::{Frame, SizeHint};
use prometheus_client::metrics::counter::Counter;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Where bytes are counted.
#[derive(Debug, Clone)]
pub struct Traffic {
    /// Those that go to a sandbox.
    pub to_guest: Counter,
    /// Those that come from one.
    pub to_client: Counter,
}

/// A request's body. A client that sends nothing for too long is cut off, and so is what it began.
pub struct FromClient(Option<BoxStream<'static, io::Result<Bytes>>>);

impl FromClient {
    /// Takes this body; `patience`: for each piece.
    pub fn of(body: Body, patience: Duration, traffic: Traffic) -> FromClient {
        // What has no body is to be sent without one.
        if hyper::body::Body::is_end_stream(&body) {
            return FromClient(None);
        }
        let incoming = Incoming::new(body, patience);
        FromClient(Some(Box::pin(stream::try_unfold(
            (incoming, traffic),
            |(mut incoming, traffic)| async move {
                let piece = incoming.next().await;
                let piece = piece.map_err(|problem| io::Error::other(problem.detail))?;
                Ok(piece.map(|bytes| {
                    traffic.to_guest.inc_by(bytes.len() as u64);
                    (bytes, (incoming, traffic))
                }))
            },
        ))))
    }
}

impl hyper::body::Body for FromClient {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Some(pieces) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let piece = ready!(pieces.as_mut().poll_next(context));
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.0 {
            None => SizeHint::with_exact(0),
            Some(_) => SizeHint::new(),
        }
    }
}

/// An answer's body, and what it holds until it is out. Its size is told by its header alone: what takes a size for
/// bytes that are held is told of none.
pub struct FromGuest {
    pub(super) body: hyper::body::Incoming,
    pub(super) traffic: Traffic,
    pub(super) _held: Held,
}

impl hyper::body::Body for FromGuest {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        loop {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
            // Trailers are a header that nobody judged.
            if let Some(Ok(frame)) = &frame {
                let Some(data) = frame.data_ref() else {
                    continue;
                };
                self.traffic.to_client.inc_by(data.len() as u64);
            }
            return Poll::Ready(frame);
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}
