//! When a sandbox ends by itself. Pure: it is handed the time.
//!
//! ```text
//!  requests open: only the total time counts
//!  none open:     the total time, and the idle time since the last one ended
//! ```
//!
//! A process alone keeps no sandbox: who wants its output asks for it, and that is a request.

use super::expiry::{End, Limit};
use std::time::Duration;
use tokio::time::Instant;

/// Requests that one sandbox has open at one time: a hundred processes can be followed, and a dozen things asked besides.
/// Each may hold a connection and some 160 KiB (a window of output, its copy, one event) for as long as its client
/// likes; so all of eight sandboxes hold 140 MiB.
pub const MAX_OPEN: usize = 112;

/// One sandbox's times.
#[derive(Debug)]
pub struct Clock {
    total: Duration,
    idle: Duration,
    ends_at: Instant,
    idle_since: Instant,
    open: usize,
    /// The ends that were told of, one a limit.
    told: Vec<End>,
}

impl Clock {
    /// Both times begin now.
    pub fn new(total: Duration, idle: Duration, now: Instant) -> Clock {
        Clock {
            total,
            idle,
            ends_at: now + total,
            idle_since: now,
            open: 0,
            told: Vec::new(),
        }
    }

    /// The total time, which is this one from here on, begins anew.
    pub fn extend(&mut self, total: Duration, now: Instant) {
        self.total = total;
        self.ends_at = now + total;
    }

    /// The total time as it was asked for.
    pub fn total(&self) -> Duration {
        self.total
    }

    /// How much of the total time is left.
    pub fn total_left(&self, now: Instant) -> Duration {
        self.ends_at.saturating_duration_since(now)
    }

    /// A request begins, unless too many are open already.
    pub fn begins(&mut self) -> Option<()> {
        let room = self.open < MAX_OPEN;
        room.then(|| self.open += 1)
    }

    /// A request that began is over.
    pub fn ends(&mut self, now: Instant) {
        self.open = self.open.saturating_sub(1);
        self.idle_since = now;
    }

    /// Requests that are open.
    pub fn open(&self) -> usize {
        self.open
    }

    /// The end that comes first, if nobody does anything.
    pub fn next_end(&self) -> End {
        let total = End {
            limit: Limit::Total,
            at: self.ends_at,
            length: self.total,
        };
        let idle = End {
            limit: Limit::Idle,
            at: self.idle_since + self.idle,
            length: self.idle,
        };
        match self.open == 0 && idle.at < total.at {
            true => idle,
            false => total,
        }
    }

    /// Whether one of the times is up.
    pub fn is_over(&self, now: Instant) -> bool {
        now >= self.next_end().at
    }

    /// The next end, when it is time to tell of it: once.
    pub fn tell(&mut self, now: Instant) -> Option<End> {
        let end = self.next_end();
        if self.told.contains(&end) || !end.is_near(now) {
            return None;
        }
        self.told.retain(|told| told.limit != end.limit);
        self.told.push(end);
        Some(end)
    }

    /// The next end, where it was told of.
    pub fn told(&self) -> Option<End> {
        let end = self.next_end();
        self.told.contains(&end).then_some(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_ends_when_nobody_asks_or_all_its_time_is_up() {
        let zero = Instant::now();
        let at = |n| zero + seconds(n);
        let new = || Clock::new(seconds(100), seconds(10), zero);
        let mut clock = new();
        assert!(!clock.is_over(at(9)) && clock.is_over(at(10)));
        clock.begins().unwrap();
        clock.begins().unwrap();
        clock.ends(at(20));
        assert!(!clock.is_over(at(99)), "one is open");
        assert!(clock.is_over(at(100)), "the total time does not wait");
        clock.ends(at(30));
        assert!(!clock.is_over(at(39)) && clock.is_over(at(40)));
        let mut clock = new();
        clock.begins().unwrap();
        clock.extend(seconds(50), at(80));
        assert!(!clock.is_over(at(129)) && clock.is_over(at(130)));
        assert_eq!(clock.total(), seconds(50));
    }

    #[test]
    fn each_end_is_told_once_and_one_that_moves_is_another() {
        let zero = Instant::now();
        let at = |n| zero + seconds(n);
        let (idle, total) = (Some(Limit::Idle), Some(Limit::Total));
        let mut clock = Clock::new(seconds(100), seconds(20), zero);
        let mut steps = 0;
        // A second, what happens then, and what is told after it.
        for (second, what, told) in [
            (17, "", None),
            (18, "", idle),
            (19, "", None),
            (19, "use", None),
            (36, "", None),
            (37, "", idle),
            (38, "begin", None),
            (89, "", None),
            (90, "", total),
            (95, "", None),
            (95, "extend", None),
            (96, "end", None),
            (114, "", idle),
            // The idle end is near still, and the total one comes before it.
            (115, "shorten", total),
            (115, "extend", None),
        ] {
            let now = at(second);
            match what {
                "use" => {
                    clock.begins().unwrap();
                    clock.ends(now);
                }
                "begin" => clock.begins().unwrap(),
                "end" => clock.ends(now),
                "extend" => clock.extend(seconds(100), now),
                "shorten" => clock.extend(Duration::from_millis(500), now),
                _ => {}
            }
            assert!(!clock.is_over(now), "{second} {what}");
            let end = clock.tell(now).map(|end| end.limit);
            assert_eq!(end, told, "{second} {what}");
            steps += usize::from(end.is_some());
        }
        assert_eq!(steps, 5);
        assert_eq!(clock.told().map(|end| end.limit), idle);
    }

    #[test]
    fn open_requests_are_bounded() {
        let mut clock = Clock::new(seconds(9), seconds(9), Instant::now());
        for _ in 0..MAX_OPEN {
            clock.begins().unwrap();
        }
        assert_eq!(clock.begins(), None);
        clock.ends(Instant::now());
        assert_eq!(clock.begins(), Some(()));
    }
}
