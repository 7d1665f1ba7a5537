//! What an operator may set, in one TOML file; every value has a default that is safe.

mod events;

pub use events::EventsConfig;

use crate::admission::Bounds;
use crate::saved::SavedBounds;
use egress::policy::EgressConfig;
use protocol::job::{JobRequest, ScanMode};
use protocol::limits::{LimitValues, SandboxRules, default_maxima};
use protocol::packages::PackageError;
use protocol::packages::rules::PackageRules;
use protocol::scan::{InvalidPattern, PatternConfig, Scanner};
use protocol::validate::Policy;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::PathBuf;
use vmm::{Accelerator, AcceleratorChoice, EngineKind, VmmConfig};

/// The whole configuration file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where images, snapshots and running VMs live; absent: chosen by who runs the tool.
    pub state_dir: Option<PathBuf>,
    /// The guest agent's binary; absent: beside the tool.
    pub agent: Option<PathBuf>,
    /// What jobs get and may ask for.
    #[schemars(extend("x-reload" = true))]
    pub limits: LimitsConfig,
    /// The pattern scan.
    #[schemars(extend("x-reload" = true))]
    pub scan: Scan,
    /// Which VMM, on what.
    pub engine: EngineChoice,
    /// What must hold a job.
    #[schemars(extend("x-reload" = true))]
    pub isolation: IsolationPolicy,
    /// How many jobs at once.
    pub admission: AdmissionConfig,
    /// Copy-on-write clones.
    pub snapshots: SnapshotsConfig,
    /// VMs kept ready, by language.
    #[schemars(with = "BTreeMap<String, PoolSize>")]
    pub pool: BTreeMap<protocol::language::Language, PoolSize>,
    /// Where events go.
    pub events: EventsConfig,
    /// What sandboxes may do that takes a wall away.
    #[schemars(extend("x-reload" = true))]
    pub sandboxes: SandboxRules,
    /// How much paused sandboxes, and snapshots of sandboxes, may hold of the disk.
    pub saved: SavedBounds,
    /// Packages that programs may ask for.
    #[schemars(extend("x-reload" = true))]
    pub packages: PackageRules,
    /// What jobs and sandboxes may reach that name a policy; without one there is no network.
    pub egress: EgressConfig,
    /// The jail around each VMM.
    pub vmm: VmmConfig,
}

/// Defaults and maxima of a job's limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// What a job gets when it says nothing.
    pub defaults: LimitValues,
    /// The most it may ask for.
    #[serde(deserialize_with = "over_default_maxima")]
    #[schemars(with = "LimitValues")]
    pub maxima: LimitValues,
}

/// What is not written stays at its default maximum, not at the default of a job.
fn over_default_maxima<'de, D: Deserializer<'de>>(written: D) -> Result<LimitValues, D::Error> {
    let mut all = toml::Table::try_from(default_maxima()).map_err(D::Error::custom)?;
    all.extend(toml::Table::deserialize(written)?);
    all.try_into().map_err(D::Error::custom)
}

impl Default for LimitsConfig {
    fn default() -> Self {
        LimitsConfig {
            defaults: LimitValues::default(),
            maxima: default_maxima(),
        }
    }
}

/// The pattern scan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Scan {
    /// What to do with a finding.
    pub mode: ScanMode,
    /// Patterns besides the built-in ones: `[{ name = "wipe", expression = 'rm\s+-rf' }]`.
    pub patterns: Vec<PatternConfig>,
}

/// Which VMM, on what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EngineChoice {
    /// Absent: where KVM works Firecracker, else QEMU; where it does not User-Mode Linux, else QEMU's emulation.
    pub kind: Option<EngineKind>,
    /// What runs the guest's instructions.
    pub accelerator: AcceleratorChoice,
}

/// The weakest isolation that a job may run under, from the weakest on.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum IsolationMinimum {
    /// A kernel of its own behind the jail will do, whatever it runs on.
    #[default]
    Any,
    /// Only hardware virtualisation: refuses `tcg` and `uml`.
    Hardware,
}

