//! Where VMs' cgroups are made on this host: found once, before the first VM.

use super::layout::{CONTROLLERS, Layout, Tree, Version};
use super::{VmCgroup, v2};
use crate::engine::VmId;
use rustix::fs::{Access, access};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Where VMs' cgroups can be made on this host.
#[derive(Debug, Clone)]
pub struct Place {
    version: Version,
    /// Controller (`""` on v2) → its tree, and in it the cgroup that holds those of all VMs.
    trees: BTreeMap<String, Tree>,
}

impl Place {
    /// Finds the place, or says why there is none. Root's on v2 may have to move the tool into a leaf first.
    pub fn find(parent: &str) -> Result<Place, String> {
        let layout = this_layout()?;
        let own = match layout.version {
            Version::V1 => v1_places(&layout)?,
            Version::V2 => {
                let place = match crate::privilege::is_privileged() {
                    true => v2::place_of_root(&layout, v2::is_delegated)?,
                    false => v2::place_of_user(&layout)?,
                };
                BTreeMap::from([(String::new(), place)])
            }
        };
        let tree = |(controller, own): (String, PathBuf)| {
            let mount = layout.trees[&controller].mount.clone();
            let own = own.join(parent);
            (controller, Tree { mount, own })
        };
        Ok(Place {
            version: layout.version,
            trees: own.into_iter().map(tree).collect(),
        })
    }

    /// The same place in every tree, as Firecracker's jailer needs it: where the tool's own cgroups
    /// differ between v1's trees, below their roots.
    pub fn find_one_path(parent: &str) -> Result<Place, String> {
        let mut place = Self::find(parent)?;
        let paths: BTreeSet<&Path> = place
            .trees
            .values()
            .map(|tree| tree.own.as_path())
            .collect();
        // The jailer is told in an argument, and so is who reads our error messages.
        let sayable = paths.iter().all(|path| path.to_str().is_some());
        if paths.len() > 1 || !sayable {
            for tree in place.trees.values_mut() {
                tree.own = parent.into();
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
        let first = self.trees.values().next();
        first.and_then(|tree| tree.own.to_str()).unwrap_or_default()
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
        VmCgroup::new(self.version, self.trees.values(), id)
    }
}

/// The trees of this host, and where the tool is in them.
pub(super) fn this_layout() -> Result<Layout, String> {
    let read = |path: &str| std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"));
    Layout::parse(&read("/proc/self/mountinfo")?, &read("/proc/self/cgroup")?)
        .ok_or_else(|| "no cgroup tree has the controllers memory, pids and cpu".into())
}

/// The tool's own cgroup in each tree; not being able to write one is the reason for none.
pub(super) fn v1_places(layout: &Layout) -> Result<BTreeMap<String, PathBuf>, String> {
    debug_assert!(CONTROLLERS.iter().all(|c| layout.trees.contains_key(*c)));
    for tree in layout.trees.values() {
        let own = tree.mount.join(&tree.own);
        access(&own, Access::WRITE_OK)
            .map_err(|e| format!("{} cannot be written: {e}", own.display()))?;
    }
    let own = |(controller, tree): (&String, &Tree)| (controller.clone(), tree.own.clone());
    Ok(layout.trees.iter().map(own).collect())
}
