//! The head of an answer, rewritten for the client. Its author is the sandbox, which is hostile, and its reader may be a
//! browser; so what it says counts for the sandbox's own host name, and for nothing else.
//!
//! | named by | a browser can ask | so |
//! |---|---|---|
//! | `{port}-{id}.DOMAIN` | yes: a page of an origin of its own | its page is its own; its cookies are for this host alone, and it clears nobody else's |
//! | headers, at the service's own address | no: no page of another origin can send them | nothing that a browser would keep for, or do at, the service's own origin is passed on |

use super::body::{FromGuest, Traffic};
use super::head::{Wish, remove_hop_by_hop};
use super::refused::Why;
use super::upgrade;
use super::{Held, OfItsOwnOrigin, Port};
use crate::e2b::address::{NamedBy, TRAFFIC_HEADER};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use hyper::body::{Body as _, Incoming};

/// What reaches beyond the answer's own host, and is passed on in no case: other protocols' addresses, and what clears
/// cookies of the whole domain.
const NEVER: &[&str] = &["alt-svc", "clear-site-data", "public-key-pins"];
/// What a browser keeps for an origin, does there, or lets others read; what the service says of its own answers instead
/// is set around all routes.
const OF_AN_ORIGIN: &[&str] = &[
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-allow-private-network",
    "access-control-expose-headers",
    "access-control-max-age",
    "cache-control",
    "content-security-policy",
    "content-security-policy-report-only",
    "expires",
    "link",
    "nel",
    "origin-trial",
    "referrer-policy",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "service-worker-allowed",
    "set-cookie",
    "sourcemap",
    "strict-transport-security",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
];

/// What the client gets; an answer that nobody asked for is none.
pub fn to_client(
    answer: Response<Incoming>,
    (port, wish): (Port, Option<Wish>),
    (held, traffic): (Held, Traffic),
) -> Result<Response<Body>, Why> {
    let (mut parts, body) = answer.into_parts();
    let protocol = parts.headers.get(header::UPGRADE).cloned();
    let mut response = match (parts.status, wish, protocol) {
        (StatusCode::SWITCHING_PROTOCOLS, Some(wish), Some(protocol)) => {
            rewrite(&mut parts.headers, port.named_by);
            let answer = Response::from_parts(parts, body);
            upgrade::join(answer, (wish, protocol), (held, traffic))
        }
        (StatusCode::SWITCHING_PROTOCOLS, ..) => return Err(Why::NoHttp),
        (status, ..) => {
            let length = length(&parts.headers, status, &body);
            rewrite(&mut parts.headers, port.named_by);
            parts.headers.remove(header::CONTENT_LENGTH);
            parts
                .headers
                .extend(length.map(|length| (header::CONTENT_LENGTH, length)));
            let body = FromGuest {
                body,
                traffic,
                _held: held,
            };
            let mut response = Response::new(Body::new(body));
            *response.status_mut() = status;
            *response.headers_mut() = parts.headers;
            response
        }
    };
    if port.named_by == NamedBy::Host {
        response.extensions_mut().insert(OfItsOwnOrigin);
    }
    Ok(response)
}

/// The length that the client is told: the one that the body is read by, or, of an answer that has no body, the one that
/// stands for another.
fn length(headers: &HeaderMap, status: StatusCode, body: &Incoming) -> Option<HeaderValue> {
    let none = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED];
    let bytes = body
        .size_hint()
        .exact()
        .filter(|_| !none.contains(&status))?;
    // What answers HEAD tells of a body that does not come.
    let told = headers.get(header::CONTENT_LENGTH);
    let told = told.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    Some(HeaderValue::from(match bytes {
        0 => told.unwrap_or(0),
        bytes => bytes,
    }))
}

fn rewrite(headers: &mut HeaderMap, named_by: NamedBy) {
    remove_hop_by_hop(headers);
    let others: &[&str] = match named_by {
        NamedBy::Headers => OF_AN_ORIGIN,
        NamedBy::Host => &[],
    };
    for name in NEVER.iter().chain(others) {
        headers.remove(*name);
    }
    keep_cookies_at_home(headers);
    // Whatever keeps it for others keeps it by the token that opened it.
    let vary = HeaderValue::from_static(TRAFFIC_HEADER);
    headers.append(header::VARY, vary);
}

/// A cookie is its host's own: one for the whole domain would be sent to other sandboxes, and to the service.
fn keep_cookies_at_home(headers: &mut HeaderMap) {
    let cookies: Vec<HeaderValue> = headers
        .get_all(header::SET_COOKIE)
        .iter()
        .filter_map(without_domain)
        .collect();
    headers.remove(header::SET_COOKIE);
    headers.extend(
        cookies
            .into_iter()
            .map(|cookie| (header::SET_COOKIE, cookie)),
    );
}

fn without_domain(cookie: &HeaderValue) -> Option<HeaderValue> {
    let is_domain = |attribute: &&[u8]| {
        let name = attribute.split(|byte| *byte == b'=').next();
        name.unwrap_or_default()
            .trim_ascii()
            .eq_ignore_ascii_case(b"domain")
    };
    let mut attributes = cookie.as_bytes().split(|byte| *byte == b';');
    let pair = attributes.next()?;
    let others = attributes.filter(|attribute| !is_domain(attribute));
    let kept: Vec<&[u8]> = std::iter::once(pair).chain(others).collect();
    HeaderValue::from_bytes(&kept.join(&b';')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    fn said(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_cookie_is_for_its_own_host_alone() {
        let mut headers = said(&[
            ("set-cookie", "a=1; Domain=sandboxes.example.org; Path=/"),
            ("set-cookie", "b=domain=x; DOMAIN = .example.org;Secure"),
            ("set-cookie", "c=3"),
        ]);
        rewrite(&mut headers, NamedBy::Host);
        let kept: Vec<_> = headers.get_all(header::SET_COOKIE).iter().collect();
        assert_eq!(kept, ["a=1; Path=/", "b=domain=x;Secure", "c=3"]);
    }

    #[test]
    fn at_the_services_own_address_nothing_is_said_that_a_browser_keeps() {
        let mut headers = said(&[
            ("content-type", "text/html"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
        ]);
        for name in NEVER.iter().chain(OF_AN_ORIGIN) {
            headers.insert(*name, HeaderValue::from_static("anything"));
        }
        let mut at_host = headers.clone();
        rewrite(&mut headers, NamedBy::Headers);
        let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(headers.contains_key("content-type") && headers.contains_key("vary"));
        rewrite(&mut at_host, NamedBy::Host);
        assert!(at_host.contains_key("cache-control") && !at_host.contains_key("clear-site-data"));
        assert!(!at_host.contains_key("x-hop") && !at_host.contains_key("alt-svc"));
    }
}
