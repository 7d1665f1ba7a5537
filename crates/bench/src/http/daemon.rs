//! The daemon that is measured: a process of its own, so that its memory is its own.

use super::client::Client;
use crate::BenchError;
use serde_json::Value;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

/// A start includes the making of a snapshot.
const START_PATIENCE: Duration = Duration::from_secs(180);
const STOP_PATIENCE: Duration = Duration::from_secs(90);

/// A running service.
pub struct Daemon {
    child: Child,
    /// Its process id.
    pub pid: u32,
    /// Where it listens.
    pub address: SocketAddr,
}

/// What a process holds, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Now.
    pub resident_bytes: u64,
    /// The most so far.
    pub peak_bytes: u64,
}

impl Daemon {
    /// Starts `serve` by this command line and waits until it listens and its pool is warm.
    pub async fn start(program: &Path, args: &[String]) -> Result<Daemon, BenchError> {
        let failed = |reason: String| BenchError::Daemon { reason };
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(format!("{}: {error}", program.display())))?;
        let (Some(pid), Some(stderr)) = (child.id(), child.stderr.take()) else {
            return Err(failed("it ended at once".into()));
        };
        let mut lines = BufReader::new(stderr).lines();
        let (said, address) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let mut said = Some(said);
            while let Ok(Some(line)) = lines.next_line().await {
                match line.split_once(" listening on ") {
                    Some((_, address)) => {
                        said.take().map(|said| said.send(address.parse().ok()));
                    }
                    None => eprintln!("{line}"),
                }
            }
        });
        let address = timeout(START_PATIENCE, address).await;
        let Ok(Ok(Some(address))) = address else {
            return Err(failed(
                "it does not listen; its last words are above".into(),
            ));
        };
        let daemon = Daemon {
            child,
            pid,
            address,
        };
        daemon.until_ready().await?;
        Ok(daemon)
    }

    /// A new connection.
    pub async fn connect(&self) -> Result<Client, BenchError> {
        let client = Client::connect(self.address).await;
        client.map_err(|error| BenchError::Daemon {
            reason: format!("it cannot be reached: {error}"),
        })
    }

    /// Waits until nothing runs or waits and the pool is warm.
    pub async fn until_quiet(&self) -> Result<(), BenchError> {
        self.until("it does not come to rest", async |client| {
            let status = client.get("/api/v1/status").await?;
            Ok(status.body["running"] == 0 && status.body["waiting"] == 0)
        })
        .await?;
        self.until_ready().await
    }

    /// Waits until jobs find a VM that waits.
    pub async fn until_ready(&self) -> Result<(), BenchError> {
        self.until("its pool does not fill", async |client| {
            let status = client.get("/api/v1/status").await?;
            let full = |row: &Value| row["ready"].as_u64() >= row["min"].as_u64();
            let rows = status.body["pool"].as_array();
            Ok(rows.is_some_and(|rows| rows.iter().all(full)))
        })
        .await
    }

    /// Asks again and again until `done`.
    pub async fn until(
        &self,
        otherwise: &str,
        mut done: impl AsyncFnMut(&mut Client) -> Result<bool, super::client::Lost>,
    ) -> Result<(), BenchError> {
        let deadline = Instant::now() + START_PATIENCE;
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        let mut client = self.connect().await?;
        loop {
            match done(&mut client).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(_) => client = self.connect().await?,
            }
            if Instant::now() > deadline {
                let reason = otherwise.to_owned();
                return Err(BenchError::Daemon { reason });
            }
            ticks.tick().await;
        }
    }

    /// What it holds.
    pub fn memory(&self) -> Result<Memory, BenchError> {
        let path = format!("/proc/{}/status", self.pid);
        let text = std::fs::read_to_string(&path).map_err(|source| BenchError::Io {
            path: path.into(),
            source,
        })?;
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
            Some(kib * 1024)
        };
        Ok(Memory {
            resident_bytes: field("VmRSS:").unwrap_or_default(),
            peak_bytes: field("VmHWM:").unwrap_or_default(),
        })
    }

    /// Has the most so far count from now on.
    pub fn forget_peak(&self) -> Result<(), BenchError> {
        let path = format!("/proc/{}/clear_refs", self.pid);
        // proc(5): 5 resets the peak of the resident set.
        std::fs::write(&path, "5").map_err(|source| BenchError::Io {
            path: path.into(),
            source,
        })
    }

    /// Stops it as a service manager does; an error unless it ends well.
    pub async fn stop(mut self) -> Result<(), BenchError> {
        let failed = |reason: String| BenchError::Daemon { reason };
        if let Some(pid) = rustix::process::Pid::from_raw(self.pid as i32) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        match timeout(STOP_PATIENCE, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(failed(format!("it ended with {status}"))),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed("it does not stop".into())),
        }
    }
}

/// How a VMM of each engine is called in `stat`; User-Mode Linux's is a file named `kernel`.
const VMMS: &[&str] = &["(qemu", "(firecracker", "(kernel"];

/// Process ids of the VMMs below a process.
pub fn vmms_below(ancestor: u32) -> Vec<u32> {
    let mut parents = HashMap::new();
    let mut vmms = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
            continue;
        };
        // `pid (name) state parent …`; a process that ends meanwhile is no process.
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let Some((head, tail)) = stat.rsplit_once(')') else {
            continue;
        };
        let parent: u32 = tail
            .split_whitespace()
            .nth(1)
            .and_then(|word| word.parse().ok())
            .unwrap_or_default();
        parents.insert(pid, parent);
        if VMMS.iter().any(|name| head.contains(name)) {
            vmms.push(pid);
        }
    }
    vmms.retain(|vmm| {
        let mut ancestors = std::iter::successors(Some(*vmm), |pid| parents.get(pid).copied());
        ancestors.any(|pid| pid == ancestor)
    });
    vmms
}
