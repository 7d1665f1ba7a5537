//! The QEMU engine: `microvm` machines in a bubblewrap jail.
//!
//! | module | what |
//! |---|---|
//! | [`detect`] | which QEMU is here |
//! | [`args`] | its arguments and the table of its descriptors |
//! | [`cmdline`] | the guest kernel's command line |
//! | `launch` | from a spec to a jailed QEMU that waits for its first command |
//! | `vm` | a running VM |
//! | `snapshot` | a paused VM becomes two files |
//! | `save` | a VM at work becomes one, with all that is in it |
//! | `standby` | a jailed QEMU without a machine becomes a clone |

pub mod args;
pub mod cmdline;
pub mod detect;
mod launch;
mod save;
mod snapshot;
mod standby;
mod vm;

use crate::config::{Accelerator, AcceleratorChoice, VmmConfig};
use crate::engine::{
    Engine, EngineIdentity, EngineKind, SnapshotFiles, Snapshots, Standby, StandbySize, Vm, VmSpec,
};
use crate::error::VmmError;
use crate::jail::{Addresses, Jail, JailSpec};
use crate::probe;
use crate::state::StateDir;
use args::RamIn;
use async_trait::async_trait;
use detect::Qemu;
use std::path::Path;
use std::sync::Arc;

/// Makes QEMU VMs.
#[derive(Debug)]
pub struct QemuEngine {
    config: VmmConfig,
    accelerator: Accelerator,
    state: StateDir,
    jail: Arc<Jail>,
    identity: EngineIdentity,
    tsc_khz: Option<u64>,
}

impl QemuEngine {
    /// Finds QEMU and an accelerator, builds the jail's root.
    pub async fn open(config: VmmConfig) -> Result<Self, VmmError> {
        let state = StateDir::open(&config.state_dir)?;
        let probed = match config.accelerator {
            AcceleratorChoice::Tcg => None,
            _ => Some(probe::accelerator(&config).await),
        };
        let accelerator = match (config.accelerator, &probed) {
            (AcceleratorChoice::Kvm, Some(probed)) if probed.accelerator != Accelerator::Kvm => {
                let reason = probed.reason.clone().unwrap_or_default();
                return Err(VmmError::NoKvm { reason });
            }
            (_, Some(probed)) => probed.accelerator,
            (_, None) => Accelerator::Tcg,
        };
        let qemu = Qemu::find(&config, &state, accelerator)?;
        let jail = JailSpec {
            program: &qemu.path,
            root: &qemu.root(),
            profile: seccomp::builtin::VMM,
            addresses: Addresses::Random,
        };
        let jail = Jail::new(&config, &state, &jail)?;
        let tsc_khz = probe::tsc_khz(&state);
        let identity = EngineIdentity {
            kind: EngineKind::Qemu,
            version: qemu.version.clone(),
            accelerator: Some(accelerator),
            cpu_model: match accelerator {
                Accelerator::Kvm => format!("host ({})", probe::host_cpu()),
                Accelerator::Tcg => emulated_cpu(tsc_khz),
            },
            jail: jail.description(),
            clones_refused: qemu.clones_refused(),
        };
        Ok(Self {
            tsc_khz,
            accelerator,
            jail: Arc::new(jail),
            config,
            state,
            identity,
        })
    }
}

/// An emulated CPU counts time at the host's rate, and a snapshot's kernel knows the rate it was made
/// at: on a host with another one its clock would be wrong. In steps of 1 MHz, for what is measured
/// differs a little at each boot of the host.
fn emulated_cpu(tsc_khz: Option<u64>) -> String {
    let model = args::cpu_model(Accelerator::Tcg);
    match tsc_khz {
        Some(khz) => format!("{model} (TSC {} MHz)", (khz + 500) / 1000),
        None => model.into(),
    }
}

#[async_trait]
impl Engine for QemuEngine {
    fn identity(&self) -> &EngineIdentity {
        &self.identity
    }

    async fn boot(&self, spec: VmSpec) -> Result<Box<dyn Vm>, VmmError> {
        Ok(Box::new(self.launch(spec, RamIn::Memory).await?))
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        match self.identity.clones_refused {
            None => Some(self),
            Some(_) => None,
        }
    }
}

#[async_trait]
impl Snapshots for QemuEngine {
    async fn boot_template(&self, spec: VmSpec) -> Result<Box<dyn Vm>, VmmError> {
        Ok(Box::new(self.launch(spec, RamIn::File).await?))
    }

    async fn restore(
        &self,
        spec: VmSpec,
        snapshot: &SnapshotFiles,
    ) -> Result<Box<dyn Vm>, VmmError> {
        Ok(Box::new(self.clone_of(spec, snapshot).await?))
    }

    async fn load_saved(&self, spec: VmSpec, folder: &Path) -> Result<Box<dyn Vm>, VmmError> {
        Ok(Box::new(self.saved(spec, folder).await?))
    }

    async fn stand_by(&self, size: StandbySize) -> Result<Option<Box<dyn Standby>>, VmmError> {
        let waiting = self.wait_for_snapshot(size).await?;
        Ok(waiting.map(|standby| Box::new(standby) as Box<dyn Standby>))
    }
}
