//! Packages of npm's registry, as a lock file of npm's names them: downloaded, held against the digests that it has,
//! unpacked where `npm` would put them. Nothing of them is run.

use crate::debian::Unpacked;
use crate::download::{DownloadError, Downloads, Fetch};
use crate::error::ImageError;
use crate::manifest::{PackageSource, licence_name};
use crate::target::{NewFile, Target, TargetError};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;
use serde::Deserialize;
use sha2::{Digest, Sha256, Sha512};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// Where packages come from when the environment names no other registry, as npm itself has it.
const REGISTRY: &str = "https://registry.npmjs.org";
/// The variables in which npm looks for another.
const REGISTRY_VARIABLES: [&str; 2] = ["npm_config_registry", "NPM_CONFIG_REGISTRY"];
/// Below the image's root.
const FOLDER: &str = "usr/lib";
/// Bytes of an archive; Node's own has 40 MiB.
const MAX_ARCHIVE_BYTES: u64 = 256 << 20;
/// Archives that are fetched at a time, and kept in memory: most are small, and a registry is far away.
const AT_A_TIME: usize = 6;
/// Files of one, and bytes of what a file's header is followed by.
const MAX_ENTRIES: usize = 100_000;
const MAX_HEADER_BYTES: u64 = 64 * 1024;
/// Packages of one lock file.
const MAX_PACKAGES: usize = 2000;

/// `package-lock.json` of version 2 or 3, as far as it is looked at.
#[derive(Deserialize)]
struct LockFile {
    packages: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    /// Where the folder's name is another than the package's.
    name: Option<String>,
    #[serde(default)]
    version: String,
    integrity: Option<String>,
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    link: bool,
    /// It comes in the archive of another.
    #[serde(default)]
    in_bundle: bool,
    os: Option<Names>,
    cpu: Option<Names>,
    libc: Option<Names>,
}

/// Packages name one or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Many(Vec<String>),
}

impl Names {
    /// Whether this one is meant: named, or not among those that are not meant (`!win32`).
    fn has(&self, name: &str) -> bool {
        let all = match self {
            Names::One(one) => std::slice::from_ref(one),
            Names::Many(all) => all,
        };
        let is_excluded = all.iter().any(|one| one.strip_prefix('!') == Some(name));
        let mut named = all.iter().filter(|one| !one.starts_with('!')).peekable();
        !is_excluded && (named.peek().is_none() || named.any(|one| one == name || one == "any"))
    }
}

/// A package to be brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) version: String,
    /// SHA-512 of its archive.
    pub(crate) digest: Vec<u8>,
    /// Below the folder that they are all in.
    pub(crate) folder: PathBuf,
}

/// Brings all packages of one of this tool's own lock files that guests can use.
pub(crate) fn unpack(lock: &[u8], target: &mut Target<'_>) -> Result<Vec<Unpacked>, ImageError> {
    unpack_from(&registry(None), lock, FOLDER, target)
}

/// The registry that is named, or the environment's, or npm's.
pub(crate) fn registry(named: Option<&str>) -> String {
    let of_environment = || {
        REGISTRY_VARIABLES
            .into_iter()
            .find_map(|name| std::env::var(name).ok())
    };
    let registry = named.map(str::to_owned).or_else(of_environment);
    registry.unwrap_or_else(|| REGISTRY.to_owned())
}

