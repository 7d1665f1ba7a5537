//! The decision, pure: whether a connection may be made, what is looked at in it, and whether a request may go out.
//!
//! ```text
//! lookup ─ connection ┬ Way::Bytes ──────────────── bytes pass
//!                     ├ Way::Tls ────── hello ───── bytes pass
//!                     ├ Way::OpenTls ── hello ──┐
//!                     └ Way::Http ──────────────┴── request, each anew
//! ```
//!
//! Which rules count for a connection: of those whose host matches its name and that have its port, all that share the
//! most exact host (`api.example.com` before `*.example.com`, and that before `*.com.example`). So a rule for one name
//! narrows what a wildcard says of it. Of those the first that has a request's method and path is the one whose header
//! is injected.

mod request;

pub use request::{Granted, request};

use crate::name::HostName;
use crate::policy::{HTTP_PORT, Layer, MAX_STREAMS, Policy, Rule};
use crate::reason::Reason;
use crate::wire::authority::Target;
use crate::wire::tls_hello::{Hello, Sni};

/// What a guest has used of its policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Connections that it made, those that are over included.
    pub connections: u64,
    /// Connections that are open.
    pub open: u32,
    /// Bytes that moved, both ways.
    pub bytes: u64,
}

/// A connection that a guest wants.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// To where; of an address that was made up the name that it stands for.
    pub target: &'a Target,
    /// The port.
    pub port: u16,
    /// What was used before it.
    pub used: Used,
}

/// What is decided of a connection before anything is resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be made, if its address is public.
    Go(Route),
    /// It is refused.
    Refuse(Reason),
}

/// A connection that may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// To this name: what is resolved, what SNI, Host and the certificate must say.
    pub name: HostName,
    /// To this port.
    pub port: u16,
    /// What is looked at in it.
    pub way: Way,
    /// The rules that count, by their place in [`Policy::rules`] (from 0), at least one.
    pub rules: Vec<usize>,
}

/// What is looked at in a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// Nothing.
    Bytes,
    /// The TLS hello; what follows passes.
    Tls,
    /// The TLS hello, then each request: TLS is opened, and spoken anew to the host.
    OpenTls,
    /// Each request, without TLS.
    Http,
}

/// What becomes of a connection after its hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVerdict {
    /// Its bytes pass, the hello first.
    PassThrough,
    /// It is answered with a certificate of the VM's own CA, and HTTP/1.1 is what is spoken.
    Open,
}

/// Whether a name gets an address at all. Nothing is asked upstream for this.
pub fn lookup(policy: &Policy, name: &HostName) -> Result<(), Reason> {
    let listed = policy.rules().iter().any(|rule| rule.host.matches(name));
    listed.then_some(()).ok_or(Reason::HostNotListed)
}

/// By name and port, before anything is resolved.
pub fn connection(policy: &Policy, attempt: &Attempt<'_>) -> Verdict {
    route(policy, attempt).map_or_else(Verdict::Refuse, Verdict::Go)
}

fn route(policy: &Policy, attempt: &Attempt<'_>) -> Result<Route, Reason> {
    let Target::Name(name) = attempt.target else {
        return Err(Reason::AddressLiteral);
    };
    lookup(policy, name)?;
    let port = attempt.port;
    let counts = |rule: &Rule| rule.host.matches(name) && rule.ports.contains(&port);
    let matching = || {
        policy
            .rules()
            .iter()
            .enumerate()
            .filter(|(_, rule)| counts(rule))
    };
    let (_, most_exact) = matching()
        .max_by_key(|(_, rule)| rule.host.precision())
        .ok_or(Reason::PortNotListed)?;
    within_budget(policy, attempt.used)?;
    let rules = matching()
        .filter(|(_, rule)| rule.host == most_exact.host)
        .map(|(place, _)| place);
    Ok(Route {
        name: name.clone(),
        port,
        // Rules of one host and port look equally far: others are refused at load.
        way: way(&most_exact.layer, port),
        rules: rules.collect(),
    })
}

fn way(layer: &Layer, port: u16) -> Way {
    match layer {
        Layer::Bytes => Way::Bytes,
        Layer::Hello | Layer::Requests(_) if port == HTTP_PORT => Way::Http,
        Layer::Hello => Way::Tls,
        Layer::Requests(_) => Way::OpenTls,
    }
}

fn within_budget(policy: &Policy, used: Used) -> Result<(), Reason> {
    let bounds = [
        (
            u64::from(used.open),
            u64::from(MAX_STREAMS),
            Reason::TooManyStreams,
        ),
        (
            used.connections,
            policy.max_connections(),
            Reason::ConnectionBudget,
        ),
        (used.bytes, policy.max_bytes(), Reason::ByteBudget),
    ];
    let over = bounds.iter().find(|(used, most, _)| used >= most);
    over.map_or(Ok(()), |(_, _, reason)| Err(*reason))
}

/// By what the TLS hello says.
pub fn hello(route: &Route, hello: &Hello) -> Result<TlsVerdict, Reason> {
    if hello.encrypted {
        return Err(Reason::HelloEncrypted);
    }
    match &hello.sni {
        Sni::Missing => return Err(Reason::SniMissing),
        Sni::Name(name) if *name == route.name => {}
        Sni::Name(_) | Sni::Invalid(_) => return Err(Reason::SniMismatch),
    }
    match route.way {
        Way::OpenTls if hello.alpn.is_offered && !hello.alpn.has_http1 => {
            Err(Reason::AlpnUnsupported)
        }
        Way::OpenTls => Ok(TlsVerdict::Open),
        Way::Bytes | Way::Tls => Ok(TlsVerdict::PassThrough),
        // TLS on a port whose requests are judged would pass them unseen.
        Way::Http => Err(Reason::RequestMalformed),
    }
}

#[cfg(test)]
mod tests;
