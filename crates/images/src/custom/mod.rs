//! Images that a user makes: from a file of his own, from an image of the Open Container Initiative, from a language's
//! with packages besides.
//!
//! In the order in which one is made:
//!
//! - [`spec`]: the user's file; `base`: the tree that it begins with
//! - `add`: what comes on top; `settle`: what every guest needs to find
//! - `detect`: the languages whose programs run in it
//! - `record`: what is written down of it beside its packages
//! - `set`: a language's image with packages that a program asks for, made once for each resolved set
//! - `age`: when it was last used, and which ones go
//!
//! Everything of such a tree is hostile until it is packed: no link of it is followed, and nothing of it is run.

mod add;
mod age;
mod base;
mod detect;
mod record;
mod set;
mod settle;
pub mod spec;

pub use age::{Pruned, Unused};
pub use record::{CustomRecord, Origin};
pub use set::PackageSet;

use crate::error::ImageError;
use crate::layout::{self, Image, ROOTFS};
use crate::manifest::{self, Package, RootfsManifest};
use crate::oci;
use crate::pack::Packing;
use crate::progress::{Phases, Progress, Rebuild};
use crate::recipe::ROOTFS_FORMAT;
use crate::store::{ImageStore, now};
use languages::RootImage;
use languages::custom::{CustomImage, Defaults};
use spec::{Base, ImageSpec};
use std::fs;
use std::path::PathBuf;

#[cfg(test)]
mod tests;

/// The largest image that nobody set a bound for, in MiB.
pub(crate) const DEFAULT_MAX_MIB: u64 = 2048;

/// A tree that is to become an image.
pub(crate) struct Tree {
    pub(crate) root: PathBuf,
    /// What it is known to be made of.
    pub(crate) packages: Vec<Package>,
    /// What its own description says of how it is run.
    pub(crate) defaults: Defaults,
    /// Languages that it is known to hold; empty: they are to be found.
    pub(crate) languages: Vec<String>,
    pub(crate) origin: Origin,
}

/// What an image is to be called, and may be.
pub(crate) struct Named<'a> {
    pub(crate) name: &'a str,
    pub(crate) about: &'a str,
    pub(crate) max_mib: u64,
}

impl ImageStore {
    /// Makes the image that a user's file describes. Does nothing when the same file made the one that is there, unless
    /// `rebuild` says so.
    pub fn build_custom(
        &self,
        spec: &ImageSpec,
        rebuild: Rebuild,
        progress: &dyn Progress,
    ) -> Result<RootImage, ImageError> {
        let phases = Phases::new(progress);
        let _lock = self.lock(&phases)?;
        let inputs = self.inputs(spec)?;
        if rebuild == Rebuild::IfNeeded
            && let Some(image) = self.made_of(&spec.name, &inputs)
        {
            phases.at(100, "as built before");
            return Ok(image);
        }
        let scratch = self.scratch()?;
        let mut tree = base::tree(self, &spec.base, scratch.path(), &phases)?;
        add::to(&mut tree, self, spec, &phases)?;
        tree.origin = Origin::File { inputs };
        spec.defaults_over(&mut tree.defaults);
        if !spec.languages.is_empty() {
            tree.languages.clone_from(&spec.languages);
        }
        let named = Named {
            name: &spec.name,
            about: &spec.about,
            max_mib: spec.max_mib,
        };
        self.keep_custom(tree, &named, &phases)
    }

    /// Makes an image of one of the Open Container Initiative. Does nothing when the one that is there has its digest.
    pub fn import_oci(
        &self,
        source: &oci::Source,
        name: &str,
        progress: &dyn Progress,
    ) -> Result<(RootImage, OciImport), ImageError> {
        let phases = Phases::new(progress);
        let _lock = self.lock(&phases)?;
        let digest = oci::digest_of(source)?;
        if let Some(image) = self.made_of(name, &digest) {
            phases.at(100, "as imported before");
            return Ok((
                image,
                OciImport {
                    digest,
                    dropped: None,
                },
            ));
        }
        let scratch = self.scratch()?;
        let base = Base::Oci(source.clone());
        let tree = base::tree(self, &base, scratch.path(), &phases)?;
        let dropped = match &tree.origin {
            Origin::Oci { dropped, .. } => Some(*dropped),
            _ => None,
        };
        let named = Named {
            name,
            about: "imported from an OCI image",
            max_mib: DEFAULT_MAX_MIB,
        };
        let image = self.keep_custom(tree, &named, &phases)?;
        Ok((image, OciImport { digest, dropped }))
    }