impl IsolationMinimum {
    /// The highest that VMs on this accelerator, or on none, meet.
    pub fn met_by(accelerator: Option<Accelerator>) -> IsolationMinimum {
        match accelerator {
            Some(Accelerator::Kvm) => IsolationMinimum::Hardware,
            Some(Accelerator::Tcg) | None => IsolationMinimum::Any,
        }
    }
}

/// What must hold a job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IsolationPolicy {
    /// Jobs are refused below it.
    pub minimum: IsolationMinimum,
}

/// How many jobs at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdmissionConfig {
    /// Jobs that run; 0: twice the host's CPUs.
    #[schemars(extend("x-reload" = true))]
    pub running: usize,
    /// Jobs that wait, over all keys; one more is refused.
    #[schemars(extend("x-reload" = true))]
    pub queued: usize,
    /// MiB that the VMs of running jobs and of sessions may have together, what their VMMs need besides included; 0: three
    /// quarters of the host's memory, or of what the tool's own cgroup is held to.
    pub memory_mib: u64,
}

impl Default for AdmissionConfig {
    fn default() -> Self {
        AdmissionConfig {
            running: 0,
            queued: 512,
            memory_mib: 0,
        }
    }
}

/// Copy-on-write clones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SnapshotsConfig {
    /// Use snapshots.
    pub enabled: bool,
    /// Make the snapshot of a language's default VM when it is first needed.
    pub create_on_first_use: bool,
    /// VMMs that the service keeps started in their jails, without a guest, for clones of any language.
    /// Each saves one clone the start of its VMM, and holds some 20 MiB.
    pub standby: usize,
}

impl Default for SnapshotsConfig {
    fn default() -> Self {
        SnapshotsConfig {
            enabled: true,
            create_on_first_use: true,
            standby: 1,
        }
    }
}

/// VMs kept ready for one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolSize {
    /// Always kept, refilled in the background.
    pub min: usize,
    /// Never more than these, jobs in a burst included.
    pub max: usize,
    /// A VM older than this is replaced.
    #[serde(default = "default_max_age_seconds")]
    pub max_age_seconds: u64,
    /// Each walks the way of a job before it waits. Its answer then comes several times faster under
    /// emulation, for the code on that way is translated already; the translation is what it holds
    /// more of memory while it waits (`docs/performance.md`, 'Memory of an idle clone').
    #[serde(default = "default_warmed", alias = "rehearsed")]
    #[schemars(extend("x-alias" = "rehearsed"))]
    pub warmed: bool,
    /// Whose interpreter waits in each, loaded.
    #[serde(default)]
    pub ready_for: ReadyFor,
}

/// What a pool's VMs are made ready for. They serve the other, too, only later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadyFor {
    /// A program.
    #[default]
    Jobs,
    /// The first context of a sandbox, with all that the image loads ahead: python's.
    Sandboxes,
}

fn default_warmed() -> bool {
    true
}

