//! A stream of which something was looked at: what was read comes again.

use crate::wire::head::{HeadProgress, HeadReader};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// Bytes read at once.
const PIECE_BYTES: usize = 16 * 1024;

/// A stream, and what of it was read and not used.
#[derive(Debug)]
pub struct Held<S> {
    bytes: Vec<u8>,
    /// What lies before it was used.
    start: usize,
    stream: S,
}

impl<S: AsyncRead + Unpin> Held<S> {
    /// Of which nothing was read.
    pub fn new(stream: S) -> Held<S> {
        Held {
            bytes: Vec::new(),
            start: 0,
            stream,
        }
    }

    /// Reads more, and keeps it; empty at the end. Cancel-safe.
    pub async fn peek_more(&mut self) -> io::Result<&[u8]> {
        let mut piece = [0; PIECE_BYTES];
        let count = self.stream.read(&mut piece).await?;
        let before = self.bytes.len();
        self.bytes.extend_from_slice(&piece[..count]);
        Ok(&self.bytes[before..])
    }

    /// What was read and not used.
    pub fn held(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Reads on to the end of the head that it begins with, of at most so many bytes; `Incomplete`: it ended before that.
    pub async fn head(&mut self, most: usize) -> HeadProgress {
        let mut reader = HeadReader::new(most);
        let mut progress = reader.feed(self.held());
        while progress == HeadProgress::Incomplete {
            match self.peek_more().await {
                Ok(piece) if !piece.is_empty() => progress = reader.feed(piece),
                _ => break,
            }
        }
        progress
    }

    /// So much of it is used.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.bytes.len());
        if self.start == self.bytes.len() {
            self.bytes = Vec::new();
            self.start = 0;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Held<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let held = self.held();
        if held.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let count = held.len().min(buffer.remaining());
        buffer.put_slice(&held[..count]);
        self.consume(count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Held<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_looked_at_comes_again() {
        let mut held = Held::new(&b"abcdef"[..]);
        assert_eq!(held.peek_more().await.unwrap(), b"abcdef");
        held.consume(2);
        assert_eq!(held.held(), b"cdef");
        let mut rest = String::new();
        held.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "cdef");
        assert!(held.peek_more().await.unwrap().is_empty());
    }
}
