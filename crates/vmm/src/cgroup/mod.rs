//! A VM's cgroup: memory, pids and cpu, on v1, hybrid and v2 hosts; written, then read back.

mod group;
pub mod layout;
pub mod leftover;

pub use group::{VmCgroup, remove_folders};

use crate::config::VmmConfig;
use crate::engine::VmId;
use cgroups_rs::cgroup::Cgroup;
use cgroups_rs::{Hierarchy, Subsystem, hierarchies};
use layout::{CONTROLLERS, Layout, Version};
use rustix::fs::{Access, access};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What a VM may use of the host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Bytes.
    pub memory_bytes: u64,
    /// Processes and threads.
    pub pids: u64,
    /// CPUs' worth of time.
    pub cpus: f64,
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
        }
    }

    /// The files of a cgroup and what stands in them.
    pub fn settings(self, version: Version) -> [(&'static str, String); 3] {
        let page = rustix::param::page_size() as u64;
        let memory = (self.memory_bytes / page * page).to_string();
        let (pids, quota) = (self.pids.to_string(), self.quota_micros());
        match version {
            Version::V1 => [
                ("memory.limit_in_bytes", memory),
                ("pids.max", pids),
                ("cpu.cfs_quota_us", quota.to_string()),
            ],
            Version::V2 => [
                ("memory.max", memory),
                ("pids.max", pids),
                ("cpu.max", format!("{quota} {CPU_PERIOD_MICROS}")),
            ],
        }
    }

    fn quota_micros(self) -> i64 {
        (self.cpus * CPU_PERIOD_MICROS as f64).round() as i64
    }
}

/// Where VMs' cgroups can be made on this host.
#[derive(Debug, Clone)]
pub struct Place {
    version: Version,
    /// Controller (`""` on v2) → path below its tree's mount.
    below: HashMap<String, String>,
}

impl Place {
    /// Finds the place, or says why there is none.
    pub fn find(parent: &str) -> Result<Place, String> {
        let read = |path: &str| std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"));
        let layout = Layout::parse(&read("/proc/self/mountinfo")?, &read("/proc/self/cgroup")?)
            .ok_or("no cgroup tree has the controllers memory, pids and cpu")?;
        let own = match layout.version {
            Version::V1 => v1_places(&layout)?,
            Version::V2 => {
                let root = rustix::process::geteuid().is_root();
                HashMap::from([(String::new(), v2_place(&layout, root)?)])
            }
        };
        Ok(Place {
            version: layout.version,
            below: own
                .into_iter()
                .map(|(controller, own)| (controller, text(&own.join(parent))))
                .collect(),
        })
    }

    /// The same place in every tree, as Firecracker's jailer needs it: where the tool's own cgroups
    /// differ between v1's trees, below their roots.
    pub fn find_one_path(parent: &str) -> Result<Place, String> {
        let mut place = Self::find(parent)?;
        let first = place.path().to_string();
        if place.below.values().any(|path| *path != first) {
            for path in place.below.values_mut() {
                *path = parent.to_string();
            }
        }
        Ok(place)
    }

    /// Which interface it is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The cgroup that holds VMs', below the mount; of a place found by [`Place::find_one_path`].
    pub fn path(&self) -> &str {
        self.below.values().next().map_or("", String::as_str)
    }

    /// `cgroup-v1` or `cgroup-v2`, for the jail's description.
    pub fn name(&self) -> &'static str {
        match self.version {
            Version::V1 => "cgroup-v1",
            Version::V2 => "cgroup-v2",
        }
    }

    /// The VM's cgroup, not yet made: [`VmCgroup::establish`] does. Its folders are known before
    /// they are there, so that they can be noted for a crash's cleaner first.
    pub fn plan(&self, id: &VmId) -> VmCgroup {
        VmCgroup::new(self.load(id), self.version)
    }

    fn load(&self, id: &VmId) -> Cgroup {
        match self.version {
            Version::V1 => Cgroup::load_with_relative_paths(
                Box::new(OurTrees(hierarchies::V1::new())),
                id.as_str(),
                self.below.clone(),
            ),
            Version::V2 => Cgroup::load_with_specified_controllers(
                hierarchies::auto(),
                Path::new(&self.below[""]).join(id.as_str()),
                CONTROLLERS.iter().map(|c| c.to_string()).collect(),
            ),
        }
    }
}

/// The tool's own cgroup in each tree; not being able to write one is the reason for none.
fn v1_places(layout: &Layout) -> Result<HashMap<String, PathBuf>, String> {
    for tree in layout.trees.values() {
        let own = tree.mount.join(&tree.own);
        access(&own, Access::WRITE_OK)
            .map_err(|e| format!("{} cannot be written: {e}", own.display()))?;
    }
    Ok(layout
        .trees
        .iter()
        .map(|(controller, tree)| (controller.clone(), tree.own.clone()))
        .collect())
}

/// Root: the tree's root. A user: the nearest ancestor that is theirs and hands the controllers down.
fn v2_place(layout: &Layout, root: bool) -> Result<PathBuf, String> {
    let mount = &layout.trees[""].mount;
    if root {
        return Ok(PathBuf::new());
    }
    layout
        .v2_candidates()
        .into_iter()
        .find(|folder| {
            let handed = std::fs::read_to_string(folder.join("cgroup.subtree_control"));
            let handed = handed.unwrap_or_default();
            access(folder, Access::WRITE_OK).is_ok()
                && access(folder.join("cgroup.procs"), Access::WRITE_OK).is_ok()
                && CONTROLLERS
                    .iter()
                    .all(|c| handed.split_whitespace().any(|h| h == *c))
        })
        .and_then(|folder| folder.strip_prefix(mount).ok().map(Path::to_path_buf))
        .ok_or_else(|| {
            "no cgroup with the controllers memory, pids and cpu is delegated to this user \
             (systemd: systemd-run --user --scope -p Delegate=yes)"
                .into()
        })
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// v1's trees, but for those that hold nothing of ours: joining a `cpuset` or `devices` cgroup
/// that nobody configured only adds ways to fail.
#[derive(Debug)]
struct OurTrees(hierarchies::V1);

impl Hierarchy for OurTrees {
    fn subsystems(&self) -> Vec<Subsystem> {
        let mut all = self.0.subsystems();
        all.retain(|subsystem| {
            matches!(
                subsystem,
                Subsystem::Mem(_) | Subsystem::Pid(_) | Subsystem::Cpu(_) | Subsystem::Freezer(_)
            )
        });
        all
    }

    fn root(&self) -> PathBuf {
        self.0.root()
    }

    fn root_control_group(&self) -> Cgroup {
        self.0.root_control_group()
    }

    fn parent_control_group(&self, path: &str) -> Cgroup {
        self.0.parent_control_group(path)
    }

    fn v2(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
