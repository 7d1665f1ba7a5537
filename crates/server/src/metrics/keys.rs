//! What is counted by key. A label is a key's name, from the operator's file alone, and there are at most so many: whoever
//! comes later counts as `other`, so that a scraper's memory is bounded however many keys are made and revoked.

use crate::jobs::body::JobRow;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use protocol::result::STATUSES;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

/// Keys that have a label of their own; all others are one together.
const MAX_KEYS: usize = 50;
const OTHERS: &str = "other";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KeyStatusLabels {
    key: String,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KeyLabel {
    key: String,
}

/// What is counted by key.
#[derive(Debug, Clone, Default)]
pub struct KeyMetrics {
    names: Arc<Mutex<BTreeSet<String>>>,
    jobs: Family<KeyStatusLabels, Counter>,
    refusals: Family<KeyLabel, Counter>,
    cpu_seconds: Family<KeyLabel, Counter<f64, AtomicU64>>,
    run_seconds: Family<KeyLabel, Counter<f64, AtomicU64>>,
}

impl KeyMetrics {
    /// Puts each under its public name.
    pub fn register(&self, registry: &mut Registry) {
        let m = self.clone();
        registry.register("key_jobs", "Jobs that ended, by key and status", m.jobs);
        registry.register(
            "key_refusals",
            "Requests of a key that were refused",
            m.refusals,
        );
        registry.register("key_cpu_seconds", "CPU time of a key's jobs", m.cpu_seconds);
        registry.register(
            "key_run_seconds",
            "Time that compilers and programs of a key's jobs ran",
            m.run_seconds,
        );
    }

    /// Makes the series of these keys, so that an alert on an increase sees the first one.
    pub fn announce(&self, names: Vec<String>) {
        for name in names.into_iter().map(|name| self.label(&name)) {
            let key = name.clone();
            drop(self.refusals.get_or_create(&KeyLabel { key }));
            for status in STATUSES {
                let (key, status) = (name.clone(), status.as_str());
                drop(self.jobs.get_or_create(&KeyStatusLabels { key, status }));
            }
        }
    }

    /// A job ended.
    pub fn ended(&self, row: &JobRow) {
        let (key, status) = (self.label(&row.key_name), row.status);
        let label = KeyLabel { key: key.clone() };
        self.jobs
            .get_or_create(&KeyStatusLabels { key, status })
            .inc();
        for (family, seconds) in [
            (&self.cpu_seconds, row.cpu_seconds),
            (&self.run_seconds, row.execute_seconds),
        ] {
            let seconds = seconds.unwrap_or_default().max(0.0);
            family.get_or_create(&label).inc_by(seconds);
        }
    }

    /// A request of this key was refused.
    pub fn refused(&self, name: &str) {
        let key = self.label(name);
        self.refusals.get_or_create(&KeyLabel { key }).inc();
    }

    fn label(&self, name: &str) -> String {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() < MAX_KEYS && !names.contains(name) {
            names.insert(name.to_owned());
        }
        match names.contains(name) {
            true => name.to_owned(),
            false => OTHERS.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::text::encode;

    #[test]
    fn labels_are_bounded_however_many_keys_there_are() {
        let (metrics, mut registry) = (KeyMetrics::default(), Registry::default());
        metrics.register(&mut registry);
        metrics.announce(vec!["first".into()]);
        for n in 0..1000 {
            metrics.refused(&format!("key-{n}"));
        }
        metrics.refused("first");
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let refusals = text
            .lines()
            .filter(|line| line.starts_with("key_refusals_total"));
        assert_eq!(refusals.count(), MAX_KEYS + 1);
        let others = format!("key_refusals_total{{key=\"other\"}} {}", 1001 - MAX_KEYS);
        assert!(text.contains(&others), "{text}");
        assert!(text.contains("key_refusals_total{key=\"first\"} 1"));
    }
}
