//! Kernels in the store: building, finding and listing them.

use crate::error::ImageError;
use crate::find::{Artifact, artifact};
use crate::kernel::{KernelKind, uml, virtual_kernel};
use crate::layout::{Image, MODULES, UML, VMLINUX};
use crate::manifest::{self, FileRecord, KernelManifest, Package, UmlManifest};
use crate::progress::{Phases, Progress, Rebuild};
use crate::recipe::KERNEL_FORMAT;
use crate::store::{ImageStore, now, remove_others, store_bytes};
use crate::verify::{Look, Recorded};
use serde::Serialize;

/// A kernel, as `images list` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KernelRow {
    /// Which it is.
    pub kind: KernelKind,
    /// `kernel` or `uml`.
    pub name: String,
    /// Size of the kernel's file.
    pub size_bytes: u64,
    /// The package that it comes from.
    pub package: String,
    /// That package's version.
    pub package_version: String,
    /// RFC 3339, UTC.
    pub built_at: String,
    /// SHA-256, in lower-case hex.
    pub sha256: String,
    /// What compiled it, where this host did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compiler: Option<String>,
    /// Why it cannot be used: its manifest is damaged, or another version of this tool built it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl ImageStore {
    /// Makes a kernel for guests. Does nothing when there is a good one, unless `rebuild` says so.
    pub fn build_kernel(
        &self,
        kind: KernelKind,
        rebuild: Rebuild,
        progress: &dyn Progress,
    ) -> Result<(), ImageError> {
        let phases = Phases::new(progress);
        let _lock = self.lock(&phases)?;
        if rebuild == Rebuild::IfNeeded && self.check_kernel(kind, Look::Cached).is_ok() {
            phases.at(100, "as built before");
            return Ok(());
        }
        match kind {
            KernelKind::Virtual => self.build_virtual_kernel(&phases)?,
            KernelKind::UserMode => self.build_uml(&phases)?,
        }
        phases.at(100, "done");
        Ok(())
    }

    fn build_virtual_kernel(&self, phases: &Phases<'_>) -> Result<(), ImageError> {
        let folder = self.kernel_folder(KernelKind::Virtual);
        let scratch = self.scratch()?;
        let made = virtual_kernel::make(self.mirror.as_deref(), scratch.path(), phases)?;
        phases.at(90, "writing");
        let manifest = KernelManifest {
            format: KERNEL_FORMAT,
            vmlinux: store_bytes(&folder, VMLINUX, &made.vmlinux)?,
            modules: store_bytes(&folder, MODULES, &made.modules)?,
            module_names: made.module_names,
            package: made.package,
            built_at: now(),
        };
        manifest::write(&self.kernel_manifest(KernelKind::Virtual), &manifest)?;
        let keep = [&manifest.vmlinux.file, &manifest.modules.file];
        let image = Image::Kernel(KernelKind::Virtual);
        remove_others(&folder, |name| image.owns(name), &keep)
    }

    fn build_uml(&self, phases: &Phases<'_>) -> Result<(), ImageError> {
        let image = Image::Kernel(KernelKind::UserMode);
        let scratch = self.scratch()?;
        let built = uml::make(self.mirror.as_deref(), scratch.path(), phases)?;
        phases.at(98, "taking its digest");
        let manifest = UmlManifest {
            format: KERNEL_FORMAT,
            kernel: self.keep(&built.program, image, UML)?,
            package: built.package,
            inputs: uml::config::inputs(),
            compiler: built.compiler,
            built_at: now(),
        };
        manifest::write(&self.kernel_manifest(KernelKind::UserMode), &manifest)?;
        let folder = self.kernel_folder(KernelKind::UserMode);
        remove_others(&folder, |name| image.owns(name), &[&manifest.kernel.file])?;
        // Thousands of files: seconds, more where the file system tells its disk of each.
        phases.at(99, "removing the source");
        drop(scratch);
        Ok(())
    }

    /// The verified User-Mode Linux program.
    pub fn user_mode_kernel(&self) -> Result<Artifact, ImageError> {
        let manifest = self.uml(Look::Cached)?;
        let folder = self.kernel_folder(KernelKind::UserMode);
        Ok(artifact(&folder, &manifest.kernel))
    }

    /// The kernels that are there. Reads manifests alone: cheap, and no proof.
    pub fn kernels(&self) -> Vec<KernelRow> {
        let rows = KernelKind::ALL.into_iter();
        rows.filter_map(|kind| self.kernel_row(kind)).collect()
    }

    fn kernel_row(&self, kind: KernelKind) -> Option<KernelRow> {
        let row = match kind {
            KernelKind::Virtual => self.read_virtual_kernel().map(|manifest| KernelRow {
                built_at: manifest.built_at,
                ..row_of(kind, manifest.vmlinux, manifest.package)
            }),
            KernelKind::UserMode => self.read_uml().map(|manifest| KernelRow {
                error: self.fresh(&manifest).err().map(|error| error.to_string()),
                built_at: manifest.built_at,
                compiler: Some(manifest.compiler),
                ..row_of(kind, manifest.kernel, manifest.package)
            }),
        };
        match row {
            Ok(row) => Some(row),
            Err(ImageError::Missing { .. }) => None,
            Err(error) => Some(KernelRow {
                error: Some(error.to_string()),
                ..row_of(kind, FileRecord::default(), Package::default())
            }),
        }
    }

    /// Fails when the kernel of this kind is not there, not what was built, or stale.
    pub(crate) fn check_kernel(&self, kind: KernelKind, look: Look) -> Result<(), ImageError> {
        match kind {
            KernelKind::Virtual => self.virtual_kernel(look).map(drop),
            KernelKind::UserMode => self.uml(look).map(drop),
        }
    }

    pub(crate) fn virtual_kernel(&self, look: Look) -> Result<KernelManifest, ImageError> {
        let manifest = self.read_virtual_kernel()?;
        for record in [&manifest.vmlinux, &manifest.modules] {
            self.check_kernel_file(KernelKind::Virtual, record, look)?;
        }
        Ok(manifest)
    }

    pub(crate) fn uml(&self, look: Look) -> Result<UmlManifest, ImageError> {
        let manifest = self.read_uml()?;
        self.fresh(&manifest)?;
        self.check_kernel_file(KernelKind::UserMode, &manifest.kernel, look)?;
        Ok(manifest)
    }

    fn check_kernel_file(
        &self,
        kind: KernelKind,
        record: &FileRecord,
        look: Look,
    ) -> Result<(), ImageError> {
        let path = self.kernel_folder(kind).join(&record.file);
        let kernel = Recorded {
            name: kind.name(),
            path: &path,
            record,
        };
        self.cache.check(kernel, look)
    }

    fn read_virtual_kernel(&self) -> Result<KernelManifest, ImageError> {
        let kind = KernelKind::Virtual;
        manifest::read(&self.kernel_manifest(kind), kind.name(), &self.root)
    }

    fn read_uml(&self) -> Result<UmlManifest, ImageError> {
        let kind = KernelKind::UserMode;
        manifest::read(&self.kernel_manifest(kind), kind.name(), &self.root)
    }

    /// Fails when the kernel was built with other inputs than this tool's.
    fn fresh(&self, manifest: &UmlManifest) -> Result<(), ImageError> {
        match manifest.inputs == uml::config::inputs() {
            true => Ok(()),
            false => Err(ImageError::Stale {
                name: KernelKind::UserMode.name().to_owned(),
                root: self.root.clone(),
            }),
        }
    }
}

