//! Refusals as they go to the event log: the first few of a source as they come, the others as one sum a
//! minute. Whoever has no key costs the log some lines a minute, however often it knocks: 4 GiB and 90 days
//! of other events are not pushed out by it. Pure but for the clock that it is handed.

use protocol::job::Owner;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long refusals are summed up before they are told.
const INTERVAL: Duration = Duration::from_secs(60);

/// Refusals of one code that are told one by one in an interval: of a key, of an address.
const TOLD_OF_A_KEY: u64 = 20;
const TOLD_OF_AN_ADDRESS: u64 = 1;

/// Addresses that are told apart in an interval; all others are one source together.
const MAX_ADDRESSES: usize = 16;

/// Who was refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// A key that counts.
    Key(Arc<Owner>),
    /// Somebody without one, by its address (of IPv6 the network: one client has a whole one).
    Address(IpAddr),
    /// Somebody without one, when there are too many.
    Others,
}

impl Source {
    /// The key, where there is one.
    pub fn owner(&self) -> Option<&Owner> {
        match self {
            Source::Key(owner) => Some(owner),
            Source::Address(_) | Source::Others => None,
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Key(key) => write!(f, "key {}", key.id),
            Source::Address(address) => write!(f, "address {address}"),
            Source::Others => f.write_str("others"),
        }
    }
}

/// Who asks, for those that stand around a request: its address, and its key once that was found to count.
#[derive(Debug, Clone)]
pub struct Asker {
    address: Option<IpAddr>,
    key: Arc<OnceLock<Arc<Owner>>>,
}

impl Asker {
    /// Somebody at this address.
    pub fn at(address: Option<IpAddr>) -> Asker {
        let network = |address: IpAddr| match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            address => address,
        };
        Asker {
            address: address.map(network),
            key: Arc::default(),
        }
    }

    /// Its key counts.
    pub fn is(&self, owner: Arc<Owner>) {
        // A request has one key; a second look finds the same.
        let _ = self.key.set(owner);
    }

    /// Its key, once that was found to count.
    pub fn owner(&self) -> Option<&Arc<Owner>> {
        self.key.get()
    }

    /// Under what its refusals are summed up.
    pub fn source(&self) -> Source {
        match (self.key.get(), self.address) {
            (Some(key), _) => Source::Key(key.clone()),
            (None, Some(address)) => Source::Address(address),
            (None, None) => Source::Others,
        }
    }
}

/// Refusals of one source and code that were not told one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// Where they came from.
    pub source: Source,
    /// Their code.
    pub code: &'static str,
    /// How many.
    pub count: u64,
}

#[derive(Debug, Default)]
struct Interval {
    began: Option<Instant>,
    counts: HashMap<(Source, &'static str), u64>,
    addresses: HashSet<IpAddr>,
}

/// The refusals of the interval that runs.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Interval>);

impl Refusals {
    /// Takes a refusal in; `true`: it is to be told now.
    pub fn take(&self, source: Source, code: &'static str, now: Instant) -> bool {
        let mut interval = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        interval.began.get_or_insert(now);
        let source = interval.known(source);
        let told = told_of(&source);
        let count = interval.counts.entry((source, code)).or_default();
        *count += 1;
        *count <= told
    }

    /// What was not told of the interval, once it is over; nothing before.
    pub fn sums(&self, now: Instant) -> Vec<Sum> {
        let mut interval = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match interval.began {
            Some(began) if now >= began + INTERVAL => std::mem::take(&mut *interval).sums(),
            _ => Vec::new(),
        }
    }

    /// The same at the end, over or not.
    pub fn last_sums(&self) -> Vec<Sum> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).sums()
    }
}

impl Interval {
    fn known(&mut self, source: Source) -> Source {
        let Source::Address(address) = source else {
            return source;
        };
        if self.addresses.len() >= MAX_ADDRESSES && !self.addresses.contains(&address) {
            return Source::Others;
        }
        self.addresses.insert(address);
        source
    }

    fn sums(self) -> Vec<Sum> {
        let untold = self.counts.into_iter().filter_map(|((source, code), all)| {
            let count = all.saturating_sub(told_of(&source));
            (count > 0).then_some(Sum {
                source,
                code,
                count,
            })
        });
        let mut sums: Vec<Sum> = untold.collect();
        sums.sort_by(|a, b| (&a.source, a.code).cmp(&(&b.source, b.code)));
        sums
    }
}

fn told_of(source: &Source) -> u64 {
    match source {
        Source::Key(_) => TOLD_OF_A_KEY,
        Source::Address(_) => TOLD_OF_AN_ADDRESS,
        Source::Others => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(id: &str) -> Arc<Owner> {
        let (id, name) = (id.to_owned(), "app".to_owned());
        Arc::new(Owner { id, name })
    }

    #[test]
    fn a_flood_without_a_key_is_a_few_events_a_minute() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        let mut told = 0;
        for n in 0..100_000u32 {
            let address = Source::Address(IpAddr::from((n % 1000).to_be_bytes()));
            told += usize::from(refusals.take(address, "unauthorized", now));
        }
        assert!(refusals.sums(now).is_empty());
        let sums = refusals.sums(now + INTERVAL);
        assert_eq!((told, sums.len()), (MAX_ADDRESSES, MAX_ADDRESSES + 1));
        let summed: u64 = sums.iter().map(|sum| sum.count).sum();
        assert_eq!(summed + told as u64, 100_000);
        // And the next minute begins anew.
        assert!(refusals.take(Source::Key(key("k")), "forbidden", now));
        assert!(refusals.last_sums().is_empty());
    }

    #[test]
    fn a_client_with_a_network_of_its_own_is_one_source() {
        let source = |text: &str| Asker::at(Some(text.parse().unwrap())).source();
        assert_eq!(source("2001:db8:1:2::3"), source("2001:db8:1:2:ffff::9"));
        assert_ne!(source("2001:db8:1:2::3"), source("2001:db8:1:3::3"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        let asker = Asker::at(None);
        assert_eq!(asker.source(), Source::Others);
        asker.is(key("k"));
        assert_eq!(asker.source(), Source::Key(key("k")));
    }

    proptest! {
        #[test]
        fn each_is_told_or_summed_up(
            askers in proptest::collection::vec((0u8..40, 0usize..3), 0..500),
        ) {
            let (refusals, now) = (Refusals::default(), Instant::now());
            let codes = ["unauthorized", "forbidden", "field_invalid"];
            let mut told = 0u64;
            for (who, code) in &askers {
                let source = match who {
                    0..3 => Source::Key(key(&who.to_string())),
                    _ => Source::Address(IpAddr::from([10, 0, 0, *who])),
                };
                told += u64::from(refusals.take(source, codes[*code], now));
            }
            let summed: u64 = refusals.last_sums().iter().map(|sum| sum.count).sum();
            prop_assert_eq!(told + summed, askers.len() as u64);
        }
    }
}
