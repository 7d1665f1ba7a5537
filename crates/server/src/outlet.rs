//! The way out of a connection: knows when what was handed to it has left, and ends a client that
//! takes too long over it.
//!
//! hyper drops an answer's body as soon as it has copied the last of it; 170 MB may then still wait in
//! hyper's own buffer. What an answer holds (its part of the memory, its connection's mark) is
//! therefore kept here until hyper flushes, which it does when that buffer is empty.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// What an answer keeps until its last byte is out: its job's place in the queue, the room of its bytes. It
/// goes with the answer, among its extensions.
#[derive(Clone)]
pub struct UntilOut(#[expect(dead_code, reason = "held, not looked at")] Arc<dyn Send + Sync>);

impl UntilOut {
    /// Keeps this.
    pub fn of(what: impl Send + Sync + 'static) -> UntilOut {
        UntilOut(Arc::new(what))
    }
}

/// What the answers of one connection hold until they are out.
#[derive(Default)]
pub struct Outgoing(Mutex<Vec<Box<dyn Send>>>);

impl Outgoing {
    /// Keeps this until everything that was handed to the connection by now has left.
    pub fn keep(&self, what: impl Send + 'static) {
        self.list().push(Box::new(what));
    }

    fn left(&self) {
        // Dropped outside the lock: what is dropped takes locks of its own.
        let all = std::mem::take(&mut *self.list());
        drop(all);
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<Box<dyn Send>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream whose writing is watched.
pub struct Outlet<S> {
    stream: S,
    outgoing: Arc<Outgoing>,
    patience: Duration,
    /// Runs from the first byte that is handed over to the next time that all are out.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> Outlet<S> {
    /// Watches this stream; whatever is handed over is taken within `patience`, or it is an error.
    pub fn new(stream: S, outgoing: Arc<Outgoing>, patience: Duration) -> Outlet<S> {
        Outlet {
            stream,
            outgoing,
            patience,
            deadline: None,
        }
    }

    fn in_time<T>(&mut self, context: &mut Context<'_>, done: Poll<Result<T>>) -> Poll<Result<T>> {
        if done.is_ready() {
            return done;
        }
        let deadline = self.deadline.as_mut();
        if deadline.is_some_and(|deadline| deadline.as_mut().poll(context).is_ready()) {
            let late = "the client took too long over its answer";
            return Poll::Ready(Err(Error::new(ErrorKind::TimedOut, late)));
        }
        Poll::Pending
    }

    fn begun(&mut self) {
        let patience = self.patience;
        self.deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Outlet<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Outlet<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        self.begun();
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(context, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        self.begun();
        let done = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.in_time(context, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let done = Pin::new(&mut self.stream).poll_flush(context);
        if let Poll::Ready(Ok(())) = done {
            self.deadline = None;
            self.outgoing.left();
        }
        self.in_time(context, done)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    #[tokio::test]
    async fn what_an_answer_holds_is_kept_until_it_is_flushed() {
        let (near, mut far) = duplex(16);
        let outgoing = Arc::new(Outgoing::default());
        let mut outlet = Outlet::new(near, outgoing.clone(), Duration::from_secs(60));
        let held = Arc::new(());
        outgoing.keep(held.clone());
        outlet.write_all(&[0; 16]).await.unwrap();
        assert_eq!(Arc::strong_count(&held), 2);
        far.read_exact(&mut [0; 16]).await.unwrap();
        outlet.flush().await.unwrap();
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_a_byte_now_and_then_is_ended_all_the_same() {
        let (near, mut far) = duplex(1);
        let outgoing = Arc::new(Outgoing::default());
        let mut outlet = Outlet::new(near, outgoing, Duration::from_secs(60));
        tokio::spawn(async move {
            while far.read_u8().await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let error = outlet.write_all(&[0; 1000]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_is_an_answers_and_not_a_connections() {
        let (near, mut far) = duplex(4);
        let outgoing = Arc::new(Outgoing::default());
        let mut outlet = Outlet::new(near, outgoing, Duration::from_secs(60));
        for _ in 0..10 {
            outlet.write_all(b"part").await.unwrap();
            tokio::time::sleep(Duration::from_secs(50)).await;
            far.read_exact(&mut [0; 4]).await.unwrap();
            outlet.flush().await.unwrap();
        }
    }
}
