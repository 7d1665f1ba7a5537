//! `serve`: the HTTP service, until SIGTERM or Ctrl-C.

use super::doctor::OperatorFiles;
use crate::args::Global;
use crate::audit_sink::AuditSink;
use crate::context;
use crate::settings::Settings;
use crate::settings::reload::{self, Plan};
use crate::signals::{Hangup, StopSignals};
use crate::telemetry::EventLog;
use anyhow::Context as _;
use audit::{AuditError, AuditLog};
use prometheus_client::metrics::counter::Counter;
use protocol::event::EventType;
use sandbox::config::Config;
use sandbox::events::{EventSink, Notice};
use sandbox::sandbox::Sandbox;
use serde_json::json;
use server::config::listen::Listen;
use server::{Doctor, Feed, Reloader, Rooms, ServerConfig};
use std::process::ExitCode;
use std::sync::Arc;

/// Cleans up after an earlier crash, opens everything, listens.
pub async fn run(global: &Global, listen: Option<Listen>) -> anyhow::Result<ExitCode> {
    let settings = of_service(context::settings(global)?, listen)?;
    // From here on, so that no moment after "listening" is without.
    let (stop, mut hangups) = StopSignals::of_service();
    let mut reload = Reload {
        global: global.clone(),
        listen,
        in_force: settings.clone(),
    };
    server::memory::give_back_large_buffers();
    // The address is taken first: a second service must fail before it opens a log or fills a pool.
    let listener = server::listen(&settings.server).await?;
    let files = OperatorFiles::of(global, &settings)?;
    let config = settings.sandbox;
    let feed = Feed::new(settings.server.recent_events);
    let log = AuditLog::open(&context::audit_dir(&config), settings.audit)
        .map_err(|error| unopened(error, &config))?;
    let failures = Counter::default();
    let log = Arc::new(AuditSink {
        log,
        failures: failures.clone(),
    });
    let mut sinks: Vec<Arc<dyn EventSink>> = vec![feed.clone(), log.clone()];
    if settings.telemetry.is_on() {
        sinks.push(Arc::new(EventLog));
    }
    let sandbox = context::sandbox_with(&config, sinks).await?;
    sandbox.supply().start_pool();
    eprintln!("llm-firecracker: listening on {}", listener.local_addr()?);
    let rooms = Rooms {
        images: context::image_store(&config)?,
        feed,
        state_dir: context::state_dir(&config).to_owned(),
        doctor: Some(doctor(&config, files)),
        audit_failures: failures,
        sandbox: sandbox.clone(),
    };
    let service = server::Service::open(settings.server, rooms, listener)?;
    let reloader = service.reloader();
    let gone = async {
        while hangups.next().await == Hangup::Reload {
            reload.again(&sandbox, &reloader);
        }
    };
    let shutdown = async {
        tokio::select! {
            _ = stop.asked() => {}
            () = gone => {}
        }
    };
    service.run(shutdown).await;
    log.log.sync().context("writing the audit log to disk")?;
    Ok(ExitCode::SUCCESS)
}

/// Why there is no log: mostly a service that has the folder already.
fn unopened(error: AuditError, config: &Config) -> anyhow::Error {
    let AuditError::Busy { lock, .. } = &error else {
        return anyhow::Error::new(error).context("opening the audit log");
    };
    let holder = server::holder::of_lock(lock).unwrap_or_else(|| "another process".into());
    anyhow::anyhow!(
        "{holder} is the service on the state folder {}, which serves one at a time: stop that one, or give this one a folder and an address of its own (--state-dir DIR --listen PORT)",
        context::state_dir(config).display()
    )
}

/// The settings of a service: with the address that a flag names, and the usual file of keys where none is named.
fn of_service(mut settings: Settings, listen: Option<Listen>) -> anyhow::Result<Settings> {
    if let Some(Listen(address)) = listen {
        settings.server.listen = address;
    }
    if settings.server.keys_file.is_none() {
        settings.server.keys_file = Some(context::keys_file(&settings));
    }
    check_secrets(&settings.server)?;
    Ok(settings)
}

