//! Percentiles of measured times.

use serde::Serialize;
use std::time::Duration;

/// What many runs of one thing came to, in seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// How many runs.
    pub runs: usize,
    /// Half of the runs took at most this.
    pub p50_seconds: f64,
    /// 95 of 100 took at most this.
    pub p95_seconds: f64,
    /// 99 of 100 took at most this.
    pub p99_seconds: f64,
    /// The fastest.
    pub min_seconds: f64,
    /// The slowest.
    pub max_seconds: f64,
}

/// Sums up; `None` of nothing.
pub fn summary(times: &[Duration]) -> Option<Summary> {
    let mut sorted: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
    sorted.sort_by(f64::total_cmp);
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    Some(Summary {
        runs: sorted.len(),
        p50_seconds: percentile(&sorted, 50),
        p95_seconds: percentile(&sorted, 95),
        p99_seconds: percentile(&sorted, 99),
        min_seconds: min,
        max_seconds: max,
    })
}

/// The nearest-rank percentile: a time that was really measured.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted[rank.min(sorted.len()) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_median_of_five_is_the_third() {
        let times: Vec<_> = [5, 1, 4, 2, 3].map(Duration::from_secs).to_vec();
        let summary = summary(&times).unwrap();
        assert_eq!(summary.p50_seconds, 3.0);
        assert_eq!(summary.p99_seconds, 5.0);
    }

    proptest! {
        #[test]
        fn percentiles_are_ordered_and_were_measured(millis in proptest::collection::vec(0u64..10_000, 1..60)) {
            let times: Vec<_> = millis.iter().copied().map(Duration::from_millis).collect();
            let s = summary(&times).unwrap();
            let ordered = [s.min_seconds, s.p50_seconds, s.p95_seconds, s.p99_seconds, s.max_seconds];
            prop_assert!(ordered.is_sorted());
            for value in ordered {
                prop_assert!(times.iter().any(|time| time.as_secs_f64() == value));
            }
        }
    }
}
