//! A running QEMU VM.

use crate::cgroup::VmCgroup;
use crate::config::VmmConfig;
use crate::console::Tail;
use crate::engine::{Channel, SnapshotFiles, Vm, VmExit, VmId, VmSpec, VmUsage};
use crate::error::{Step, VmmError};
use crate::jail::Jailed;
use crate::jail::process::Process;
use crate::qmp::{Qmp, QmpError};
use crate::usage;
use crate::watchdog::Watchdog;
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Lines of console and stderr that an error carries.
const ERROR_LINES: usize = 15;

/// How long a VMM whose control socket closed may take to be reaped.
const REAP_DEADLINE: Duration = Duration::from_secs(2);

/// A VM; dropping it kills it and gives everything back.
pub(super) struct QemuVm {
    spec: VmSpec,
    uid: u32,
    watchdog: Option<Watchdog>,
    pub(super) qmp: Arc<Mutex<Qmp>>,
    pub(super) process: Arc<Process>,
    cgroup: Option<Arc<VmCgroup>>,
    channel: Option<UnixStream>,
    console: Tail,
    stderr: Tail,
    stderr_drained: JoinHandle<()>,
    pub(super) paused: bool,
    /// The RAM file of a booted VM: what a snapshot keeps.
    pub(super) ram: Option<PathBuf>,
}

impl QemuVm {
    pub(super) fn new(
        spec: VmSpec,
        jailed: Jailed,
        qmp: Qmp,
        channel: UnixStream,
        console: Tail,
        stderr: Tail,
        stderr_drained: JoinHandle<()>,
    ) -> Self {
        Self {
            spec,
            uid: jailed.uid,
            watchdog: None,
            qmp: Arc::new(Mutex::new(qmp)),
            process: Arc::new(jailed.process),
            cgroup: jailed.cgroup,
            channel: Some(channel),
            console,
            stderr,
            stderr_drained,
            paused: false,
            ram: None,
        }
    }

    pub(super) fn spec(&self) -> &VmSpec {
        &self.spec
    }

    pub(super) fn pid(&self) -> i32 {
        self.process.pid()
    }

    pub(super) fn uid(&self) -> u32 {
        self.uid
    }

    pub(super) fn cgroup(&self) -> Option<&VmCgroup> {
        self.cgroup.as_deref()
    }

    pub(super) fn keep_ram(&mut self, ram: PathBuf) {
        self.ram = Some(ram);
    }

    pub(super) fn start_watchdog(&mut self, config: &VmmConfig) {
        self.watchdog = Some(Watchdog::start(config, &self.qmp, &self.process, |qmp| {
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
            Err(_) => return Err(self.late(step)),
            Ok(Err(error)) => error,
        };
        match error {
            QmpError::Refused { command, reason } => Err(VmmError::Refused {
                step,
                command,
                reason,
                console: self.console.last_lines(ERROR_LINES),
                stderr: self.stderr.last_lines(ERROR_LINES),
            }),
            QmpError::Garbage(reason) => Err(VmmError::Protocol { step, reason }),
            QmpError::Io(source) => match timeout(REAP_DEADLINE, self.exit()).await {
                Ok(exit) => Err(VmmError::Ended {
                    step,
                    exit: Box::new(exit),
                }),
                Err(_) => Err(VmmError::Io {
                    step,
                    what: "the control socket".into(),
                    source,
                }),
            },
        }
    }

    pub(super) fn late(&self, step: Step) -> VmmError {
        VmmError::Deadline {
            step,
            limit: step.deadline(),
            console: self.console.last_lines(ERROR_LINES),
            stderr: self.stderr.last_lines(ERROR_LINES),
        }
    }

    /// Waits for the end and tells it.
    async fn exit(&self) -> VmExit {
        let ended = self.process.wait().await;
        // What it wrote last may still be in the pipe; its end is known when the drain ends.
        let waited = async {
            while !self.stderr_drained.is_finished() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let _ = timeout(Duration::from_millis(200), waited).await;
        VmExit {
            code: ended.code,
            signal: ended.signal,
            oom: ended.oom,
            watchdog: self.watchdog.as_ref().is_some_and(Watchdog::fired),
            console: self.console.last_lines(ERROR_LINES),
            stderr: self.stderr.last_lines(ERROR_LINES),
        }
    }

    /// Kills it and waits until nothing is left.
    pub(super) async fn destroy(&mut self) -> Result<(), VmmError> {
        self.watchdog = None;
        self.channel = None;
        self.process.kill();
        match timeout(Step::Close.deadline(), self.process.gone()).await {
            Ok(left) if left.is_empty() => Ok(()),
            Ok(left) => Err(VmmError::Leftover {
                left: left.join(", "),
            }),
            Err(_) => Err(self.late(Step::Close)),
        }
    }
}

#[async_trait]
impl Vm for QemuVm {
    fn id(&self) -> &VmId {
        &self.spec.id
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

    async fn snapshot(self: Box<Self>, into: &Path) -> Result<SnapshotFiles, VmmError> {
        super::snapshot::save(*self, into).await
    }

    fn console_tail(&self) -> String {
        self.console.text()
    }

    fn usage(&self) -> VmUsage {
        usage::of(self.pid(), self.cgroup())
    }

    async fn wait_exit(&mut self) -> VmExit {
        self.exit().await
    }

    async fn close(mut self: Box<Self>) -> Result<(), VmmError> {
        self.destroy().await
    }
}
