//! What clients do that mean no good. Each attack is counted when it has had its effect, whatever comes of
//! it: the service closes such connections, and that is its right.

use super::daemon::vmms_below;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

/// Between two bytes of a slow header.
const SLOW_PAUSE: Duration = Duration::from_secs(1);
/// Between two hits of a loud client.
const LOUD_PAUSE: Duration = Duration::from_millis(20);
/// Between two killed VMMs.
const KILL_PAUSE: Duration = Duration::from_millis(500);
/// As much of a header bomb as is sent before it counts; a service may close after any of it.
const BOMB_BEGIN: usize = 1024;

const POST: &str =
    "POST /api/v1/execute HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

/// How often an attack was done: a header begun, a chunk sent, a connection opened, a VMM killed.
#[derive(Debug, Clone, Default)]
pub struct Hits(Arc<AtomicUsize>);

impl Hits {
    /// Once more.
    pub fn note(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// So often.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Does it again and again, whatever comes of it.
pub async fn forever<F>(
    address: SocketAddr,
    hits: Hits,
    mut attack: impl FnMut(SocketAddr, Hits) -> F,
) where
    F: Future<Output = std::io::Result<()>>,
{
    loop {
        if attack(address, hits.clone()).await.is_err() {
            sleep(LOUD_PAUSE).await;
        }
    }
}

/// A header that never ends, a byte at a time.
pub async fn slow_header(address: SocketAddr, hits: Hits) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: ").await?;
    hits.note();
    loop {
        stream.write_all(b"x").await?;
        sleep(SLOW_PAUSE).await;
    }
}

/// A body that never ends, as fast as it is taken.
pub async fn endless_body(address: SocketAddr, hits: Hits) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!("{POST}transfer-encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    loop {
        stream.write_all(chunk.as_bytes()).await?;
        hits.note();
        sleep(LOUD_PAUSE).await;
    }
}

/// A header of a megabyte.
pub async fn header_bomb(address: SocketAddr, hits: Hits) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let bomb = format!("{POST}x: {}\r\n\r\n", "y".repeat(1 << 20));
    sleep(LOUD_PAUSE).await;
    // It is closed in the middle: what came until then had to be looked at all the same.
    stream.write_all(&bomb.as_bytes()[..BOMB_BEGIN]).await?;
    hits.note();
    stream.write_all(&bomb.as_bytes()[BOMB_BEGIN..]).await
}

/// Kills one VMM after another, for ever.
pub async fn kill_vmms(daemon: u32, hits: Hits) {
    let mut turn = 0;
    loop {
        let vmms = vmms_below(daemon);
        if let Some(vmm) = vmms.get(turn % vmms.len().max(1)) {
            let pid = rustix::process::Pid::from_raw(*vmm as i32);
            let kill = |pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            // One that ended meanwhile needs no killing.
            if pid.is_some_and(|pid| kill(pid).is_ok()) {
                hits.note();
            }
        }
        turn += 1;
        sleep(KILL_PAUSE).await;
    }
}