    /// The image of this name, when it was made of these inputs and is whole.
    fn made_of(&self, name: &str, inputs: &str) -> Option<RootImage> {
        let image = self.adopt(name)?;
        let manifest = self
            .checked_rootfs(image, crate::verify::Look::Cached)
            .ok()?;
        let made_of = manifest
            .custom
            .is_some_and(|custom| custom.origin.inputs() == inputs);
        made_of.then_some(image)
    }

    /// Packs a tree, and keeps it under its name.
    pub(crate) fn keep_custom(
        &self,
        tree: Tree,
        named: &Named<'_>,
        phases: &Phases<'_>,
    ) -> Result<RootImage, ImageError> {
        phases.at(80, "preparing");
        settle::tree(&tree.root)?;
        let languages = match tree.languages.is_empty() {
            true => detect::languages(&tree.root)?,
            false => tree.languages,
        };
        let description = CustomImage {
            name: named.name.to_owned(),
            about: named.about.to_owned(),
            languages,
            defaults: tree.defaults,
            max_mib: named.max_mib,
        };
        // Before the work of packing: its name may be another's.
        let image = adopted(&description)?;
        phases.at(85, "packing");
        let packed = tree.root.with_extension("erofs");
        packing(&tree.origin).pack(&tree.root, &packed)?;
        phases.at(95, "taking its digest");
        let manifest = RootfsManifest {
            format: ROOTFS_FORMAT,
            name: description.name.clone(),
            image: self.keep(&packed, Image::Rootfs(image), layout::rootfs(image))?,
            packages: tree.packages,
            runtime_version: String::new(),
            built_at: now(),
            inputs: String::new(),
            custom: Some(CustomRecord {
                description,
                origin: tree.origin,
            }),
        };
        manifest::write(&self.rootfs_manifest(image), &manifest)?;
        self.remove_rootfs_but(image, &[&manifest.image.file])?;
        phases.at(100, "done");
        Ok(image)
    }

    /// Makes the image of this name known if the store has it: another process may have made it.
    pub fn adopt(&self, name: &str) -> Option<RootImage> {
        if let Some(image) = RootImage::named(name).filter(|image| !image.is_custom()) {
            return Some(image);
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            return None;
        }
        let path = self.root.join(ROOTFS).join(format!("{name}.json"));
        let manifest = manifest::read::<RootfsManifest>(&path, name, &self.root).ok()?;
        let custom = manifest
            .custom
            .filter(|custom| custom.description.name == name)?;
        languages::custom::adopt(&custom.description).ok()
    }

    /// Makes all images of the store known. What cannot be read is nobody's image. The tool's own are known without
    /// their manifests, which are not read: this is done whenever a store is opened.
    pub(crate) fn adopt_all(&self) {
        let entries = fs::read_dir(self.root.join(ROOTFS));
        for entry in entries.into_iter().flatten().flatten() {
            let file = entry.file_name();
            if let Some(name) = file.to_str().and_then(|name| name.strip_suffix(".json")) {
                self.adopt(name);
            }
        }
    }
}

/// A set of packages starts as its base does, which a program with them is held against.
fn packing(origin: &Origin) -> Packing<'static> {
    let base = match origin {
        Origin::Packages { base, .. } => RootImage::named(base),
        Origin::File { .. } | Origin::Oci { .. } => None,
    };
    match base.filter(|base| !base.is_custom()) {
        Some(base) => Packing::fast_over(base.recipe()),
        None => Packing::fast(),
    }
}

/// What an import did.
#[derive(Debug, Clone)]
pub struct OciImport {
    /// `sha256:…` of the image's manifest.
    pub digest: String,
    /// What it had and the image has not; `None`: it was there already.
    pub dropped: Option<oci::Dropped>,
}

pub(crate) fn adopted(description: &CustomImage) -> Result<RootImage, ImageError> {
    languages::custom::adopt(description).map_err(|(field, wrong)| ImageError::Spec {
        path: PathBuf::from(&description.name),
        why: format!("{field} {wrong}"),
    })
}
