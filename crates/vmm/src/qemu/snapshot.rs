//! A paused VM becomes two files. RAM is in a file already, which is moved; QEMU writes only its
//! devices' state, into a socket whose other end is the host's: nothing in the jail writes a file.

use super::vm::QemuVm;
use crate::engine::SnapshotFiles;
use crate::error::{Step, VmmError};
use crate::saved::{MAX_STATE_BYTES, take_over, writing};
use crate::state::private_file;
use serde_json::json;
use std::fs::{self, File};
use std::io::{Error, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::time::timeout;

pub(super) async fn save(mut vm: QemuVm, into: &Path) -> Result<SnapshotFiles, VmmError> {
    let refused = |reason: &str| VmmError::State {
        step: Step::Save,
        reason: reason.into(),
    };
    if !vm.paused {
        return Err(refused("only a paused VM can be saved"));
    }
    let Some(ram) = vm.ram.take() else {
        return Err(refused(
            "this VM's memory is not in a file of its own: it was not booted as a template",
        ));
    };
    let files = SnapshotFiles::inside(into);
    let written = write(&mut vm, &ram, &files).await;
    if written.is_err() {
        files.discard();
    }
    // Whichever way it went, this VM has been stopped for good.
    let destroyed = vm.destroy().await;
    written.and(destroyed).map(|()| files)
}

async fn write(vm: &mut QemuVm, ram: &Path, files: &SnapshotFiles) -> Result<(), VmmError> {
    let state = device_state(vm).await?;
    let (ram, files) = (ram.to_path_buf(), files.clone());
    // QEMU must be gone before its RAM file is anyone's template; the run folder goes with it, so
    // the file is moved first.
    move_file(&ram, &files.memory).map_err(writing(&files.memory))?;
    vm.destroy().await?;
    let stored = tokio::task::spawn_blocking(move || store(&files, &state));
    match timeout(Step::Save.deadline(), stored).await {
        Ok(Ok(stored)) => stored,
        Ok(Err(e)) => Err(writing(&ram)(Error::other(e))),
        Err(_) => Err(vm.running.late(Step::Save, Step::Save.deadline())),
    }
}

/// What QEMU says of its devices.
async fn device_state(vm: &mut QemuVm) -> Result<Vec<u8>, VmmError> {
    let step = Step::Save;
    let socket = |e| VmmError::Io {
        step,
        what: "the state's socket pair".into(),
        source: e,
    };
    let (ours, theirs) = StdUnixStream::pair().map_err(socket)?;
    ours.set_nonblocking(true).map_err(socket)?;
    let ours = UnixStream::from_std(ours).map_err(socket)?;
    vm.ignore_shared_ram(step).await?;
    let given = {
        let mut qmp = vm.qmp.lock().await;
        let given = qmp.give_fd("getfd", json!({"fdname": "state"}), theirs.as_fd());
        timeout(step.deadline(), given).await
    };
    vm.judge(step, given).await?;
    drop(theirs);
    vm.execute(step, "migrate", json!({"uri": "fd:state"}))
        .await?;
    let mut state = Vec::new();
    let mut bounded = ours.take(MAX_STATE_BYTES + 1);
    match timeout(step.deadline(), bounded.read_to_end(&mut state)).await {
        Ok(Ok(_)) => {}
        Ok(Err(e)) => return Err(socket(e)),
        Err(_) => return Err(vm.running.late(step, step.deadline())),
    }
    if state.is_empty() || state.len() as u64 > MAX_STATE_BYTES {
        let reason = format!("{} bytes of device state", state.len());
        return Err(VmmError::Protocol { step, reason });
    }
    // The stream's end is not success: QEMU must say so.
    vm.migrated(step).await?;
    Ok(state)
}

/// Makes both files the tool's own, 0600 and safe on disk.
fn store(files: &SnapshotFiles, state: &[u8]) -> Result<(), VmmError> {
    let memory = File::open(&files.memory).map_err(writing(&files.memory))?;
    take_over(&memory).map_err(writing(&files.memory))?;
    let mut file = private_file(&files.state).map_err(writing(&files.state))?;
    file.write_all(state)
        .and_then(|()| file.sync_all())
        .map_err(writing(&files.state))?;
    files.sync_folder()
}

fn move_file(from: &Path, to: &Path) -> Result<(), Error> {
    if to.symlink_metadata().is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    match fs::rename(from, to) {
        Err(e) if e.kind() == ErrorKind::CrossesDevices => fs::copy(from, to).map(drop),
        other => other,
    }
}
