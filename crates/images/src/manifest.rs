//! What is written down of each image when it is built, as JSON beside it.

use crate::custom::CustomRecord;
use crate::digest::FileIdentity;
use crate::error::ImageError;
use crate::recipe::{KERNEL_FORMAT, ROOTFS_FORMAT};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A manifest is small; a larger file is not one of ours.
pub(crate) const MAX_BYTES: u64 = 1024 * 1024;

/// Bounds on what a manifest may hold, each far above any image's: more is a mistake or an attack.
const MAX_TEXTS: usize = 8192;
const MAX_TEXT_BYTES: usize = 256;
/// Of a licence's name.
const MAX_LICENCE_BYTES: usize = 128;
/// Letters of a wrong text that a message repeats.
const MAX_EXCERPT: usize = 200;

/// A file of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its name in the distribution.
    pub name: String,
    /// Its version there.
    pub version: String,
    /// SHA-256 of its archive, in lower-case hex; empty where an older version of this tool wrote it down.
    #[serde(default)]
    pub sha256: String,
    /// Whose package it is.
    #[serde(default)]
    pub source: PackageSource,
    /// What its makers call its licence; empty where they do not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub licence: String,
}

/// Where a package comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageSource {
    /// The distribution's archive.
    #[default]
    Debian,
    /// npm's registry.
    Npm,
    /// PyPI.
    Pypi,
}

impl Package {
    fn texts(&self) -> [&str; 4] {
        [&self.name, &self.version, &self.sha256, &self.licence]
    }
}

/// Of a root file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootfsManifest {
    /// The version of this layout.
    pub format: u32,
    /// The image's name.
    pub name: String,
    /// The erofs image.
    pub image: FileRecord,
    /// Where its files come from.
    pub packages: Vec<Package>,
    /// The version of the language's own package.
    pub runtime_version: String,
    /// RFC 3339, UTC.
    pub built_at: String,
    /// SHA-256, in lower-case hex, of what it was asked to be, where the tool has a recipe for it; empty where an older
    /// version of this tool made it. Another one is asked for something else, and it is built again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub inputs: String,
    /// Of an image that is not the tool's: what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<CustomRecord>,
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

/// Of the User-Mode Linux kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UmlManifest {
    /// The version of this layout.
    pub format: u32,
    /// The kernel, a program.
    pub kernel: FileRecord,
    /// The package of its source.
    pub package: Package,
    /// SHA-256 of its options, patches and the steps of its build, in lower-case hex. One that is not
    /// this tool's tells that another version of the tool built it.
    pub inputs: String,
    /// What the compiler calls itself.
    pub compiler: String,
    /// RFC 3339, UTC.
    pub built_at: String,
}

/// Of an initramfs, made of an agent and, where the kernel has some, modules.
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

impl UmlManifest {
    /// The manifest in these bytes, or what is wrong with them.
    pub fn parse(bytes: &[u8]) -> Result<UmlManifest, String> {
        parse(bytes)
    }
}

/// What every manifest has.
pub(crate) trait Manifest: Serialize + DeserializeOwned {
    /// The version of the layout that this tool writes and reads.
    const FORMAT: u32;
    fn format(&self) -> u32;
    fn records(&self) -> Vec<&FileRecord>;
    /// What is shown to people.
    fn texts(&self) -> Vec<&str>;
}

impl Manifest for RootfsManifest {
    const FORMAT: u32 = ROOTFS_FORMAT;

    fn format(&self) -> u32 {
        self.format
    }
    fn records(&self) -> Vec<&FileRecord> {
        vec![&self.image]
    }
    fn texts(&self) -> Vec<&str> {
        let own = [
            &*self.name,
            &*self.runtime_version,
            &*self.built_at,
            &*self.inputs,
        ];
        let packages = self.packages.iter().flat_map(Package::texts);
        own.into_iter().chain(packages).collect()
    }
}

impl Manifest for KernelManifest {
    const FORMAT: u32 = KERNEL_FORMAT;

