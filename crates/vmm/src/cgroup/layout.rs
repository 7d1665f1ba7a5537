//! Where a VM's cgroup goes, decided from what `/proc` says. Pure.
//!
//! | host | tool | place |
//! |---|---|---|
//! | v1, hybrid | root | below the tool's own cgroup, in each controller's tree: its limits hold for VMs too |
//! | v2 | root, as a service | below the unit, which systemd delegated (`Delegate=`): its limits hold for VMs too; the tool moves into a leaf of it |
//! | v2 | root, else | below the root of the tree: the tool's own cgroup has other people's processes, so it can have no children with limits |
//! | v2 | user | the nearest ancestor that is the user's and hands the controllers down (systemd: `Delegate=yes`) |
//! | v1, hybrid | user | none, unless the tool's own cgroups are writable |

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The controllers that hold a VM. `freezer` is there on v1 for killing without a race.
pub const CONTROLLERS: [&str; 3] = ["memory", "pids", "cpu"];

/// Which interface the kernel offers for [`CONTROLLERS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// One tree a controller; a hybrid host has its controllers here too.
    V1,
    /// One tree.
    V2,
}

impl Version {
    /// The file that bounds a cgroup's memory, in bytes.
    pub fn memory_file(self) -> &'static str {
        match self {
            Version::V1 => "memory.limit_in_bytes",
            Version::V2 => "memory.max",
        }
    }
}

/// The cgroup trees of this host and where the tool is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// v1 or v2.
    pub version: Version,
    /// Controller (`""` on v2) → its tree's folder and the tool's own path in it.
    pub trees: BTreeMap<String, Tree>,
}

/// One cgroup file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// Where it is mounted.
    pub mount: PathBuf,
    /// The tool's own cgroup, relative to `mount`.
    pub own: PathBuf,
}

impl Layout {
    /// Reads `/proc/self/mountinfo` and `/proc/self/cgroup`; `None` when no tree has what is needed.
    pub fn parse(mountinfo: &str, cgroup: &str) -> Option<Layout> {
        let own = own_paths(cgroup);
        let mut v1 = BTreeMap::new();
        let mut v2 = None;
        for (root, mount, kind, options) in mountinfo.lines().filter_map(mount_line) {
            match kind {
                "cgroup" => {
                    for controller in CONTROLLERS.iter().chain(&["freezer"]) {
                        if options.split(',').any(|option| option == *controller) {
                            let own = own.get(*controller).map_or("/", String::as_str);
                            v1.entry(controller.to_string())
                                .or_insert_with(|| tree(root, mount, own));
                        }
                    }
                }
                "cgroup2" if v2.is_none() => {
                    let own = own.get("").map_or("/", String::as_str);
                    v2 = Some(tree(root, mount, own));
                }
                _ => {}
            }
        }
        if CONTROLLERS.iter().all(|c| v1.contains_key(*c)) {
            return Some(Layout {
                version: Version::V1,
                trees: v1,
            });
        }
        // A hybrid host whose controllers are split between both has no place that holds all three.
        (v1.is_empty()).then_some(())?;
        Some(Layout {
            version: Version::V2,
            trees: BTreeMap::from([(String::new(), v2?)]),
        })
    }

    /// The v2 tree's ancestors of the tool, nearest first, up to the mount itself.
    pub fn v2_candidates(&self) -> Vec<PathBuf> {
        let Some(tree) = self.trees.get("") else {
            return Vec::new();
        };
        tree.own
            .ancestors()
            .map(|path| tree.mount.join(path))
            .collect()
    }
}

/// Controller → path, from lines like `4:memory:/x` and `0::/x`.
fn own_paths(text: &str) -> BTreeMap<String, String> {
    let mut paths = BTreeMap::new();
    for line in text.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        if let (Some(names), Some(path)) = (parts.next(), parts.next()) {
            for name in names.split(',') {
                paths.insert(name.to_string(), path.to_string());
            }
        }
    }
    paths
}

/// Root, mount point, type and super options of one line of mountinfo.
fn mount_line(line: &str) -> Option<(&str, &str, &str, &str)> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(3);
    let (root, mount) = (left.next()?, left.next()?);
    let mut right = right.split(' ');
    let kind = right.next()?;
    let options = right.nth(1)?;
    Some((root, mount, kind, options))
}

