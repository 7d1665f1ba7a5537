//! A VM at work becomes one file: its RAM and its devices, as QEMU streams them to another host. QEMU writes into a socket
//! whose other end is the host's: nothing in the jail writes a file, and how long it gets is bounded here.

use super::vm::QemuVm;
use crate::error::{Step, VmmError};
use crate::saved::{STREAM, max_stream_bytes, writing};
use crate::state::private_file;
use serde_json::json;
use std::fs::{self, File};
use std::io::{Error, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use tokio::time::timeout;

/// Bytes of RAM that QEMU sends in a second at most: it would spare a network that is not there (16 GiB).
const BYTES_PER_SECOND: u64 = 16 << 30;

pub(super) async fn save(vm: &mut QemuVm, into: &Path) -> Result<(), VmmError> {
    let step = Step::Save;
    let refused = |reason: &str| VmmError::State {
        step,
        reason: reason.into(),
    };
    if !vm.paused {
        return Err(refused("only a paused VM can be saved"));
    }
    if vm.ram.is_some() {
        return Err(refused(
            "this VM is a template: its memory would stay behind",
        ));
    }
    let path = into.join(STREAM);
    let written = write(vm, &path).await;
    if written.is_err() {
        let _ = fs::remove_file(&path);
    }
    written
}

async fn write(vm: &mut QemuVm, path: &Path) -> Result<(), VmmError> {
    let step = Step::Save;
    let socket = VmmError::io(step, "the stream's socket pair");
    let (ours, theirs) = UnixStream::pair().map_err(&socket)?;
    // A QEMU that stalls holds up no thread for ever.
    ours.set_read_timeout(Some(step.deadline()))
        .map_err(&socket)?;
    vm.ignore_shared_ram(step).await?;
    vm.execute(
        step,
        "migrate-set-parameters",
        json!({ "max-bandwidth": BYTES_PER_SECOND }),
    )
    .await?;
    let given = {
        let mut qmp = vm.qmp.lock().await;
        let given = qmp.give_fd("getfd", json!({"fdname": "stream"}), theirs.as_fd());
        timeout(step.deadline(), given).await
    };
    vm.judge(step, given).await?;
    drop(theirs);
    let (target, most) = (path.to_owned(), max_stream_bytes(vm.memory_mib));
    let stored = tokio::task::spawn_blocking(move || store(ours, &target, most));
    vm.execute(step, "migrate", json!({"uri": "fd:stream"}))
        .await?;
    match timeout(step.deadline(), stored).await {
        Ok(Ok(stored)) => stored.map_err(writing(path))?,
        Ok(Err(lost)) => return Err(writing(path)(Error::other(lost))),
        Err(_) => return Err(vm.running.late(step, step.deadline())),
    }
    // The stream's end is not success: QEMU must say so.
    vm.migrated(step).await
}

/// Takes in all that comes; it is on disk when this returns.
fn store(stream: UnixStream, path: &Path, most: u64) -> Result<(), Error> {
    let mut file = private_file(path)?;
    let written = std::io::copy(&mut stream.take(most + 1), &mut file)?;
    if written > most {
        let reason = format!("more than {most} bytes of a VM");
        return Err(Error::new(ErrorKind::InvalidData, reason));
    }
    file.sync_all()?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    File::open(folder)?.sync_all()
}
