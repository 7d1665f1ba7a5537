//! What callers ask of the store before a boot: the files, and that they are what was built.

use crate::digest;
use crate::error::ImageError;
use crate::kernel;
use crate::manifest::{
    self, FileRecord, InitramfsManifest, KernelManifest, Package, RootfsManifest,
};
use crate::recipe::FORMAT;
use crate::store::{INITRAMFS, ImageStore, KERNEL};
use crate::verify::Look;
use protocol::language::{LANGUAGES, Language};
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

/// As many agents as are likely in use at a time; older initramfs files are removed.
const KEPT_INITRAMFS: usize = 4;

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

/// What guests of any language boot from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// `vmlinux`, an ELF file with a PVH note.
    pub kernel: Artifact,
    /// A cpio archive with the agent as `/init`.
    pub initramfs: Artifact,
    /// SHA-256 of the agent, in lower-case hex.
    pub agent_sha256: String,
}

/// A language's root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rootfs {
    /// The erofs image.
    pub image: Artifact,
    /// Where its files come from.
    pub packages: Vec<Package>,
    /// The version of the language's own package.
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
    /// Whose it is.
    pub language: Language,
    /// Size of the image file.
    pub size_bytes: u64,
    /// How many packages its files come from.
    pub packages: usize,
    /// The version of the language's own package.
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
    /// `kernel`, or the name of a language.
    pub name: String,
    /// What is wrong, when something is.
    pub error: Option<String>,
}

impl ImageStore {
    /// The verified kernel, and the initramfs with this agent, which is made when there is none yet.
    pub fn guest(&self, agent: &Path) -> Result<Guest, ImageError> {
        let manifest = self.kernel(Look::Cached)?;
        let (agent_sha256, _) = self
            .cache
            .sha256(agent, Look::Cached)
            .map_err(ImageError::io("reading the agent", agent))?;
        let folder = self.root.join(KERNEL);
        Ok(Guest {
            kernel: artifact(&folder, &manifest.vmlinux),
            initramfs: self.initramfs(agent, &agent_sha256, &manifest.modules)?,
            agent_sha256,
        })
    }

    /// The verified root file system of a language.
    pub fn rootfs(&self, language: Language) -> Result<Rootfs, ImageError> {
        let manifest = self.checked_rootfs(language, Look::Cached)?;
        Ok(Rootfs {
            image: artifact(&self.rootfs_file(""), &manifest.image),
            packages: manifest.packages,
            runtime_version: manifest.runtime_version,
            built_at: manifest.built_at,
        })
    }

    /// The languages that have an image. Reads manifests alone: cheap, and no proof.
    pub fn list(&self) -> Result<Vec<ImageRow>, ImageError> {
        let rows = LANGUAGES.iter().map(|spec| self.row(spec.language));
        Ok(rows.flatten().collect())
    }

    fn row(&self, language: Language) -> Option<ImageRow> {
        let empty = ImageRow {
            language,
            size_bytes: 0,
            packages: 0,
            runtime_version: String::new(),
            built_at: String::new(),
            sha256: String::new(),
            error: None,
        };
        match self.read_rootfs(language) {
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

    /// Reads every byte of the kernel and of these languages' images; of all that are there when
    /// none is named.
    pub fn verify(&self, languages: &[Language]) -> Result<Vec<VerifyRow>, ImageError> {
        let there = |language: &Language| self.rootfs_manifest(*language).exists();
        let languages: Vec<Language> = match languages {
            [] => LANGUAGES
                .iter()
                .map(|spec| spec.language)
                .filter(there)
                .collect(),
            named => named.to_vec(),
        };
        let kernel = VerifyRow {
            name: KERNEL.to_owned(),
            error: self.kernel(Look::Full).err().map(|error| error.to_string()),
        };
        let rows = languages.into_iter().map(|language| VerifyRow {
            name: language.name().to_owned(),
            error: self
                .checked_rootfs(language, Look::Full)
                .err()
                .map(|error| error.to_string()),
        });
        Ok(std::iter::once(kernel).chain(rows).collect())
    }

    pub(crate) fn kernel(&self, look: Look) -> Result<KernelManifest, ImageError> {
        let manifest: KernelManifest = manifest::read(&self.kernel_manifest(), KERNEL, &self.root)?;
        let folder = self.root.join(KERNEL);
        for record in [&manifest.vmlinux, &manifest.modules] {
            self.cache
                .check(KERNEL, &folder.join(&record.file), record, look)?;
        }
        Ok(manifest)
    }

    fn read_rootfs(&self, language: Language) -> Result<RootfsManifest, ImageError> {
        let path = self.rootfs_manifest(language);
        manifest::read(&path, language.name(), &self.root)
    }

    pub(crate) fn checked_rootfs(
        &self,
        language: Language,
        look: Look,
    ) -> Result<RootfsManifest, ImageError> {
        let manifest = self.read_rootfs(language)?;
        let path = self.rootfs_file(&manifest.image.file);
        self.cache
            .check(language.name(), &path, &manifest.image, look)?;
        Ok(manifest)
    }

    fn initramfs(
        &self,
        agent: &Path,
        agent_sha256: &str,
        modules: &FileRecord,
    ) -> Result<Artifact, ImageError> {
        let inputs = format!("{FORMAT} {agent_sha256} {}", modules.sha256);
        let key = digest::sha256(inputs.as_bytes())[..32].to_owned();
        let folder = self.root.join(INITRAMFS);
        let manifest_path = folder.join(format!("{key}.json"));
        let known = manifest::read::<InitramfsManifest>(&manifest_path, INITRAMFS, &self.root);
        if let Ok(InitramfsManifest { initramfs, .. }) = known {
            let path = folder.join(&initramfs.file);
            // Anything but right is made again, which costs milliseconds: the inputs are verified.
            if self
                .cache
                .check(INITRAMFS, &path, &initramfs, Look::Cached)
                .is_ok()
            {
                return Ok(artifact(&folder, &initramfs));
            }
        }
        let bytes = self.join_archives(agent, agent_sha256, modules)?;
        let record = FileRecord {
            file: format!("{key}.cpio"),
            sha256: digest::sha256(&bytes),
            size: bytes.len() as u64,
        };
        manifest::write_atomically(&folder.join(&record.file), &bytes)?;
        let manifest = InitramfsManifest {
            format: FORMAT,
            initramfs: record.clone(),
        };
        manifest::write(&manifest_path, &manifest)?;
        remove_oldest(&folder);
        Ok(artifact(&folder, &record))
    }

    /// The kernel unpacks archives one after the other: the agent's, then the modules'.
    fn join_archives(
        &self,
        agent: &Path,
        agent_sha256: &str,
        modules: &FileRecord,
    ) -> Result<Vec<u8>, ImageError> {
        let mut bytes = kernel::agent_archive(agent, agent_sha256)?;
        let path = self.root.join(KERNEL).join(&modules.file);
        let archive = fs::read(&path).map_err(ImageError::io("reading", &path))?;
        if digest::sha256(&archive) != modules.sha256 {
            return Err(ImageError::Damaged {
                name: KERNEL.to_owned(),
                file: path,
                expected: format!("sha256 {}", modules.sha256),
                seen: "other content".to_owned(),
            });
        }
        bytes.extend_from_slice(&archive);
        Ok(bytes)
    }
}

fn artifact(folder: &Path, record: &FileRecord) -> Artifact {
    Artifact {
        path: folder.join(&record.file),
        sha256: record.sha256.clone(),
        size: record.size,
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
