//! The requests' bodies, as Firecracker's API description names them. Only fields that are sent.

use serde::Serialize;

/// `PUT /machine-config`.
#[derive(Debug, Serialize)]
pub struct MachineConfig<'a> {
    /// CPUs.
    pub vcpu_count: u32,
    /// RAM, MiB.
    pub mem_size_mib: u32,
    /// Two vCPUs on one core would read each other's caches.
    pub smt: bool,
    /// A CPU that looks the same on different hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_template: Option<&'a str>,
}

/// `PUT /boot-source`.
#[derive(Debug, Serialize)]
pub struct BootSource<'a> {
    /// In the jail.
    pub kernel_image_path: &'a str,
    /// In the jail.
    pub initrd_path: &'a str,
    /// The kernel's command line.
    pub boot_args: &'a str,
}

/// `PUT /drives/{drive_id}`.
#[derive(Debug, Serialize)]
pub struct Drive<'a> {
    /// As in the path.
    pub drive_id: &'a str,
    /// In the jail.
    pub path_on_host: &'a str,
    /// Would add `root=` to the command line; the initramfs mounts it.
    pub is_root_device: bool,
    /// The guest sees a read-only disk, and the file is opened for reading.
    pub is_read_only: bool,
    /// What the guest may ask of the host's disk.
    pub rate_limiter: RateLimiter,
}

/// Bounds of a device.
#[derive(Debug, Serialize)]
pub struct RateLimiter {
    /// Bytes.
    pub bandwidth: TokenBucket,
    /// Requests.
    pub ops: TokenBucket,
}

/// `size` tokens come each `refill_time`, after a burst.
#[derive(Debug, Serialize)]
pub struct TokenBucket {
    /// Tokens.
    pub size: u64,
    /// Milliseconds.
    pub refill_time: u64,
    /// Tokens that are there at the start and do not come again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_time_burst: Option<u64>,
}

/// `PUT /vsock`.
#[derive(Debug, Serialize)]
pub struct Vsock<'a> {
    /// The guest's address.
    pub guest_cid: u32,
    /// Where Firecracker listens, in the jail.
    pub uds_path: &'a str,
}

/// `PUT /entropy`: the host's randomness, nothing to set.
#[derive(Debug, Serialize)]
pub struct Entropy {}

/// `PUT /logger`.
#[derive(Debug, Serialize)]
pub struct Logger<'a> {
    /// In the jail.
    pub log_path: &'a str,
    /// The least that is said.
    pub level: &'a str,
    /// Say it.
    pub show_level: bool,
}

/// `PUT /metrics`.
#[derive(Debug, Serialize)]
pub struct Metrics<'a> {
    /// In the jail.
    pub metrics_path: &'a str,
}

/// `PUT /actions`.
#[derive(Debug, Serialize)]
pub struct Action {
    /// What to do.
    pub action_type: ActionType,
}

/// The one action that is asked for.
#[derive(Debug, Serialize)]
pub enum ActionType {
    /// Starts the guest.
    InstanceStart,
}

/// `PATCH /vm`.
#[derive(Debug, Serialize)]
pub struct Vm {
    /// What to become.
    pub state: VmState,
}

/// A guest's CPUs.
#[derive(Debug, Serialize)]
pub enum VmState {
    /// They stand.
    Paused,
    /// They run.
    Resumed,
}

/// `PUT /snapshot/create`.
#[derive(Debug, Serialize)]
pub struct SnapshotCreate<'a> {
    /// All of RAM.
    pub snapshot_type: SnapshotType,
    /// In the jail: the devices' state.
    pub snapshot_path: &'a str,
    /// In the jail: RAM.
    pub mem_file_path: &'a str,
}

/// What of RAM is written.
#[derive(Debug, Serialize)]
pub enum SnapshotType {
    /// All.
    Full,
}

/// `PUT /snapshot/load`.
#[derive(Debug, Serialize)]
pub struct SnapshotLoad<'a> {
    /// In the jail: the devices' state.
    pub snapshot_path: &'a str,
    /// In the jail: RAM.
    pub mem_backend: MemoryBackend<'a>,
    /// Resuming is a call of its own, after the jail was checked.
    pub resume_vm: bool,
}

/// Where RAM comes from.
#[derive(Debug, Serialize)]
pub struct MemoryBackend<'a> {
    /// A file is mapped privately: copied page by page as the clone writes.
    pub backend_type: BackendType,
    /// In the jail.
    pub backend_path: &'a str,
}

/// The one backend that is used.
#[derive(Debug, Serialize)]
pub enum BackendType {
    /// A file.
    File,
}
