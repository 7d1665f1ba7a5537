//! Clients that mean no good, and beside them a healthy one that connects, has a program run, and
//! goes: its p95 under attack against its p95 before and after.

use super::client::{Client, hello, is_hello};
use super::daemon::{Daemon, vmms_below};
use super::{Finding, Load, millis};
use crate::BenchError;
use crate::stats::summary;
use hyper::body::Bytes;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// From the service's specification.
const MOST_TIMES_SLOWER: f64 = 2.0;
const CONNECTIONS: usize = 10_000;

/// Slow ones: a byte every so often, from so many.
const SLOW: usize = 500;
const SLOW_PAUSE: Duration = Duration::from_secs(1);
/// Loud ones are bounded to what another machine's network would bring, for they share our CPUs.
const LOUD: usize = 4;
const LOUD_PAUSE: Duration = Duration::from_millis(20);
/// Between two killed VMMs.
const KILL_PAUSE: Duration = Duration::from_millis(500);

const POST: &str =
    "POST /api/v1/execute HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

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

    /// What goes on in peace, too.
    fn peace(self, daemon: &Daemon) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        if self == Attack::KilledVmms {
            tasks.spawn(forever(daemon.address, work));
        }
        tasks
    }

    /// Begins it; it ends when the tasks are dropped. An attack that cannot be made is an error: a
    /// healthy client beside nothing is no finding.
    async fn begin(
        self,
        daemon: &Daemon,
        kills: &Arc<AtomicUsize>,
    ) -> Result<JoinSet<()>, BenchError> {
        let address = daemon.address;
        let mut tasks = JoinSet::new();
        match self {
            Attack::Slowloris => {
                for _ in 0..SLOW {
                    tasks.spawn(forever(address, slow_header));
                }
            }
            Attack::EndlessBody => {
                for _ in 0..LOUD {
                    tasks.spawn(forever(address, endless_body));
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
                }
                tasks.spawn(async move {
                    let _silent = silent;
                    std::future::pending().await
                });
            }
            Attack::HeaderBombs => {
                for _ in 0..LOUD {
                    tasks.spawn(forever(address, header_bomb));
                }
            }
            Attack::KilledVmms => {
                tasks.spawn(forever(address, work));
                tasks.spawn(kill_vmms(daemon.pid, kills.clone()));
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
    let (mut failed_in_peace, mut tasks) = (0, attack.peace(daemon));
    failed_in_peace += healthy(daemon.address, time, &mut peaceful).await;
    tasks.shutdown().await;
    let kills = Arc::new(AtomicUsize::new(0));
    let mut tasks = attack.begin(daemon, &kills).await?;
    let mut attacked = Vec::new();
    let failed = healthy(daemon.address, time, &mut attacked).await;
    tasks.shutdown().await;
    let mut tasks = attack.peace(daemon);
    failed_in_peace += healthy(daemon.address, time, &mut peaceful).await;
    tasks.shutdown().await;
    daemon.until_quiet().await?;
    let p95 = |times: &[Duration]| summary(times).map_or(f64::INFINITY, |all| all.p95_seconds);
    let (before, during) = (p95(&peaceful), p95(&attacked));
    let ratio = during / before;
    // A killed VMM may be the healthy client's own: its job is lost, and it is told so.
    let may_fail = *attack == Attack::KilledVmms;
    let kills = kills.load(Ordering::Relaxed);
    let told = match may_fail {
        true => format!("; {kills} killed"),
        false => String::new(),
    };
    Ok(vec![Finding {
        name: format!("a healthy client beside {}", attack.name()),
        asked: format!("p95 at most {MOST_TIMES_SLOWER} × that in peace"),
        measured: format!(
            "{ratio:.2} × ({} and {}; {} and {} jobs, {failed_in_peace} and {failed} without their result{told})",
            millis(Duration::from_secs_f64(before.min(1e6))),
            millis(Duration::from_secs_f64(during.min(1e6))),
            peaceful.len(),
            attacked.len()
        ),
        held: ratio <= MOST_TIMES_SLOWER
            && failed_in_peace == 0
            && (failed == 0 || may_fail)
            && (kills > 0 || !may_fail),
    }])
}

/// Runs jobs for that long, each over a connection of its own; gives how many had no result.
async fn healthy(address: SocketAddr, time: Duration, times: &mut Vec<Duration>) -> usize {
    let (begun, mut failed) = (Instant::now(), 0);
    let job = hello();
    while begun.elapsed() < time {
        let asked = Instant::now();
        match once(address, &job).await {
            true => times.push(asked.elapsed()),
            false => failed += 1,
        }
    }
    failed
}

async fn once(address: SocketAddr, job: &Bytes) -> bool {
    let ask = async { Client::connect(address).await?.execute(job).await };
    ask.await.is_ok_and(|answer| is_hello(&answer))
}

/// Does it again and again, whatever comes of it.
async fn forever<F>(address: SocketAddr, mut deed: impl FnMut(SocketAddr) -> F)
where
    F: Future<Output = std::io::Result<()>>,
{
    loop {
        // The service closes such connections: that is its right.
        if deed(address).await.is_err() {
            sleep(LOUD_PAUSE).await;
        }
    }
}

async fn slow_header(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: ").await?;
    loop {
        stream.write_all(b"x").await?;
        sleep(SLOW_PAUSE).await;
    }
}

async fn endless_body(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!("{POST}transfer-encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    loop {
        stream.write_all(chunk.as_bytes()).await?;
        sleep(LOUD_PAUSE).await;
    }
}

async fn header_bomb(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let bomb = format!("{POST}x: {}\r\n\r\n", "y".repeat(1 << 20));
    sleep(LOUD_PAUSE).await;
    stream.write_all(bomb.as_bytes()).await
}

async fn work(address: SocketAddr) -> std::io::Result<()> {
    once(address, &hello()).await;
    Ok(())
}

async fn kill_vmms(daemon: u32, kills: Arc<AtomicUsize>) {
    let mut turn = 0;
    loop {
        let vmms = vmms_below(daemon);
        if let Some(vmm) = vmms.get(turn % vmms.len().max(1)) {
            let pid = rustix::process::Pid::from_raw(*vmm as i32);
            let kill = |pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            // One that ended meanwhile needs no killing.
            if pid.is_some_and(|pid| kill(pid).is_ok()) {
                kills.fetch_add(1, Ordering::Relaxed);
            }
        }
        turn += 1;
        sleep(KILL_PAUSE).await;
    }
}
