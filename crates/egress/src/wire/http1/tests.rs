#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use super::*;
use crate::decide::{Route, Way};
use crate::name::HostName;
use proptest::prelude::*;

fn head(text: &str) -> Result<RequestHead, RequestFault> {
    parse(text.as_bytes())
}

/// A head with one Host and these lines after it.
fn with(lines: &str) -> Result<RequestHead, RequestFault> {
    head(&format!(
        "POST /x HTTP/1.1\r\nHost: a.example\r\n{lines}\r\n"
    ))
}

fn route(port: u16) -> Route {
    Route {
        name: HostName::parse("a.example").unwrap(),
        port,
        way: Way::OpenTls,
        rules: vec![0],
    }
}

#[test]
fn a_plain_head() {
    let head =
        head("GET /v1/x?y=1 HTTP/1.1\r\nHost: A.Example:443\r\nAccept: */*\r\nX-Empty:\r\n\r\n")
            .unwrap();
    assert_eq!(
        (head.method.as_str(), &head.target),
        ("GET", &RequestTarget::Origin("/v1/x?y=1".into()))
    );
    assert_eq!(head.host, Authority::parse("a.example:443").unwrap());
    assert_eq!(
        (head.framing, head.persistence),
        (Framing::None, Persistence::KeepAlive)
    );
}

