//! What the dearest clients make the service hold: jobs that leave JSON of a million tiny values, clients that
//! take the largest answers slowly, and whether an answer on its way survives a crowd of connections.

use super::client::Client;
use super::daemon::Daemon;
use super::{Finding, Load, mib};
use crate::BenchError;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// From the service's specification: above what it holds idle.
const MOST_MB: f64 = 150.0;
const MB: f64 = 1e6;
/// Clients at one time.
const BOMBERS: usize = 4;
const READERS: usize = 3;
/// How fast a slow client reads: 100 KB a second, in ten steps.
const STEP_BYTES: usize = 10_000;
const STEP: Duration = Duration::from_millis(100);
/// Between two looks at the daemon's memory.
const LOOK: Duration = Duration::from_millis(20);
/// More connections than the service keeps (`http.connections`, 2048).
const CROWD: usize = 3000;
/// Of the answer that is to survive the crowd: more than the kernel's buffers hold.
const LASTING_BYTES: usize = 12 << 20;
/// Of a job's beginning, on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// All three.
pub async fn measure(daemon: &Daemon, load: Load) -> Result<Vec<Finding>, BenchError> {
    let time = (load.time / 4).max(Duration::from_secs(10));
    daemon.until_quiet().await?;
    // Once, before both: what the first leaves with the daemon counts for the second.
    let idle = daemon.memory()?.resident_bytes;
    let bombs = bomb_for(daemon.address, time);
    let bombs = held(
        daemon,
        idle,
        "jobs that leave 8 MiB of tiny JSON values",
        bombs,
    )
    .await?;
    let readers = read_slowly_for(daemon.address, time);
    let readers = held(
        daemon,
        idle,
        "clients that take the largest answers slowly",
        readers,
    )
    .await?;
    Ok(vec![bombs, readers, lasts(daemon).await?])
}

/// The most that the daemon holds while this goes on, which gives how often it was done.
async fn held(
    daemon: &Daemon,
    idle: u64,
    name: &str,
    attack: impl Future<Output = usize>,
) -> Result<Finding, BenchError> {
    daemon.until_quiet().await?;
    let mut most = idle;
    let mut attack = std::pin::pin!(attack);
    let done = loop {
        tokio::select! {
            done = &mut attack => break done,
            () = sleep(LOOK) => most = most.max(daemon.memory()?.resident_bytes),
        }
    };
    daemon.until_quiet().await?;
    let above = most.saturating_sub(idle) as f64 / MB;
    Ok(Finding {
        name: format!("memory beside {name}"),
        asked: format!("at most {MOST_MB} MB above idle"),
        measured: format!(
            "{above:.1} MB above {:.1} MiB; done {done} times",
            mib(idle)
        ),
        held: above <= MOST_MB && done > 0,
    })
}

async fn bomb_for(address: SocketAddr, time: Duration) -> usize {
    let code = r#"mkdir -p out; { printf '[{"":0}'; head -c 8388000 /dev/zero | tr '\0' x | sed 's/xxxxxxx/,{"":0}/g; s/x//g'; printf ']'; } > out/r.json"#;
    let job = json!({"language": "bash", "code": code, "timeout": 60}).to_string();
    let mut tasks = JoinSet::new();
    for _ in 0..BOMBERS {
        let job = job.clone().into();
        tasks.spawn(async move {
            let (begun, mut done) = (Instant::now(), 0);
            while begun.elapsed() < time {
                let Ok(mut client) = Client::connect(address).await else {
                    continue;
                };
                let answer = client.execute(&job).await;
                // Counted only where the JSON came through as JSON.
                done += usize::from(answer.is_ok_and(|answer| {
                    answer.body["artifacts"][0]["mime_type"] == "application/json"
                }));
            }
            done
        });
    }
    tasks.join_all().await.into_iter().sum()
}

/// The largest that a client may ask for: both streams at their maximum, of bytes that take six each in
/// JSON, and artifacts besides.
fn largest() -> Value {
    let code = "mkdir -p out; head -c 8000000 /dev/urandom > out/r.bin; head -c 16777216 /dev/zero | tr '\\0' '\\1' | tee /dev/stderr";
    json!({
        "language": "bash", "code": code, "timeout": 120,
        "output_bytes": 16 << 20, "memory_mib": 1024,
    })
}

async fn read_slowly_for(address: SocketAddr, time: Duration) -> usize {
    let mut tasks = JoinSet::new();
    for _ in 0..READERS {
        tasks.spawn(async move {
            let Ok(mut stream) = ask(address, &largest()).await else {
                return 0;
            };
            let mut step = vec![0; STEP_BYTES];
            let (asked, mut begun, mut read) = (Instant::now(), None, 0);
            // Two of the three wait for the first one's room: their time begins when this one's does.
            while begun.unwrap_or(asked).elapsed() < time {
                match tokio::time::timeout(STEP, stream.read(&mut step)).await {
                    Ok(Ok(bytes)) if bytes > 0 => {
                        begun.get_or_insert_with(Instant::now);
                        read += bytes;
                    }
                    Ok(_) => break,
                    Err(_) => continue,
                }
                sleep(STEP).await;
            }
            read / STEP_BYTES
        });
    }
    tasks.join_all().await.into_iter().sum()
}

/// An answer that is not out yet keeps its connection, however many others there are.
async fn lasts(daemon: &Daemon) -> Result<Finding, BenchError> {
    daemon.until_quiet().await?;
    let lost = |error: std::io::Error| BenchError::Daemon {
        reason: format!("an answer that is to last was not begun: {error}"),
    };
    let code = format!("head -c {LASTING_BYTES} /dev/zero | tr '\\0' a");
    let job =
        json!({"language": "bash", "code": code, "timeout": 60, "output_bytes": LASTING_BYTES});
    let mut stream = ask(daemon.address, &job).await.map_err(lost)?;
    let mut first = [0; 1];
    let begun = tokio::time::timeout(PATIENCE, stream.read_exact(&mut first)).await;
    begun
        .map_err(std::io::Error::from)
        .and_then(|read| read)
        .map_err(lost)?;
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        if let Ok(stream) = TcpStream::connect(daemon.address).await {
            crowd.push(stream);
        }
    }
    let mut rest = Vec::new();
    let read = stream.read_to_end(&mut rest);
    let _ = tokio::time::timeout(PATIENCE, read).await;
    let opened = crowd.len();
    Ok(Finding {
        name: "an answer on its way beside a crowd of connections".into(),
        asked: "comes whole".into(),
        measured: format!("{} bytes of it beside {opened} connections", rest.len()),
        held: rest.len() > LASTING_BYTES && opened == CROWD,
    })
}

/// Asks for a job over a connection of its own, which the service closes after it, and reads nothing yet.
async fn ask(address: SocketAddr, job: &Value) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // A small window: what is not read stays with the service.
    socket.set_recv_buffer_size(64 << 10)?;
    let mut stream = socket.connect(address).await?;
    let body = job.to_string();
    let head = format!(
        "POST /api/v1/execute HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    Ok(stream)
}
