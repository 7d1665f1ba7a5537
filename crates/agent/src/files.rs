//! Files in the work folder, by names that the host sent and in folders that the job may have
//! filled with links: every open is `openat2`, beneath the folder, following no link.

use crate::error::{AgentError, Step};
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::{Mode, mkdirat};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, UnlinkatFlags, unlinkat};
use protocol::environment::JOB_ID;
use protocol::environment::WORK_DIR;
use protocol::path::check_relative;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The owner of everything in the work folder.
const JOB: (Option<Uid>, Option<Gid>) = (Some(Uid::from_raw(JOB_ID)), Some(Gid::from_raw(JOB_ID)));

/// A folder below which names are resolved.
pub struct Folder(OwnedFd);

impl Folder {
    /// Opens a folder that the agent names itself.
    pub fn open(path: &str) -> nix::Result<Folder> {
        let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW | OFlag::O_RDONLY;
        open(path, flags, Mode::empty()).map(Folder)
    }

    /// The work folder.
    pub fn open_work() -> Result<Folder, AgentError> {
        Folder::open(WORK_DIR).step(|| format!("open {WORK_DIR}"))
    }

    /// Makes an empty file of the job's, with the folders on its way; one that is there is emptied.
    pub fn create(&self, path: &str) -> Result<File, AgentError> {
        let refused = |reason: String| AgentError::InputFile {
            path: path.to_owned(),
            reason,
        };
        check_relative(path).map_err(|error| refused(error.to_string()))?;
        self.make_parents(path)
            .map_err(|errno| refused(format!("its folder: {errno}")))?;
        let how = beneath(OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC | OFlag::O_NONBLOCK)
            .mode(Mode::from_bits_truncate(0o644));
        let file =
            openat2(self.0.as_fd(), path, how).map_err(|errno| refused(errno.to_string()))?;
        own(file.as_fd()).map_err(|errno| refused(errno.to_string()))?;
        Ok(File::from(file))
    }

    /// Removes a file.
    pub fn remove(&self, path: &str) -> nix::Result<()> {
        let (parent, name) = path.rsplit_once('/').unwrap_or((".", path));
        let parent = openat2(
            self.0.as_fd(),
            parent,
            beneath(OFlag::O_RDONLY | OFlag::O_DIRECTORY),
        )?;
        unlinkat(&parent, name, UnlinkatFlags::NoRemoveDir)
    }

    /// Opens a regular file for reading; its size, and when it last changed.
    pub fn get(&self, path: &str) -> nix::Result<(File, u64, TimeSpec)> {
        // Without O_NONBLOCK a FIFO would hold the agent for ever.
        let file = openat2(
            self.0.as_fd(),
            path,
            beneath(OFlag::O_RDONLY | OFlag::O_NONBLOCK),
        )?;
        let status = nix::sys::stat::fstat(&file)?;
        if status.st_mode & libc::S_IFMT != libc::S_IFREG {
            return Err(Errno::EINVAL);
        }
        let size = u64::try_from(status.st_size).unwrap_or(0);
        let changed = TimeSpec::new(status.st_ctime, status.st_ctime_nsec);
        Ok((File::from(file), size, changed))
    }

    fn make_parents(&self, path: &str) -> nix::Result<()> {
        for (end, _) in path.match_indices('/') {
            let (parent, name) = path[..end].rsplit_once('/').unwrap_or((".", &path[..end]));
            let parent = openat2(
                self.0.as_fd(),
                parent,
                beneath(OFlag::O_RDONLY | OFlag::O_DIRECTORY),
            )?;
            match mkdirat(&parent, name, Mode::from_bits_truncate(0o755)) {
                Ok(()) => {}
                Err(Errno::EEXIST) => continue,
                Err(errno) => return Err(errno),
            }
            let made = openat2(
                parent.as_fd(),
                name,
                beneath(OFlag::O_RDONLY | OFlag::O_DIRECTORY),
            )?;
            own(made.as_fd())?;
        }
        Ok(())
    }
}

fn own(fd: BorrowedFd<'_>) -> nix::Result<()> {
    nix::unistd::fchown(fd, JOB.0, JOB.1)
}

fn beneath(flags: OFlag) -> OpenHow {
    let resolve = ResolveFlag::RESOLVE_BENEATH
        | ResolveFlag::RESOLVE_NO_SYMLINKS
        | ResolveFlag::RESOLVE_NO_XDEV;
    OpenHow::new()
        .flags(flags | OFlag::O_CLOEXEC)
        .resolve(resolve)
}
