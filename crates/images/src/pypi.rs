//! Wheels of PyPI, as a lock file with hashes names them: found in the index by their digest, unpacked where Debian's
//! Python looks. Nothing of them is run, and nothing is built: a package without a wheel for guests is refused.

pub(crate) mod lock;
pub(crate) mod tags;
mod wheel;

use crate::debian::Unpacked;
use crate::download::{Downloads, Fetch};
use crate::error::ImageError;
use crate::kept::KeptDownloads;
use crate::target::{Target, TargetError};
use lock::Pinned;
use serde::Deserialize;
use std::collections::BTreeMap;
use wheel::Wheel;

/// Where packages come from when the environment names no other index, as pip itself has it.
const INDEX: &str = "https://pypi.org/simple";
/// The variable in which pip looks for another.
const INDEX_VARIABLE: &str = "PIP_INDEX_URL";
/// PEP 691.
const INDEX_TYPE: &str = "application/vnd.pypi.simple.v1+json";
/// Bytes of a package's page in the index; those with ten thousand files have some 10 MiB.
const MAX_PAGE_BYTES: u64 = 64 << 20;
/// Bytes of a wheel.
const MAX_WHEEL_BYTES: u64 = 1 << 30;

/// What the index says of a package.
#[derive(Deserialize)]
struct Page {
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    url: String,
    hashes: BTreeMap<String, String>,
}

/// The index that is named, or the environment's, or PyPI.
pub(crate) fn index(named: Option<&str>) -> String {
    let of_environment = || std::env::var(INDEX_VARIABLE).ok();
    let index = named.map(str::to_owned).or_else(of_environment);
    index.unwrap_or_else(|| INDEX.to_owned())
}

/// Brings all packages of a lock file from this index; `on_package` is told which, and how far it is.
pub(crate) fn unpack_from(
    index: &str,
    lock: &[u8],
    target: &mut Target<'_>,
    on_package: impl Fn(&str),
) -> Result<Vec<Unpacked>, ImageError> {
    let pinned = lock::parse(lock).map_err(|why| wrong("a lock file", why))?;
    let source = Source {
        downloads: Downloads::until(target.until),
        index,
        kept: target.kept,
    };
    let mut all = Vec::with_capacity(pinned.len());
    let mut bytes = 0;
    for package in &pinned {
        let (number, count) = (all.len() + 1, pinned.len());
        let mib = bytes >> 20;
        on_package(&format!(
            "{} of PyPI ({number}/{count}, {mib} MiB so far)",
            package.name
        ));
        let max_bytes = target.bytes_left().min(MAX_WHEEL_BYTES);
        let wheel = source.bring(package, max_bytes);
        let wheel = wheel.map_err(|error| {
            let label = package.label();
            error.into_image_error(&label, |why| wrong(&label, why))
        })?;
        bytes += wheel.size();
        all.push(wheel.unpack(target, package)?);
    }
    Ok(all)
}

/// Versions of the packages of a lock file, by name.
pub(crate) fn versions(lock: &[u8]) -> Result<BTreeMap<String, String>, ImageError> {
    let pinned = lock::parse(lock).map_err(|why| wrong("a lock file", why))?;
    let pinned = pinned.into_iter();
    Ok(pinned.map(|one| (one.name, one.version)).collect())
}

fn wrong(package: &str, why: String) -> ImageError {
    ImageError::Pypi {
        package: package.to_owned(),
        why,
    }
}

/// Where wheels come from.
struct Source<'a> {
    downloads: Downloads,
    index: &'a str,
    /// What came before.
    kept: Option<&'a KeptDownloads>,
}

impl Source<'_> {
    fn bring(&self, package: &Pinned, max_bytes: u64) -> Result<Wheel, TargetError> {
        let page = page(&self.downloads, self.index, package)?;
        let file = chosen(&page.files, package).map_err(TargetError::Download)?;
        let sha256 = &file.hashes["sha256"];
        let kept = self.kept.and_then(|kept| kept.get(sha256));
        let kept = kept.filter(|bytes| bytes.len() as u64 <= max_bytes);
        if let Some(wheel) = kept.and_then(|bytes| Wheel::of(bytes, sha256).ok()) {
            return Ok(wheel);
        }
        let bytes = self.downloads.get(&Fetch {
            url: &file.url,
            accept: None,
            max_bytes,
        })?;
        let wheel = Wheel::of(bytes, sha256).map_err(TargetError::Download)?;
        if let Some(kept) = self.kept {
            kept.keep(sha256, wheel.bytes());
        }
        Ok(wheel)
    }
}

fn page(downloads: &Downloads, index: &str, package: &Pinned) -> Result<Page, TargetError> {
    let page = downloads.get(&Fetch {
        url: &format!("{}/{}/", index.trim_end_matches('/'), package.name),
        accept: Some(INDEX_TYPE),
        max_bytes: MAX_PAGE_BYTES,
    })?;
    serde_json::from_slice(&page)
        .map_err(|error| TargetError::Download(format!("the index's page cannot be read: {error}")))
}

/// The name of the file that would be brought.
#[cfg(test)]
pub(crate) fn file_name(index: &str, package: &Pinned) -> Result<String, String> {
    let page = page(&Downloads::until(None), index, package).map_err(|error| error.to_string())?;
    chosen(&page.files, package).map(|file| file.filename.clone())
}

/// The file that suits guests best, of those whose digest is in the lock.
fn chosen<'a>(files: &'a [File], package: &Pinned) -> Result<&'a File, String> {
    let is_locked = |file: &&File| {
        let digest = file.hashes.get("sha256");
        digest.is_some_and(|digest| package.sha256.contains(digest))
    };
    let locked: Vec<&File> = files.iter().filter(is_locked).collect();
    if locked.is_empty() {
        return Err("the index has no file of a digest in the lock file".to_owned());
    }
    let suited = locked
        .into_iter()
        .filter_map(|file| Some((tags::rank(&file.filename)?, file)));
    let best = suited.min_by_key(|(rank, _)| *rank);
    best.map(|(_, file)| file)
        .ok_or_else(|| format!("has no wheel for {} on x86_64 with glibc", tags::PYTHON))
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
