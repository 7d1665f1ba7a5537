//! The sandbox that a request means, found without a key: by the headers `E2b-Sandbox-Id` and `E2b-Sandbox-Port`, or by
//! a host name `{port}-{id}.DOMAIN`; and whether the token that comes with it counts.

use super::error::AsE2b;
use super::facts::Guard;
use super::tokens::{Token, Tokens};
use crate::app::App;
use crate::auth;
use crate::paused::resume::resume;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::slot::SandboxSlot;
use crate::sandboxes::table::UsedSandbox;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use protocol::validate::shown;
use std::sync::Arc;

/// Where E2B's clients look for processes and files.
pub const ENVD_PORT: u16 = 49983;
/// Where they look for the code interpreter.
pub const INTERPRETER_PORT: u16 = 49999;

/// Bytes of a sandbox's name (a UUID); older clients append `-` and their `clientID`.
const ID_BYTES: usize = 36;

const ID_HEADER: &str = "e2b-sandbox-id";
const PORT_HEADER: &str = "e2b-sandbox-port";
const ACCESS_HEADER: &str = "x-access-token";
/// The token of what listens on a port.
pub const TRAFFIC_HEADER: &str = "e2b-traffic-access-token";

/// What says which sandbox is meant, and what opens it: for nobody inside it.
pub const HEADERS: &[&str] = &[ID_HEADER, PORT_HEADER, ACCESS_HEADER, TRAFFIC_HEADER];

/// The sandbox that a request means, opened by the token that came with it.
pub struct Addressed {
    /// The sandbox.
    pub used: UsedSandbox,
    /// Which of its ports.
    pub port: u16,
}

impl FromRequestParts<Arc<App>> for Addressed {
    type Rejection = AsE2b;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, AsE2b> {
        if let Some(address) = Address::of(&parts.headers, app.config().e2b.domain.as_deref()) {
            return Addressed::at(parts, app, &address).await;
        }
        let (slot, port) = by_token(app, &parts.headers)?;
        let used = opened(parts, app, &slot)?;
        Ok(Addressed { used, port })
    }
}

impl Addressed {
    /// The sandbox at this address, if the token that came along opens it.
    pub async fn at(parts: &Parts, app: &Arc<App>, address: &Address) -> Result<Addressed, AsE2b> {
        let slot = reached(parts, app, address).await?;
        let used = opened(parts, app, &slot)?;
        let port = address.port;
        Ok(Addressed { used, port })
    }
}

/// The sandbox of this address, whose token came with the request. One that is paused goes on, where its client asked for
/// that when it was made.
async fn reached(
    parts: &Parts,
    app: &Arc<App>,
    address: &Address,
) -> Result<Arc<SandboxSlot>, AsE2b> {
    let paused = app.paused.named(&address.id);
    let facts = paused.as_ref().and_then(|entry| entry.about.e2b.as_ref());
    if let (Some(entry), Some(facts)) = (&paused, facts)
        && facts.lifecycle.auto_resume
    {
        let tokens = (&facts.tokens.access, &facts.tokens.traffic);
        check_token(parts, (facts.guard, tokens), address.port)?;
        let owner = auth::owner(parts, app, &entry.about.owner)?;
        let total = entry.about.usual_total();
        return Ok(resume(app, &owner, entry.clone(), total).await?);
    }
    let slot = found(app, &address.id)?;
    let facts = slot.e2b.as_ref().ok_or_else(|| AsE2b(gone(&slot.id)))?;
    let tokens = (&facts.tokens.access, &facts.tokens.traffic);
    check_token(parts, (facts.guard, tokens), address.port)?;
    Ok(slot)
}

/// The sandbox whose token this is: clients of 2025 name it nowhere else in some of their calls. A token of none was one
/// of a sandbox that ended.
fn by_token(app: &App, headers: &HeaderMap) -> Result<(Arc<SandboxSlot>, u16), AsE2b> {
    let of = |port: u16, is: &dyn Fn(&Tokens) -> bool| {
        let slot = app.sandboxes.find_e2b(|facts| is(&facts.tokens));
        let slot = slot.ok_or_else(|| AsE2b(gone("of this token")))?;
        Ok((slot, port))
    };
    match (text(headers, ACCESS_HEADER), text(headers, TRAFFIC_HEADER)) {
        (Some(access), _) => of(ENVD_PORT, &|tokens| tokens.access.is(access)),
        (None, Some(traffic)) => of(INTERPRETER_PORT, &|tokens| tokens.traffic.is(traffic)),
        (None, None) => Err(unaddressed()),
    }
}

/// A sandbox's name and port, as a request has them.
#[derive(Debug, PartialEq, Eq)]
pub struct Address {
    /// The sandbox's name.
    pub id: String,
    /// Which of its ports.
    pub port: u16,
    /// What said so.
    pub named_by: NamedBy,
}

/// What said which sandbox is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// Headers, which no web page of another origin can send.
    Headers,
    /// The host's name: an origin of the sandbox's port alone.
    Host,
}

impl Address {
    /// What the headers say, where names below this domain lead to sandboxes; `None`: nothing, or what is no address.
    pub fn of(headers: &HeaderMap, domain: Option<&str>) -> Option<Address> {
        match headers.contains_key(ID_HEADER) {
            true => Address::of_headers(headers),
            false => Address::of_host(text(headers, header::HOST.as_str())?, domain?),
        }
    }

    /// Whether what is meant is a program's own port, and none of those that are answered here.
    pub fn is_a_port(&self) -> bool {
        !matches!(self.port, ENVD_PORT | INTERPRETER_PORT)
    }

