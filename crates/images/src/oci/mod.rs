//! Images of the Open Container Initiative, and Docker's: from a registry, a folder or an archive to a tree on disk that can be
//! packed. Nothing of them is run.
//!
//! In the order in which an image meets them:
//!
//! - `source`: how it is named; `registry`, `folder`, `archive`: where it is
//! - `document`, `choose`, `image`: index, manifest and config, each held against the digest that led to it; which image of several
//! - `layer`: the bytes of a layer to changes of a tree; `tree`: layers on top of each other
//! - `flatten`: both, in a jail, and the tree on disk
//! - [`inspect`](inspect()): layers to names, for fuzzing
//! - `defaults`: what its config says of how it is run
//! - `bounds`, [`error`](OciError): what it may cost, and why it is not taken
//!
//! What is left behind is counted ([`Dropped`]): devices, pipes, setuid bits, capabilities and other extended attributes, and not
//! counted: owners and times. `docs/decisions/083-oci-images.md` says why it is done here and so.

mod archive;
mod bounds;
mod choose;
mod defaults;
mod digest;
mod document;
mod error;
mod flatten;
mod folder;
mod image;
mod inspect;
mod layer;
mod registry;
mod source;
#[cfg(test)]
mod tests;
mod tree;

pub use defaults::RunConfig;
pub use error::{Fault, LayerError, OciError};
pub use flatten::child::{CHILD_WORD, child_main};
pub use flatten::plan::Dropped;
pub use inspect::inspect;
pub use source::Source;

use crate::error::ImageError;
use crate::pack::Packing;
use crate::progress::{Phases, Progress};
use archive::Archive;
use bounds::Bounds;
use digest::Digest;
use flatten::plan::{Plan, PlannedLayer};
use flatten::{jail, materialise};
use folder::Folder;
use image::{Blobs, Image, Layer, check_size};
use registry::Registry;
use sha2::{Digest as _, Sha256};
use source::Place;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Handed to the child at once.
const FEED_BYTES: usize = 128 * 1024;

/// An image as a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// The tree's folder, in the scratch folder.
    pub root: PathBuf,
    /// How its program is run.
    pub config: RunConfig,
    /// `sha256:…` of what names all of it: its manifest, or its config where an archive has no manifest.
    pub manifest_digest: String,
    /// What it can be had by again from its registry, with a digest.
    pub reference: Option<String>,
    /// What it had and the tree has not.
    pub dropped: Dropped,
    /// How many it had.
    pub layers: usize,
    /// Bytes of the tree's files.
    pub bytes: u64,
    /// Files, folders and links of the tree.
    pub files: u64,
}

/// Makes the tree of an image in the folder `scratch`, which is to be empty, and the caller's to remove in any case.
pub(crate) fn bring(
    source: &Source,
    scratch: &Path,
    phases: &Phases<'_>,
) -> Result<Brought, OciError> {
    bring_within(&Bounds::default(), source, scratch, phases)
}

