//! What a VM of a language boots from, verified before each boot.

use crate::error::chain;
use crate::error::{JobError, Why};
use images::{Artifact, ImageError, ImageStore, KernelKind};
use protocol::job::Job;
use protocol::language::Language;
use std::path::PathBuf;
use std::sync::Arc;
use vmm::{GuestKernel, UmlGuest};

/// The size of a VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// RAM, in MiB.
    pub memory_mib: u32,
    /// Virtual CPUs.
    pub vcpus: u32,
}

impl Shape {
    /// What this job asks for.
    pub fn of(job: &Job) -> Shape {
        Shape {
            memory_mib: job.limits.memory_mib,
            vcpus: job.limits.vcpus,
        }
    }
}

/// Files whose digests were found right.
#[derive(Debug, Clone)]
pub struct Materials {
    /// The engine's kernel.
    pub kernel: Artifact,
    /// The agent and the guest's modules.
    pub initramfs: Artifact,
    /// The language's root file system.
    pub rootfs: Artifact,
}

/// Finds and verifies materials.
#[derive(Clone)]
pub struct MaterialsSource {
    store: Arc<ImageStore>,
    agent: PathBuf,
}

impl MaterialsSource {
    /// Images of this store, with this agent.
    pub fn new(store: Arc<ImageStore>, agent: PathBuf) -> MaterialsSource {
        MaterialsSource { store, agent }
    }

    /// The images themselves.
    pub fn store(&self) -> &Arc<ImageStore> {
        &self.store
    }

    /// What User-Mode Linux boots, or why there is none to trust, in one sentence.
    pub fn uml_guest(&self) -> Result<UmlGuest, String> {
        let guest = self.store.guest(&self.agent, KernelKind::UserMode);
        let guest = guest.map_err(|error| chain(&error))?;
        Ok(UmlGuest {
            kernel: guest.kernel.path,
            initramfs: guest.initramfs.path,
        })
    }

    /// Whether what every VM of an engine of such kernels boots from is whole, whatever its language: kernel, agent,
    /// modules. Reads what it has not read before; cheap afterwards.
    pub fn check_guest(&self, kernel: GuestKernel) -> Result<(), ImageError> {
        self.store.guest(&self.agent, kind_of(kernel)).map(drop)
    }

    /// The materials of a language for an engine of such kernels, or why there are none to trust.
    pub async fn verified(
        &self,
        language: Language,
        kernel: GuestKernel,
    ) -> Result<Materials, JobError> {
        let kernel = kind_of(kernel);
        let (store, agent) = (self.store.clone(), self.agent.clone());
        let verify = move || -> Result<Materials, ImageError> {
            let guest = store.guest(&agent, kernel)?;
            let rootfs = store.rootfs(language.image())?;
            Ok(Materials {
                kernel: guest.kernel,
                initramfs: guest.initramfs,
                rootfs: rootfs.into(),
            })
        };
        match tokio::task::spawn_blocking(verify).await {
            Ok(Ok(materials)) => Ok(materials),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(Why::Verifying.into()),
        }
    }
}

/// Which of the store's kernels an engine boots.
pub fn kind_of(kernel: GuestKernel) -> KernelKind {
    match kernel {
        GuestKernel::Virtual => KernelKind::Virtual,
        GuestKernel::UserMode => KernelKind::UserMode,
    }
}
