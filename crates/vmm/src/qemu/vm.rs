//! A running QEMU VM.

use crate::config::VmmConfig;
use crate::engine::{Channel, SnapshotFiles, Template, Vm, VmExit, VmId, VmUsage};
use crate::error::{Step, VmmError};
use crate::qmp::{Qmp, QmpError};
use crate::running::Running;
use crate::usage;
use crate::watchdog::Watchdog;
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::UnixStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// A VM; dropping it kills it and gives everything back.
pub(super) struct QemuVm {
    pub(super) id: VmId,
    /// The guest's RAM, MiB.
    pub(super) memory_mib: u32,
    pub(super) running: Running,
    /// Shared with the watchdog.
    pub(super) qmp: Arc<Mutex<Qmp>>,
    pub(super) watchdog: Option<Watchdog>,
    /// `None` once it was taken.
    pub(super) channel: Option<UnixStream>,
    pub(super) paused: bool,
    /// The RAM file of a booted VM: what a snapshot keeps.
    pub(super) ram: Option<PathBuf>,
}

impl QemuVm {
    pub(super) fn start_watchdog(&mut self, config: &VmmConfig) {
        let process = &self.running.process;
        self.watchdog = Some(Watchdog::start(config, &self.qmp, process, |qmp| {
            Box::pin(async { qmp.execute("query-status", json!({})).await.is_ok() })
        }));
    }

    pub(super) async fn greet(&mut self) -> Result<(), VmmError> {
        let answer = {
            let mut qmp = self.qmp.lock().await;
            timeout(Step::Control.deadline(), qmp.greet()).await
        };
        self.judge(Step::Control, answer).await
    }

    pub(super) async fn execute(
        &mut self,
        step: Step,
        command: &str,
        arguments: Value,
    ) -> Result<Value, VmmError> {
        let answer = {
            // Locks for as long as the watchdog's question takes at most.
            let asked = async { self.qmp.lock().await.execute(command, arguments).await };
            timeout(step.deadline(), asked).await
        };
        self.judge(step, answer).await
    }

    /// RAM is mapped already: what is loaded is the devices' state. It comes back paused, as it
    /// was saved.
    pub(super) async fn load(&mut self, state: &str) -> Result<(), VmmError> {
        let step = Step::Load;
        self.ignore_shared_ram(step).await?;
        let from = json!({ "uri": format!("file:{state}") });
        self.execute(step, "migrate-incoming", from).await?;
        self.migrated(step).await
    }

    /// RAM that is a file is neither written to nor expected in a stream of state.
    pub(super) async fn ignore_shared_ram(&mut self, step: Step) -> Result<(), VmmError> {
        let on = |name: &str| json!({"capability": name, "state": true});
        let set = json!({"capabilities": [on("x-ignore-shared"), on("events")]});
        self.execute(step, "migrate-set-capabilities", set)
            .await
            .map(drop)
    }

    /// Waits until QEMU says how saving or loading went. (Failing to load, it exits.)
    pub(super) async fn migrated(&mut self, step: Step) -> Result<(), VmmError> {
        loop {
            let event = self.wait_event(step, "MIGRATION").await?;
            match event.get("status").and_then(Value::as_str) {
                Some("completed") => return Ok(()),
                Some("failed" | "cancelled") | None => {
                    let reason = format!("the migration's status is {event:?}");
                    return Err(VmmError::Protocol { step, reason });
                }
                Some(_) => {}
            }
        }
    }

    async fn wait_event(&mut self, step: Step, name: &str) -> Result<Map<String, Value>, VmmError> {
        let event = {
            let mut qmp = self.qmp.lock().await;
            timeout(step.deadline(), qmp.event(name)).await
        };
        self.judge(step, event).await
    }

    /// Makes an error of this crate of what went wrong in a talk.
    pub(super) async fn judge<T>(
        &self,
        step: Step,
        answer: Result<Result<T, QmpError>, tokio::time::error::Elapsed>,
    ) -> Result<T, VmmError> {
        let error = match answer {
            Ok(Ok(value)) => return Ok(value),
            Err(_) => return Err(self.running.late(step, step.deadline())),
            Ok(Err(error)) => error,
        };
        Err(match error {
            QmpError::Refused { command, reason } => self.running.refused(step, command, reason),
            QmpError::Garbage(reason) => VmmError::Protocol { step, reason },
            QmpError::Io(source) => {
                let what = "the control socket".into();
                self.running.broken(step, what, source).await
            }
        })
    }

    /// Kills it and waits until nothing is left.
    pub(super) async fn destroy(&mut self) -> Result<(), VmmError> {
        self.watchdog = None;
        self.channel = None;
        self.running.destroy().await
    }
}

#[async_trait]
impl Vm for QemuVm {
    fn id(&self) -> &VmId {
        &self.id
    }

    async fn connect(&mut self) -> Result<Box<dyn Channel>, VmmError> {
        // The pair was made before the VM: there is nothing to wait for.
        match self.channel.take() {
            Some(stream) => Ok(Box::new(stream)),
            None => Err(VmmError::State {
                step: Step::Connect,
                reason: "the VM's channel has been taken".into(),
            }),
        }
    }

    async fn pause(&mut self) -> Result<(), VmmError> {
        self.execute(Step::Pause, "stop", json!({})).await?;
        self.paused = true;
        Ok(())
    }

    async fn resume(&mut self) -> Result<(), VmmError> {
        self.execute(Step::Run, "cont", json!({})).await?;
        self.paused = false;
        Ok(())
    }

    fn into_template(self: Box<Self>) -> Option<Box<dyn Template>> {
        match self.ram {
            Some(_) => Some(self),
            None => None,
        }
    }

    async fn save(&mut self, into: &Path) -> Result<(), VmmError> {
        super::save::save(self, into).await
    }

    fn console_tail(&self) -> String {
        self.running.console.text()
    }

    fn usage(&self) -> VmUsage {
        usage::of(self.running.process.pid(), self.running.cgroup.as_deref())
    }

    async fn wait_exit(&mut self) -> VmExit {
        self.running.exit(self.watchdog.as_ref()).await
    }

    async fn close(mut self: Box<Self>) -> Result<(), VmmError> {
        self.destroy().await
    }
}

#[async_trait]
impl Template for QemuVm {
    async fn snapshot(self: Box<Self>, into: &Path) -> Result<SnapshotFiles, VmmError> {
        super::snapshot::save(*self, into).await
    }
}
