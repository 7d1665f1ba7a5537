//! Where to listen, as people write it.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// An address to listen at. A port alone is that of 127.0.0.1: what other machines reach is written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen(pub SocketAddr);

/// Text that is no address to listen at.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is no address to listen at; use PORT, localhost:PORT, ADDRESS:PORT or [IPV6]:PORT, e.g. 8080 or 0.0.0.0:8080"
)]
pub struct NoAddress(String);

impl FromStr for Listen {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Listen, NoAddress> {
        let loopback = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        if let Ok(address) = text.parse() {
            return Ok(Listen(address));
        }
        let port = match text.rsplit_once(':') {
            None => text,
            Some((host, port)) if host.is_empty() || host.eq_ignore_ascii_case("localhost") => port,
            Some(_) => return Err(NoAddress(text.into())),
        };
        match port.parse() {
            Ok(port) => Ok(Listen(loopback(port))),
            Err(_) => Err(NoAddress(text.into())),
        }
    }
}

/// As a configuration has it.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Written {
    Port(u16),
    Text(String),
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    let custom = <D::Error as serde::de::Error>::custom::<NoAddress>;
    let text = match Written::deserialize(from) {
        Ok(Written::Port(port)) => port.to_string(),
        Ok(Written::Text(text)) => text,
        Err(_) => return Err(custom(NoAddress("this".into()))),
    };
    text.parse().map(|Listen(address)| address).map_err(custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_the_loopbacks() {
        for (text, address) in [
            ("8090", "127.0.0.1:8090"),
            (":8090", "127.0.0.1:8090"),
            ("localhost:8090", "127.0.0.1:8090"),
            ("LOCALHOST:0", "127.0.0.1:0"),
            ("[::1]:8090", "[::1]:8090"),
            ("0.0.0.0:8090", "0.0.0.0:8090"),
        ] {
            let Listen(read) = text.parse().unwrap();
            assert_eq!(read.to_string(), address, "{text}");
        }
        for text in ["", "host:80", "70000", "127.0.0.1", "::1", "localhost:"] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }
}
