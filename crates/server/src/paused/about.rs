//! What is remembered of a saved sandbox beside its VM. Plain data, kept in the VM's record.

use crate::e2b::facts::HeldFacts;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What is remembered of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The id of the key whose it is.
    pub owner: String,
    /// What it is.
    pub kind: SavedKind,
    /// When its sandbox began.
    #[serde(with = "written")]
    pub created_at: Timestamp,
    /// When its time would have been up.
    #[serde(with = "written")]
    pub expires_at: Timestamp,
    /// Its total time and its idle time, as they were asked for.
    pub total: Duration,
    /// See `total`.
    pub idle: Duration,
    /// As it was sent.
    pub metadata: BTreeMap<String, String>,
    /// What it has besides where an E2B client made it.
    pub e2b: Option<HeldFacts>,
}

/// What a saved VM is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum SavedKind {
    /// A sandbox that goes on later.
    Sandbox,
    /// What others begin from.
    Snapshot {
        /// The sandbox that it is of.
        of: String,
        /// What its client calls it.
        name: Option<String>,
    },
    /// What others are being forked from.
    Forking,
}

/// A time as RFC 3339 has it.
mod written {
    use jiff::Timestamp;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}
