//! Names of hosts: one spelling each, and none that is an address.

mod pattern;

pub use pattern::{HostPattern, PatternError};

use crate::reason::Reason;
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;
use std::sync::Arc;

/// Bytes of a name, without the root's dot (RFC 1035).
pub const MAX_NAME_BYTES: usize = 253;
/// Bytes of one of its labels (RFC 1035).
pub const MAX_LABEL_BYTES: usize = 63;
/// Bytes that are looked at: a name in Unicode is at most four times as long as it is in DNS.
const MAX_WRITTEN_BYTES: usize = 4 * MAX_NAME_BYTES;

/// A host's name in its canonical spelling: lower case, A-labels, no dot at the end. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostName(Arc<str>);

/// Why a text is no host's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or the root's dot alone.
    #[error("is empty")]
    Empty,
    /// Over [`MAX_NAME_BYTES`].
    #[error("is over {MAX_NAME_BYTES} bytes")]
    TooLong,
    /// A label without a byte, or over [`MAX_LABEL_BYTES`].
    #[error("has a label that is empty or over {MAX_LABEL_BYTES} bytes")]
    Label,
    /// Anything but letters, digits, `-`, `_` and dots between labels.
    #[error("has a character that no host's name has")]
    Character,
    /// Not UTF-8, or no valid international name (UTS 46).
    #[error("is no valid international name")]
    Idna,
    /// An address, or what a resolver might take for one.
    #[error("is an address, and only names can be listed and reached")]
    Address,
}

impl NameError {
    /// The reason for refusing a connection to it.
    pub fn reason(self) -> Reason {
        match self {
            NameError::Address => Reason::AddressLiteral,
            _ => Reason::NameMalformed,
        }
    }
}

impl HostName {
    /// Reads a name as anybody may have written it.
    pub fn parse(written: &str) -> Result<HostName, NameError> {
        HostName::from_bytes(written.as_bytes())
    }

    /// The same of bytes from a wire.
    pub fn from_bytes(written: &[u8]) -> Result<HostName, NameError> {
        if written.len() > MAX_WRITTEN_BYTES {
            return Err(NameError::TooLong);
        }
        if looks_like_ipv6(written) {
            return Err(NameError::Address);
        }
        // Before the rules of international names fold some of them into others.
        if written
            .iter()
            .any(|byte| byte.is_ascii() && !is_written(*byte))
        {
            return Err(NameError::Character);
        }
        let ascii = to_ascii(written)?;
        let name = ascii.strip_suffix('.').unwrap_or(&ascii);
        check(name)?;
        Ok(HostName(name.into()))
    }

    /// The canonical spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// In A-labels and lower case.
fn to_ascii(written: &[u8]) -> Result<Cow<'_, str>, NameError> {
    // Length and labels are judged below, with reasons of their own; hyphens stand where they may not in names that exist.
    Uts46::new()
        .to_ascii(
            written,
            AsciiDenyList::URL,
            Hyphens::Allow,
            DnsLength::Ignore,
        )
        .map_err(|_| NameError::Idna)
}

fn check(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong);
    }
    if !name.bytes().all(|byte| is_canonical(byte) || byte == b'.') {
        return Err(NameError::Character);
    }
    let fits = |label: &str| (1..=MAX_LABEL_BYTES).contains(&label.len());
    if !name.split('.').all(fits) {
        return Err(NameError::Label);
    }
    if ends_in_a_number(name) {
        return Err(NameError::Address);
    }
    Ok(())
}

fn is_written(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

fn is_canonical(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
}

/// In brackets or bare; with a zone it is malformed, not an address.
fn looks_like_ipv6(written: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(written) else {
        return false;
    };
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(text).parse::<Ipv6Addr>().is_ok()
}

/// Whether a C library or a browser reads it as an IPv4 address (`127.1`, `2130706433`, `0x7f.1`, `0177.0.0.1`): it ends
/// in a number, and no top-level domain is one.
fn ends_in_a_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let all_digits = last.bytes().all(|byte| byte.is_ascii_digit());
    let hex = last.strip_prefix("0x");
    all_digits || hex.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
