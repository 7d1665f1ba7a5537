//! Where groups go, on fabricated trees.

use super::*;
use layout::Tree;
use std::collections::BTreeMap;

const LIMITS: Limits = Limits {
    memory_bytes: (512 << 20) + 1,
    pids: 64,
    cpus: 1.5,
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
        let found = v2_place(&layout, false);
        assert_eq!(found.as_deref().ok(), place.map(Path::new), "{handed:?}");
        if let Err(reason) = found {
            assert!(reason.contains("Delegate=yes"), "{reason}");
        }
        // Root's is the tree's root, whatever stands there.
        assert_eq!(v2_place(&layout, true), Ok(PathBuf::new()));
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
