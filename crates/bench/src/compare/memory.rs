//! Memory that a technology takes beside the program itself: everything that runs because of a job
//! that sleeps, found by looking at which processes are new, less what the program takes bare.

use super::contender::How;
use crate::program::Program;
use protocol::result::BootPath;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::process::Child;

/// How long a sleeping job sleeps, in seconds: longer than the slowest start and the measuring.
pub const SLEEP_SECONDS: u32 = 20;

/// How often new processes are looked for, and how long their memory must stand still.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The overhead, or `None` where it could not be measured.
pub async fn overhead(how: &How, program: &Program) -> Option<u64> {
    match how {
        How::Library {
            sandbox,
            path: BootPath::Pool,
            ..
        } => {
            let waiting = crate::latency::memory(sandbox);
            let of_language = waiting
                .iter()
                .find(|row| row.language == program.language)?;
            of_language.pss_bytes.iter().max().copied()
        }
        How::Library { sleep, .. } | How::Command { sleep, .. } => {
            let before = processes();
            let mut child = sleep.start().ok()?;
            let bytes = settled(&before).await;
            end(&mut child).await;
            wait_until_gone(&before).await;
            bytes
        }
    }
}

/// Asks the child to end, so that it cleans up after itself; what it started ends with it or when its
/// sleep is over.
async fn end(child: &mut Child) {
    // Not yet waited for, so the number is still this child's.
    let pid = child.id().and_then(|pid| Pid::from_raw(pid as i32));
    if let Some(pid) = pid {
        let _ = kill_process(pid, Signal::TERM);
    }
    let patience = Duration::from_secs(u64::from(SLEEP_SECONDS));
    if tokio::time::timeout(patience, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

/// PSS of all new processes, once it has stood still.
async fn settled(before: &BTreeSet<u32>) -> Option<u64> {
    let mut last = 0;
    for _ in 0..(SLEEP_SECONDS * 2 - 4) {
        tokio::time::sleep(LOOK_EVERY).await;
        let now: u64 = processes()
            .difference(before)
            .filter_map(|pid| pss(*pid))
            .sum();
        let still = now > 0 && now.abs_diff(last) < now / 50;
        if still {
            return Some(now);
        }
        last = now;
    }
    None
}

async fn wait_until_gone(before: &BTreeSet<u32>) {
    for _ in 0..SLEEP_SECONDS * 2 {
        if processes().difference(before).next().is_none() {
            return;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn processes() -> BTreeSet<u32> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// Proportional set size in bytes; `None` for kernel threads and what is gone.
/// Source: proc(5), `/proc/PID/smaps_rollup`.
fn pss(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}
