//! The kernel of hardware VMs: `vmlinux` and the few modules that guests need, out of one package.

use crate::bzimage;
use crate::cpio::{Archive, CpioError};
use crate::debian::Request;
use crate::debian::sources::{Sources, Suite};
use crate::error::ImageError;
use crate::manifest::Package;
use crate::modules::{self, Module};
use crate::progress::Phases;
use std::fs;
use std::path::Path;

/// The release that it comes from.
const SUITE: Suite = Suite::Plain("bookworm");
/// Built for virtual machines: few drivers, quick to boot.
const KERNEL_PACKAGE: &str = "linux-image-cloud-amd64";

/// Taken out of the package, not yet in the store.
pub(crate) struct Kernel {
    pub(crate) vmlinux: Vec<u8>,
    /// A cpio archive of `/modules/NN-name.ko`.
    pub(crate) modules: Vec<u8>,
    pub(crate) module_names: Vec<String>,
    pub(crate) package: Package,
}

/// Unpacks the kernel's package in the folder `scratch` and takes out what guests need.
pub(crate) fn make(
    mirror: Option<&str>,
    scratch: &Path,
    phases: &Phases<'_>,
) -> Result<Kernel, ImageError> {
    let tree = scratch.join("tree");
    let request = Request {
        sources: Sources::newest(SUITE, mirror),
        packages: &[KERNEL_PACKAGE],
        keep: |_| true,
    };
    let unpacked = request.unpack(&tree, 70, phases)?;
    // The package asked for is a name that always depends on the newest kernel's.
    let release = only_entry(&tree.join("usr/lib/modules"))?;
    let package = format!("linux-image-{release}");
    let package = crate::rootfs::package_of(&package, &unpacked)?;

    phases.at(70, "taking vmlinux out of the kernel's image");
    let path = tree.join("boot").join(format!("vmlinuz-{release}"));
    let image = fs::read(&path).map_err(ImageError::io("reading", &path))?;
    let vmlinux = bzimage::vmlinux(&image).map_err(|source| ImageError::Kernel { path, source })?;

    phases.at(80, "collecting modules");
    let order = modules::in_load_order(&tree.join("usr/lib/modules").join(release))?;
    Ok(Kernel {
        vmlinux,
        modules: archive(&order)?,
        module_names: order.into_iter().map(|(name, _)| name).collect(),
        package,
    })
}

fn only_entry(folder: &Path) -> Result<String, ImageError> {
    let entries = fs::read_dir(folder).map_err(ImageError::io("listing", folder))?;
    let mut names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name),
        _ => Err(ImageError::unexpected(format!(
            "{KERNEL_PACKAGE} brought none or several kernels"
        ))),
    }
}

/// The agent loads modules in the order of their names: two digits make that the load order.
fn archive(order: &[Module]) -> Result<Vec<u8>, ImageError> {
    let mut archive = Archive::default();
    let cannot = |entry: &str| {
        let entry = entry.to_owned();
        move |source: CpioError| ImageError::Initramfs { entry, source }
    };
    archive.folder("modules").map_err(cannot("modules"))?;
    for (index, (name, path)) in order.iter().enumerate() {
        let entry = format!("modules/{:02}-{name}.ko", index + 10);
        let module = fs::read(path).map_err(ImageError::io("reading", path))?;
        archive
            .file(&entry, 0o644, &module)
            .map_err(cannot(&entry))?;
    }
    Ok(archive.finish())
}
