//! An image as its manifest describes it, judged as bytes that anybody may have written.

use super::error::BundleError;
use crate::kernel::{KernelKind, uml};
use crate::layout::Image;
use crate::manifest::{FileRecord, KernelManifest, RootfsManifest, UmlManifest};

/// A manifest that holds, and the files that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) image: Image,
    /// As it is written, to the byte.
    pub(crate) manifest: Vec<u8>,
    pub(crate) files: Vec<FileRecord>,
}

impl Described {
    /// What these bytes describe, if they are a manifest of `image` that could be the store's own.
    pub(crate) fn of(image: Image, manifest: Vec<u8>) -> Result<Described, BundleError> {
        let refused = |what: String| BundleError::Entry {
            entry: image.manifest_path(),
            what,
        };
        let no_manifest = |what: String| refused(format!("is no manifest: {what}"));
        let files = match image {
            Image::Kernel(KernelKind::Virtual) => {
                let parsed = KernelManifest::parse(&manifest).map_err(no_manifest)?;
                vec![parsed.vmlinux, parsed.modules]
            }
            Image::Kernel(KernelKind::UserMode) => {
                let parsed = UmlManifest::parse(&manifest).map_err(no_manifest)?;
                if parsed.inputs != uml::config::inputs() {
                    let other = "is of a kernel that another version of this tool built";
                    return Err(refused(other.to_owned()));
                }
                vec![parsed.kernel]
            }
            Image::Rootfs(image) => {
                let parsed = RootfsManifest::parse(&manifest).map_err(no_manifest)?;
                if parsed.name != image.name() || parsed.custom.is_some() != image.is_custom() {
                    return Err(refused(format!("is the manifest of {}", parsed.name)));
                }
                vec![parsed.image]
            }
        };
        check_files(image, &files).map_err(refused)?;
        Ok(Described {
            image,
            manifest,
            files,
        })
    }

    /// Where a file of it stands, in the store and in the file.
    pub(crate) fn path_of(&self, record: &FileRecord) -> String {
        format!("{}/{}", self.image.folder(), record.file)
    }

    /// Bytes of its files.
    pub(crate) fn size(&self) -> u64 {
        self.files.iter().map(|record| record.size).sum()
    }
}

/// Names are what the store would give, sizes within what a build may make.
fn check_files(image: Image, files: &[FileRecord]) -> Result<(), String> {
    for (record, form) in files.iter().zip(image.forms()) {
        let expected = form.file_name(&record.sha256);
        if record.file != expected {
            let seen = &record.file;
            return Err(format!("names a file {seen} that is to be {expected}"));
        }
        if record.size > form.max_bytes {
            let (file, size, bound) = (&record.file, record.size, form.max_bytes);
            return Err(format!("names {file} of {size} bytes, more than {bound}"));
        }
    }
    Ok(())
}
