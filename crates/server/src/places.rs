//! Places of VMs that stay, sessions and sandboxes together, and of requests that images are made for: how many each key
//! holds, and all keys.

use crate::app::App;
use crate::keys::Principal;
use crate::packages;
use crate::problem::{HttpCode, Problem};
use prometheus_client::metrics::gauge::Gauge;
use sandbox::admission::fair_queue::fair_share;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who holds how many.
#[derive(Debug, Default)]
pub struct Places {
    // Held for a few map operations, never over an await.
    by_key: Mutex<HashMap<String, usize>>,
    gauge: Gauge,
}

/// The place of one VM, or of one build; given back when dropped.
#[derive(Debug)]
pub struct VmPlace {
    places: Arc<Places>,
    key: String,
}

/// The most places that may be held.
#[derive(Debug, Clone, Copy)]
struct Most {
    of_key: usize,
    of_all: usize,
}

impl Places {
    /// No place is held; the gauge says how many are.
    pub fn new(gauge: Gauge) -> Arc<Places> {
        Arc::new(Places {
            by_key: Mutex::default(),
            gauge,
        })
    }

    fn by_key(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(self: &Arc<Self>, key: &str, most: Most) -> Option<VmPlace> {
        let mut by_key = self.by_key();
        let all: usize = by_key.values().sum();
        let own = by_key.get(key).copied().unwrap_or(0);
        if own >= most.of_key || all >= most.of_all {
            return None;
        }
        by_key.insert(key.to_owned(), own + 1);
        self.gauge.inc();
        Some(VmPlace {
            places: self.clone(),
            key: key.to_owned(),
        })
    }
}

impl Drop for VmPlace {
    fn drop(&mut self) {
        let mut by_key = self.places.by_key();
        if let Some(own) = by_key.get_mut(&self.key) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                by_key.remove(&self.key);
            }
        }
        self.places.gauge.dec();
    }
}

impl App {
    /// A place for one more VM of this key that stays, or why there is none.
    pub fn place(&self, who: &Principal) -> Result<VmPlace, Problem> {
        let of_all = self.config().sessions.sessions;
        let share = fair_share(of_all, self.keys.executors());
        let most = Most {
            of_key: who.limits.sessions.min(share),
            of_all,
        };
        self.places
            .take(&who.id, most)
            .ok_or_else(|| Problem::new(HttpCode::TooManySessions).retry_after(5))
    }
}

impl App {
    /// A place for one more request of this key that an image is made for, or why there is none.
    pub fn build_place(&self, who: &Principal) -> Result<VmPlace, Problem> {
        let most = Most {
            of_key: packages::MAX_OF_KEY,
            of_all: packages::MAX_OF_ALL,
        };
        let busy = || {
            let sentence = "as many images with packages are being made as may be; try again when they are there";
            Problem::with(HttpCode::TooManyJobs, sentence).retry_after(5)
        };
        self.builds.take(&who.id, most).ok_or_else(busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_for_a_key_and_for_all_and_come_back() {
        let gauge = Gauge::default();
        let places = Places::new(gauge.clone());
        let take = |key| {
            let (of_key, of_all) = (2, 3);
            places.take(key, Most { of_key, of_all })
        };
        let (first, second) = (take("a").unwrap(), take("a").unwrap());
        assert!(take("a").is_none());
        let third = take("b").unwrap();
        assert!(take("b").is_none() && take("c").is_none());
        assert_eq!(gauge.get(), 3);
        drop(first);
        let fourth = take("c").unwrap();
        assert!(take("a").is_none());
        drop((second, third, fourth));
        assert_eq!(gauge.get(), 0);
        assert!(places.by_key().is_empty());
    }
}
