//! `images build`.

use crate::args::KernelArg;
use crate::context;
use crate::progress::Bars;
use images::{ImageStore, KernelKind, Rebuild};
use languages::RootImage;
use sandbox::config::Config;
use std::process::ExitCode;
use std::sync::Arc;
use vmm::{AcceleratorChoice, EngineKind, VmmConfig};

/// What is to be built.
pub struct Build {
    /// These first: an image without a kernel is of no use.
    pub kernels: Kernels,
    /// Then these.
    pub images: Vec<RootImage>,
    /// What becomes of images that are there.
    pub rebuild: Rebuild,
    /// And of kernels: minutes of compiling that nobody wants who names an image.
    pub rebuild_kernels: Rebuild,
}

/// Which kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernels {
    /// Those that were named.
    Named(&'static [KernelKind]),
    /// User-Mode Linux's; and the other engines', if that runs no guest here.
    UserModeFirst,
}

impl Build {
    /// One after the other, each with a bar.
    pub async fn run(self, config: &Config, store: Arc<ImageStore>) -> anyhow::Result<ExitCode> {
        let first = match self.kernels {
            Kernels::Named(kinds) => kinds,
            Kernels::UserModeFirst => &[KernelKind::UserMode],
        };
        build_kernels(&store, first, self.rebuild_kernels).await?;
        if self.kernels == Kernels::UserModeFirst
            && let Some(reason) = vmm::uml::probe(&context::vmm_config(config)).await.reason
        {
            eprintln!(
                "llm-firecracker: User-Mode Linux does not run here, so QEMU's kernel is built too: {reason}"
            );
            build_kernels(&store, &[KernelKind::Virtual], self.rebuild_kernels).await?;
        }
        tokio::task::spawn_blocking(move || -> anyhow::Result<()> {
            let bars = Bars::new();
            for image in self.images {
                store.build(image, self.rebuild, &bars.task(image.name()))?;
            }
            Ok(())
        })
        .await??;
        Ok(ExitCode::SUCCESS)
    }
}

async fn build_kernels(
    store: &Arc<ImageStore>,
    kinds: &'static [KernelKind],
    rebuild: Rebuild,
) -> anyhow::Result<()> {
    let store = store.clone();
    tokio::task::spawn_blocking(move || -> anyhow::Result<()> {
        let bars = Bars::new();
        for kind in kinds {
            store.build_kernel(*kind, rebuild, &bars.task(kind.name()))?;
        }
        Ok(())
    })
    .await?
}

/// The kernels that a build is to make: what was named, else what the engine that jobs will run under
/// needs on this host.
pub async fn kernels_wanted(config: &Config, choice: KernelArg) -> Kernels {
    match choice {
        KernelArg::Auto => of_the_engine(config).await,
        KernelArg::Virtual => Kernels::Named(&[KernelKind::Virtual]),
        KernelArg::Uml => Kernels::Named(&[KernelKind::UserMode]),
        KernelArg::All => Kernels::Named(&KernelKind::ALL),
    }
}

async fn of_the_engine(config: &Config) -> Kernels {
    let asked_for = config.engine.accelerator != AcceleratorChoice::Auto;
    match config.engine.kind {
        Some(EngineKind::Uml) => Kernels::Named(&[KernelKind::UserMode]),
        None if !asked_for && !kvm_runs_guests(&config.vmm).await && uml_may_run() => {
            Kernels::UserModeFirst
        }
        _ => Kernels::Named(&[KernelKind::Virtual]),
    }
}

async fn kvm_runs_guests(config: &VmmConfig) -> bool {
    vmm::probe::accelerator(config).await.reason.is_none()
}

fn uml_may_run() -> bool {
    vmm::uml::cannot_run_here().is_none()
}
