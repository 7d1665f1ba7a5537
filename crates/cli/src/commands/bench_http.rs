//! `bench http`: the service under load.

use super::bench_service::Service;
use super::print_json;
use crate::args::{BenchHttpArgs, Global};
use crate::{context, table};
use bench::http::{Finding, Load, run as measure};
use protocol::language::named;
use sandbox::config::{Config, PoolSize, ReadyFor};
use serde_json::json;
use server::ServerConfig;
use std::process::ExitCode;
use std::time::Duration;

/// What the jobs of the load are written in.
const LOADED: &str = "python";

/// Descriptors that ten thousand connections need.
const DESCRIPTORS: u64 = 16_384;

/// Starts the daemon, loads it, prints what held.
pub async fn run(global: &Global, args: BenchHttpArgs) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let places = config.running_bound();
    let server = server(&config, args.seconds);
    let load = Load {
        time: Duration::from_secs(args.seconds),
        jobs: args.jobs,
        places,
        queue_patience: Duration::from_secs(server.queue_seconds),
        queued: config.admission.queued,
    };
    raise_descriptors();
    let service = Service::start(with_pool(config), server).await?;
    let found = |finding: &Finding| {
        if !args.format.json {
            print(finding);
        }
    };
    let measured = service.measured(async |daemon| measure(daemon, load, found).await);
    let findings = match measured.await? {
        Ok(findings) => findings,
        Err(stopped) => return Ok(stopped),
    };
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

/// A pool of python's, and room for every client of the load.
fn with_pool(mut config: Config) -> Config {
    let size = PoolSize {
        min: 2,
        max: 4,
        warmed: true,
        ready_for: ReadyFor::Jobs,
        max_age_seconds: 3600,
    };
    config.pool = [(named(LOADED), size)].into();
    config
}

fn server(config: &Config, load_seconds: u64) -> ServerConfig {
    let mut server = ServerConfig {
        // Short against the overload, or that would end before anybody is refused; long enough for all to
        // wait at once whose memory is measured.
        queue_seconds: (load_seconds / 3).clamp(5, 20),
        ..ServerConfig::default()
    };
    // The load is one client.
    server.key_defaults.jobs = config.admission.queued + config.running_bound();
    server
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
