//! The two files that a paused VM becomes, whichever VMM wrote them: their names, and how they become
//! the tool's own.

use crate::engine::SnapshotFiles;
use crate::error::{Step, VmmError};
use rustix::fs::{Mode, fchmod, fchown};
use std::fs::File;
use std::io::Error;
use std::path::Path;

/// The most that devices' state may have, bytes. QEMU's `microvm` has 74 KB, Firecracker's VM 20 KB.
pub const MAX_STATE_BYTES: u64 = 16 << 20;

impl SnapshotFiles {
    /// The files of a snapshot in this folder.
    pub(crate) fn inside(folder: &Path) -> Self {
        Self {
            memory: folder.join("memory"),
            state: folder.join("state"),
        }
    }

    /// Removes what there is of them: half a snapshot is none.
    pub(crate) fn discard(&self) {
        for file in [&self.memory, &self.state] {
            let _ = std::fs::remove_file(file);
        }
    }

    /// Both names are on disk when this returns.
    pub(crate) fn sync_folder(&self) -> Result<(), VmmError> {
        let folder = self.memory.parent().unwrap_or(Path::new("/"));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(writing(folder))
    }
}

/// The one file of a QEMU VM that was saved at work: its RAM and its devices, as QEMU streams them to another host.
pub(crate) const STREAM: &str = "stream";

/// The most that such a stream may have, in bytes: each page comes once, since the VM stands still, with 9 bytes around it.
pub(crate) const fn max_stream_bytes(memory_mib: u32) -> u64 {
    let ram = (memory_mib as u64) << 20;
    ram + ram / 64 + MAX_STATE_BYTES
}

/// From the VM's uid, which is no longer in use, to the tool's; 0600 and safe on disk.
pub fn take_over(file: &File) -> Result<(), Error> {
    let (me, group) = (rustix::process::geteuid(), rustix::process::getegid());
    fchown(file, Some(me), Some(group))?;
    fchmod(file, Mode::RUSR | Mode::WUSR)?;
    file.sync_all()
}

/// An error of writing one of them.
pub fn writing(path: &Path) -> impl Fn(Error) -> VmmError + use<> {
    VmmError::io(Step::Save, &format!("writing {}", path.display()))
}
