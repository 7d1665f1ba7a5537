//! What is written down of each image when it is built, as JSON beside it.

use crate::digest::FileIdentity;
use crate::error::ImageError;
use crate::recipe::FORMAT;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A manifest is small; a larger file is not one of ours.
const MAX_BYTES: u64 = 1024 * 1024;

/// A file of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// Its name in the folder of the manifest: no `/` in it.
    pub file: String,
    /// SHA-256, in lower-case hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// A package that something in an image comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its name in the distribution.
    pub name: String,
    /// Its version there.
    pub version: String,
}

/// Of a language's root file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootfsManifest {
    /// The version of this layout.
    pub format: u32,
    /// The language's name.
    pub language: String,
    /// The erofs image.
    pub image: FileRecord,
    /// Where its files come from.
    pub packages: Vec<Package>,
    /// The version of the language's own package.
    pub runtime_version: String,
    /// RFC 3339, UTC.
    pub built_at: String,
}

/// Of the guests' kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KernelManifest {
    /// The version of this layout.
    pub format: u32,
    /// The ELF kernel.
    pub vmlinux: FileRecord,
    /// The modules that guests need: a cpio archive of `/modules/NN-name.ko`.
    pub modules: FileRecord,
    /// Their names, in the order in which they load.
    pub module_names: Vec<String>,
    /// The kernel's package.
    pub package: Package,
    /// RFC 3339, UTC.
    pub built_at: String,
}

/// Of an initramfs, made of an agent and the kernel's modules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InitramfsManifest {
    pub(crate) format: u32,
    pub(crate) initramfs: FileRecord,
}

impl RootfsManifest {
    /// The manifest in these bytes, or what is wrong with them.
    pub fn parse(bytes: &[u8]) -> Result<RootfsManifest, String> {
        parse(bytes)
    }
}

impl KernelManifest {
    /// The manifest in these bytes, or what is wrong with them.
    pub fn parse(bytes: &[u8]) -> Result<KernelManifest, String> {
        parse(bytes)
    }
}

/// What every manifest has.
pub(crate) trait Manifest: Serialize + DeserializeOwned {
    fn format(&self) -> u32;
    fn records(&self) -> Vec<&FileRecord>;
}

impl Manifest for RootfsManifest {
    fn format(&self) -> u32 {
        self.format
    }
    fn records(&self) -> Vec<&FileRecord> {
        vec![&self.image]
    }
}

impl Manifest for KernelManifest {
    fn format(&self) -> u32 {
        self.format
    }
    fn records(&self) -> Vec<&FileRecord> {
        vec![&self.vmlinux, &self.modules]
    }
}

impl Manifest for InitramfsManifest {
    fn format(&self) -> u32 {
        self.format
    }
    fn records(&self) -> Vec<&FileRecord> {
        vec![&self.initramfs]
    }
}

/// Reads the manifest of the image `name`; one that is absent is `Missing`, one that says nothing
/// sensible is `Damaged`.
pub(crate) fn read<M: Manifest>(path: &Path, name: &str, root: &Path) -> Result<M, ImageError> {
    let damaged = |seen: String| ImageError::Damaged {
        name: name.to_owned(),
        file: path.to_path_buf(),
        expected: format!("a manifest of format {FORMAT}"),
        seen,
    };
    let size = match FileIdentity::of(path) {
        Ok(identity) => identity.size,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(ImageError::Missing {
                name: name.to_owned(),
                root: root.to_path_buf(),
            });
        }
        Err(error) => return Err(ImageError::io("looking at", path)(error)),
    };
    if size > MAX_BYTES {
        return Err(damaged(format!("{size} bytes")));
    }
    let bytes = fs::read(path).map_err(ImageError::io("reading", path))?;
    parse(&bytes).map_err(damaged)
}

/// The manifest in these bytes, or what is wrong with them.
fn parse<M: Manifest>(bytes: &[u8]) -> Result<M, String> {
    let manifest: M = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if manifest.format() != FORMAT {
        return Err(format!("format {}", manifest.format()));
    }
    match manifest
        .records()
        .into_iter()
        .find(|record| !is_plain(record))
    {
        Some(record) => Err(format!("a record of '{}'", record.file.escape_debug())),
        None => Ok(manifest),
    }
}

/// A name that stays in its folder, and a digest that is one.
fn is_plain(record: &FileRecord) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    !record.file.starts_with('.')
        && !record.file.is_empty()
        && record.file.bytes().all(plain)
        && record.sha256.len() == 64
        && record.sha256.bytes().all(hex)
}

/// Writes bytes to `path` so that it is there wholly or not at all, also after a crash.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), ImageError> {
    let writing = || ImageError::io("writing", path);
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(crate::store::TEMPORARY)
        .permissions(fs::Permissions::from_mode(0o644))
        .tempfile_in(folder)
        .map_err(writing())?;
    file.write_all(bytes).map_err(writing())?;
    file.as_file().sync_all().map_err(writing())?;
    file.persist(path).map_err(|error| writing()(error.error))?;
    sync_folder(folder)
}

/// Writes a manifest beside what it is of.
pub(crate) fn write<M: Manifest>(path: &Path, manifest: &M) -> Result<(), ImageError> {
    let bytes = serde_json::to_vec_pretty(manifest)
        .map_err(|error| ImageError::io("writing", path)(io::Error::other(error)))?;
    write_atomically(path, &bytes)
}

/// Makes renames in a folder last.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), ImageError> {
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(ImageError::io("syncing", folder))
}
