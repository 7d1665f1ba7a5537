//! Addresses: of the service, and of what is in it.

use super::service::ServiceError;
use std::fmt::Write as _;
use ureq::http::Uri;

/// Where a service is that nobody named, as `serve` listens when nothing is configured.
pub const DEFAULT: &str = "http://127.0.0.1:8080";

/// A service's address: `http` or `https`, a host, perhaps a port and a path before ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Without a slash at its end.
    pub text: String,
    /// `https`.
    pub tls: Tls,
    /// Without an IPv6 address' brackets.
    pub host: String,
    /// The named one, or the scheme's.
    pub port: u16,
}

/// Whether what is said to a service can be read on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// `https`.
    On,
    /// `http`.
    Off,
}

impl Base {
    /// Reads an address; an empty one is as none.
    pub fn of(text: Option<&str>) -> Result<Base, ServiceError> {
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        let text = text.unwrap_or(DEFAULT).trim_end_matches('/');
        parse(text).ok_or_else(|| ServiceError::Address(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Base> {
    let uri: Uri = text.parse().ok()?;
    let (tls, default_port) = match uri.scheme_str()? {
        "http" => (Tls::Off, 80),
        "https" => (Tls::On, 443),
        _ => return None,
    };
    let authority = uri.authority()?.as_str();
    let host = uri.host()?.trim_matches(['[', ']']).to_owned();
    let plain = !authority.contains('@') && uri.query().is_none() && !host.is_empty();
    plain.then(|| Base {
        text: text.to_owned(),
        tls,
        host,
        port: uri.port_u16().unwrap_or(default_port),
    })
}

/// A text as one part of an address' path or query: all but letters, digits, `-`, `_`, `.` and `~` by their numbers.
pub fn part(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(byte.into());
            }
            // To a string it cannot fail.
            _ => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

/// The path of a sandbox.
pub fn sandbox(id: &str) -> String {
    format!("/api/v1/sandboxes/{}", part(id))
}

/// The path of a process in a sandbox.
pub fn process(id: &str, process: u32) -> String {
    format!("{}/processes/{process}", sandbox(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_host() {
        for (text, host, port) in [
            (None, "127.0.0.1", 8080),
            (Some(""), "127.0.0.1", 8080),
            (Some("http://localhost:9/"), "localhost", 9),
            (Some("https://vm.example/api/"), "vm.example", 443),
            (Some("http://[::1]:80"), "::1", 80),
        ] {
            let base = Base::of(text).unwrap();
            assert_eq!((base.host.as_str(), base.port), (host, port), "{text:?}");
            assert!(!base.text.ends_with('/'));
        }
        for wrong in [
            "localhost:8080",
            "127.0.0.1",
            "ftp://x",
            "http://",
            "http://a:b@c",
            "http://a?b",
            "http://a b",
        ] {
            assert!(Base::of(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_part_of_an_address_stays_one() {
        assert_eq!(
            part("/work/a b+ü&x=1%?#"),
            "%2Fwork%2Fa%20b%2B%C3%BC%26x%3D1%25%3F%23"
        );
        assert_eq!(process("../x", 7), "/api/v1/sandboxes/..%2Fx/processes/7");
    }
}
