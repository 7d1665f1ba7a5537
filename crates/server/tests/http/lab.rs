//! Starts services that belong to one test each; the sandbox below them is the real one.

use images::ImageStore;
use protocol::event::EventType;
use sandbox::config::Config;
use sandbox::events::{EventBus, EventSink, StderrSink};
use sandbox::materials::MaterialsSource;
use sandbox::metrics::Metrics;
use sandbox::sandbox::Sandbox;
use sandbox::snapshots::SnapshotStore;
use sandbox::supply::{Sources, Supply};
use serde_json::Value;
use server::keys::file::{Scope, add};
use server::{Feed, Rooms, ServerConfig};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use vmm::{EngineKind, VmmConfig};

const SYSTEM_STATE: &str = "/var/lib/llm-firecracker";
/// A range of uids that no other state folder uses by default.
const UID_BASE: u32 = 41_000;
const CGROUP: &str = "llm-firecracker-http";

/// A service, its client, and what is behind it.
pub struct Service {
    pub address: SocketAddr,
    pub client: reqwest::Client,
    pub sandbox: Arc<Sandbox>,
    pub feed: Arc<Feed>,
    pub stop: CancellationToken,
    pub task: tokio::task::JoinHandle<Result<(), server::ServerError>>,
}

/// The state folder of these tests; its `images` lead to the real ones, its snapshots stay.
pub fn state_dir() -> PathBuf {
    let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join("http/state");
    std::fs::create_dir_all(&state).unwrap();
    let images = system_state().join("images");
    let link = state.join("images");
    if std::fs::symlink_metadata(&link).is_err() && images.exists() {
        // Another test may have made it in this moment.
        let _ = std::os::unix::fs::symlink(images, link);
    }
    state
}

fn system_state() -> PathBuf {
    std::env::var_os("LLM_FIRECRACKER_STATE_DIR").map_or_else(|| SYSTEM_STATE.into(), PathBuf::from)
}

fn agent() -> Option<PathBuf> {
    let named = std::env::var_os("LLM_FIRECRACKER_AGENT").map(PathBuf::from);
    let built = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .map(|target| target.join("release/llm-firecracker-agent"));
    named.into_iter().chain(built).find(|path| path.exists())
}

/// Whether a VM of this language can be started here; says so when not, or fails where it must.
pub fn can_run(language: &str) -> bool {
    let image = state_dir().join(format!("images/rootfs/{language}.json"));
    let what = match (agent(), image.exists()) {
        (Some(_), true) => return true,
        (None, _) => "the guest agent is not built: make agent".to_owned(),
        (_, false) => {
            format!("there is no {language} image: llm-firecracker images build {language}")
        }
    };
    let required = std::env::var_os("LLM_FIRECRACKER_REQUIRE").is_some();
    assert!(!required, "not run: {what}");
    println!("not run: {what}");
    false
}

/// The sandbox's configuration; tests change it before they start a service.
pub fn sandbox_config() -> Config {
    let text =
        format!("[vmm]\nuid_base = {UID_BASE}\nuid_count = 200\ncgroup_parent = \"{CGROUP}\"\n");
    let mut config = Config::parse(&text).unwrap();
    config.vmm.state_dir = state_dir();
    let named = std::env::var("LLM_FIRECRACKER_ENGINE").unwrap_or_default();
    let kinds = [EngineKind::Qemu, EngineKind::Firecracker, EngineKind::Uml];
    config.engine.kind = kinds.into_iter().find(|kind| kind.to_string() == named);
    config
}

/// The service's configuration: any free port, short waits.
pub fn server_config() -> ServerConfig {
    ServerConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        drain_seconds: 20,
        ..ServerConfig::default()
    }
}

/// A service without keys.
pub async fn start() -> Service {
    start_with(sandbox_config(), server_config()).await
}

/// The service on another state folder, which may be empty.
pub async fn start_in(state_dir: &Path) -> Service {
    let mut config = sandbox_config();
    config.vmm.state_dir = state_dir.into();
    start_with(config, server_config()).await
}