fn default_max_age_seconds() -> u64 {
    600
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or cannot be read.
    #[error("configuration {} cannot be read", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// The file is no valid configuration.
    #[error("configuration {} is not valid:\n{source}", path.display())]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Line, column and what is wrong there.
        source: Box<toml::de::Error>,
    },
    /// A default is over its own maximum, or a pool's bounds are crossed.
    #[error("configuration: {0}")]
    Inconsistent(String),
    /// `[packages]` cannot be followed.
    #[error("configuration: packages")]
    Packages(#[from] PackageError),
    /// A pattern is wrong.
    #[error(transparent)]
    Pattern(#[from] InvalidPattern),
}

impl Config {
    /// Reads a configuration file.
    pub fn read(path: &std::path::Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.into(),
            source,
        })?;
        Config::parse(&text).map_err(|source| ConfigError::Parse {
            path: path.into(),
            source: Box::new(source),
        })
    }

    /// Reads a configuration from its text; unknown keys are errors.
    pub fn parse(text: &str) -> Result<Config, toml::de::Error> {
        toml::from_str(text)
    }

    /// What validation needs of it; the place where a configuration is checked against itself.
    pub fn policy(&self) -> Result<Policy, ConfigError> {
        let (defaults, maxima) = (&self.limits.defaults, &self.limits.maxima);
        // What cannot be compared (NaN) bounds nothing.
        let above = |default: f64, max: f64| default.partial_cmp(&max).is_none_or(Ordering::is_gt);
        let over = [
            (
                "timeout_seconds",
                above(defaults.timeout_seconds, maxima.timeout_seconds),
            ),
            (
                "compile_timeout_seconds",
                above(
                    defaults.compile_timeout_seconds,
                    maxima.compile_timeout_seconds,
                ),
            ),
            ("memory_mib", defaults.memory_mib > maxima.memory_mib),
            ("vcpus", defaults.vcpus > maxima.vcpus),
            ("pids", defaults.pids > maxima.pids),
            ("output_bytes", defaults.output_bytes > maxima.output_bytes),
            (
                "file_size_bytes",
                defaults.file_size_bytes > maxima.file_size_bytes,
            ),
        ];
        if let Some((name, _)) = over.iter().find(|(_, over)| *over) {
            return Err(ConfigError::Inconsistent(format!(
                "limits.defaults.{name} is over limits.maxima.{name}; lower the one or raise the other"
            )));
        }
        if let Some((language, size)) = self.pool.iter().find(|(_, size)| size.min > size.max) {
            return Err(ConfigError::Inconsistent(format!(
                "pool.{language}: min {} is over max {}",
                size.min, size.max
            )));
        }
        self.packages.check()?;
        let policy = Policy {
            defaults: defaults.clone(),
            maxima: maxima.clone(),
            scan_mode: self.scan.mode,
            scanner: Scanner::new(&self.scan.patterns)?,
            sandboxes: self.sandboxes,
        };
        policy.validate(asks_for_nothing()).map_err(|refused| {
            ConfigError::Inconsistent(format!("limits.defaults: {}", refused.message))
        })?;
        Ok(policy)
    }

    /// Jobs that may run at once.
    pub fn running_bound(&self) -> usize {
        let cpus = std::thread::available_parallelism().map_or(1, |n| n.get());
        match self.admission.running {
            0 => places(2 * cpus, self.memory_bound_mib(), self.default_vm_mib()),
            own => own,
        }
    }

    /// What may be at one time.
    pub fn admission_bounds(&self) -> Bounds {
        Bounds {
            running: self.running_bound(),
            queued: self.admission.queued,
            memory_mib: self.memory_bound_mib(),
        }
    }

    fn memory_bound_mib(&self) -> u64 {
        match self.admission.memory_mib {
            0 => vmm::cgroup::memory::default_running_mib(),
            own => own,
        }
    }

    /// MiB that a VM with the default limits may hold of the host.
    fn default_vm_mib(&self) -> u64 {
        u64::from(self.limits.defaults.memory_mib) + u64::from(self.vmm.memory_overhead_mib)
    }
}

/// As many as the CPUs can serve, and no more than there is memory for; one in any case, which then waits. Pure.
fn places(by_cpus: usize, memory_mib: u64, vm_mib: u64) -> usize {
    let by_memory = memory_mib / vm_mib.max(1);
    by_cpus
        .min(usize::try_from(by_memory).unwrap_or(usize::MAX))
        .max(1)
}

/// A job on the defaults alone: where it would be refused, every job would.
fn asks_for_nothing() -> JobRequest {
    JobRequest {
        language: protocol::language::named("bash").name().into(),
        code: ":".into(),
        ..JobRequest::default()
    }
}

#[cfg(test)]
mod tests;
