//! Images of another user's store, root's above all: what this store lacks leads there by links, and is only read.
//!
//! A link stands for each manifest and each file; a build of this store's own replaces it. Whoever calls this has made
//! sure that nobody but root, or this user, can change what is there.

use crate::error::ImageError;
use crate::kernel::KernelKind;
use crate::layout::ROOTFS;
use crate::store::ImageStore;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

/// The folders of a store whose files are images.
pub const SHARED_FOLDERS: [&str; 3] = [
    KernelKind::Virtual.name(),
    KernelKind::UserMode.name(),
    ROOTFS,
];

impl ImageStore {
    /// Has this store hold what the one in this folder holds, too, as far as it can be read; links that lead nowhere any
    /// more go.
    pub fn link_shared(&self, shared: &Path) -> Result<(), ImageError> {
        for name in SHARED_FOLDERS {
            let own = self.root.join(name);
            drop_dangling(&own)?;
            // One that is not there, or not readable, has nothing to share.
            let Ok(entries) = fs::read_dir(shared.join(name)) else {
                continue;
            };
            for entry in entries.flatten() {
                let is_image = entry.file_type().is_ok_and(|kind| kind.is_file());
                if is_image {
                    link(&entry.path(), &own)?;
                }
            }
        }
        self.adopt_all();
        Ok(())
    }
}

fn link(file: &Path, into: &Path) -> Result<(), ImageError> {
    let Some(name) = file.file_name() else {
        return Ok(());
    };
    fs::create_dir_all(into).map_err(ImageError::io("creating", into))?;
    let own = into.join(name);
    match symlink(file, &own) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked.map_err(ImageError::io("linking", &own)),
    }
}

fn drop_dangling(folder: &Path) -> Result<(), ImageError> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_symlink() && !path.exists() {
            fs::remove_file(&path).map_err(ImageError::io("removing", &path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::fixture;

    #[test]
    fn what_a_store_lacks_is_read_from_the_shared_one_until_it_has_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let shared_root = folder.path().join("shared/images");
        let shared = fixture::store(&shared_root, &fixture::all());
        let own = ImageStore::open(&folder.path().join("own/images")).unwrap();
        assert!(own.list().unwrap().is_empty());
        own.link_shared(&shared_root).unwrap();
        let names = |store: &ImageStore| -> Vec<String> {
            let rows = store.list().unwrap();
            rows.iter().map(|row| row.image.to_string()).collect()
        };
        assert_eq!(names(&own), names(&shared));
        assert_eq!(own.kernels().len(), shared.kernels().len());
        assert_eq!(
            own.user_mode_kernel().unwrap().sha256,
            shared.user_mode_kernel().unwrap().sha256
        );
        // Its own removal leaves the shared one alone, and what went there goes here.
        let image = shared.list().unwrap()[0].image;
        own.remove(image).unwrap();
        assert!(shared.rootfs(image).is_ok());
        own.link_shared(&shared_root).unwrap();
        assert!(own.rootfs(image).is_ok());
        shared.remove(image).unwrap();
        own.link_shared(&shared_root).unwrap();
        assert!(own.rootfs(image).is_err());
    }
}
