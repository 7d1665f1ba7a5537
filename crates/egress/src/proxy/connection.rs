//! One connection of a program, from its first byte to its last.
//!
//! ```text
//!   where to     a made-up address, or what is said to the proxy
//!   decide       by name and port
//!   resolve      public addresses that are not the host's own
//!   audit        before a byte goes out
//!   dial         one of those addresses
//!   look         at the TLS hello, or at each request, as far as the rule needs it
//!   carry
//! ```

use super::carry::both_ways;
use super::greet::{self, Greeted, Greeting};
use super::held::Held;
use super::meter::Meter;
use super::own;
use super::requests::{self, Judged};
use super::session::{Answer, Terms};
use crate::control::{Destination, FromProxy, Place};
use crate::decide::{self, Attempt, Route, TlsVerdict, Used, Verdict, Way};
use crate::reason::Reason;
use crate::wire::authority::Target;
use crate::wire::http1::Persistence;
use crate::wire::tls_hello::{HelloProgress, HelloReader};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;

/// How long a program may take to say where it wants to go, and a hello or a request's head to come.
pub const WORD_DEADLINE: Duration = Duration::from_secs(10);
/// How long the outside may take to answer a dial.
const DIAL_DEADLINE: Duration = Duration::from_secs(10);

/// A refusal, and where the connection was to go.
#[derive(Debug)]
pub struct Refusal {
    pub host: String,
    pub port: u16,
    pub reason: Reason,
}

/// One connection; counts as open while it is there.
pub struct Connection {
    terms: Rc<Terms>,
    /// Of its session's budget, without this one.
    used_before: Used,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.terms.budget.closed();
    }
}

impl Connection {
    /// One more.
    pub fn new(terms: Rc<Terms>) -> Connection {
        let used_before = terms.budget.used();
        terms.budget.opened();
        Connection { terms, used_before }
    }

    /// Carries it to its end; a refusal is told.
    pub async fn run(self, guest: UnixStream, to: Destination) {
        if let Err(Refusal { host, port, reason }) = self.carry(guest, to).await {
            self.terms.refused(host, port, reason);
        }
    }

    async fn carry(&self, guest: UnixStream, to: Destination) -> Result<(), Refusal> {
        let mut greeted = self.greeted(guest, to).await?;
        let place = Place {
            host: greeted.target.to_string(),
            port: greeted.port,
        };
        let refusal = |reason| Refusal {
            host: place.host.clone(),
            port: place.port,
            reason,
        };
        let reached = self.reach(&greeted, &place).await;
        greeted
            .answer(reached.as_ref().map(drop).map_err(|it| *it))
            .await;
        let (route, upstream, dialled) = reached.map_err(refusal)?;
        let meter = Meter::new(self.terms.budget.clone());
        let carried = self.look(greeted, (&route, upstream), &meter).await;
        dialled.closed(&meter);
        carried.map_err(refusal)
    }

    /// Where it wants to go.
    async fn greeted(&self, guest: UnixStream, to: Destination) -> Result<Greeted, Refusal> {
        match to {
            Destination::Address { address, port } => {
                let name = self.terms.names.borrow().name_of(address).cloned();
                let target = name.map_or(Target::Address(address), Target::Name);
                Ok(Greeted {
                    guest: Held::new(guest),
                    target,
                    port,
                    greeting: Greeting::None,
                })
            }
            Destination::Proxy => {
                let greeted = timeout(WORD_DEADLINE, greet::read(guest)).await;
                let refused = |reason| Refusal {
                    host: "proxy".to_owned(),
                    port: 0,
                    reason,
                };
                greeted
                    .unwrap_or(Err(Reason::RequestTimeout))
                    .map_err(refused)
            }
        }
    }

    /// A socket to where it may go, once that is written down.
    async fn reach(
        &self,
        greeted: &Greeted,
        place: &Place,
    ) -> Result<(Route, TcpStream, Dialled), Reason> {
        let terms = &self.terms;
        let attempt = Attempt {
            target: &greeted.target,
            port: greeted.port,
            used: self.used_before,
        };
        let route = match decide::connection(&terms.policy, &attempt) {
            Verdict::Go(route) => route,
            Verdict::Refuse(reason) => return Err(reason),
        };
        greet::suits(&greeted.greeting, &route)?;
        terms.budget.connected();
        let addresses = terms
            .shared
            .resolver
            .addresses(&route.name, &own::addresses())
            .await?;
        let mut last = Reason::UpstreamUnreachable;
        for address in addresses.into_iter().take(MAX_DIALS) {
            let dialled = self.written_down(&route, place, address).await?;
            match dial(SocketAddr::new(address, greeted.port)).await {
                Ok(socket) => return Ok((route, socket, dialled)),
                Err(reason) => {
                    dialled.closed(&Meter::new(terms.budget.clone()));
                    last = reason;
                }
            }
        }
        Err(last)
    }