/// What kinds of kernels have in common; the rest is as of one that nothing is known of.
fn row_of(kind: KernelKind, kernel: FileRecord, package: Package) -> KernelRow {
    KernelRow {
        kind,
        name: kind.name().to_owned(),
        size_bytes: kernel.size,
        package: package.name,
        package_version: package.version,
        built_at: String::new(),
        sha256: kernel.sha256,
        compiler: None,
        error: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::fixture::{self, Entries};
    use std::path::Path;

    const AGENT: &str = "/proc/self/exe";

    fn verified(root: &Path, entries: &Entries) -> Vec<(String, bool)> {
        let rows = fixture::store(root, entries).verify(&[]).unwrap();
        rows.into_iter()
            .map(|row| (row.name, row.error.is_none()))
            .collect()
    }

    #[test]
    fn a_store_is_verified_by_the_kernels_that_it_has() {
        let uml = fixture::uml(&fixture::uml_manifest(b"uml"), b"uml");
        let kernel = fixture::virtual_kernel(b"vmlinux", b"modules");
        let both = [kernel.clone(), uml.clone()].concat();
        for (entries, expected) in [
            (&kernel, vec![("kernel", true)]),
            (&uml, vec![("uml", true)]),
            (&both, vec![("kernel", true), ("uml", true)]),
            (&Entries::new(), vec![("kernel", false)]),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(name, good)| (name.to_owned(), good))
                .collect();
            assert_eq!(verified(folder.path(), entries), expected);
        }
    }

    #[test]
    fn a_kernel_of_another_version_of_the_tool_is_stale_and_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = fixture::uml_manifest(b"uml");
        let fresh = fixture::store(folder.path(), &fixture::uml(&manifest, b"uml"));
        let artifact = fresh.user_mode_kernel().unwrap();
        assert_eq!((artifact.size, artifact.path.exists()), (3, true));
        manifest.inputs = "0".repeat(64);
        let store = fixture::store(folder.path(), &fixture::uml(&manifest, b"uml"));
        let error = store.user_mode_kernel().unwrap_err();
        assert!(matches!(error, ImageError::Stale { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("another version of this tool"), "{text}");
        assert!(text.contains("llm-firecracker images build"), "{text}");
        let error = store.guest(Path::new(AGENT), KernelKind::UserMode);
        assert!(matches!(error, Err(ImageError::Stale { .. })));
        // It is listed for what it is, and would be built again.
        let row = &store.kernels()[0];
        assert_eq!((row.name.as_str(), row.size_bytes), ("uml", 3));
        assert_eq!(row.compiler.as_deref(), Some("gcc 12"));
        assert_eq!(row.error.as_ref(), Some(&text));
        assert!(
            store
                .check_kernel(KernelKind::UserMode, Look::Cached)
                .is_err()
        );
    }

    #[test]
    fn kernels_that_are_there_are_listed_and_damaged_ones_too() {
        let folder = tempfile::tempdir().unwrap();
        let mut entries = fixture::virtual_kernel(b"vmlinux", b"modules");
        let store = fixture::store(folder.path(), &entries);
        let rows = store.kernels();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].package_version, "1.2-3");
        assert_eq!((rows[0].size_bytes, &rows[0].error), (7, &None));
        let shown = serde_json::to_value(&rows).unwrap();
        assert_eq!(shown[0]["kind"], "virtual");
        entries[0].1 = b"{}".to_vec();
        let store = fixture::store(folder.path(), &entries);
        let error = store.kernels().remove(0).error.unwrap();
        assert!(error.contains("kernel image is damaged"), "{error}");
    }
}
