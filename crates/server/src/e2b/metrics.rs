//! What a sandbox uses now, asked of the guest itself: it is the sandbox's own word, and counts for nothing here.

use super::control::Owned;
use super::envd;
use super::error::AsE2b;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::process::{ProcessLimitsRequest, ProcessRequest, Wanted};
use crate::sandboxes::table::UsedSandbox;
use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Bytes of the answer that are read.
const MAX_ANSWER: usize = 64 * 1024;
/// Seconds that the question may take.
const PATIENCE: f64 = 5.0;
/// Twice the CPUs' times with a pause between, then memory, then the work folder's blocks.
const QUESTION: &str = "read -r a < /proc/stat; echo \"$a\"; sleep 0.1; read -r a < /proc/stat; echo \"$a\"; \
                        while read -r a; do echo \"$a\"; done < /proc/meminfo; df -B1 --output=used,size /work | tail -n1";
const MIB: u64 = 1024 * 1024;

/// What a sandbox uses.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricBody {
    timestamp: String,
    timestamp_unix: i64,
    cpu_count: u32,
    cpu_used_pct: f64,
    mem_used: u64,
    mem_total: u64,
    mem_cache: u64,
    disk_used: u64,
    disk_total: u64,
}

/// Of which time metrics are wanted, in seconds since 1970-01-01 UTC.
#[derive(Debug, Default, Deserialize)]
pub struct Window {
    #[serde(default)]
    start: Option<i64>,
    #[serde(default)]
    end: Option<i64>,
}

/// Seconds that clocks may differ by, and a request may take.
const SLACK: i64 = 10;

impl Window {
    fn holds(&self, now: i64) -> bool {
        let begun = self
            .start
            .is_none_or(|start| start <= now.saturating_add(SLACK));
        begun && self.end.is_none_or(|end| end >= now.saturating_sub(SLACK))
    }
}

/// `GET /sandboxes/{id}/metrics`: one point, of now; nothing is kept of before.
pub async fn metrics(
    Owned(used): Owned,
    window: Result<Query<Window>, QueryRejection>,
) -> Result<Json<Vec<MetricBody>>, AsE2b> {
    let window = window.map_err(|_| {
        AsE2b(Problem::with(
            HttpCode::FieldInvalid,
            "start or end is no number of seconds",
        ))
    })?;
    let now = Timestamp::now();
    if !window.holds(now.as_second()) {
        return Ok(Json(Vec::new()));
    }
    let answer = asked(&used).await?;
    let limits = &used.slot.job.limits;
    let metric = MetricBody {
        timestamp: now.to_string(),
        timestamp_unix: now.as_second(),
        cpu_count: limits.vcpus,
        mem_total: u64::from(limits.memory_mib) * MIB,
        disk_total: u64::from(used.slot.disk_mib()) * MIB,
        ..MetricBody::default()
    };
    Ok(Json(vec![metric.with(&answer)]))
}

/// What a guest answers, as far as it does.
async fn asked(used: &UsedSandbox) -> Result<String, Problem> {
    let request = ProcessRequest {
        cmd: Some(QUESTION.to_owned()),
        kept_bytes: Some(0),
        limits: ProcessLimitsRequest {
            timeout: Some(PATIENCE),
            ..ProcessLimitsRequest::default()
        },
        ..ProcessRequest::default()
    };
    let Wanted { spec, .. } = request.wanted(&used.app, &used.slot)?;
    let started = used.live.start_followed(spec).await;
    let (id, mut output) = started.map_err(|error| envd::problem(used, error))?;
    let mut answer = Vec::new();
    while let Some(piece) = output
        .next()
        .await
        .map_err(|error| envd::problem(used, error))?
    {
        if answer.len() < MAX_ANSWER {
            answer.extend_from_slice(&piece.data);
        }
    }
    // It is over when its output is; a moment later at most.
    if used.live.wait(id).await.is_ok() {
        let _ = used.live.forget(id).await;
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

impl MetricBody {
    /// What a guest says of itself, within what it has.
    fn with(mut self, answer: &str) -> MetricBody {
        let mut times = Vec::new();
        let (mut available, mut total) = (None, None);
        for line in answer.lines() {
            let mut words = line.split_whitespace();
            let first = words.next().unwrap_or_default();
            let rest: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
            let kib = rest.first().map(|kib| kib.saturating_mul(1024));
            match first {
                "cpu" => times.push(rest),
                "MemTotal:" => total = kib,
                "MemAvailable:" => available = kib,
                "Cached:" => self.mem_cache = kib.unwrap_or(0).min(self.mem_total),
                used => {
                    if let (Ok(used), Some(size)) = (used.parse::<u64>(), rest.first()) {
                        self.disk_total = (*size).min(self.disk_total.max(*size));
                        self.disk_used = used.min(self.disk_total);
                    }
                }
            }
        }
        if let (Some(total), Some(available)) = (total, available) {
            self.mem_used = total.saturating_sub(available).min(self.mem_total);
        }
        if let [before, after, ..] = &times[..] {
            self.cpu_used_pct = busy(before, after) * 100.0;
        }
        self
    }
}

/// The part of the time in between that CPUs were not idle (`/proc/stat`: the fourth and the fifth number are idle).
fn busy(before: &[u64], after: &[u64]) -> f64 {
    let sum = |times: &[u64]| {
        times
            .iter()
            .fold(0, |sum: u64, time| sum.saturating_add(*time))
    };
    let idle = |times: &[u64]| sum(times.get(3..5).unwrap_or_default());
    let whole = sum(after).saturating_sub(sum(before));
    let idle = idle(after).saturating_sub(idle(before));
    match whole {
        0 => 0.0,
        whole => 1.0 - (idle.min(whole) as f64 / whole as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_word_is_kept_within_what_it_has() {
        let metric = || MetricBody {
            mem_total: 1000 * 1024,
            ..MetricBody::default()
        };
        let answer = "cpu 10 0 10 80 0\ncpu 20 0 20 160 0\nMemTotal: 900 kB\nMemAvailable: 400 kB\nCached: 9999999 kB\n5 100\n";
        let told = metric().with(answer);
        assert_eq!((told.mem_used, told.mem_cache), (500 * 1024, 1000 * 1024));
        assert_eq!((told.disk_used, told.disk_total), (5, 100));
        assert!((told.cpu_used_pct - 20.0).abs() < 0.01);
        for hostile in [
            "",
            "cpu",
            "cpu 1\ncpu 0",
            "MemTotal: x",
            "cpu 18446744073709551615 1\ncpu 0 0 0 0 0",
        ] {
            let told = metric().with(hostile);
            assert!((0.0..=100.0).contains(&told.cpu_used_pct), "{hostile}");
        }
    }
}
