//! A clone that never begins its job: a booted VM runs it, once, with the input it was given.

use crate::host::Host;
use async_trait::async_trait;
use protocol::job::JobRequest;
use protocol::result::{BootPath, Status};
use sandbox::drive::JobIo;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vmm::{
    Engine, EngineIdentity, SnapshotFiles, Snapshots, Standby, StandbySize, Vm, VmSpec, VmmError,
};

/// The real engine, but for its clones: their CPUs stand still, so they are silent.
struct Stalled(Arc<dyn Engine>);

#[async_trait]
impl Engine for Stalled {
    fn identity(&self) -> &EngineIdentity {
        self.0.identity()
    }

    async fn boot(&self, spec: VmSpec) -> Result<Box<dyn Vm>, VmmError> {
        self.0.boot(spec).await
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        self.0.snapshots().map(|_| self as &dyn Snapshots)
    }
}

#[async_trait]
impl Snapshots for Stalled {
    async fn boot_template(&self, spec: VmSpec) -> Result<Box<dyn Vm>, VmmError> {
        self.0.snapshots().unwrap().boot_template(spec).await
    }

    async fn restore(
        &self,
        spec: VmSpec,
        snapshot: &SnapshotFiles,
    ) -> Result<Box<dyn Vm>, VmmError> {
        let mut vm = self.0.snapshots().unwrap().restore(spec, snapshot).await?;
        vm.pause().await?;
        Ok(vm)
    }

    async fn load_saved(&self, spec: VmSpec, folder: &Path) -> Result<Box<dyn Vm>, VmmError> {
        self.0.snapshots().unwrap().load_saved(spec, folder).await
    }

    async fn stand_by(&self, _: StandbySize) -> Result<Option<Box<dyn Standby>>, VmmError> {
        Ok(None)
    }
}

#[tokio::test]
async fn a_silent_clones_job_is_run_by_a_booted_vm() {
    let Some(host) = Host::new("silent", 42000).await else {
        return;
    };
    let sandbox = host.sandbox(|engine| Arc::new(Stalled(engine)));
    let job = sandbox
        .admit(JobRequest {
            language: "bash".into(),
            code: "read line; echo \"got $line\"".into(),
            ..JobRequest::default()
        })
        .unwrap();
    let io = JobIo {
        stdin: Some(Box::new(&b"all of it\n"[..])),
        ..JobIo::default()
    };
    let result = sandbox.run(job, io).await;
    assert_eq!(result.status, Status::Ok, "{result:?}");
    assert_eq!(String::from_utf8_lossy(&result.stdout), "got all of it\n");
    assert_eq!(result.timings.path, Some(BootPath::Boot));
    assert!(
        result
            .notes
            .iter()
            .any(|note| note.contains("did not begin")),
        "{:?}",
        result.notes
    );
    sandbox.close(Duration::from_secs(10)).await;
}
