//! Which requests are made, in which order. Pure: a VM's whole life with the API is in this file.

use super::body::*;
use super::layout::at;
use crate::config::VmmConfig;
use crate::engine::VmSpec;
use crate::error::Step;
use hyper::Method;
use serde::Serialize;
use serde_json::Value;

/// The guest's address on vsock: 0 to 2 have meanings. Each VM has a device of its own, so all may have the same.
pub const GUEST_CID: u32 = 3;

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The step of the VM's life that it belongs to.
    pub step: Step,
    /// PUT or PATCH, or GET without a body.
    pub method: Method,
    /// The path.
    pub path: &'static str,
    /// JSON; `Null`: none.
    pub body: Value,
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

fn put(step: Step, path: &'static str, body: impl Serialize) -> Call {
    with_body(step, Method::PUT, path, body)
}

fn with_body(step: Step, method: Method, path: &'static str, body: impl Serialize) -> Call {
    Call {
        step,
        method,
        path,
        // Structs of strings and numbers: there is nothing in them that could fail.
        body: serde_json::to_value(body).unwrap_or_default(),
    }
}

/// Where Firecracker says what: first, so that nothing it has to say is lost.
pub fn observe() -> [Call; 2] {
    let logger = Logger {
        log_path: at::LOG,
        level: "Warning",
        show_level: true,
    };
    let metrics = Metrics {
        metrics_path: at::METRICS,
    };
    [
        put(Step::Control, "/logger", logger),
        put(Step::Control, "/metrics", metrics),
    ]
}

/// A VM from its kernel, after [`observe`] and up to its start. No network interface, no metadata service, ever.
pub fn boot(config: &VmmConfig, spec: &VmSpec, boot_args: &str) -> Vec<Call> {
    let machine = MachineConfig {
        vcpu_count: spec.vcpus,
        mem_size_mib: spec.memory_mib,
        smt: false,
        cpu_template: config.cpu_template.as_deref(),
    };
    let kernel = BootSource {
        kernel_image_path: at::KERNEL,
        initrd_path: at::INITRAMFS,
        boot_args,
    };
    let rootfs = Drive {
        drive_id: "rootfs",
        path_on_host: at::ROOTFS,
        is_root_device: false,
        is_read_only: true,
        rate_limiter: drive_limits(config),
    };
    let vsock = Vsock {
        guest_cid: GUEST_CID,
        uds_path: at::VSOCK,
    };
    let step = Step::Control;
    vec![
        put(step, "/machine-config", machine),
        put(step, "/boot-source", kernel),
        put(step, "/drives/rootfs", rootfs),
        put(step, "/vsock", vsock),
        put(step, "/entropy", Entropy {}),
    ]
}

/// Lets a configured guest run.
pub fn start() -> Call {
    let action = Action {
        action_type: ActionType::InstanceStart,
    };
    put(Step::Run, "/actions", action)
}

/// A clone of a snapshot, after [`observe`] alone and up to its start. The devices, the vsock's socket among them, are at the
/// template's paths: each chroot has its own of each.
pub fn load() -> Call {
    let snapshot = SnapshotLoad {
        snapshot_path: at::STATE,
        mem_backend: MemoryBackend {
            backend_type: BackendType::File,
            backend_path: at::MEMORY,
        },
        resume_vm: false,
    };
    put(Step::Load, "/snapshot/load", snapshot)
}

/// Lets a paused guest run.
pub fn resume() -> Call {
    let state = VmState::Resumed;
    with_body(Step::Run, Method::PATCH, "/vm", Vm { state })
}

/// Stops the guest's CPUs.
pub fn pause() -> Call {
    let state = VmState::Paused;
    with_body(Step::Pause, Method::PATCH, "/vm", Vm { state })
}

/// Writes a paused guest into its chroot.
pub fn save() -> Call {
    let snapshot = SnapshotCreate {
        snapshot_type: SnapshotType::Full,
        snapshot_path: at::SAVED_STATE,
        mem_file_path: at::SAVED_MEMORY,
    };
    put(Step::Save, "/snapshot/create", snapshot)
}

/// What the watchdog asks.
pub fn describe() -> Call {
    Call {
        step: Step::Control,
        method: Method::GET,
        path: "/",
        body: Value::Null,
    }
}

/// A second's worth at a time, after a burst that reads a whole image once.
fn drive_limits(config: &VmmConfig) -> RateLimiter {
    const SECOND_MS: u64 = 1000;
    /// The largest image, Rust's, has 320 MB.
    const BURST_BYTES: u64 = 512 << 20;
    RateLimiter {
        bandwidth: TokenBucket {
            size: config.drive_bytes_per_second,
            refill_time: SECOND_MS,
            one_time_burst: Some(BURST_BYTES),
        },
        ops: TokenBucket {
            size: config.drive_requests_per_second,
            refill_time: SECOND_MS,
            one_time_burst: None,
        },
    }
}
