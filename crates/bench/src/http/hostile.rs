//! Clients that mean no good, and beside them a healthy one that connects, has a program run, and
//! goes: its p95 under attack against its p95 before and after. An attack counts what it did: a healthy
//! client beside nothing is no finding.

use super::client::{Client, HttpAnswer, hello, is_hello};
use super::daemon::Daemon;
use super::hostile_clients::{Hits, endless_body, forever, header_bomb, kill_vmms, slow_header};
use super::{Finding, Load, millis};
use crate::BenchError;
use crate::stats::summary;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// From the service's specification.
const MOST_TIMES_SLOWER: f64 = 2.0;
const CONNECTIONS: usize = 10_000;

/// Slow ones: a byte every so often, from so many.
const SLOW: usize = 500;
/// Loud ones are bounded to what another machine's network would bring, for they share our CPUs.
const LOUD: usize = 4;
/// A healthy client that has no answer after this long counts as failed: longer than the queue's bound and
/// any such job.
const HANGS_AFTER: Duration = Duration::from_secs(60);

/// One kind of attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attack {
    /// Headers that never end, a byte at a time.
    Slowloris,
    /// Bodies that never end.
    EndlessBody,
    /// Connections that say nothing.
    Connections,
    /// Headers by the megabyte.
    HeaderBombs,
    /// VMMs are killed while jobs run; compared with the same jobs in peace.
    KilledVmms,
}

/// All of them.
pub const ATTACKS: &[Attack] = &[
    Attack::Slowloris,
    Attack::EndlessBody,
    Attack::Connections,
    Attack::HeaderBombs,
    Attack::KilledVmms,
];

impl Attack {
    fn name(self) -> String {
        match self {
            Attack::Slowloris => format!("slowloris, {SLOW} connections"),
            Attack::EndlessBody => "bodies that never end".into(),
            Attack::Connections => format!("{CONNECTIONS} connections"),
            Attack::HeaderBombs => "header bombs".into(),
            Attack::KilledVmms => "kill -9 of VMMs under load".into(),
        }
    }

    /// How often it must have been done, or the attack was none.
    fn least(self) -> usize {
        match self {
            Attack::Slowloris => SLOW,
            Attack::EndlessBody | Attack::HeaderBombs => LOUD,
            Attack::Connections => CONNECTIONS,
            Attack::KilledVmms => 1,
        }
    }

    /// What goes on in peace, too.
    fn peace(self, daemon: &Daemon) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        if self == Attack::KilledVmms {
            tasks.spawn(forever(daemon.address, Hits::default(), work));
        }
        tasks
    }

    /// Begins it; it ends when the tasks are dropped.
    async fn begin(self, daemon: &Daemon, hits: &Hits) -> Result<JoinSet<()>, BenchError> {
        let address = daemon.address;
        let mut tasks = JoinSet::new();
        match self {
            Attack::Slowloris => {
                for _ in 0..SLOW {
                    tasks.spawn(forever(address, hits.clone(), slow_header));
                }
            }
            Attack::EndlessBody => {
                for _ in 0..LOUD {
                    tasks.spawn(forever(address, hits.clone(), endless_body));
                }
            }
            Attack::Connections => {
                let mut silent = Vec::new();
                for opened in 0..CONNECTIONS {
                    match TcpStream::connect(address).await {
                        Ok(stream) => silent.push(stream),
                        // One that the service refuses is as good as one that it closes at once.
                        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                        Err(error) => {
                            let reason = format!(
                                "connection {opened} of {CONNECTIONS} was not opened: {error}; raise 'ulimit -n'"
                            );
                            return Err(BenchError::Daemon { reason });
                        }
                    }
                    hits.note();
                }
                tasks.spawn(async move {
                    let _silent = silent;
                    std::future::pending().await
                });
            }
            Attack::HeaderBombs => {
                for _ in 0..LOUD {
                    tasks.spawn(forever(address, hits.clone(), header_bomb));
                }
            }
            Attack::KilledVmms => {
                tasks.spawn(forever(address, Hits::default(), work));
                tasks.spawn(kill_vmms(daemon.pid, hits.clone()));
            }
        }
        Ok(tasks)
    }
}

/// Peace, attack, peace; the healthy client works in all three.
pub async fn measure(
    daemon: &Daemon,
    load: Load,
    attack: &Attack,
) -> Result<Vec<Finding>, BenchError> {
    let time = (load.time / 4).max(Duration::from_secs(3));
    daemon.until_quiet().await?;
    let mut peaceful = Vec::new();
    let mut tasks = attack.peace(daemon);
    let failed_before = healthy(daemon.address, time, &mut peaceful).await;
    tasks.shutdown().await;
    let hits = Hits::default();
    let mut tasks = attack.begin(daemon, &hits).await?;
    let mut attacked = Vec::new();
    let failed = healthy(daemon.address, time, &mut attacked).await;
    tasks.shutdown().await;
    let mut tasks = attack.peace(daemon);
    let failed_after = healthy(daemon.address, time, &mut peaceful).await;
    tasks.shutdown().await;
    daemon.until_quiet().await?;
    let p95 = |times: &[Duration]| summary(times).map_or(f64::INFINITY, |all| all.p95_seconds);
    let (before, during) = (p95(&peaceful), p95(&attacked));
    let ratio = during / before;
    // A killed VMM may be the healthy client's own: its job is lost, and it is told so.
    let may_be_told = *attack == Attack::KilledVmms;
    let failed_in_peace =
        failed_before.told + failed_before.lost + failed_after.told + failed_after.lost;
    let (done, least) = (hits.count(), attack.least());
    let none = match done < least {
        true => format!(", NO ATTACK: at least {least}"),
        false => String::new(),
    };
    Ok(vec![Finding {
        name: format!("a healthy client beside {}", attack.name()),
        asked: format!("p95 at most {MOST_TIMES_SLOWER} × that in peace"),
        measured: format!(
            "{ratio:.2} × ({} and {}; {} and {} jobs, {failed_in_peace} and {} without their result, {} of them lost; done {done} times{none})",
            millis(Duration::from_secs_f64(before.min(1e6))),
            millis(Duration::from_secs_f64(during.min(1e6))),
            peaceful.len(),
            attacked.len(),
            failed.told + failed.lost,
            failed.lost
        ),
        held: ratio <= MOST_TIMES_SLOWER
            && failed_in_peace == 0
            && failed.lost == 0
            && (failed.told == 0 || may_be_told)
            && done >= least,
    }])
}

/// Jobs of a healthy client that had no result.
#[derive(Debug, Default, Clone, Copy)]
struct Failed {
    /// It was told so.
    told: usize,
    /// Its connection ended, or nobody answered.
    lost: usize,
}

/// Runs jobs for that long, each over a connection of its own.
async fn healthy(address: SocketAddr, time: Duration, times: &mut Vec<Duration>) -> Failed {
    let (begun, mut failed) = (Instant::now(), Failed::default());
    while begun.elapsed() < time {
        let asked = Instant::now();
        match once(address).await {
            Some(answer) if is_hello(&answer) => times.push(asked.elapsed()),
            Some(_) => failed.told += 1,
            None => failed.lost += 1,
        }
    }
    failed
}

async fn once(address: SocketAddr) -> Option<HttpAnswer> {
    let job = hello();
    let ask = async { Client::connect(address).await?.execute(&job).await };
    timeout(HANGS_AFTER, ask).await.ok()?.ok()
}

async fn work(address: SocketAddr, _: Hits) -> std::io::Result<()> {
    once(address).await;
    Ok(())
}
