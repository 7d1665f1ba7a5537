//! A paused VM becomes two files. Firecracker writes them into its chroot; they are taken out of it,
//! and are the tool's own when nothing of the VM is left that could still write to them.

use super::calls;
use super::layout::at;
use super::vm::FirecrackerVm;
use crate::engine::SnapshotFiles;
use crate::error::{Step, VmmError};
use crate::saved::{MAX_STATE_BYTES, take_over, writing};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::fs::File;
use std::io::Error;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use tokio::time::timeout;

pub(super) async fn save(mut vm: FirecrackerVm, into: &Path) -> Result<SnapshotFiles, VmmError> {
    if !vm.paused {
        return Err(VmmError::State {
            step: Step::Save,
            reason: "only a paused VM can be saved".into(),
        });
    }
    let files = SnapshotFiles::inside(into);
    let written = write(&mut vm, &files).await;
    if written.is_err() {
        files.discard();
    }
    // Whichever way it went, this VM has been stopped for good.
    let destroyed = vm.destroy().await;
    written.and(destroyed).map(|()| files)
}

/// The same of a VM that may be a clone, which lives on where this fails before its files are whole.
pub(super) async fn save_at_work(vm: &mut FirecrackerVm, into: &Path) -> Result<(), VmmError> {
    if !vm.paused {
        return Err(VmmError::State {
            step: Step::Save,
            reason: "only a paused VM can be saved".into(),
        });
    }
    let files = SnapshotFiles::inside(into);
    allow_files(vm)?;
    let written = write(vm, &files).await;
    if written.is_err() {
        files.discard();
    }
    written
}

/// A clone may write no file of its RAM's size, until it is saved.
fn allow_files(vm: &FirecrackerVm) -> Result<(), VmmError> {
    let bytes = Some((u64::from(vm.size.memory_mib) << 20) + MAX_STATE_BYTES);
    let limit = Rlimit {
        current: bytes,
        maximum: bytes,
    };
    let allowed = prlimit(
        Pid::from_raw(vm.running.process.pid()),
        Resource::Fsize,
        limit,
    );
    let failed = VmmError::io(
        Step::Save,
        "raising the size of files that the VM may write",
    );
    allowed.map(drop).map_err(|errno| failed(errno.into()))
}

async fn write(vm: &mut FirecrackerVm, files: &SnapshotFiles) -> Result<(), VmmError> {
    let step = Step::Save;
    vm.send(&calls::save()).await?;
    let (inside, uid) = (vm.inside.clone(), vm.running.uid);
    let ram_bytes = u64::from(vm.size.memory_mib) << 20;
    let targets = files.clone();
    let taken = tokio::task::spawn_blocking(move || {
        for (name, limit, to) in [
            (at::SAVED_MEMORY, ram_bytes, &targets.memory),
            (at::SAVED_STATE, MAX_STATE_BYTES, &targets.state),
        ] {
            inside.open_written(name, uid, limit).map_err(writing(to))?;
            inside.take(name, to).map_err(writing(to))?;
        }
        Ok(())
    });
    match timeout(step.deadline(), taken).await {
        Ok(Ok(taken)) => taken?,
        Ok(Err(e)) => return Err(writing(&files.memory)(Error::other(e))),
        Err(_) => return Err(vm.running.late(step, step.deadline())),
    }
    // From here on nobody else can have them open.
    vm.destroy().await?;
    let targets = files.clone();
    let owned = tokio::task::spawn_blocking(move || {
        for (path, bytes) in [(&targets.memory, Some(ram_bytes)), (&targets.state, None)] {
            open_whole(path, bytes)
                .and_then(|file| take_over(&file))
                .map_err(writing(path))?;
        }
        targets.sync_folder()
    });
    match timeout(step.deadline(), owned).await {
        Ok(Ok(owned)) => owned,
        Ok(Err(e)) => Err(writing(&files.memory)(Error::other(e))),
        Err(_) => Err(vm.running.late(step, step.deadline())),
    }
}

/// Opens a file that Firecracker wrote, if it is one and has the size that it must have.
fn open_whole(path: &Path, bytes: Option<u64>) -> Result<File, Error> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let seen = file.metadata()?;
    if !seen.is_file() || seen.nlink() != 1 || bytes.is_some_and(|bytes| bytes != seen.len()) {
        let reason = format!("{} bytes, {} names", seen.len(), seen.nlink());
        return Err(Error::new(std::io::ErrorKind::InvalidData, reason));
    }
    Ok(file)
}
