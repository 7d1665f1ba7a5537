//! Where groups go, on fabricated trees.

use super::place::v1_places;
use super::*;
use layout::{CONTROLLERS, Layout, Tree};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const LIMITS: Limits = Limits {
    memory_bytes: (512 << 20) + 1,
    pids: 64,
    cpus: 1.5,
    memory_bytes_of_all: 4 << 30,
};

#[test]
fn each_version_has_its_own_spelling() {
    let spelled = |version| {
        LIMITS
            .settings(version)
            .map(|(file, value)| format!("{file}={value}"))
    };
    assert_eq!(
        spelled(Version::V1),
        [
            "memory.limit_in_bytes=536870912",
            "pids.max=64",
            "cpu.cfs_quota_us=150000"
        ]
    );
    assert_eq!(
        spelled(Version::V2),
        [
            "memory.max=536870912",
            "pids.max=64",
            "cpu.max=150000 100000"
        ]
    );
}

/// A v2 tree whose folders, from its root down, hand these controllers down.
fn v2_tree(handed: &[&str]) -> (tempfile::TempDir, Layout) {
    let dir = tempfile::tempdir().unwrap();
    let (mut folder, mut own) = (dir.path().to_path_buf(), PathBuf::new());
    for (depth, controllers) in handed.iter().enumerate() {
        if depth > 0 {
            own.push(format!("level-{depth}"));
            folder = dir.path().join(&own);
            std::fs::create_dir(&folder).unwrap();
        }
        std::fs::write(folder.join("cgroup.procs"), "").unwrap();
        std::fs::write(folder.join("cgroup.subtree_control"), controllers).unwrap();
    }
    let mount = dir.path().to_path_buf();
    let trees = BTreeMap::from([(String::new(), Tree { mount, own })]);
    let version = Version::V2;
    (dir, Layout { version, trees })
}

#[test]
fn a_users_place_is_the_nearest_that_hands_all_controllers_down() {
    let all = "cpuset cpu io memory pids";
    for (handed, place) in [
        (&[all, all, "", ""][..], Some("level-1")),
        (&[all, all, all, "memory pids"], Some("level-1/level-2")),
        (&[all, "memory pids", "cpu"], Some("")),
        (&["cpuacct memory pids", "", ""], None),
    ] {
        let (_dir, layout) = v2_tree(handed);
        let found = v2::place_of_user(&layout);
        assert_eq!(found.as_deref().ok(), place.map(Path::new), "{handed:?}");
        if let Err(reason) = found {
            assert!(reason.contains("Delegate=yes"), "{reason}");
        }
        // Root's is the tree's root where nobody delegated anything, whatever stands there.
        assert_eq!(v2::place_of_root(&layout, |_| false), Ok(PathBuf::new()));
    }
}

/// A kernel moves a process out of where it was; files do not.
fn procs(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default()
}

#[test]
fn roots_place_is_below_the_unit_that_was_delegated() {
    let all = "cpu memory pids";
    // The tool's own cgroup is level-2; what is delegated, and where VMs then go.
    for (delegated, place) in [
        ("level-1/level-2", "level-1/level-2"),
        ("level-1", "level-1"),
        ("elsewhere", ""),
    ] {
        let (dir, layout) = v2_tree(&[all, all, ""]);
        let is_delegated = |folder: &Path| folder.ends_with(delegated);
        let found = v2::place_of_root(&layout, is_delegated).unwrap();
        assert_eq!(found, Path::new(place));
        // What binds the unit binds VMs: they are below it.
        let own = dir.path().join("level-1/level-2");
        assert!(place.is_empty() || own.starts_with(dir.path().join(&found)));
        assert!(
            !own.join("daemon").exists(),
            "an empty cgroup needs no leaf"
        );
    }
}