    /// What the headers for it say.
    pub fn of_headers(headers: &HeaderMap) -> Option<Address> {
        let id = text(headers, ID_HEADER)?;
        let port = text(headers, PORT_HEADER).map_or(Some(ENVD_PORT), |port| port.parse().ok())?;
        Some(Address {
            id: sandbox_id(id).to_owned(),
            port,
            named_by: NamedBy::Headers,
        })
    }

    /// What a host name says, as `49983-ID.example.org`.
    pub fn of_host(host: &str, domain: &str) -> Option<Address> {
        let (label, rest) = host.split_once('.')?;
        let without_port = |name: &str| {
            name.split(':')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase()
        };
        if without_port(rest) != without_port(domain) {
            return None;
        }
        let (port, id) = label.split_once('-')?;
        let id = sandbox_id(id);
        let port = port.parse().ok()?;
        (id.len() == ID_BYTES).then(|| Address {
            id: id.to_owned(),
            port,
            named_by: NamedBy::Host,
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A sandbox's name without what older clients append to it.
pub fn sandbox_id(text: &str) -> &str {
    match text.split_at_checked(ID_BYTES) {
        Some((id, rest)) if rest.starts_with('-') => id,
        _ => text,
    }
}

/// A sandbox of an E2B client, whoever's; 502 where there is none, from which clients learn that it ended.
pub fn found(app: &App, id: &str) -> Result<Arc<SandboxSlot>, AsE2b> {
    let slot = app.sandboxes.named(id);
    let slot = slot.filter(|slot| slot.e2b.is_some());
    slot.ok_or_else(|| AsE2b(gone(id)))
}

/// What a client is told of a sandbox that is not there (any more).
pub fn gone(id: &str) -> Problem {
    // Clients tell an ended sandbox from a broken one by these words.
    let sentence = format!("The sandbox {} was not found", shown(id));
    Problem {
        status: StatusCode::BAD_GATEWAY,
        ..Problem::with(HttpCode::SandboxNotFound, sentence)
    }
}

fn unaddressed() -> AsE2b {
    let sentence = "no sandbox is named: send E2b-Sandbox-Id, or ask for {port}-{id}.DOMAIN";
    AsE2b(Problem::with(HttpCode::FieldInvalid, sentence))
}

/// Refuses a request whose token is wrong, or missing where one is needed.
fn check_token(
    parts: &Parts,
    (guard, (access, traffic)): (Guard, (&Token, &Token)),
    port: u16,
) -> Result<(), AsE2b> {
    let presented = |name: &str| parts.headers.get(name)?.to_str().ok();
    let by_traffic = match port {
        ENVD_PORT => None,
        _ => presented(TRAFFIC_HEADER).map(|text| traffic.is(text)),
    };
    let by_access = presented(ACCESS_HEADER).map(|text| access.is(text));
    match (by_traffic.or(by_access), guard) {
        (Some(true), _) | (None, Guard::Open) => Ok(()),
        (Some(false), _) | (None, Guard::Token) => Err(AsE2b(unauthorized(port))),
    }
}

fn unauthorized(port: u16) -> Problem {
    let header = match port {
        ENVD_PORT => "X-Access-Token",
        _ => "E2B-Traffic-Access-Token",
    };
    let sentence = format!("the sandbox's access token is missing or wrong: send {header}");
    Problem::with(HttpCode::Unauthorized, sentence)
}

/// Takes a sandbox whose token was shown for one request; it is one of its key's, and only while that key counts.
pub fn opened(parts: &Parts, app: &Arc<App>, slot: &SandboxSlot) -> Result<UsedSandbox, AsE2b> {
    let owner = auth::owner(parts, app, slot.owner())?;
    UsedSandbox::take(app, &owner, &slot.id).map_err(|problem| match problem.status {
        StatusCode::NOT_FOUND => AsE2b(gone(&slot.id)),
        _ => AsE2b(problem),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0193a5c2-7d1e-7c3a-9f00-0123456789ab";

    #[test]
    fn a_sandbox_is_named_by_headers_or_by_its_host() {
        let with_client = format!("{ID}-local");
        let host = format!("8000-{ID}.sandboxes.example.org:443");
        let of_old = format!("49983-{ID}-local.Sandboxes.example.org");
        let of_another = format!("49983-{ID}.example.org");
        let envd = Some(ENVD_PORT);
        for (headers, port) in [
            (vec![("e2b-sandbox-id", ID)], envd),
            (vec![("e2b-sandbox-id", with_client.as_str())], envd),
            (
                vec![("e2b-sandbox-id", ID), ("e2b-sandbox-port", "49999")],
                Some(49999),
            ),
            (vec![("host", host.as_str())], Some(8000)),
            (vec![("host", of_old.as_str())], envd),
            (vec![("e2b-sandbox-id", ID), ("host", "localhost")], envd),
            (
                vec![("e2b-sandbox-id", ID), ("e2b-sandbox-port", "x")],
                None,
            ),
            (
                vec![("e2b-sandbox-id", ID), ("e2b-sandbox-port", "65536")],
                None,
            ),
            (vec![("host", "127.0.0.1:8080")], None),
            (vec![("host", "8000-x.example.org")], None),
            (vec![("host", of_another.as_str())], None),
            (vec![("host", "")], None),
            (vec![], None),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in &headers {
                map.insert(*name, value.parse().unwrap());
            }
            let expected = port.map(|port| Address {
                id: ID.into(),
                port,
                named_by: match headers.iter().any(|(name, _)| *name == ID_HEADER) {
                    true => NamedBy::Headers,
                    false => NamedBy::Host,
                },
            });
            let domain = Some("sandboxes.example.org:443");
            assert_eq!(Address::of(&map, domain), expected, "{headers:?}");
            if !headers.iter().any(|(name, _)| *name == "e2b-sandbox-id") {
                assert_eq!(Address::of(&map, None), None);
            }
        }
    }
}
