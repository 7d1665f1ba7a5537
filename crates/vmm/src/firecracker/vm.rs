//! A running Firecracker VM.

use super::calls::{self, Call};
use super::chroot::ChrootDir;
use super::client::{ApiError, Client};
use super::layout::at;
use super::vsock;
use crate::config::VmmConfig;
use crate::engine::{Channel, SnapshotFiles, StandbySize, Template, Vm, VmExit, VmId, VmUsage};
use crate::error::{Step, VmmError};
use crate::running::Running;
use crate::usage;
use crate::watchdog::Watchdog;
use async_trait::async_trait;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long the agent may take to listen: as long as its first word may take with QEMU, whose
/// channel is there before the guest is.
const AGENT_DEADLINE: Duration = Duration::from_secs(60);

/// A VM; dropping it kills it and gives everything back.
pub(super) struct FirecrackerVm {
    pub(super) size: StandbySize,
    pub(super) running: Running,
    pub(super) inside: ChrootDir,
    /// Shared with the watchdog.
    pub(super) api: Arc<Mutex<Client>>,
    /// Empty the pipes of log and metrics.
    pub(super) drains: Vec<JoinHandle<()>>,
    pub(super) watchdog: Option<Watchdog>,
    pub(super) connected: bool,
    pub(super) paused: bool,
}

impl FirecrackerVm {
    pub(super) fn start_watchdog(&mut self, config: &VmmConfig) {
        let process = &self.running.process;
        self.watchdog = Some(Watchdog::start(config, &self.api, process, |api| {
            Box::pin(async { api.send(&calls::describe()).await.is_ok() })
        }));
    }

    pub(super) async fn send_all(&mut self, calls: &[Call]) -> Result<(), VmmError> {
        for call in calls {
            self.send(call).await?;
        }
        Ok(())
    }

    /// Makes one request; Firecracker's own words and the step become part of the error.
    pub(super) async fn send(&mut self, call: &Call) -> Result<(), VmmError> {
        let step = call.step;
        let answer = {
            // Locks for as long as the watchdog's question takes at most.
            let asked = async { self.api.lock().await.send(call).await };
            timeout(step.deadline(), asked).await
        };
        match answer {
            Ok(Ok(())) => Ok(()),
            Ok(Err(ApiError::Refused(reason))) => {
                Err(self.running.refused(step, call.to_string(), reason))
            }
            Ok(Err(ApiError::Garbage(reason))) => {
                let reason = format!("{call}: {reason}");
                Err(VmmError::Protocol { step, reason })
            }
            Ok(Err(ApiError::Broken(e))) => {
                let what = format!("{call} on the API's socket");
                Err(self
                    .running
                    .broken(step, what, std::io::Error::other(e))
                    .await)
            }
            Err(_) => Err(self.running.late(step, step.deadline())),
        }
    }

    pub(super) async fn destroy(&mut self) -> Result<(), VmmError> {
        self.watchdog = None;
        self.running.destroy().await
    }
}

impl Drop for FirecrackerVm {
    fn drop(&mut self) {
        for drain in &self.drains {
            drain.abort();
        }
    }
}

#[async_trait]
impl Vm for FirecrackerVm {
    fn id(&self) -> &VmId {
        &self.size.id
    }

    async fn connect(&mut self) -> Result<Box<dyn Channel>, VmmError> {
        let step = Step::Connect;
        if std::mem::replace(&mut self.connected, true) {
            return Err(VmmError::State {
                step,
                reason: "the VM's channel has been taken".into(),
            });
        }
        let socket = self.inside.reach(at::VSOCK);
        let connected = timeout(
            AGENT_DEADLINE,
            vsock::connect(&socket, self.running.process.pid()),
        );
        tokio::select! {
            connected = connected => match connected {
                Ok(Ok(stream)) => Ok(Box::new(stream)),
                Ok(Err(e)) => Err(self.running.broken(step, "connecting to vsock".into(), e).await),
                Err(_) => Err(self.running.late(step, AGENT_DEADLINE)),
            },
            exit = self.running.exit(None) => Err(VmmError::Ended { step, exit: Box::new(exit) }),
        }
    }

    async fn pause(&mut self) -> Result<(), VmmError> {
        self.send(&calls::pause()).await?;
        self.paused = true;
        Ok(())
    }

    async fn resume(&mut self) -> Result<(), VmmError> {
        self.send(&calls::resume()).await?;
        self.paused = false;
        Ok(())
    }

    /// An idle guest on KVM uses no CPU; and in 1.16.1 a VM that was resumed is deaf: its vsock device waits for
    /// an answer that only a snapshot's load asks the guest for (#6100). What shows it is `lab/run.sh bench`.
    async fn rest(&mut self) -> Result<(), VmmError> {
        Ok(())
    }

    async fn end_rest(&mut self) -> Result<(), VmmError> {
        self.send(&calls::describe()).await
    }

    fn into_template(self: Box<Self>) -> Option<Box<dyn Template>> {
        Some(self)
    }

    async fn save(&mut self, into: &Path) -> Result<(), VmmError> {
        super::snapshot::save_at_work(self, into).await
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
impl Template for FirecrackerVm {
    async fn snapshot(self: Box<Self>, into: &Path) -> Result<SnapshotFiles, VmmError> {
        super::snapshot::save(*self, into).await
    }
}
