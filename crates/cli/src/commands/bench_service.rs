//! The service that is measured: a daemon of its own on a free port of 127.0.0.1, with a state folder of its own inside the
//! configured one, that uses its images.

use crate::{context, signals};
use anyhow::Context as _;
use bench::BenchError;
use bench::http::daemon::Daemon;
use sandbox::config::Config;
use server::ServerConfig;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A daemon, and the folder that goes with it.
pub struct Service {
    daemon: Daemon,
    // Behind the daemon: it is removed when that is gone.
    _folder: Folder,
}

impl Service {
    /// Starts one with these settings; its listener is on a port of its own, and the bounds of one client's requests, which
    /// would hide the service's, are lifted.
    pub async fn start(config: Config, mut server: ServerConfig) -> anyhow::Result<Service> {
        let folder = Folder::make(&config)?;
        let agent = context::agent(&config)?;
        server.listen = ([127, 0, 0, 1], 0).into();
        server.key_defaults.requests_per_second = 1e6;
        server.key_defaults.burst = 1_000_000;
        let file = folder.0.join("config.toml");
        std::fs::write(&file, settings(config, &folder.0, &server)?)
            .with_context(|| format!("writing {}", file.display()))?;
        let words = [
            "--config",
            &file.display().to_string(),
            "--state-dir",
            &folder.0.display().to_string(),
            "--agent",
            &agent.display().to_string(),
            "serve",
        ];
        let words = words.map(str::to_owned);
        let daemon = Daemon::start(&std::env::current_exe()?, &words).await?;
        Ok(Service {
            daemon,
            _folder: folder,
        })
    }

    /// Measures it, then stops it as a service manager does; a signal stops it earlier, and comes back as the exit code.
    pub async fn measured<T>(
        self,
        measure: impl AsyncFnOnce(&Daemon) -> Result<T, BenchError>,
    ) -> anyhow::Result<Result<T, ExitCode>> {
        let found = tokio::select! {
            found = measure(&self.daemon) => Ok(found?),
            number = signals::stop_asked() => Err(ExitCode::from(128 + number)),
        };
        self.daemon.stop().await?;
        Ok(found)
    }
}

/// The daemon's configuration.
fn settings(mut config: Config, folder: &Path, server: &ServerConfig) -> anyhow::Result<String> {
    config.state_dir = Some(folder.into());
    config.vmm.state_dir = folder.into();
    // VMs of the configured state folder may run meanwhile.
    config.vmm.uid_base += config.vmm.uid_count;
    let mut whole = toml::Table::try_from(config)?;
    whole.insert("server".into(), toml::Value::try_from(server)?);
    Ok(whole.to_string())
}

/// The daemon's state folder; removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn make(config: &Config) -> anyhow::Result<Folder> {
        let state = context::state_dir(config);
        let folder = Folder(state.join(format!("bench-{}", std::process::id())));
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
