//! `images build`.

use crate::args::KernelArg;
use crate::progress::Bars;
use images::{ImageStore, KernelKind, Rebuild};
use protocol::language::Language;
use sandbox::config::Config;
use std::process::ExitCode;
use std::sync::Arc;

/// What is to be built.
pub struct Build {
    /// These first: an image without a kernel is of no use.
    pub kernels: Vec<KernelKind>,
    /// Then these.
    pub languages: Vec<Language>,
    /// What becomes of what is there.
    pub rebuild: Rebuild,
}

impl Build {
    /// One after the other, each with a bar.
    pub async fn run(self, store: Arc<ImageStore>) -> anyhow::Result<ExitCode> {
        tokio::task::spawn_blocking(move || -> anyhow::Result<()> {
            let bars = Bars::new();
            for kind in self.kernels {
                store.build_kernel(kind, self.rebuild, &bars.task(kind.name()))?;
            }
            for language in self.languages {
                store.build(language, self.rebuild, &bars.task(language.name()))?;
            }
            Ok(())
        })
        .await??;
        Ok(ExitCode::SUCCESS)
    }
}

/// The kernels that a build is to make.
pub async fn kernels_wanted(_: &Config, choice: KernelArg) -> anyhow::Result<Vec<KernelKind>> {
    Ok(match choice {
        KernelArg::Auto | KernelArg::Virtual => vec![KernelKind::Virtual],
        KernelArg::Uml => vec![KernelKind::UserMode],
        KernelArg::All => KernelKind::ALL.to_vec(),
    })
}
