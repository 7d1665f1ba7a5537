//! One VM's group on fabricated v1, hybrid and v2 trees.

use super::*;
use std::fs;
use tempfile::TempDir;

const LIMITS: Limits = Limits {
    memory_bytes: 512 << 20,
    pids: 64,
    cpus: 1.5,
    memory_bytes_of_all: 4 << 30,
};

/// A kernel's files of one VM's group, on a host of this version: folder, file, content.
type Files = &'static [(&'static str, &'static str, &'static str)];

const V1: Files = &[
    ("memory", "memory.limit_in_bytes", "536870912\n"),
    ("memory", "memory.max_usage_in_bytes", "1234\n"),
    (
        "memory",
        "memory.oom_control",
        "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
    ),
    ("pids", "pids.max", "64\n"),
    ("cpu,cpuacct", "cpu.cfs_quota_us", "150000\n"),
    ("freezer", "freezer.state", "THAWED\n"),
];
const V2: Files = &[
    ("", "memory.max", "536870912\n"),
    ("", "memory.peak", "1234\n"),
    (
        "",
        "memory.events",
        "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n",
    ),
    ("", "pids.max", "64\n"),
    ("", "cpu.max", "150000 100000\n"),
];
/// What `/proc/PID/cgroup` says of a member: a hybrid host has v1's lines, and one of a tree without
/// controllers.
const MEMBERS: [(Version, &str); 3] = [
    (
        Version::V1,
        "9:freezer:/x/vm-1\n5:pids:/x/vm-1\n4:memory:/x/vm-1\n2:cpu,cpuacct:/y/vm-1\n",
    ),
    (
        Version::V1,
        "9:freezer:/x/vm-1\n5:pids:/x/vm-1\n4:memory:/x/vm-1\n2:cpu,cpuacct:/y/vm-1\n0::/user\n",
    ),
    (Version::V2, "0::/x/vm-1\n"),
];

/// The group as if the kernel had made it, with `spoilt` in place of one file's content.
fn fabricated(version: Version, spoilt: Option<(&str, &str)>) -> (TempDir, VmCgroup) {
    let dir = tempfile::tempdir().unwrap();
    let files = match version {
        Version::V1 => V1,
        Version::V2 => V2,
    };
    let mut folders = Vec::new();
    for (tree, file, content) in files {
        let folder = dir.path().join(tree).join("vms/vm-1");
        fs::create_dir_all(&folder).unwrap();
        let other = spoilt.filter(|(name, _)| name == file);
        fs::write(folder.join(file), other.map_or(*content, |(_, text)| text)).unwrap();
        folders.push(folder);
    }
    folders.dedup();
    let cgroup = VmCgroup {
        version,
        mount: dir.path().to_path_buf(),
        folders,
    };
    (dir, cgroup)
}

fn both() -> [Version; 2] {
    [Version::V1, Version::V2]
}

#[test]
fn limits_that_the_kernel_holds_pass_and_each_other_one_is_named() {
    for version in both() {
        let (_dir, cgroup) = fabricated(version, None);
        cgroup.check(LIMITS).unwrap();
        let (memory, cpu, unlimited) = match version {
            Version::V1 => ("memory.limit_in_bytes", "cpu.cfs_quota_us", "-1\n"),
            Version::V2 => ("memory.max", "cpu.max", "max 100000\n"),
        };
        for (file, seen) in [(memory, "max\n"), ("pids.max", "max\n"), (cpu, unlimited)] {
            let (_dir, cgroup) = fabricated(version, Some((file, seen)));
            let error = cgroup.check(LIMITS).unwrap_err().to_string();
            let seen = seen.trim_end();
            assert!(
                error.contains(file) && error.contains(seen),
                "{version:?}: {error}"
            );
            fs::remove_file(cgroup.find(file).unwrap()).unwrap();
            let error = cgroup.check(LIMITS).unwrap_err().to_string();
            assert!(
                error.contains(file) && error.contains("not there"),
                "{error}"
            );
        }
    }
}

#[test]
fn limits_are_written_as_they_are_checked_and_all_vms_have_a_cap() {
    for version in both() {
        let (_dir, cgroup) = fabricated(version, None);
        for (file, _) in LIMITS.settings(version) {
            fs::write(cgroup.find(file).unwrap(), "").unwrap();
        }
        let (cap, bytes) = LIMITS.cap(version);
        let folder = cgroup.find(cap).unwrap();
        let cap = folder.parent().unwrap().with_file_name(cap);
        let refused = cgroup.establish(LIMITS).unwrap_err().to_string();
        assert!(refused.contains("the memory of all VMs"), "{refused}");
        for unlimited in ["max\n", "9223372036854771712\n"] {
            fs::write(&cap, unlimited).unwrap();
            cgroup.establish(LIMITS).unwrap();
            assert_eq!(fs::read_to_string(&cap).unwrap(), bytes.to_string());
        }
        // The cap of VMs that run is not taken from them.
        fs::write(&cap, "8589934592\n").unwrap();
        cgroup.establish(LIMITS).unwrap();
        assert_eq!(fs::read_to_string(&cap).unwrap(), "8589934592\n");
    }
}

