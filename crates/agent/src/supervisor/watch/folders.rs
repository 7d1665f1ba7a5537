//! The kernel's watches, one a folder.

use super::tree::{Arrival, Happened};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

/// How long the second half of a move may take.
const MOVE_MILLIS: u8 = 10;
/// What is asked of every folder.
const WANTED: AddWatchFlags = AddWatchFlags::IN_CREATE
    .union(AddWatchFlags::IN_DELETE)
    .union(AddWatchFlags::IN_MODIFY)
    .union(AddWatchFlags::IN_MOVED_FROM)
    .union(AddWatchFlags::IN_MOVED_TO)
    .union(AddWatchFlags::IN_ONLYDIR)
    // Nothing of a file that has no name yet, or any more.
    .union(AddWatchFlags::from_bits_retain(libc::IN_EXCL_UNLINK));
/// And of the topmost one: it has nobody above it who would tell.
const OF_ROOT: AddWatchFlags = AddWatchFlags::IN_DELETE_SELF.union(AddWatchFlags::IN_MOVE_SELF);

/// All of one watch.
pub struct Folders(Inotify);

/// What came of watching a folder.
pub enum Watched {
    /// It is watched.
    Yes(WatchDescriptor),
    /// It is gone, none, or not to be read.
    Absent,
    /// The sandbox's user has as many as the kernel gives one.
    TooMany,
}

impl Folders {
    pub fn begin() -> io::Result<Folders> {
        Ok(Folders(Inotify::init(InitFlags::IN_CLOEXEC)?))
    }

    /// The topmost folder, which may be a link to one.
    pub fn watch_root(&self, path: &Path) -> io::Result<WatchDescriptor> {
        let watched = self.0.add_watch(path, WANTED | OF_ROOT);
        // Of a disk, this number says that it is full.
        let watched = watched.map_err(|errno| match errno {
            Errno::ENOSPC => Errno::EMFILE,
            errno => errno,
        });
        Ok(watched?)
    }

    /// Links are not followed.
    pub fn watch(&self, path: &Path) -> io::Result<Watched> {
        let flags = WANTED | AddWatchFlags::IN_DONT_FOLLOW;
        match self.0.add_watch(path, flags) {
            Ok(folder) => Ok(Watched::Yes(folder)),
            Err(Errno::ENOSPC) => Ok(Watched::TooMany),
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES | Errno::ENAMETOOLONG) => {
                Ok(Watched::Absent)
            }
            Err(errno) => Err(errno.into()),
        }
    }

    pub fn forget(&self, folder: WatchDescriptor) {
        // One that is gone is forgotten already.
        let _ = self.0.rm_watch(folder);
    }

    /// Waits for what happens; it is bounded by one buffer.
    pub fn read(&self) -> io::Result<Vec<InotifyEvent>> {
        loop {
            match self.0.read_events() {
                Err(Errno::EINTR) => {}
                read => return Ok(read?),
            }
        }
    }

    /// Whether something happened, or does so soon.
    pub fn has_more(&self) -> io::Result<bool> {
        let mut fds = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, MOVE_MILLIS) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::EINTR) => Ok(true),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// In the tree's words; `None`: nothing to be told.
pub fn happened(event: InotifyEvent) -> Option<Happened<WatchDescriptor>> {
    use AddWatchFlags as Flag;
    let (folder, mask) = (event.wd, event.mask);
    if mask.contains(Flag::IN_Q_OVERFLOW) {
        return Some(Happened::Lost);
    }
    if mask.intersects(Flag::IN_DELETE_SELF | Flag::IN_MOVE_SELF | Flag::IN_UNMOUNT) {
        return Some(Happened::Went(folder));
    }
    if mask.contains(Flag::IN_IGNORED) {
        return Some(Happened::Unwatched(folder));
    }
    let name = event.name?;
    let kind = match mask.contains(Flag::IN_ISDIR) {
        true => Arrival::Folder,
        false => Arrival::Other,
    };
    let cookie = event.cookie;
    match mask.difference(Flag::IN_ISDIR) {
        Flag::IN_CREATE => Some(Happened::Came { folder, name, kind }),
        Flag::IN_DELETE => Some(Happened::Removed { folder, name }),
        Flag::IN_MODIFY => Some(Happened::Changed { folder, name }),
        Flag::IN_MOVED_FROM => Some(Happened::Left {
            folder,
            name,
            cookie,
        }),
        Flag::IN_MOVED_TO => Some(Happened::Arrived {
            folder,
            name,
            kind,
            cookie,
        }),
        _ => None,
    }
}
