//! What lies where in a Firecracker's chroot, and what of it is whose.
//!
//! ```text
//! BASE/firecracker/ID/        root's, 0700; its name is the VM's and is never used twice
//!   root/                     the jailer makes it the VM's uid's; the rest of the host is not to be seen
//!     kernel initramfs rootfs   of a booted VM ─┐ empty files; the VM's own are mounted on them, read-only,
//!     rootfs memory state       of a clone ─────┘ in a mount namespace that ends with the jail; one
//!                               that stands by gets its mounts when it is known whose clone it becomes
//!     log metrics             named pipes, which the tool drains: they cannot grow
//!     api.sock v.sock         Firecracker makes them
//!     firecracker dev/ run/   the jailer makes them
//! ```

use crate::engine::{SnapshotFiles, VmSpec};
use std::path::{Path, PathBuf};

/// Names in the chroot. Relative: the jailer starts Firecracker in its root.
pub mod at {
    /// The guest's kernel.
    pub const KERNEL: &str = "kernel";
    /// Its initramfs.
    pub const INITRAMFS: &str = "initramfs";
    /// The root file system.
    pub const ROOTFS: &str = "rootfs";
    /// A clone's template: RAM.
    pub const MEMORY: &str = "memory";
    /// A clone's template: the devices' state.
    pub const STATE: &str = "state";
    /// A snapshot that is written: RAM.
    pub const SAVED_MEMORY: &str = "saved-memory";
    /// A snapshot that is written: the devices' state.
    pub const SAVED_STATE: &str = "saved-state";
    /// Firecracker's log.
    pub const LOG: &str = "log";
    /// Firecracker's metrics.
    pub const METRICS: &str = "metrics";
    /// The API's socket.
    pub const API: &str = "api.sock";
    /// The socket through which the host reaches the guest's vsock ports.
    pub const VSOCK: &str = "v.sock";
}

/// The program's name, which the jailer makes a folder of.
pub const PROGRAM: &str = "firecracker";

/// The named pipes.
pub const PIPES: [&str; 2] = [at::LOG, at::METRICS];

/// A VM's own folder.
pub fn folder(base: &Path, id: &crate::engine::VmId) -> PathBuf {
    base.join(PROGRAM).join(id.as_str())
}

/// The host's files that a booted VM needs, and their names in its chroot.
pub fn of_boot(spec: &VmSpec) -> Vec<(PathBuf, &'static str)> {
    vec![
        (spec.kernel.clone(), at::KERNEL),
        (spec.initramfs.clone(), at::INITRAMFS),
        (spec.rootfs.clone(), at::ROOTFS),
    ]
}

/// Names of the files that a clone needs, in the order of [`of_clone`].
pub const CLONE: [&str; 3] = [at::MEMORY, at::STATE, at::ROOTFS];

/// The host's files that a clone needs, and their names in its chroot.
pub fn of_clone(spec: &VmSpec, snapshot: &SnapshotFiles) -> Vec<(PathBuf, &'static str)> {
    [&snapshot.memory, &snapshot.state, &spec.rootfs]
        .into_iter()
        .cloned()
        .zip(CLONE)
        .collect()
}