/// Brings all packages of a lock file that guests can use from this registry, below this folder of the target.
pub(crate) fn unpack_from(
    registry: &str,
    lock: &[u8],
    folder: &str,
    target: &mut Target<'_>,
) -> Result<Vec<Unpacked>, ImageError> {
    let downloads = Downloads::until(target.until);
    let wanted = wanted(lock)?;
    let mut all = Vec::with_capacity(wanted.len());
    for some in wanted.chunks(AT_A_TIME) {
        let max_bytes = target.bytes_left().min(MAX_ARCHIVE_BYTES);
        let kept = |package: &Wanted| target.kept?.get(&hex::encode(&package.digest));
        let mut came: Vec<Option<Vec<u8>>> = some
            .iter()
            .map(|package| kept(package).filter(|archive| package.is_it(archive)))
            .collect();
        let urls: Vec<String> = some.iter().map(|package| package.url(registry)).collect();
        let absent = came.iter().zip(&urls).filter(|(came, _)| came.is_none());
        let fetches: Vec<Fetch<'_>> = absent
            .map(|(_, url)| Fetch {
                url,
                accept: None,
                max_bytes,
            })
            .collect();
        let mut fetched = downloads.get_all(&fetches).into_iter();
        for (package, came) in some.iter().zip(&mut came) {
            let archive = match came.take() {
                Some(archive) => archive,
                None => {
                    let archive = fetched.next().unwrap_or_else(never_asked);
                    let archive = archive.map_err(|error| package.failed(error.into()))?;
                    if let Some(kept) = target.kept.filter(|_| package.is_it(&archive)) {
                        kept.keep(&hex::encode(&package.digest), &archive);
                    }
                    archive
                }
            };
            all.push(package.unpack(&archive, Path::new(folder), target)?);
        }
    }
    Ok(all)
}

/// As many come as are asked for.
fn never_asked() -> Result<Vec<u8>, DownloadError> {
    Err(DownloadError::Failed("it was not asked for".to_owned()))
}

/// Versions of the packages of a lock file that guests can use, by name.
pub(crate) fn versions(lock: &[u8]) -> Result<BTreeMap<String, String>, ImageError> {
    let all = wanted(lock)?.into_iter();
    Ok(all.map(|package| (package.name, package.version)).collect())
}

/// The packages of a lock file that guests can use.
pub(crate) fn wanted(lock: &[u8]) -> Result<Vec<Wanted>, ImageError> {
    let wrong = |why: String| ImageError::Npm {
        package: "a lock file".to_owned(),
        why,
    };
    let file: LockFile = serde_json::from_slice(lock).map_err(|error| wrong(error.to_string()))?;
    if file.packages.len() > MAX_PACKAGES {
        return Err(wrong(format!("more than {MAX_PACKAGES} packages")));
    }
    let fits = |wanted: &Option<Names>, own: &str| wanted.as_ref().is_none_or(|all| all.has(own));
    let entries = file.packages.into_iter().filter(|(folder, entry)| {
        let usable =
            fits(&entry.os, "linux") && fits(&entry.cpu, "x64") && fits(&entry.libc, "glibc");
        !folder.is_empty() && !entry.dev && !entry.link && !entry.in_bundle && usable
    });
    entries
        .map(|(folder, entry)| {
            let package = folder.clone();
            of_entry(folder, entry).map_err(|why| ImageError::Npm { package, why })
        })
        .collect()
}

fn of_entry(folder: String, entry: Entry) -> Result<Wanted, String> {
    let own = folder.rsplit("node_modules/").next().unwrap_or_default();
    let name = entry.name.unwrap_or_else(|| own.to_owned());
    let plain = |text: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@/+~".contains(&byte);
        !text.is_empty() && text.len() <= 256 && text.bytes().all(allowed)
    };
    let parts = || Path::new(&folder).components();
    let stays = parts().all(|part| matches!(part, Component::Normal(_)));
    if !plain(&name) || !plain(&entry.version) || !plain(&folder) || name.contains("..") || !stays {
        return Err("has a name, a version or a place that none can have".to_owned());
    }
    if !folder.starts_with("node_modules/") {
        return Err("is not in node_modules".to_owned());
    }
    let digests = entry.integrity.as_deref().unwrap_or_default();
    let digest = digests
        .split_whitespace()
        .find_map(|text| text.strip_prefix("sha512-"));
    let digest = digest.and_then(|text| BASE64_STANDARD.decode(text).ok());
    Ok(Wanted {
        name,
        version: entry.version,
        digest: digest.ok_or("has no SHA-512 in its lock file")?,
        folder: folder.into(),
    })
}

impl Wanted {
    /// Where a registry has it.
    fn url(&self, registry: &str) -> String {
        let (name, version) = (&self.name, &self.version);
        let last = name.rsplit('/').next().unwrap_or(name);
        format!(
            "{}/{name}/-/{last}-{version}.tgz",
            registry.trim_end_matches('/')
        )
    }

