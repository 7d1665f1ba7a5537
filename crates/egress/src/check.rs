//! What a policy says of a URL, without resolving or connecting: for `egress check`.

use crate::decide::{self, Attempt, Route, Used, Verdict, Way};
use crate::policy::{HTTP_PORT, HTTPS_PORT, Policy};
use crate::reason::Reason;
use crate::wire::authority::Authority;
use crate::wire::http1::{self, RequestFault};

/// What a policy says of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// As it was given.
    pub url: String,
    /// The rule that lets it out, as it is counted in the policy, from 1.
    pub rule: Option<usize>,
    /// What is looked at on the way.
    pub way: Option<&'static str>,
    /// The header that is put in.
    pub injects: Option<String>,
    /// Why not; `None`: it may go.
    pub refused: Option<Reason>,
}

/// Asks the decision, in the order in which a connection does.
pub fn url(policy: &Policy, method: &str, url: &str) -> Checked {
    let mut checked = Checked {
        url: url.to_owned(),
        rule: None,
        way: None,
        injects: None,
        refused: None,
    };
    if let Err(reason) = ask(policy, method, &mut checked) {
        checked.refused = Some(reason);
    }
    checked
}

fn ask(policy: &Policy, method: &str, checked: &mut Checked) -> Result<(), Reason> {
    let (authority, port, path) = parts(&checked.url)?;
    let attempt = Attempt {
        target: &authority.host,
        port,
        used: Used::default(),
    };
    let route = match decide::connection(policy, &attempt) {
        Verdict::Go(route) => route,
        Verdict::Refuse(reason) => return Err(reason),
    };
    checked.rule = route.rules.first().map(|place| place + 1);
    checked.way = Some(looked_at(&route));
    if matches!(route.way, Way::Bytes | Way::Tls) {
        return Ok(());
    }
    let host = &route.name;
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {host}:{port}\r\n\r\n");
    let head = http1::parse(head.as_bytes()).map_err(RequestFault::reason)?;
    let granted = decide::request(policy, &route, &head)?;
    checked.rule = Some(granted.rule + 1);
    checked.injects = granted.inject.map(|inject| inject.header.clone());
    Ok(())
}

fn looked_at(route: &Route) -> &'static str {
    match route.way {
        Way::Bytes => "bytes, unseen",
        Way::Tls => "TLS, by its host's name",
        Way::OpenTls => "TLS, opened: each request",
        Way::Http => "HTTP, each request",
    }
}

/// Host, port and path.
fn parts(url: &str) -> Result<(Authority, u16, String), Reason> {
    let (port, rest) = if let Some(rest) = url.strip_prefix("https://") {
        (HTTPS_PORT, rest)
    } else if let Some(rest) = url.strip_prefix("http://") {
        (HTTP_PORT, rest)
    } else {
        (HTTPS_PORT, url)
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = Authority::parse(authority).map_err(|_| Reason::NameMalformed)?;
    let path = match path {
        "" => "/".to_owned(),
        path if path.starts_with('?') => format!("/{path}"),
        path => path.split('#').next().unwrap_or_default().to_owned(),
    };
    let port = authority.port.unwrap_or(port);
    Ok((authority, port, path))
}
