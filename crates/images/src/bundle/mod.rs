//! Kernels and images in one file, to carry them to other hosts: `images export` and `images import`.
//!
//! The file is a tar archive of the store's own files under their names in the store, each image's
//! manifest before what it names, as the table of the writer has them:
//!
//! ```text
//! kernel/manifest.json  kernel/vmlinux-…  kernel/modules-….cpio
//! uml/manifest.json     uml/linux-…
//! rootfs/bash.json      rootfs/bash-….erofs      … the others
//! ```
//!
//! - `header`: one entry's header; `described`: a manifest and its files; `read`: the reader, which trusts nothing
//! - `export`, `import`: from the store and into it

mod described;
pub(crate) mod error;
mod export;
#[cfg(test)]
pub(crate) mod fixture;
mod header;
mod import;
mod read;

pub use error::BundleError;
pub use import::{ImportRow, ImportState};

use crate::progress::Phases;
use described::Described;
use header::BLOCK_BYTES;
use serde::Serialize;
use std::io::Read;

/// The end of a tar archive: two blocks of zeros.
const END_BYTES: usize = 2 * BLOCK_BYTES;

/// An image in such a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundleRow {
    /// `kernel`, `uml`, or the name of an image.
    pub name: String,
    /// Bytes of its files.
    pub size_bytes: u64,
    /// The names of its files, each with its folder in the store.
    pub files: Vec<String>,
}

impl From<&Described> for BundleRow {
    fn from(described: &Described) -> BundleRow {
        let files = described.files.iter();
        BundleRow {
            name: described.image.name().to_owned(),
            size_bytes: described.size(),
            files: files.map(|record| described.path_of(record)).collect(),
        }
    }
}

/// Reads such a file to its end and says what is in it; writes nothing.
pub fn inspect(source: impl Read) -> Result<Vec<BundleRow>, BundleError> {
    let images = read::read(source, &mut |_, _| Ok(None))?;
    Ok(images.iter().map(BundleRow::from).collect())
}

/// Tells how far a transfer is, in twentieths.
struct Transfer<'a> {
    phases: &'a Phases<'a>,
    total: u64,
    done: u64,
}

impl Transfer<'_> {
    /// That many bytes more were moved; `what` says of what.
    fn moved(&mut self, bytes: u64, what: &str) {
        let step = |done: u64| done.saturating_mul(20) / self.total.max(1);
        let before = step(self.done);
        self.done += bytes;
        if self.done == bytes || step(self.done) > before {
            self.phases.at(step(self.done) * 5, what);
        }
    }
}

/// How many zeros fill an entry's last block.
fn padding(size: u64) -> usize {
    let block = BLOCK_BYTES as u64;
    // At most a block: it fits.
    ((block - size % block) % block) as usize
}
