//! The head of a request: judged, then rewritten for what listens on the port.

use super::Port;
use crate::app::App;
use crate::auth;
use crate::e2b::address::{self, Address, NamedBy};
use crate::problem::{HttpCode, Problem};
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version, header};
use hyper::upgrade::OnUpgrade;
use std::net::SocketAddr;

/// Of the connection that they come on, whichever way (RFC 9110, section 7.6.1).
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Said by us, or by nobody: a client could make a sandbox's program believe anything by them.
const OF_PROXIES: &[&str] = &[
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-real-ip",
];

fn wrong(sentence: &str) -> Problem {
    Problem::with(HttpCode::FieldInvalid, sentence)
}

/// Refuses a request that two readers could read differently, or that names two places.
pub fn check(parts: &Parts, domain: Option<&str>) -> Result<(), Problem> {
    let headers = &parts.headers;
    let count = |name: HeaderName| headers.get_all(name).iter().count();
    if parts.method == Method::CONNECT {
        return Err(wrong("a port takes no CONNECT"));
    }
    if count(header::HOST) > 1 {
        return Err(wrong("the request has more than one Host"));
    }
    if count(header::CONTENT_LENGTH) > 1
        || (headers.contains_key(header::CONTENT_LENGTH)
            && headers.contains_key(header::TRANSFER_ENCODING))
    {
        return Err(wrong("the length of the request's body is said twice"));
    }
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok());
    if let Some(authority) = parts.uri.authority()
        && host.is_none_or(|host| !host.eq_ignore_ascii_case(authority.as_str()))
    {
        return Err(wrong(
            "the request's target and its Host name different places",
        ));
    }
    let by_headers = Address::of_headers(headers);
    let by_host = domain.and_then(|domain| Address::of_host(host?, domain));
    if let (Some(one), Some(other)) = (by_headers, by_host)
        && (&one.id, one.port) != (&other.id, other.port)
    {
        return Err(wrong("the headers and the host name different ports"));
    }
    Ok(())
}

/// A wish to go on with another protocol.
pub struct Wish {
    /// Which, in the client's words.
    pub protocol: HeaderValue,
    /// The client's connection, once both agree.
    pub connection: OnUpgrade,
}

impl Wish {
    /// Takes it out of a request without a body; `None`: there is none, or one for HTTP/2, which is not spoken here.
    pub fn of(parts: &mut Parts) -> Option<Wish> {
        let headers = &parts.headers;
        let has_body = headers.contains_key(header::TRANSFER_ENCODING)
            || headers
                .get(header::CONTENT_LENGTH)
                .is_some_and(|length| length != "0");
        let is_named = named_by_connection(headers).any(|name| name == header::UPGRADE);
        let protocol = headers.get(header::UPGRADE)?.clone();
        if has_body || !is_named || protocol.as_bytes().to_ascii_lowercase().starts_with(b"h2") {
            return None;
        }
        Some(Wish {
            protocol,
            connection: parts.extensions.remove::<OnUpgrade>()?,
        })
    }
}

/// What is said to what listens.
pub fn to_guest(
    parts: Parts,
    app: &App,
    (port, wish): (Port, Option<&Wish>),
) -> hyper::Request<()> {
    let address = parts.extensions.get::<SocketAddr>().copied();
    let mut headers = parts.headers;
    remove_hop_by_hop(&mut headers);
    for name in OF_PROXIES {
        headers.remove(*name);
    }
    remove_secrets(&mut headers, app);
    // Whoever sent it got its `100 Continue` from us.
    headers.remove(header::EXPECT);
    let host = headers.get(header::HOST).cloned();
    if let Some(host) = &host {
        headers.insert("x-forwarded-host", host.clone());
    }
    if port.named_by == NamedBy::Headers {
        headers.insert(header::HOST, own_host(port.number));
    }
    let scheme = match app.config().tls {
        Some(_) => "https",
        None => "http",
    };
    headers.insert("x-forwarded-proto", HeaderValue::from_static(scheme));
    if let Some(value) = address.and_then(|it| it.ip().to_string().parse().ok()) {
        headers.insert("x-forwarded-for", value);
    }
    let connection = match wish {
        Some(wish) => {
            headers.insert(header::UPGRADE, wish.protocol.clone());
            "upgrade"
        }
        // One request a connection.
        None => "close",
    };
    headers.insert(header::CONNECTION, HeaderValue::from_static(connection));
    let mut request = hyper::Request::new(());
    *request.method_mut() = parts.method;
    *request.version_mut() = Version::HTTP_11;
    *request.uri_mut() = target(&parts.uri);
    *request.headers_mut() = headers;
    request
}