/// What a running service reads again when it is told to.
struct Reload {
    global: Global,
    listen: Option<Listen>,
    in_force: Settings,
}

impl Reload {
    /// Takes the configuration as it is now, or nothing of it; says which in the log and in an event.
    fn again(&mut self, sandbox: &Sandbox, server: &Reloader) {
        server::systemd::reloading();
        let (details, extra) = match self.take(sandbox, server) {
            Ok(Plan {
                changed,
                needs_restart,
                ..
            }) => {
                eprintln!("llm-firecracker: the configuration was read again: {changed:?} changed");
                if !needs_restart.is_empty() {
                    tracing::warn!(?needs_restart, "these count after a restart alone");
                }
                let details = format!(
                    "the configuration was read again: {} settings changed, {} need a restart",
                    changed.len(),
                    needs_restart.len()
                );
                (
                    details,
                    json!({ "outcome": "applied", "changed": changed, "needs_restart": needs_restart }),
                )
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(%error, "the configuration is refused, that of before stays in force");
                let details = "the configuration is refused, that of before stays in force";
                (
                    details.into(),
                    json!({ "outcome": "refused", "error": error }),
                )
            }
        };
        let notice = Notice::new(EventType::ConfigReload, details, extra);
        sandbox.events().emit(None, notice);
        server::systemd::ready();
    }

    fn take(&mut self, sandbox: &Sandbox, server: &Reloader) -> anyhow::Result<Plan> {
        let new = of_service(context::settings_again(&self.global)?, self.listen)?;
        let plan = reload::plan(&self.in_force, &new)?;
        // Whatever can be refused is asked before anything is taken.
        plan.settings.sandbox.policy()?;
        server.reload(plan.settings.server.clone())?;
        sandbox.reload(&plan.settings.sandbox)?;
        self.in_force = plan.settings.clone();
        Ok(plan)
    }
}

/// Whoever reads the key of the certificate is the service to its clients; whoever writes one of these files decides who
/// is let in.
fn check_secrets(server: &ServerConfig) -> anyhow::Result<()> {
    if let Some(keys) = &server.keys_file {
        trust::check_secret("the file of API keys", keys)?;
    }
    if let Some(tls) = &server.tls {
        trust::check_secret("the certificate's key", &tls.key)?;
        trust::check("the certificate", &tls.certificate)?;
    }
    Ok(())
}

/// `doctor` for the dashboard.
fn doctor(config: &Config, files: OperatorFiles) -> Doctor {
    let config = config.clone();
    Arc::new(move || {
        let (config, files) = (config.clone(), files.clone());
        Box::pin(async move {
            match super::doctor::examine(&config, files).await {
                Ok(report) => Ok(report.to_json()),
                Err(error) => Err(format!("{error:#}")),
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use server::config::TlsConfig;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn keys_that_everyone_may_read_are_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let server = ServerConfig {
            keys_file: Some(at("keys.json")),
            tls: Some(TlsConfig {
                certificate: at("certificate.pem"),
                key: at("key.pem"),
            }),
            ..ServerConfig::default()
        };
        // What is not there is the server's to tell of.
        check_secrets(&server).unwrap();
        // A file, a mode that will do (a certificate is public), and one that will not.
        let files = [
            ("keys.json", 0o600, 0o644),
            ("key.pem", 0o640, 0o644),
            ("certificate.pem", 0o644, 0o646),
        ];
        let with_mode = |name, mode| {
            std::fs::write(at(name), "").unwrap();
            std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        for (name, good, bad) in files {
            with_mode(name, bad);
            let error = check_secrets(&server).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
            with_mode(name, good);
            check_secrets(&server).unwrap();
        }
    }

    #[test]
    fn a_second_service_on_a_state_folder_names_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.vmm.state_dir = dir.path().to_owned();
        let open = || AuditLog::open(&context::audit_dir(&config), Default::default());
        let _first = open().unwrap();
        let said = unopened(open().unwrap_err(), &config).to_string();
        for words in [
            format!("(pid {})", std::process::id()),
            dir.path().display().to_string(),
            "--state-dir DIR".to_owned(),
        ] {
            assert!(said.contains(&words), "{words}: {said}");
        }
    }
}
