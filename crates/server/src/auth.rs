//! Who asks, before anything of the request's body is read.

pub mod local;

use crate::app::App;
use crate::keys::Principal;
use crate::keys::file::Scope;
use crate::problem::{HttpCode, Problem};
use crate::refusals::Asker;
use crate::sandboxes::websocket;
use crate::trace;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use std::sync::Arc;
use std::time::Instant;

/// Any caller whose key counts.
#[derive(Debug, Clone)]
pub struct Caller(pub Arc<Principal>);

/// A caller that may run jobs.
#[derive(Debug, Clone)]
pub struct Executor(pub Arc<Principal>);

/// A caller that may read numbers of the whole service.
#[derive(Debug, Clone)]
pub struct Observer(pub Arc<Principal>);

/// A caller that may see what all keys do.
#[derive(Debug, Clone)]
pub struct Admin(pub Arc<Principal>);

/// A caller that may see jobs: its own (scope `run`), or everybody's (`admin`).
#[derive(Debug, Clone)]
pub struct Viewer(pub Arc<Principal>);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        in_time(parts, app).map(Caller)
    }
}

impl FromRequestParts<Arc<App>> for Executor {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        scoped(parts, app, &[Scope::Run]).map(Executor)
    }
}

impl FromRequestParts<Arc<App>> for Observer {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        scoped(parts, app, &[Scope::Observe]).map(Observer)
    }
}

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        scoped(parts, app, &[Scope::Admin]).map(Admin)
    }
}

impl FromRequestParts<Arc<App>> for Viewer {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        scoped(parts, app, &[Scope::Run, Scope::Admin]).map(Viewer)
    }
}

/// A caller that has one of these scopes.
fn scoped(parts: &Parts, app: &App, scopes: &[Scope]) -> Result<Arc<Principal>, Problem> {
    let principal = in_time(parts, app)?;
    if scopes.iter().any(|scope| principal.may(*scope)) {
        return Ok(principal);
    }
    let wanted: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let own: Vec<&str> = principal.scopes.iter().map(|own| own.as_str()).collect();
    let sentence = format!(
        "this needs a key with the scope {}; this one has {}",
        wanted.join(" or "),
        own.join(", ")
    );
    Err(Problem::with(HttpCode::Forbidden, sentence))
}

/// Who asks, when it does not ask too often: whatever it asks for, it is one request of its rate.
fn in_time(parts: &Parts, app: &App) -> Result<Arc<Principal>, Problem> {
    let principal = principal(&parts.headers, &parts.uri, app)?;
    counted(parts, app, principal)
}

/// Counts the request as one of its key's.
fn counted(parts: &Parts, app: &App, principal: Arc<Principal>) -> Result<Arc<Principal>, Problem> {
    if let Some(asker) = parts.extensions.get::<Asker>() {
        asker.is(principal.owner());
    }
    trace::key(&principal.id);
    app.usage.seen(&principal.id, &principal.name);
    let now = Instant::now();
    match app.rates.take(&principal.id, &principal.limits, now) {
        Ok(()) => Ok(principal),
        Err(wait) => {
            let seconds = wait.as_secs_f64().ceil() as u64;
            Err(Problem::new(HttpCode::RateLimited).retry_after(seconds))
        }
    }
}

/// The key with this id, for who shows the token of a sandbox of its: one request of the key's rate. A key that was
/// revoked opens nothing any more. Without keys the same is asked of the request as of every other.
pub fn owner(parts: &Parts, app: &App, id: &str) -> Result<Arc<Principal>, Problem> {
    app.keys.refresh();
    if app.keys.is_open() && !local::is_own(&parts.headers, &parts.uri) {
        return Err(Problem::new(HttpCode::HostNotAllowed));
    }
    let principal = app.keys.named(id);
    let principal = principal.ok_or_else(|| Problem::new(HttpCode::Unauthorized))?;
    counted(parts, app, principal)
}

/// Refuses what a web page of another site sends, with a key, too: assistants are no web pages, and a page that was given a
/// key is not to run code for another site.
pub fn check_page(headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
    if local::is_from_own_page(headers, uri) {
        return Ok(());
    }
    let sentence = "a web page of another site may not ask here";
    Err(Problem::with(HttpCode::HostNotAllowed, sentence))
}

fn principal(headers: &HeaderMap, uri: &Uri, app: &App) -> Result<Arc<Principal>, Problem> {
    app.keys.refresh();
    if app.open {
        // Even when keys were added meanwhile: then they count at once.
        if app.keys.is_open() {
            if !local::is_own(headers, uri) {
                return Err(Problem::new(HttpCode::HostNotAllowed));
            }
            return Ok(app.keys.local());
        }
    }
    presented(headers)
        .and_then(|key| app.keys.check(key))
        .ok_or_else(|| Problem::new(HttpCode::Unauthorized))
}

/// The key that a request carries: `Authorization: Bearer KEY`, `X-API-Key: KEY`, or a WebSocket's protocol.
fn presented(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| key.trim());
    }
    match headers.get("x-api-key") {
        Some(key) => key.to_str().ok().map(str::trim),
        None => websocket::presented(headers),
    }
}

/// What a header's value has in a key's place: itself, or what stands behind `Bearer`.
pub fn key_in(value: &HeaderValue) -> Option<&str> {
    let text = value.to_str().ok()?.trim();
    match text.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Some(key.trim()),
        _ => Some(text),
    }
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
