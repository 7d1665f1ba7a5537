//! A clone that never begins its job: a booted VM runs it, once, with the input it was given.

use async_trait::async_trait;
use images::ImageStore;
use protocol::job::JobRequest;
use protocol::result::{BootPath, Status};
use sandbox::config::Config;
use sandbox::drive::JobIo;
use sandbox::events::EventBus;
use sandbox::materials::MaterialsSource;
use sandbox::metrics::Metrics;
use sandbox::sandbox::Sandbox;
use sandbox::snapshots::SnapshotStore;
use sandbox::supply::Supply;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use vmm::{Engine, EngineIdentity, SnapshotFiles, Vm, VmSpec, VmmError};

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

    async fn restore(
        &self,
        spec: VmSpec,
        snapshot: &SnapshotFiles,
    ) -> Result<Box<dyn Vm>, VmmError> {
        let mut vm = self.0.restore(spec, snapshot).await?;
        vm.pause().await?;
        Ok(vm)
    }
}

/// The folder of the real images.
fn images() -> PathBuf {
    let named = std::env::var_os("LLM_FIRECRACKER_STATE_DIR").map(PathBuf::from);
    named
        .unwrap_or_else(|| "/var/lib/llm-firecracker".into())
        .join("images")
}

/// The guest agent and a bash image; says so where they are not there, or fails where it must.
fn agent() -> Option<PathBuf> {
    let named = std::env::var_os("LLM_FIRECRACKER_AGENT").map(PathBuf::from);
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("release");
    let agent = named
        .into_iter()
        .chain([built.join("llm-firecracker-agent")])
        .find(|path| path.exists());
    let image = images().join("rootfs/bash.json").exists();
    if let (Some(agent), true) = (agent, image) {
        return Some(agent);
    }
    let text =
        "not run: the guest agent (make agent) or the bash image (images build bash) is missing";
    assert!(
        std::env::var_os("LLM_FIRECRACKER_REQUIRE").is_none(),
        "{text}"
    );
    println!("{text}");
    None
}

#[tokio::test]
async fn a_silent_clones_job_is_run_by_a_booted_vm() {
    let Some(agent) = agent() else { return };
    let state = tempfile::tempdir().unwrap();
    let text =
        "[vmm]\nuid_base = 42000\nuid_count = 50\ncgroup_parent = \"llm-firecracker-silent\"\n";
    let mut config = Config::parse(text).unwrap();
    config.vmm.state_dir = state.path().into();
    let engine = vmm::open(config.engine.kind, config.vmm.clone())
        .await
        .unwrap();
    if let Some(reason) = &engine.identity().clones_refused {
        println!("not run: no clones here: {reason}");
        return;
    }
    let materials = MaterialsSource::new(Arc::new(ImageStore::open(&images()).unwrap()), agent);
    let snapshots = SnapshotStore::open(&state.path().join("snapshots")).unwrap();
    let metrics = Metrics::default();
    let engine: Arc<dyn Engine> = Arc::new(Stalled(engine));
    let supply = Supply::new(&config, engine, materials, snapshots, metrics.clone());
    let sandbox = Sandbox::new(&config, supply, EventBus::new(vec![]), metrics).unwrap();

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
