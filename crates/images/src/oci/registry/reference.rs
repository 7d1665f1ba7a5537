//! `registry/repository[:tag][@sha256:…]`.

use crate::oci::digest::Digest;
use std::fmt;
use std::net::Ipv6Addr;

const MAX_BYTES: usize = 512;
const DEFAULT_TAG: &str = "latest";
/// A name that is not the host it stands for, and that host.
const HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// Where that registry has what is nobody's in particular.
const HUB_OWN: &str = "library";

/// An image in a registry. A digest counts before a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// As it is written: a host, and a port.
    pub(crate) registry: String,
    pub(crate) repository: String,
    pub(crate) tag: Option<String>,
    pub(crate) digest: Option<Digest>,
}

impl Reference {
    pub(crate) fn parse(text: &str) -> Result<Reference, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("it is longer than {MAX_BYTES} bytes"));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(Digest::try_from(digest.to_owned())?)),
            None => (text, None),
        };
        let named = rest
            .split_once('/')
            .filter(|(registry, _)| is_registry(registry));
        let (registry, rest) = named.ok_or(
            "it has no registry; write registry/repository, as in docker.io/library/python:3.14",
        )?;
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (rest, None),
        };
        if repository.is_empty() {
            return Err("it has no repository".to_owned());
        }
        if !repository.split('/').all(is_repository_part) {
            return Err(
                "its repository has other than lower-case letters, digits and ._-".to_owned(),
            );
        }
        if !tag.is_none_or(is_tag) {
            return Err("its tag is none".to_owned());
        }
        let tag = match (&digest, tag) {
            (None, None) => Some(DEFAULT_TAG),
            (_, tag) => tag,
        };
        Ok(Reference {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest,
        })
    }

    /// The same with this digest in its tag's place.
    pub(crate) fn pinned(&self, digest: &Digest) -> String {
        format!("{}/{}@{digest}", self.registry, self.repository)
    }

    /// Where it is asked for: plain HTTP on this very host, TLS elsewhere.
    pub(crate) fn base(&self) -> String {
        let host = match self.registry == HUB.0 {
            true => HUB.1,
            false => &self.registry,
        };
        let scheme = if is_loopback(host) { "http" } else { "https" };
        format!("{scheme}://{host}/v2/{}", self.path())
    }

    /// The repository as its registry knows it.
    pub(crate) fn path(&self) -> String {
        match self.registry == HUB.0 && !self.repository.contains('/') {
            true => format!("{HUB_OWN}/{}", self.repository),
            false => self.repository.clone(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(formatter, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// A host with a dot or a port, or `localhost`: anything else would be a repository without a registry.
fn is_registry(text: &str) -> bool {
    let (host, port) = split_port(text);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    let name = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(plain),
    };
    let port_holds = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    name && port_holds && (host.contains(['.', '[']) || port.is_some() || host == "localhost")
}

fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    }
}

/// Whether a host, with or without a port, is this very one.
pub(crate) fn is_loopback(registry: &str) -> bool {
    let (host, _) = split_port(registry);
    let address = host.parse::<std::net::Ipv4Addr>();
    host == "localhost" || host == "[::1]" || address.is_ok_and(|address| address.is_loopback())
}

fn is_repository_part(part: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let plain = |byte: u8| letter(byte) || b"._-".contains(&byte);
    part.bytes().all(plain)
        && part.bytes().next().is_some_and(letter)
        && part.bytes().next_back().is_some_and(letter)
}

fn is_tag(tag: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let plain = |byte: u8| letter(byte) || b".-".contains(&byte);
    tag.len() <= 128 && tag.bytes().all(plain) && tag.bytes().next().is_some_and(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_host_alone() {
        for (text, expected) in [
            (
                "docker.io/python:3",
                "https://registry-1.docker.io/v2/library/python",
            ),
            ("docker.io/a/b", "https://registry-1.docker.io/v2/a/b"),
            (
                "registry.example/a/b/c",
                "https://registry.example/v2/a/b/c",
            ),
            ("localhost:5000/a", "http://localhost:5000/v2/a"),
            ("127.8.9.1:5000/a", "http://127.8.9.1:5000/v2/a"),
            ("[::1]:5000/a", "http://[::1]:5000/v2/a"),
            ("localhost.example/a", "https://localhost.example/v2/a"),
            ("127.0.0.1.example/a", "https://127.0.0.1.example/v2/a"),
        ] {
            assert_eq!(Reference::parse(text).unwrap().base(), expected);
        }
    }
}
