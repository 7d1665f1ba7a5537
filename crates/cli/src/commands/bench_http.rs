//! `bench http`: the service under load. A daemon of its own on a free port of 127.0.0.1, with a
//! state folder of its own inside the configured one, that uses its images.

use super::print_json;
use crate::args::{BenchHttpArgs, Global};
use crate::{context, signals, table};
use anyhow::Context as _;
use bench::http::daemon::Daemon;
use bench::http::{Finding, Load, run as measure};
use protocol::language::Language;
use sandbox::config::{Config, PoolSize};
use serde_json::json;
use server::ServerConfig;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Descriptors that ten thousand connections need.
const DESCRIPTORS: u64 = 16_384;

/// Starts the daemon, loads it, prints what held.
pub async fn run(global: &Global, args: BenchHttpArgs) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let folder = Folder::make(&config)?;
    let places = config.running_bound();
    let server = server(places, args.seconds);
    let load = Load {
        time: Duration::from_secs(args.seconds),
        jobs: args.jobs,
        places,
        queue_patience: Duration::from_secs(server.queue_seconds),
        queued: server.queued,
    };
    let file = folder.0.join("config.toml");
    std::fs::write(&file, settings(config.clone(), &folder.0, &server)?)
        .with_context(|| format!("writing {}", file.display()))?;
    raise_descriptors();
    let words = [
        "--config",
        &file.display().to_string(),
        "--state-dir",
        &folder.0.display().to_string(),
        "--agent",
        &context::agent(&config)?.display().to_string(),
        "serve",
    ];
    let words = words.map(str::to_owned);
    let daemon = Daemon::start(&std::env::current_exe()?, &words).await?;
    let found = |finding: &Finding| {
        if !args.format.json {
            print(finding);
        }
    };
    let findings = tokio::select! {
        findings = measure(&daemon, load, found) => findings?,
        number = signals::stop_asked() => {
            daemon.stop().await?;
            return Ok(ExitCode::from(128 + number));
        }
    };
    daemon.stop().await?;
    let all_held = findings.iter().all(|finding| finding.held);
    if args.format.json {
        print_json(&json!({ "seconds": args.seconds, "findings": findings }))?;
    }
    Ok(match all_held {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn print(finding: &Finding) {
    let held = if finding.held { "held    " } else { "NOT HELD" };
    let Finding {
        name,
        asked,
        measured,
        ..
    } = finding;
    // A reader that has gone is noticed at the end.
    let _ = table::line(format_args!(
        "{held}  {name}: {asked}\n          {measured}"
    ));
}

/// The daemon's configuration: ours, with a pool of python's and room for every client of the load.
fn settings(mut config: Config, folder: &Path, server: &ServerConfig) -> anyhow::Result<String> {
    config.state_dir = Some(folder.into());
    config.vmm.state_dir = folder.into();
    // VMs of the configured state folder may run meanwhile.
    config.vmm.uid_base += config.vmm.uid_count;
    let size = PoolSize {
        min: 2,
        max: 4,
        rehearsed: true,
        max_age_seconds: 3600,
    };
    config.pool = [(Language::Python, size)].into();
    config.admission.queued = server.queued;
    let mut whole = toml::Table::try_from(config)?;
    whole.insert("server".into(), toml::Value::try_from(server)?);
    Ok(whole.to_string())
}

fn server(places: usize, load_seconds: u64) -> ServerConfig {
    let mut server = ServerConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        queued: 512,
        // Short against the overload, or that would end before anybody is refused; long enough for all to
        // wait at once whose memory is measured.
        queue_seconds: (load_seconds / 3).clamp(5, 20),
        ..ServerConfig::default()
    };
    // The load is one client; its bounds would hide the service's.
    server.key_defaults.requests_per_second = 1e6;
    server.key_defaults.burst = 1_000_000;
    server.key_defaults.jobs = server.queued + places;
    server
}

/// The daemon's state folder; removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn make(config: &Config) -> anyhow::Result<Folder> {
        let state = context::state_dir(config);
        let folder = Folder(state.join(format!("bench-http-{}", std::process::id())));
        let make = || -> std::io::Result<()> {
            std::fs::create_dir_all(&folder.0)?;
            std::os::unix::fs::symlink(state.join("images"), folder.0.join("images"))
        };
        make().with_context(|| format!("making {}", folder.0.display()))?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            crate::terminal::say(format_args!("{} stays: {error}", self.0.display()));
        }
    }
}

fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let own = getrlimit(Resource::Nofile);
    let most = own.maximum.unwrap_or(DESCRIPTORS);
    let raised = Rlimit {
        current: Some(DESCRIPTORS.min(most)),
        maximum: own.maximum,
    };
    // With too few, the part that opens ten thousand connections fails and says so.
    let _ = setrlimit(Resource::Nofile, raised);
}
