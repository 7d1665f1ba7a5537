//! A head for the way out, and the answer to one that stays in.

use super::{Persistence, RequestHead, RequestTarget};
use crate::decide::{Route, Way};
use crate::policy::{HTTP_PORT, HTTPS_PORT};
use crate::reason::Reason;
use crate::wire::body::Framing;

/// The head as it goes to the host of the route. What is injected, a name in lower case and a value, takes the place of
/// all that the guest sent under that name.
pub fn write_head(head: &RequestHead, route: &Route, inject: Option<(&str, &[u8])>) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    let path = match &head.target {
        RequestTarget::Origin(path) | RequestTarget::Absolute { path, .. } => path.as_str(),
        RequestTarget::Asterisk => "*",
    };
    for piece in [&head.method, " ", path, " HTTP/1.1\r\n"] {
        out.extend_from_slice(piece.as_bytes());
    }
    header(&mut out, "host", host(route).as_bytes());
    for (name, value) in &head.headers {
        if !inject.is_some_and(|(injected, _)| is_same(name, injected)) {
            header(&mut out, name, value);
        }
    }
    match head.framing {
        Framing::None => {}
        Framing::Length(length) => {
            header(&mut out, "content-length", length.to_string().as_bytes())
        }
        Framing::Chunked => header(&mut out, "transfer-encoding", b"chunked"),
    }
    if let Some((name, value)) = inject {
        header(&mut out, name, value);
    }
    if head.persistence == Persistence::Close {
        header(&mut out, "connection", b"close");
    }
    out.extend_from_slice(b"\r\n");
    out
}

fn header(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    for piece in [name.as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(piece);
    }
}

/// Servers that hand headers on as variables read `_` as `-`.
fn is_same(name: &str, injected: &str) -> bool {
    let plain = |byte: u8| match byte {
        b'_' => b'-',
        byte => byte.to_ascii_lowercase(),
    };
    name.bytes().map(plain).eq(injected.bytes().map(plain))
}

fn host(route: &Route) -> String {
    let usual = match route.way {
        Way::Http => HTTP_PORT,
        Way::Bytes | Way::Tls | Way::OpenTls => HTTPS_PORT,
    };
    match route.port == usual {
        true => route.name.to_string(),
        false => format!("{}:{}", route.name, route.port),
    }
}

/// The answer to a request, or to CONNECT, that is refused; the connection is closed after it.
pub fn refusal(reason: Reason) -> Vec<u8> {
    let status = reason.http_status();
    let (code, sentence, advice) = (reason.code(), reason.sentence(), reason.advice());
    let body = format!("egress: {sentence} ({code}); {advice}\n");
    let phrase = match status {
        400 => "Bad Request",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Forbidden",
    };
    let length = body.len();
    format!(
        "HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {length}\r\n\
         x-egress-denied: {code}\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}
