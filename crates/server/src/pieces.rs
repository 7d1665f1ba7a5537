//! An answer's JSON. A small one is written at once; a large one piece by piece, as its client takes it, by
//! a thread that waits for the client: what is in memory of it is a few pieces, not the whole. Its job keeps
//! its place until then, which bounds these threads.

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::io::{BufWriter, Error, ErrorKind, Result, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Up to here there is only one piece.
const SMALL_BYTES: usize = 64 * 1024;
/// Bytes of a piece.
const PIECE_BYTES: usize = 64 * 1024;
/// Pieces that are written ahead of the client.
const PIECES_AHEAD: usize = 2;

/// An answer with this as its JSON.
pub struct JsonAnswer<T>(pub T);

impl<T: Serialize + Send + 'static> IntoResponse for JsonAnswer<T> {
    fn into_response(self) -> Response {
        let Measured { length, small } = Measured::of(&self.0);
        let body = match length <= SMALL_BYTES as u64 {
            true => Body::from(small),
            false => {
                let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
                spawn_writer(self.0, sender, Lines::AsTheyAre);
                Body::new(Pieces {
                    pieces,
                    left: length,
                })
            }
        };
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}

/// What becomes of line breaks between a JSON text's values (those in a text are escaped).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// They stay.
    AsTheyAre,
    /// They are left out: an event of one line is read by every client.
    Joined,
}

/// A value's JSON written once: its length, and all of it where it is small.
#[derive(Default)]
struct Measured {
    length: u64,
    small: Vec<u8>,
}

impl Measured {
    fn of(value: &impl Serialize) -> Measured {
        let mut measured = Measured::default();
        // An error of the value's own is met again where a large one is written.
        let _ = serde_json::to_writer(&mut measured, value);
        measured
    }
}

impl Write for Measured {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.length += bytes.len() as u64;
        match self.length <= SMALL_BYTES as u64 {
            true => self.small.extend_from_slice(bytes),
            false => self.small = Vec::new(),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Sends the value's JSON in pieces, from a thread of its own, until it is whole or nobody takes it.
pub fn spawn_writer<T: Serialize + Send + 'static>(
    value: T,
    sender: mpsc::Sender<Bytes>,
    lines: Lines,
) -> JoinHandle<()> {
    tokio::task::spawn_blocking(move || {
        let mut writer = BufWriter::with_capacity(PIECE_BYTES, Sending { sender, lines });
        let written = serde_json::to_writer(&mut writer, &value);
        if let Err(error) = written.map_err(Error::from).and_then(|()| writer.flush()) {
            tracing::debug!(%error, "an answer was not taken to its end");
        }
    })
}

struct Sending {
    sender: mpsc::Sender<Bytes>,
    lines: Lines,
}

impl Write for Sending {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let piece = match self.lines {
            Lines::AsTheyAre => Bytes::copy_from_slice(bytes),
            Lines::Joined => {
                let joined = bytes.iter().filter(|byte| !matches!(byte, b'\n' | b'\r'));
                joined.copied().collect()
            }
        };
        let gone = |_| Error::from(ErrorKind::BrokenPipe);
        self.sender.blocking_send(piece).map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Pieces of a known length together.
struct Pieces {
    pieces: mpsc::Receiver<Bytes>,
    left: u64,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>>>> {
        self.pieces.poll_recv(context).map(|piece| match piece {
            Some(piece) => {
                self.left = self.left.saturating_sub(piece.len() as u64);
                Some(Ok(hyper::body::Frame::data(piece)))
            }
            None if self.left > 0 => Some(Err(ErrorKind::UnexpectedEof.into())),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::written::Text;
    use http_body_util::BodyExt as _;

    #[tokio::test]
    async fn small_and_large_answers_are_whole_and_of_the_length_told() {
        for bytes in [0, SMALL_BYTES, SMALL_BYTES * 10 + 7] {
            let text = || Text::from(vec![b'\x01'; bytes]);
            let body = JsonAnswer(text()).into_response().into_body();
            let told = hyper::body::Body::size_hint(&body).exact();
            let seen = body.collect().await.unwrap().to_bytes();
            assert_eq!(seen, serde_json::to_vec(&text()).unwrap());
            assert_eq!(told, Some(seen.len() as u64));
        }
    }

    #[tokio::test]
    async fn a_client_that_goes_ends_the_writing() {
        let (sender, mut pieces) = mpsc::channel(1);
        let watch = sender.clone();
        spawn_writer(
            Text::from(vec![b'a'; PIECE_BYTES * 20]),
            sender,
            Lines::Joined,
        );
        pieces.recv().await.unwrap();
        drop(pieces);
        watch.closed().await;
    }
}
