//! The folder of images, and everything that may be done with it.
//!
//! ```text
//! ROOT/lock                      held by whoever builds or removes
//! ROOT/digests.json              digests of files that have not changed since (a cache)
//! ROOT/kernel/manifest.json      names the two files beside it: the kernel of hardware VMs, its modules
//! ROOT/uml/manifest.json         names the program beside it: User-Mode Linux
//! ROOT/rootfs/LANG.json          names the image beside it
//! ROOT/initramfs/KEY.{json,cpio} the key is of the agent and the modules inside
//! ROOT/downloads/SHA256          files of registries that came within a day
//! ROOT/.build-*                  what a build or an import is at; swept by the next one
//! ```
//!
//! Files are named by their content and never change. A build writes new ones and then renames a new
//! manifest over the old: the manifest is what exists or not.

use crate::debian::lock::LockUse;
use crate::digest::{self, FileIdentity};
use crate::error::ImageError;
use crate::kept::KeptDownloads;
use crate::kernel::KernelKind;
use crate::layout::{self, Form, Image, ROOTFS};
use crate::manifest::{self, FileRecord, RootfsManifest};
use crate::progress::{Phases, Progress, Rebuild};
use crate::recipe::{self, ROOTFS_FORMAT};
use crate::rootfs::{self, From};
use crate::verify::{DigestCache, Look};
use languages::RootImage;
use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const SCRATCH: &str = ".build-";
pub(crate) const INITRAMFS: &str = "initramfs";

/// The images of one host.
#[derive(Debug)]
pub struct ImageStore {
    pub(crate) root: PathBuf,
    pub(crate) cache: DigestCache,
    pub(crate) mirror: Option<String>,
    pub(crate) lock_use: LockUse,
}

impl ImageStore {
    /// Opens the store in a folder, which is made when it is not there.
    pub fn open(root: &Path) -> Result<ImageStore, ImageError> {
        // What it is in is the tool's state folder, and nobody else's business.
        if let Some(above) = root.parent().filter(|above| !above.as_os_str().is_empty()) {
            create_folder(above, 0o711)?;
        }
        for name in ["", KernelKind::Virtual.name(), ROOTFS, INITRAMFS] {
            create_folder(&root.join(name), 0o755)?;
        }
        let root = fs::canonicalize(root).map_err(ImageError::io("looking at", root))?;
        let cache = DigestCache::open(root.join("digests.json"));
        let store = ImageStore {
            root,
            cache,
            mirror: None,
            lock_use: LockUse::default(),
        };
        store.adopt_all();
        Ok(store)
    }

    /// Brings packages from this mirror of Debian (a URL) instead of its usual ones.
    #[must_use]
    pub fn with_mirror(mut self, mirror: Option<String>) -> ImageStore {
        self.mirror = mirror;
        self
    }

    /// How much the lock of packages counts for what is built.
    #[must_use]
    pub fn with_lock(mut self, lock_use: LockUse) -> ImageStore {
        self.lock_use = lock_use;
        self
    }

    /// Makes a root file system. Does nothing when there is a good one of the same recipe, unless `rebuild` says so.
    pub fn build(
        &self,
        image: RootImage,
        rebuild: Rebuild,
        progress: &dyn Progress,
    ) -> Result<(), ImageError> {
        let phases = Phases::new(progress);
        let _lock = self.lock(&phases)?;
        let inputs = recipe::inputs(image);
        let there = self.checked_rootfs(image, Look::Cached);
        if rebuild == Rebuild::IfNeeded && there.is_ok_and(|there| there.inputs == inputs) {
            phases.at(100, "as built before");
            return Ok(());
        }
        let kept = KeptDownloads::of_store(&self.root)?;
        let from = From {
            kept: &kept,
            mirror: self.mirror.as_deref(),
            lock_use: self.lock_use,
        };
        let scratch = self.scratch()?;
        let packed = rootfs::make(image, from, scratch.path(), &phases)?;
        phases.at(95, "taking its digest");
        let manifest = RootfsManifest {
            format: ROOTFS_FORMAT,
            name: image.name().to_owned(),
            image: self.keep(&packed.path, Image::Rootfs(image), layout::rootfs(image))?,
            packages: packed.packages,
            runtime_version: packed.runtime_version,
            built_at: now(),
            inputs,
            custom: None,
        };
        manifest::write(&self.rootfs_manifest(image), &manifest)?;
        self.remove_rootfs_but(image, &[&manifest.image.file])?;
        phases.at(100, "done");
        Ok(())
    }

    /// Removes a root file system. A VM that runs from it keeps it until its end.
    pub fn remove(&self, image: RootImage) -> Result<(), ImageError> {
        let _lock = self.lock(&Phases::new(&crate::progress::Silent))?;
        self.remove_locked(image)
    }

