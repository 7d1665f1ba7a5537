//! The state folder: what lies where, and who may be in it.
//!
//! ```text
//! STATE/            0711, the tool's user
//!   run/ID/         one VM: `lock` (held while its tool lives), `ram` (a booted VM's memory), `cgroups`
//!   uid-slots       a byte a uid; locked while a VM has it
//!   jail/DIGEST/    the files of a jail's root, made once for each version of the VMM
//!   NAME.json       answers that are kept: `qemu`, and of this boot of the host `probe`, `tsc`, `uml`
//!   NAME.lock       held while NAME is made: `run` (a run folder), `jail` (a root), answers
//! ```

use crate::engine::VmId;
use crate::error::{Step, VmmError};
use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The state folder, known to be ours alone.
#[derive(Debug, Clone)]
pub struct StateDir {
    root: PathBuf,
}

impl StateDir {
    /// Opens or makes it; a folder that others may write to, or that is another user's, is refused.
    pub fn open(root: &Path) -> Result<Self, VmmError> {
        let io = |what: &str, source| VmmError::Io {
            step: Step::Prepare,
            what: format!("{what} the state folder {}", root.display()),
            source,
        };
        // Others may come through it, to images that are for everybody to read, and see nothing of it.
        DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(root)
            .map_err(|e| io("making", e))?;
        // Resolved once: a link in the path could be turned elsewhere later.
        let root = root.canonicalize().map_err(|e| io("finding", e))?;
        let meta = root.metadata().map_err(|e| io("reading", e))?;
        let me = rustix::process::geteuid().as_raw();
        if std::os::unix::fs::MetadataExt::uid(&meta) != me
            || meta.permissions().mode() & 0o022 != 0
        {
            return Err(VmmError::State {
                step: Step::Prepare,
                reason: format!(
                    "the state folder {} must belong to uid {me} and be writable by no one else: chown {me} and chmod go-w it, or set state_dir",
                    root.display()
                ),
            });
        }
        let state = Self { root };
        for folder in [state.run(), state.jails()] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .map_err(|source| VmmError::Io {
                    step: Step::Prepare,
                    what: format!("making {}", folder.display()),
                    source,
                })?;
        }
        Ok(state)
    }

    /// The folder itself, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Waits for the lock of this name and holds it until the file is dropped.
    pub fn lock(&self, name: &str) -> std::io::Result<File> {
        let file = lock_file(&self.root.join(format!("{name}.lock")))?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    }

    /// Writes a file whole or not at all. Only for who holds a lock that is this file's.
    pub fn keep(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let draft = self.root.join(format!(".{name}"));
        // A crash's half: we hold the lock, so nobody else writes it.
        let _ = std::fs::remove_file(&draft);
        let mut file = private_file(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&draft, self.root.join(name))
    }

    /// Holds one folder a VM.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// The file whose bytes are the uids' locks.
    pub fn slots(&self) -> PathBuf {
        self.root.join("uid-slots")
    }

    /// Holds one root file system a version of the VMM.
    pub fn jails(&self) -> PathBuf {
        self.root.join("jail")
    }
}

/// One VM's run folder: made exclusively, locked while its owner lives, removed with it. Dropping
/// it removes it too; [`RunFolder::remove`] says whether that went well.
#[derive(Debug)]
pub struct RunFolder {
    state: StateDir,
    path: PathBuf,
    _lock: File,
}

/// The file in a run folder that its living owner holds locked.
pub const LOCK_FILE: &str = "lock";

/// The file in a run folder that lists the VM's cgroup folders, one a line.
pub const CGROUPS_FILE: &str = "cgroups";

/// The file in a run folder that names the VM's chroot, which is outside it; Firecracker's only.
pub const CHROOT_FILE: &str = "chroot";

/// The lock that is held while a run folder comes or goes: whoever has it sees none without its lock.
pub(crate) const RUN_LOCK: &str = "run";

impl RunFolder {
    /// Makes the folder of this id; an id that is there already is refused, never reused.
    pub fn create(state: &StateDir, id: &VmId) -> Result<Self, VmmError> {
        let path = state.run().join(id.as_str());
        let io = |what: &str| {
            let what = format!("{what} {}", path.display());
            move |source| VmmError::Io {
                step: Step::Prepare,
                what,
                source,
            }
        };
        let _coming = state.lock(RUN_LOCK).map_err(io("locking"))?;
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                return Err(VmmError::IdTaken { id: id.clone() });
            }
            other => other.map_err(io("making"))?,
        }
        let locked = private_file(&path.join(LOCK_FILE)).and_then(|file| {
            flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            Ok(file)
        });
        match locked {
            Ok(lock) => Ok(Self {
                state: state.clone(),
                path,
                _lock: lock,
            }),
            Err(e) => {
                let _ = std::fs::remove_dir_all(&path);
                Err(io("locking")(e))
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it; the lock goes last, so that what is left after a crash is found again.
    pub fn remove(mut self) -> Result<(), String> {
        let path = std::mem::take(&mut self.path);
        remove_run(&self.state, &path).map_err(|e| format!("{}: {e}", path.display()))
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            let _ = remove_run(&self.state, &self.path);
        }
    }
}

/// Removes a run folder, whose lock the caller holds.
pub(crate) fn remove_run(state: &StateDir, path: &Path) -> std::io::Result<()> {
    for entry in path.read_dir()? {
        let entry = entry?;
        if entry.file_name() == LOCK_FILE {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => std::fs::remove_dir_all(entry.path())?,
            false => std::fs::remove_file(entry.path())?,
        }
    }
    let _going = state.lock(RUN_LOCK)?;
    std::fs::remove_dir_all(path)
}

/// Opens a file 0600 that is there to be locked; makes it where it is not there. Follows no link.
pub fn lock_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(path)
}

/// Creates a file 0600 that was not there, without following links.
pub fn private_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_folder_is_made_once_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(&dir.path().join("s")).unwrap();
        let id = VmId::new("a").unwrap();
        let first = RunFolder::create(&state, &id).unwrap();
        assert!(matches!(
            RunFolder::create(&state, &id),
            Err(VmmError::IdTaken { .. })
        ));
        first.remove().unwrap();
        drop(RunFolder::create(&state, &id).unwrap());
        assert_eq!(state.run().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_state_folder_that_others_write_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o777)).unwrap();
        assert!(matches!(
            StateDir::open(dir.path()),
            Err(VmmError::State { .. })
        ));
    }
}
