//! The User-Mode Linux engine: a kernel of its own for each job, as a program in a bubblewrap jail, for
//! hosts where KVM runs no guests. A guest's processes are host processes that the kernel traces; each of
//! their system calls is caught by it and none is made to the host.
//!
//! | module | what |
//! |---|---|
//! | [`args`] | the kernel's command line and the table of its descriptors |
//! | [`probe`] | whether it runs a guest here |
//! | `reason` | why it does not, in one line |
//! | `launch` | from a spec to a kernel that has sealed itself |
//! | `vm` | a running VM |

pub mod args;
mod launch;
mod probe;
mod reason;
mod vm;

pub use launch::{limits, scratch};
pub use probe::{UmlProbed, cannot_run_here, probe};

use crate::config::{AcceleratorChoice, VmmConfig};
use crate::engine::{Engine, EngineIdentity, EngineKind, GuestKernel, Snapshots, Vm, VmSpec};
use crate::error::VmmError;
use crate::jail::root::RootSpec;
use crate::jail::{Addresses, Jail, JailSpec, filter};
use crate::probe::host_cpu;
use crate::state::StateDir;
use args::at;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why its VMs have one CPU: with two, this kernel runs only in the mode in which a job's process can
/// read and write all of its guest's memory, and threads of one process still take turns.
const MAX_VCPUS: u32 = 1;

/// Makes VMs of User-Mode Linux.
#[derive(Debug)]
pub struct UmlEngine {
    config: VmmConfig,
    state: StateDir,
    jail: Arc<Jail>,
    /// What the kernel may ask of the host once it is booted.
    seal: Vec<u8>,
    /// What guests are shown of the host's CPU.
    cpuinfo: PathBuf,
    identity: EngineIdentity,
}

impl UmlEngine {
    /// Builds the jail's root and has the probe run a guest, unless it did since the host booted.
    pub async fn open(config: VmmConfig) -> Result<Self, VmmError> {
        if config.accelerator != AcceleratorChoice::Auto {
            let reason = "an accelerator was asked for, and it has none".into();
            return Err(VmmError::NoUml { reason });
        }
        match probe::probe(&config).await.reason {
            None => Self::new(config),
            Some(reason) => Err(VmmError::NoUml { reason }),
        }
    }

    fn new(config: VmmConfig) -> Result<Self, VmmError> {
        let guest = config.uml.as_ref();
        let guest = guest.map_err(|reason| VmmError::NoUml {
            reason: reason.clone(),
        })?;
        let version = version_of(&guest.kernel);
        let state = StateDir::open(&config.state_dir)?;
        let jail = Jail::new(&config, &state, &jail(Path::new(at::KERNEL), &root()))?;
        let identity = EngineIdentity {
            kind: EngineKind::Uml,
            version,
            accelerator: None,
            cpu_model: format!("host ({})", host_cpu()),
            jail: jail.description(),
            clones_refused: Some(
                "User-Mode Linux has no snapshots; its kernel boots in less than a clone takes"
                    .into(),
            ),
        };
        Ok(Self {
            cpuinfo: launch::write_cpuinfo(&state)?,
            seal: filter(seccomp::builtin::UML)?,
            jail: Arc::new(jail),
            config,
            state,
            identity,
        })
    }
}

/// This engine's jail around its kernel, or around what a test puts in the kernel's place.
pub fn jail<'a>(program: &'a Path, root: &'a RootSpec) -> JailSpec<'a> {
    JailSpec {
        program,
        root,
        profile: seccomp::builtin::UML_START,
        addresses: Addresses::Fixed,
    }
}

/// An empty root: the kernel's own files are each VM's, and it needs no library.
pub fn root() -> RootSpec {
    RootSpec {
        files: BTreeMap::new(),
        placeholders: vec![at::KERNEL, at::INITRAMFS, at::ROOTFS, at::CPUINFO],
        folders: vec![at::SCRATCH],
    }
}

/// The kernel's file is named by its content: enough to tell one from another.
fn version_of(kernel: &Path) -> String {
    let name = kernel.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

#[async_trait]
impl Engine for UmlEngine {
    fn identity(&self) -> &EngineIdentity {
        &self.identity
    }

    fn kernel(&self) -> GuestKernel {
        GuestKernel::UserMode
    }

    fn max_vcpus(&self) -> Option<u32> {
        Some(MAX_VCPUS)
    }

    async fn boot(&self, spec: VmSpec) -> Result<Box<dyn Vm>, VmmError> {
        Ok(Box::new(self.launch(spec).await?))
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        None
    }
}
