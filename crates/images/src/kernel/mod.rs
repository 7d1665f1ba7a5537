//! The kernels that guests run.
//!
//! | kind | file | made by |
//! |---|---|---|
//! | for hardware VMs | `virtual_kernel` | taking it out of the distribution's package |
//! | User-Mode Linux | `uml` | compiling the distribution's source package |
//!
//! `initramfs` is what either starts: the agent.

pub(crate) mod initramfs;
pub(crate) mod uml;
pub(crate) mod virtual_kernel;

use serde::Serialize;

/// Which kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum KernelKind {
    /// The distribution's kernel for virtual machines: QEMU and Firecracker boot it.
    #[serde(rename = "virtual")]
    Virtual,
    /// User-Mode Linux: a kernel that is a program of the host.
    #[serde(rename = "uml")]
    UserMode,
}

impl KernelKind {
    /// Every kind, in the order in which they are listed.
    pub const ALL: [KernelKind; 2] = [KernelKind::Virtual, KernelKind::UserMode];

    /// What its image is called: its folder in the store, its row in lists and errors.
    pub const fn name(self) -> &'static str {
        match self {
            KernelKind::Virtual => "kernel",
            KernelKind::UserMode => "uml",
        }
    }
}
