//! Places of VMs that stay, sessions and sandboxes together, and of requests that images are made for: how many each key
//! holds, and all keys.

use crate::app::App;
use crate::keys::Principal;
use crate::packages;
use crate::problem::{HttpCode, Problem};
use crate::usage::row::UsageRow;
use prometheus_client::metrics::gauge::Gauge;
use protocol::job::Owner;
use sandbox::admission::fair_queue::fair_share;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Who holds how many.
#[derive(Debug, Default)]
pub struct Places {
    // Held for a few map operations, never over an await.
    held: Mutex<Held>,
    gauge: Gauge,
}

#[derive(Debug, Default)]
struct Held {
    by_key: HashMap<String, usize>,
    /// Of places whose VMs count, each since when it was last counted.
    counted: HashMap<u64, Counted>,
    next: u64,
    /// What was used and not taken yet.
    used: BTreeMap<Arc<Owner>, UsageRow>,
}

#[derive(Debug)]
struct Counted {
    owner: Arc<Owner>,
    memory_mib: u32,
    since: Instant,
}

impl Held {
    /// Counts what a place was used for until now.
    fn count(&mut self, id: u64, now: Instant) {
        let Some(counted) = self.counted.get_mut(&id) else {
            return;
        };
        let seconds = now.saturating_duration_since(counted.since).as_secs_f64();
        counted.since = now;
        let used = self.used.entry(counted.owner.clone()).or_default();
        used.sandbox_seconds += seconds;
        used.memory_gib_seconds += seconds * f64::from(counted.memory_mib) / 1024.0;
    }
}

/// Who asks for a place.
#[derive(Debug)]
struct Holder {
    owner: Arc<Owner>,
    /// MiB of the VM that stays there, in its key's usage; `None`: a build's, which is not counted.
    memory_mib: Option<u32>,
}

/// The place of one VM, or of one build; given back when dropped.
#[derive(Debug)]
pub struct VmPlace {
    places: Arc<Places>,
    key: String,
    counted: Option<u64>,
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
            held: Mutex::default(),
            gauge,
        })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What VMs that stay were used for since this was last asked, by key.
    pub fn take_used(&self) -> BTreeMap<Arc<Owner>, UsageRow> {
        let mut held = self.held();
        let now = Instant::now();
        let ids: Vec<u64> = held.counted.keys().copied().collect();
        for id in ids {
            held.count(id, now);
        }
        std::mem::take(&mut held.used)
    }

    fn take(self: &Arc<Self>, holder: Holder, most: Most) -> Option<VmPlace> {
        let Holder { owner, memory_mib } = holder;
        let key = owner.id.clone();
        let mut held = self.held();
        let all: usize = held.by_key.values().sum();
        let own = held.by_key.get(&key).copied().unwrap_or(0);
        if own >= most.of_key || all >= most.of_all {
            return None;
        }
        held.by_key.insert(key.clone(), own + 1);
        let counted = memory_mib.map(|memory_mib| {
            let (id, since) = (held.next, Instant::now());
            held.next += 1;
            held.used.entry(owner.clone()).or_default().sandboxes += 1;
            let counted = Counted {
                owner,
                memory_mib,
                since,
            };
            held.counted.insert(id, counted);
            id
        });
        self.gauge.inc();
        Some(VmPlace {
            places: self.clone(),
            key,
            counted,
        })
    }
}

impl Drop for VmPlace {
    fn drop(&mut self) {
        let mut held = self.places.held();
        if let Some(id) = self.counted {
            held.count(id, Instant::now());
            held.counted.remove(&id);
        }
        if let Some(own) = held.by_key.get_mut(&self.key) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                held.by_key.remove(&self.key);
            }
        }
        self.places.gauge.dec();
    }
}

impl App {
    /// A place for one more VM of this key and of so many MiB that stays, or why there is none.
    pub fn place(&self, who: &Principal, memory_mib: u32) -> Result<VmPlace, Problem> {
        let of_all = self.config.sessions.sessions;
        let share = fair_share(of_all, self.keys.executors());
        let most = Most {
            of_key: who.limits.sessions.min(share),
            of_all,
        };
        let holder = Holder {
            owner: who.owner(),
            memory_mib: Some(memory_mib),
        };
        self.places
            .take(holder, most)
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
        let holder = Holder {
            owner: who.owner(),
            memory_mib: None,
        };
        self.builds.take(holder, most).ok_or_else(busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(key: &str) -> Arc<Owner> {
        let (id, name) = (key.to_owned(), String::new());
        Arc::new(Owner { id, name })
    }

    #[test]
    fn places_are_bounded_for_a_key_and_for_all_and_come_back() {
        let gauge = Gauge::default();
        let places = Places::new(gauge.clone());
        let take = |key| {
            let (of_key, of_all) = (2, 3);
            let owner = owner(key);
            let memory_mib = Some(2048);
            places.take(Holder { owner, memory_mib }, Most { of_key, of_all })
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
        let held = places.held();
        assert!(held.by_key.is_empty() && held.counted.is_empty());
    }

    #[test]
    fn what_a_place_is_used_for_is_counted_once() {
        let places = Places::new(Gauge::default());
        let holder = |key, memory_mib| Holder {
            owner: owner(key),
            memory_mib,
        };
        let most = Most {
            of_key: 9,
            of_all: 9,
        };
        let place = places.take(holder("a", Some(2048)), most).unwrap();
        let build = places.take(holder("b", None), most).unwrap();
        let begun = Instant::now();
        std::thread::sleep(std::time::Duration::from_millis(20));
        let first = places.take_used()[&owner("a")].clone();
        drop((place, build));
        let mut all = first.clone();
        all.add(&places.take_used()[&owner("a")]);
        let most = begun.elapsed().as_secs_f64() + 1.0;
        assert_eq!((first.sandboxes, all.sandboxes), (1, 1));
        assert!(first.sandbox_seconds >= 0.02 && all.sandbox_seconds < most);
        assert!((all.memory_gib_seconds - 2.0 * all.sandbox_seconds).abs() < 1e-6);
        assert!(places.take_used().is_empty());
    }
}
