//! The battery without the command line tool, for working on attacks:
//! `cargo run -p selftest --example battery -- STATE_DIR AGENT HOSTILE_AGENT [ATTACK | kind:KIND]...`

use images::ImageStore;
use sandbox::config::Config;
use sandbox::events::{EventBus, EventSink};
use sandbox::materials::MaterialsSource;
use sandbox::metrics::Metrics;
use sandbox::sandbox::Sandbox;
use sandbox::snapshots::SnapshotStore;
use sandbox::supply::{Sources, Supply};
use selftest::{Kind, Options, Skipped};
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use vmm::VmmConfig;

type Failed = Box<dyn Error + Send + Sync>;

async fn open(config: Config, sinks: Vec<Arc<dyn EventSink>>) -> Result<Arc<Sandbox>, Failed> {
    let state = config.vmm.state_dir.clone();
    let store = Arc::new(ImageStore::open(&state.join("images"))?);
    let agent = config.agent.clone().ok_or("no agent")?;
    let materials = MaterialsSource::new(store, agent);
    let settings = VmmConfig {
        uml: materials.uml_guest(),
        ..config.vmm.clone()
    };
    let engine = vmm::open(config.engine.kind, settings).await?;
    let metrics = Metrics::default();
    let sources = Sources {
        engine,
        materials,
        snapshots: SnapshotStore::open(&state.join("snapshots"))?,
    };
    let supply = Supply::new(&config, sources, metrics.clone());
    let sandbox = Sandbox::new(&config, supply, EventBus::new(sinks), metrics)?;
    Ok(Arc::new(sandbox))
}

#[tokio::main]
async fn main() -> Result<ExitCode, Failed> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("too few arguments");
    let mut config = Config::default();
    config.vmm.state_dir = next()?.into();
    config.agent = Some(next()?.into());
    let mut options = Options {
        hostile_agent: Some(next()?.into()),
        ..Options::default()
    };
    for name in arguments {
        match name.strip_prefix("kind:").map(Kind::from_name) {
            Some(kind) => options.kinds.extend(kind),
            None => options.only.push(name),
        }
    }
    let report = selftest::run(&options, &config, open, |verdict| {
        let word = if verdict.contained { "ok  " } else { "FAIL" };
        if std::env::var_os("SHOW").is_some() {
            for line in verdict.output.lines() {
                println!("     | {}", line.escape_debug());
            }
        }
        println!(
            "{word} {:5.1} s {}: {}",
            verdict.seconds, verdict.name, verdict.seen
        );
    })
    .await?;
    for not_run in &report.not_run {
        println!("not run {}: {}", not_run.name, not_run.why);
    }
    println!("{}", report.summary());
    Ok(ExitCode::from(report.exit_code(Skipped::Fails)))
}
