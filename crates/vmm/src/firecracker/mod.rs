//! The Firecracker engine: microVMs on KVM, each in its jailer's chroot.
//!
//! | module | what |
//! |---|---|
//! | [`detect`], [`version`] | which Firecracker is here, and whether it is supported |
//! | [`layout`], [`chroot`] | what lies in a chroot; making and removing one |
//! | [`jailer`] | the jailer's arguments, and those of bubblewrap, which ends it with the tool |
//! | [`body`], [`calls`], [`client`] | the API: bodies, which calls in which order, the talk |
//! | [`cmdline`] | the guest kernel's command line |
//! | [`vsock`] | the stream to the agent |
//! | `launch` | from a spec to a running VM |
//! | `vm` | a running VM |
//! | `snapshot` | a paused VM becomes two files |
//! | `standby` | a jailed Firecracker without a guest becomes a clone |

pub mod body;
pub mod calls;
pub mod chroot;
pub mod client;
pub mod cmdline;
pub mod detect;
pub mod jailer;
mod launch;
pub mod layout;
mod snapshot;
mod standby;
pub mod version;
mod vm;
pub mod vsock;

use crate::cgroup::{Place, layout::Version as CgroupVersion};
use crate::config::{Accelerator, AcceleratorChoice, VmmConfig};
use crate::engine::{
    Engine, EngineIdentity, EngineKind, SnapshotFiles, Snapshots, Standby, StandbySize, Vm, VmSpec,
};
use crate::error::{Step, VmmError};
use crate::jail::find_program;
use crate::probe;
use crate::state::StateDir;
use async_trait::async_trait;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Makes Firecracker VMs.
#[derive(Debug)]
pub struct FirecrackerEngine {
    config: VmmConfig,
    state: StateDir,
    program: PathBuf,
    /// `None`: the development flag.
    jailer: Option<PathBuf>,
    bwrap: PathBuf,
    base: PathBuf,
    place: Result<Place, String>,
    identity: EngineIdentity,
}

/// The engine as others hold it: a VM's start outlives the call that asked for it.
#[derive(Debug)]
pub struct Firecracker(Arc<FirecrackerEngine>);

impl Firecracker {
    /// Finds Firecracker, its jailer, KVM and a place for chroots and cgroups.
    pub async fn open(config: VmmConfig) -> Result<Self, VmmError> {
        let found = detect::installed(&config)?;
        if config.accelerator == AcceleratorChoice::Tcg {
            return Err(VmmError::Unusable {
                program: found.firecracker,
                reason: "it runs guests on KVM only; tcg is the qemu engine's".into(),
            });
        }
        let probed = probe::accelerator(&config).await;
        if probed.accelerator != Accelerator::Kvm {
            let reason = probed.reason.unwrap_or_default();
            return Err(VmmError::NoKvm { reason });
        }
        FirecrackerEngine::new(config, found).map(|engine| Self(Arc::new(engine)))
    }
}

impl FirecrackerEngine {
    fn new(config: VmmConfig, found: detect::Found) -> Result<Self, VmmError> {
        let bwrap = find_program("bwrap", config.bwrap_path.as_deref(), "bubblewrap")?;
        let state = StateDir::open(&config.state_dir)?;
        let place = Place::find_one_path(&config.cgroup_parent);
        let (base, jail) = match &found.jailer {
            Some(_) => {
                let place = place.as_ref().map_err(|reason| refused(reason))?;
                (
                    jail_base(&config)?,
                    format!("jailer+own-uid+{}", place.name()),
                )
            }
            None => (
                state.root().join("unjailed"),
                "NONE (development: no jailer)".into(),
            ),
        };
        let identity = EngineIdentity {
            kind: EngineKind::Firecracker,
            accelerator: Some(Accelerator::Kvm),
            cpu_model: match &config.cpu_template {
                Some(template) => format!("{template} on {}", probe::host_cpu()),
                None => format!("host ({})", probe::host_cpu()),
            },
            jail,
            clones_refused: version::clones_refused(&found.version),
            version: found.version,
        };
        Ok(Self {
            config,
            state,
            program: found.firecracker,
            jailer: found.jailer,
            bwrap,
            base,
            place,
            identity,
        })
    }

    fn jailed(&self) -> bool {
        self.jailer.is_some()
    }

    /// Each time: who runs it so is to see it in every log.
    fn warn_unjailed(&self) {
        if !self.jailed() {
            tracing::error!(
                "FIRECRACKER RUNS WITHOUT ITS JAILER (vmm.without_jailer): for development only, a guest that breaks out is this user on this host"
            );
        }
    }

    fn cgroup_version(&self) -> CgroupVersion {
        self.place
            .as_ref()
            .map_or(CgroupVersion::V2, Place::version)
    }
}

/// Whether `auto` may choose it: both programs are here, the tool is root as the jailer needs it, and
/// KVM really runs guests.
pub async fn is_usable(config: &VmmConfig) -> bool {
    config.accelerator != AcceleratorChoice::Tcg
        && rustix::process::geteuid().is_root()
        && detect::is_installed(config)
        && probe::accelerator(config).await.accelerator == Accelerator::Kvm
}

/// The jailer's base folder, made if it is not there; the jailer is root's, so that must be, too.
fn jail_base(config: &VmmConfig) -> Result<PathBuf, VmmError> {
    if !rustix::process::geteuid().is_root() {
        return Err(refused(
            "the jailer must be started by root: it makes device nodes, chroots and changes its uid",
        ));
    }
    let base = &config.chroot_base_dir;
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(base)
        .and_then(|()| base.canonicalize());
    let base = made.map_err(|source| VmmError::Io {
        step: Step::Prepare,
        what: format!("making {}", base.display()),
        source,
    })?;
    match chroot::base_fault(&base) {
        None => Ok(base),
        Some(fault) => Err(refused(&format!("chroot_base_dir: {fault}"))),
    }
}

fn refused(reason: &str) -> VmmError {
    VmmError::State {
        step: Step::Prepare,
        reason: reason.into(),
    }
}

#[async_trait]
impl Engine for Firecracker {
    fn identity(&self) -> &EngineIdentity {
        &self.0.identity
    }

    async fn boot(&self, spec: VmSpec) -> Result<Box<dyn Vm>, VmmError> {
        self.0.warn_unjailed();
        Ok(Box::new(self.0.boot(spec).await?))
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        match self.0.identity.clones_refused {
            None => Some(self),
            Some(_) => None,
        }
    }
}

#[async_trait]
impl Snapshots for Firecracker {
    async fn boot_template(&self, spec: VmSpec) -> Result<Box<dyn Vm>, VmmError> {
        // Firecracker writes the memory of any VM.
        self.boot(spec).await
    }

    async fn restore(
        &self,
        spec: VmSpec,
        snapshot: &SnapshotFiles,
    ) -> Result<Box<dyn Vm>, VmmError> {
        self.0.warn_unjailed();
        Ok(Box::new(self.0.clone_of(spec, snapshot).await?))
    }

    async fn load_saved(&self, spec: VmSpec, folder: &Path) -> Result<Box<dyn Vm>, VmmError> {
        self.restore(spec, &SnapshotFiles::inside(folder)).await
    }

    async fn stand_by(&self, size: StandbySize) -> Result<Option<Box<dyn Standby>>, VmmError> {
        let waiting = self.0.wait_for_snapshot(size).await?;
        Ok(waiting.map(|standby| Box::new(standby) as Box<dyn Standby>))
    }
}
