//! What the store can hold: kernels and root file systems, each with its folder, its manifest, and the
//! forms of its files.

use crate::kernel::{KernelKind, uml};
use languages::RootImage;

pub(crate) const ROOTFS: &str = "rootfs";
/// Five times what the distribution's kernel has, in bytes.
const MAX_VMLINUX_BYTES: u64 = 256 * 1024 * 1024;
/// Eighty times what guests load, in bytes.
const MAX_MODULES_BYTES: u64 = 64 * 1024 * 1024;

/// The forms of the files of the kernel for hardware VMs.
pub(crate) const VMLINUX: Form = form("vmlinux", "", MAX_VMLINUX_BYTES);
pub(crate) const MODULES: Form = form("modules", ".cpio", MAX_MODULES_BYTES);
/// And of User-Mode Linux'.
pub(crate) const UML: Form = form("linux", "", uml::MAX_BYTES);

/// A kernel, or a root file system: a manifest and its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Image {
    Kernel(KernelKind),
    Rootfs(RootImage),
}

/// A file's form: what its name has before and after the digest, and how large it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    stem: &'static str,
    suffix: &'static str,
    pub(crate) max_bytes: u64,
}

impl Form {
    /// Files are named by their content, so that none ever changes.
    pub(crate) fn file_name(&self, sha256: &str) -> String {
        format!("{}-{}{}", self.stem, &sha256[..16], self.suffix)
    }
}

impl Image {
    /// All that there can be, in the order in which they are listed and exported.
    pub(crate) fn all() -> impl Iterator<Item = Image> {
        let kernels = KernelKind::ALL.into_iter().map(Image::Kernel);
        kernels.chain(languages::images().map(Image::Rootfs))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Image::Kernel(kind) => kind.name(),
            Image::Rootfs(image) => image.name(),
        }
    }

    /// Its folder in the store.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Image::Kernel(kind) => kind.name(),
            Image::Rootfs(_) => ROOTFS,
        }
    }

    /// Its manifest in the store.
    pub(crate) fn manifest_path(self) -> String {
        match self {
            Image::Kernel(kind) => format!("{}/manifest.json", kind.name()),
            Image::Rootfs(image) => format!("{ROOTFS}/{}.json", image.name()),
        }
    }

    /// The permissions of its files.
    pub(crate) fn mode(self) -> u32 {
        match self {
            Image::Kernel(KernelKind::UserMode) => 0o755,
            _ => 0o644,
        }
    }

    /// Whether a file in its folder is one of its own, of this or an older build.
    pub(crate) fn owns(self, name: &str) -> bool {
        self.forms().iter().any(|form| {
            // Nothing but a digest: `python-data-….erofs` is none of python's.
            let rest = name.strip_prefix(form.stem);
            let rest = rest.and_then(|rest| rest.strip_prefix('-'));
            let digest = rest.and_then(|rest| rest.strip_suffix(form.suffix));
            digest.is_some_and(|digest| digest.bytes().all(|byte| byte.is_ascii_hexdigit()))
        })
    }

    /// The image whose manifest has this path.
    pub(crate) fn of_manifest(path: &str) -> Option<Image> {
        Image::all().find(|image| image.manifest_path() == path)
    }

    /// Of its files, in the order in which they stand in the manifest.
    pub(crate) fn forms(self) -> Vec<Form> {
        match self {
            Image::Kernel(KernelKind::Virtual) => vec![VMLINUX, MODULES],
            Image::Kernel(KernelKind::UserMode) => vec![UML],
            Image::Rootfs(image) => vec![rootfs(image)],
        }
    }
}

/// The form of a root file system.
pub(crate) fn rootfs(image: RootImage) -> Form {
    let bound = image.recipe().max_bytes();
    form(image.name(), ".erofs", bound)
}

const fn form(stem: &'static str, suffix: &'static str, max_bytes: u64) -> Form {
    Form {
        stem,
        suffix,
        max_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_owns_its_files_of_every_build_and_no_others() {
        let python = Image::Rootfs(RootImage::named("python").unwrap());
        assert!(python.owns("python-0123456789abcdef.erofs"));
        assert!(!python.owns("python.json"));
        assert!(!python.owns("python-data-0123456789abcdef.erofs"));
        assert!(!python.owns("node-0123456789abcdef.erofs"));
        let uml = Image::Kernel(KernelKind::UserMode);
        assert!(uml.owns(&UML.file_name(&"a".repeat(64))));
        assert!(!uml.owns("manifest.json"));
        assert!(Image::Kernel(KernelKind::Virtual).owns("modules-0123456789abcdef.cpio"));
    }

    #[test]
    fn each_image_has_a_manifest_of_its_own() {
        for image in Image::all() {
            assert_eq!(Image::of_manifest(&image.manifest_path()), Some(image));
        }
        assert_eq!(Image::of_manifest("kernel/vmlinux"), None);
    }
}
