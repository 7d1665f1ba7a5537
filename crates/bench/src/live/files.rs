//! A large file up and down again; a digest says whether what is there, and what comes back, is what was sent.

use super::judged::{Bound, Judged};
use super::room::{Ask, Room};
use crate::BenchError;
use crate::http::client::Lost;
use crate::http::daemon::Daemon;
use crate::stats::summary;
use hyper::body::Bytes;
use sha2::{Digest as _, Sha256};
use std::time::{Duration, Instant};

/// From the specification of sandboxes, in MB (10⁶ bytes), each way, of the median.
const BOUND: Bound = Bound::at_least(50.0, "MB/s");
const ROUNDS: usize = 5;
const MIB: usize = 1 << 20;
const FILE: &str = "/work/large.bin";

/// A file of that size, in MiB, several times.
pub async fn measure(daemon: &Daemon, mib: usize) -> Result<Vec<Judged>, BenchError> {
    let data = noise(mib * MIB);
    let (up, down) = Room::with(daemon, "a file", async |room| both(room, data).await).await?;
    let judged = |way: &str, times: &[Duration]| {
        let times = summary(times)?;
        let rate = |seconds: f64| (mib * MIB) as f64 / 1e6 / seconds;
        let detail = format!(
            "slowest {:.0} MB/s; {ROUNDS} times, the same digest",
            rate(times.max_seconds)
        );
        Some(BOUND.judge(
            format!("a file of {mib} MiB {way}, p50"),
            rate(times.p50_seconds),
            detail,
        ))
    };
    let both = [judged("up", &up), judged("down", &down)];
    Ok(both.into_iter().flatten().collect())
}

async fn both(room: &mut Room, data: Bytes) -> Result<(Vec<Duration>, Vec<Duration>), Lost> {
    let path = format!("/files?path={FILE}");
    let digest = hex::encode(Sha256::digest(&data));
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        room.ask(Ask::put(&path, data.clone())).await?;
        up.push(begun.elapsed());
        let there = room.run(&format!("sha256sum {FILE}")).await?;
        let begun = Instant::now();
        let back = room.bytes(Ask::get(&path)).await?;
        down.push(begun.elapsed());
        let back = hex::encode(Sha256::digest(&back));
        if there.split_whitespace().next() != Some(&*digest) || back != digest {
            return Err(format!("{digest} went up, {back} came down, there is {there}").into());
        }
        // It would stay beside the next one until that is whole.
        room.ask(Ask::delete(&path)).await?;
    }
    Ok((up, down))
}

/// Bytes that nothing on the way can make smaller: xorshift, the same each time.
fn noise(bytes: usize) -> Bytes {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut all = Vec::with_capacity(bytes);
    while all.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        all.extend_from_slice(&state.to_le_bytes());
    }
    all.truncate(bytes);
    all.into()
}
