//! The service under load, from outside: a daemon of our own, real clients on loopback, real VMs.
//!
//! | module | what |
//! |---|---|
//! | [`daemon`] | the process that is measured: its address, its memory, its VMMs |
//! | [`client`] | one connection, one request after another |
//! | [`overhead`] | what HTTP adds to a pooled job |
//! | [`standing`] | memory with a thousand idle connections and five hundred waiting jobs |
//! | [`overload`] | three times as many jobs as it can do |
//! | [`steady`] | memory over two thousand jobs |
//! | [`dear`] | the most that clients can make it hold |
//! | [`hostile`], [`hostile_clients`] | a healthy client's time beside clients that mean no good, and what those do |
//!
//! Each part gives [`Finding`]s: what was asked for, what was measured, and whether it holds.

pub mod client;
pub mod daemon;
pub mod dear;

pub mod hostile;
pub mod hostile_clients;
pub mod overhead;
pub mod overload;
pub mod standing;
pub mod steady;

use crate::BenchError;
use daemon::Daemon;
use serde::Serialize;
use std::time::Duration;

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How long each part that is bounded by time takes.
    pub time: Duration,
    /// Jobs of the parts that are bounded by jobs.
    pub jobs: usize,
    /// Jobs that the service may run at one time.
    pub places: usize,
    /// Longest wait for a turn, as the service is configured.
    pub queue_patience: Duration,
    /// Jobs that may wait, as the service is configured.
    pub queued: usize,
}

/// One thing that was asked for, and what was seen.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What.
    pub name: String,
    /// What it must be, in words.
    pub asked: String,
    /// What it was, in words.
    pub measured: String,
    /// It was as asked.
    pub held: bool,
}

/// All parts, one after another; `found` hears of each finding when it is there.
pub async fn run(
    daemon: &Daemon,
    load: Load,
    mut found: impl FnMut(&Finding),
) -> Result<Vec<Finding>, BenchError> {
    let mut all = Vec::new();
    let mut note = |findings: Vec<Finding>| {
        findings.iter().for_each(&mut found);
        all.extend(findings);
    };
    note(overhead::measure(daemon, load).await?);
    note(standing::measure(daemon, load).await?);
    note(steady::measure(daemon, load).await?);
    note(overload::measure(daemon, load).await?);
    note(dear::measure(daemon, load).await?);
    for attack in hostile::ATTACKS {
        note(hostile::measure(daemon, load, attack).await?);
    }
    Ok(all)
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
