//! The traits that everything above speaks to. A VM's life:
//!
//! ```text
//!  Engine::boot ──────────────> running ──pause──> paused
//!                                ^ ^  └───resume<───┘ │
//!  Snapshots::boot_template ─────┘ │        Template::snapshot ──> (gone; two files left)
//!  Snapshots::restore ─────────────┘                                    │
//!        ^──────── a clone of the files comes back running ─────────────┘
//!  Snapshots::stand_by ──> a VMM without a guest ──Standby::restore──> running, like a clone
//!  paused ──Vm::save──> (a folder of files) ──Snapshots::load_saved──> running, with all that was in it
//!  any state ──close / drop / its process dies──> gone: process, run folder, cgroup, uid given back
//! ```
//!
//! An engine without snapshots has no [`Snapshots`]; its VMs are booted.

use crate::config::Accelerator;
use crate::error::VmmError;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// The name of one VM: of its run folder, its cgroup and its slot. Never used twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VmId(String);

impl VmId {
    /// The longest id, in characters (Firecracker's jailer has the same bound).
    pub const MAX_CHARS: usize = 64;

    /// Accepts 1 to 64 of `[A-Za-z0-9-]`, what Firecracker's jailer accepts too.
    pub fn new(text: impl Into<String>) -> Result<Self, VmmError> {
        let text = text.into();
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if text.is_empty() || text.len() > Self::MAX_CHARS || !plain {
            return Err(VmmError::BadId { id: text });
        }
        Ok(Self(text))
    }

    /// The id itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for VmId {
    type Error = VmmError;
    fn try_from(text: String) -> Result<Self, VmmError> {
        Self::new(text)
    }
}

impl From<VmId> for String {
    fn from(id: VmId) -> String {
        id.0
    }
}

impl std::fmt::Display for VmId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a VM is made of. Files are opened by the host; the jail sees them read-only.
#[derive(Debug, Clone)]
pub struct VmSpec {
    /// A name that no VM had before (a UUID is one).
    pub id: VmId,
    /// The kernel, of the kind that [`Engine::kernel`] says.
    pub kernel: PathBuf,
    /// The initramfs that holds the agent.
    pub initramfs: PathBuf,
    /// The root file system, raw, read-only.
    pub rootfs: PathBuf,
    /// The guest's RAM, MiB.
    pub memory_mib: u32,
    /// The guest's CPUs.
    pub vcpus: u32,
}

/// Which VMM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// QEMU's `microvm` machine.
    Qemu,
    /// Firecracker inside its jailer.
    Firecracker,
    /// User-Mode Linux: a kernel that is a program, without a hypervisor.
    Uml,
}

impl std::fmt::Display for EngineKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            EngineKind::Qemu => "qemu",
            EngineKind::Firecracker => "firecracker",
            EngineKind::Uml => "uml",
        })
    }
}

/// What holds the VMs of an engine. Part of every result and of every snapshot's key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EngineIdentity {
    /// Which VMM.
    pub kind: EngineKind,
    /// Its version as it says itself, e.g. `10.0.2`.
    pub version: String,
    /// What runs the guest's instructions; `None`: there is no virtual CPU, a guest's processes are the
    /// host's and run on its CPU as such.
    pub accelerator: Option<Accelerator>,
    /// The CPU that guests see; of a hardware accelerator, the host's model too.
    pub cpu_model: String,
    /// What is around the VMM, e.g. `bubblewrap+seccomp+cgroup`; what is missing is said, e.g. `no-cgroup`.
    pub jail: String,
    /// Why snapshots cannot be made or cloned here; `None` when they can.
    pub clones_refused: Option<String>,
}

impl EngineIdentity {
    /// The accelerator as results name it.
    pub fn accelerator_name(&self) -> String {
        self.accelerator
            .map_or_else(|| "none".into(), |accelerator| accelerator.to_string())
    }
}

/// Which kernel an engine's guests run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GuestKernel {
    /// An uncompressed `vmlinux` with a PVH entry, its drivers as modules in the initramfs.
    Virtual,
    /// A program of User-Mode Linux.
    UserMode,
}

