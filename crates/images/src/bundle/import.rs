//! From a file into the store: all of it, or nothing.
//!
//! Files are staged in a folder of the store that the next build sweeps after a crash. When the whole
//! file was read and every digest is right, they are moved, and an image is there with its manifest.

use super::described::Described;
use super::error::BundleError;
use super::{Transfer, read};
use crate::error::ImageError;
use crate::layout::Image;
use crate::manifest::{self, FileRecord};
use crate::progress::{Phases, Progress};
use crate::store::{ImageStore, remove_others};
use serde::Serialize;
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What became of an image of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// It is in the store now.
    Imported,
    /// The very same was in the store: nothing was done.
    AlreadyThere,
}

/// An image of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportRow {
    /// `kernel`, `uml`, or the name of an image.
    pub name: String,
    /// What became of it.
    pub state: ImportState,
    /// Bytes of its files.
    pub size_bytes: u64,
}

impl ImageStore {
    /// Takes kernels and images from a file that [`ImageStore::export`] made. The file may be anybody's:
    /// one with anything else in it is refused, and nothing of it is taken.
    pub fn import(
        &self,
        from: &Path,
        progress: &dyn Progress,
    ) -> Result<Vec<ImportRow>, ImageError> {
        let phases = Phases::new(progress);
        let _lock = self.lock(&phases)?;
        let scratch = self.scratch()?;
        let file = File::open(from).map_err(ImageError::io("opening", from))?;
        let size = file
            .metadata()
            .map_err(ImageError::io("looking at", from))?
            .len();
        let source = Counted {
            file,
            transfer: Transfer {
                phases: &phases,
                total: size,
                done: 0,
            },
        };
        let mut stage = |image: &Described, record: &FileRecord| match self.has(image) {
            true => Ok(None),
            false => stage(&scratch.path().join(&record.file), image.image).map(Some),
        };
        let images = read::read(source, &mut stage).map_err(|error| self.refused(from, error))?;
        phases.at(100, "moving into the store");
        let images = images.into_iter();
        images
            .map(|image| self.publish(image, scratch.path()))
            .collect()
    }

    fn refused(&self, from: &Path, error: BundleError) -> ImageError {
        match error {
            BundleError::Write { entry, source } => {
                ImageError::io("writing", &self.root.join(entry))(source)
            }
            source => ImageError::Bundle {
                path: from.to_path_buf(),
                source,
            },
        }
    }

    /// Whether the store has this very image, whole.
    fn has(&self, image: &Described) -> bool {
        self.described(image.image)
            .is_ok_and(|own| own.files == image.files)
    }

    fn publish(&self, image: Described, scratch: &Path) -> Result<ImportRow, ImageError> {
        let row = |state| ImportRow {
            name: image.image.name().to_owned(),
            state,
            size_bytes: image.size(),
        };
        if self.has(&image) {
            return Ok(row(ImportState::AlreadyThere));
        }
        let folder = self.root.join(image.image.folder());
        for record in &image.files {
            let path = folder.join(&record.file);
            fs::rename(scratch.join(&record.file), &path)
                .map_err(ImageError::io("moving to", &path))?;
        }
        manifest::sync_folder(&folder)?;
        let path = self.root.join(image.image.manifest_path());
        manifest::write_atomically(&path, &image.manifest)?;
        let keep: Vec<_> = image.files.iter().map(|record| &record.file).collect();
        remove_others(&folder, |name| image.image.owns(name), &keep)?;
        Ok(row(ImportState::Imported))
    }
}

fn stage(path: &Path, image: Image) -> io::Result<File> {
    let file = File::options().create_new(true).write(true).open(path)?;
    file.set_permissions(Permissions::from_mode(image.mode()))?;
    Ok(file)
}

