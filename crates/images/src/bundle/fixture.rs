//! Small stores and files for the tests of this crate.

use super::END_BYTES;
use super::header::BundleEntry;
use crate::digest;
use crate::kernel::{KernelKind, uml};
use crate::layout::{self, Form, Image, MODULES, UML, VMLINUX};
use crate::manifest::{
    FileRecord, KernelManifest, Package, PackageSource, RootfsManifest, UmlManifest,
};
use crate::recipe::{KERNEL_FORMAT, ROOTFS_FORMAT};
use crate::store::ImageStore;
use languages::RootImage;
use serde::Serialize;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

pub(crate) const BUILT_AT: &str = "2026-11-28T15:00:00Z";

/// Files of an archive: names and contents.
pub(crate) type Entries = Vec<(String, Vec<u8>)>;

pub(crate) fn record(form: Form, content: &[u8]) -> FileRecord {
    let sha256 = digest::sha256(content);
    FileRecord {
        file: form.file_name(&sha256),
        sha256,
        size: content.len() as u64,
    }
}

pub(crate) fn package(name: &str) -> Package {
    Package {
        name: name.to_owned(),
        version: "1.2-3".to_owned(),
        sha256: "ab".repeat(32),
        source: PackageSource::Debian,
        licence: "MIT".to_owned(),
    }
}

fn json(manifest: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(manifest).unwrap()
}

/// A kernel for hardware VMs, of these contents.
pub(crate) fn virtual_kernel(vmlinux: &[u8], modules: &[u8]) -> Entries {
    let manifest = KernelManifest {
        format: KERNEL_FORMAT,
        vmlinux: record(VMLINUX, vmlinux),
        modules: record(MODULES, modules),
        module_names: vec!["virtio".to_owned()],
        package: package("linux-image"),
        built_at: BUILT_AT.to_owned(),
    };
    let files = [(&manifest.vmlinux, vmlinux), (&manifest.modules, modules)];
    entries(Image::Kernel(KernelKind::Virtual), json(&manifest), &files)
}

/// The manifest of a User-Mode Linux program of this content.
pub(crate) fn uml_manifest(program: &[u8]) -> UmlManifest {
    UmlManifest {
        format: KERNEL_FORMAT,
        kernel: record(UML, program),
        package: package("linux-source"),
        inputs: uml::config::inputs(),
        compiler: "gcc 12".to_owned(),
        built_at: BUILT_AT.to_owned(),
    }
}

pub(crate) fn uml(manifest: &UmlManifest, program: &[u8]) -> Entries {
    let image = Image::Kernel(KernelKind::UserMode);
    entries(image, json(manifest), &[(&manifest.kernel, program)])
}

/// A root file system of this content.
pub(crate) fn rootfs(image: RootImage, content: &[u8]) -> Entries {
    let manifest = RootfsManifest {
        format: ROOTFS_FORMAT,
        name: image.name().to_owned(),
        image: record(layout::rootfs(image), content),
        packages: vec![package("bash")],
        runtime_version: "5".to_owned(),
        built_at: BUILT_AT.to_owned(),
        inputs: String::new(),
        custom: None,
    };
    let files = [(&manifest.image, content)];
    entries(Image::Rootfs(image), json(&manifest), &files)
}

fn entries(image: Image, manifest: Vec<u8>, files: &[(&FileRecord, &[u8])]) -> Entries {
    let files = files.iter().map(|(record, content)| {
        let name = format!("{}/{}", image.folder(), record.file);
        (name, content.to_vec())
    });
    std::iter::once((image.manifest_path(), manifest))
        .chain(files)
        .collect()
}

/// One of each: two kernels, two languages.
pub(crate) fn all() -> Entries {
    let uml = uml(&uml_manifest(b"uml"), b"uml");
    [
        virtual_kernel(&[1; 700], b"modules"),
        uml,
        rootfs(image("bash"), &[2; 512]),
        rootfs(image("python"), b""),
    ]
    .concat()
}

/// The archive of these entries.
pub(crate) fn archive(entries: &Entries) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, content) in entries {
        let entry = BundleEntry {
            name: name.clone(),
            size: content.len() as u64,
        };
        bytes.extend(entry.to_block().unwrap());
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + END_BYTES, 0);
    bytes
}

/// A store in the folder with these files, as if they had been built.
pub(crate) fn store(root: &Path, entries: &Entries) -> ImageStore {
    let store = ImageStore::open(root).unwrap();
    for (name, content) in entries {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let program = name.starts_with("uml/linux-");
        let mode = if program { 0o755 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    store
}

/// What a store holds: names, permissions and contents, without its lock and its cache.
pub(crate) fn contents(root: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let entries = walkdir::WalkDir::new(root).sort_by_file_name().into_iter();
    let files = entries.map(Result::unwrap).filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        entry.file_type().is_file() && name != "lock" && name != "digests.json"
    });
    let told = files.map(|entry| {
        let path = entry.path();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        (name, mode, fs::read(path).unwrap())
    });
    told.collect()
}

/// The image of this name.
pub(crate) fn image(name: &str) -> RootImage {
    RootImage::named(name).unwrap()
}
