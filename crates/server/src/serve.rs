//! The listener: accepts, bounds, and drains.
//!
//! ```text
//!  accept ──> room? ──> TLS ──> HTTP/1.1: header in time ──> router ──> answer ──┐
//!                                 ^                                             │
//!                                 └──────────────── idle <──────────────────────┘
//!  shutdown: no more accepted, no more jobs taken; running ones may end, for so long; then they are ended
//! ```

use crate::app::{App, Rooms, router};
use crate::config::ServerConfig;
use crate::connections::{Connection, Connections, Room};
use crate::error::ServerError;
use crate::keys::Keys;
use crate::{descriptors, systemd, tls};
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tower::ServiceExt as _;

/// How long accepting pauses after it failed (no descriptor is left): closing ones give some back.
const AFTER_ACCEPT_FAILED: Duration = Duration::from_millis(50);

/// How long VMs may take to go away at the end.
const CLOSE_PATIENCE: Duration = Duration::from_secs(15);

/// Header fields of one request at most, and their bytes.
const MAX_HEADERS: usize = 100;
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// Listens where the configuration says.
pub async fn listen(config: &ServerConfig) -> Result<TcpListener, ServerError> {
    TcpListener::bind(config.listen)
        .await
        .map_err(ServerError::Listener)
}

/// Serves until `shutdown` resolves, then drains and closes the sandbox.
pub async fn serve(
    config: ServerConfig,
    rooms: Rooms,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServerError> {
    let address = listener.local_addr().map_err(ServerError::Listener)?;
    let keys = Keys::open(config.keys_file.as_deref(), config.key_defaults)?;
    if keys.is_open() && !address.ip().is_loopback() {
        return Err(ServerError::PublicWithoutKeys { address });
    }
    let acceptor = config.tls.as_ref().map(tls::acceptor).transpose()?;
    descriptors::raise_limit();
    let drain = Duration::from_secs(config.drain_seconds);
    let app = App::new(config, rooms, keys);
    let server = Server {
        router: router(app.clone()),
        connections: Connections::new(descriptors::connections(app.config.http.connections)),
        acceptor,
        tasks: TaskTracker::new(),
        abort: CancellationToken::new(),
        app,
    };
    tracing::info!(%address, tls = server.acceptor.is_some(), open = server.app.open, "serving");
    // Until the very end: a drain may take longer than the interval that systemd allows.
    let _watchdog = AbortOnDropHandle::new(tokio::spawn(systemd::watchdog()));
    systemd::ready();
    tokio::select! {
        () = server.accept(&listener) => {}
        () = crate::sessions::table::end_those_over(&server.app) => {}
        () = shutdown => {}
    }
    // No new connection is even queued by the kernel from here on.
    drop(listener);
    systemd::stopping(drain + CLOSE_PATIENCE);
    server.drain(drain).await;
    Ok(())
}

struct Server {
    app: Arc<App>,
    router: Router,
    connections: Arc<Connections>,
    acceptor: Option<TlsAcceptor>,
    tasks: TaskTracker,
    /// Ends connections that outstay the drain.
    abort: CancellationToken,
}

impl Server {
    async fn accept(&self, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => self.take_in(stream, peer),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(AFTER_ACCEPT_FAILED).await;
                }
            }
        }
    }

    fn take_in(&self, stream: TcpStream, peer: SocketAddr) {
        let Some((connection, room)) = self.connections.open() else {
            tracing::warn!(%peer, "all connections are at work; a new one was closed");
            return;
        };
        let http = &self.app.http;
        if room == Room::Evicted {
            http.connections_evicted.inc();
        }
        http.connections.set(self.connections.count() as i64);
        // Answers are small and wanted at once; a socket that refuses the option works without.
        let _ = stream.set_nodelay(true);
        let gauge = (http.connections.clone(), self.connections.clone());
        let talk = Talk {
            router: self.router.clone(),
            connection: Arc::new(connection),
            header_timeout: self.app.config.http.header_timeout(),
            draining: self.app.draining.clone(),
        };
        let (acceptor, abort) = (self.acceptor.clone(), self.abort.clone());
        self.tasks.spawn(async move {
            let stop = talk.connection.stop.clone();
            tokio::select! {
                () = talk.talk(stream, acceptor) => {}
                () = stop.cancelled() => {}
                () = abort.cancelled() => {}
            }
            gauge.0.set(gauge.1.count() as i64);
        });
    }

    async fn drain(self, patience: Duration) {
        self.app.draining.cancel();
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("jobs were still running when the service stopped; they are ended");
            self.abort.cancel();
            self.tasks.wait().await;
        }
        // No connection is left, so nobody uses a session any more.
        self.app.sessions.close().await;
        self.app.rooms.sandbox.close(CLOSE_PATIENCE).await;
    }
}

/// What one connection's task needs.
struct Talk {
    router: Router,
    connection: Arc<Connection>,
    header_timeout: Duration,
    draining: CancellationToken,
}

impl Talk {
    async fn talk(self, stream: TcpStream, acceptor: Option<TlsAcceptor>) {
        match acceptor {
            None => self.http(stream).await,
            Some(acceptor) => {
                let handshake = acceptor.accept(stream);
                match tokio::time::timeout(self.header_timeout, handshake).await {
                    Ok(Ok(stream)) => self.http(stream).await,
                    Ok(Err(error)) => tracing::debug!(%error, "no TLS connection came about"),
                    Err(_) => tracing::debug!("a TLS handshake took too long"),
                }
            }
        }
    }

    async fn http(self, stream: impl AsyncRead + AsyncWrite) {
        let (router, connection) = (self.router, self.connection);
        // A client that asks and then does not take its answer would stay at work for ever.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.header_timeout));
        let stream = Box::pin(stream);
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let at_work = connection.at_work();
            let answer = router.clone().oneshot(request.map(Body::new));
            async move {
                let answer = answer.await?;
                // At work until the last byte of the body is out, or nobody takes it any more.
                Ok::<_, std::convert::Infallible>(answer.map(|body| Tracked {
                    body,
                    _at_work: at_work,
                }))
            }
        });
        let http = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEADER_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let mut http = std::pin::pin!(http);
        let ended = tokio::select! {
            ended = http.as_mut() => ended,
            () = self.draining.cancelled() => {
                http.as_mut().graceful_shutdown();
                http.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended");
        }
    }
}

/// A body that keeps its connection marked as at work.
struct Tracked {
    body: Body,
    _at_work: crate::connections::AtWork,
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