/// Makes the tree of an image and packs it into `scratch/image.erofs`: for measurements and tests.
pub fn bring_and_pack(
    source: &Source,
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<Brought, OciError> {
    let phases = Phases::new(progress);
    let brought = bring(source, scratch, &phases)?;
    phases.at(85, "packing");
    let image = scratch.join("image.erofs");
    Packing::fast().pack(&brought.root, &image)?;
    Ok(brought)
}

/// The digest that [`bring`] would give, without any layer: what is known by it need not be brought again.
pub fn digest_of(source: &Source) -> Result<String, OciError> {
    let bounds = Bounds::default();
    let digest = match &source.0 {
        Place::Folder { path, tag } => {
            let folder = Folder::open(path)?;
            image::manifest(&folder, &folder.top(tag.as_deref())?)?.0
        }
        Place::Archive { path, name } => {
            Archive::open(path)?.image(name.as_deref(), &bounds)?.digest
        }
        Place::Registry(reference) => {
            let registry = Registry::of(reference, None);
            image::manifest(&registry, &registry.top()?)?.0
        }
    };
    Ok(digest.to_string())
}

fn bring_within(
    bounds: &Bounds,
    source: &Source,
    scratch: &Path,
    phases: &Phases<'_>,
) -> Result<Brought, OciError> {
    phases.at(0, "reading the image's manifest");
    match &source.0 {
        Place::Folder { path, tag } => {
            let folder = Folder::open(path)?;
            let manifest = image::manifest(&folder, &folder.top(tag.as_deref())?)?;
            let image = image::image(&folder, manifest, bounds)?;
            Job {
                bounds,
                image,
                blobs: &folder,
                scratch,
            }
            .run(phases)
        }
        Place::Archive { path, name } => {
            let archive = Archive::open(path)?;
            let image = archive.image(name.as_deref(), bounds)?;
            Job {
                bounds,
                image,
                blobs: &archive,
                scratch,
            }
            .run(phases)
        }
        Place::Registry(reference) => {
            let registry = Registry::of(reference, Some(scratch));
            let top = registry.top()?;
            let manifest = image::manifest(&registry, &top)?;
            let mut image = image::image(&registry, manifest, bounds)?;
            image.reference = Some(reference.pinned(&top.digest));
            registry.fetch_layers(&image.layers, phases)?;
            Job {
                bounds,
                image,
                blobs: &registry,
                scratch,
            }
            .run(phases)
        }
    }
}

/// An image whose layers are at hand.
struct Job<'a> {
    bounds: &'a Bounds,
    image: Image,
    blobs: &'a dyn Blobs,
    scratch: &'a Path,
}

impl Job<'_> {
    fn run(self, phases: &Phases<'_>) -> Result<Brought, OciError> {
        let (spool, root) = (self.scratch.join("spool"), self.scratch.join("root"));
        fs::create_dir(&spool).map_err(ImageError::io("creating", &spool))?;
        let flattened = jail::flatten(&self.plan(), &spool, |stdin| self.feed(stdin, phases))?;
        phases.at(75, "writing the image's tree");
        materialise::materialise(&spool, &root, self.bounds)?;
        fs::remove_dir_all(&spool).map_err(ImageError::io("removing", &spool))?;
        let run = self.image.config.config.clone().unwrap_or_default();
        Ok(Brought {
            config: defaults::of_config(&run)?,
            root,
            manifest_digest: self.image.digest.to_string(),
            reference: self.image.reference,
            dropped: flattened.dropped,
            layers: self.image.layers.len(),
            bytes: flattened.bytes,
            files: flattened.files,
        })
    }

    fn plan(&self) -> Plan {
        let planned = |layer: &Layer| PlannedLayer {
            size: layer.size,
            diff_id: layer.diff_id.to_string(),
        };
        Plan {
            bounds: *self.bounds,
            layers: self.image.layers.iter().map(planned).collect(),
        }
    }

    /// Hands out all layers, each held against its digest and its size as it passes.
    fn feed(&self, to: &mut impl Write, phases: &Phases<'_>) -> Result<(), OciError> {
        let count = self.image.layers.len();
        for (index, layer) in self.image.layers.iter().enumerate() {
            let percent = 50 + 25 * index / count.max(1);
            let step = format!("unpacking layer {} of {count}", index + 1);
            phases.at(percent as u64, &step);
            if self.feed_one(layer, to)? == Fed::Refused {
                break;
            }
        }
        Ok(())
    }

    fn feed_one(&self, layer: &Layer, to: &mut impl Write) -> Result<Fed, OciError> {
        let what = format!("layer {}", layer.name);
        let mut source = self.blobs.layer(layer)?.take(layer.size);
        let (mut hasher, mut size) = (Sha256::new(), 0);
        let mut buffer = vec![0; FEED_BYTES];
        let mut fed = Fed::All;
        loop {
            let read = source.read(&mut buffer);
            let read = read.map_err(OciError::reading(layer.name.as_ref()))?;
            if read == 0 {
                break;
            }
            if layer.digest.is_some() {
                hasher.update(&buffer[..read]);
            }
            size += read as u64;
            // The child may be gone: it has its reason, but other bytes than those promised are a better one.
            if fed == Fed::All && to.write_all(&buffer[..read]).is_err() {
                fed = Fed::Refused;
            }
        }
        check_size(&what, layer.size, size)?;
        if let Some(expected) = &layer.digest {
            expected.check_found(&what, &Digest::of_hash(hasher))?;
        }
        Ok(fed)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fed {
    All,
    Refused,
}
