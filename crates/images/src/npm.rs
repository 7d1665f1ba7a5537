//! Packages of npm's registry, as a lock file of npm's names them: downloaded, held against the digests that it has,
//! unpacked where `npm` would put them. Nothing of them is run.

use crate::debian::Unpacked;
use crate::download::{Downloads, Fetch};
use crate::error::ImageError;
use crate::manifest::PackageSource;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;
use serde::Deserialize;
use sha2::{Digest, Sha256, Sha512};
use std::collections::BTreeMap;
use std::fs;
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
/// Bytes of what is in one.
const MAX_UNPACKED_BYTES: u64 = 1 << 30;
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
}

/// Packages name one or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Many(Vec<String>),
}

impl Names {
    fn has(&self, name: &str) -> bool {
        match self {
            Names::One(one) => one == name,
            Names::Many(all) => all.iter().any(|one| one == name),
        }
    }
}

/// A package to be brought.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    name: String,
    version: String,
    /// SHA-512 of its archive.
    digest: Vec<u8>,
    /// Relative to [`FOLDER`].
    folder: PathBuf,
}

/// Brings all packages of a lock file that guests can use into the folder `tree`.
pub(crate) fn unpack(lock: &[u8], tree: &Path) -> Result<Vec<Unpacked>, ImageError> {
    let downloads = Downloads::new();
    let registry = REGISTRY_VARIABLES.into_iter().find_map(|name| std::env::var(name).ok());
    let registry = registry.unwrap_or_else(|| REGISTRY.to_owned());
    let wanted = wanted(lock)?;
    let bring = |package: &Wanted| {
        let archive = downloads.get(&Fetch {
            url: &package.url(&registry),
            accept: None,
            max_bytes: MAX_ARCHIVE_BYTES,
        });
        let archive = archive.map_err(|why| package.wrong(why))?;
        package.unpack(&archive, tree)
    };
    wanted.iter().map(bring).collect()
}

/// Versions of the packages of a lock file that guests can use, by name.
pub(crate) fn versions(lock: &[u8]) -> Result<BTreeMap<String, String>, ImageError> {
    let all = wanted(lock)?.into_iter();
    Ok(all.map(|package| (package.name, package.version)).collect())
}

/// The packages of a lock file that guests can use.
fn wanted(lock: &[u8]) -> Result<Vec<Wanted>, ImageError> {
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
        let usable = fits(&entry.os, "linux") && fits(&entry.cpu, "x64");
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
    let digest = entry.integrity.as_deref().and_then(|text| text.strip_prefix("sha512-"));
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
        format!("{}/{name}/-/{last}-{version}.tgz", registry.trim_end_matches('/'))
    }

    fn wrong(&self, why: String) -> ImageError {
        ImageError::Npm {
            package: format!("{} {}", self.name, self.version),
            why,
        }
    }

    /// Plain files alone: npm makes no links of what is in an archive, either.
    fn unpack(&self, archive: &[u8], tree: &Path) -> Result<Unpacked, ImageError> {
        if Sha512::digest(archive)[..] != self.digest[..] {
            return Err(self.wrong("what came is not what the lock file has the digest of".to_owned()));
        }
        let folder = Path::new(FOLDER).join(&self.folder);
        let broken = |error: std::io::Error| self.wrong(format!("its archive: {error}"));
        let mut left = MAX_UNPACKED_BYTES;
        let mut files = Vec::new();
        let mut tar = tar::Archive::new(GzDecoder::new(archive).take(MAX_UNPACKED_BYTES));
        for entry in tar.entries().map_err(broken)? {
            let mut entry = entry.map_err(broken)?;
            let Some(path) = inside(&entry.path().map_err(broken)?) else {
                continue;
            };
            if !entry.header().entry_type().is_file() {
                continue;
            }
            left = left.saturating_sub(entry.size());
            if left == 0 {
                return Err(self.wrong(format!("has more than {MAX_UNPACKED_BYTES} bytes")));
            }
            let path = folder.join(path);
            let whole = tree.join(&path);
            if let Some(above) = whole.parent() {
                fs::create_dir_all(above).map_err(ImageError::io("creating", above))?;
            }
            entry.unpack(&whole).map_err(ImageError::io("writing", &whole))?;
            files.push(path);
        }
        Ok(Unpacked {
            name: self.name.clone(),
            version: self.version.clone(),
            source: PackageSource::Npm,
            sha256: hex::encode(Sha256::digest(archive)),
            files,
        })
    }
}

/// The path without the archive's own top folder; `None` for one that leads elsewhere.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut parts = path.components().filter(|part| !matches!(part, Component::CurDir));
    parts.next()?;
    let rest: PathBuf = parts.collect();
    let stays = rest.components().all(|part| matches!(part, Component::Normal(_)));
    (stays && rest.components().next().is_some()).then_some(rest)
}

#[cfg(test)]
mod tests;
