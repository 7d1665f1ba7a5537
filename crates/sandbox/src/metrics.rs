//! What the sandbox counts. Labels are bounded: engine, path, language and status are closed sets.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use protocol::language::{self, Language};
use protocol::result::{BootPath, JobResult, STATUSES, Status};

/// Labels of the two histograms.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct VmLabels {
    engine: String,
    path: &'static str,
    language: &'static str,
}

/// Label of the jobs counter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StatusLabel {
    status: &'static str,
}

/// Label of what is kept by language.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LanguageLabel {
    language: &'static str,
}

/// From 5 ms (a pooled answer) to 160 s, doubling.
fn seconds_buckets() -> Histogram {
    Histogram::new((0..16).map(|n| 0.005 * f64::from(1 << n)))
}

/// All metrics of one sandbox.
#[derive(Debug, Clone)]
pub struct Metrics {
    timeouts: Counter,
    ooms: Counter,
    validation_failures: Counter,
    dangerous_patterns: Counter,
    boot_seconds: Family<VmLabels, Histogram>,
    execution_seconds: Family<VmLabels, Histogram>,
    jobs: Family<StatusLabel, Counter>,
    /// Jobs that wait.
    pub queue_depth: Gauge,
    /// VMs that exist now, pooled ones included.
    pub vms_alive: Gauge,
    /// Host memory that VMMs hold, bytes (PSS); who serves the metrics sets it, for only looking tells.
    pub memory_held_bytes: Gauge,
    /// VMs that wait in the pool.
    pub pool_size: Family<LanguageLabel, Gauge>,
    /// Jobs that the pool served.
    pub pool_hits: Family<LanguageLabel, Counter>,
    /// Jobs that found the pool empty.
    pub pool_misses: Family<LanguageLabel, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            timeouts: Counter::default(),
            ooms: Counter::default(),
            validation_failures: Counter::default(),
            dangerous_patterns: Counter::default(),
            boot_seconds: Family::new_with_constructor(seconds_buckets),
            execution_seconds: Family::new_with_constructor(seconds_buckets),
            jobs: Family::default(),
            queue_depth: Gauge::default(),
            vms_alive: Gauge::default(),
            memory_held_bytes: Gauge::default(),
            pool_size: Family::default(),
            pool_hits: Family::default(),
            pool_misses: Family::default(),
        }
    }
}

impl Metrics {
    /// Puts every metric under its public name; `_total` is added to counters by the encoder.
    pub fn register(&self, registry: &mut Registry) {
        let m = self.clone();
        registry.register("vm_timeouts", "Jobs that a time limit ended", m.timeouts);
        registry.register("vm_oom", "Jobs that the memory limit ended", m.ooms);
        registry.register(
            "validation_failures",
            "Requests that were refused",
            m.validation_failures,
        );
        registry.register(
            "dangerous_patterns",
            "Jobs in which the scan found a pattern",
            m.dangerous_patterns,
        );
        registry.register(
            "vm_boot_time_seconds",
            "Time until a VM took its job",
            m.boot_seconds,
        );
        registry.register(
            "vm_execution_time_seconds",
            "Time that programs ran, compilers included",
            m.execution_seconds,
        );
        registry.register("jobs", "Jobs that ended, by status", m.jobs);
        registry.register(
            "queue_depth",
            "Jobs that wait to be admitted",
            m.queue_depth,
        );
        registry.register(
            "vms_alive",
            "VMs that exist, pooled ones included",
            m.vms_alive,
        );
        registry.register(
            "vm_memory_held_bytes",
            "Host memory that VMMs hold, pages they share counted once",
            m.memory_held_bytes,
        );
        registry.register("pool_size", "VMs that wait for a job", m.pool_size);
        registry.register("pool_hits", "Jobs served from the pool", m.pool_hits);
        registry.register(
            "pool_misses",
            "Jobs that found the pool empty",
            m.pool_misses,
        );
    }

    /// Makes every label set that can come up on this engine: a scraper then sees zeros before the
    /// first job, and an alert on an increase sees the first one.
    pub fn announce(&self, engine: &str, pooled: impl IntoIterator<Item = Language>) {
        for status in STATUSES {
            let status = status.as_str();
            drop(self.jobs.get_or_create(&StatusLabel { status }));
        }
        for language in language::all() {
            for path in [BootPath::Pool, BootPath::Clone, BootPath::Boot] {
                let labels = vm_labels(engine, path, language);
                drop(self.boot_seconds.get_or_create(&labels));
                drop(self.execution_seconds.get_or_create(&labels));
            }
        }
        for language in pooled {
            let label = language_label(language);
            drop(self.pool_size.get_or_create(&label));
            drop(self.pool_hits.get_or_create(&label));
            drop(self.pool_misses.get_or_create(&label));
        }
    }

    /// Counts a refusal.
    pub fn refused(&self) {
        self.validation_failures.inc();
    }

    /// Counts a scan's finding.
    pub fn pattern(&self) {
        self.dangerous_patterns.inc();
    }

    /// Counts a job's end.
    pub fn ended(&self, language: Option<Language>, result: &JobResult) {
        self.jobs
            .get_or_create(&StatusLabel {
                status: result.status.as_str(),
            })
            .inc();
        match result.status {
            Status::Timeout => _ = self.timeouts.inc(),
            Status::Oom => _ = self.ooms.inc(),
            _ => {}
        }
        let (Some(language), Some(isolation), Some(path)) =
            (language, &result.isolation, result.timings.path)
        else {
            return;
        };
        let labels = vm_labels(&isolation.engine, path, language);
        self.boot_seconds
            .get_or_create(&labels)
            .observe(result.timings.boot);
        self.execution_seconds
            .get_or_create(&labels)
            .observe(result.timings.compile + result.timings.execute);
    }
}

/// The label of one language.
pub fn language_label(language: Language) -> LanguageLabel {
    LanguageLabel {
        language: language.name(),
    }
}

fn vm_labels(engine: &str, path: BootPath, language: Language) -> VmLabels {
    VmLabels {
        engine: engine.to_owned(),
        path: path.as_str(),
        language: language.name(),
    }
}
