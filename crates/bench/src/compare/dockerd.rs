//! A Docker daemon of our own, on its own data and socket: the host's, if there is one, is left alone.

use super::contender::CommandLine;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// dockerd starts containerd first; on a loaded machine both take some seconds.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// How long it gets to stop its containers and containerd before it is killed.
const STOP_DEADLINE: Duration = Duration::from_secs(15);

/// The daemon; dropping it ends it.
pub struct Dockerd {
    child: Child,
    host: String,
}

impl Dockerd {
    /// Starts it without any network and waits until it answers.
    pub async fn start(daemon: &str, client: &str, data: &Path) -> Result<Dockerd, String> {
        std::fs::create_dir_all(data).map_err(|error| format!("{}: {error}", data.display()))?;
        let below = |name: &str| data.join(name).display().to_string();
        let host = format!("unix://{}", below("docker.sock"));
        let log = std::fs::File::create(data.join("dockerd.log"))
            .map_err(|error| format!("{}: {error}", data.display()))?;
        let child = Command::new(daemon)
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false"])
            .args(["--host", &host])
            .args(["--data-root", &below("data")])
            .args(["--exec-root", &below("exec")])
            .args(["--pidfile", &below("docker.pid")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("dockerd does not start: {error}"))?;
        let mut dockerd = Dockerd { child, host };
        let begun = Instant::now();
        let ask = CommandLine::new([client, "--host", &dockerd.host, "version"]);
        while ask.output().await.is_err() {
            let ended = dockerd.child.try_wait().ok().flatten();
            if ended.is_some() || begun.elapsed() > START_DEADLINE {
                let log = std::fs::read_to_string(data.join("dockerd.log")).unwrap_or_default();
                let last = log.lines().last().unwrap_or_default().to_owned();
                return Err(format!("dockerd does not come up: {last}"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(dockerd)
    }

    /// Where it listens.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        let Some(pid) = self.child.id() else { return };
        // SIGTERM lets it end its containerd; its own end is waited for, then forced by kill_on_drop.
        let _ = std::process::Command::new("kill")
            .arg(pid.to_string())
            .status();
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < STOP_DEADLINE {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
