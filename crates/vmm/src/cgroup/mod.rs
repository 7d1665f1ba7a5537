//! A VM's cgroup: memory, pids and cpu, on v1, hybrid and v2 hosts; written, then read back.

mod group;
pub mod layout;
pub mod leftover;
pub mod memory;
mod place;
mod v2;

pub use group::{VmCgroup, remove_folders};
pub use place::Place;

use crate::config::VmmConfig;
use layout::Version;

/// What a VM may use of the host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Bytes.
    pub memory_bytes: u64,
    /// Processes and threads.
    pub pids: u64,
    /// CPUs' worth of time.
    pub cpus: f64,
    /// Bytes of memory that all VMs' cgroups below the same parent may have together.
    pub memory_bytes_of_all: u64,
}

/// The period over which cpu time is counted, microseconds (the kernel's default).
const CPU_PERIOD_MICROS: u64 = 100_000;

impl Limits {
    /// A VM's: what its guest has, and what its VMM needs besides.
    pub fn of_vm(config: &VmmConfig, memory_mib: u32, vcpus: u32) -> Limits {
        let mib = u64::from(memory_mib) + u64::from(config.memory_overhead_mib);
        Limits {
            memory_bytes: mib << 20,
            pids: config.pids_max,
            cpus: f64::from(vcpus) + config.cpu_overhead,
            memory_bytes_of_all: config.cap_mib() << 20,
        }
    }

    /// The file of the parent's cap, and what stands in it.
    fn cap(self, version: Version) -> (&'static str, u64) {
        (version.memory_file(), whole_pages(self.memory_bytes_of_all))
    }

    /// The files of a cgroup and what stands in them.
    pub fn settings(self, version: Version) -> [(&'static str, String); 3] {
        let memory = whole_pages(self.memory_bytes).to_string();
        let (pids, quota) = (self.pids.to_string(), self.quota_micros());
        match version {
            Version::V1 => [
                (version.memory_file(), memory),
                ("pids.max", pids),
                ("cpu.cfs_quota_us", quota.to_string()),
            ],
            Version::V2 => [
                (version.memory_file(), memory),
                ("pids.max", pids),
                ("cpu.max", format!("{quota} {CPU_PERIOD_MICROS}")),
            ],
        }
    }

    fn quota_micros(self) -> i64 {
        (self.cpus * CPU_PERIOD_MICROS as f64).round() as i64
    }
}

/// As the kernel keeps a number of bytes.
fn whole_pages(bytes: u64) -> u64 {
    let page = rustix::param::page_size() as u64;
    bytes / page * page
}

#[cfg(test)]
mod tests;