/// A name that every program takes for its own, and that says nothing of the service.
fn own_host(port: u16) -> HeaderValue {
    // Letters and digits.
    HeaderValue::from_str(&format!("localhost:{port}"))
        .unwrap_or(HeaderValue::from_static("localhost"))
}

/// The path and what follows it, without a host.
fn target(uri: &Uri) -> Uri {
    let path = uri.path_and_query().cloned();
    Uri::from(path.unwrap_or(PathAndQuery::from_static("/")))
}

/// Names of fields that are of this connection alone.
fn named_by_connection(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> {
    let values = headers.get_all(header::CONNECTION).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    let names = texts.flat_map(|text| text.split(','));
    names.filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
}

/// Removes what is of one connection alone.
pub fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = named_by_connection(headers).collect();
    // `Connection: host` would take a request's place along.
    for name in named.iter().filter(|name| **name != header::HOST) {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(*name);
    }
}

/// Removes what opens the sandbox, or anything else of this service.
fn remove_secrets(headers: &mut HeaderMap, app: &App) {
    for name in address::HEADERS {
        headers.remove(*name);
    }
    for name in [HeaderName::from_static("x-api-key"), header::AUTHORIZATION] {
        let is_key = |value: &HeaderValue| {
            auth::key_in(value).is_some_and(|key| app.keys.check(key).is_some())
        };
        if headers.get_all(&name).iter().any(is_key) {
            headers.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOMAIN: Option<&str> = Some("sandboxes.example.org");
    const ID: &str = "0193a5c2-7d1e-7c3a-9f00-0123456789ab";

    fn parts(target: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = axum::http::Request::builder().uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        let host = format!("8000-{ID}.sandboxes.example.org");
        let other = format!("8001-{ID}.sandboxes.example.org");
        let absolute = format!("http://{host}/a");
        let named = ("e2b-sandbox-id", ID);
        let port = ("e2b-sandbox-port", "8000");
        for (target, headers, is_fine) in [
            ("/a?b", vec![("host", host.as_str())], true),
            ("/a", vec![("host", "localhost"), named, port], true),
            ("/a", vec![("host", host.as_str()), named, port], true),
            ("/a", vec![("host", other.as_str()), named, port], false),
            (
                "/a",
                vec![("host", host.as_str()), ("host", other.as_str())],
                false,
            ),
            (absolute.as_str(), vec![("host", host.as_str())], true),
            (absolute.as_str(), vec![("host", other.as_str())], false),
            (absolute.as_str(), vec![named, port], false),
            (
                "/a",
                vec![
                    ("host", host.as_str()),
                    ("content-length", "3"),
                    ("transfer-encoding", "chunked"),
                ],
                false,
            ),
            (
                "/a",
                vec![
                    ("host", host.as_str()),
                    ("content-length", "3"),
                    ("content-length", "3"),
                ],
                false,
            ),
        ] {
            let checked = check(&parts(target, &headers), DOMAIN);
            assert_eq!(checked.is_ok(), is_fine, "{target} {headers:?}");
        }
        let mut connect = parts("/", &[("host", host.as_str())]);
        connect.method = Method::CONNECT;
        assert!(check(&connect, DOMAIN).is_err());
    }

    #[test]
    fn what_is_of_the_connection_stays_there() {
        let mut headers = parts(
            "/",
            &[
                ("connection", "close, X-Mine, host"),
                ("keep-alive", "5"),
                ("x-mine", "1"),
                ("te", "trailers"),
                ("host", "h"),
                ("accept", "*/*"),
            ],
        )
        .headers;
        remove_hop_by_hop(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "host"]);
    }

    #[test]
    fn a_target_has_no_host() {
        for (given, expected) in [
            ("http://h:1/a?b", "/a?b"),
            ("/a//b?c", "/a//b?c"),
            ("*", "*"),
            ("http://h", "/"),
        ] {
            assert_eq!(target(&given.parse().unwrap()), expected, "{given}");
        }
    }

    #[test]
    fn only_a_wish_of_a_request_without_a_body_is_one() {
        let of = |headers: &[(&str, &str)]| {
            let mut parts = parts("/", headers);
            Wish::of(&mut parts).is_some()
        };
        // Without hyper there is no connection to be taken over, whatever the headers say.
        assert!(!of(&[("connection", "upgrade"), ("upgrade", "websocket")]));
        assert!(!of(&[("upgrade", "websocket")]));
        assert!(!of(&[("connection", "upgrade"), ("upgrade", "h2c")]));
    }
}
