//! Everything that a clone depends on: change any, and it is another snapshot.

use crate::materials::{Materials, Shape};
use protocol::language::Language;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vmm::EngineIdentity;

/// Changes when the way in which snapshots are made changes.
const FORMAT: u32 = 3;

/// Everything that a snapshot depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotKey {
    format: u32,
    /// Whose interpreter is loaded.
    pub language: Language,
    /// Of the language's row: a template ran its warm-up and loaded its interpreter.
    row_sha256: String,
    image_sha256: String,
    kernel_sha256: String,
    /// Agent and modules together.
    initramfs_sha256: String,
    engine: EngineIdentity,
    /// RAM of the VM, in MiB.
    pub memory_mib: u32,
    /// Its virtual CPUs.
    pub vcpus: u32,
}

impl SnapshotKey {
    /// The key of a VM made of these.
    pub fn new(
        language: Language,
        shape: Shape,
        materials: &Materials,
        engine: &EngineIdentity,
    ) -> SnapshotKey {
        SnapshotKey {
            format: FORMAT,
            language,
            row_sha256: language.digest().to_owned(),
            image_sha256: materials.rootfs.sha256.clone(),
            kernel_sha256: materials.kernel.sha256.clone(),
            initramfs_sha256: materials.initramfs.sha256.clone(),
            engine: engine.clone(),
            memory_mib: shape.memory_mib,
            vcpus: shape.vcpus,
        }
    }

    /// The snapshot's folder name.
    pub fn id(&self) -> String {
        // The key is plain data: it always serialises.
        let text = serde_json::to_vec(self).unwrap_or_default();
        let digest = hex::encode(Sha256::digest(text));
        format!("{}-{}", self.language, &digest[..16])
    }
}