#[test]
fn a_vms_folders_are_one_a_tree() {
    let tree = |mount: &str, own: &str| Tree {
        mount: mount.into(),
        own: own.into(),
    };
    let id = VmId::new("vm-1").unwrap();
    let trees = [
        tree("/cg/cpu,cpuacct", "a/vms"),
        tree("/cg/memory", "b/vms"),
        tree("/cg/cpu,cpuacct", "a/vms"),
    ];
    let cgroup = VmCgroup::new(Version::V1, trees.iter(), &id);
    let folders = ["/cg/cpu,cpuacct/a/vms/vm-1", "/cg/memory/b/vms/vm-1"];
    assert_eq!(cgroup.folders(), folders.map(PathBuf::from));
    let cgroup = VmCgroup::new(Version::V2, [tree("/cg", "unit/vms")].iter(), &id);
    assert_eq!(cgroup.folders(), [PathBuf::from("/cg/unit/vms/vm-1")]);
}

#[test]
fn a_member_is_in_every_tree_or_it_is_none() {
    for (version, member) in MEMBERS {
        let (_dir, cgroup) = fabricated(version, None);
        assert!(cgroup.holds(member), "{member}");
        assert!(!cgroup.holds(&member.replace("vm-1", "vm-10")), "{member}");
        assert!(
            !cgroup.holds(&member.replacen("vm-1", "vm-2", 1)),
            "{member}"
        );
        assert!(!cgroup.holds("0::/\n") && !cgroup.holds(""));
    }
}

#[test]
fn what_the_kernel_counted_is_read() {
    for version in both() {
        let (_dir, cgroup) = fabricated(version, None);
        assert_eq!(cgroup.memory_peak_bytes(), 1234);
        assert!(!cgroup.ran_out_of_memory());
        let (file, text) = match version {
            Version::V1 => ("memory.oom_control", "oom_kill_disable 0\noom_kill 2\n"),
            Version::V2 => (
                "memory.events",
                "max 9\noom 1\noom_kill 1\noom_group_kill 0\n",
            ),
        };
        let (_dir, cgroup) = fabricated(version, Some((file, text)));
        assert!(cgroup.ran_out_of_memory());
        fs::remove_file(cgroup.find(file).unwrap()).unwrap();
        assert!(!cgroup.ran_out_of_memory());
    }
}

#[test]
fn each_tree_has_its_entrance() {
    for (version, file, count) in [(Version::V1, "tasks", 4), (Version::V2, "cgroup.procs", 1)] {
        let (_dir, cgroup) = fabricated(version, None);
        assert_eq!(
            cgroup.entrances().unwrap_err().kind(),
            std::io::ErrorKind::NotFound
        );
        for folder in cgroup.folders() {
            fs::write(folder.join(file), "").unwrap();
        }
        assert_eq!(cgroup.entrances().unwrap().len(), count);
    }
}

#[test]
fn a_group_goes_with_its_parent_and_a_neighbours_parent_stays() {
    for version in both() {
        let (_dir, cgroup) = fabricated(version, None);
        for folder in cgroup.folders() {
            // A real group's files are no obstacle to its removal.
            fs::remove_dir_all(folder).unwrap();
            fs::create_dir(folder).unwrap();
        }
        let neighbour = cgroup.folders()[0].with_file_name("vm-2");
        fs::create_dir(&neighbour).unwrap();
        cgroup.remove(Duration::ZERO).unwrap();
        assert!(cgroup.folders().iter().all(|folder| !folder.exists()));
        assert!(neighbour.exists());
        for folder in &cgroup.folders()[1..] {
            assert!(!folder.parent().unwrap().exists(), "{folder:?}");
        }
    }
}

#[test]
fn a_neighbour_that_comes_between_is_outlasted_and_a_lasting_refusal_is_told() {
    use std::cell::Cell;
    let tries = Cell::new(0);
    let count = || tries.replace(tries.get() + 1);
    // The parent was there when it was made, was not when it was entered, then went once more.
    let interrupted = || match count() {
        0 => Err("exists"),
        1 => Err("not found"),
        _ => Ok(()),
    };
    assert_eq!(made(interrupted, || tries.get() > 3), Ok(()));
    assert_eq!(tries.replace(0), 4);
    let refused = || match count() {
        _ if tries.get() > MAKE_ATTEMPTS => panic!("without end"),
        _ => Err("read-only"),
    };
    assert_eq!(made(refused, || false), Err("read-only"));
    assert_eq!(tries.get(), MAKE_ATTEMPTS);
}
