//! The strict reading of a head.

use super::{
    MAX_HEAD_BYTES, MAX_HEADERS, Persistence, RequestFault, RequestHead, RequestTarget, Scheme,
};
use crate::wire::authority::Authority;
use crate::wire::body::Framing;
use crate::wire::is_token;

/// The first line of HTTP/2 (RFC 9113, 3.4).
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n";
const CONNECT: &str = "CONNECT";
/// Digits of a length: any 64-bit number has at most 20, and nobody sends 10 EB.
const MAX_LENGTH_DIGITS: usize = 18;

/// What a header is to whoever passes it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Its value is the server's business.
    Plain,
    Host,
    Length,
    Encoding,
    Connection,
    Expect,
    Upgrade,
    /// One hop's, and not passed on.
    Hop,
}

const ROLES: &[(&str, Role)] = &[
    ("host", Role::Host),
    ("content-length", Role::Length),
    ("transfer-encoding", Role::Encoding),
    ("connection", Role::Connection),
    ("expect", Role::Expect),
    ("upgrade", Role::Upgrade),
    ("http2-settings", Role::Upgrade),
    ("keep-alive", Role::Hop),
    ("proxy-connection", Role::Hop),
    ("proxy-authorization", Role::Hop),
    ("te", Role::Hop),
    ("trailer", Role::Hop),
];

pub fn request(head: &[u8]) -> Result<RequestHead, RequestFault> {
    if head.starts_with(HTTP2) {
        return Err(RequestFault::Http2);
    }
    if head.len() > MAX_HEAD_BYTES {
        return Err(RequestFault::TooLong);
    }
    lines(head)?;
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(head) {
        Ok(httparse::Status::Complete(length)) => length,
        Err(httparse::Error::TooManyHeaders) => return Err(RequestFault::TooLong),
        Ok(httparse::Status::Partial) | Err(_) => return Err(RequestFault::Syntax),
    };
    let (Some(method), Some(path), Some(minor)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err(RequestFault::Syntax);
    };
    // What is here and not in the head would be in the next request.
    if length != head.len() || method.is_empty() {
        return Err(RequestFault::Syntax);
    }
    let target = target(method, path)?;
    let mut found = Found::default();
    for header in parsed.headers.iter() {
        found.header(header.name, header.value)?;
    }
    let framing = found.framing(minor)?;
    // Nothing is said in HTTP/1.0 of what it keeps open.
    let persistence = match found.closes || minor == 0 {
        true => Persistence::Close,
        false => Persistence::KeepAlive,
    };
    Ok(RequestHead {
        method: method.into(),
        target,
        host: found.host.ok_or(RequestFault::Host)?,
        framing,
        persistence,
        headers: found.headers,
    })
}

/// Every line ends in CR LF, the last is empty and the only one; no line goes on in the next.
fn lines(head: &[u8]) -> Result<(), RequestFault> {
    let bare = |pair: &[u8]| {
        matches!(pair, [before, b'\n'] if *before != b'\r')
            || matches!(pair, [b'\r', after] if *after != b'\n')
    };
    if head.first() == Some(&b'\n') || head.windows(2).any(bare) {
        return Err(RequestFault::LineEnd);
    }
    let folded = |three: &[u8]| matches!(three, b"\r\n " | b"\r\n\t");
    if head.windows(3).any(folded) {
        return Err(RequestFault::LineEnd);
    }
    // Parsers skip empty lines before a request, and differ in how many.
    match head.first().is_some_and(|first| is_token(*first)) {
        true => Ok(()),
        false => Err(RequestFault::Syntax),
    }
}

fn target(method: &str, written: &str) -> Result<RequestTarget, RequestFault> {
    if method == CONNECT {
        return Err(RequestFault::Connect);
    }
    // Control characters and spaces are not read as a part of it before this.
    if !written
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'#')
    {
        return Err(RequestFault::Target);
    }
    if written.starts_with('/') {
        return Ok(RequestTarget::Origin(written.into()));
    }
    if written == "*" && method == "OPTIONS" {
        return Ok(RequestTarget::Asterisk);
    }
    let (scheme, rest) = scheme(written).ok_or(RequestFault::Target)?;
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    let path = match path.starts_with('/') {
        true => path.to_owned(),
        false => format!("/{path}"),
    };
    let authority = Authority::parse(authority).map_err(|_| RequestFault::Target)?;
    Ok(RequestTarget::Absolute {
        scheme,
        authority,
        path,
    })
}