#[test]
fn framing_is_plain_or_refused() {
    for (lines, expected) in [
        ("Content-Length: 5\r\n", Ok(Framing::Length(5))),
        ("Content-Length:  5 \r\n", Ok(Framing::Length(5))),
        ("Transfer-Encoding: chunked\r\n", Ok(Framing::Chunked)),
        ("Transfer-Encoding: CHUNKED\r\n", Ok(Framing::Chunked)),
        ("", Ok(Framing::None)),
        (
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            Err(RequestFault::Framing),
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            Err(RequestFault::Framing),
        ),
        (
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            Err(RequestFault::Framing),
        ),
        (
            "Content-Length: 5\r\ncontent-length: 6\r\n",
            Err(RequestFault::Framing),
        ),
        ("Content-Length: 5, 5\r\n", Err(RequestFault::Framing)),
        ("Content-Length: +5\r\n", Err(RequestFault::Framing)),
        ("Content-Length: -5\r\n", Err(RequestFault::Framing)),
        ("Content-Length: 0x5\r\n", Err(RequestFault::Framing)),
        ("Content-Length:\r\n", Err(RequestFault::Framing)),
        (
            "Content-Length: 99999999999999999999\r\n",
            Err(RequestFault::Framing),
        ),
        (
            "Transfer-Encoding: gzip, chunked\r\n",
            Err(RequestFault::Framing),
        ),
        (
            "Transfer-Encoding: chunked, chunked\r\n",
            Err(RequestFault::Framing),
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            Err(RequestFault::Framing),
        ),
        (
            "Transfer-Encoding: identity\r\n",
            Err(RequestFault::Framing),
        ),
        (
            "Transfer-Encoding: xchunked\r\n",
            Err(RequestFault::Framing),
        ),
        (
            "Transfer-Encoding: \"chunked\"\r\n",
            Err(RequestFault::Framing),
        ),
        ("Transfer-Encoding:\r\n", Err(RequestFault::Framing)),
        ("Transfer_Encoding: chunked\r\n", Err(RequestFault::Framing)),
        ("Content_Length: 5\r\n", Err(RequestFault::Framing)),
    ] {
        assert_eq!(with(lines).map(|head| head.framing), expected, "{lines:?}");
    }
    let old = head("POST / HTTP/1.0\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(old, Err(RequestFault::Framing));
}

#[test]
fn what_two_servers_read_differently_is_refused() {
    for (text, fault) in [
        ("GET / HTTP/1.1\r\n\r\n", RequestFault::Host),
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n\r\n",
            RequestFault::Host,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a.example, b.example\r\n\r\n",
            RequestFault::Host,
        ),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", RequestFault::Host),
        (
            "GET / HTTP/1.1\r\nHost: user@a.example\r\n\r\n",
            RequestFault::Host,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\nX: a\r\n b\r\n\r\n",
            RequestFault::LineEnd,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\nX: a\r\n\tb\r\n\r\n",
            RequestFault::LineEnd,
        ),
        (
            "GET / HTTP/1.1\r\n Host: a.example\r\n\r\n",
            RequestFault::LineEnd,
        ),
        (
            "GET / HTTP/1.1\nHost: a.example\r\n\r\n",
            RequestFault::LineEnd,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a.example\n\r\n",
            RequestFault::LineEnd,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n",
            RequestFault::LineEnd,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\nX: a\n\nGET / HTTP/1.1\r\n\r\n",
            RequestFault::LineEnd,
        ),
        (
            "\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
            RequestFault::LineEnd,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: x-secret\r\n\r\n",
            RequestFault::Hop,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\nExpect: 200-ok\r\n\r\n",
            RequestFault::Hop,
        ),
        (
            "GET / HTTP/1.1\r\nHost : a.example\r\n\r\n",
            RequestFault::Syntax,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\nX y: a\r\n\r\n",
            RequestFault::Syntax,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\nX: a\0b\r\n\r\n",
            RequestFault::Syntax,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\n: a\r\n\r\n",
            RequestFault::Syntax,
        ),
        (
            "GET  / HTTP/1.1\r\nHost: a.example\r\n\r\n",
            RequestFault::Syntax,
        ),
        (
            "GET / x HTTP/1.1\r\nHost: a.example\r\n\r\n",
            RequestFault::Syntax,
        ),
        (
            "GET / HTTP/1.2\r\nHost: a.example\r\n\r\n",
            RequestFault::Syntax,
        ),
        (
            "GET / HTTP/2.0\r\nHost: a.example\r\n\r\n",
            RequestFault::Syntax,
        ),
        ("GET /\r\n\r\n", RequestFault::Syntax),
        (
            "\r\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
            RequestFault::Syntax,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\n\r\nGET",
            RequestFault::Syntax,
        ),
        (
            "GET x HTTP/1.1\r\nHost: a.example\r\n\r\n",
            RequestFault::Target,
        ),
        (
            "GET * HTTP/1.1\r\nHost: a.example\r\n\r\n",
            RequestFault::Target,
        ),
        (
            "GET /a#b HTTP/1.1\r\nHost: a.example\r\n\r\n",
            RequestFault::Target,
        ),
        (
            "GET /\u{fc} HTTP/1.1\r\nHost: a.example\r\n\r\n",
            RequestFault::Target,
        ),
        (
            "GET ftp://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
            RequestFault::Target,
        ),
        (
            "GET http:///x HTTP/1.1\r\nHost: a.example\r\n\r\n",
            RequestFault::Target,
        ),
        (
            "GET http://u:p@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
            RequestFault::Target,
        ),
        (
            "CONNECT b.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n",
            RequestFault::Connect,
        ),
        (
            "CONNECT / HTTP/1.1\r\nHost: a.example\r\n\r\n",
            RequestFault::Connect,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            RequestFault::Upgrade,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, upgrade\r\n\r\n",
            RequestFault::Upgrade,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\nHTTP2-Settings: AAM\r\n\r\n",
            RequestFault::Upgrade,
        ),
        ("PRI * HTTP/2.0\r\n\r\n", RequestFault::Http2),
    ] {
        assert_eq!(head(text), Err(fault), "{text:?}");
    }
    let many = "A: b\r\n".repeat(MAX_HEADERS);
    assert_eq!(with(&many), Err(RequestFault::TooLong));
    assert_eq!(
        with(&format!("A: {}\r\n", "b".repeat(MAX_HEAD_BYTES))),
        Err(RequestFault::TooLong)
    );
}

#[test]
fn absolute_targets() {
    let absolute = |scheme, authority, path: &str| RequestTarget::Absolute {
        scheme,
        authority: Authority::parse(authority).unwrap(),
        path: path.into(),
    };
    for (text, target) in [
        ("http://a.example", absolute(Scheme::Http, "a.example", "/")),
        (
            "HTTPS://A.example:8443/x?y",
            absolute(Scheme::Https, "a.example:8443", "/x?y"),
        ),
        (
            "http://a.example?y=/",
            absolute(Scheme::Http, "a.example", "/?y=/"),
        ),
    ] {
        let head = head(&format!("GET {text} HTTP/1.1\r\nHost: a.example\r\n\r\n")).unwrap();
        assert_eq!(head.target, target, "{text}");
    }
    let options = head("OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n").unwrap();
    assert_eq!(options.target, RequestTarget::Asterisk);
}

