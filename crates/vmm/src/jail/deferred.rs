//! A file for a jail that runs already: a VMM that stood by learns only now whose clone it becomes.
//!
//! The mount is made on the host like every other of a jail's ([`super::files::detached`]) and moved
//! into the jail by a thread that enters the jail's mount namespace, does this one thing there and
//! ends. No guest has run in that jail yet, so nobody hostile is in it.

use super::files::{Access, detached};
use super::process::Process;
use crate::error::{Step, VmmError};
use rustix::fs::CWD;
use rustix::mount::{MoveMountFlags, move_mount};
use rustix::thread::{
    ThreadNameSpaceType, UnshareFlags, move_into_thread_name_spaces, unshare_unsafe,
};
use std::io::{Error, Result};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Shows the host's files to the VMM in its jail, read-only, on the empty files of these names in the
/// jail's root.
pub async fn show(
    process: Arc<Process>,
    uid: u32,
    files: Vec<(PathBuf, &'static str)>,
) -> std::result::Result<(), VmmError> {
    // Blocks for a millisecond.
    tokio::task::spawn_blocking(move || show_blocking(&process, uid, &files))
        .await
        .map_err(|e| VmmError::io(Step::Load, "the mounting task")(Error::other(e)))?
}

fn show_blocking(
    process: &Process,
    uid: u32,
    files: &[(PathBuf, &'static str)],
) -> std::result::Result<(), VmmError> {
    let failed = VmmError::io(Step::Load, "mounting the snapshot's files in the jail");
    let Some(vmm) = process.vmm_fd() else {
        return Err(failed(Error::other("the jail has ended")));
    };
    let mounts: Result<Vec<(OwnedFd, PathBuf)>> = files
        .iter()
        .map(|(source, name)| {
            Ok((
                detached(source, Access::ReadOnly, uid)?,
                Path::new("/").join(name),
            ))
        })
        .collect();
    mounts
        .and_then(|mounts| {
            std::thread::scope(|scope| {
                let inside = scope.spawn(|| mount_inside(vmm, &mounts));
                inside
                    .join()
                    .unwrap_or_else(|_| Err(Error::other("the mounting thread panicked")))
            })
        })
        .map_err(failed)
}

/// Runs in a thread of its own, for it does not come back.
fn mount_inside(vmm: BorrowedFd<'_>, mounts: &[(OwnedFd, PathBuf)]) -> Result<()> {
    // SAFETY: from here on this thread has a root and a working folder of its own; it opens no path of
    // the host's, and nothing else runs in it.
    unsafe { unshare_unsafe(UnshareFlags::FS)? };
    move_into_thread_name_spaces(vmm, ThreadNameSpaceType::MOUNT)?;
    for (mount, at) in mounts {
        move_mount(mount, "", CWD, at, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    }
    Ok(())
}
