//! What a guest starts from: a kernel of the store, and the initramfs with the agent, made on first use.

use crate::digest;
use crate::error::ImageError;
use crate::find::{Artifact, artifact};
use crate::kernel::{KernelKind, initramfs};
use crate::manifest::{self, FileRecord, InitramfsManifest};
use crate::recipe::KERNEL_FORMAT;
use crate::store::{INITRAMFS, ImageStore};
use crate::verify::{Look, Recorded};
use std::fs;
use std::path::Path;

/// As many agents as are likely in use at a time, with each kernel; older initramfs files are removed.
const KEPT_INITRAMFS: usize = 8;

/// What guests of any language boot from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// `vmlinux`, an ELF file with a PVH note; or User-Mode Linux, a program.
    pub kernel: Artifact,
    /// A cpio archive with the agent as `/init` and the languages' drivers.
    pub initramfs: Artifact,
    /// SHA-256 of the agent, in lower-case hex.
    pub agent_sha256: String,
}

impl ImageStore {
    /// The verified kernel of this kind, and the initramfs with this agent, which is made when there
    /// is none yet.
    pub fn guest(&self, agent: &Path, kind: KernelKind) -> Result<Guest, ImageError> {
        let (kernel, modules) = match kind {
            KernelKind::Virtual => {
                let manifest = self.virtual_kernel(Look::Cached)?;
                (manifest.vmlinux, Some(manifest.modules))
            }
            KernelKind::UserMode => (self.uml(Look::Cached)?.kernel, None),
        };
        let (agent_sha256, _) = self
            .cache
            .sha256(agent, Look::Cached)
            .map_err(ImageError::io("reading the agent", agent))?;
        Ok(Guest {
            kernel: artifact(&self.kernel_folder(kind), &kernel),
            initramfs: self.initramfs(agent, &agent_sha256, modules.as_ref())?,
            agent_sha256,
        })
    }

    fn initramfs(
        &self,
        agent: &Path,
        agent_sha256: &str,
        modules: Option<&FileRecord>,
    ) -> Result<Artifact, ImageError> {
        let of_modules = modules.map_or("none", |modules| &modules.sha256);
        let of_drivers = initramfs::drivers_sha256()?;
        let inputs = format!("{KERNEL_FORMAT} {agent_sha256} {of_modules} {of_drivers}");
        let key = digest::sha256(inputs.as_bytes())[..32].to_owned();
        let folder = self.root.join(INITRAMFS);
        let manifest_path = folder.join(format!("{key}.json"));
        let known = manifest::read::<InitramfsManifest>(&manifest_path, INITRAMFS, &self.root);
        if let Ok(InitramfsManifest { initramfs, .. }) = known {
            let path = folder.join(&initramfs.file);
            // Anything but right is made again, which costs milliseconds: the inputs are verified.
            let file = Recorded {
                name: INITRAMFS,
                path: &path,
                record: &initramfs,
            };
            if self.cache.check(file, Look::Cached).is_ok() {
                return Ok(artifact(&folder, &initramfs));
            }
        }
        // The kernel unpacks archives one after the other: the agent's, then the modules'.
        let mut bytes = initramfs::agent_archive(agent, agent_sha256)?;
        if let Some(modules) = modules {
            bytes.extend(self.modules_archive(modules)?);
        }
        let record = FileRecord {
            file: format!("{key}.cpio"),
            sha256: digest::sha256(&bytes),
            size: bytes.len() as u64,
        };
        manifest::write_atomically(&folder.join(&record.file), &bytes)?;
        let manifest = InitramfsManifest {
            format: KERNEL_FORMAT,
            initramfs: record.clone(),
        };
        manifest::write(&manifest_path, &manifest)?;
        remove_oldest(&folder);
        Ok(artifact(&folder, &record))
    }

    fn modules_archive(&self, modules: &FileRecord) -> Result<Vec<u8>, ImageError> {
        let folder = self.kernel_folder(KernelKind::Virtual);
        let path = folder.join(&modules.file);
        let archive = fs::read(&path).map_err(ImageError::io("reading", &path))?;
        if digest::sha256(&archive) != modules.sha256 {
            return Err(ImageError::Damaged {
                name: KernelKind::Virtual.name().to_owned(),
                file: path,
                expected: format!("sha256 {}", modules.sha256),
                seen: "other content".to_owned(),
            });
        }
        Ok(archive)
    }
}

/// Keeps the newest initramfs files. A failure leaves files that the next time removes.
fn remove_oldest(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let archives = entries.flatten().filter(|entry| {
        entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "cpio")
    });
    let mut archives: Vec<_> = archives
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    archives.sort();
    let surplus = archives.len().saturating_sub(KEPT_INITRAMFS);
    for (_, archive) in archives.drain(..surplus) {
        let _ = fs::remove_file(archive.with_extension("json"));
        let _ = fs::remove_file(archive);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::fixture;

    /// The header of a program for x86-64 that is linked statically, and no more.
    fn agent(folder: &Path) -> std::path::PathBuf {
        let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
        elf.resize(52, 0);
        elf.extend([64, 0, 56, 0, 0, 0, 64, 0, 0, 0, 0, 0]);
        let path = folder.join("agent");
        fs::write(&path, elf).unwrap();
        path
    }

    #[test]
    fn only_the_kernel_that_has_modules_gets_them() {
        let folder = tempfile::tempdir().unwrap();
        let agent = agent(folder.path());
        let store = fixture::store(&folder.path().join("images"), &fixture::all());
        let initramfs = |kind| {
            let guest = store.guest(&agent, kind).unwrap();
            assert_eq!(store.guest(&agent, kind).unwrap(), guest, "kept");
            fs::read(&guest.initramfs.path).unwrap()
        };
        let alone = initramfs(KernelKind::UserMode);
        let with_modules = initramfs(KernelKind::Virtual);
        assert_eq!(with_modules, [&alone[..], b"modules"].concat());
        let kernel = store.guest(&agent, KernelKind::UserMode).unwrap().kernel;
        assert_eq!(kernel, store.user_mode_kernel().unwrap());
        let missing = ImageStore::open(&folder.path().join("empty")).unwrap();
        let error = missing.guest(&agent, KernelKind::UserMode).unwrap_err();
        let text = error.to_string();
        assert!(text.ends_with("images build bash --kernel uml`"), "{text}");
    }
}