    /// The same for who holds the lock.
    pub(crate) fn remove_locked(&self, image: RootImage) -> Result<(), ImageError> {
        let manifest = self.rootfs_manifest(image);
        fs::remove_file(&manifest).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => self.missing(image.name()),
            _ => ImageError::io("removing", &manifest)(error),
        })?;
        self.remove_rootfs_but(image, &[])?;
        if image.is_custom() {
            languages::custom::forget(image.name());
        }
        Ok(())
    }

    pub(crate) fn remove_rootfs_but(
        &self,
        image: RootImage,
        keep: &[&String],
    ) -> Result<(), ImageError> {
        let image = Image::Rootfs(image);
        let folder = self.root.join(image.folder());
        remove_others(&folder, |name| image.owns(name), keep)
    }

    pub(crate) fn missing(&self, name: &str) -> ImageError {
        ImageError::Missing {
            name: name.to_owned(),
            root: self.root.clone(),
        }
    }

    pub(crate) fn kernel_folder(&self, kind: KernelKind) -> PathBuf {
        self.root.join(kind.name())
    }

    pub(crate) fn kernel_manifest(&self, kind: KernelKind) -> PathBuf {
        self.root.join(Image::Kernel(kind).manifest_path())
    }

    pub(crate) fn rootfs_manifest(&self, image: RootImage) -> PathBuf {
        self.root.join(Image::Rootfs(image).manifest_path())
    }

    pub(crate) fn rootfs_file(&self, name: &str) -> PathBuf {
        self.root.join(ROOTFS).join(name)
    }

    /// Waits until nobody else builds or removes, then sweeps what a crashed build left.
    pub(crate) fn lock(&self, phases: &Phases<'_>) -> Result<File, ImageError> {
        use rustix::fs::{FlockOperation, flock};
        let path = self.root.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(ImageError::io("opening", &path))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            phases.at(0, "waiting for another build to end");
            flock(&file, FlockOperation::LockExclusive)
                .map_err(|error| ImageError::io("locking", &path)(error.into()))?;
        }
        self.sweep()?;
        // Stores of older versions have none. Not made on opening: readers may not write here.
        create_folder(&self.kernel_folder(KernelKind::UserMode), 0o755)?;
        Ok(file)
    }

    fn sweep(&self) -> Result<(), ImageError> {
        let entries = fs::read_dir(&self.root).map_err(ImageError::io("listing", &self.root))?;
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(SCRATCH) {
                let path = entry.path();
                fs::remove_dir_all(&path).map_err(ImageError::io("removing", &path))?;
            }
        }
        Ok(())
    }

    /// A folder on the images' own file system, gone when the build ends in whatever way.
    pub(crate) fn scratch(&self) -> Result<TempDir, ImageError> {
        tempfile::Builder::new()
            .prefix(SCRATCH)
            .tempdir_in(&self.root)
            .map_err(ImageError::io("creating a folder in", &self.root))
    }

    /// Moves a file that was made into the store, under the name of its content.
    pub(crate) fn keep(
        &self,
        made: &Path,
        image: Image,
        form: Form,
    ) -> Result<FileRecord, ImageError> {
        let (sha256, FileIdentity { size, .. }) =
            digest::sha256_file(made).map_err(ImageError::io("reading", made))?;
        if size > form.max_bytes {
            return Err(ImageError::TooLarge {
                name: image.name().to_owned(),
                size,
                bound: form.max_bytes,
            });
        }
        let folder = self.root.join(image.folder());
        let file = form.file_name(&sha256);
        let path = folder.join(&file);
        fs::set_permissions(made, fs::Permissions::from_mode(image.mode()))
            .map_err(ImageError::io("setting the mode of", made))?;
        File::open(made)
            .and_then(|made| made.sync_all())
            .map_err(ImageError::io("syncing", made))?;
        fs::rename(made, &path).map_err(ImageError::io("moving to", &path))?;
        manifest::sync_folder(&folder)?;
        Ok(FileRecord { file, sha256, size })
    }
}

/// Makes a folder, and those above it that are not there, with this mode.
fn create_folder(folder: &Path, mode: u32) -> Result<(), ImageError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(folder)
        .map_err(ImageError::io("creating", folder))
}

/// Writes bytes to a file named by their digest.
pub(crate) fn store_bytes(
    folder: &Path,
    form: Form,
    bytes: &[u8],
) -> Result<FileRecord, ImageError> {
    let sha256 = digest::sha256(bytes);
    let file = form.file_name(&sha256);
    manifest::write_atomically(&folder.join(&file), bytes)?;
    let size = bytes.len() as u64;
    Ok(FileRecord { file, sha256, size })
}

/// Removes the files of older builds: ours by their names, and not among those to keep.
pub(crate) fn remove_others(
    folder: &Path,
    ours: impl Fn(&str) -> bool,
    keep: &[&String],
) -> Result<(), ImageError> {
    for entry in fs::read_dir(folder)
        .map_err(ImageError::io("listing", folder))?
        .flatten()
    {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if ours(&name) && !keep.contains(&&name) {
            let path = entry.path();
            fs::remove_file(&path).map_err(ImageError::io("removing", &path))?;
        }
    }
    Ok(())
}

/// The time, in RFC 3339 and UTC, to the second.
pub(crate) fn now() -> String {
    jiff::Timestamp::now()
        .round(jiff::Unit::Second)
        .map(|now| now.to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_folder_that_it_makes_is_closed_and_one_that_is_there_stays() {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("a/state");
        ImageStore::open(&state.join("images")).unwrap();
        assert_eq!(mode(&dir.path().join("a")), 0o711);
        assert_eq!(mode(&state), 0o711);
        assert_eq!(mode(&state.join("images/rootfs")), 0o755);
        let open = dir.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o750)).unwrap();
        ImageStore::open(&open.join("images")).unwrap();
        assert_eq!(mode(&open), 0o750);
    }
}
