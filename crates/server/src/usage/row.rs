//! What one key used, in a day or longer.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What was used. Numbers only grow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UsageRow {
    /// Jobs that ended, by status; programs of sessions are jobs.
    pub jobs: BTreeMap<String, u64>,
    /// Seconds that jobs had their VMs, starts included.
    #[serde(serialize_with = "protocol::result::micros")]
    pub wall_seconds: f64,
    /// CPU seconds of jobs.
    #[serde(serialize_with = "protocol::result::micros")]
    pub cpu_seconds: f64,
    /// Memory of VMs times the seconds that they were held, of jobs, sessions and sandboxes, in GiB seconds.
    #[serde(serialize_with = "protocol::result::micros")]
    pub memory_gib_seconds: f64,
    /// Bytes that jobs printed and left as files, as far as they were answered.
    pub output_bytes: u64,
    /// Requests that were refused, by code.
    pub refusals: BTreeMap<String, u64>,
    /// Sessions and sandboxes that were given a place, to begin or to go on after a pause.
    pub sandboxes: u64,
    /// Seconds that these held their VMs.
    #[serde(serialize_with = "protocol::result::micros")]
    pub sandbox_seconds: f64,
}

impl UsageRow {
    /// A refusal with this code.
    pub fn refusal(code: &str) -> UsageRow {
        UsageRow {
            refusals: [(code.to_owned(), 1)].into(),
            ..UsageRow::default()
        }
    }

    /// Adds what another says.
    pub fn add(&mut self, other: &UsageRow) {
        for (into, from) in [
            (&mut self.jobs, &other.jobs),
            (&mut self.refusals, &other.refusals),
        ] {
            for (name, count) in from {
                let own = into.entry(name.clone()).or_default();
                *own = own.saturating_add(*count);
            }
        }
        self.wall_seconds += other.wall_seconds;
        self.cpu_seconds += other.cpu_seconds;
        self.memory_gib_seconds += other.memory_gib_seconds;
        self.output_bytes = self.output_bytes.saturating_add(other.output_bytes);
        self.sandboxes = self.sandboxes.saturating_add(other.sandboxes);
        self.sandbox_seconds += other.sandbox_seconds;
    }
}
