//! What listens on a port of a sandbox (`get_host`): requests that name one are passed on to it, and its answers back.
//!
//! ```text
//!   request ─> names a port? no ─> the routes
//!                 │ yes: ports = true? framing and names plain? sandbox there? token right?      [`address`](super::address)
//!                 v
//!   its head, rewritten ──> a connection into the sandbox ──> HTTP/1.1 ──> the head of the answer, rewritten
//!   its body, as it comes ─────────────────────────────────>           <── its body, as it comes
//!                                 101: both connections become one      [`upgrade`]
//! ```
//!
//! Nothing of either side is believed: heads are bounded and parsed by hyper before anything is passed on, what frames
//! a message is made anew, and no answer of a sandbox has the standing of one of the service's own (see [`answer`]).

pub mod answer;
pub mod body;
pub mod head;
pub mod refused;
pub mod upgrade;
pub mod used;

use super::address::{Address, Addressed, NamedBy};
use super::error::AsE2b;
use crate::app::App;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::table::UsedSandbox;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use body::FromClient;
use head::Wish;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use refused::PortRefused;
use sandbox::live::{Connection, LiveError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

/// How long a connection to what listens may take: it is on the same machine.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// How long an answer's head may take from the request's on.
const HEAD_PATIENCE: Duration = Duration::from_secs(120);
/// Header fields of an answer, and their bytes with its first line, at most: what a client may send, too.
const MAX_HEADERS: usize = 100;
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// Says of an answer that it comes from a sandbox, below a host name of that sandbox's own.
#[derive(Debug, Clone, Copy)]
pub struct OfItsOwnOrigin;

/// Says of an answer that it is one to a request for a port.
#[derive(Debug, Clone, Copy)]
pub struct OfAPort;

/// Takes requests that name a sandbox's port out of the way of the routes.
pub async fn divert(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let config = app.config();
    let domain = config.e2b.domain.as_deref();
    let Some(address) = Address::of(request.headers(), domain).filter(Address::is_a_port) else {
        return next.run(request).await;
    };
    let answer = pass_on(&app, &address, request).await;
    let mut answer = answer.unwrap_or_else(IntoResponse::into_response);
    answer.extensions_mut().insert(OfAPort);
    answer
}

async fn pass_on(app: &Arc<App>, address: &Address, request: Request) -> Result<Response, Refused> {
    if !app.config().e2b.ports {
        return Err(Refused::ByUs(AsE2b(off())));
    }
    let (mut parts, body) = request.into_parts();
    head::check(&parts, app.config().e2b.domain.as_deref()).map_err(AsE2b)?;
    let used = Addressed::at(&parts, app, address).await?.used;
    let port = Port {
        number: address.port,
        named_by: address.named_by,
    };
    let traffic = used::traffic(&used, port.number);
    let connection = connected(&used, port).await?;
    let wish = Wish::of(&mut parts);
    let asked = head::to_guest(parts, app, (port, wish.as_ref()));
    let body = FromClient::of(body, app.config().http.body_timeout(), traffic.clone());
    let (answer, task) = ask(connection, asked.map(|()| body), (&used, port)).await?;
    let id = used.slot.id.clone();
    let passed = answer::to_client(answer, (port, wish), ((used, task), traffic));
    passed.map_err(|why| Refused::ByGuest(PortRefused::new(&id, port.number, why)))
}

/// The port that is meant, and how that was said.
#[derive(Debug, Clone, Copy)]
pub struct Port {
    /// Its number.
    pub number: u16,
    /// By what.
    pub named_by: NamedBy,
}

/// Connects, for a while.
async fn connected(used: &UsedSandbox, port: Port) -> Result<Connection, Refused> {
    let by_guest = |why| Refused::ByGuest(PortRefused::new(&used.slot.id, port.number, why));
    match timeout(CONNECT_PATIENCE, used.live.connect(port.number)).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(LiveError::NotConnected { .. })) => Err(by_guest(refused::Why::Closed)),
        Ok(Err(error)) => Err(AsE2b(super::envd::problem(used, error)).into()),
        Err(_) => Err(by_guest(refused::Why::DoesNotAccept)),
    }
}

/// Sends a request and waits for the head of its answer. The task moves the bytes for as long as it is held.
async fn ask(
    connection: Connection,
    request: hyper::Request<FromClient>,
    (used, port): (&UsedSandbox, Port),
) -> Result<(hyper::Response<hyper::body::Incoming>, Moving), Refused> {
    let by_guest = |why| Refused::ByGuest(PortRefused::new(&used.slot.id, port.number, why));
    let shook = http1::Builder::new()
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .handshake(TokioIo::new(connection))
        .await;
    let (mut sender, moving) = shook.map_err(|error| by_guest(refused::Why::of(&error)))?;
    let task = AbortOnDropHandle::new(tokio::spawn(async move {
        if let Err(error) = moving.with_upgrades().await {
            tracing::debug!(%error, "a connection to a port ended");
        }
    }));
    match timeout(HEAD_PATIENCE, sender.send_request(request)).await {
        Ok(Ok(answer)) => Ok((answer, task)),
        Ok(Err(error)) => Err(by_guest(refused::Why::of(&error))),
        Err(_) => Err(by_guest(refused::Why::Silent)),
    }
}

/// What moves a connection's bytes.
type Moving = AbortOnDropHandle<()>;
/// What an answer holds until it is out.
type Held = (UsedSandbox, Moving);

fn off() -> Problem {
    let sentence = "the ports of sandboxes cannot be reached here: the service's [server.e2b] does not say ports = true";
    Problem::with(HttpCode::Forbidden, sentence)
}

/// Why a request got no answer of a sandbox.
enum Refused {
    /// It was not passed on.
    ByUs(AsE2b),
    /// Nothing in the sandbox answered it, or not as it has to be.
    ByGuest(PortRefused),
}

impl From<AsE2b> for Refused {
    fn from(refused: AsE2b) -> Refused {
        Refused::ByUs(refused)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            // What is left of the body is not read.
            Refused::ByUs(AsE2b(problem)) => AsE2b(problem.close()).into_response(),
            Refused::ByGuest(refused) => refused.into_response(),
        }
    }
}
