//! Where packages of registries are unpacked: one tree, one way to write a file into it, and what bounds all of them.
//!
//! Names in archives are others' words, and so is what lies in the tree already: a folder of it that is a link may lead
//! out of the tree, onto the host. So no link is followed, whoever made it.

use crate::download::DownloadError;
use crate::error::ImageError;
use crate::kept::KeptDownloads;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use std::time::Instant;

/// Of what this tool's own lock files name: several times the largest image.
const MAX_OWN_BYTES: u64 = 16 << 30;
const MAX_OWN_FILES: usize = 1_000_000;
/// Files of packages that a program asks for, for each MiB that they may have; most packages have some hundred.
const FILES_PER_MIB: u64 = 400;

/// Who chose the packages.
#[derive(Clone, Copy)]
pub(crate) enum Vetting<'a> {
    /// Whoever made the lock files of this tool.
    Own,
    /// A program that asks for them: they add to an image and change nothing of it.
    Asked {
        /// Whether the image has this path already.
        is_taken: &'a dyn Fn(&Path) -> bool,
    },
}

/// A folder in which Debian's Python looks for modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PythonFolder {
    /// The image's own modules'.
    Own,
    /// What is added to an image: found before the image's own, and mixed with none of them.
    Local,
}

impl PythonFolder {
    /// Relative to the root.
    pub(crate) fn path(self) -> &'static str {
        match self {
            PythonFolder::Own => "usr/lib/python3/dist-packages",
            PythonFolder::Local => "usr/local/lib/python3.13/dist-packages",
        }
    }
}

/// A tree to unpack into.
pub(crate) struct Target<'a> {
    pub(crate) tree: &'a Path,
    pub(crate) vetting: Vetting<'a>,
    /// Where Python finds modules that are written here.
    pub(crate) python: PythonFolder,
    /// What came before.
    pub(crate) kept: Option<&'a KeptDownloads>,
    bytes_left: u64,
    files_left: usize,
    /// When fetching is to be over.
    pub(crate) until: Option<Instant>,
}

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("{}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} leads through a link, or what is no folder", path.display())]
    Through { path: PathBuf },
    #[error("has more bytes than may come: a bound of all packages together")]
    Bytes,
    #[error("has more files than may come: a bound of all packages together")]
    Files,
    #[error("{0}")]
    Download(String),
    #[error("has more entry points than any")]
    EntryPoints,
    #[error("there was no time left for it")]
    Late,
}

/// A file of an archive.
pub(crate) struct NewFile<'a> {
    /// Relative to the tree, of plain parts.
    pub(crate) path: &'a Path,
    pub(crate) is_executable: bool,
}

impl<'a> Target<'a> {
    /// For packages of this tool's own lock files.
    pub(crate) fn own(tree: &'a Path) -> Target<'a> {
        Target {
            tree,
            vetting: Vetting::Own,
            python: PythonFolder::Own,
            kept: None,
            bytes_left: MAX_OWN_BYTES,
            files_left: MAX_OWN_FILES,
            until: None,
        }
    }

    /// Takes what came before, and keeps what comes.
    pub(crate) fn keeping(self, kept: &'a KeptDownloads) -> Target<'a> {
        Target {
            kept: Some(kept),
            ..self
        }
    }

    /// For Python packages that an image's own are not to be mixed with.
    pub(crate) fn beside_own_modules(self) -> Target<'a> {
        Target {
            python: PythonFolder::Local,
            ..self
        }
    }

    /// For packages that a program asks for, with so many MiB.
    pub(crate) fn asked(
        tree: &'a Path,
        is_taken: &'a dyn Fn(&Path) -> bool,
        max_mib: u64,
    ) -> Target<'a> {
        Target {
            vetting: Vetting::Asked { is_taken },
            python: PythonFolder::Local,
            bytes_left: max_mib.saturating_mul(1 << 20),
            files_left: usize::try_from(max_mib.saturating_mul(FILES_PER_MIB))
                .unwrap_or(usize::MAX),
            ..Target::own(tree)
        }
    }

    /// Bytes that may still come.
    pub(crate) fn bytes_left(&self) -> u64 {
        self.bytes_left
    }

    /// Whether the image has this path, which then stays as it is.
    pub(crate) fn is_taken(&self, path: &Path) -> bool {
        match self.vetting {
            Vetting::Own => false,
            Vetting::Asked { is_taken } => {
                is_taken(path) || self.tree.join(path).symlink_metadata().is_ok()
            }
        }
    }

    /// Writes a file in place of what is there.
    pub(crate) fn write(
        &mut self,
        file: &NewFile<'_>,
        content: impl Read,
    ) -> Result<(), TargetError> {
        if self.until.is_some_and(|until| Instant::now() > until) {
            return Err(TargetError::Late);
        }
        self.files_left = self.files_left.checked_sub(1).ok_or(TargetError::Files)?;
        let failed = |source| TargetError::Io {
            path: file.path.to_path_buf(),
            source,
        };
        let mut new = self.create(file)?;
        let copied = io::copy(
            &mut content.take(self.bytes_left.saturating_add(1)),
            &mut new,
        )
        .map_err(failed)?;
        self.bytes_left = self
            .bytes_left
            .checked_sub(copied)
            .ok_or(TargetError::Bytes)?;
        // Whatever the umask is.
        let mode = if file.is_executable { 0o755 } else { 0o644 };
        new.set_permissions(fs::Permissions::from_mode(mode))
            .map_err(failed)
    }

