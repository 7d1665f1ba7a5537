//! Digests as OCI writes them, and readers that hold what they read against one.

use crate::oci::error::OciError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

const PREFIX: &str = "sha256:";

/// A SHA-256; no other is taken, for registries give no other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Digest(String);

impl Digest {
    /// Of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Digest {
        Digest(hex::encode(Sha256::digest(bytes)))
    }

    pub(crate) fn of_hash(hasher: Sha256) -> Digest {
        Digest(hex::encode(hasher.finalize()))
    }

    /// Lower-case hex, safe as a name of a file.
    pub(crate) fn hex(&self) -> &str {
        &self.0
    }

    /// Refuses bytes that have another digest; `what` says which bytes they are.
    pub(crate) fn check(&self, what: &str, bytes: &[u8]) -> Result<(), OciError> {
        self.check_found(what, &Digest::of(bytes))
    }

    pub(crate) fn check_found(&self, what: &str, found: &Digest) -> Result<(), OciError> {
        match found == self {
            true => Ok(()),
            false => Err(OciError::Digest {
                what: what.to_owned(),
                expected: self.to_string(),
                found: found.to_string(),
            }),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}{}", self.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Digest, String> {
        let digits = text.strip_prefix(PREFIX).unwrap_or_default();
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match digits.len() == 64 && digits.bytes().all(digit) {
            true => Ok(Digest(digits.to_owned())),
            false => Err(format!(
                "{:?} is no digest of the form sha256: and 64 lower-case hex digits",
                text.chars().take(100).collect::<String>()
            )),
        }
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}
