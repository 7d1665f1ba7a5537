//! A sandbox of a test's own: real images, a state folder, uids and a cgroup that no other test has.

use images::ImageStore;
use sandbox::config::Config;
use sandbox::events::{EventBus, EventSink};
use sandbox::materials::MaterialsSource;
use sandbox::metrics::Metrics;
use sandbox::sandbox::Sandbox;
use sandbox::snapshots::SnapshotStore;
use sandbox::supply::{Sources, Supply};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use vmm::{Engine, EngineKind};

/// uids that a host's VMMs have, from its base on.
pub const UID_COUNT: u32 = 50;

/// What a test's sandbox is made of.
pub struct Host {
    state: PathBuf,
    /// Removed at the end, where it is this host's own.
    _folder: Option<TempDir>,
    agent: PathBuf,
    config: Config,
    engine: Arc<dyn Engine>,
}

/// What no other test's host may have, and `more` of a configuration.
struct Own<'a> {
    state: &'a Path,
    name: &'a str,
    uid_base: u32,
    more: &'a str,
}

impl Host {
    /// `None` where this machine lacks a part, which is then said, or fails where it must be there.
    pub async fn new(name: &str, uid_base: u32) -> Option<Host> {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::configured(folder.path(), name, uid_base, "").await?;
        Some(Host {
            _folder: Some(folder),
            ..host
        })
    }

    /// The same with a state folder of the test's choice, and `more` of a configuration.
    pub async fn configured(state: &Path, name: &str, uid_base: u32, more: &str) -> Option<Host> {
        let named = named_engine().unwrap_or(EngineKind::Qemu);
        let own = Own {
            state,
            name,
            uid_base,
            more,
        };
        let host = Host::of(Some(named), own).await?;
        if let Some(reason) = &host.engine.identity().clones_refused {
            missing(&format!("no clones here: {reason}"));
            return None;
        }
        Some(host)
    }

    /// Not for clones: the engine that `LLM_FIRECRACKER_ENGINE` names, else the one that jobs get here.
    pub async fn of_any_engine(
        state: &Path,
        name: &str,
        uid_base: u32,
        more: &str,
    ) -> Option<Host> {
        let own = Own {
            state,
            name,
            uid_base,
            more,
        };
        Host::of(named_engine(), own).await
    }

    async fn of(kind: Option<EngineKind>, own: Own<'_>) -> Option<Host> {
        let Own {
            state,
            name,
            uid_base,
            more,
        } = own;
        // Why a clone was not had is said there alone.
        let _ = tracing_subscriber::fmt().with_test_writer().try_init();
        let agent = agent()?;
        let text = format!(
            "[vmm]\nuid_base = {uid_base}\nuid_count = {UID_COUNT}\ncgroup_parent = \"llm-firecracker-{name}\"\n{more}"
        );
        let mut config = Config::parse(&text).unwrap();
        config.vmm.state_dir = state.into();
        config.engine.kind = kind;
        let images = Arc::new(ImageStore::open(&images()).unwrap());
        config.vmm.uml = MaterialsSource::new(images, agent.clone()).uml_guest();
        let engine = vmm::open(kind, config.vmm.clone()).await.unwrap();
        Some(Host {
            state: state.into(),
            _folder: None,
            agent,
            config,
            engine,
        })
    }

    /// The engine that makes its VMs.
    pub fn engine(&self) -> EngineKind {
        self.engine.identity().kind
    }

    /// Says whether a language's image is here; one that must be and is not fails the test.
    pub fn has(language: &str) -> bool {
        has_image(language)
    }

    /// A sandbox whose VMs an engine makes that stands before the real one.
    pub fn sandbox(&self, before: impl FnOnce(Arc<dyn Engine>) -> Arc<dyn Engine>) -> Sandbox {
        self.sandbox_telling(before, vec![])
    }

    /// The same, whose events `sinks` hear.
    pub fn sandbox_telling(
        &self,
        before: impl FnOnce(Arc<dyn Engine>) -> Arc<dyn Engine>,
        sinks: Vec<Arc<dyn EventSink>>,
    ) -> Sandbox {
        let images = Arc::new(ImageStore::open(&images()).unwrap());
        let materials = MaterialsSource::new(images, self.agent.clone());
        let snapshots = SnapshotStore::open(&self.state.join("snapshots")).unwrap();
        let metrics = Metrics::default();
        let engine = before(self.engine.clone());
        let sources = Sources {
            engine,
            materials,
            snapshots,
        };
        let supply = Supply::new(&self.config, sources, metrics.clone());
        Sandbox::new(&self.config, supply, EventBus::new(sinks), metrics).unwrap()
    }

    /// Run folders of VMs, and cgroups, that are there now.
    pub fn traces(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.state.join("run")];
        let controllers = std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten();
        folders.extend(controllers.flatten().map(|entry| entry.path()));
        folders[1..]
            .iter_mut()
            .for_each(|folder| folder.push(&self.config.vmm.cgroup_parent));
        folders.push(Path::new("/sys/fs/cgroup").join(&self.config.vmm.cgroup_parent));
        let inside = |folder: &PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten();
        let all = folders.iter().flat_map(inside).map(|entry| entry.path());
        all.filter(|path| path.is_dir()).collect()
    }
}

/// The folder of the real images.
fn images() -> PathBuf {
    let named = std::env::var_os("LLM_FIRECRACKER_STATE_DIR").map(PathBuf::from);
    named
        .unwrap_or_else(|| "/var/lib/llm-firecracker".into())
        .join("images")
}

/// The guest agent, where a bash image is there too.
fn agent() -> Option<PathBuf> {
    let named = std::env::var_os("LLM_FIRECRACKER_AGENT").map(PathBuf::from);
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("release");
    let agent = named
        .into_iter()
        .chain([built.join("llm-firecracker-agent")])
        .find(|path| path.exists());
    if agent.is_none() {
        missing("the guest agent is missing (make agent)");
    }
    agent.filter(|_| has_image("bash"))
}

fn has_image(language: &str) -> bool {
    let there = images().join(format!("rootfs/{language}.json")).exists();
    if !there {
        missing(&format!(
            "the {language} image is missing (images build {language})"
        ));
    }
    there
}

/// The engine that all tests are to use.
fn named_engine() -> Option<EngineKind> {
    let named = std::env::var("LLM_FIRECRACKER_ENGINE").ok()?;
    let kinds = [EngineKind::Qemu, EngineKind::Firecracker, EngineKind::Uml];
    kinds.into_iter().find(|kind| kind.to_string() == named)
}

fn missing(what: &str) {
    let text = format!("not run: {what}");
    assert!(
        std::env::var_os("LLM_FIRECRACKER_REQUIRE").is_none(),
        "{text}"
    );
    println!("{text}");
}
