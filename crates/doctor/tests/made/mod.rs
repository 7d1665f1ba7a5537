//! A made-up host on which every check that can pass does; tests spoil one thing at a time.

use doctor::facts::{
    Built, Digests, Engine, Kvm, Probe, Runtime, Setting, Tool, Uml, UmlKernel, Vms,
};
use doctor::{Facts, Host, Report};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The made-up host's only VM, and a thread of it besides the first.
pub const VM: i32 = 500;
pub const SECOND_VM: i32 = 600;
/// A process of the guest, where that VM is of User-Mode Linux.
pub const UML_PROCESS: i32 = 510;

pub const SPECTRE_V2: &str = "/sys/devices/system/cpu/vulnerabilities/spectre_v2";

pub struct Made {
    root: tempfile::TempDir,
    pub facts: Facts,
}

impl Made {
    pub fn good() -> Made {
        // Some thousand small files: in memory where that is possible.
        let root = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap();
        // The umask and the temporary folder's own mode are the machine's business.
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let made = Made {
            root,
            facts: good_facts(),
        };
        for (path, text) in GOOD {
            made.file(path, text);
        }
        for folder in [
            "/var/lib/llm-firecracker",
            "/srv/jailer",
            "/sys/kernel/mm/ksm",
        ] {
            made.folder(folder);
        }
        for path in [
            "/dev/kvm",
            "/etc/llm-firecracker.toml",
            "/etc/llm-firecracker.key",
        ] {
            made.mode(path, 0o600);
        }
        made.mode("/var/lib/llm-firecracker", 0o700);
        made.vm(VM, "qemu-system-x86", QEMU_ARGUMENTS);
        for name in NAMESPACES {
            made.link(&format!("/proc/self/ns/{name}"), &format!("{name}:[1]"));
        }
        made
    }

    /// The same host without KVM and without what hypervisors need, where jobs run under User-Mode Linux.
    pub fn good_uml() -> Made {
        let mut made = Made::good();
        for path in [
            "/dev/kvm",
            "/sys/module/kvm",
            "/sys/module/kvm_intel",
            "/srv/jailer",
        ] {
            made.remove(path);
        }
        made.edit(
            "/proc/self/mounts",
            "rw,relatime",
            "rw,nodev,noexec,relatime",
        );
        made.file("/proc/sys/kernel/osrelease", "6.12.3-amd64");
        made.file("/proc/sys/kernel/yama/ptrace_scope", "1");
        made.file(
            SPECTRE_V2,
            "Mitigation: Retpolines; IBPB: always-on; RSB filling",
        );
        made.vm(VM, "kernel", UML_ARGUMENTS);
        // Its guest's processes are in its namespaces.
        made.process_of(VM, UML_PROCESS);
        made.facts = Facts {
            kvm: Kvm::Not("/dev/kvm is absent".to_owned()),
            engine: Some(Engine::Uml),
            qemu: Tool::default(),
            firecracker: Tool::default(),
            jailer: Tool::default(),
            snapshots: Digests::Nothing,
            uml: good_uml(),
            ..made.facts
        };
        made
    }

    /// A process of a User-Mode Linux VM's guest, held as its kernel is.
    pub fn process_of(&self, vmm: i32, pid: i32) {
        self.vm(pid, "uml-userspace", "");
        self.file(
            &format!("/proc/{pid}/cgroup"),
            &format!("0::/llm-firecracker/{vmm}"),
        );
        self.file(
            &format!("/proc/{pid}/task/{pid}/status"),
            &status(10_000 + vmm),
        );
        self.file(
            &format!("/proc/{pid}/task/{}/status", pid + 1),
            &status(10_000 + vmm),
        );
        for namespace in NAMESPACES {
            let inside = format!("{namespace}:[{vmm}]");
            self.link(&format!("/proc/{pid}/ns/{namespace}"), &inside);
        }
    }

