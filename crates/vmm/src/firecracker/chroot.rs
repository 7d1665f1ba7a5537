//! One VM's chroot: made exclusively, removed with the VM. Inside it the VM's uid may do as it
//! likes, so nothing here follows a link that it could have made.

use super::layout::{self, PIPES};
use crate::engine::VmId;
use crate::error::{Step, VmmError};
use crate::state::{CHROOT_FILE, RunFolder, private_file};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, fstat, mknodat, openat};
use std::fs::DirBuilder;
use std::io::{Error, ErrorKind, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Removes itself when dropped; [`Chroot::remove`] says whether that went well.
#[derive(Debug)]
pub struct Chroot {
    folder: PathBuf,
    inside: ChrootDir,
}

/// The chroot's root, held open: whatever becomes of the path, this is it.
#[derive(Debug, Clone)]
pub struct ChrootDir(Arc<OwnedFd>);

impl Chroot {
    /// Notes in the run folder where it will be, then makes it; one that is there already is refused.
    pub fn create(base: &Path, id: &VmId, run: &RunFolder) -> Result<Self, VmmError> {
        let folder = layout::folder(base, id);
        let io = |what: &str| {
            let what = format!("{what} {}", folder.display());
            move |source| VmmError::Io {
                step: Step::Prepare,
                what,
                source,
            }
        };
        private_file(&run.path().join(CHROOT_FILE))
            .and_then(|mut file| write!(file, "{}", folder.display()))
            .map_err(io("noting"))?;
        let private = |path: &Path| DirBuilder::new().mode(0o700).create(path);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(base.join(layout::PROGRAM))
            .map_err(io("making the parent of"))?;
        match private(&folder) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                return Err(VmmError::IdTaken { id: id.clone() });
            }
            made => made.map_err(io("making"))?,
        }
        let opened = private(&folder.join("root")).and_then(|()| {
            let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            Ok(openat(CWD, folder.join("root"), flags, Mode::empty())?)
        });
        match opened {
            Ok(root) => Ok(Self {
                folder,
                inside: ChrootDir(Arc::new(root)),
            }),
            Err(e) => {
                let _ = std::fs::remove_dir_all(&folder);
                Err(io("making")(e))
            }
        }
    }

    /// `BASE/firecracker/ID`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What Firecracker sees as `/`.
    pub fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// Its root, held open.
    pub fn inside(&self) -> ChrootDir {
        self.inside.clone()
    }

    /// Makes an empty file to mount one of the VM's own on.
    pub fn make_mount_point(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.root().join(name);
        private_file(&path)?;
        Ok(path)
    }

    /// Removes it all, links as links.
    pub fn remove(mut self) -> Result<(), String> {
        let folder = std::mem::take(&mut self.folder);
        std::fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))
    }
}

impl Drop for Chroot {
    fn drop(&mut self) {
        if !self.folder.as_os_str().is_empty() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

impl ChrootDir {
    /// A path to a file in the root that is short enough for a socket's address, whatever BASE is.
    pub fn reach(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{name}", self.0.as_raw_fd()))
    }

    /// Makes the named pipes, the VM's uid's, and opens them; open for both, so that they never
    /// seem to end while Firecracker has not opened them yet.
    pub fn make_pipes(&self, uid: u32) -> Result<Vec<OwnedFd>, Error> {
        let mode = Mode::RUSR | Mode::WUSR;
        let mut pipes = Vec::new();
        for name in PIPES {
            mknodat(&self.0, name, FileType::Fifo, mode, 0)?;
            let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let pipe = openat(&self.0, name, flags, Mode::empty())?;
            std::os::unix::fs::fchown(&pipe, Some(uid), Some(uid))?;
            pipes.push(pipe);
        }
        Ok(pipes)
    }

    /// Opens a file that the VMM has written: a plain one, its own, of one name, below `limit` bytes.
    pub fn open_written(&self, name: &str, uid: u32, limit: u64) -> Result<OwnedFd, Error> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&self.0, name, flags, Mode::empty())?;
        let seen = fstat(&file)?;
        let plain = FileType::from_raw_mode(seen.st_mode) == FileType::RegularFile;
        if !plain || seen.st_uid != uid || seen.st_nlink != 1 || seen.st_size as u64 > limit {
            let reason = format!(
                "{name} is not a plain file of uid {uid} with at most {limit} bytes: mode {:o}, uid {}, {} names, {} bytes",
                seen.st_mode, seen.st_uid, seen.st_nlink, seen.st_size
            );
            return Err(Error::new(ErrorKind::InvalidData, reason));
        }
        Ok(file)
    }

