//! What `/proc` says of a VMM that lives: a stand-in, and real ones where there are images.

mod qemu;
mod stand_in;
mod uml;

use crate::host::Host;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const NAMESPACES: [&str; 7] = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"];

/// The words behind a name in a text of `name:` lines.
fn field(text: &str, name: &str) -> Vec<String> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("there is no {name}"))
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

/// Every thread: ids of its own, nothing to gain, at least so many filters.
pub fn assert_status(pid: i32, uids: std::ops::Range<u32>, filters: u32) {
    for thread in fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten() {
        let status = fs::read_to_string(thread.path().join("status")).unwrap();
        for name in ["Uid", "Gid"] {
            let ids: BTreeSet<u32> = field(&status, name)
                .iter()
                .map(|id| id.parse().unwrap())
                .collect();
            assert!(
                ids.len() == 1 && uids.contains(ids.first().unwrap()),
                "{name} {ids:?}"
            );
        }
        for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(field(&status, name), ["0000000000000000"], "{name}");
        }
        // An ordinary user's tool cannot leave his.
        if rustix::process::geteuid().is_root() {
            assert_eq!(field(&status, "Groups"), [""; 0]);
        }
        assert_eq!(field(&status, "NoNewPrivs"), ["1"]);
        assert_eq!(field(&status, "Seccomp"), ["2"]);
        let installed: u32 = field(&status, "Seccomp_filters")[0].parse().unwrap();
        assert!(installed >= filters, "{installed} filters");
    }
}

/// The kernel ends it before the tool where memory is short.
pub fn assert_goes_first(pid: i32) {
    let score = |pid: &str| {
        let text = fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap();
        text.trim().parse::<i32>().unwrap()
    };
    assert_eq!(score(&pid.to_string()), 1000);
    assert!(score("self") < 1000);
}

/// None of the namespaces is this process's, nor those of another VMM; the network is a loopback device.
pub fn assert_namespaces(pid: i32, other: i32) {
    let of = |pid: i32, name: &str| fs::read_link(format!("/proc/{pid}/ns/{name}")).unwrap();
    let own = std::process::id() as i32;
    for name in NAMESPACES {
        assert_ne!(of(pid, name), of(own, name), "{name}");
        assert_ne!(of(pid, name), of(other, name), "{name}");
    }
    let devices = fs::read_to_string(format!("/proc/{pid}/net/dev")).unwrap();
    let devices: Vec<&str> = devices.lines().skip(2).map(str::trim).collect();
    assert!(
        devices.len() == 1 && devices[0].starts_with("lo:"),
        "{devices:?}"
    );
}

/// Of each process in a jail (`setrlimit`); files may grow to `file_bytes`.
pub fn assert_rlimits(pid: i32, file_bytes: u64) {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let file_bytes = file_bytes.to_string();
    for (name, most) in [
        ("Max core file size", "0"),
        ("Max file size", &file_bytes),
        ("Max open files", "128"),
        ("Max locked memory", "0"),
        ("Max msgqueue size", "0"),
        ("Max nice priority", "0"),
        ("Max realtime priority", "0"),
    ] {
        let line = limits
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        let values: Vec<&str> = line.split_whitespace().take(2).collect();
        assert_eq!(values, [most, most], "{name}: soft and hard");
    }
}

/// Of all of a jail together.
pub fn assert_cgroup(pid: i32, id: &str, limits: vmm::cgroup::Limits, host: &Host) {
    let joined = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let inside = joined
        .lines()
        .filter(|line| line.ends_with(&format!("/{id}")))
        .count();
    let groups: Vec<PathBuf> = host
        .cgroups()
        .into_iter()
        .filter(|g| g.ends_with(id))
        .collect();
    assert!(inside > 0 && inside == groups.len(), "{joined}");
    let read = |name: &str| {
        let found = groups
            .iter()
            .find_map(|g| fs::read_to_string(g.join(name)).ok());
        found.map(|text| text.trim().to_owned())
    };
    let number = |names: [&str; 2]| -> u64 {
        let text = names.iter().find_map(|name| read(name)).unwrap();
        let first = text.split(' ').next().unwrap().parse();
        first.unwrap_or_else(|_| panic!("{names:?}: {text}"))
    };
    assert_eq!(
        number(["memory.max", "memory.limit_in_bytes"]),
        limits.memory_bytes
    );
    assert_eq!(number(["pids.max"; 2]), limits.pids);
    let quota = number(["cpu.max", "cpu.cfs_quota_us"]);
    assert_eq!(quota, (limits.cpus * 100_000.0) as u64);
}

/// The whole of what it sees, that it can write to nothing but `writable`, and execute nothing but
/// `executable`, where that is told.
pub fn assert_root(
    pid: i32,
    wanted: &BTreeSet<PathBuf>,
    writable: &[&str],
    executable: Option<&str>,
) {
    let root = PathBuf::from(format!("/proc/{pid}/root"));
    let mut seen = BTreeSet::new();
    walk(&root, &root, &mut seen);
    assert_eq!(&seen, wanted);
    if let Some(program) = executable {
        let mode = |path: &PathBuf| root.join(path.strip_prefix("/").unwrap()).metadata();
        let executable = |path: &&PathBuf| mode(path).unwrap().permissions().mode() & 0o111 != 0;
        let programs: Vec<_> = seen.iter().filter(executable).collect();
        assert_eq!(programs, [Path::new(program)]);
    }
    let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap();
    for line in mounts.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let (at, options) = (fields[4], fields[5]);
        let read_only = options.split(',').any(|option| option == "ro");
        assert!(read_only || writable.contains(&at), "{line}");
        assert!(
            options.contains("nosuid") && options.contains("nodev"),
            "{line}"
        );
    }
}

fn walk(root: &Path, folder: &Path, seen: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        match kind.is_dir() {
            true => walk(root, &entry.path(), seen),
            false => {
                assert!(kind.is_file(), "{:?} is no plain file", entry.path());
                let path = entry.path();
                seen.insert(Path::new("/").join(path.strip_prefix(root).unwrap()));
            }
        }
    }
}

/// What each of a process's descriptors is, as `/proc` names it.
pub fn open_files(pid: i32) -> Vec<String> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    entries
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .map(|target| target.to_string_lossy().into_owned())
        .collect()
}
