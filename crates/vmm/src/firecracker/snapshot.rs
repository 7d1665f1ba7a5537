//! A paused VM becomes two files. Firecracker writes them into its chroot; they are taken out of it,
//! and are the tool's own when nothing of the VM is left that could still write to them.

use super::calls;
use super::layout::at;
use super::vm::FirecrackerVm;
use crate::engine::SnapshotFiles;
use crate::error::{Step, VmmError};
use rustix::fs::{Mode, OFlags, fchmod, fchown};
use std::fs::File;
use std::io::Error;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use tokio::time::timeout;

/// The most that devices' state may have, bytes. A VM of this table of devices has 20 KB.
pub(super) const MAX_STATE_BYTES: u64 = 16 << 20;

/// File names in the snapshot's folder.
const MEMORY: &str = "memory";
const STATE: &str = "state";

pub(super) async fn save(mut vm: FirecrackerVm, into: &Path) -> Result<SnapshotFiles, VmmError> {
    if !vm.paused {
        return Err(VmmError::State {
            step: Step::Save,
            reason: "only a paused VM can be saved".into(),
        });
    }
    let files = SnapshotFiles {
        memory: into.join(MEMORY),
        state: into.join(STATE),
    };
    let written = write(&mut vm, &files).await;
    if written.is_err() {
        for file in [&files.memory, &files.state] {
            let _ = std::fs::remove_file(file);
        }
    }
    // Whichever way it went, this VM has been stopped for good.
    let destroyed = vm.destroy().await;
    written.and(destroyed).map(|()| files)
}

async fn write(vm: &mut FirecrackerVm, files: &SnapshotFiles) -> Result<(), VmmError> {
    let step = Step::Save;
    vm.send(&calls::save()).await?;
    let (inside, uid) = (vm.inside.clone(), vm.running.uid);
    let ram_bytes = u64::from(vm.spec.memory_mib) << 20;
    let targets = files.clone();
    let taken = tokio::task::spawn_blocking(move || {
        for (name, limit, to) in [
            (at::SAVED_MEMORY, ram_bytes, &targets.memory),
            (at::SAVED_STATE, MAX_STATE_BYTES, &targets.state),
        ] {
            inside.open_written(name, uid, limit).map_err(io(to))?;
            inside.take(name, to).map_err(io(to))?;
        }
        Ok(())
    });
    match timeout(step.deadline(), taken).await {
        Ok(Ok(taken)) => taken?,
        Ok(Err(e)) => return Err(io(&files.memory)(Error::other(e))),
        Err(_) => return Err(vm.running.late(step, step.deadline())),
    }
    // From here on nobody else can have them open.
    vm.destroy().await?;
    let targets = files.clone();
    let owned = tokio::task::spawn_blocking(move || {
        take_over(&targets.memory, Some(ram_bytes)).map_err(io(&targets.memory))?;
        take_over(&targets.state, None).map_err(io(&targets.state))?;
        let folder = targets.memory.parent().unwrap_or(Path::new("/"));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(io(folder))
    });
    match timeout(step.deadline(), owned).await {
        Ok(Ok(owned)) => owned,
        Ok(Err(e)) => Err(io(&files.memory)(Error::other(e))),
        Err(_) => Err(vm.running.late(step, step.deadline())),
    }
}

/// From the VM's uid, which is no longer in use, to the tool's; safe on disk.
fn take_over(path: &Path, bytes: Option<u64>) -> Result<(), Error> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let seen = file.metadata()?;
    if !seen.is_file() || seen.nlink() != 1 || bytes.is_some_and(|bytes| bytes != seen.len()) {
        let reason = format!("{} bytes, {} names", seen.len(), seen.nlink());
        return Err(Error::new(std::io::ErrorKind::InvalidData, reason));
    }
    let (me, group) = (rustix::process::geteuid(), rustix::process::getegid());
    fchown(&file, Some(me), Some(group))?;
    fchmod(&file, Mode::RUSR | Mode::WUSR)?;
    file.sync_all()
}

fn io(path: &Path) -> impl FnOnce(Error) -> VmmError + use<> {
    let what = format!("writing {}", path.display());
    move |source| VmmError::Io {
        step: Step::Save,
        what,
        source,
    }
}
