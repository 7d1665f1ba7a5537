//! That a sandbox is about to end by itself: which limit ends it, when, and what is told of that beforehand.
//!
//! Told once of each end, to the event log and to all who follow a process. An end that moves, because the sandbox was
//! used or given more time, is another one.

use serde::Serialize;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use utoipa::ToSchema;

/// A tenth of the limit before the end, between these: whoever hears of it must have time to act, and an hour's
/// sandbox is no news six minutes before.
const LEAST_LEAD: Duration = Duration::from_secs(1);
const MOST_LEAD: Duration = Duration::from_secs(60);

/// What ends a sandbox by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Limit {
    /// Nobody asked for anything.
    Idle,
    /// All its time is up.
    Total,
}

/// An end to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// What ends it.
    pub limit: Limit,
    /// When.
    pub at: Instant,
    /// How long the limit is.
    pub length: Duration,
}

impl End {
    /// Whether it is time to tell of it.
    pub fn is_near(&self, now: Instant) -> bool {
        let lead = (self.length / 10).clamp(LEAST_LEAD, MOST_LEAD);
        now + lead >= self.at
    }

    /// What is told of it.
    pub fn told(&self, now: Instant) -> ExpiringBody {
        let left = self.at.saturating_duration_since(now);
        ExpiringBody {
            limit: self.limit,
            seconds_left: left.as_millis() as f64 / 1000.0,
        }
    }
}

/// The sandbox ends by itself soon, unless it is used (`idle`) or given more time (`total`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct ExpiringBody {
    /// Which limit ends it.
    pub limit: Limit,
    /// Seconds until then.
    #[serde(serialize_with = "protocol::result::micros")]
    pub seconds_left: f64,
}

/// Hands ends to all who listen.
#[derive(Debug, Default)]
pub struct Herald(watch::Sender<Option<End>>);

impl Herald {
    /// Tells them of this one.
    pub fn tell(&self, end: End) {
        self.0.send_replace(Some(end));
    }

    /// Listens from now on; `known` is an end that the others have heard of already.
    pub fn listen(&self, known: Option<End>) -> Notices {
        Notices {
            known,
            receiver: self.0.subscribe(),
        }
    }
}

/// What one listener hears.
#[derive(Debug)]
pub struct Notices {
    known: Option<End>,
    receiver: watch::Receiver<Option<End>>,
}

impl Notices {
    /// The next end that is told; may never come. Cancel-safe.
    pub async fn next(&mut self) -> ExpiringBody {
        loop {
            if let Some(end) = self.known.take() {
                return end.told(Instant::now());
            }
            if self.receiver.changed().await.is_err() {
                return std::future::pending().await;
            }
            self.known = *self.receiver.borrow_and_update();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_a_tenth_before_within_bounds() {
        let zero = Instant::now();
        for (length, lead) in [
            (1.0, 1.0),
            (5.0, 1.0),
            (300.0, 30.0),
            (600.0, 60.0),
            (3600.0, 60.0),
        ] {
            let length = Duration::from_secs_f64(length);
            let end = End {
                limit: Limit::Total,
                at: zero + length,
                length,
            };
            let near = end.at - Duration::from_secs_f64(lead);
            assert!(end.is_near(near), "{length:?}");
            assert_eq!(end.told(near).seconds_left, lead);
            let before = near.checked_sub(Duration::from_millis(1)).unwrap();
            assert!(!end.is_near(before), "{length:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_listener_hears_of_each_end_once_also_of_one_that_is_told_already() {
        let herald = Herald::default();
        let end = |limit, seconds| End {
            limit,
            at: Instant::now() + Duration::from_secs(seconds),
            length: Duration::from_secs(100),
        };
        let mut early = herald.listen(None);
        let first = end(Limit::Total, 10);
        herald.tell(first);
        let mut late = herald.listen(Some(first));
        for notices in [&mut early, &mut late] {
            let told = notices.next().await;
            assert_eq!((told.limit, told.seconds_left), (Limit::Total, 10.0));
        }
        for notices in [&mut early, &mut late] {
            let again = tokio::time::timeout(Duration::from_secs(1), notices.next());
            assert!(again.await.is_err());
        }
        herald.tell(end(Limit::Idle, 5));
        assert_eq!(early.next().await.limit, Limit::Idle);
    }
}
