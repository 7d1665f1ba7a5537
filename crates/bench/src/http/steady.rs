//! Memory over many jobs: as much at the end as after the first tenth.

use super::client::{Client, hello, is_hello};
use super::daemon::Daemon;
use super::{Finding, Load, mib};
use crate::BenchError;
use tokio::task::JoinSet;

/// Growth that an allocator's own keeping explains, in percent.
const MOST_PERCENT: f64 = 10.0;

/// Runs jobs as fast as they are answered.
pub async fn measure(daemon: &Daemon, load: Load) -> Result<Vec<Finding>, BenchError> {
    let warm = load.jobs.div_ceil(10);
    let mut wrong = run(daemon, load.places, warm).await?;
    let first = daemon.memory()?.resident_bytes;
    wrong += run(daemon, load.places, load.jobs - warm).await?;
    let last = daemon.memory()?.resident_bytes;
    let growth = 100.0 * (last as f64 / first as f64 - 1.0);
    Ok(vec![Finding {
        name: format!("memory over {} jobs", load.jobs),
        asked: format!("at most {MOST_PERCENT} % more than after the first tenth"),
        measured: format!(
            "{:.1} MiB, then {:.1} MiB: {growth:+.1} %; {wrong} jobs without their result",
            mib(first),
            mib(last)
        ),
        held: growth <= MOST_PERCENT && wrong == 0,
    }])
}

/// That many jobs, `at_once` at a time; gives how many had another answer than their result.
async fn run(daemon: &Daemon, at_once: usize, jobs: usize) -> Result<usize, BenchError> {
    let mut workers = JoinSet::new();
    for worker in 0..at_once {
        let address = daemon.address;
        // The remainder goes to the first workers.
        let share = jobs / at_once + usize::from(worker < jobs % at_once);
        workers.spawn(async move {
            let mut wrong = 0;
            let mut client = Client::connect(address).await?;
            for _ in 0..share {
                wrong += usize::from(!is_hello(&client.execute(&hello()).await?));
            }
            Ok::<usize, super::client::Lost>(wrong)
        });
    }
    let mut wrong = 0;
    for done in workers.join_all().await {
        wrong += done.map_err(|error| BenchError::Daemon {
            reason: format!("a job was lost: {error}"),
        })?;
    }
    daemon.until_quiet().await?;
    Ok(wrong)
}
