//! User-Mode Linux, compiled from the distribution's source package.
//!
//! `source` brings and unpacks it, `build` patches, configures and compiles it in a sandbox, `config`
//! says with what and checks that it came into force, `steps` tells how far a compilation is.

mod build;
pub(crate) mod config;
mod source;
mod steps;

use crate::error::ImageError;
use crate::manifest::Package;
use crate::progress::Phases;
use build::SourceTree;
use std::path::{Path, PathBuf};
/// A program that comes out larger is refused: something crept in.
pub(crate) const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Compiled, not yet in the store.
pub(crate) struct Built {
    pub(crate) program: PathBuf,
    pub(crate) package: Package,
    /// The first line of what the compiler says of itself.
    pub(crate) compiler: String,
}

/// Makes the kernel in the folder `scratch`.
pub(crate) fn make(
    mirror: Option<&str>,
    scratch: &Path,
    phases: &Phases<'_>,
) -> Result<Built, ImageError> {
    build::check_programs()?;
    let source = source::fetch(mirror, scratch, phases)?;
    let tree = SourceTree {
        folder: &source.folder,
        phases,
    };
    phases.at(12, "configuring the kernel");
    tree.patch(config::PATCHES)?;
    tree.configure()?;
    Ok(Built {
        program: tree.compile(15, 97)?,
        package: source.package,
        compiler: tree.compiler()?,
    })
}
