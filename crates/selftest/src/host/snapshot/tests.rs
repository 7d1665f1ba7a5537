//! Each kind of trace, left on the real host or in a folder, is named.

use super::*;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

fn watch(state_dir: &Path) -> Watch {
    Watch {
        state_dir: state_dir.canonicalize().unwrap(),
        uids: 0..0,
        uid: nix::unistd::geteuid().as_raw(),
        cgroup_parent: "llm-firecracker-selftest-unit".into(),
        pid: std::process::id() as i32,
    }
}

#[test]
fn a_quiet_host_shows_nothing_new() {
    let dir = tempfile::tempdir().unwrap();
    let watch = watch(dir.path());
    let before = watch.look().unwrap();
    assert_eq!(watch.look().unwrap().files, before.files);
}

#[test]
fn a_file_left_behind_is_named_and_so_is_a_changed_image() {
    let dir = tempfile::tempdir().unwrap();
    let images = dir.path().join("images");
    std::fs::create_dir(&images).unwrap();
    std::fs::write(images.join("python.erofs"), "image").unwrap();
    let watch = watch(dir.path());
    let before = watch.look().unwrap();
    std::fs::create_dir_all(dir.path().join("run/vm-1")).unwrap();
    std::fs::write(images.join("python.erofs"), "owned").unwrap();
    let left = files(&watch);
    let now = Snapshot {
        files: left,
        ..before.clone()
    };
    let left = now.since(&before).join("\n");
    assert!(left.contains("run/vm-1"), "{left}");
    assert!(
        left.contains("changed file") && left.contains("python.erofs"),
        "{left}"
    );
    std::fs::remove_file(images.join("python.erofs")).unwrap();
    let now = Snapshot {
        files: files(&watch),
        ..before.clone()
    };
    assert!(now.since(&before).join("\n").contains("lost file"));
}

#[test]
fn images_behind_a_link_may_not_change_either() {
    let dir = tempfile::tempdir().unwrap();
    let (state, shared) = (dir.path().join("state"), dir.path().join("shared"));
    std::fs::create_dir_all(&state).unwrap();
    std::fs::create_dir(&shared).unwrap();
    for name in ["bash.erofs", DIGESTS] {
        std::fs::write(shared.join(name), "image").unwrap();
    }
    std::os::unix::fs::symlink(&shared, state.join(IMAGES)).unwrap();
    let watch = watch(&state);
    let before = watch.look().unwrap();
    // The tool's own knowledge of them may.
    for name in ["bash.erofs", DIGESTS] {
        std::fs::write(shared.join(name), "owned").unwrap();
    }
    let now = Snapshot {
        files: files(&watch),
        ..before.clone()
    };
    let left = now.since(&before);
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].contains("changed file") && left[0].ends_with("bash.erofs"));
}

#[test]
fn a_process_left_behind_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let watch = watch(dir.path());
    let before = watch.look().unwrap();
    // Lives until its standard input ends.
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let left = watch.look().unwrap().since(&before);
    let name = format!("process {} (cat", child.id());
    assert!(left.iter().any(|what| what.starts_with(&name)), "{left:?}");
    drop(child.stdin.take());
    child.wait().unwrap();
    let left = watch.look().unwrap().since(&before);
    assert!(!left.iter().any(|what| what.starts_with(&name)), "{left:?}");
}

#[test]
fn a_socket_left_listening_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let watch = watch(dir.path());
    let before = watch.look().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let unix = UnixListener::bind(dir.path().join("left.sock")).unwrap();
    let left = watch.look().unwrap().since(&before).join("\n");
    assert!(
        left.contains(&tcp.local_addr().unwrap().to_string()),
        "{left}"
    );
    assert!(left.contains("listening socket unix"), "{left}");
    drop((tcp, unix));
}

#[test]
fn a_cgroup_and_a_mount_left_behind_are_named() {
    let root = tempfile::tempdir().unwrap();
    let parent = root.path().join("unit/llm-firecracker");
    std::fs::create_dir_all(parent.join("vm-1")).unwrap();
    let hierarchies = [(root.path().to_owned(), "cgroup2".to_owned())];
    let found = cgroups(&hierarchies, "llm-firecracker");
    assert_eq!(found, BTreeSet::from([parent.join("vm-1")]));
    let points = vec![
        ("/state/run/x".into(), "tmpfs".into()),
        ("/elsewhere".into(), "tmpfs".into()),
        ("/state".into(), "ext4".into()),
    ];
    let now = Snapshot {
        cgroups: found,
        mounts: below(Path::new("/state"), points),
        ..Snapshot::default()
    };
    let left = now.since(&Snapshot::default());
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(
        left.contains(&"mount /state/run/x (tmpfs)".into()),
        "{left:?}"
    );
}
