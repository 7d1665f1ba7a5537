//! One connection, from its first byte to its last.
//!
//! ```text
//!  TLS ──> HTTP/1.1: header in time ──> router ──> answer has its room ──> all of it is out ──┐
//!            ^                            │ client gone: its job ends                        │
//!            └────────────────────────── idle <──────────────────────────────────────────────┤
//!                                                     another protocol, to the end: [`Instead`] <┘
//! ```

mod plain;

use crate::app::App;
use crate::connections::{AtWork, Connection};
use crate::memory::Held;
use crate::outlet::{Outgoing, Outlet, UntilOut};
use crate::peer::Peer;
use axum::Router;
use axum::body::Body;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

/// From a client's leaving to its request's end, where hyper does not see it leave. One that only closes
/// its own half may still get an answer that is ready.
const AFTER_LEAVING: Duration = Duration::from_millis(250);

/// Header fields of one request at most, and their bytes.
const MAX_HEADERS: usize = 100;
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// What a connection does once its client and a handler have agreed on another protocol. It goes with the answer that
/// says so, among its extensions.
#[derive(Clone)]
pub struct Instead(Arc<Mutex<Option<BoxFuture<'static, ()>>>>);

impl Instead {
    /// Does this, to its end.
    pub fn new(work: impl Future<Output = ()> + Send + 'static) -> Instead {
        Instead(Arc::new(Mutex::new(Some(work.boxed()))))
    }

    fn take(&self) -> Option<BoxFuture<'static, ()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What one connection's task needs.
pub struct Talk {
    /// The routes.
    pub router: Router,
    /// Its row in the table.
    pub connection: Arc<Connection>,
    /// Who is at the other end.
    pub address: SocketAddr,
    /// What requests share.
    pub app: Arc<App>,
}

impl Talk {
    /// Talks until either side ends it.
    pub async fn talk(self, stream: TcpStream, acceptor: Option<TlsAcceptor>) {
        let peer = Peer::of(&stream);
        let connection = self.connection.clone();
        let left = async {
            match &peer {
                Ok(peer) => leaves_at_work(peer, &connection).await,
                // No descriptor is left: hyper sees most of those who leave.
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            // Answers first: one that is ready goes out.
            biased;
            () = self.encrypted_or_not(stream, acceptor) => {}
            () = left => tracing::debug!("a client left in the middle of its request"),
        }
    }

    async fn encrypted_or_not(self, stream: TcpStream, acceptor: Option<TlsAcceptor>) {
        match acceptor {
            None => self.http(stream).await,
            Some(acceptor) => {
                let patience = self.app.config().http.header_timeout();
                let begun = tokio::time::timeout(patience, plain::is_spoken(&stream));
                if begun.await.unwrap_or(false) {
                    return plain::refuse(stream, patience).await;
                }
                let handshake = acceptor.accept(stream);
                match tokio::time::timeout(patience, handshake).await {
                    Ok(Ok(stream)) => self.http(stream).await,
                    Ok(Err(error)) => tracing::debug!(%error, "no TLS connection came about"),
                    Err(_) => tracing::debug!("a TLS handshake took too long"),
                }
            }
        }
    }

    async fn http(self, stream: impl AsyncRead + AsyncWrite + Send + 'static) {
        let (router, connection, app) = (self.router, self.connection, self.app);
        let bounds = app.config().http.clone();
        // A client that asks and then does not take its answer would stay at work for ever.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(bounds.header_timeout()));
        let outgoing = Arc::new(Outgoing::default());
        let stream = Outlet::new(Box::pin(stream), outgoing.clone(), bounds.answer_timeout());
        let draining = app.draining.clone();
        let address = self.address;
        let after = Arc::new(Mutex::new(None));
        let instead = after.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(address);
            let at_work = connection.at_work();
            let answer = router.clone().oneshot(request.map(Body::new));
            let (app, outgoing) = (app.clone(), outgoing.clone());
            let instead = instead.clone();
            async move {
                let mut answer = answer.await?;
                if let Some(agreed) = answer.extensions_mut().remove::<Instead>() {
                    // At work for as long as that takes.
                    let work = agreed.take().map(|work| (work, at_work));
                    *instead.lock().unwrap_or_else(PoisonError::into_inner) = work;
                    return Ok(answer.map(Tracked::untracked));
                }
                let bytes = hyper::body::Body::size_hint(answer.body()).exact();
                // A job's answer has its room since before the job ran.
                let kept = answer.extensions_mut().remove::<UntilOut>();
                let held = match kept {
                    Some(_) => Held::default(),
                    None => app.memory.answer(bytes.unwrap_or(0)).await,
                };
                Ok::<_, std::convert::Infallible>(answer.map(|body| Tracked {
                    body,
                    // At work until the last byte is out, or nobody takes it any more.
                    holds: Some(Holds {
                        outgoing,
                        what: (at_work, held, kept),
                    }),
                }))
            }
        });
        let http = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(bounds.header_timeout())
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEADER_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let ended = {
            let mut http = std::pin::pin!(http);
            tokio::select! {
                ended = http.as_mut() => ended,
                () = draining.cancelled() => {
                    http.as_mut().graceful_shutdown();
                    http.await
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended");
            return;
        }
        let agreed = after.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((work, _at_work)) = agreed {
            work.await;
        }
    }
}

/// Resolves when the client is gone and a request of its is still under way.
async fn leaves_at_work(peer: &Peer, connection: &Connection) {
    peer.gone().await;
    loop {
        tokio::time::sleep(AFTER_LEAVING).await;
        if connection.is_at_work() {
            return;
        }
    }
}

/// A body that leaves behind, for as long as its bytes are on their way out, what they hold.
struct Tracked {
    body: Body,
    holds: Option<Holds>,
}

/// What an answer's bytes hold, and where that is kept until they are out.
struct Holds {
    outgoing: Arc<Outgoing>,
    what: (AtWork, Held, Option<UntilOut>),
}

impl Tracked {
    /// A body that holds nothing.
    fn untracked(body: Body) -> Tracked {
        Tracked { body, holds: None }
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        if let Some(Holds { outgoing, what }) = self.holds.take() {
            outgoing.keep(what);
        }
    }
}

impl hyper::body::Body for Tracked {
    type Data = axum::body::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        std::pin::Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}
