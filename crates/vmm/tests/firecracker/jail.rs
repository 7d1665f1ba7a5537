//! The jailer's arguments for both cgroup versions, bubblewrap's around it, the chroot's layout.

use crate::spec;
use std::path::{Path, PathBuf};
use vmm::SnapshotFiles;
use vmm::cgroup::{Limits, layout::Version};
use vmm::firecracker::jailer::{Jailer, Unjailed};
use vmm::firecracker::layout;

fn text(args: Vec<std::ffi::OsString>) -> String {
    let words: Vec<String> = args.into_iter().map(|a| a.into_string().unwrap()).collect();
    words.join(" ")
}

fn with_jailer<T>(cgroup_version: Version, then: impl FnOnce(Jailer) -> T) -> T {
    let spec = spec();
    then(Jailer {
        id: &spec.id,
        firecracker: Path::new("/opt/fc/firecracker-v1.16.1-x86_64"),
        jailer: Path::new("/opt/fc/jailer-v1.16.1-x86_64"),
        uid: 10_007,
        base: Path::new("/srv/jailer"),
        cgroup_version,
        parent_cgroup: "llm-firecracker",
        limits: Limits {
            memory_bytes: 768 << 20,
            pids: 64,
            cpus: 1.5,
            memory_bytes_of_all: 8 << 30,
        },
        file_bytes: 1 << 20,
    })
}

#[test]
fn the_jailers_arguments_on_a_v2_host() {
    assert_eq!(
        text(with_jailer(Version::V2, |jailer| jailer.arguments())),
        "--id 0190b5f0-7d1c-7c57-9c3f-6a1d2e3f4a5b --exec-file /firecracker --uid 10007 --gid 10007 \
         --chroot-base-dir /srv/jailer --parent-cgroup llm-firecracker --cgroup-version 2 \
         --cgroup memory.max=805306368 --cgroup pids.max=64 --cgroup cpu.max=150000 100000 \
         --resource-limit fsize=1048576 --resource-limit no-file=128 -- --api-sock api.sock"
    );
}

#[test]
fn the_jailers_arguments_on_a_v1_host() {
    assert_eq!(
        text(with_jailer(Version::V1, |jailer| jailer.arguments())),
        "--id 0190b5f0-7d1c-7c57-9c3f-6a1d2e3f4a5b --exec-file /firecracker --uid 10007 --gid 10007 \
         --chroot-base-dir /srv/jailer --parent-cgroup llm-firecracker --cgroup-version 1 \
         --cgroup memory.limit_in_bytes=805306368 --cgroup pids.max=64 --cgroup cpu.cfs_quota_us=150000 \
         --resource-limit fsize=1048576 --resource-limit no-file=128 -- --api-sock api.sock"
    );
}

/// Firecracker must not outlive the tool, and must not be started with its filters off.
#[test]
fn nothing_detaches_firecracker_or_takes_its_filters_off() {
    for version in [Version::V1, Version::V2] {
        let args = text(with_jailer(version, |jailer| jailer.arguments()));
        for word in [
            "--daemonize",
            "--new-pid-ns",
            "--no-seccomp",
            "--seccomp-filter",
            "--netns",
        ] {
            assert!(!args.contains(word), "{word}");
        }
    }
}

#[test]
fn the_supervisor_shows_the_jailer_its_inputs_and_dies_with_the_tool() {
    let folder = layout::folder(Path::new("/srv/jailer"), &spec().id);
    let args = with_jailer(Version::V2, |jailer| {
        jailer.supervisor_arguments(&folder, 3, 4)
    });
    let args = text(args);
    for wanted in [
        "--die-with-parent",
        "--unshare-pid",
        "--unshare-net",
        "--cap-drop ALL",
        "--ro-bind /opt/fc/jailer-v1.16.1-x86_64 /jailer",
        "--ro-bind /opt/fc/firecracker-v1.16.1-x86_64 /firecracker",
        "--dev-bind /srv/jailer/firecracker/0190b5f0-7d1c-7c57-9c3f-6a1d2e3f4a5b /srv/jailer/firecracker/0190b5f0-7d1c-7c57-9c3f-6a1d2e3f4a5b",
        "--info-fd 3 --sync-fd 4",
    ] {
        assert!(args.contains(wanted), "{wanted} in {args}");
    }
    assert!(args.ends_with("-- /jailer"));
    // Its init must be root's for the whole life of the VM: the jailer as pid 1 would become the uid.
    assert!(!args.contains("--as-pid-1"));
    // No way from the jailer to the rest of the host's files.
    assert_eq!(args.matches("bind ").count(), 4);
}

/// The jailer makes BASE/NAME-OF-THE-PROGRAM/ID/root.
#[test]
fn the_chroot_is_where_the_jailer_makes_it() {
    let base = Path::new("/srv/jailer");
    let folder = layout::folder(base, &spec().id);
    let args = with_jailer(Version::V2, |jailer| jailer.arguments());
    let after = |flag: &str| {
        let at = args.iter().position(|arg| arg == flag).unwrap();
        PathBuf::from(&args[at + 1])
    };
    let program = after("--exec-file");
    let made = after("--chroot-base-dir")
        .join(program.file_name().unwrap())
        .join(after("--id"));
    assert_eq!(made, folder);
}

#[test]
fn a_booted_vm_and_a_clone_get_just_their_files() {
    let spec = spec();
    let names = |files: Vec<(PathBuf, &str)>| -> Vec<String> {
        files
            .iter()
            .map(|(from, at)| format!("{} {at}", from.display()))
            .collect()
    };
    assert_eq!(
        names(layout::of_boot(&spec)),
        [
            "/images/vmlinux kernel",
            "/images/initramfs initramfs",
            "/images/python rootfs"
        ]
    );
    let snapshot = SnapshotFiles {
        memory: "/snap/memory".into(),
        state: "/snap/state".into(),
    };
    assert_eq!(
        names(layout::of_clone(&spec, &snapshot)),
        [
            "/snap/memory memory",
            "/snap/state state",
            "/images/python rootfs"
        ]
    );
}

#[test]
fn without_the_jailer_it_still_dies_with_the_tool_and_writes_no_image() {
    let spec = spec();
    let unjailed = Unjailed {
        id: &spec.id,
        firecracker: Path::new("/fc"),
        root: Path::new("/run/root"),
        files: &layout::of_boot(&spec),
    };
    let args = text(unjailed.arguments(3));
    assert!(args.contains("--die-with-parent") && args.contains("--unshare-net"));
    assert!(args.contains("--ro-bind /images/python /run/root/rootfs"));
}
