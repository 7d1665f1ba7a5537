//! A running kernel.

use crate::engine::{Channel, Vm, VmExit, VmId, VmUsage};
use crate::error::{Step, VmmError};
use crate::running::Running;
use crate::usage;
use async_trait::async_trait;
use rustix::process::{Signal, pidfd_send_signal};
use tokio::net::UnixStream;

/// A VM; dropping it kills it and gives everything back: the kernel is the first process of its
/// namespace, so its guest's processes go with it.
///
/// No watchdog: there is no control socket to ask at, and a kernel that hangs holds no more than a job
/// that does, which the host's own deadlines end.
pub(super) struct UmlVm {
    pub(super) id: VmId,
    pub(super) running: Running,
    /// `None` once it was taken.
    pub(super) channel: Option<UnixStream>,
}

impl UmlVm {
    fn signal(&self, step: Step, signal: Signal) -> Result<(), VmmError> {
        let failed = VmmError::io(step, "signalling the kernel");
        let Some(kernel) = self.running.process.vmm_fd() else {
            return Err(failed(rustix::io::Errno::SRCH.into()));
        };
        pidfd_send_signal(kernel, signal).map_err(|e| failed(e.into()))
    }
}

#[async_trait]
impl Vm for UmlVm {
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

    /// Stops the kernel: no timer of its wakes it. A process of the guest's that computes goes on to
    /// its next system call.
    async fn pause(&mut self) -> Result<(), VmmError> {
        self.signal(Step::Pause, Signal::STOP)
    }

    async fn resume(&mut self) -> Result<(), VmmError> {
        self.signal(Step::Run, Signal::CONT)
    }

    fn console_tail(&self) -> String {
        self.running.console.text()
    }

    fn usage(&self) -> VmUsage {
        let cgroup = self.running.cgroup.as_deref();
        usage::of_family(self.running.process.pid(), cgroup)
    }

    async fn wait_exit(&mut self) -> VmExit {
        self.running.exit(None).await
    }

    async fn close(mut self: Box<Self>) -> Result<(), VmmError> {
        self.channel = None;
        self.running.destroy().await
    }
}
