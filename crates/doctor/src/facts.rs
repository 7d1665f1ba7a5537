//! What doctor is told: the things that are not in a file, or that other crates own. Each is plain
//! data; [`Facts::default`] knows nothing, and what nobody told cannot be checked.

use std::path::PathBuf;
use std::time::Duration;

/// Everything that is told.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The date, to tell ages by.
    pub today: Option<jiff::civil::Date>,
    /// Whether KVM runs guest code: a probe's answer, not the device's presence.
    pub kvm: Kvm,
    /// `isolation.minimum = "hardware"`: every other engine is refused.
    pub hardware_required: bool,
    /// The engine that jobs run under here.
    pub engine: Option<Engine>,
    /// Firecracker is the engine that is configured, so its absence is a failure.
    pub firecracker_required: bool,
    /// User-Mode Linux.
    pub uml: Uml,
    /// QEMU's system emulator.
    pub qemu: Tool,
    /// Firecracker.
    pub firecracker: Tool,
    /// Firecracker's jailer.
    pub jailer: Tool,
    /// bubblewrap.
    pub bubblewrap: Tool,
    /// Whether bubblewrap could make a jail just now.
    pub jail: Probe,
    /// Where images, snapshots and running VMs live.
    pub state_dir: Option<PathBuf>,
    /// The configuration file in use.
    pub config_file: Option<PathBuf>,
    /// Files with secrets that are there: API keys, a certificate's key; `None`: nobody told.
    pub secrets: Option<Vec<PathBuf>>,
    /// The jailer's `--chroot-base-dir`.
    pub chroot_base: Option<PathBuf>,
    /// Bytes free where the state folder is.
    pub free_disk_bytes: Option<u64>,
    /// First uid of the VMMs, and how many there are.
    pub uids: Option<(u32, u32)>,
    /// Guest kernels and root file systems against their digests.
    pub images: Digests,
    /// When each language's root file system was built; `None`: nobody told.
    pub images_built: Option<Vec<Built>>,
    /// The runtime of each language that has a root file system; `None`: nobody told.
    pub runtimes: Option<Vec<Runtime>>,
    /// When the kernel was built that QEMU and Firecracker boot; `None`: nobody told.
    pub kernel_built: Option<Vec<Built>>,
    /// Snapshots against their digests.
    pub snapshots: Digests,
    /// The VMs whose walls are looked at.
    pub vms: Vms,
    /// Process ids of all VMMs of this tool's: what runs besides is somebody else's.
    pub own_vmms: Vec<i32>,
    /// How long a VMM may be silent before the watchdog kills it.
    pub watchdog: Setting<Duration>,
    /// Bytes that event and console logs may grow to at most.
    pub log_bytes_max: Setting<u64>,
}

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Firecracker, on KVM.
    Firecracker,
    /// QEMU, on KVM or in software emulation.
    Qemu,
    /// User-Mode Linux.
    Uml,
}

impl std::fmt::Display for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Engine::Firecracker => "firecracker",
            Engine::Qemu => "qemu",
            Engine::Uml => "uml",
        })
    }
}

/// What is known of User-Mode Linux.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uml {
    /// It is the engine, or would be if nothing were in its way.
    pub wanted: bool,
    /// It is the engine that is configured, so no other takes its place.
    pub required: bool,
    /// Whether a guest's first process ran under it: a probe's answer.
    pub runs: Probe,
    /// Whether a program runs from a tmpfs that bubblewrap makes.
    pub executable_tmpfs: Probe,
    /// Its kernel.
    pub kernel: UmlKernel,
}

/// The kernel that User-Mode Linux boots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum UmlKernel {
    /// Nobody looked for it.
    #[default]
    NotLookedFor,
    /// There is none.
    NotBuilt,
    /// It is there and is refused: damaged, or built by another version of this tool.
    Refused(String),
    /// It is as it was built.
    Built {
        /// Its package's version.
        version: String,
        /// When it was built, here or on the host that it was exported from: RFC 3339.
        at: String,
    },
}

/// Something that guests start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// What it is called.
    pub name: String,
    /// When it was built, here or on the host that it was exported from: RFC 3339.
    pub at: String,
}

/// What runs a language's programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// Its name and version.
    pub name: String,
    /// The last day on which its makers mend it, `YYYY-MM-DD`; `None` where that is not known beforehand.
    pub end_of_life: Option<String>,
}

/// A setting of the tool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Setting<T> {
    /// Nobody told.
    #[default]
    Untold,
    /// It is switched off.
    Off,
    /// It is this.
    Is(T),
}

/// What the accelerator probe found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Kvm {
    /// Nobody probed.
    #[default]
    NotProbed,
    /// A guest instruction ran on it.
    Runs(String),
    /// It is absent or does not run guests, and why.
    Not(String),
}

/// Process ids of this tool's VMMs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Vms {
    /// Nobody looked for any.
    #[default]
    NotLookedFor,
    /// These were running.
    Running(Vec<i32>),
    /// None was, and this one was started to be looked at.
    Started(i32),
    /// None was, and why none could be started.
    NotStarted(String),
}

/// A program that is needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tool {
    /// Where it is; `None`: not found.
    pub path: Option<PathBuf>,
    /// The first line of what it says of its version.
    pub version: Option<String>,
}

/// Something that was tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Probe {
    /// Not tried.
    #[default]
    NotTried,
    /// It worked.
    Works,
    /// It did not, and why.
    Fails(String),
}

/// Files compared with the digests that were written when they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Digests {
    /// Not compared.
    #[default]
    NotCompared,
    /// So many files, all as they were made.
    Equal(usize),
    /// There are none.
    Nothing,
    /// What differs, one line each.
    Differ(Vec<String>),
}

impl Facts {
    /// Knows what [`crate::gather`] can find out; the caller fills in what its own rooms know.
    pub fn gathered(
        qemu: Option<&std::path::Path>,
        bubblewrap: Option<&std::path::Path>,
        state_dir: PathBuf,
    ) -> Facts {
        use crate::gather;
        let qemu_name = format!("qemu-system-{}", std::env::consts::ARCH);
        let from_env = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let bubblewrap = gather::tool("bwrap", bubblewrap);
        // As the engine looks for them: named, in PATH, or where `setup` installs them.
        let engine = |name: &str, variable: &str| {
            let found = gather::tool(name, from_env(variable).as_deref());
            match found.path {
                Some(_) => found,
                None => gather::tool(name, Some(&state_dir.join("engines").join(name))),
            }
        };
        Facts {
            qemu: gather::tool(&qemu_name, qemu),
            firecracker: engine("firecracker", "FIRECRACKER_BIN"),
            jailer: engine("jailer", "JAILER_BIN"),
            jail: gather::jail(&bubblewrap),
            uml: Uml {
                executable_tmpfs: gather::executable_tmpfs(&bubblewrap),
                ..Uml::default()
            },
            bubblewrap,
            free_disk_bytes: gather::free_disk_bytes(&state_dir),
            state_dir: Some(state_dir),
            chroot_base: Some(PathBuf::from("/srv/jailer")),
            today: Some(jiff::Zoned::now().date()),
            ..Facts::default()
        }
    }
}
