//! How often a key may ask: a token bucket each. Pure but for the clock that it is handed.

use crate::config::KeyLimits;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One key's tokens.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn full(limits: &KeyLimits, now: Instant) -> Bucket {
        Bucket {
            tokens: f64::from(limits.burst.max(1)),
            at: now,
        }
    }

    /// Takes a token, or says how long until there is one.
    fn take(&mut self, limits: &KeyLimits, now: Instant) -> Result<(), Duration> {
        let rate = limits.requests_per_second.max(0.001);
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * rate).min(f64::from(limits.burst.max(1)));
        self.at = now.max(self.at);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - self.tokens) / rate))
    }
}

/// The buckets of all keys; there are as many as there are keys.
#[derive(Debug, Default)]
pub struct RateLimiter {
    buckets: Mutex<HashMap<String, Bucket>>,
}

impl RateLimiter {
    /// Counts one request of this key, or says how long it has to wait.
    pub fn take(&self, key: &str, limits: &KeyLimits, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        match buckets.get_mut(key) {
            Some(bucket) => bucket.take(limits, now),
            None => {
                let mut bucket = Bucket::full(limits, now);
                let taken = bucket.take(limits, now);
                buckets.insert(key.to_owned(), bucket);
                taken
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_more_than_burst_and_rate_and_a_wait_is_enough(
            rate in 0.1f64..100.0, burst in 1u32..50,
            steps in proptest::collection::vec(0u64..2_000, 1..300),
        ) {
            let limits = KeyLimits { requests_per_second: rate, burst, ..KeyLimits::default() };
            let limiter = RateLimiter::default();
            let begin = Instant::now();
            let mut now = begin;
            let mut taken = 0u32;
            for step in steps {
                now += Duration::from_millis(step);
                match limiter.take("k", &limits, now) {
                    Ok(()) => taken += 1,
                    Err(wait) => {
                        // Another key does not notice.
                        let other = format!("other-{step}-{taken}");
                        prop_assert!(limiter.take(&other, &limits, now).is_ok());
                        // A nanosecond more than asked for: the float rounds.
                        now += wait + Duration::from_nanos(1000);
                        prop_assert!(limiter.take("k", &limits, now).is_ok());
                        taken += 1;
                    }
                }
            }
            let bound = f64::from(burst) + rate * (now - begin).as_secs_f64() + 0.01;
            prop_assert!(f64::from(taken) <= bound);
        }
    }
}
