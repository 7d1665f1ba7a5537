//! Files of registries that came for a build, kept for a day by their digests: a build that was stopped goes on from there,
//! and images that hold the same packages fetch them once. Whoever takes one holds it against its digest again.

use crate::error::ImageError;
use crate::file_age;
use crate::manifest::write_atomically;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Below the store's root.
const FOLDER: &str = "downloads";
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// The folder of them.
#[derive(Debug, Clone)]
pub(crate) struct KeptDownloads(PathBuf);

impl KeptDownloads {
    /// Those of the store in this folder; what is too old goes.
    pub(crate) fn of_store(root: &Path) -> Result<KeptDownloads, ImageError> {
        let folder = root.join(FOLDER);
        fs::create_dir_all(&folder).map_err(ImageError::io("creating", &folder))?;
        file_age::sweep(&folder, KEPT);
        Ok(KeptDownloads(folder))
    }

    /// The file of this digest, if it came before. To be held against it: the disk may have changed it.
    pub(crate) fn get(&self, digest: &str) -> Option<Vec<u8>> {
        fs::read(self.path(digest)?).ok()
    }

    /// Keeps a file that was found to have this digest. One that cannot be kept costs a download, and no build.
    pub(crate) fn keep(&self, digest: &str, bytes: &[u8]) {
        if let Some(path) = self.path(digest) {
            let _ = write_atomically(&path, bytes);
        }
    }

    fn path(&self, digest: &str) -> Option<PathBuf> {
        let is_hex = !digest.is_empty() && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| self.0.join(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn what_came_is_there_for_a_day_under_its_digest_alone() {
        let root = tempfile::tempdir().unwrap();
        let kept = KeptDownloads::of_store(root.path()).unwrap();
        kept.keep("ab01", b"a wheel");
        kept.keep("../../escape", b"no");
        assert_eq!(kept.get("ab01").unwrap(), b"a wheel");
        assert_eq!(kept.get("../../escape"), None);
        assert_eq!(fs::read_dir(root.path().join(FOLDER)).unwrap().count(), 1);
        let old = SystemTime::now() - KEPT - Duration::from_secs(1);
        let file = fs::File::options()
            .write(true)
            .open(root.path().join("downloads/ab01"));
        file.unwrap().set_modified(old).unwrap();
        let again = KeptDownloads::of_store(root.path()).unwrap();
        assert_eq!(again.get("ab01"), None);
    }
}
