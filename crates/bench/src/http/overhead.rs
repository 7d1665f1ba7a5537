//! What HTTP adds: a client's time of a pooled job, less the time that the answer itself says the
//! library took. Both are of the same job, so the host's noise is in both.

use super::client::{hello, is_hello};
use super::daemon::Daemon;
use super::{Finding, Load, millis};
use crate::BenchError;
use crate::stats::summary;
use std::time::Duration;

/// Issue of this limit: the service's specification.
const MOST_P50: Duration = Duration::from_millis(2);
/// Enough for a median; each waits for the pool first.
const MOST_JOBS: usize = 200;

/// Runs pooled jobs one after another.
pub async fn measure(daemon: &Daemon, load: Load) -> Result<Vec<Finding>, BenchError> {
    let mut client = daemon.connect().await?;
    let (job, mut added, mut whole) = (hello(), Vec::new(), Vec::new());
    for _ in 0..load.jobs.min(MOST_JOBS) {
        daemon.until_ready().await?;
        let answer = client.execute(&job).await;
        let answer = answer.map_err(|error| BenchError::Daemon {
            reason: format!("a pooled job was lost: {error}"),
        })?;
        let timings = &answer.body["timings"];
        let own = timings["total"].as_f64().filter(|_| is_hello(&answer));
        let Some(own) = own.filter(|_| timings["path"] == "pool") else {
            let reason = format!("a pooled job came to {}", answer.body);
            return Err(BenchError::Daemon { reason });
        };
        added.push(answer.took.saturating_sub(Duration::from_secs_f64(own)));
        whole.push(answer.took);
    }
    let (Some(added), Some(whole)) = (summary(&added), summary(&whole)) else {
        let reason = "no job was measured".into();
        return Err(BenchError::Daemon { reason });
    };
    let p50 = Duration::from_secs_f64(added.p50_seconds);
    Ok(vec![Finding {
        name: "HTTP adds to a pooled job".into(),
        asked: format!("p50 at most {}", millis(MOST_P50)),
        measured: format!(
            "p50 {}, p95 {}; the whole job p50 {}; {} jobs",
            millis(p50),
            millis(Duration::from_secs_f64(added.p95_seconds)),
            millis(Duration::from_secs_f64(whole.p50_seconds)),
            added.runs
        ),
        held: p50 <= MOST_P50,
    }])
}
