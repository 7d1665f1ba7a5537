//! What `/proc` says of a VMM that lives: a stand-in, and QEMU where there are images.

use crate::host::{Host, host};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use vmm::jail::inspect::child_of;
use vmm::{VmId, VmSpec};

const NAMESPACES: [&str; 7] = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"];

/// Every thread: ids of its own, nothing to gain, at least so many filters.
fn assert_status(pid: i32, uids: std::ops::Range<u32>, filters: u32) {
    for thread in fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten() {
        let status = fs::read_to_string(thread.path().join("status")).unwrap();
        let field = |name: &str| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.unwrap().split_whitespace().collect::<Vec<_>>()
        };
        for name in ["Uid", "Gid"] {
            let ids: BTreeSet<u32> = field(name).iter().map(|id| id.parse().unwrap()).collect();
            assert!(
                ids.len() == 1 && uids.contains(ids.first().unwrap()),
                "{name} {ids:?}"
            );
        }
        for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(field(name), ["0000000000000000"], "{name}");
        }
        assert_eq!(field("Groups"), [""; 0]);
        assert_eq!(field("NoNewPrivs"), ["1"]);
        assert_eq!(field("Seccomp"), ["2"]);
        let installed: u32 = field("Seccomp_filters")[0].parse().unwrap();
        assert!(installed >= filters, "{installed} filters");
    }
}

/// None of the namespaces is this process's, nor those of another VMM.
fn assert_namespaces(pid: i32, other: i32) {
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

fn assert_limits(pid: i32, id: &str, memory_bytes: u64, host: &Host) {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    for (name, most) in [
        ("Max core file size", "0"),
        ("Max file size", "0"),
        ("Max open files", "128"),
        ("Max locked memory", "0"),
        ("Max realtime priority", "0"),
    ] {
        let line = limits
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        let values: Vec<&str> = line.split_whitespace().take(2).collect();
        assert_eq!(values, [most, most], "{name}: soft and hard");
    }
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
    let memory = read("memory.max")
        .or(read("memory.limit_in_bytes"))
        .unwrap();
    assert_eq!(memory.parse::<u64>().unwrap(), memory_bytes);
    assert!(read("pids.max").unwrap().parse::<u64>().unwrap() <= 64);
    let cpu = read("cpu.max").or(read("cpu.cfs_quota_us")).unwrap();
    assert!(
        cpu.split(' ').next().unwrap().parse::<u64>().is_ok(),
        "{cpu}"
    );
}

/// The whole of what it sees, and that it can write to nothing but `writable`.
fn assert_root(pid: i32, wanted: &BTreeSet<PathBuf>, writable: &[&str]) {
    let root = PathBuf::from(format!("/proc/{pid}/root"));
    let mut seen = BTreeSet::new();
    walk(&root, &root, &mut seen);
    assert_eq!(&seen, wanted);
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

#[tokio::test]
async fn a_live_stand_in_is_held_as_the_table_says() {
    let Some(host) = host("evidence") else { return };
    let program = Path::new("/bin/sleep").canonicalize().unwrap();
    let jail = host.jail(&program);
    let (one, _out) = host.start(&jail, "one", &["300"], Vec::new());
    let (two, _out) = host.start(&jail, "two", &["300"], Vec::new());
    assert_ne!(one.uid, two.uid);
    let pid = one.process.pid();
    host.wait_for_program(pid, &program);
    host.wait_for_program(two.process.pid(), &program);
    // The jail's filter.
    assert_status(pid, one.uid..one.uid + 1, 1);
    assert_namespaces(pid, two.process.pid());
    assert_limits(pid, "one", 256 << 20, &host);
    let table = vmm::jail::root::RootSpec::of_program(&program).unwrap();
    assert_root(pid, &table.files.into_values().collect(), &[]);
    let open: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().collect();
    assert_eq!(open.len(), 3, "stdin, stdout, stderr");
    assert!(child_of(pid).is_none());
}

/// A kernel, an initramfs and a root file system, whatever language's.
fn images() -> Option<[PathBuf; 3]> {
    let state = std::env::var_os("LLM_FIRECRACKER_STATE_DIR");
    let images = PathBuf::from(state.unwrap_or("/var/lib/llm-firecracker".into())).join("images");
    let find = |folder: &str, start: &str, end: &str| {
        let entries = images.join(folder).read_dir().ok()?.flatten();
        entries.map(|entry| entry.path()).find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(start) && name.ends_with(end)
        })
    };
    Some([
        find("kernel", "vmlinux-", "")?,
        find("initramfs", "", "")?,
        find("rootfs", "", ".erofs")?,
    ])
}

#[tokio::test]
async fn a_live_qemu_is_held_as_the_table_says() {
    let Some(host) = host("qemu") else { return };
    let Some([kernel, initramfs, rootfs]) = images() else {
        println!("not run: no images; llm-firecracker images build");
        return;
    };
    let engine = match vmm::qemu::QemuEngine::open(host.config.clone()).await {
        Ok(engine) => engine,
        Err(e) => {
            println!("not run: {e}");
            return;
        }
    };
    let spec = |id: &str| VmSpec {
        id: VmId::new(id).unwrap(),
        kernel: kernel.clone(),
        initramfs: initramfs.clone(),
        rootfs: rootfs.clone(),
        memory_mib: 128,
        vcpus: 1,
    };
    let (one, two) = (spec("one"), spec("two"));
    let engine: &dyn vmm::Engine = &engine;
    let (one, two) = (
        engine.boot(one).await.unwrap(),
        engine.boot(two).await.unwrap(),
    );
    let (pid, other) = (one.usage().pid, two.usage().pid);
    let uids = host.config.uid_base..host.config.uid_base + host.config.uid_count;
    // The jail's filter and QEMU's own.
    assert_status(pid, uids, 2);
    assert_namespaces(pid, other);
    assert_limits(pid, "one", (128 + 256) << 20, &host);
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let program = PathBuf::from(
        String::from_utf8_lossy(command.split(|b| *b == 0).next().unwrap()).into_owned(),
    );
    let mut table: BTreeSet<PathBuf> = vmm::jail::root::RootSpec::of_program(&program)
        .unwrap()
        .files
        .into_values()
        .collect();
    table.extend(["/kernel", "/initramfs", "/ram", "/rootfs", "/qboot.rom"].map(PathBuf::from));
    assert_root(pid, &table, &["/ram"]);
    // Of the host's files only the root file system is open, and its own RAM.
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten() {
        let target = fs::read_link(entry.path()).unwrap_or_default();
        let mut known = vec![Path::new("/dev/null"), rootfs.as_path(), Path::new("/ram")];
        if engine.identity().accelerator == vmm::Accelerator::Kvm {
            known.push(Path::new("/dev/kvm"));
        }
        assert!(
            target.is_relative() || known.contains(&target.as_path()),
            "{target:?}"
        );
    }
    one.close().await.unwrap();
    two.close().await.unwrap();
    assert!(host.runs().is_empty() && host.cgroups().is_empty());
}
