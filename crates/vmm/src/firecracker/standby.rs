//! A Firecracker that was started before anybody knew whose clone it becomes: in its jail, its confinement
//! read back, its log and metrics set. What is left to a clone is to load the snapshot.

use super::FirecrackerEngine;
use super::layout;
use super::vm::FirecrackerVm;
use crate::engine::{SnapshotFiles, Standby, Vm, VmSpec};
use crate::error::VmmError;
use crate::jail::deferred;
use async_trait::async_trait;
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
        let files = layout::of_clone(&spec, snapshot);
        deferred::show(vm.running.process.clone(), vm.running.uid, files).await?;
        Ok(Box::new(engine.load(vm).await?))
    }

    async fn close(mut self: Box<Self>) -> Result<(), VmmError> {
        self.vm.destroy().await
    }
}