    async fn written_down(
        &self,
        route: &Route,
        place: &Place,
        address: IpAddr,
    ) -> Result<Dialled, Reason> {
        let shared = &self.terms.shared;
        let (attempt, goes) = shared.attempt();
        shared.say(FromProxy::Attempt {
            attempt,
            session: self.terms.id,
            place: place.clone(),
            address,
            rule: route.rules.first().copied().unwrap_or_default(),
            opened: route.way == Way::OpenTls,
        });
        match goes.await {
            Ok(Answer::Go) => Ok(Dialled {
                terms: self.terms.clone(),
                attempt,
                since: Instant::now(),
            }),
            _ => Err(Reason::AuditUnavailable),
        }
    }

    /// Looks as far as the rule needs it, and carries.
    async fn look(
        &self,
        greeted: Greeted,
        (route, upstream): (&Route, TcpStream),
        meter: &Meter,
    ) -> Result<(), Reason> {
        let judged = Judged {
            terms: &self.terms,
            route,
            // A client of a proxy may ask for another host next.
            most: match greeted.greeting {
                Greeting::Forward => Persistence::Close,
                _ => Persistence::KeepAlive,
            },
        };
        let mut guest = greeted.guest;
        match route.way {
            Way::Bytes => both_ways(guest, upstream, meter).await,
            Way::Http => requests::carry(guest, upstream, judged, meter).await,
            Way::Tls | Way::OpenTls => {
                let verdict = hello(&mut guest, route).await?;
                match verdict {
                    TlsVerdict::PassThrough => both_ways(guest, upstream, meter).await,
                    TlsVerdict::Open => {
                        let authority = self.terms.authority.as_ref();
                        let authority = authority.ok_or(Reason::ProxyUnavailable)?;
                        // Its certificate first: nothing of the guest's is read for a host that is none.
                        let upstream = self
                            .terms
                            .shared
                            .upstream
                            .connect(&route.name, upstream)
                            .await?;
                        let server = authority
                            .server(&route.name)
                            .map_err(|_| Reason::ProxyUnavailable)?;
                        let opened =
                            timeout(WORD_DEADLINE, TlsAcceptor::from(server).accept(guest)).await;
                        let guest = opened.map_err(|_| Reason::HelloTimeout)?;
                        let guest = guest.map_err(|_| Reason::HelloMalformed)?;
                        requests::carry(Held::new(guest), upstream, judged, meter).await
                    }
                }
            }
        }
    }
}

/// Addresses of one name that are tried.
const MAX_DIALS: usize = 3;

async fn dial(to: SocketAddr) -> Result<TcpStream, Reason> {
    let dialled = timeout(DIAL_DEADLINE, TcpStream::connect(to)).await;
    let socket = dialled
        .ok()
        .and_then(Result::ok)
        .ok_or(Reason::UpstreamUnreachable)?;
    let _ = socket.set_nodelay(true);
    Ok(socket)
}

/// Reads the hello, and gives it back: what follows it goes out with it.
async fn hello(guest: &mut Held<UnixStream>, route: &Route) -> Result<TlsVerdict, Reason> {
    let mut reader = HelloReader::default();
    let deadline = Instant::now() + WORD_DEADLINE;
    loop {
        let piece = timeout_at(deadline, guest.peek_more()).await;
        let piece = piece.map_err(|_| Reason::HelloTimeout)?;
        let progress = match piece {
            Ok(piece) if !piece.is_empty() => reader.feed(piece),
            _ => return Err(Reason::NotTls),
        };
        match progress {
            HelloProgress::Incomplete => {}
            HelloProgress::Hello(hello) => return decide::hello(route, &hello),
            other => return Err(other.reason().unwrap_or(Reason::NotTls)),
        }
    }
}

/// A connection that is written down, whose end is to be told.
struct Dialled {
    terms: Rc<Terms>,
    attempt: u64,
    since: Instant,
}

impl Dialled {
    fn closed(self, meter: &Meter) {
        let (sent_bytes, received_bytes) = meter.totals();
        self.terms.shared.say(FromProxy::Closed {
            attempt: self.attempt,
            session: self.terms.id,
            sent_bytes,
            received_bytes,
            millis: self.since.elapsed().as_millis() as u64,
        });
    }
}