    fn format(&self) -> u32 {
        self.format
    }
    fn records(&self) -> Vec<&FileRecord> {
        vec![&self.vmlinux, &self.modules]
    }
    fn texts(&self) -> Vec<&str> {
        let names = self.module_names.iter().map(String::as_str);
        let package = self.package.texts();
        names.chain(package).chain([&*self.built_at]).collect()
    }
}

impl Manifest for UmlManifest {
    const FORMAT: u32 = KERNEL_FORMAT;

    fn format(&self) -> u32 {
        self.format
    }
    fn records(&self) -> Vec<&FileRecord> {
        vec![&self.kernel]
    }
    fn texts(&self) -> Vec<&str> {
        let own = [&*self.inputs, &*self.compiler, &*self.built_at];
        own.into_iter().chain(self.package.texts()).collect()
    }
}

impl Manifest for InitramfsManifest {
    const FORMAT: u32 = KERNEL_FORMAT;

    fn format(&self) -> u32 {
        self.format
    }
    fn records(&self) -> Vec<&FileRecord> {
        vec![&self.initramfs]
    }
    fn texts(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Reads the manifest of the image `name`; one that is absent is `Missing`, one of another version of this tool
/// `OtherFormat`, one that says nothing sensible `Damaged`.
pub(crate) fn read<M: Manifest>(path: &Path, name: &str, root: &Path) -> Result<M, ImageError> {
    let damaged = |seen: String| ImageError::Damaged {
        name: name.to_owned(),
        file: path.to_path_buf(),
        expected: format!("a manifest of format {}", M::FORMAT),
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
    if format_of(&bytes).is_some_and(|format| format != M::FORMAT) {
        return Err(ImageError::OtherFormat {
            name: name.to_owned(),
            root: root.to_path_buf(),
        });
    }
    parse(&bytes).map_err(damaged)
}

/// The version that a manifest says it has, whatever else it says.
fn format_of(bytes: &[u8]) -> Option<u32> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let head: Head = serde_json::from_slice(bytes).ok()?;
    Some(head.format)
}

/// The manifest in these bytes, or what is wrong with them.
fn parse<M: Manifest>(bytes: &[u8]) -> Result<M, String> {
    let manifest: M = serde_json::from_slice(bytes).map_err(|error| excerpt(&error.to_string()))?;
    if manifest.format() != M::FORMAT {
        return Err(format!("format {}", manifest.format()));
    }
    let records = manifest.records();
    if let Some(record) = records.into_iter().find(|record| !is_plain(record)) {
        return Err(format!("a record of '{}'", excerpt(&record.file)));
    }
    let texts = manifest.texts();
    if texts.len() > MAX_TEXTS {
        return Err(format!("{} texts", texts.len()));
    }
    match texts.into_iter().find(|text| !is_printable(text)) {
        Some(text) => Err(format!("the text '{}'", excerpt(text))),
        None => Ok(manifest),
    }
}

/// What a package says of its licence, if it is a name: some write the whole text there.
pub(crate) fn licence_name(text: &str) -> Option<&str> {
    let is_name = (1..=MAX_LICENCE_BYTES).contains(&text.len()) && is_printable(text);
    is_name.then_some(text)
}

/// Printed as it is, it moves no cursor and fills no screen.
pub(crate) fn is_printable(text: &str) -> bool {
    let printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    text.len() <= MAX_TEXT_BYTES && text.bytes().all(printable)
}

/// For messages about what anybody may have written.
fn excerpt(text: &str) -> String {
    let shown = |letter: char| match letter {
        ' '..='~' => letter,
        _ => '?',
    };
    text.chars().take(MAX_EXCERPT).map(shown).collect()
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

/// How the names of half-written files start.
pub(crate) const TEMPORARY: &str = ".new-";

/// Writes bytes to `path` so that it is there wholly or not at all, also after a crash.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), ImageError> {
    let writing = || ImageError::io("writing", path);
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(TEMPORARY)
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

#[cfg(test)]
mod tests;
