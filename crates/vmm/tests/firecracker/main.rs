//! The Firecracker engine against Firecracker's own description of its API, without the program:
//! bodies, the order of calls, answers, the jailer's arguments, the chroot's layout.
//! With the program it is tested in the lab (`make lab`).
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod answers;
mod calls;
mod description;
mod jail;

use std::path::PathBuf;
use vmm::{VmId, VmSpec};

/// A VM.
fn spec() -> VmSpec {
    VmSpec {
        id: VmId::new("0190b5f0-7d1c-7c57-9c3f-6a1d2e3f4a5b").unwrap(),
        kernel: PathBuf::from("/images/vmlinux"),
        initramfs: PathBuf::from("/images/initramfs"),
        rootfs: PathBuf::from("/images/python"),
        memory_mib: 512,
        vcpus: 2,
    }
}
