//! Makes the guests' kernel: `vmlinux` and the few modules that guests need, out of one package.

use crate::bzimage;
use crate::cpio::{Archive, CpioError};
use crate::debian;
use crate::digest;
use crate::error::ImageError;
use crate::manifest::Package;
use crate::modules::{self, Module};
use crate::progress::Phases;
use crate::recipe::KERNEL_PACKAGE;
use std::fs;
use std::path::{Path, PathBuf};

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
    let unpacked = debian::unpack(&[KERNEL_PACKAGE], mirror, &tree, 70, phases)?;
    // The package asked for is a name that always depends on the newest kernel's.
    let release = only_entry(&tree.join("usr/lib/modules"))?;
    let package = format!("linux-image-{release}");
    let version = crate::rootfs::version_of(&package, &unpacked)?;

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
        package: Package {
            name: package,
            version,
        },
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

/// The archive that goes before the modules': the agent as `/init`, and what it mounts over.
pub(crate) fn agent_archive(agent: &Path, sha256: &str) -> Result<Vec<u8>, ImageError> {
    let bytes = fs::read(agent).map_err(ImageError::io("reading the agent", agent))?;
    if digest::sha256(&bytes) != sha256 {
        return Err(ImageError::Agent {
            path: agent.to_path_buf(),
            what: "it changed while it was read",
        });
    }
    check_agent(agent, &bytes)?;
    let write = || -> Result<Vec<u8>, CpioError> {
        let mut archive = Archive::default();
        for folder in ["dev", "newroot", "proc", "sys"] {
            archive.folder(folder)?;
        }
        // The kernel opens it for PID 1 before anything is mounted.
        archive.device("dev/console", 5, 1)?;
        archive.file("init", 0o755, &bytes)?;
        Ok(archive.finish())
    };
    write().map_err(|source| ImageError::Initramfs {
        entry: "init".to_owned(),
        source,
    })
}

fn check_agent(path: &Path, bytes: &[u8]) -> Result<(), ImageError> {
    let wrong = |what| ImageError::Agent {
        path: PathBuf::from(path),
        what,
    };
    let elf = goblin::elf::Elf::parse(bytes).map_err(|_| wrong("it is no ELF program"))?;
    if elf.interpreter.is_some() || !elf.libraries.is_empty() {
        return Err(wrong("it is not linked statically"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_that_a_kernel_cannot_start_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("agent");
        fs::write(&text, "#!/bin/sh").unwrap();
        let try_it = |path: &Path| {
            let (sha256, _) = digest::sha256_file(path).unwrap();
            agent_archive(path, &sha256).unwrap_err().to_string()
        };
        let error = try_it(&text);
        assert!(error.contains("no ELF program"), "{error}");
        let error = try_it(Path::new("/bin/true"));
        assert!(error.contains("statically"), "{error}");
    }
}
