//! A connection to what listens on a port of a sandbox: bytes both ways, within the streams' credit.
//!
//! ```text
//!   poll_write ──> one command at a time ──> outflow ──> link ══> agent ──> 127.0.0.1:port
//!   poll_read  <── inbox <── link <══ agent <── …
//! ```

use super::desk::Desk;
use super::error::LiveError;
use super::guest::Guest;
use super::inbox::Inbox;
use super::line::{Command, Line, Note};
use protocol::link::{MAX_DATA_BYTES, StreamId};
use protocol::supervisor::{
    CONNECTION_WINDOW_BYTES, HostControl, INPUT_WINDOW_BYTES, MAX_CONNECTIONS,
};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// Something under way.
type Doing<T> = Pin<Box<dyn Future<Output = Result<T, LiveError>> + Send>>;

/// Its two streams.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streams {
    pub(super) to_guest: StreamId,
    pub(super) to_host: StreamId,
}

/// How far each direction may be ahead of who takes it, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows {
    pub(super) to_guest: u32,
    pub(super) to_host: u32,
}

/// A connection that the guest has not answered for, and its answer.
pub(super) type Connecting = (Held, oneshot::Receiver<Result<(), LiveError>>);

/// What of a connection has to be given back.
#[derive(Debug)]
pub(super) struct Held {
    streams: Streams,
    inbox: Arc<Inbox>,
    notes: UnboundedSender<Note>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.notes.send(Note::Disconnect(self.streams));
    }
}

/// Whether more is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    No,
    /// The end was said.
    Said,
    /// The other end takes no more. What it has to say to that may be on its way, so nobody is told: it goes nowhere.
    Refused,
}

/// An open connection. Dropped, it is closed in the guest, too. Shut down, the other end reads an end and may still
/// answer.
pub struct Connection {
    held: Held,
    line: Line,
    /// Came, from `at` on not handed out.
    came: Vec<u8>,
    at: usize,
    taking: Option<Doing<Option<Vec<u8>>>>,
    sending: Option<Doing<()>>,
    over: Over,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Connection")
            .field(&self.held.streams)
            .finish()
    }
}

impl Guest {
    /// Connects to what listens on a port of the sandbox's loopback address. It may take as long as the guest likes: who
    /// does not wait drops this, and the guest hears of it. [`LiveError::NotConnected`]: nothing listens.
    pub async fn connect(&self, port: u16) -> Result<Connection, LiveError> {
        let place = self.connections.clone().try_acquire_owned();
        let place = place.map_err(|_| too_many())?;
        let (held, connected) = self
            .ask(|reply| Command::Connect { port, place, reply })
            .await?;
        connected.await.unwrap_or_else(|_| Err(self.line.gone()))?;
        Ok(Connection::open(held, self.line.clone()))
    }
}

fn too_many() -> LiveError {
    LiveError::TooMany {
        what: "connections to ports",
        max: MAX_CONNECTIONS,
    }
}

impl Desk {
    pub(super) fn connect(
        &mut self,
        port: u16,
        place: OwnedSemaphorePermit,
    ) -> Result<Connecting, LiveError> {
        let link = &self.link;
        // Those that were left are open until the guest says so.
        if self.expected.connections.count(|it| link.is_open(it)) >= 2 * MAX_CONNECTIONS {
            return Err(too_many());
        }
        let streams = self.free_streams();
        let Streams { to_guest, to_host } = streams;
        self.say(&HostControl::Connect {
            port,
            to_guest,
            to_host,
        })?;
        self.expected.connections.add(to_host);
        let (tell, told) = oneshot::channel();
        self.connecting.insert(to_host, tell);
        let windows = Windows {
            to_guest: INPUT_WINDOW_BYTES,
            to_host: CONNECTION_WINDOW_BYTES,
        };
        Ok((self.hold(streams, windows, place), told))
    }

    /// Names for both directions of a connection.
    pub(super) fn free_streams(&mut self) -> Streams {
        Streams {
            to_guest: self.free_stream(),
            to_host: self.free_stream(),
        }
    }

    /// Opens both, after the message that names them to the guest.
    pub(super) fn hold(
        &mut self,
        streams: Streams,
        windows: Windows,
        place: OwnedSemaphorePermit,
    ) -> Held {
        let Streams { to_guest, to_host } = streams;
        self.link.open_outgoing_granted(to_guest, windows.to_guest);
        self.outflows.open(to_guest);
        self.link.open_incoming(to_host, windows.to_host);
        let inbox = Arc::new(Inbox::default());
        self.inboxes.insert(to_host, inbox.clone());
        Held {
            streams,
            inbox,
            notes: self.notes.clone(),
            _place: place,
        }
    }

    pub(super) fn connected(&mut self, to_host: StreamId, told: Result<(), LiveError>) {
        if let Some(waits) = self.connecting.remove(&to_host) {
            // Who went away meanwhile has said so.
            let _ = waits.send(told);
        }
    }

    pub(super) fn disconnect(&mut self, streams: Streams) {
        let Streams { to_guest, to_host } = streams;
        self.connecting.remove(&to_host);
        self.inboxes.remove(&to_host);
        self.expected.connections.leave(to_host);
        self.link.refuse(to_host);
        self.outflows.stop(to_guest, &mut self.link);
    }
}

fn broken(error: LiveError) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, error)
}

impl Connection {
    /// One that both ends have.
    pub(super) fn open(held: Held, line: Line) -> Connection {
        Connection {
            held,
            line,
            came: Vec::new(),
            at: 0,
            taking: None,
            sending: None,
            over: Over::No,
        }
    }

    /// Waits until what was handed over is on the link.
    fn poll_sent(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(sending) = &mut self.sending {
            let sent = ready!(sending.as_mut().poll(context));
            self.sending = None;
            match sent {
                Err(LiveError::StdinClosed) => self.over = Over::Refused,
                sent => sent.map_err(broken)?,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.at == this.came.len() {
            let inbox = &this.held.inbox;
            let taking = this.taking.get_or_insert_with(|| {
                let inbox = inbox.clone();
                Box::pin(async move { inbox.take().await })
            });
            let taken = ready!(taking.as_mut().poll(context));
            this.taking = None;
            (this.came, this.at) = (taken.map_err(broken)?.unwrap_or_default(), 0);
        }
        let count = buffer.remaining().min(this.came.len() - this.at);
        buffer.put_slice(&this.came[this.at..this.at + count]);
        this.at += count;
        let used = Note::Used(this.held.streams.to_host, count);
        let _ = this.held.notes.send(used);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_sent(context))?;
        match self.over {
            Over::No => {}
            Over::Said => return Poll::Ready(Err(broken(LiveError::StdinClosed))),
            Over::Refused => return Poll::Ready(Ok(bytes.len())),
        }
        let bytes = bytes[..bytes.len().min(MAX_DATA_BYTES)].to_vec();
        let (count, line, stream) = (bytes.len(), self.line.clone(), self.held.streams.to_guest);
        let send = async move {
            let command = |reply| Command::Send {
                stream,
                bytes,
                reply,
            };
            line.ask(command).await
        };
        self.sending = Some(Box::pin(send));
        // It is taken; that it gets on its way, and whether it can, is seen by the next call.
        if let Poll::Ready(Err(error)) = self.poll_sent(context) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_sent(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_sent(context))?;
        if self.over == Over::No {
            self.over = Over::Said;
            let (line, stream) = (self.line.clone(), self.held.streams.to_guest);
            let finish = async move { line.tell(Command::FinishSending { stream }).await };
            self.sending = Some(Box::pin(finish));
        }
        self.poll_sent(context)
    }
}
