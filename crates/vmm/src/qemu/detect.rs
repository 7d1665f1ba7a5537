//! Which QEMU is here, what it can do and what its jail must hold; asked once, kept in the state folder.

use super::args::at;
use crate::config::{Accelerator, VmmConfig};
use crate::error::VmmError;
use crate::jail::{find_program, root::RootSpec};
use crate::state::StateDir;
use crate::version::{self, Version};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The first version that maps a snapshot's RAM copy-on-write from a file that it cannot write
/// (`memory-backend-file,readonly=on,rom=off`).
pub const CLONES_SINCE: Version = Version(8, 2);

/// What was found, kept in the state folder.
const CACHE: &str = "qemu.json";

/// The first version whose `microvm` boots an uncompressed kernel with ACPI.
pub const BOOTS_SINCE: Version = Version(6, 0);

/// Its package, as Debian names it.
const PACKAGE: &str = "qemu-system-x86";

/// A QEMU that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Qemu {
    /// The binary.
    pub path: PathBuf,
    /// Its version as it says itself, e.g. `10.0.2`.
    pub version: String,
    /// What its jail must hold: host file → path in the jail.
    files: BTreeMap<PathBuf, PathBuf>,
    /// Size, inode and change time of each of them: another value, and all is asked anew.
    identities: Vec<[i64; 4]>,
}

impl Qemu {
    /// Finds QEMU; takes some 100 ms the first time and after each of its updates.
    pub fn find(
        config: &VmmConfig,
        state: &StateDir,
        accelerator: Accelerator,
    ) -> Result<Self, VmmError> {
        let path = binary(config.qemu_path.as_deref(), accelerator)?;
        let cache = state.root().join(CACHE);
        if let Some(known) = Self::cached(&cache, &path) {
            return Ok(known);
        }
        let _lock = state.lock("qemu");
        // Who held the lock may have asked meanwhile.
        if let Some(known) = Self::cached(&cache, &path) {
            return Ok(known);
        }
        let found = Self::ask(path)?;
        // Only a saving of time: not being able to keep it is no failure.
        if let Ok(text) = serde_json::to_vec(&found) {
            let _ = state.keep(CACHE, &text);
        }
        Ok(found)
    }

    fn cached(cache: &Path, path: &Path) -> Option<Self> {
        let known: Self = serde_json::from_slice(&fs::read(cache).ok()?).ok()?;
        let same = known.path == path && identities(&known.files)? == known.identities;
        same.then_some(known)
    }

    fn ask(path: PathBuf) -> Result<Self, VmmError> {
        let unusable = |reason: String| VmmError::Unusable {
            program: path.clone(),
            reason,
        };
        // `10.0.2` in `QEMU emulator version 10.0.2 (Debian …)`.
        let version = version::find(&version::said_by(&path)?, "version ").map_err(unusable)?;
        if version::is_older(&version, BOOTS_SINCE) {
            return Err(unusable(format!(
                "it is version {version}; {BOOTS_SINCE} or newer is needed"
            )));
        }
        let mut files = RootSpec::of_program(&path)?.files;
        files.insert(firmware(&path).map_err(unusable)?, at::FIRMWARE.into());
        let identities = identities(&files).ok_or_else(|| unusable("its files change".into()))?;
        Ok(Self {
            version,
            files,
            identities,
            path,
        })
    }

    /// What its jail is made of.
    pub fn root(&self) -> RootSpec {
        RootSpec {
            files: self.files.clone(),
            placeholders: vec![at::KERNEL, at::INITRAMFS, at::RAM, at::ROOTFS],
            folders: Vec::new(),
        }
    }

    /// Why it cannot clone; `None` when it can.
    pub fn clones_refused(&self) -> Option<String> {
        version::is_older(&self.version, CLONES_SINCE).then(|| {
            format!(
                "QEMU {} cannot map a snapshot's memory copy-on-write; {CLONES_SINCE} or newer can (Debian 12: from backports)",
                self.version
            )
        })
    }
}

/// The binary: the configured one, else the smallest in `PATH` that can do it. Debian's package has one with
/// the machine `microvm` alone, without emulation: a twelfth of the devices, a quarter of the libraries.
fn binary(configured: Option<&Path>, accelerator: Accelerator) -> Result<PathBuf, VmmError> {
    let name = format!("qemu-system-{}", std::env::consts::ARCH);
    if accelerator == Accelerator::Kvm && configured.is_none() {
        let small = find_program(&format!("{name}-microvm"), None, PACKAGE);
        if small.is_ok() {
            return small;
        }
    }
    find_program(&name, configured, PACKAGE)
}

fn identities(files: &BTreeMap<PathBuf, PathBuf>) -> Option<Vec<[i64; 4]>> {
    files
        .keys()
        .map(|file| {
            let m = file.metadata().ok()?;
            Some([m.len() as i64, m.ino() as i64, m.ctime(), m.ctime_nsec()])
        })
        .collect()
}

/// qboot, beside the binary's own data.
fn firmware(qemu: &Path) -> Result<PathBuf, String> {
    let prefix = qemu
        .parent()
        .and_then(Path::parent)
        .unwrap_or(Path::new("/usr"));
    let candidates = [
        "share/qemu/qboot.rom",
        "share/seabios/qboot.rom",
        "share/qboot/bios.bin",
    ];
    let found = [prefix, Path::new("/usr")]
        .iter()
        .flat_map(|prefix| candidates.map(|name| prefix.join(name)))
        .find(|path| path.is_file());
    found
        .and_then(|path| path.canonicalize().ok())
        .ok_or_else(|| "its firmware qboot.rom is missing (Debian: qemu-system-data)".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_old_ones_cannot_clone() {
        let debian = "QEMU emulator version 7.2.9 (Debian 1:7.2+dfsg-7)\nCopyright";
        assert_eq!(version::find(debian, "version ").unwrap(), "7.2.9");
        assert!(version::find("qemu", "version ").is_err());
        assert!(version::find("version x.y", "version ").is_err());
        let qemu = |version: &str| Qemu {
            path: "/q".into(),
            version: version.into(),
            files: BTreeMap::new(),
            identities: Vec::new(),
        };
        assert!(qemu("7.2.9").clones_refused().unwrap().contains("7.2.9"));
        assert!(qemu("8.2.0").clones_refused().is_none());
        assert!(qemu("10.0.2").clones_refused().is_none());
    }

    #[test]
    fn kvm_takes_the_small_one_and_a_configured_one_goes_before_both() {
        let named = tempfile::NamedTempFile::new().unwrap();
        let named = named.path().canonicalize().unwrap();
        for accelerator in [Accelerator::Kvm, Accelerator::Tcg] {
            assert_eq!(binary(Some(&named), accelerator).unwrap(), named);
        }
        let small = format!("qemu-system-{}-microvm", std::env::consts::ARCH);
        let Ok(small) = find_program(&small, None, PACKAGE) else {
            println!("not run: {small} is not in PATH (Debian: {PACKAGE})");
            return;
        };
        assert_eq!(binary(None, Accelerator::Kvm).unwrap(), small);
        assert_ne!(binary(None, Accelerator::Tcg).unwrap(), small);
    }
}
