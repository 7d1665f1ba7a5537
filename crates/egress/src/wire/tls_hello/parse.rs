//! The body of a ClientHello (RFC 8446, 4.1.2). Every length must fit exactly, and nothing may be there twice.

use super::{Alpn, Hello, Sni};
use crate::name::HostName;

const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
/// ECH as it was published, its drafts (0xfe08 on), its inner hello's list, and ESNI before it.
const ENCRYPTED: [std::ops::RangeInclusive<u16>; 3] =
    [0xfe08..=0xfe0d, 0xfd00..=0xfd00, 0xffce..=0xffce];
const HOST_NAME: u8 = 0;
/// Bytes of a session's id.
const MAX_SESSION_BYTES: usize = 32;
/// Extensions of one hello. Usual ones have a dozen; the list of those that were seen is looked through for each.
const MAX_EXTENSIONS: usize = 128;

/// Reads one; `None`: it is malformed.
pub fn hello(body: &[u8]) -> Option<Hello> {
    let mut rest = Bytes(body);
    rest.take(2 + 32)?;
    let session = rest.with_u8_length()?;
    let suites = rest.with_u16_length()?;
    let compressions = rest.with_u8_length()?;
    let fits = session.0.len() <= MAX_SESSION_BYTES
        && !suites.0.is_empty()
        && suites.0.len().is_multiple_of(2);
    if !fits || compressions.0.is_empty() {
        return None;
    }
    let mut hello = Hello {
        sni: Sni::Missing,
        alpn: Alpn::default(),
        encrypted: false,
    };
    // TLS 1.2 may do without extensions.
    if rest.0.is_empty() {
        return Some(hello);
    }
    let mut extensions = rest.with_u16_length()?;
    let mut seen = Vec::new();
    while !extensions.0.is_empty() {
        let kind = extensions.u16()?;
        let content = extensions.with_u16_length()?;
        if seen.contains(&kind) || seen.len() == MAX_EXTENSIONS {
            return None;
        }
        seen.push(kind);
        match kind {
            SERVER_NAME => hello.sni = server_name(content)?,
            ALPN => hello.alpn = alpn(content)?,
            _ if ENCRYPTED.iter().any(|kinds| kinds.contains(&kind)) => hello.encrypted = true,
            _ => {}
        }
    }
    rest.0.is_empty().then_some(hello)
}

/// One name, and it is a host's: no other kind was ever defined.
fn server_name(mut content: Bytes<'_>) -> Option<Sni> {
    let mut list = content.with_u16_length()?;
    let kind = list.take(1)?;
    let name = list.with_u16_length()?;
    if kind != [HOST_NAME] || !list.0.is_empty() || !content.0.is_empty() {
        return None;
    }
    Some(HostName::from_bytes(name.0).map_or_else(Sni::Invalid, Sni::Name))
}

fn alpn(mut content: Bytes<'_>) -> Option<Alpn> {
    let mut list = content.with_u16_length()?;
    if list.0.is_empty() || !content.0.is_empty() {
        return None;
    }
    let mut alpn = Alpn {
        is_offered: true,
        ..Alpn::default()
    };
    while !list.0.is_empty() {
        match list.with_u8_length()?.0 {
            [] => return None,
            b"http/1.1" => alpn.has_http1 = true,
            b"h2" => alpn.has_http2 = true,
            _ => {}
        }
    }
    Some(alpn)
}

/// Bytes that are not yet read.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        Some(u16::from_be_bytes(bytes.try_into().ok()?))
    }

    fn with_u8_length(&mut self) -> Option<Bytes<'a>> {
        let length = *self.take(1)?.first()?;
        self.take(usize::from(length)).map(Bytes)
    }

    fn with_u16_length(&mut self) -> Option<Bytes<'a>> {
        let length = self.u16()?;
        self.take(usize::from(length)).map(Bytes)
    }
}
