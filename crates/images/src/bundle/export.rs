//! From the store into a file.

use super::described::Described;
use super::header::BundleEntry;
use super::{BundleRow, END_BYTES, Transfer, padding};
use crate::error::ImageError;
use crate::layout::Image;
use crate::manifest::TEMPORARY;
use crate::manifest::{self, FileRecord};
use crate::progress::{Phases, Progress};
use crate::store::ImageStore;
use crate::verify::Look;
use languages::RootImage;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const CHUNK_BYTES: usize = 256 * 1024;

impl ImageStore {
    /// Writes all kernels and these images, all that are there when none is named,
    /// into the new file `to`, which is there wholly or not at all.
    pub fn export(
        &self,
        to: &Path,
        named: &[RootImage],
        progress: &dyn Progress,
    ) -> Result<Vec<BundleRow>, ImageError> {
        let phases = Phases::new(progress);
        let _lock = self.lock(&phases)?;
        let images = self.images_to_export(named, &phases)?;
        let mut export = Export {
            store: self,
            path: to,
            transfer: Transfer {
                phases: &phases,
                total: images.iter().map(Described::size).sum(),
                done: 0,
            },
        };
        export.write(&images)?;
        phases.at(100, "done");
        Ok(images.iter().map(BundleRow::from).collect())
    }

    /// Each is read whole where nobody did so lately, which takes its time.
    fn images_to_export(
        &self,
        named: &[RootImage],
        phases: &Phases<'_>,
    ) -> Result<Vec<Described>, ImageError> {
        let wanted = |image: &Image| match image {
            Image::Kernel(kind) => self.kernel_manifest(*kind).exists(),
            Image::Rootfs(image) if named.is_empty() => self.rootfs_manifest(*image).exists(),
            Image::Rootfs(image) => named.contains(image),
        };
        let images = Image::all().filter(wanted).map(|image| {
            phases.at(0, &format!("checking {}", image.name()));
            self.described(image)
        });
        let images = images.collect::<Result<Vec<_>, _>>()?;
        match images.is_empty() {
            true => Err(self.missing("kernel")),
            false => Ok(images),
        }
    }

    /// An image of this store; one that an import would refuse is none.
    pub(super) fn described(&self, image: Image) -> Result<Described, ImageError> {
        match image {
            Image::Kernel(kind) => self.check_kernel(kind, Look::Cached)?,
            Image::Rootfs(image) => self.checked_rootfs(image, Look::Cached).map(drop)?,
        }
        let file = self.root.join(image.manifest_path());
        let bytes = fs::read(&file).map_err(ImageError::io("reading", &file))?;
        Described::of(image, bytes).map_err(|error| ImageError::Damaged {
            name: image.name().to_owned(),
            file,
            expected: "a manifest of this tool's".to_owned(),
            seen: error.to_string(),
        })
    }
}

struct Export<'a> {
    store: &'a ImageStore,
    path: &'a Path,
    transfer: Transfer<'a>,
}

