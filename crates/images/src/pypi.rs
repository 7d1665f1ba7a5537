//! Wheels of PyPI, as a lock file with hashes names them: found in the index by their digest, unpacked where Debian's
//! Python looks. Nothing of them is run, and nothing is built: a package without a wheel for guests is refused.

mod lock;
mod wheel;

use crate::debian::Unpacked;
use crate::download::{Downloads, Fetch};
use crate::error::ImageError;
use lock::Pinned;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
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

/// Brings all packages of a lock file into the folder `tree`.
pub(crate) fn unpack(
    lock: &[u8],
    tree: &Path,
    on_package: impl Fn(&str),
) -> Result<Vec<Unpacked>, ImageError> {
    let pinned = lock::parse(lock).map_err(|why| wrong("a lock file", why))?;
    let downloads = Downloads::new();
    let index = std::env::var(INDEX_VARIABLE).unwrap_or_else(|_| INDEX.to_owned());
    let bring = |package: &Pinned| {
        on_package(&package.name);
        bring(&downloads, &index, package)
            .and_then(|wheel| wheel.unpack(tree, package))
            .map_err(|why| wrong(&format!("{} {}", package.name, package.version), why))
    };
    pinned.iter().map(bring).collect()
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

fn bring(downloads: &Downloads, index: &str, package: &Pinned) -> Result<Wheel, String> {
    let page = downloads.get(&Fetch {
        url: &format!("{}/{}/", index.trim_end_matches('/'), package.name),
        accept: Some(INDEX_TYPE),
        max_bytes: MAX_PAGE_BYTES,
    })?;
    let page: Page = serde_json::from_slice(&page)
        .map_err(|error| format!("the index's page cannot be read: {error}"))?;
    let file = chosen(&page.files, package)?;
    let bytes = downloads.get(&Fetch {
        url: &file.url,
        accept: None,
        max_bytes: MAX_WHEEL_BYTES,
    })?;
    Wheel::of(bytes, &file.hashes["sha256"])
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
    let suited = locked.into_iter().filter_map(|file| Some((wheel::rank(&file.filename)?, file)));
    let best = suited.min_by_key(|(rank, _)| *rank);
    best.map(|(_, file)| file).ok_or_else(|| {
        format!("has no wheel for {} on x86_64 with glibc", wheel::PYTHON)
    })
}

#[cfg(test)]
mod tests;