/// In a container the mount may show a part of the tree only: the tool's path is relative to that.
/// A path with `..` (a cgroup outside the namespace) counts as the root.
fn tree(root: &str, mount: &str, own: &str) -> Tree {
    let own = Path::new(own);
    let own = own.strip_prefix(root).or_else(|_| own.strip_prefix("/"));
    let own = own.ok().filter(|path| {
        path.components()
            .all(|c| matches!(c, std::path::Component::Normal(_)))
    });
    Tree {
        mount: PathBuf::from(mount),
        own: own.map(Path::to_path_buf).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const V1_MOUNTS: &str = "\
29 26 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
30 29 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct
31 29 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
32 29 0:29 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
33 29 0:30 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer
34 29 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate";
    const V1_SELF: &str = "8:pids:/\n4:memory:/process_api/94ca\n2:cpu,cpuacct:/user\n0::/u";
    const V2_MOUNTS: &str = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate";

    #[test]
    fn a_hybrid_host_is_v1_below_the_tools_own_cgroups() {
        let layout = Layout::parse(V1_MOUNTS, V1_SELF).unwrap();
        assert_eq!(layout.version, Version::V1);
        let memory = &layout.trees["memory"];
        assert_eq!(memory.mount, Path::new("/sys/fs/cgroup/memory"));
        assert_eq!(memory.own, Path::new("process_api/94ca"));
        assert_eq!(layout.trees["cpu"].own, Path::new("user"));
        assert_eq!(layout.trees["pids"].own, Path::new(""));
    }

    #[test]
    fn a_v1_host_without_the_unified_tree_is_the_same() {
        let v1: Vec<_> = V1_MOUNTS
            .lines()
            .filter(|l| !l.contains("cgroup2"))
            .collect();
        let own = V1_SELF.trim_end_matches("\n0::/u");
        let v1 = Layout::parse(&v1.join("\n"), own).unwrap();
        assert_eq!(v1, Layout::parse(V1_MOUNTS, V1_SELF).unwrap());
    }

    /// The kernel gives a controller to one of the two: a host may have moved some to the unified tree.
    #[test]
    fn a_hybrid_host_whose_controllers_are_split_has_no_place() {
        for moved in ["memory", "pids", "cpu"] {
            let rest: Vec<_> = V1_MOUNTS
                .lines()
                .filter(|line| !line.contains(&format!("/{moved}")))
                .collect();
            assert_eq!(Layout::parse(&rest.join("\n"), V1_SELF), None, "{moved}");
        }
    }

    #[test]
    fn v2_lists_the_ancestors_of_the_tool() {
        let own = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope";
        let layout = Layout::parse(V2_MOUNTS, own).unwrap();
        assert_eq!(layout.version, Version::V2);
        let candidates = layout.v2_candidates();
        assert_eq!(candidates.len(), 6);
        assert_eq!(candidates[5], Path::new("/sys/fs/cgroup/"));
    }

    #[test]
    fn a_containers_part_of_the_tree_is_understood() {
        let mounts = "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw";
        let layout = Layout::parse(mounts, "0::/docker/abc/inner").unwrap();
        assert_eq!(layout.trees[""].own, Path::new("inner"));
        let outside = Layout::parse(V2_MOUNTS, "0::/../other").unwrap();
        assert_eq!(outside.trees[""].own, Path::new(""));
    }

    #[test]
    fn a_host_that_lacks_a_controller_has_no_place() {
        let some: Vec<_> = V1_MOUNTS.lines().filter(|l| !l.contains("pids")).collect();
        assert_eq!(Layout::parse(&some.join("\n"), V1_SELF), None);
        assert_eq!(Layout::parse("", ""), None);
    }

    proptest! {
        #[test]
        fn whatever_proc_says_paths_stay_below_the_mount(mounts in "[ -~\n]{0,200}", own in "[0-9a-z:/.,\n]{0,120}") {
            for text in [mounts.as_str(), V1_MOUNTS, V2_MOUNTS] {
                if let Some(layout) = Layout::parse(text, &own) {
                    for tree in layout.trees.values() {
                        prop_assert!(tree.own.is_relative());
                        prop_assert!(!tree.own.components().any(|c| c == std::path::Component::ParentDir));
                    }
                }
            }
        }
    }
}
