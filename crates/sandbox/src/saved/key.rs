//! What a saved VM depends on: where one differs, it would break, so it does not go on.
//!
//! Its kernel and its agent are in its memory: a new release with another agent still takes it up, as long as both speak the
//! same protocol.

use super::error::SavedError;
use crate::materials::Shape;
use protocol::wire::PROTOCOL_VERSION;
use serde::{Deserialize, Serialize};
use vmm::EngineIdentity;

/// What a saved VM depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedKey {
    /// What its agent speaks.
    protocol: u32,
    /// Which VMM, its version, what runs the guest, and the CPU that the guest sees.
    engine: String,
    version: String,
    accelerator: String,
    cpu_model: String,
    /// Its root file system.
    image_sha256: String,
    /// Its memory, in MiB, and its CPUs.
    memory_mib: u32,
    vcpus: u32,
}

impl SavedKey {
    /// Of a VM of this size and image.
    pub fn new(shape: Shape, image_sha256: &str, engine: &EngineIdentity) -> SavedKey {
        SavedKey {
            protocol: PROTOCOL_VERSION,
            engine: engine.kind.to_string(),
            version: engine.version.clone(),
            accelerator: engine.accelerator_name(),
            cpu_model: engine.cpu_model.clone(),
            image_sha256: image_sha256.to_owned(),
            memory_mib: shape.memory_mib,
            vcpus: shape.vcpus,
        }
    }

    /// Refuses where a VM of this key would be another.
    pub fn check(&self, now: &SavedKey) -> Result<(), SavedError> {
        let [was, is] = [self, now].map(SavedKey::parts);
        let differs = was.into_iter().zip(is).find(|(was, is)| was != is);
        match differs {
            None => Ok(()),
            Some(((what, was), (_, now))) => Err(SavedError::Another { what, was, now }),
        }
    }

    fn parts(&self) -> [(&'static str, String); 8] {
        [
            ("the engine", self.engine.clone()),
            ("the engine's version", self.version.clone()),
            ("the accelerator", self.accelerator.clone()),
            ("the CPU", self.cpu_model.clone()),
            ("the agent's protocol", self.protocol.to_string()),
            ("the image's digest", self.image_sha256.clone()),
            ("the memory in MiB", self.memory_mib.to_string()),
            ("the number of CPUs", self.vcpus.to_string()),
        ]
    }
}