/// A snapshot's two files. Mode 0600, synced to disk, complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotFiles {
    /// The guest's RAM; clones map it privately. Never written again, never truncated while a clone lives.
    pub memory: PathBuf,
    /// The devices' state.
    pub state: PathBuf,
}

/// The stream to the guest's agent. Hostile: see `protocol::link`.
pub trait Channel: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Channel for T {}

/// The host's view of what a VM costs. 0 where the host does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct VmUsage {
    /// The VMM's process id, as the host sees it.
    pub pid: i32,
    /// CPU time of the VMM, all its threads.
    pub cpu: Duration,
    /// Proportional set size, bytes: shared pages counted by their share.
    pub pss_bytes: u64,
    /// Memory that is this VM's alone, bytes.
    pub private_bytes: u64,
    /// The most that the VM's cgroup held, bytes.
    pub memory_peak_bytes: u64,
}

/// How a VMM ended that nobody asked to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmExit {
    /// Its exit code, when it exited.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Its cgroup ran out of memory.
    pub oom: bool,
    /// The watchdog ended it: it no longer answered.
    pub watchdog: bool,
    /// The end of the guest's console.
    pub console: String,
    /// The end of the VMM's own stderr.
    pub stderr: String,
}

impl std::fmt::Display for VmExit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.watchdog, self.oom, self.signal, self.code) {
            (true, ..) => f.write_str("it no longer answered and the watchdog ended it"),
            (_, true, ..) => f.write_str("its cgroup ran out of memory"),
            // What the kernel sends when a page of a mapped file has no room on its disk (mmap(2)).
            (_, _, Some(libc::SIGBUS), _) => f.write_str(
                "signal 7: its memory's file found no room; free some on the state folder's disk",
            ),
            (_, _, Some(signal), _) => write!(f, "signal {signal}"),
            (_, _, _, Some(code)) => write!(f, "exit code {code}"),
            _ => f.write_str("unknown"),
        }
    }
}

/// Makes VMs.
#[async_trait]
pub trait Engine: Send + Sync {
    /// What it is; constant for its life.
    fn identity(&self) -> &EngineIdentity;

    /// The kernel that [`VmSpec::kernel`] must be.
    fn kernel(&self) -> GuestKernel {
        GuestKernel::Virtual
    }

    /// The most CPUs that a VM may have; `None`: as many as it is asked for.
    fn max_vcpus(&self) -> Option<u32> {
        None
    }

    /// Starts a VM; returns as soon as its guest runs, before the agent is up.
    async fn boot(&self, spec: VmSpec) -> Result<Box<dyn Vm>, VmmError>;

    /// The engine as a maker of snapshots and clones; `None` exactly where
    /// [`EngineIdentity::clones_refused`] has a reason.
    fn snapshots(&self) -> Option<&dyn Snapshots>;
}

/// What an engine can do whose VMs can be copied.
#[async_trait]
pub trait Snapshots: Send + Sync {
    /// Boots as [`Engine::boot`] does, of a VM that a snapshot will be made of: its RAM may be a file from the start.
    async fn boot_template(&self, spec: VmSpec) -> Result<Box<dyn Vm>, VmmError>;

    /// Makes a clone of a snapshot; it is running when this returns. `spec` must be the template's
    /// but for the id. The files stay the caller's; RAM is mapped privately from them.
    async fn restore(
        &self,
        spec: VmSpec,
        snapshot: &SnapshotFiles,
    ) -> Result<Box<dyn Vm>, VmmError>;

    /// Makes a VM of what [`Vm::save`] left in this folder, running; as often as wanted. `spec` must be the saved VM's but
    /// for the id. The files stay the caller's and may be removed once this has returned.
    async fn load_saved(&self, spec: VmSpec, folder: &Path) -> Result<Box<dyn Vm>, VmmError>;

    /// Starts a VMM that waits in its jail for a snapshot of whichever image, so that its start is not
    /// in the way of a clone. `None`: this user may have none.
    async fn stand_by(&self, size: StandbySize) -> Result<Option<Box<dyn Standby>>, VmmError>;
}

