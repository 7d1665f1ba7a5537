//! `serve`: the HTTP service, until SIGTERM or Ctrl-C.

use crate::args::Global;
use crate::audit_sink::AuditSink;
use crate::{context, signals};
use anyhow::Context as _;
use audit::AuditLog;
use server::{Feed, Rooms};
use std::net::SocketAddr;
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
    let config = settings.sandbox;
    let feed = Feed::new(settings.server.recent_events);
    let log = AuditLog::open(&context::audit_dir(&config), settings.audit)
        .context("opening the audit log")?;
    let sinks: Vec<Arc<dyn sandbox::events::EventSink>> =
        vec![feed.clone(), Arc::new(AuditSink(log))];
    let sandbox = context::sandbox_with(&config, sinks).await?;
    // The address is taken first: a second service must fail before it fills a pool.
    let listener = server::listen(&settings.server).await?;
    sandbox.supply().start_pool();
    eprintln!("llm-firecracker: listening on {}", listener.local_addr()?);
    let rooms = Rooms {
        images: context::image_store(&config)?,
        feed,
        state_dir: context::state_dir(&config).to_owned(),
        doctor: None,
        places: config.running_bound(),
        sandbox,
    };
    let shutdown = async {
        signals::stop_asked().await;
    };
    server::serve(settings.server, rooms, listener, shutdown).await?;
    Ok(ExitCode::SUCCESS)
}
