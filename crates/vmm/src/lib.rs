//! MicroVMs: an [`Engine`] makes them, a [`Vm`] is one, the jail around each is part of making it.
//!
//! In the order a VM meets them:
//!
//! | module | what |
//! |---|---|
//! | [`config`] | everything a host may set, one struct |
//! | [`engine`] | the traits that `sandbox` speaks to; nothing above knows which engine runs |
//! | [`error`] | what can fail, at which step, with the console's last words |
//! | [`probe`] | whether KVM really runs guests here, and other things to be tried once a boot |
//! | [`cleanup`] | what a crash left behind |
//!
//! Out of this crate: what a snapshot is of and when it is stale (`sandbox`), images (`images`), jobs.

mod abandoned;
mod cache;
pub mod cgroup;
pub mod cleanup;
pub mod config;
pub mod console;
pub mod engine;
pub mod error;
pub mod firecracker;
pub mod jail;
mod mark;
mod privilege;
pub mod probe;
pub mod qemu;
pub mod qmp;
mod running;
mod saved;
pub mod state;
pub mod uml;
mod usage;
mod version;
mod watchdog;

pub use config::{Accelerator, AcceleratorChoice, UmlGuest, VmmConfig};
pub use engine::{
    Channel, Engine, EngineIdentity, EngineKind, GuestKernel, SnapshotFiles, Snapshots, Standby,
    StandbySize, Template, Vm, VmExit, VmId, VmSpec, VmUsage,
};
pub use error::{Step, VmmError};
pub use mark::{RunningVmm, running as running_vmms};

use std::sync::Arc;

/// Opens the engine that `kind` names, `None`: where KVM runs guests, Firecracker if it is here, else
/// QEMU; where it does not, User-Mode Linux if that runs one, else QEMU's emulation.
/// Checks what is installed and runs the probes (answers cached for this boot of the host).
pub async fn open(
    kind: Option<EngineKind>,
    config: VmmConfig,
) -> Result<Arc<dyn Engine>, VmmError> {
    let kind = match kind {
        Some(kind) => kind,
        None => choose(&config).await,
    };
    Ok(match kind {
        EngineKind::Firecracker => Arc::new(firecracker::Firecracker::open(config).await?),
        EngineKind::Qemu => Arc::new(qemu::QemuEngine::open(config).await?),
        EngineKind::Uml => Arc::new(uml::UmlEngine::open(config).await?),
    })
}

async fn choose(config: &VmmConfig) -> EngineKind {
    if firecracker::is_usable(config).await {
        return EngineKind::Firecracker;
    }
    let asked_for = config.accelerator != AcceleratorChoice::Auto;
    if asked_for || probe::accelerator(config).await.accelerator == Accelerator::Kvm {
        return EngineKind::Qemu;
    }
    match uml::probe(config).await.reason {
        None => EngineKind::Uml,
        Some(_) => EngineKind::Qemu,
    }
}
