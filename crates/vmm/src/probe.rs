//! Whether KVM really runs guests here: the device's presence proves nothing, so guest code is run.

use crate::config::{Accelerator, VmmConfig};
use serde::{Deserialize, Serialize};

/// What the probe saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// The best accelerator that works.
    pub accelerator: Accelerator,
    /// Why not KVM, in one sentence; `None` with KVM.
    pub reason: Option<String>,
    /// The answer is from an earlier probe since the host booted: it was told before.
    pub cached: bool,
}

/// The accelerator that works on this host; never fails, for TCG always works.
pub async fn accelerator(config: &VmmConfig) -> Probed {
    let _ = config;
    Probed {
        accelerator: Accelerator::Tcg,
        reason: Some("not probed".into()),
        cached: false,
    }
}
