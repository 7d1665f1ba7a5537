//! What callers ask of the store before a boot: the files, and that they are what was built.

use crate::error::ImageError;
use crate::kernel::KernelKind;
use crate::manifest::{self, FileRecord, Package, RootfsManifest};
use crate::store::ImageStore;
use crate::verify::{Look, Recorded};
use languages::RootImage;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A file that was found to be what was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Where it is; its name says its content, so it never changes under this name.
    pub path: PathBuf,
    /// SHA-256, in lower-case hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// A root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rootfs {
    /// The erofs image.
    pub image: Artifact,
    /// Where its files come from.
    pub packages: Vec<Package>,
    /// The version of the package that its runtime comes from.
    pub runtime_version: String,
    /// RFC 3339, UTC.
    pub built_at: String,
}

impl From<Rootfs> for Artifact {
    fn from(rootfs: Rootfs) -> Artifact {
        rootfs.image
    }
}

/// An image, as `images list` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageRow {
    /// Which it is.
    pub image: RootImage,
    /// Size of the image file.
    pub size_bytes: u64,
    /// How many packages its files come from.
    pub packages: usize,
    /// The version of the package that its runtime comes from.
    pub runtime_version: String,
    /// RFC 3339, UTC.
    pub built_at: String,
    /// SHA-256, in lower-case hex.
    pub sha256: String,
    /// Why nothing else of this row is known, when its manifest is damaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What reading every byte of an image showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyRow {
    /// `kernel`, `uml`, or the name of an image.
    pub name: String,
    /// What is wrong, when something is.
    pub error: Option<String>,
}

impl ImageStore {
    /// A verified root file system.
    pub fn rootfs(&self, image: RootImage) -> Result<Rootfs, ImageError> {
        let manifest = self.checked_rootfs(image, Look::Cached)?;
        if image.is_custom() {
            self.note_use(image);
        }
        Ok(Rootfs {
            image: artifact(&self.rootfs_file(""), &manifest.image),
            packages: manifest.packages,
            runtime_version: manifest.runtime_version,
            built_at: manifest.built_at,
        })
    }

    /// Whether an image is whole, as a VM that is to boot from it would find it; counts as no use of it.
    pub fn check(&self, image: RootImage) -> Result<(), ImageError> {
        self.checked_rootfs(image, Look::Cached).map(drop)
    }

    /// Whether an image is there, whole or not.
    pub fn holds(&self, image: RootImage) -> bool {
        self.rootfs_manifest(image).exists()
    }

    /// The root file systems that are there. Reads manifests alone: cheap, and no proof.
    pub fn list(&self) -> Result<Vec<ImageRow>, ImageError> {
        // Other processes may have made some since the store was opened.
        self.adopt_all();
        let rows = languages::images().map(|image| self.row(image));
        Ok(rows.flatten().collect())
    }

    fn row(&self, image: RootImage) -> Option<ImageRow> {
        let empty = ImageRow {
            image,
            size_bytes: 0,
            packages: 0,
            runtime_version: String::new(),
            built_at: String::new(),
            sha256: String::new(),
            error: None,
        };
        match self.read_rootfs(image) {
            Ok(manifest) => Some(ImageRow {
                size_bytes: manifest.image.size,
                packages: manifest.packages.len(),
                runtime_version: manifest.runtime_version,
                built_at: manifest.built_at,
                sha256: manifest.image.sha256,
                ..empty
            }),
            Err(ImageError::Missing { .. }) => None,
            Err(error) => Some(ImageRow {
                error: Some(error.to_string()),
                ..empty
            }),
        }
    }

    /// Reads every byte of the kernels and of these images; of all that are there when
    /// none is named.
    pub fn verify(&self, named: &[RootImage]) -> Result<Vec<VerifyRow>, ImageError> {
        let images = match named {
            [] => self.images(),
            named => named.to_vec(),
        };
        let kernels = self.kernels_to_verify().into_iter().map(|kind| VerifyRow {
            name: kind.name().to_owned(),
            error: text_of(self.check_kernel(kind, Look::Full)),
        });
        let rows = images.into_iter().map(|image| VerifyRow {
            name: image.name().to_owned(),
            error: text_of(self.checked_rootfs(image, Look::Full)),
        });
        Ok(kernels.chain(rows).collect())
    }

    /// Those that are there. A store without any has a row that says so.
    fn kernels_to_verify(&self) -> Vec<KernelKind> {
        let there = |kind: &KernelKind| self.kernel_manifest(*kind).exists();
        let kinds: Vec<_> = KernelKind::ALL.into_iter().filter(there).collect();
        match kinds.is_empty() {
            true => vec![KernelKind::Virtual],
            false => kinds,
        }
    }

    /// The root file systems whose manifests are there.
    pub(crate) fn images(&self) -> Vec<RootImage> {
        languages::images()
            .filter(|image| self.holds(*image))
            .collect()
    }

    pub(crate) fn read_rootfs(&self, image: RootImage) -> Result<RootfsManifest, ImageError> {
        let path = self.rootfs_manifest(image);
        manifest::read(&path, image.name(), &self.root)
    }

    pub(crate) fn checked_rootfs(
        &self,
        image: RootImage,
        look: Look,
    ) -> Result<RootfsManifest, ImageError> {
        let manifest = self.read_rootfs(image)?;
        let path = self.rootfs_file(&manifest.image.file);
        let image = Recorded {
            name: image.name(),
            path: &path,
            record: &manifest.image,
        };
        self.cache.check(image, look)?;
        Ok(manifest)
    }
}

fn text_of<T>(result: Result<T, ImageError>) -> Option<String> {
    result.err().map(|error| error.to_string())
}

pub(crate) fn artifact(folder: &Path, record: &FileRecord) -> Artifact {
    Artifact {
        path: folder.join(&record.file),
        sha256: record.sha256.clone(),
        size: record.size,
    }
}
