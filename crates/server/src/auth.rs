//! Who asks, before anything of the request's body is read.

use crate::app::App;
use crate::keys::Principal;
use crate::keys::file::Scope;
use crate::problem::{HttpCode, Problem};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// Any caller whose key counts.
#[derive(Debug, Clone)]
pub struct Caller(pub Arc<Principal>);

/// A caller that may run jobs; one request of its rate is counted.
#[derive(Debug, Clone)]
pub struct Executor(pub Arc<Principal>);

/// A caller that may look at what all keys do.
#[derive(Debug, Clone)]
pub struct Observer(pub Arc<Principal>);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        principal(&parts.headers, &parts.uri, app).map(Caller)
    }
}

impl FromRequestParts<Arc<App>> for Executor {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let principal = scoped(parts, app, Scope::Execute)?;
        match app
            .rates
            .take(&principal.id, &principal.limits, Instant::now())
        {
            Ok(()) => Ok(Executor(principal)),
            Err(wait) => {
                let seconds = wait.as_secs_f64().ceil() as u64;
                Err(Problem::new(HttpCode::RateLimited).retry_after(seconds))
            }
        }
    }
}

impl FromRequestParts<Arc<App>> for Observer {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        scoped(parts, app, Scope::Observe).map(Observer)
    }
}

fn scoped(parts: &Parts, app: &App, scope: Scope) -> Result<Arc<Principal>, Problem> {
    let principal = principal(&parts.headers, &parts.uri, app)?;
    if principal.may(scope) {
        return Ok(principal);
    }
    Err(Problem::with(
        HttpCode::Forbidden,
        match scope {
            Scope::Execute => "this key may not run jobs (scope execute)",
            Scope::Observe => "this key may not look at what other keys do (scope observe)",
        },
    ))
}

fn principal(headers: &HeaderMap, uri: &Uri, app: &App) -> Result<Arc<Principal>, Problem> {
    app.keys.refresh();
    if app.open {
        // Even when keys were added meanwhile: then they count at once.
        if app.keys.is_open() {
            local_only(headers, uri)?;
            return Ok(app.keys.local());
        }
    }
    presented(headers)
        .and_then(|key| app.keys.check(key))
        .ok_or_else(|| Problem::new(HttpCode::Unauthorized))
}

/// The key that a request carries: `Authorization: Bearer KEY` or `X-API-Key: KEY`.
fn presented(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| key.trim());
    }
    headers.get("x-api-key")?.to_str().ok().map(str::trim)
}

/// Without keys a browser is the way in: a page of another site could post to this address, or have
/// its own name resolve to it. So the request must name this host as itself, and a page must be ours.
fn local_only(headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
    let refused = || Problem::new(HttpCode::HostNotAllowed);
    let host = match headers.get(header::HOST) {
        Some(host) => host.to_str().map_err(|_| refused())?,
        None => uri
            .authority()
            .map(|authority| authority.as_str())
            .unwrap_or(""),
    };
    if !is_local_name(host) {
        return Err(refused());
    }
    match headers.get(header::ORIGIN) {
        None => Ok(()),
        Some(origin) => {
            let origin = origin.to_str().map_err(|_| refused())?;
            let own = origin
                .split_once("://")
                .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host));
            own.then_some(()).ok_or_else(refused)
        }
    }
}

/// `localhost`, or an address written as one; with or without a port.
fn is_local_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn another_sites_page_is_refused_without_keys() {
        let uri = Uri::from_static("/");
        for fine in [
            &[("host", "localhost:8080")][..],
            &[("host", "127.0.0.1")],
            &[("host", "[::1]:8080"), ("origin", "http://[::1]:8080")],
            &[("host", "LOCALHOST:1"), ("origin", "http://localhost:1")],
        ] {
            assert!(local_only(&headers(fine), &uri).is_ok(), "{fine:?}");
        }
        for wrong in [
            &[("host", "evil.example")][..],
            &[("host", "localhost.evil.example:8080")],
            &[
                ("host", "127.0.0.1:8080"),
                ("origin", "https://evil.example"),
            ],
            &[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:9")],
            &[("host", "127.0.0.1:8080"), ("origin", "null")],
            &[],
        ] {
            assert!(local_only(&headers(wrong), &uri).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_key_comes_in_either_header() {
        assert_eq!(
            presented(&headers(&[("authorization", "bearer  k")])),
            Some("k")
        );
        assert_eq!(presented(&headers(&[("x-api-key", "k")])), Some("k"));
        assert_eq!(presented(&headers(&[("authorization", "Basic k")])), None);
        assert_eq!(presented(&headers(&[])), None);
    }
}
