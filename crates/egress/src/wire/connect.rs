//! What is said to an HTTP proxy: CONNECT, or a request with an absolute URI.

use super::authority::{Authority, Target};
use super::http1::{self, RequestFault, RequestTarget, Scheme};
use crate::reason::Reason;

/// Bytes of a head: clients of proxies send few headers.
pub const MAX_PROXY_HEAD_BYTES: usize = 8 * 1024;
/// Headers of a CONNECT.
const MAX_CONNECT_HEADERS: usize = 64;
const CONNECT: &[u8] = b"CONNECT ";

/// The answer to a CONNECT that was let through.
pub const CONNECTED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// What a proxy is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyRequest {
    /// A tunnel: answer with [`CONNECTED`], and what follows is the client's.
    Tunnel {
        /// To where.
        target: Target,
        /// The port.
        port: u16,
    },
    /// One plain request: open a connection and read the same head as its first request. A client that talks to a proxy
    /// may ask for another host next, so [`http1::Persistence::Close`] is what it must be told.
    Forward {
        /// To where.
        target: Target,
        /// The port.
        port: u16,
    },
}

/// Reads a head, which [`super::head::HeadReader`] found the end of.
pub fn parse(head: &[u8]) -> Result<ProxyRequest, Reason> {
    if head.len() > MAX_PROXY_HEAD_BYTES {
        return Err(Reason::RequestTooLong);
    }
    if head.starts_with(CONNECT) {
        return tunnel(head);
    }
    let request = http1::parse(head).map_err(RequestFault::reason)?;
    match request.target {
        RequestTarget::Absolute {
            scheme: Scheme::Http,
            authority,
            ..
        } => {
            let port = authority.port.unwrap_or(Scheme::Http.port());
            Ok(ProxyRequest::Forward {
                target: authority.host,
                port,
            })
        }
        // TLS is the client's to speak, through a tunnel.
        RequestTarget::Absolute { .. } | RequestTarget::Origin(_) | RequestTarget::Asterisk => {
            Err(Reason::ProxyMalformed)
        }
    }
}

/// Its headers are the proxy's alone and matter to nobody; that they are headers does, for what follows them is sent on.
fn tunnel(head: &[u8]) -> Result<ProxyRequest, Reason> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_CONNECT_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let whole = matches!(parsed.parse(head), Ok(httparse::Status::Complete(length)) if length == head.len());
    let authority = parsed
        .path
        .filter(|_| whole)
        .ok_or(Reason::ProxyMalformed)?;
    let authority = Authority::parse(authority).map_err(|error| match error {
        super::authority::AuthorityError::Host(error) => error.reason(),
        super::authority::AuthorityError::Port => Reason::ProxyMalformed,
    })?;
    let port = authority.port.ok_or(Reason::ProxyMalformed)?;
    Ok(ProxyRequest::Tunnel {
        target: authority.host,
        port,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

    use super::*;

    fn target(text: &str) -> Target {
        Target::parse(text).unwrap()
    }

    #[test]
    fn tunnels() {
        for (head, host, port) in [
            (
                "CONNECT Example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n",
                "example.com",
                443,
            ),
            ("CONNECT example.com:22 HTTP/1.0\r\n\r\n", "example.com", 22),
            (
                "CONNECT 198.18.0.1:443 HTTP/1.1\r\nProxy-Authorization: Basic eA==\r\n\r\n",
                "198.18.0.1",
                443,
            ),
            ("CONNECT [2001:2::1]:443 HTTP/1.1\r\n\r\n", "2001:2::1", 443),
        ] {
            let target = target(host);
            assert_eq!(
                parse(head.as_bytes()),
                Ok(ProxyRequest::Tunnel { target, port }),
                "{head:?}"
            );
        }
    }

    #[test]
    fn plain_requests() {
        let head = b"GET http://Example.com/x HTTP/1.1\r\nHost: example.com\r\nProxy-Connection: keep-alive\r\n\r\n";
        let forward = |host, port| {
            Ok(ProxyRequest::Forward {
                target: target(host),
                port,
            })
        };
        assert_eq!(parse(head), forward("example.com", 80));
        assert_eq!(
            parse(b"GET HTTP://a.example:8080?x HTTP/1.1\r\nHost: a.example:8080\r\n\r\n"),
            forward("a.example", 8080)
        );
    }

    #[test]
    fn what_no_proxy_is_asked() {
        for (head, reason) in [
            (
                "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
                Reason::ProxyMalformed,
            ),
            (
                "GET https://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
                Reason::ProxyMalformed,
            ),
            (
                "GET ftp://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
                Reason::RequestMalformed,
            ),
            ("CONNECT a.example HTTP/1.1\r\n\r\n", Reason::ProxyMalformed),
            (
                "CONNECT a.example:0 HTTP/1.1\r\n\r\n",
                Reason::ProxyMalformed,
            ),
            (
                "CONNECT a.example:https HTTP/1.1\r\n\r\n",
                Reason::ProxyMalformed,
            ),
            (
                "CONNECT 2130706433:80 HTTP/1.1\r\n\r\n",
                Reason::AddressLiteral,
            ),
            ("CONNECT 0x7f.1:80 HTTP/1.1\r\n\r\n", Reason::AddressLiteral),
            (
                "CONNECT [fe80::1%25lo]:80 HTTP/1.1\r\n\r\n",
                Reason::NameMalformed,
            ),
            (
                "CONNECT a\u{7f}.example:443 HTTP/1.1\r\n\r\n",
                Reason::ProxyMalformed,
            ),
            (
                "CONNECT user@a.example:443 HTTP/1.1\r\n\r\n",
                Reason::NameMalformed,
            ),
            (
                "CONNECT a.example:443 HTTP/2.0\r\n\r\n",
                Reason::ProxyMalformed,
            ),
            (
                "CONNECT a.example:443 HTTP/1.1\r\n\r\nSSH-2.0\r\n\r\n",
                Reason::ProxyMalformed,
            ),
            ("CONNECT a.example:443 HTTP/1.1\r\n", Reason::ProxyMalformed),
        ] {
            assert_eq!(parse(head.as_bytes()), Err(reason), "{head:?}");
        }
        let long = [
            b"GET http://a.example/".as_slice(),
            &[b'a'; MAX_PROXY_HEAD_BYTES],
            b" HTTP/1.1\r\n\r\n",
        ]
        .concat();
        assert_eq!(parse(&long), Err(Reason::RequestTooLong));
    }
}
