//! Bytes from one end to the other and back, counted, with a deadline on silence.

use super::meter::{Meter, Way};
use crate::reason::Reason;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Bytes of each direction at once: what a stream's window is filled with.
const CHUNK_BYTES: usize = 32 * 1024;
/// How long nothing may move in either direction (5 min): a long poll of an API is shorter.
pub const IDLE_DEADLINE: Duration = Duration::from_secs(300);

/// Carries both ways until both are over. An end that fails is an end: whoever is there sees it.
pub async fn both_ways(
    guest: impl AsyncRead + AsyncWrite,
    upstream: impl AsyncRead + AsyncWrite,
    meter: &Meter,
) -> Result<(), Reason> {
    let (from_guest, to_guest) = tokio::io::split(guest);
    let (from_upstream, to_upstream) = tokio::io::split(upstream);
    let moved = tokio::sync::Notify::new();
    let out = one_way(from_guest, to_upstream, (meter, Way::Sent), &moved);
    let back = one_way(from_upstream, to_guest, (meter, Way::Received), &moved);
    let both = async { tokio::try_join!(out, back).map(drop) };
    tokio::pin!(both);
    loop {
        tokio::select! {
            biased;
            over = &mut both => return over,
            quiet = timeout(IDLE_DEADLINE, moved.notified()) => {
                quiet.map_err(|_| Reason::IdleTimeout)?;
            }
        }
    }
}

async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    (meter, way): (&Meter, Way),
    moved: &tokio::sync::Notify,
) -> Result<(), Reason> {
    let mut chunk = vec![0; CHUNK_BYTES];
    while let Ok(count @ 1..) = from.read(&mut chunk).await {
        meter.count(way, count)?;
        moved.notify_one();
        if to.write_all(&chunk[..count]).await.is_err() || to.flush().await.is_err() {
            break;
        }
        moved.notify_one();
    }
    let _ = to.shutdown().await;
    Ok(())
}