    fn wrong(&self, why: String) -> ImageError {
        ImageError::Npm {
            package: format!("{} {}", self.name, self.version),
            why,
        }
    }

    fn failed(&self, error: TargetError) -> ImageError {
        let label = format!("{} {}", self.name, self.version);
        error.into_image_error(&label, |why| self.wrong(why))
    }

    fn is_it(&self, archive: &[u8]) -> bool {
        Sha512::digest(archive)[..] == self.digest[..]
    }

    /// Plain files alone: npm makes no links of what is in an archive, either.
    fn unpack(
        &self,
        archive: &[u8],
        above: &Path,
        target: &mut Target<'_>,
    ) -> Result<Unpacked, ImageError> {
        if !self.is_it(archive) {
            return Err(
                self.wrong("what came is not what the lock file has the digest of".to_owned())
            );
        }
        let folder = above.join(&self.folder);
        let broken = |error: std::io::Error| self.wrong(format!("its archive: {error}"));
        self.check_headers(archive, target.bytes_left())?;
        let mut files = Vec::new();
        for entry in archive_of(archive, target.bytes_left())
            .entries()
            .map_err(broken)?
        {
            let entry = entry.map_err(broken)?;
            let inside = inside(&entry.path().map_err(broken)?);
            let Some(path) = inside.filter(|_| entry.header().entry_type().is_file()) else {
                continue;
            };
            let path = folder.join(path);
            let file = NewFile {
                path: &path,
                is_executable: entry.header().mode().unwrap_or(0) & 0o111 != 0,
            };
            let written = target.write(&file, entry);
            written.map_err(|error| self.failed(error))?;
            files.push(path);
        }
        // Its own alone: what else is at that place may be a link of the image below.
        let own = folder.join("package.json");
        let own = files.iter().find(|path| **path == own);
        Ok(Unpacked {
            name: self.name.clone(),
            version: self.version.clone(),
            source: PackageSource::Npm,
            sha256: hex::encode(Sha256::digest(archive)),
            licence: own
                .map(|path| licence(&target.tree.join(path)))
                .unwrap_or_default(),
            files,
        })
    }

    /// Whatever says how long the name of a file is, or what else is to be known of it, is read whole: by headers alone,
    /// before that.
    fn check_headers(&self, archive: &[u8], max_bytes: u64) -> Result<(), ImageError> {
        let broken = |error: std::io::Error| self.wrong(format!("its archive: {error}"));
        let mut archive = archive_of(archive, max_bytes);
        for (count, entry) in archive.entries().map_err(broken)?.raw(true).enumerate() {
            let entry = entry.map_err(broken)?;
            let kind = entry.header().entry_type();
            let is_file =
                kind.is_file() || kind.is_dir() || kind.is_symlink() || kind.is_hard_link();
            if count == MAX_ENTRIES || (!is_file && entry.size() > MAX_HEADER_BYTES) {
                return Err(self.wrong("has more files, or longer names, than any".to_owned()));
            }
        }
        Ok(())
    }
}

/// Headers and what fills blocks come besides the files, some KiB of each.
fn archive_of(bytes: &[u8], max_bytes: u64) -> tar::Archive<impl Read + '_> {
    let whole = max_bytes.saturating_add(MAX_ENTRIES as u64 * 2 * 1024);
    tar::Archive::new(GzDecoder::new(bytes).take(whole))
}

/// The path without the archive's own top folder; `None` for one that leads elsewhere.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut parts = path
        .components()
        .filter(|part| !matches!(part, Component::CurDir));
    parts.next()?;
    let rest: PathBuf = parts.collect();
    let stays = rest
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    (stays && rest.components().next().is_some()).then_some(rest)
}

/// What a package says of its licence.
fn licence(package_json: &Path) -> String {
    #[derive(Deserialize)]
    struct Description {
        license: Option<String>,
    }
    let text = std::fs::read(package_json).unwrap_or_default();
    let description: Option<Description> = serde_json::from_slice(&text).ok();
    let licence = description.and_then(|description| description.license);
    let name = licence.as_deref().and_then(licence_name);
    name.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
