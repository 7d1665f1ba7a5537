//! Everything a host may set about its VMs, with the defaults and where they come from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

mod seconds;

/// What runs the guest's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accelerator {
    /// The CPU itself.
    Kvm,
    /// QEMU's translator: works everywhere, 10 to 30 times slower, no security boundary by QEMU's own words.
    Tcg,
}

impl std::fmt::Display for Accelerator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Accelerator::Kvm => "kvm",
            Accelerator::Tcg => "tcg",
        })
    }
}

/// What the user asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AcceleratorChoice {
    /// KVM where a probe saw guest code run on it, else TCG.
    #[default]
    Auto,
    /// KVM or an error.
    Kvm,
    /// TCG even where KVM works.
    Tcg,
}

/// What is said of User-Mode Linux where nobody has looked for its kernel.
const NOT_BUILT: &str = "its kernel was not built; llm-firecracker images build --kernel uml";

/// The files of a guest of User-Mode Linux, but for its root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UmlGuest {
    /// The kernel, a program.
    pub kernel: PathBuf,
    /// An initramfs with the agent.
    pub initramfs: PathBuf,
}

/// Settings of the engines and their jails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VmmConfig {
    /// Where run folders, uid slots, jail roots and the probe's answer live. Created 0711; all in it but images is 0700. Not a key of this table: the
    /// tool's own `state_dir` is its one home.
    #[serde(skip)]
    pub state_dir: PathBuf,
    /// The accelerator wanted. Not a key of this table: `[engine]` is its one home.
    #[serde(skip)]
    pub accelerator: AcceleratorChoice,
    /// QEMU, when not the first in `PATH`: with KVM `qemu-system-ARCH-microvm` where there is one, else
    /// `qemu-system-ARCH`.
    pub qemu_path: Option<PathBuf>,
    /// bubblewrap, when not the first `bwrap` in `PATH`.
    pub bwrap_path: Option<PathBuf>,
    /// What User-Mode Linux boots, or why there is nothing to boot, in one sentence. Found by the tool among
    /// its images.
    #[serde(skip)]
    pub uml: Result<UmlGuest, String>,
    /// Firecracker, when neither the first in `PATH` nor the one that `llm-firecracker setup` installed.
    pub firecracker_path: Option<PathBuf>,
    /// Firecracker's jailer, likewise.
    pub jailer_path: Option<PathBuf>,
    /// Where the jailer makes its chroots. Root's, and writable by no one else, up to `/`.
    pub chroot_base_dir: PathBuf,
    /// Firecracker's CPU template, e.g. `T2`; absent: the host's CPU as it is.
    pub cpu_template: Option<String>,
    /// Bytes a second that a Firecracker guest may read from its disk.
    pub drive_bytes_per_second: u64,
    /// Requests a second that a Firecracker guest may send to its disk.
    pub drive_requests_per_second: u64,
    /// Development only: Firecracker without its jailer, as the tool's own user. Said with each start.
    pub without_jailer: bool,
    /// The first uid (and gid) that VMMs get when the tool runs as root.
    #[schemars(range(min = 1))]
    pub uid_base: u32,
    /// How many uids there are: the most VMs at one time on this host.
    #[schemars(range(min = 1))]
    pub uid_count: u32,
    /// What the VMM's cgroup may hold besides the guest's RAM, MiB.
    pub memory_overhead_mib: u32,
    /// MiB of memory that all VMs on this host may hold together, those that wait included; 0: 85 % of the host's, or of
    /// what the tool's own cgroup is held to.
    pub all_memory_mib: u64,
    /// CPUs' worth of time that a VMM may use besides its vCPUs (device emulation).
    #[schemars(range(min = 0.0))]
    pub cpu_overhead: f64,
    /// Processes and threads of a VMM at most.
    #[schemars(range(min = 1))]
    pub pids_max: u64,
    /// Name of the cgroup that holds those of all VMs, below the tool's own or the root.
    pub cgroup_parent: String,
    /// Bytes kept of the guest's console, and of the VMM's stderr.
    pub console_bytes: usize,
    /// How often the watchdog asks a running VMM for its state, in seconds.
    #[serde(with = "seconds")]
    #[schemars(with = "f64", range(min = 0.001), extend("x-unit" = "seconds"))]
    pub watchdog_interval: Duration,
    /// How long a VMM may take to answer before the watchdog ends it, in seconds.
    #[serde(with = "seconds")]
    #[schemars(with = "f64", range(min = 0.001), extend("x-unit" = "seconds"))]
    pub watchdog_deadline: Duration,
}

impl Default for VmmConfig {
    fn default() -> Self {
        Self {
            state_dir: PathBuf::from("/var/lib/llm-firecracker"),
            accelerator: AcceleratorChoice::Auto,
            qemu_path: None,
            bwrap_path: None,
            uml: Err(NOT_BUILT.into()),
            firecracker_path: None,
            jailer_path: None,
            // Firecracker's own default.
            chroot_base_dir: PathBuf::from("/srv/jailer"),
            cpu_template: None,
            // What one local NVMe disk gives to several VMs at once; a burst of a whole image comes before.
            drive_bytes_per_second: 512 << 20,
            drive_requests_per_second: 50_000,
            without_jailer: false,
            uid_base: 10_000,
            uid_count: 1_000,
            memory_overhead_mib: 256,
            all_memory_mib: 0,
            cpu_overhead: 0.5,
            pids_max: 64,
            cgroup_parent: "llm-firecracker".into(),
            console_bytes: 64 * 1024,
            watchdog_interval: Duration::from_secs(5),
            watchdog_deadline: Duration::from_secs(20),
        }
    }
}

impl VmmConfig {
    /// MiB that the cgroup of all VMs is held to.
    pub fn cap_mib(&self) -> u64 {
        match self.all_memory_mib {
            0 => crate::cgroup::memory::default_cap_mib(),
            own => own,
        }
    }
}
