//! A Firecracker that was started before anybody knew whose clone it becomes: in its jail, its confinement
//! read back, its log and metrics set. What is left to a clone is to load the snapshot.

use super::FirecrackerEngine;
use super::layout;
use super::vm::FirecrackerVm;
use crate::engine::{SnapshotFiles, Standby, Vm, VmSpec};
use crate::error::{Step, VmmError};
use crate::jail::later;
use async_trait::async_trait;
use std::io::Error;
use std::sync::Arc;

/// Dropping it kills it and gives everything back.
pub(super) struct FirecrackerStandby {
    pub(super) vm: FirecrackerVm,
    pub(super) engine: Arc<FirecrackerEngine>,
}

#[async_trait]
impl Standby for FirecrackerStandby {
    async fn restore(
        self: Box<Self>,
        spec: VmSpec,
        snapshot: &SnapshotFiles,
    ) -> Result<Box<dyn Vm>, VmmError> {
        let FirecrackerStandby { vm, engine } = *self;
        vm.size.must_fit(&spec)?;
        show(&vm, &spec, snapshot).await?;
        Ok(Box::new(engine.load(vm).await?))
    }

    async fn close(mut self: Box<Self>) -> Result<(), VmmError> {
        self.vm.destroy().await
    }
}

async fn show(vm: &FirecrackerVm, spec: &VmSpec, snapshot: &SnapshotFiles) -> Result<(), VmmError> {
    let (process, uid) = (vm.running.process.clone(), vm.running.uid);
    let files = layout::of_clone(spec, snapshot);
    tokio::task::spawn_blocking(move || later::show(&process, uid, &files))
        .await
        .map_err(|e| VmmError::io(Step::Load, "the mounting task")(Error::other(e)))?
}