/// What a VMM that stands by is told at its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandbySize {
    /// The name of the VM that it becomes; one that no VM had before.
    pub id: VmId,
    /// The guest's RAM, MiB.
    pub memory_mib: u32,
    /// The guest's CPUs.
    pub vcpus: u32,
}

impl StandbySize {
    /// That of a VM.
    pub fn of(spec: &VmSpec) -> StandbySize {
        StandbySize {
            id: spec.id.clone(),
            memory_mib: spec.memory_mib,
            vcpus: spec.vcpus,
        }
    }

    /// Refuses to become a VM of another size.
    pub(crate) fn must_fit(&self, spec: &VmSpec) -> Result<(), VmmError> {
        if (spec.memory_mib, spec.vcpus) == (self.memory_mib, self.vcpus) {
            return Ok(());
        }
        Err(VmmError::State {
            step: crate::error::Step::Load,
            reason: format!("{} has another size than {}", self.id, spec.id),
        })
    }
}

/// A VMM in its jail without a guest. Dropping it ends it and gives everything back.
#[async_trait]
pub trait Standby: Send + Sync {
    /// Becomes a clone of this snapshot, as [`Snapshots::restore`] makes one, of this kernel and root file
    /// system. The VM's id and size are those that it was started with.
    async fn restore(
        self: Box<Self>,
        spec: VmSpec,
        snapshot: &SnapshotFiles,
    ) -> Result<Box<dyn Vm>, VmmError>;

    /// Ends it. Returns when nothing is left.
    async fn close(self: Box<Self>) -> Result<(), VmmError>;
}

/// One VM. Dropping it destroys it; [`Vm::close`] does the same and says whether it went well.
#[async_trait]
pub trait Vm: Send + Sync {
    /// Its id.
    fn id(&self) -> &VmId;

    /// The stream to the agent. Once per VM and restore: a second call is an error.
    async fn connect(&mut self) -> Result<Box<dyn Channel>, VmmError>;

    /// Stops the guest's CPUs; a guest that waits uses no CPU time from here on.
    async fn pause(&mut self) -> Result<(), VmmError>;

    /// Lets the guest's CPUs run.
    async fn resume(&mut self) -> Result<(), VmmError>;

    /// Lets the VM wait for its job, until [`Vm::end_rest`]; its CPUs stop where an idle guest would use some.
    async fn rest(&mut self) -> Result<(), VmmError> {
        self.pause().await
    }

    /// Ends [`Vm::rest`]; an error where the VM is gone.
    async fn end_rest(&mut self) -> Result<(), VmmError> {
        self.resume().await
    }

    /// This VM as the template that it was booted as; `None` where it was not.
    fn into_template(self: Box<Self>) -> Option<Box<dyn Template>> {
        None
    }

    /// Writes the paused VM, whatever ran in it, to files in `into`, an existing folder: 0600, synced, complete; what they
    /// are called is the engine's. Then the VM is to be closed, if it is still there. Where this fails, no file is left, and the VM
    /// may be let run on. Bytes in flight on the channel are not part of it.
    async fn save(&mut self, _into: &Path) -> Result<(), VmmError> {
        Err(VmmError::State {
            step: crate::error::Step::Save,
            reason: "this engine cannot save a VM".into(),
        })
    }

    /// The end of the guest's serial console, bounded; invalid UTF-8 replaced.
    fn console_tail(&self) -> String;

    /// What it costs now.
    fn usage(&self) -> VmUsage;

    /// Resolves when the VMM ends by itself. May be called again, gives the same answer again;
    /// dropping the future loses nothing.
    async fn wait_exit(&mut self) -> VmExit;

    /// Destroys the VM: process, run folder, cgroup, uid. Returns when nothing is left.
    async fn close(self: Box<Self>) -> Result<(), VmmError>;
}

/// A VM that can become a snapshot.
#[async_trait]
pub trait Template: Send + Sync {
    /// Writes the paused VM to `into` (an existing folder) and destroys it. When it fails, nothing is
    /// left in `into`. Bytes in flight on the channel are not part of a snapshot.
    async fn snapshot(self: Box<Self>, into: &Path) -> Result<SnapshotFiles, VmmError>;
}
