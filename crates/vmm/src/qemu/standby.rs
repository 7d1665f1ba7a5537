//! A QEMU that was started before anybody knew whose clone it becomes: in its jail, its confinement
//! read back, without a machine (`--preconfig`). What is left to a clone is to make the machine and to
//! load its state: 12 ms instead of 45.

use super::args::{self, STATE_SET, at};
use super::launch::{check_ram, open_read};
use super::vm::QemuVm;
use crate::config::VmmConfig;
use crate::engine::{SnapshotFiles, Standby, StandbySize, Vm, VmSpec};
use crate::error::{Step, VmmError};
use crate::jail::deferred;
use async_trait::async_trait;
use serde_json::json;
use std::os::fd::AsFd;
use tokio::time::timeout;

/// Dropping it kills it and gives everything back.
pub(super) struct QemuStandby {
    pub(super) vm: QemuVm,
    pub(super) size: StandbySize,
    pub(super) config: VmmConfig,
}

#[async_trait]
impl Standby for QemuStandby {
    async fn restore(
        self: Box<Self>,
        spec: VmSpec,
        snapshot: &SnapshotFiles,
    ) -> Result<Box<dyn Vm>, VmmError> {
        let QemuStandby {
            mut vm,
            size,
            config,
        } = *self;
        size.must_fit(&spec)?;
        check_ram(&snapshot.memory, size.memory_mib)?;
        let files = vec![
            (snapshot.memory.clone(), at::RAM),
            (spec.rootfs.clone(), at::ROOTFS),
        ];
        deferred::show(vm.running.process.clone(), vm.running.uid, files).await?;
        vm.make_machine(&size).await?;
        vm.give_state(snapshot).await?;
        vm.load(at::STATE).await?;
        vm.execute(Step::Run, "cont", json!({})).await?;
        vm.start_watchdog(&config);
        Ok(Box::new(vm))
    }

    async fn close(mut self: Box<Self>) -> Result<(), VmmError> {
        self.vm.destroy().await
    }
}

impl QemuVm {
    /// What a clone has on its command line. RAM is a memory node's, for QEMU takes no other after its
    /// start; the guest sees no difference, its kernel was told of its memory when it booted.
    async fn make_machine(&mut self, size: &StandbySize) -> Result<(), VmmError> {
        let step = Step::Load;
        let cpus: Vec<u32> = (0..size.vcpus).collect();
        let node = json!({"type": "node", "memdev": "ram", "cpus": cpus});
        for (command, arguments) in [
            ("object-add", args::template(size.memory_mib)),
            ("set-numa-node", node),
            ("blockdev-add", args::rootfs(at::ROOTFS)),
            ("x-exit-preconfig", json!({})),
        ] {
            self.execute(step, command, arguments).await?;
        }
        Ok(())
    }

    async fn give_state(&mut self, snapshot: &SnapshotFiles) -> Result<(), VmmError> {
        let step = Step::Load;
        let state = open_read(&snapshot.state)?;
        let given = {
            let mut qmp = self.qmp.lock().await;
            let given = qmp.give_fd("add-fd", json!({"fdset-id": STATE_SET}), state.as_fd());
            timeout(step.deadline(), given).await
        };
        self.judge(step, given).await
    }
}