#[test]
fn what_goes_out_is_written_anew() {
    let lines = "Authorization: placeholder\r\nauthorization: own\r\nX_Key: a\r\nAccept: */*\r\nConnection: keep-alive, TE\r\n\
                 TE: trailers\r\nKeep-Alive: 5\r\nProxy-Authorization: x\r\nExpect: 100-continue\r\nContent-Length: 05\r\n";
    let head = head(&format!(
        "POST https://a.example/x HTTP/1.1\r\nHost: A.EXAMPLE\r\n{lines}\r\n"
    ))
    .unwrap();
    let out = write_head(
        &head,
        &route(443),
        Some(("authorization", b"Bearer s3cret")),
    );
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "POST /x HTTP/1.1\r\nhost: a.example\r\nX_Key: a\r\nAccept: */*\r\nExpect: 100-continue\r\ncontent-length: 5\r\n\
         authorization: Bearer s3cret\r\n\r\n"
    );
    let out = write_head(&head, &route(8443), Some(("x-key", b"k")));
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.contains("host: a.example:8443\r\n")
            && !text.contains("X_Key")
            && text.contains("\r\nx-key: k\r\n")
    );
    // Without an injection the placeholder stays what it is.
    let text = String::from_utf8(write_head(&head, &route(443), None)).unwrap();
    assert!(text.contains("Authorization: placeholder\r\n"));
}

#[test]
fn a_connection_that_closes_says_so() {
    for (text, persistence) in [
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
            Persistence::Close,
        ),
        (
            "GET / HTTP/1.0\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\n",
            Persistence::Close,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
            Persistence::KeepAlive,
        ),
    ] {
        let head = head(text).unwrap();
        assert_eq!(head.persistence, persistence, "{text:?}");
        let out = String::from_utf8(write_head(&head, &route(443), None)).unwrap();
        assert_eq!(
            out.contains("connection: close"),
            persistence == Persistence::Close
        );
    }
}

#[test]
fn each_refusal_is_an_answer() {
    for reason in crate::REASONS {
        let text = String::from_utf8(refusal(*reason)).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = format!("HTTP/1.1 {} ", reason.http_status());
        assert!(
            head.starts_with(&status) && head.contains(&format!("content-length: {}", body.len())),
            "{head}"
        );
        assert!(
            (reason.http_status() == 403) == head.contains("Forbidden"),
            "{head}"
        );
        assert!(head.contains(&format!("x-egress-denied: {}", reason.code())));
    }
}

proptest! {
    /// Whatever is let out is read alike by whoever reads it next.
    #[test]
    fn what_goes_out_is_read_as_it_came_in(method in "[A-Z]{1,6}", path in "/[!-~]{0,20}", lines in prop::collection::vec("[A-Za-z_-]{1,20}: ?[ -~]{0,20}", 0..5), length in prop::option::of(0..1000u32)) {
        let length = length.map_or(String::new(), |length| format!("Content-Length: {length}\r\n"));
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        if let Ok(head) = head(&format!("{method} {path} HTTP/1.1\r\nHost: a.example\r\n{lines}{length}\r\n")) {
            let out = write_head(&head, &route(443), Some(("x-key", b"k")));
            let again = parse(&out).unwrap();
            prop_assert_eq!((&again.method, &again.target, again.framing), (&head.method, &head.target, head.framing));
            prop_assert_eq!(again.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-key")).count(), 1);
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in "(GET|POST| |/|\\r\\n|\\n|HTTP/1\\.1|Host|Content-Length|Transfer-Encoding|chunked|: |a\\.example|[0-9]|-|\\t){0,40}") {
        if let Ok(head) = parse(bytes.as_bytes()) {
            prop_assert!(parse(&write_head(&head, &route(443), None)).is_ok());
        }
    }
}
