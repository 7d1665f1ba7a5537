//! Where a connection is to: a name or an address, and a port.

use crate::name::{HostName, NameError};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a connection is to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// A name.
    Name(HostName),
    /// An address, in its usual spelling; others are [`NameError::Address`].
    Address(IpAddr),
}

impl Target {
    /// Reads a name or an address; an IPv6 address in brackets, too.
    pub fn parse(written: &str) -> Result<Target, NameError> {
        Target::from_bytes(written.as_bytes())
    }

    /// The same of bytes from a wire.
    pub fn from_bytes(written: &[u8]) -> Result<Target, NameError> {
        let address = std::str::from_utf8(written).ok().and_then(address);
        match address {
            Some(address) => Ok(Target::Address(address)),
            None => HostName::from_bytes(written).map(Target::Name),
        }
    }
}

fn address(written: &str) -> Option<IpAddr> {
    if let Some(inner) = written.strip_prefix('[') {
        return Some(IpAddr::V6(
            inner.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?,
        ));
    }
    let v4 = written.parse::<Ipv4Addr>().map(IpAddr::V4);
    v4.or_else(|_| written.parse::<Ipv6Addr>().map(IpAddr::V6))
        .ok()
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Name(name) => write!(f, "{name}"),
            Target::Address(address) => write!(f, "{address}"),
        }
    }
}

/// `host` or `host:port`, as in Host, CONNECT and absolute URIs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Authority {
    /// The host.
    pub host: Target,
    /// The port, 1 to 65535; absent: the scheme's.
    pub port: Option<u16>,
}

/// Why a text is no authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// The host.
    #[error("the host {0}")]
    Host(#[from] NameError),
    /// Not 1 to 65535 in plain digits.
    #[error("the port is no number from 1 to 65535")]
    Port,
}

impl Authority {
    /// Reads it; a user's name in it is refused with the rest that no host's name has.
    pub fn parse(written: &str) -> Result<Authority, AuthorityError> {
        let (host, port) = match written.rsplit_once(':') {
            // An IPv6 address has colons of its own, and needs brackets here.
            Some((host, port)) if !port.ends_with(']') => (host, Some(parse_port(port)?)),
            _ => (written, None),
        };
        if host.contains(':') && !host.starts_with('[') {
            return Err(NameError::Character.into());
        }
        let host = Target::parse(host)?;
        Ok(Authority { host, port })
    }
}

fn parse_port(written: &str) -> Result<u16, AuthorityError> {
    let plain =
        (1..=5).contains(&written.len()) && written.bytes().all(|byte| byte.is_ascii_digit());
    let port = plain.then(|| written.parse().ok()).flatten();
    port.filter(|port| *port != 0).ok_or(AuthorityError::Port)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

    use super::*;

    #[test]
    fn hosts_and_ports() {
        for (written, host, port) in [
            ("example.com", "example.com", None),
            ("Example.com.:8443", "example.com", Some(8443)),
            ("127.0.0.1:80", "127.0.0.1", Some(80)),
            ("[::1]:443", "::1", Some(443)),
            ("[::1]", "::1", None),
        ] {
            let authority = Authority::parse(written).unwrap();
            assert_eq!(
                (authority.host.to_string().as_str(), authority.port),
                (host, port),
                "{written}"
            );
        }
        assert_eq!(
            Target::parse("::1"),
            Ok(Target::Address(Ipv6Addr::LOCALHOST.into()))
        );
    }

    #[test]
    fn what_is_no_authority() {
        let host = |error| AuthorityError::Host(error);
        for (written, error) in [
            ("", host(NameError::Empty)),
            (":443", host(NameError::Empty)),
            ("example.com:", AuthorityError::Port),
            ("example.com:0", AuthorityError::Port),
            ("example.com:65536", AuthorityError::Port),
            ("example.com:+443", AuthorityError::Port),
            ("example.com:443 ", AuthorityError::Port),
            ("example.com:000443", AuthorityError::Port),
            ("user@example.com", host(NameError::Character)),
            ("user:pass@example.com:443", host(NameError::Character)),
            ("example.com:443:443", host(NameError::Character)),
            ("::1", host(NameError::Character)),
            ("[::1%25eth0]:443", host(NameError::Character)),
            ("[::1", host(NameError::Character)),
            ("2130706433:80", host(NameError::Address)),
            ("0x7f.1:80", host(NameError::Address)),
            ("0177.0.0.1", host(NameError::Address)),
        ] {
            assert_eq!(Authority::parse(written), Err(error), "{written:?}");
        }
    }
}