#[test]
fn a_units_own_processes_move_into_a_leaf() {
    let (dir, layout) = v2_tree(&["cpu memory pids", ""]);
    let unit = dir.path().join("level-1");
    std::fs::write(unit.join("cgroup.procs"), "41\n42\n").unwrap();
    // These files do not get empty as a kernel's would; each process was moved all the same.
    let error = v2::place_of_root(&layout, |folder| folder.ends_with("level-1")).unwrap_err();
    assert!(error.contains("does not get empty"), "{error}");
    assert_eq!(procs(&unit.join("daemon")), "42");
}

#[test]
fn each_cgroup_down_to_the_vms_parent_hands_the_controllers_down() {
    let (dir, _) = v2_tree(&["memory", ""]);
    let parent = dir.path().join("level-1/vms");
    v2::make_parent(dir.path(), &parent).unwrap();
    v2::make_parent(dir.path(), &parent).unwrap();
    for folder in [dir.path(), &dir.path().join("level-1"), &parent] {
        let written = std::fs::read_to_string(folder.join("cgroup.subtree_control")).unwrap();
        // A kernel adds up what is written; a file keeps the last.
        assert!(written.starts_with('+'), "{folder:?}: {written}");
    }
}

#[test]
fn v1_needs_every_tree_to_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let tree = |name: &str| Tree {
        mount: dir.path().join(name),
        own: PathBuf::from("own"),
    };
    let names = CONTROLLERS.iter().chain(&["freezer"]);
    let trees: BTreeMap<_, _> = names.map(|name| (name.to_string(), tree(name))).collect();
    for tree in trees.values() {
        std::fs::create_dir_all(tree.mount.join(&tree.own)).unwrap();
    }
    let version = Version::V1;
    let layout = Layout { version, trees };
    let places = v1_places(&layout).unwrap();
    assert_eq!(places.len(), 4);
    assert!(places.values().all(|place| place == Path::new("own")));
    std::fs::remove_dir_all(dir.path().join("pids")).unwrap();
    let reason = v1_places(&layout).unwrap_err();
    assert!(reason.contains("pids/own cannot be written"), "{reason}");
}

/// A version 2 tree of this host, also one beside version 1's that has no controllers.
fn real_v2_tree() -> Option<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let of_v2 = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let (at, kind) = (words.next()?, words.next()?);
        (kind == "cgroup2").then(|| PathBuf::from(at))
    };
    mounts.lines().find_map(of_v2)
}

#[test]
fn a_real_cgroup_is_known_by_its_mark_and_its_processes_move_into_a_leaf() {
    let name = format!("llm-firecracker-unit-test-{}", std::process::id());
    let made = real_v2_tree().and_then(|mount| {
        let unit = mount.join(&name);
        std::fs::create_dir(&unit).ok().map(|()| (mount, unit))
    });
    let Some((mount, unit)) = made else {
        println!("not run: no version 2 tree that this user may write");
        return;
    };
    // Lives until its input ends.
    let mut command = std::process::Command::new("cat");
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let pid = child.id().to_string();
    std::fs::write(unit.join("cgroup.procs"), &pid).unwrap();
    let trees = BTreeMap::from([(
        String::new(),
        Tree {
            mount,
            own: PathBuf::from(&name),
        },
    )]);
    let version = Version::V2;
    let layout = Layout { version, trees };
    let unmarked = v2::place_of_root(&layout, v2::is_delegated);
    let flags = rustix::fs::XattrFlags::empty();
    let marked = rustix::fs::setxattr(&unit, "user.delegate", b"1", flags);
    let places = [(); 2].map(|()| v2::place_of_root(&layout, v2::is_delegated));
    let (above, leaf) = (procs(&unit), procs(&unit.join("daemon")));
    drop(child.stdin.take());
    child.wait().unwrap();
    let gone = [unit.join("daemon"), unit];
    remove_folders(&gone, std::time::Duration::from_secs(5)).unwrap();
    assert_eq!(unmarked, Ok(PathBuf::new()));
    marked.unwrap();
    assert_eq!(places, [(); 2].map(|()| Ok(PathBuf::from(&name))));
    assert_eq!((above.as_str(), leaf.trim()), ("", pid.as_str()));
}
