//! Memory of the daemon while a thousand connections idle and five hundred jobs wait.

use super::client::{Client, sleeper};
use super::daemon::Daemon;
use super::{Finding, Load, mib};
use crate::BenchError;
use std::time::Duration;
use tokio::task::JoinSet;

/// From the service's specification.
const IDLE: usize = 1000;
const WAITING: usize = 500;
const MOST_BYTES: u64 = 150_000_000;

/// Longer than it takes to ask that often.
const HELD: Duration = Duration::from_secs(250);

/// Opens them, waits until all of them stand, reads the memory, lets go.
pub async fn measure(daemon: &Daemon, load: Load) -> Result<Vec<Finding>, BenchError> {
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        let mut client = daemon.connect().await?;
        client.get("/healthz").await.map_err(lost)?;
        idle.push(client);
    }
    let mut jobs = JoinSet::new();
    for _ in 0..WAITING + load.places {
        let address = daemon.address;
        jobs.spawn(async move {
            Client::connect(address)
                .await?
                .execute(&sleeper(HELD))
                .await
        });
    }
    daemon
        .until("the jobs do not all wait", async |client| {
            let status = client.get("/api/v1/status").await?;
            Ok(status.body["waiting"].as_u64() >= Some(WAITING as u64))
        })
        .await?;
    let memory = daemon.memory()?;
    // Each idle one still is a connection that is answered.
    let mut answered = 0;
    for client in &mut idle {
        answered += usize::from(client.get("/healthz").await.is_ok_and(|a| a.status == 200));
    }
    // Their clients go, and so do they.
    jobs.shutdown().await;
    drop(idle);
    daemon.until_quiet().await?;
    Ok(vec![Finding {
        name: format!("memory with {IDLE} idle connections and {WAITING} waiting jobs"),
        asked: format!("at most {:.0} MiB", mib(MOST_BYTES)),
        measured: format!(
            "{:.0} MiB, peak so far {:.0} MiB; {answered} of {IDLE} idle ones answered afterwards",
            mib(memory.resident_bytes),
            mib(memory.peak_bytes)
        ),
        held: memory.peak_bytes <= MOST_BYTES && answered == IDLE,
    }])
}

fn lost(error: super::client::Lost) -> BenchError {
    BenchError::Daemon {
        reason: format!("an idle connection was lost: {error}"),
    }
}