    /// Moves a file out of the root.
    pub fn take(&self, name: &str, to: &Path) -> Result<(), Error> {
        match rustix::fs::renameat(&self.0, name, CWD, to) {
            Ok(()) => Ok(()),
            Err(rustix::io::Errno::XDEV) => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let mut from = std::fs::File::from(openat(&self.0, name, flags, Mode::empty())?);
                std::io::copy(&mut from, &mut private_file(to)?)?;
                Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
            }
            Err(e) => Err(e.into()),
        }
    }
}

/// Why a base folder would let another user put something into a jail; `None` when it would not.
/// Every parent counts: who may rename one replaces all that is below. A folder like `/tmp`, where
/// only an entry's owner may rename it, does no harm.
pub fn base_fault(base: &Path) -> Option<String> {
    const STICKY: u32 = 0o1000;
    base.ancestors().find_map(|folder| {
        let seen = match folder.metadata() {
            Ok(seen) => seen,
            Err(e) => return Some(format!("{}: {e}", folder.display())),
        };
        let open = seen.mode() & 0o022 != 0 && seen.mode() & STICKY == 0;
        (seen.uid() != 0 || open).then(|| {
            format!(
                "{} is uid {}'s with mode {:o}; it must be root's and writable by no one else",
                folder.display(),
                seen.uid(),
                seen.mode() & 0o7777
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::StateDir;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    fn made() -> (tempfile::TempDir, RunFolder, Chroot) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(&dir.path().join("s")).unwrap();
        let id = VmId::new("vm-1").unwrap();
        let run = RunFolder::create(&state, &id).unwrap();
        let chroot = Chroot::create(&dir.path().join("jailer"), &id, &run).unwrap();
        (dir, run, chroot)
    }

    #[test]
    fn it_is_made_once_noted_and_leaves_nothing() {
        let (dir, run, chroot) = made();
        let noted = std::fs::read_to_string(run.path().join(CHROOT_FILE)).unwrap();
        assert_eq!(noted, chroot.folder().display().to_string());
        assert!(chroot.root().ends_with("jailer/firecracker/vm-1/root"));
        let mode = chroot.folder().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let again = StateDir::open(&dir.path().join("other")).unwrap();
        let id = VmId::new("vm-1").unwrap();
        let second = RunFolder::create(&again, &id).unwrap();
        let refused = Chroot::create(&dir.path().join("jailer"), &id, &second);
        assert!(matches!(refused, Err(VmmError::IdTaken { .. })));
        assert!(chroot.folder().exists(), "the first one's is not touched");
        chroot.remove().unwrap();
        let left = dir.path().join("jailer/firecracker").read_dir().unwrap();
        assert_eq!(left.count(), 0);
    }

    #[test]
    fn pipes_are_pipes_and_files_are_made_once() {
        let (_dir, _run, chroot) = made();
        let me = rustix::process::geteuid().as_raw();
        assert_eq!(chroot.inside().make_pipes(me).unwrap().len(), PIPES.len());
        for name in PIPES {
            let kind = chroot.root().join(name).metadata().unwrap().file_type();
            assert!(kind.is_fifo());
        }
        chroot.make_mount_point("rootfs").unwrap();
        assert!(chroot.make_mount_point("rootfs").is_err());
    }

    #[test]
    fn what_a_taken_over_vmm_puts_there_is_not_followed() {
        let (dir, _run, chroot) = made();
        let me = rustix::process::geteuid().as_raw();
        let secret = dir.path().join("secret");
        std::fs::write(&secret, "host").unwrap();
        symlink(&secret, chroot.root().join("link")).unwrap();
        assert!(chroot.inside().open_written("link", me, 100).is_err());
        std::fs::hard_link(&secret, chroot.root().join("hard")).unwrap();
        assert!(chroot.inside().open_written("hard", me, 100).is_err());
        std::fs::write(chroot.root().join("own"), "x").unwrap();
        assert!(chroot.inside().open_written("own", me, 100).is_ok());
        assert!(
            chroot.inside().open_written("own", me, 0).is_err(),
            "too long"
        );
        assert!(chroot.inside().open_written("own", me + 1, 100).is_err());
        symlink(dir.path(), chroot.root().join("folder")).unwrap();
        chroot.remove().unwrap();
        assert_eq!(std::fs::read_to_string(secret).unwrap(), "host");
    }

    #[test]
    fn a_base_that_others_write_is_refused() {
        assert_eq!(base_fault(Path::new("/")), None);
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o777)).unwrap();
        let below = dir.path().join("base");
        std::fs::create_dir(&below).unwrap();
        let fault = base_fault(&below).unwrap();
        assert!(fault.contains(dir.path().to_str().unwrap()), "{fault}");
        assert!(base_fault(Path::new("/not-there")).is_some());
    }
}