impl Export<'_> {
    fn write(&mut self, images: &[Described]) -> Result<(), ImageError> {
        let path = self.path.to_path_buf();
        let writing = || ImageError::io("writing", &path);
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let mut file = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .permissions(Permissions::from_mode(0o644))
            .tempfile_in(folder)
            .map_err(writing())?;
        for image in images {
            self.image(image, file.as_file_mut())?;
        }
        let to = file.as_file_mut();
        to.write_all(&[0; END_BYTES]).map_err(writing())?;
        // A slow disk takes most of its time here.
        self.transfer.phases.at(99, "waiting for the disk");
        to.sync_all().map_err(writing())?;
        file.persist(&path)
            .map_err(|error| writing()(error.error))?;
        manifest::sync_folder(folder)
    }

    fn image(&mut self, image: &Described, to: &mut File) -> Result<(), ImageError> {
        let manifest = BundleEntry {
            name: image.image.manifest_path(),
            size: image.manifest.len() as u64,
        };
        let written = write_header(&manifest, to)
            .and_then(|()| to.write_all(&image.manifest))
            .and_then(|()| write_padding(manifest.size, to));
        written.map_err(ImageError::io("writing", self.path))?;
        for record in &image.files {
            self.file(image, record, to)?;
        }
        Ok(())
    }

    /// Fails when the file is not what its record says: what was written so far is thrown away then.
    fn file(
        &mut self,
        image: &Described,
        record: &FileRecord,
        to: &mut File,
    ) -> Result<(), ImageError> {
        let name = image.path_of(record);
        let path = self.store.root.join(&name);
        let entry = BundleEntry {
            name,
            size: record.size,
        };
        let writing = ImageError::io("writing", self.path);
        write_header(&entry, to).map_err(writing)?;
        let (seen, size) = self.copy(&path, &entry, to)?;
        if (seen.as_str(), size) != (record.sha256.as_str(), record.size) {
            return Err(ImageError::Damaged {
                name: image.image.name().to_owned(),
                file: path,
                expected: format!("sha256 {}", record.sha256),
                seen: format!("sha256 {seen}"),
            });
        }
        write_padding(record.size, to).map_err(ImageError::io("writing", self.path))
    }

    /// The digest and number of the bytes that were copied.
    fn copy(
        &mut self,
        from: &PathBuf,
        entry: &BundleEntry,
        to: &mut File,
    ) -> Result<(String, u64), ImageError> {
        let mut file = File::open(from).map_err(ImageError::io("opening", from))?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; CHUNK_BYTES];
        let mut size = 0;
        loop {
            let read = file.read(&mut buffer);
            let read = read.map_err(ImageError::io("reading", from))?;
            if read == 0 {
                return Ok((hex::encode(hasher.finalize()), size));
            }
            hasher.update(&buffer[..read]);
            let written = to.write_all(&buffer[..read]);
            written.map_err(ImageError::io("writing", self.path))?;
            size += read as u64;
            self.transfer.moved(read as u64, &entry.name);
        }
    }
}

fn write_header(entry: &BundleEntry, to: &mut File) -> io::Result<()> {
    to.write_all(&entry.to_block()?)
}

fn write_padding(size: u64, to: &mut File) -> io::Result<()> {
    to.write_all(&vec![0; padding(size)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::fixture;
    use crate::progress::Silent;

    fn names(rows: &[BundleRow]) -> Vec<&str> {
        rows.iter().map(|row| row.name.as_str()).collect()
    }

    #[test]
    fn kernels_go_with_the_languages_that_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = fixture::store(folder.path(), &fixture::all());
        let file = folder.path().join("images.tar");
        let export = |named: &[RootImage]| store.export(&file, named, &Silent);
        let rows = export(&[fixture::image("bash"), fixture::image("bash")]).unwrap();
        assert_eq!(names(&rows), ["kernel", "uml", "bash"]);
        let read = crate::bundle::inspect(File::open(&file).unwrap()).unwrap();
        assert_eq!(read, rows);
        let error = export(&[fixture::image("go")]).unwrap_err();
        assert!(
            matches!(&error, ImageError::Missing { name, .. } if name == "go"),
            "{error}"
        );
        // The file that was there is as it was.
        let still = crate::bundle::inspect(File::open(&file).unwrap()).unwrap();
        assert_eq!(still, rows);
    }

    #[test]
    fn what_takes_long_before_and_after_the_copying_is_told() {
        #[derive(Default)]
        struct Told(std::sync::Mutex<Vec<String>>);
        impl Progress for Told {
            fn step(&self, name: &str, _: u64, _: Option<u64>) {
                self.0.lock().unwrap().push(name.to_owned());
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let store = fixture::store(folder.path(), &fixture::all());
        let (file, told) = (folder.path().join("images.tar"), Told::default());
        let named = [fixture::image("bash")];
        store.export(&file, &named, &told).unwrap();
        let told = told.0.into_inner().unwrap();
        assert!(told.contains(&"checking bash".to_owned()), "{told:?}");
        assert!(
            told.contains(&"waiting for the disk".to_owned()),
            "{told:?}"
        );
    }

    #[test]
    fn nothing_is_exported_of_an_empty_or_a_damaged_store() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("images");
        let file = folder.path().join("images.tar");
        let empty = ImageStore::open(&root).unwrap();
        let error = empty.export(&file, &[], &Silent).unwrap_err();
        assert!(matches!(error, ImageError::Missing { .. }), "{error}");
        let store = fixture::store(&root, &fixture::all());
        let kernel = store.user_mode_kernel().unwrap();
        fs::write(&kernel.path, b"umx").unwrap();
        let error = store.export(&file, &[], &Silent).unwrap_err();
        assert!(matches!(error, ImageError::Damaged { .. }), "{error}");
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "only the store: {left:?}");
    }
}
