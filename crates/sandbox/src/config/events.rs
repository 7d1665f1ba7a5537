//! Where events go, and how much of them is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where events go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EventsConfig {
    /// A file of JSON lines; absent: none (the service has its own audit log).
    pub file: Option<PathBuf>,
    /// Also to standard error.
    pub stderr: bool,
    /// The file's size at which it is turned over, in bytes; one old file is kept.
    pub max_bytes: u64,
}

impl Default for EventsConfig {
    fn default() -> Self {
        EventsConfig {
            file: None,
            stderr: false,
            max_bytes: 64 * 1024 * 1024,
        }
    }
}
