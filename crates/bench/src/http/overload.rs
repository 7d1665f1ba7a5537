//! Three times as many jobs as it can do: each is done or refused, none hangs, none is lost.

use super::client::{Client, HttpAnswer, hello, is_hello};
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
    Done(Times),
    Refused,
    Wrong(String),
    Hung,
    Lost,
}

/// How long an accepted job took.
struct Times {
    /// For its client, from the first byte out.
    whole: Duration,
    /// Waiting for its turn, as the answer says.
    waited: Duration,
}

/// What the service can do with every place at work.
#[derive(Debug, Clone, Copy)]
struct Capacity {
    slowest: Duration,
    per_second: f64,
}

/// Measures what it can do, asks for three times that, and measures again: a host that is busy with
/// something else in between makes jobs slower before and after it, too.
pub async fn measure(daemon: &Daemon, load: Load) -> Result<Vec<Finding>, BenchError> {
    let before = capacity(daemon, load).await?;
    daemon.until_quiet().await?;
    let asked = TIMES_CAPACITY * before.per_second;
    let mut ticks = interval(Duration::from_secs_f64(1.0 / asked));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut requests, begun) = (JoinSet::new(), Instant::now());
    while begun.elapsed() < load.time {
        ticks.tick().await;
        requests.spawn(request(daemon.address, load.queue_patience + HANGS_AFTER));
    }
    let sent = requests.len();
    let (mut done, mut waits, mut refused, mut bad) = (Vec::new(), Vec::new(), 0, Vec::new());
    for ended in requests.join_all().await {
        match ended {
            Ended::Done(times) => {
                done.push(times.whole);
                waits.push(times.waited);
            }
            Ended::Refused => refused += 1,
            Ended::Wrong(what) => bad.push(what),
            Ended::Hung => bad.push("hung".into()),
            Ended::Lost => bad.push("lost".into()),
        }
    }
    daemon.until_quiet().await?;
    let after = capacity(daemon, load).await?;
    daemon.until_quiet().await?;
    let example = bad.first().cloned().unwrap_or_default();
    let ended = Finding {
        name: format!("{TIMES_CAPACITY} × capacity for {} s", load.time.as_secs()),
        asked: "each request ends in a result, 429 or 503, and both there are".into(),
        measured: format!(
            "{sent} requests ({:.1} a second, it can do {:.1}): {} results, {refused} refused, {} neither {example}",
            sent as f64 / load.time.as_secs_f64(),
            before.per_second,
            done.len(),
            bad.len(),
        ),
        held: bad.is_empty() && !done.is_empty() && refused > 0,
    };
    Ok(vec![ended, bounded((&done, &waits), [before, after], load)])
}

/// The queue's bound: nobody waits longer for a turn than its patience, nor longer than a full queue takes
/// to empty; then there is the job itself.
fn bounded(
    (done, waits): (&[Duration], &[Duration]),
    [before, after]: [Capacity; 2],
    load: Load,
) -> Finding {
    let slowest_rate = before.per_second.min(after.per_second);
    let full = Duration::from_secs_f64(load.queued as f64 / slowest_rate);
    let wait = load.queue_patience.min(full);
    let job = before.slowest.max(after.slowest);
    let p99 =
        |times: &[Duration]| summary(times).map(|times| Duration::from_secs_f64(times.p99_seconds));
    let (whole, waited) = (p99(done), p99(waits).unwrap_or_default());
    Finding {
        name: "p99 of accepted jobs meanwhile".into(),
        asked: format!(
            "at most the queue's bound, {}: a wait of {} and a job of {}",
            millis(wait + job),
            millis(wait),
            millis(job)
        ),
        measured: match whole {
            Some(whole) => format!("{}; p99 of the waits {}", millis(whole), millis(waited)),
            None => "no job was accepted".into(),
        },
        held: whole.is_some_and(|whole| whole <= wait + job),
    }
}

/// The slowest job and the jobs a second while every place is at work.
async fn capacity(daemon: &Daemon, load: Load) -> Result<Capacity, BenchError> {
    let time = (load.time / 4).max(Duration::from_secs(3));
    let begun = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..load.places {
        let address = daemon.address;
        workers.spawn(async move {
            let (mut jobs, mut slowest) = (0, Duration::ZERO);
            let mut client = Client::connect(address).await?;
            while begun.elapsed() < time {
                let answer = client.execute(&hello()).await?;
                if !is_hello(&answer) {
                    return Err(format!("it came to {}", answer.body).into());
                }
                slowest = slowest.max(answer.took);
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
    Ok(Capacity {
        slowest,
        per_second: rate.max(0.1),
    })
}

async fn request(address: SocketAddr, patience: Duration) -> Ended {
    let job = hello();
    let ask = async { Client::connect(address).await?.execute(&job).await };
    match timeout(patience, ask).await {
        Err(_) => Ended::Hung,
        Ok(Err(_)) => Ended::Lost,
        Ok(Ok(answer)) if is_hello(&answer) => Ended::Done(Times {
            whole: answer.took,
            waited: queued(&answer),
        }),
        Ok(Ok(answer)) if matches!(answer.status, 429 | 503) => Ended::Refused,
        Ok(Ok(answer)) => Ended::Wrong(format!("({} {})", answer.status, answer.body["error"])),
    }
}

fn queued(answer: &HttpAnswer) -> Duration {
    let seconds = answer.body["timings"]["queue"].as_f64().unwrap_or_default();
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_the_shorter_of_both_waits_and_a_job() {
        let load = |patience, queued| Load {
            time: Duration::from_secs(1),
            jobs: 1,
            places: 1,
            queue_patience: Duration::from_secs(patience),
            queued,
        };
        let capacity = |slowest, per_second| Capacity {
            slowest: Duration::from_secs(slowest),
            per_second,
        };
        let capacities = || [capacity(2, 5.0), capacity(3, 4.0)];
        let held = |took, load| {
            let times = [Duration::from_secs(took)];
            bounded((&times, &times), capacities(), load).held
        };
        // Patience 20 s and a job of 3 s; 40 waiters at 4 a second and the same job.
        assert!(held(23, load(20, 512)) && !held(24, load(20, 512)));
        assert!(held(13, load(20, 40)) && !held(14, load(20, 40)));
        assert!(!bounded((&[], &[]), capacities(), load(20, 512)).held);
    }
}