/// Tells how much of the file was read.
struct Counted<'a> {
    file: File,
    transfer: Transfer<'a>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        let mib = |bytes: u64| bytes / (1024 * 1024);
        let (done, total) = (mib(self.transfer.done), mib(self.transfer.total));
        let step = format!("reading and checking, {done} of {total} MiB");
        self.transfer.moved(read as u64, &step);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::fixture::{self, contents};
    use crate::kernel::KernelKind;
    use crate::progress::Silent;
    use std::path::PathBuf;

    /// A store with one of each, and an export of it.
    fn exported() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let store = fixture::store(&folder.path().join("from"), &fixture::all());
        let file = folder.path().join("images.tar");
        store.export(&file, &[], &Silent).unwrap();
        (folder, file)
    }

    fn states(rows: &[ImportRow]) -> Vec<(&str, ImportState)> {
        rows.iter()
            .map(|row| (row.name.as_str(), row.state))
            .collect()
    }

    #[test]
    fn what_is_exported_is_imported_as_it_was_and_once() {
        let (folder, file) = exported();
        assert_eq!(fs::read(&file).unwrap(), fixture::archive(&fixture::all()));
        let root = folder.path().join("to");
        let store = ImageStore::open(&root).unwrap();
        let rows = store.import(&file, &Silent).unwrap();
        use ImportState::{AlreadyThere, Imported};
        let all = |state| ["kernel", "uml", "bash", "python"].map(|name| (name, state));
        assert_eq!(states(&rows), all(Imported));
        assert_eq!(contents(&root), contents(&folder.path().join("from")));
        let verified = store.verify(&[]).unwrap();
        assert_eq!(verified.len(), 4);
        assert!(
            verified.iter().all(|row| row.error.is_none()),
            "{verified:?}"
        );
        assert_eq!(
            states(&store.import(&file, &Silent).unwrap()),
            all(AlreadyThere)
        );
    }

    #[test]
    fn the_imported_replaces_what_was_built_before() {
        let (folder, file) = exported();
        let root = folder.path().join("to");
        let old = fixture::rootfs(fixture::image("bash"), b"an older one");
        let store = fixture::store(&root, &old);
        store.import(&file, &Silent).unwrap();
        assert_eq!(contents(&root), contents(&folder.path().join("from")));
    }

    #[test]
    fn what_was_damaged_is_mended() {
        let (folder, file) = exported();
        let root = folder.path().join("to");
        let store = fixture::store(&root, &fixture::all());
        let kernel = store.user_mode_kernel().unwrap();
        fs::write(&kernel.path, b"umx").unwrap();
        let rows = store.import(&file, &Silent).unwrap();
        assert_eq!(rows[1].state, ImportState::Imported);
        assert_eq!(rows[0].state, ImportState::AlreadyThere);
        assert!(
            store
                .check_kernel(KernelKind::UserMode, crate::verify::Look::Full)
                .is_ok()
        );
    }

    #[test]
    fn of_a_file_with_anything_wrong_nothing_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("to");
        let store = fixture::store(&root, &fixture::rootfs(fixture::image("python"), b"mine"));
        let before = contents(&root);
        let mut entries = fixture::all();
        // The last image's only byte more: all others were read and staged when it is met.
        entries.last_mut().unwrap().1.push(0);
        let file = folder.path().join("images.tar");
        fs::write(&file, fixture::archive(&entries)).unwrap();
        let error = store.import(&file, &Silent).unwrap_err();
        assert!(matches!(error, ImageError::Bundle { .. }), "{error}");
        assert_eq!(contents(&root), before);
    }

    #[test]
    fn what_a_killed_import_staged_is_swept() {
        let (folder, file) = exported();
        let root = folder.path().join("to");
        let store = ImageStore::open(&root).unwrap();
        let staged = store.scratch().unwrap().keep();
        fs::write(staged.join("linux-0123456789abcdef"), b"half").unwrap();
        store.import(&file, &Silent).unwrap();
        assert_eq!(contents(&root), contents(&folder.path().join("from")));
    }
}