    fn create(&self, file: &NewFile<'_>) -> Result<File, TargetError> {
        let failed = |source| TargetError::Io {
            path: file.path.to_path_buf(),
            source,
        };
        if let Some(above) = file.path.parent() {
            self.folder(above)?;
        }
        let whole = self.tree.join(file.path);
        match fs::remove_file(&whole) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        // A new file always: what was there may have other names, or be a link.
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options.open(&whole).map_err(failed)
    }

    /// Makes a folder of the tree, and those above it. Nobody else changes the tree meanwhile.
    fn folder(&self, path: &Path) -> Result<(), TargetError> {
        let mut whole = self.tree.to_path_buf();
        for part in path.components() {
            let Component::Normal(part) = part else {
                return Err(TargetError::Through {
                    path: path.to_path_buf(),
                });
            };
            whole.push(part);
            match whole.symlink_metadata() {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) => {
                    return Err(TargetError::Through {
                        path: path.to_path_buf(),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let made = DirBuilder::new().mode(0o755).create(&whole);
                    made.map_err(|source| TargetError::Io {
                        path: path.to_path_buf(),
                        source,
                    })?;
                }
                Err(source) => {
                    return Err(TargetError::Io {
                        path: path.to_path_buf(),
                        source,
                    });
                }
            }
        }
        Ok(())
    }
}

impl From<DownloadError> for TargetError {
    fn from(error: DownloadError) -> TargetError {
        match error {
            DownloadError::TooLarge => TargetError::Bytes,
            DownloadError::Late => TargetError::Late,
            DownloadError::Failed(why) => TargetError::Download(why),
        }
    }
}

impl TargetError {
    /// As an error of images, of this package; `wrong` makes one of what is wrong with it.
    pub(crate) fn into_image_error(
        self,
        package: &str,
        wrong: impl FnOnce(String) -> ImageError,
    ) -> ImageError {
        match self {
            TargetError::Io { path, source } => match source.kind() {
                // What an archive can be guilty of.
                io::ErrorKind::InvalidData
                | io::ErrorKind::UnexpectedEof
                | io::ErrorKind::InvalidInput
                | io::ErrorKind::InvalidFilename => wrong(format!("{}: {source}", path.display())),
                _ => ImageError::io("writing", &path)(source),
            },
            TargetError::Bytes | TargetError::Files => ImageError::PackagesTooLarge {
                package: package.to_owned(),
            },
            TargetError::Late => ImageError::PackagesTooLate {
                package: package.to_owned(),
            },
            other => wrong(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn write(target: &mut Target<'_>, path: &str) -> Result<(), TargetError> {
        let file = NewFile {
            path: Path::new(path),
            is_executable: false,
        };
        target.write(&file, &b"new"[..])
    }

    #[test]
    fn no_link_is_followed() {
        let (tree, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let victim = outside.path().join("victim");
        fs::write(&victim, "old").unwrap();
        symlink(outside.path(), tree.path().join("folder")).unwrap();
        symlink(&victim, tree.path().join("file")).unwrap();
        fs::write(tree.path().join("plain"), "").unwrap();
        fs::hard_link(&victim, tree.path().join("same")).ok();
        let mut target = Target::own(tree.path());
        for path in [
            "folder/victim",
            "folder/new/file",
            "plain/x",
            "../x",
            "a/../../x",
        ] {
            let error = write(&mut target, path).unwrap_err();
            assert!(
                matches!(error, TargetError::Through { .. }),
                "{path}: {error}"
            );
        }
        for path in ["file", "same", "new/folder/file"] {
            write(&mut target, path).unwrap();
            assert_eq!(fs::read(tree.path().join(path)).unwrap(), b"new");
        }
        assert_eq!(fs::read(&victim).unwrap(), b"old");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
        assert!(
            write(&mut target, "new/folder").is_err(),
            "a folder is no file"
        );
    }

    #[test]
    fn bytes_files_and_time_are_bounded() {
        let tree = tempfile::tempdir().unwrap();
        let taken = |_: &Path| false;
        let mut target = Target::asked(tree.path(), &taken, 1);
        let file = NewFile {
            path: Path::new("large"),
            is_executable: true,
        };
        target.write(&file, io::repeat(0).take(1 << 20)).unwrap();
        assert_eq!(target.bytes_left(), 0);
        assert!(matches!(
            target.write(&file, io::repeat(0)),
            Err(TargetError::Bytes)
        ));
        assert_eq!(
            fs::metadata(tree.path().join("large")).unwrap().len(),
            1,
            "no more than one byte too many"
        );
        let mut target = Target::asked(tree.path(), &taken, 1);
        for number in 0..FILES_PER_MIB {
            write(&mut target, &format!("small-{number}")).unwrap();
        }
        assert!(matches!(
            write(&mut target, "more"),
            Err(TargetError::Files)
        ));
        let mut target = Target::own(tree.path());
        target.until = Some(Instant::now() - std::time::Duration::from_secs(1));
        assert!(matches!(write(&mut target, "late"), Err(TargetError::Late)));
    }

    #[test]
    fn what_the_image_has_is_taken_for_those_who_ask() {
        let tree = tempfile::tempdir().unwrap();
        fs::write(tree.path().join("here"), "").unwrap();
        let of_image = |path: &Path| path == Path::new("usr/bin/python3");
        let target = Target::asked(tree.path(), &of_image, 1);
        for (path, taken) in [("usr/bin/python3", true), ("here", true), ("new", false)] {
            assert_eq!(target.is_taken(Path::new(path)), taken, "{path}");
        }
        assert!(!Target::own(tree.path()).is_taken(Path::new("here")));
    }
}