    /// A VMM with every wall up, in version 2 groups.
    pub fn vm(&self, pid: i32, name: &str, arguments: &str) {
        let proc = format!("/proc/{pid}");
        self.file(&format!("{proc}/comm"), name);
        self.file(&format!("{proc}/cmdline"), &arguments.replace(' ', "\0"));
        self.file(
            &format!("{proc}/cgroup"),
            &format!("0::/llm-firecracker/{pid}"),
        );
        self.file(&format!("{proc}/limits"), LIMITS);
        for task in [pid, pid + 1] {
            self.file(&format!("{proc}/task/{task}/status"), &status(10_000 + pid));
        }
        self.file(&format!("{proc}/status"), &status(10_000 + pid));
        self.file(&format!("{proc}/oom_score_adj"), "1000");
        // The group of all.
        self.file("/sys/fs/cgroup/llm-firecracker/memory.max", "8589934592");
        for (fd, target) in [
            (0, "/dev/null"),
            (1, "pipe:[7]"),
            (2, "/dev/null"),
            (9, "socket:[8]"),
        ] {
            self.link(&format!("{proc}/fd/{fd}"), target);
        }
        for namespace in NAMESPACES {
            self.link(
                &format!("{proc}/ns/{namespace}"),
                &format!("{namespace}:[{pid}]"),
            );
        }
        for (file, value) in [
            ("memory.max", "536870912"),
            ("pids.max", "64"),
            ("cpu.max", "150000 100000"),
        ] {
            self.file(
                &format!("/sys/fs/cgroup/llm-firecracker/{pid}/{file}"),
                value,
            );
        }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    pub fn folder(&self, path: &str) {
        let mut folder = self.root.path().to_owned();
        for part in Path::new(path.trim_start_matches('/')) {
            folder.push(part);
            if !folder.exists() {
                fs::create_dir(&folder).unwrap();
                fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
    }

    pub fn file(&self, path: &str, text: &str) {
        self.folder(Path::new(path).parent().unwrap().to_str().unwrap());
        fs::write(self.at(path), text).unwrap();
        self.mode(path, 0o755);
    }

    pub fn link(&self, path: &str, target: &str) {
        self.folder(Path::new(path).parent().unwrap().to_str().unwrap());
        let _ = fs::remove_file(self.at(path));
        symlink(target, self.at(path)).unwrap();
    }

    pub fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.at(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub fn give_away(&self, path: &str, uid: u32) -> std::io::Result<()> {
        std::os::unix::fs::chown(self.at(path), Some(uid), None)
    }

    /// An access list that lets a user in; the file's mode is its mask.
    pub fn let_in(&self, path: &str, uid: u32) {
        let anybody = u32::MAX;
        // Owner, the named user, owning group, mask, others: in the order that the kernel asks for.
        let entries = [
            (0x01u16, 6u16, anybody),
            (0x02, 6, uid),
            (0x04, 0, anybody),
            (0x10, 6, anybody),
            (0x20, 0, anybody),
        ];
        let mut list = 2u32.to_le_bytes().to_vec();
        for (tag, permissions, id) in entries {
            list.extend(tag.to_le_bytes());
            list.extend(permissions.to_le_bytes());
            list.extend(id.to_le_bytes());
        }
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(self.at(path), "system.posix_acl_access", &list, flags).unwrap();
    }

    pub fn remove(&self, path: &str) {
        let path = self.at(path);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap()
        } else {
            fs::remove_file(path).unwrap()
        }
    }

    /// Replaces a piece of a file that must hold it.
    pub fn edit(&self, path: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.at(path)).unwrap();
        assert!(text.contains(old), "{path} lacks {old:?}");
        fs::write(self.at(path), text.replace(old, new)).unwrap();
    }

    pub fn examine(&self) -> Report {
        doctor::examine(&Host::below(self.root.path(), self.facts.clone()))
    }
}

fn tool(path: &str, version: &str) -> Tool {
    Tool {
        path: Some(path.into()),
        version: Some(version.to_owned()),
    }
}

fn good_facts() -> Facts {
    Facts {
        kvm: Kvm::Runs("a guest ran HLT in 3 ms".to_owned()),
        engine: Some(Engine::Qemu),
        qemu: tool(
            "/usr/bin/qemu-system-x86_64",
            "QEMU emulator version 10.0.2 (Debian)",
        ),
        firecracker: tool("/usr/bin/firecracker", "Firecracker v1.16.1"),
        jailer: tool("/usr/bin/jailer", "Jailer v1.16.1"),
        bubblewrap: tool("/usr/bin/bwrap", "bubblewrap 0.8.0"),
        jail: Probe::Works,
        state_dir: Some("/var/lib/llm-firecracker".into()),
        config_file: Some("/etc/llm-firecracker.toml".into()),
        secrets: Some(vec!["/etc/llm-firecracker.key".into()]),
        chroot_base: Some("/srv/jailer".into()),
        free_disk_bytes: Some(50 << 30),
        uids: Some((10_000, 1_000)),
        images: Digests::Equal(5),
        images_built: Some(built(&["python", "bash"])),
        runtimes: Some(vec![Runtime {
            name: "CPython 3.13".to_owned(),
            end_of_life: Some("2029-10-31".to_owned()),
        }]),
        kernel_built: Some(built(&["kernel"])),
        snapshots: Digests::Equal(2),
        vms: Vms::Running(vec![VM]),
        own_vmms: vec![VM],
        watchdog: Setting::Is(Duration::from_secs(20)),
        log_bytes_max: Setting::Is(1 << 20),
        today: Some(jiff::civil::date(2026, 3, 1)),
        ..Facts::default()
    }
}

/// Built 28 days before the made-up host's day.
fn built(names: &[&str]) -> Vec<Built> {
    let one = |name: &&str| Built {
        name: (*name).to_owned(),
        at: "2026-02-01T10:00:00Z".to_owned(),
    };
    names.iter().map(one).collect()
}

fn good_uml() -> Uml {
    Uml {
        wanted: true,
        required: false,
        runs: Probe::Works,
        executable_tmpfs: Probe::Works,
        kernel: UmlKernel::Built {
            version: "7.3.4-1~bpo13+1".to_owned(),
            at: "2026-02-01T10:00:00Z".to_owned(),
        },
    }
}

const NAMESPACES: &[&str] = &["mnt", "pid", "user", "net", "ipc", "uts", "cgroup"];

const QEMU_ARGUMENTS: &str = "qemu-system-x86_64 -nodefaults -sandbox on,spawn=deny -blockdev driver=raw,node-name=d,read-only=on -device virtio-blk-device,drive=d";

const UML_ARGUMENTS: &str =
    "/kernel umid=vm-1 mem=512M seal=4 seccomp=off con=null ubd0rd=/rootfs ssl0=fd:3,fd:3";

pub fn status(uid: i32) -> String {
    format!(
        "Name:\tvmm\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t{uid}\t{uid}\t{uid}\t{uid}\nGroups:\t \nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n\
         CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n\
         Seccomp_filters:\t2\nSpeculation_Store_Bypass:\tthread force mitigated\n"
    )
}

const LIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units     
Max file size             1073741824           1073741824           bytes     
Max core file size        0                    0                    bytes     
Max open files            20000                20000                files     
";

const GOOD: &[(&str, &str)] = &[
    ("/dev/kvm", ""),
    ("/etc/llm-firecracker.toml", ""),
    ("/etc/llm-firecracker.key", ""),
    (
        "/etc/passwd",
        "root:x:0:0::/root:/bin/sh\nana:x:1000:1000::/home/ana:/bin/sh\n",
    ),
    ("/etc/subuid", "ana:100000:65536\n"),
    (
        "/etc/systemd/journald.conf.d/size.conf",
        "[Journal]\nSystemMaxUse=1G\n",
    ),
    (
        "/proc/cmdline",
        "BOOT_IMAGE=/vmlinuz root=/dev/sda1 quiet loglevel=1 mitigations=auto,nosmt\n",
    ),
    (
        "/proc/cpuinfo",
        "processor\t: 0\nmicrocode\t: 0xd0003f5\nflags\t\t: fpu vmx\n\nprocessor\t: 1\nflags\t\t: fpu vmx\n",
    ),
    ("/proc/loadavg", "0.50 0.40 0.30 1/200 1234\n"),
    (
        "/proc/meminfo",
        "MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\n",
    ),
    ("/proc/self/limits", LIMITS),
    (
        "/proc/self/mounts",
        "/dev/sda1 / ext4 rw,relatime 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,favordynmods 0 0\n",
    ),
    (
        "/proc/swaps",
        "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
    ),
    ("/proc/sys/kernel/core_pattern", "core\n"),
    ("/proc/sys/kernel/osrelease", "6.1.0-30-amd64\n"),
    (
        "/proc/sys/kernel/seccomp/actions_avail",
        "kill_process kill_thread trap errno user_notif trace log allow\n",
    ),
    ("/proc/sys/kernel/unprivileged_bpf_disabled", "2\n"),
    ("/proc/sys/user/max_user_namespaces", "60000\n"),
    ("/proc/sys/vm/overcommit_memory", "0\n"),
    (
        "/proc/version",
        "Linux version 6.1.0-30-amd64 (debian-kernel@lists.debian.org) (gcc-12) #1 SMP Debian 6.1.124-1 (2026-01-31)\n",
    ),
    ("/proc/77/comm", "chronyd\n"),
    ("/sys/devices/system/cpu/smt/active", "0\n"),
    ("/sys/devices/system/cpu/smt/control", "forceoff\n"),
    (
        "/sys/devices/system/cpu/vulnerabilities/itlb_multihit",
        "Not affected\n",
    ),
    (
        "/sys/devices/system/cpu/vulnerabilities/mds",
        "Mitigation: Clear CPU buffers; SMT disabled\n",
    ),
    (
        "/sys/fs/cgroup/cgroup.controllers",
        "cpuset cpu io memory pids\n",
    ),
    ("/sys/kernel/mm/ksm/run", "0\n"),
    ("/sys/module/kvm/parameters/min_timer_period_us", "200\n"),
    ("/sys/module/kvm/parameters/nx_huge_pages", "never\n"),
    ("/sys/module/kvm_intel/parameters/nested", "N\n"),
    ("/usr/bin/bwrap", ""),
    ("/usr/bin/firecracker", ""),
    ("/usr/bin/jailer", ""),
    ("/usr/bin/qemu-system-x86_64", ""),
];
