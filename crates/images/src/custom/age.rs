//! When images that are not the tool's were last used, and which of them go: what programs' packages made goes by itself,
//! by age and size; what a user made goes when an operator says so.

use crate::error::ImageError;
use crate::file_age;
use crate::layout::ROOTFS;
use crate::manifest::RootfsManifest;
use crate::progress::{Phases, Silent};
use crate::store::ImageStore;
use languages::RootImage;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, utimensat};
use serde::Serialize;
use std::fs;
use std::time::Duration;

/// A use within this of the one before is not written down.
const USE_GRAIN: Duration = Duration::from_secs(60);
/// Images of packages that nobody used for so long go when another is made.
const MAX_CACHE_AGE: Duration = Duration::from_secs(7 * 24 * 3600);
/// And the longest unused of them, until all have no more bytes than this: 10 GiB.
const MAX_CACHE_BYTES: u64 = 10 << 30;

/// Which images an operator wants to be rid of.
#[derive(Debug, Clone, Copy)]
pub struct Unused {
    /// Not used for so long.
    pub for_at_least: Duration,
    /// Also what users built and imported, not only what programs' packages made.
    pub all: bool,
}

/// An image that went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Its name.
    pub image: String,
    /// Its size.
    pub size_bytes: u64,
}

/// An image that could go.
struct Candidate {
    image: RootImage,
    size_bytes: u64,
    unused: Duration,
    is_cache: bool,
}

impl ImageStore {
    /// Writes down that an image is used.
    pub(crate) fn note_use(&self, image: RootImage) {
        let path = self.rootfs_manifest(image);
        if self
            .unused_for(image)
            .is_some_and(|unused| unused < USE_GRAIN)
        {
            return;
        }
        let time = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
        let times = Timestamps {
            last_access: time(UTIME_OMIT),
            last_modification: time(UTIME_NOW),
        };
        // Whoever may not write here reads images that somebody else looks after.
        let _ = utimensat(CWD, &path, &times, AtFlags::empty());
    }

    /// How long nobody used it; `None`: that is not known.
    pub fn unused_for(&self, image: RootImage) -> Option<Duration> {
        file_age::of(&self.rootfs_manifest(image))
    }

    /// Removes images that nobody uses, and files that no manifest names.
    pub fn prune(&self, unused: Unused) -> Result<Vec<Pruned>, ImageError> {
        let wanted = |candidate: &Candidate| {
            (unused.all || candidate.is_cache) && candidate.unused >= unused.for_at_least
        };
        let gone: Vec<Candidate> = self.candidates().into_iter().filter(wanted).collect();
        let mut pruned = Vec::new();
        for candidate in gone {
            self.remove(candidate.image)?;
            pruned.push(Pruned {
                image: candidate.image.name().to_owned(),
                size_bytes: candidate.size_bytes,
            });
        }
        pruned.extend(self.sweep_orphans()?);
        Ok(pruned)
    }

    /// Those that go by themselves; the lock is held.
    pub(super) fn evict(&self, keep: RootImage) -> Result<(), ImageError> {
        let mut caches = self.candidates();
        caches.retain(|candidate| candidate.is_cache && candidate.image != keep);
        for index in evicted(&caches) {
            self.remove_locked(caches[index].image)?;
        }
        Ok(())
    }

    fn candidates(&self) -> Vec<Candidate> {
        let customs = languages::images().filter(|image| image.is_custom());
        let candidate = |image: RootImage| {
            let manifest = self.read_rootfs(image).ok()?;
            Some(Candidate {
                image,
                size_bytes: manifest.image.size,
                unused: self.unused_for(image)?,
                is_cache: manifest.custom?.origin.is_cache(),
            })
        };
        customs.filter_map(candidate).collect()
    }

    /// Removes file systems that no manifest names: a power cut came between a file and its manifest.
    fn sweep_orphans(&self) -> Result<Vec<Pruned>, ImageError> {
        let _lock = self.lock(&Phases::new(&Silent))?;
        let folder = self.root.join(ROOTFS);
        let listed = || ImageError::io("listing", &folder);
        let mut files = Vec::new();
        let mut named = Vec::new();
        for entry in fs::read_dir(&folder).map_err(listed())? {
            let path = entry.map_err(listed())?.path();
            let extension = path.extension().unwrap_or_default();
            if extension == "erofs" {
                files.push(path);
            } else if extension == "json" {
                match crate::manifest::read::<RootfsManifest>(&path, "", &self.root) {
                    Ok(manifest) => named.push(self.rootfs_file(&manifest.image.file)),
                    // What it names is not known: then nothing is nobody's.
                    Err(_) => return Ok(Vec::new()),
                }
            }
        }
        let mut swept = Vec::new();
        for path in files.into_iter().filter(|path| !named.contains(path)) {
            let size_bytes = fs::metadata(&path).map_or(0, |metadata| metadata.len());
            fs::remove_file(&path).map_err(ImageError::io("removing", &path))?;
            let image = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            swept.push(Pruned { image, size_bytes });
        }
        Ok(swept)
    }
}

/// The indices of those that are too old, or too many together, oldest first.
fn evicted(caches: &[Candidate]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..caches.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(caches[*index].unused));
    let mut bytes: u64 = caches.iter().map(|candidate| candidate.size_bytes).sum();
    let mut gone = Vec::new();
    for index in order {
        let candidate = &caches[index];
        if candidate.unused > MAX_CACHE_AGE || bytes > MAX_CACHE_BYTES {
            bytes -= candidate.size_bytes;
            gone.push(index);
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_goes_then_what_is_too_much_oldest_first() {
        let image = RootImage::named("python").unwrap();
        let day = 24 * 3600;
        let candidate = |days: u64, gib: u64| Candidate {
            image,
            size_bytes: gib << 30,
            unused: Duration::from_secs(days * day),
            is_cache: true,
        };
        let gone = |all: &[(u64, u64)]| {
            let all: Vec<_> = all
                .iter()
                .map(|(days, gib)| candidate(*days, *gib))
                .collect();
            evicted(&all)
        };
        assert_eq!(gone(&[(0, 1), (8, 1), (6, 1)]), [1]);
        assert_eq!(gone(&[(0, 5), (3, 4), (1, 4)]), [1]);
        assert_eq!(gone(&[(0, 5), (3, 4), (1, 14)]), [1, 2]);
        assert_eq!(gone(&[]), [0; 0]);
    }
}
