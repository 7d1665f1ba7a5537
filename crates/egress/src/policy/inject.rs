//! A secret that a rule puts into requests: which header, and where the host finds its value.

use super::fault::Why;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// Headers that say how a request is read or whose it is, which no rule may set.
pub const FORBIDDEN_HEADERS: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Bytes of a header's name.
const MAX_HEADER_BYTES: usize = 128;
/// Bytes of what stands before a secret.
const MAX_PREFIX_BYTES: usize = 128;
/// Bytes of the name of a variable or a file.
const MAX_SOURCE_BYTES: usize = 4096;

/// A header that is put into each request, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InjectConfig {
    /// The header's name, at most 128 bytes.
    pub header: String,
    /// Where the value is: `env:NAME`, a variable of the service, or `file:PATH`, an absolute path.
    pub value_from: String,
    /// What stands before the value, at most 128 bytes.
    #[serde(default)]
    pub prefix: String,
}

/// A header that is put into each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inject {
    /// In lower case.
    pub header: String,
    /// Where the value is.
    pub source: SecretSource,
    /// What stands before it.
    pub prefix: String,
}

/// Where a secret is; its value is never part of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SecretSource {
    /// A variable of the service.
    Env(String),
    /// An absolute path on the host.
    File(PathBuf),
}

impl SecretSource {
    /// Reads `env:NAME` or `file:PATH`.
    pub fn parse(written: &str) -> Option<SecretSource> {
        let (kind, place) = written.split_once(':')?;
        if place.len() > MAX_SOURCE_BYTES || place.contains(char::is_control) {
            return None;
        }
        match kind {
            "env" => is_variable(place).then(|| SecretSource::Env(place.into())),
            "file" => place
                .starts_with('/')
                .then(|| SecretSource::File(place.into())),
            _ => None,
        }
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::Env(name) => write!(f, "env:{name}"),
            SecretSource::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

fn is_variable(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(word) && name.starts_with(|c: char| !c.is_ascii_digit())
}

impl Inject {
    /// Reads one; every fault is told.
    pub(super) fn compile(written: &InjectConfig) -> Result<Inject, Vec<Why>> {
        let mut faults = Vec::new();
        let header = written.header.to_ascii_lowercase();
        if header.is_empty()
            || header.len() > MAX_HEADER_BYTES
            || !header.bytes().all(crate::wire::is_token)
        {
            faults.push(Why::Header);
        } else if FORBIDDEN_HEADERS.contains(&header.as_str()) {
            faults.push(Why::HeaderForbidden {
                header: header.clone(),
            });
        }
        let plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        if written.prefix.len() > MAX_PREFIX_BYTES || !written.prefix.bytes().all(plain) {
            faults.push(Why::Prefix);
        }
        let source = SecretSource::parse(&written.value_from);
        if source.is_none() {
            faults.push(Why::Source);
        }
        match source {
            Some(source) if faults.is_empty() => Ok(Inject {
                header,
                source,
                prefix: written.prefix.clone(),
            }),
            _ => Err(faults),
        }
    }

    /// The header's value with this secret; `None` where the secret is empty or has what no header may have.
    pub fn value(&self, secret: &[u8]) -> Option<Vec<u8>> {
        let secret = secret.trim_ascii_end();
        let fits = |byte: &u8| *byte == b' ' || byte.is_ascii_graphic();
        if secret.is_empty() || !secret.iter().all(fits) {
            return None;
        }
        Some([self.prefix.as_bytes(), secret].concat())
    }
}
