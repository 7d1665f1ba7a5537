//! What a rule says of a host: one name, or all below one.

use super::{HostName, NameError};
use psl::Psl as _;
use std::fmt;

/// Begins a pattern of all names below one.
const WILDCARD: &str = "*.";

/// One name, or all names below one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HostPattern {
    /// This name alone.
    Exact(HostName),
    /// Every name with one label or more before this one, and not this one itself.
    Below(HostName),
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Not a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A `*` anywhere but alone in front.
    #[error(
        "has a * that is not its whole first label; write *.example.com for all names below example.com"
    )]
    Wildcard,
    /// All names below what strangers register names under.
    #[error(
        "is for all names below {suffix}, under which anybody can have one; list the names that are meant"
    )]
    PublicSuffix {
        /// The suffix.
        suffix: HostName,
    },
}

impl HostPattern {
    /// Reads a pattern as an operator wrote it.
    pub fn parse(written: &str) -> Result<HostPattern, PatternError> {
        let Some(base) = written.strip_prefix(WILDCARD) else {
            if written.contains('*') {
                return Err(PatternError::Wildcard);
            }
            return Ok(HostPattern::Exact(HostName::parse(written)?));
        };
        if base.contains('*') {
            return Err(PatternError::Wildcard);
        }
        let base = HostName::parse(base)?;
        match is_public_suffix(&base) {
            true => Err(PatternError::PublicSuffix { suffix: base }),
            false => Ok(HostPattern::Below(base)),
        }
    }

    /// Whether it is for this name.
    pub fn matches(&self, name: &HostName) -> bool {
        match self {
            HostPattern::Exact(own) => own == name,
            HostPattern::Below(base) => {
                let labels = name.as_str().strip_suffix(base.as_str());
                labels.is_some_and(|labels| labels.len() > 1 && labels.ends_with('.'))
            }
        }
    }

    /// The more of a name it fixes, the higher: of patterns that match a name, the highest is the one that was meant for it.
    pub fn precision(&self) -> usize {
        match self {
            HostPattern::Exact(_) => usize::MAX,
            HostPattern::Below(base) => base.as_str().len(),
        }
    }
}

/// By the Public Suffix List, its private part (`github.io`) included; a single label that it has not counts, too.
fn is_public_suffix(name: &HostName) -> bool {
    let bytes = name.as_str().as_bytes();
    psl::List
        .suffix(bytes)
        .is_none_or(|suffix| suffix.as_bytes() == bytes)
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostPattern::Exact(name) => write!(f, "{name}"),
            HostPattern::Below(base) => write!(f, "{WILDCARD}{base}"),
        }
    }
}
