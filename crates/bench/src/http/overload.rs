//! Three times as many jobs as it can do: each is done or refused, none hangs, none is lost.

use super::client::{Client, hello, is_hello};
use super::daemon::Daemon;
use super::{Finding, Load, millis};
use crate::BenchError;
use crate::stats::summary;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// From the service's specification.
const TIMES_CAPACITY: f64 = 3.0;
/// An answer later than the longest wait and this hangs.
const HANGS_AFTER: Duration = Duration::from_secs(60);

/// What became of one request.
enum Ended {
    Done(Duration),
    Refused,
    Wrong(String),
    Hung,
    Lost,
}

/// Measures what it can do, then asks for three times that.
pub async fn measure(daemon: &Daemon, load: Load) -> Result<Vec<Finding>, BenchError> {
    let (alone, capacity) = capacity(daemon, load).await?;
    daemon.until_quiet().await?;
    let mut ticks = interval(Duration::from_secs_f64(1.0 / (TIMES_CAPACITY * capacity)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut requests, begun) = (JoinSet::new(), Instant::now());
    while begun.elapsed() < load.time {
        ticks.tick().await;
        requests.spawn(request(daemon.address, load.queue_patience + HANGS_AFTER));
    }
    let sent = requests.len();
    let (mut done, mut refused, mut bad) = (Vec::new(), 0, Vec::new());
    for ended in requests.join_all().await {
        match ended {
            Ended::Done(took) => done.push(took),
            Ended::Refused => refused += 1,
            Ended::Wrong(what) => bad.push(what),
            Ended::Hung => bad.push("hung".into()),
            Ended::Lost => bad.push("lost".into()),
        }
    }
    daemon.until_quiet().await?;
    let p99 = summary(&done).map_or(0.0, |summary| summary.p99_seconds);
    let p99 = Duration::from_secs_f64(p99);
    let bound = load.queue_patience + alone;
    let example = bad.first().cloned().unwrap_or_default();
    Ok(vec![
        Finding {
            name: format!("{TIMES_CAPACITY} × capacity for {} s", load.time.as_secs()),
            asked: "each request ends in a result, 429 or 503".into(),
            measured: format!(
                "{sent} requests ({:.1} a second, it can do {capacity:.1}): {} results, {refused} refused, {} neither {example}",
                sent as f64 / load.time.as_secs_f64(),
                done.len(),
                bad.len(),
            ),
            held: bad.is_empty() && !done.is_empty() && refused > 0,
        },
        Finding {
            name: "p99 of accepted jobs meanwhile".into(),
            asked: format!("at most the queue's bound, {}", millis(bound)),
            measured: millis(p99),
            held: p99 <= bound,
        },
    ])
}

/// The slowest job and the jobs a second while every place is at work.
async fn capacity(daemon: &Daemon, load: Load) -> Result<(Duration, f64), BenchError> {
    let time = (load.time / 4).max(Duration::from_secs(3));
    let begun = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..load.places {
        let address = daemon.address;
        workers.spawn(async move {
            let (mut jobs, mut slowest) = (0, Duration::ZERO);
            let mut client = Client::connect(address).await?;
            while begun.elapsed() < time {
                slowest = slowest.max(client.execute(&hello()).await?.took);
                jobs += 1;
            }
            Ok::<_, super::client::Lost>((jobs, slowest))
        });
    }
    let (mut jobs, mut slowest) = (0, Duration::ZERO);
    for worker in workers.join_all().await {
        let (own, slow) = worker.map_err(|error| BenchError::Daemon {
            reason: format!("a job was lost: {error}"),
        })?;
        jobs += own;
        slowest = slowest.max(slow);
    }
    let rate = f64::from(jobs) / begun.elapsed().as_secs_f64();
    Ok((slowest, rate.max(0.1)))
}

async fn request(address: SocketAddr, patience: Duration) -> Ended {
    let job = hello();
    let ask = async { Client::connect(address).await?.execute(&job).await };
    match timeout(patience, ask).await {
        Err(_) => Ended::Hung,
        Ok(Err(_)) => Ended::Lost,
        Ok(Ok(answer)) if is_hello(&answer) => Ended::Done(answer.took),
        Ok(Ok(answer)) if matches!(answer.status, 429 | 503) => Ended::Refused,
        Ok(Ok(answer)) => Ended::Wrong(format!("({} {})", answer.status, answer.body["error"])),
    }
}