/// A service with a key file that has one key for each of these scopes; gives the keys.
pub async fn start_with_keys(
    dir: &Path,
    mut config: ServerConfig,
    scopes: &[&[Scope]],
) -> (Service, Vec<String>) {
    let path = dir.join("keys.json");
    let name = |n: usize| format!("key-{n}");
    let keys = scopes
        .iter()
        .enumerate()
        .map(|(n, scopes)| add(&path, &name(n), scopes, None).unwrap().key)
        .collect();
    config.keys_file = Some(path);
    (start_with(sandbox_config(), config).await, keys)
}

/// A service.
pub async fn start_with(sandbox_config: Config, config: ServerConfig) -> Service {
    let (rooms, sandbox, feed) = rooms(&sandbox_config).await;
    let listener = server::listen(&config).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let shutdown = stop.clone().cancelled_owned();
    let task = tokio::spawn(server::serve(config, rooms, listener, shutdown));
    Service {
        address,
        client: reqwest::Client::new(),
        sandbox,
        feed,
        stop,
        task,
    }
}

/// What a service needs.
pub async fn rooms(config: &Config) -> (Rooms, Arc<Sandbox>, Arc<Feed>) {
    let state = config.vmm.state_dir.clone();
    let metrics = Metrics::default();
    let images = Arc::new(ImageStore::open(&state.join("images")).unwrap());
    let agent = agent().unwrap_or_else(|| "/nonexistent/agent".into());
    let materials = MaterialsSource::new(images.clone(), agent);
    let snapshots = SnapshotStore::open(&state.join("snapshots")).unwrap();
    // The first one makes the jail's root; the others find it.
    static OPENING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let opening = OPENING.lock().await;
    let settings = VmmConfig {
        uml: materials.uml_guest(),
        ..config.vmm.clone()
    };
    let engine = vmm::open(config.engine.kind, settings).await.unwrap();
    drop(opening);
    let sources = Sources {
        engine,
        materials,
        snapshots,
    };
    let supply = Supply::new(config, sources, metrics.clone());
    supply.start_pool();
    let feed = Feed::new(500);
    let mut sinks: Vec<Arc<dyn EventSink>> = vec![feed.clone()];
    if std::env::var_os("LLM_FIRECRACKER_TEST_EVENTS").is_some() {
        sinks.push(Arc::new(StderrSink));
    }
    let events = EventBus::new(sinks);
    let sandbox = Arc::new(Sandbox::new(config, supply, events, metrics).unwrap());
    let rooms = Rooms {
        sandbox: sandbox.clone(),
        images,
        feed: feed.clone(),
        doctor: Some(doctor(state.clone())),
        state_dir: state,
        audit_failures: Default::default(),
    };
    (rooms, sandbox, feed)
}

/// The doctor on this host.
fn doctor(state: PathBuf) -> server::Doctor {
    Arc::new(move || {
        let state = state.clone();
        Box::pin(async move {
            let look = move || {
                let facts = doctor::Facts::gathered(None, None, state);
                doctor::examine(&doctor::Host::live(facts)).to_json()
            };
            Ok(tokio::task::spawn_blocking(look).await.unwrap())
        })
    })
}

impl Service {
    /// The name of the engine behind it.
    pub fn engine(&self) -> String {
        self.sandbox.identity().kind.to_string()
    }

    /// The types of the last events, oldest first.
    pub fn event_types(&self) -> Vec<EventType> {
        let events = self.feed.events(9);
        events.iter().map(|event| event.event_type).collect()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    pub fn post(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        self.client.post(self.url(path)).json(body)
    }

    /// Status and JSON of a job.
    pub async fn execute(&self, body: &Value) -> (u16, Value) {
        answer(self.post("/api/v1/execute", body)).await
    }

    /// Stops it and says how it ended.
    pub async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

/// Status and JSON of any answer.
pub async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

/// Looks again and again until `done`, and says how long it took; panics after `patience`.
pub async fn until(patience: Duration, what: &str, mut done: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    while !done() {
        assert!(begun.elapsed() < patience, "not in {patience:?}: {what}");
        ticks.tick().await;
    }
    begun.elapsed()
}
