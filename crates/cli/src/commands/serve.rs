//! `serve`: the HTTP service, until SIGTERM or Ctrl-C.

use crate::args::Global;
use crate::audit_sink::AuditSink;
use crate::context;
use crate::signals::StopSignals;
use crate::telemetry::EventLog;
use anyhow::Context as _;
use audit::AuditLog;
use sandbox::config::Config;
use sandbox::events::EventSink;
use server::{Doctor, Feed, Rooms};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Cleans up after an earlier crash, opens everything, listens.
pub async fn run(global: &Global, listen: Option<SocketAddr>) -> anyhow::Result<ExitCode> {
    let mut settings = context::settings(global)?;
    if let Some(address) = listen {
        settings.server.listen = address;
    }
    if settings.server.keys_file.is_none() {
        settings.server.keys_file = Some(context::keys_file(&settings));
    }
    // From here on, so that no moment after "listening" is without.
    let stop = StopSignals::listen();
    let config = settings.sandbox;
    let config_file = global.config.clone().or_else(context::default_config_path);
    let feed = Feed::new(settings.server.recent_events);
    let log = AuditLog::open(&context::audit_dir(&config), settings.audit)
        .context("opening the audit log")?;
    let log = Arc::new(AuditSink(log));
    let mut sinks: Vec<Arc<dyn EventSink>> = vec![feed.clone(), log.clone()];
    if settings.telemetry.is_on() {
        sinks.push(Arc::new(EventLog));
    }
    let sandbox = context::sandbox_with(&config, sinks).await?;
    // The address is taken first: a second service must fail before it fills a pool.
    let listener = server::listen(&settings.server).await?;
    sandbox.supply().start_pool();
    eprintln!("llm-firecracker: listening on {}", listener.local_addr()?);
    let rooms = Rooms {
        images: context::image_store(&config)?,
        feed,
        state_dir: context::state_dir(&config).to_owned(),
        doctor: Some(doctor(&config, config_file)),
        places: config.running_bound(),
        sandbox,
    };
    let shutdown = async {
        stop.asked().await;
    };
    server::serve(settings.server, rooms, listener, shutdown).await?;
    log.0.sync().context("writing the audit log to disk")?;
    Ok(ExitCode::SUCCESS)
}

/// `doctor` for the dashboard.
fn doctor(config: &Config, config_file: Option<PathBuf>) -> Doctor {
    let config = config.clone();
    Arc::new(move || {
        let (config, config_file) = (config.clone(), config_file.clone());
        Box::pin(async move {
            match super::doctor::examine(&config, config_file).await {
                Ok(report) => Ok(report.to_json()),
                Err(error) => Err(format!("{error:#}")),
            }
        })
    })
}