fn scheme(written: &str) -> Option<(Scheme, &str)> {
    let (name, rest) = written.split_once("://")?;
    let scheme = [("http", Scheme::Http), ("https", Scheme::Https)];
    let (_, scheme) = scheme
        .iter()
        .find(|(known, _)| name.eq_ignore_ascii_case(known))?;
    Some((*scheme, rest))
}

/// What the headers say together.
#[derive(Default)]
struct Found {
    host: Option<Authority>,
    length: Option<u64>,
    is_chunked: bool,
    closes: bool,
    headers: Vec<(String, Vec<u8>)>,
}

impl Found {
    fn header(&mut self, name: &str, value: &[u8]) -> Result<(), RequestFault> {
        if value
            .iter()
            .any(|byte| byte.is_ascii_control() && *byte != b'\t')
        {
            return Err(RequestFault::Syntax);
        }
        match role(name)? {
            Role::Plain => self.headers.push((name.into(), value.into())),
            Role::Host => self.host(value)?,
            Role::Length => self.length(value)?,
            Role::Encoding => self.encoding(value)?,
            Role::Connection => self.connection(value)?,
            Role::Expect => {
                if !value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(RequestFault::Hop);
                }
                self.headers.push((name.into(), value.into()));
            }
            Role::Upgrade => return Err(RequestFault::Upgrade),
            Role::Hop => {}
        }
        Ok(())
    }

    fn host(&mut self, value: &[u8]) -> Result<(), RequestFault> {
        let text = std::str::from_utf8(value).map_err(|_| RequestFault::Host)?;
        let host = Authority::parse(text).map_err(|_| RequestFault::Host)?;
        match self.host.replace(host) {
            None => Ok(()),
            Some(_) => Err(RequestFault::Host),
        }
    }

    fn length(&mut self, value: &[u8]) -> Result<(), RequestFault> {
        let plain =
            (1..=MAX_LENGTH_DIGITS).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
        let text = std::str::from_utf8(value).ok().filter(|_| plain);
        let length = text
            .and_then(|text| text.parse().ok())
            .ok_or(RequestFault::Framing)?;
        match self.length.replace(length) {
            None => Ok(()),
            Some(_) => Err(RequestFault::Framing),
        }
    }

    fn encoding(&mut self, value: &[u8]) -> Result<(), RequestFault> {
        if self.is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(RequestFault::Framing);
        }
        self.is_chunked = true;
        Ok(())
    }

    /// A header that it names would be taken off on the way; which those are must be plain from the head alone.
    fn connection(&mut self, value: &[u8]) -> Result<(), RequestFault> {
        for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            match option.to_ascii_lowercase().as_slice() {
                b"close" => self.closes = true,
                b"keep-alive" | b"te" | b"" => {}
                b"upgrade" | b"http2-settings" => return Err(RequestFault::Upgrade),
                _ => return Err(RequestFault::Hop),
            }
        }
        Ok(())
    }

    fn framing(&self, minor: u8) -> Result<Framing, RequestFault> {
        match (self.length, self.is_chunked) {
            (Some(_), true) => Err(RequestFault::Framing),
            // HTTP/1.0 has no chunks.
            (None, true) if minor == 0 => Err(RequestFault::Framing),
            (None, true) => Ok(Framing::Chunked),
            (Some(length), false) => Ok(Framing::Length(length)),
            (None, false) => Ok(Framing::None),
        }
    }
}

fn role(name: &str) -> Result<Role, RequestFault> {
    let lower = name.to_ascii_lowercase();
    let of = |name: &str| {
        ROLES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, role)| *role)
    };
    match of(&lower) {
        Some(role) => Ok(role),
        // Servers that hand headers on as variables read `_` as `-`.
        None if lower.contains('_') && of(&lower.replace('_', "-")).is_some() => {
            Err(RequestFault::Framing)
        }
        None => Ok(Role::Plain),
    }
}
