//! Whether one request may go out, and what is put into it.

use super::{Route, Way};
use crate::path::CanonicalPath;
use crate::policy::{Inject, Layer, Policy, Requests, Rule};
use crate::reason::Reason;
use crate::wire::authority::{Authority, Target};
use crate::wire::http1::{RequestHead, RequestTarget, Scheme};

/// A server answers it with the request itself.
const TRACE: &str = "TRACE";

/// A request that may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted<'p> {
    /// The rule that has it, by its place in [`Policy::rules`] (from 0).
    pub rule: usize,
    /// What is put into it.
    pub inject: Option<&'p Inject>,
}

/// By what a request's head says; the reason has the status of the answer.
pub fn request<'p>(
    policy: &'p Policy,
    route: &Route,
    head: &RequestHead,
) -> Result<Granted<'p>, Reason> {
    let path = path_of(route, head)?;
    if !is_target(route, &head.host) {
        return Err(Reason::HostMismatch);
    }
    let mut refusal = Reason::MethodNotAllowed;
    for &place in &route.rules {
        let Some(rule) = policy.rules().get(place) else {
            continue;
        };
        match judge(rule, &head.method, path) {
            Ok(()) => return granted(route, (place, rule), head),
            // What came nearest to being allowed is what is told.
            Err(Reason::MethodNotAllowed) => {}
            Err(reason) => refusal = reason,
        }
    }
    Err(refusal)
}

/// The path that was asked for; `None` for `*`, which is none.
fn path_of<'h>(route: &Route, head: &'h RequestHead) -> Result<Option<&'h str>, Reason> {
    match &head.target {
        RequestTarget::Origin(path) => Ok(Some(path)),
        RequestTarget::Asterisk => Ok(None),
        RequestTarget::Absolute {
            scheme,
            authority,
            path,
        } => {
            let meant = match route.way {
                Way::Http => Scheme::Http,
                Way::Bytes | Way::Tls | Way::OpenTls => Scheme::Https,
            };
            let port = authority.port.unwrap_or(scheme.port());
            let same = *scheme == meant && port == route.port && is_name(route, authority);
            same.then_some(Some(path.as_str()))
                .ok_or(Reason::TargetMismatch)
        }
    }
}

/// A Host without a port is for the port that it came to.
fn is_target(route: &Route, authority: &Authority) -> bool {
    is_name(route, authority) && authority.port.is_none_or(|port| port == route.port)
}

fn is_name(route: &Route, authority: &Authority) -> bool {
    matches!(&authority.host, Target::Name(name) if *name == route.name)
}

fn judge(rule: &Rule, method: &str, path: Option<&str>) -> Result<(), Reason> {
    let Layer::Requests(Requests { methods, paths, .. }) = &rule.layer else {
        return Ok(());
    };
    if !methods.is_empty() && !methods.iter().any(|listed| listed == method) {
        return Err(Reason::MethodNotAllowed);
    }
    if paths.is_empty() {
        return Ok(());
    }
    let path = CanonicalPath::parse(path.ok_or(Reason::PathNotAllowed)?)
        .map_err(|_| Reason::PathAmbiguous)?;
    let listed = paths.iter().any(|glob| glob.matches(&path));
    listed.then_some(()).ok_or(Reason::PathNotAllowed)
}

fn granted<'p>(
    route: &Route,
    (rule, found): (usize, &'p Rule),
    head: &RequestHead,
) -> Result<Granted<'p>, Reason> {
    // A policy that would send it in clear is refused at load; this holds also for whoever builds a route otherwise.
    let inject = found.inject().filter(|_| route.way == Way::OpenTls);
    match inject.is_some() && head.method == TRACE {
        true => Err(Reason::MethodNotAllowed),
        false => Ok(Granted { rule, inject }),
    }
}
