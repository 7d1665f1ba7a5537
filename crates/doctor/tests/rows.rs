//! Every row of the table on made-up hosts: passing where all is well, and otherwise where it is not.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod made;

use doctor::facts::{Digests, Engine, Kvm, Probe, Setting, Tool, UmlKernel, Vms};
use doctor::{GROUPS, Look, Report, Row, Status};
use made::{Made, SECOND_VM, SPECTRE_V2, VM};
use std::collections::BTreeSet;
use std::os::unix::net::UnixListener;

/// Rows that never pass, by design.
const NEVER: &[&str] = &["dram", "tenancy", "vendor-advisories"];

/// A row, what is spoilt, the status it then has, and a piece of what it saw.
type Spoilt = (&'static str, fn(&mut Made), Status, &'static str);

use Status::{Fail, Pass, Warn};

const UNSEEN: &str = "cannot be checked here";
const CMDLINE: &str = "/proc/cmdline";
const SMT: &str = "/sys/devices/system/cpu/smt/active";
const MDS: &str = "/sys/devices/system/cpu/vulnerabilities/mds";
const KSM: &str = "/sys/kernel/mm/ksm/run";
const SWAPS: &str = "/proc/swaps";
const THREAD: &str = "/proc/500/task/501/status";
const MOUNTS: &str = "/proc/self/mounts";
const MULTIHIT: &str = "/sys/devices/system/cpu/vulnerabilities/itlb_multihit";
const YAMA: &str = "/proc/sys/kernel/yama/ptrace_scope";
/// A thread of a process of a User-Mode Linux guest's.
const PROCESS: &str = "/proc/510/task/511/status";

#[rustfmt::skip]
const SPOILT: &[Spoilt] = &[
    ("jailer-mount", |m| { m.facts.firecracker_required = true; m.edit(MOUNTS, "rw,relatime", "rw,nodev") }, Fail, "nodev"),
    ("jailer-mount", |m| m.edit(MOUNTS, "rw,relatime", "rw,noexec"), Warn, "noexec"),
    ("jailer-mount", |m| m.edit(MOUNTS, "\n", "\n/dev/sdb /srv ext4 rw,nodev 0 0\n"), Warn, "/srv is mounted nodev"),
    ("jailer-mount", |m| m.remove(MOUNTS), Warn, UNSEEN),
    ("mounts", |m| m.file(MOUNTS, &"/dev/sda1 / ext4 rw,relatime 0 0\n".repeat(201)), Warn, "201"),
    ("kvm-runs-guests", |m| m.facts.kvm = Kvm::NotProbed, Warn, UNSEEN),
    ("kvm-runs-guests", |m| m.facts.kvm = Kvm::Not("no exit within 2 s".into()), Warn, "software emulation"),
    ("kvm-runs-guests", |m| { m.facts.kvm = Kvm::Not("absent".into()); m.facts.hardware_required = true }, Fail, "no job will run"),
    ("kvm-device", |m| m.mode("/dev/kvm", 0o666), Fail, "mode 0666"),
    ("kvm-device", |m| m.let_in("/dev/kvm", 1000), Warn, "lets in uid 1000"),
    ("kvm-device", |m| m.remove("/dev/kvm"), Warn, UNSEEN),
    ("bare-metal", |m| m.edit("/proc/cpuinfo", "vmx", "vmx hypervisor"), Warn, "virtual machine"),
    ("bare-metal", |m| m.remove("/proc/cpuinfo"), Warn, UNSEEN),
    ("kvm-nested", |m| m.file("/sys/module/kvm_intel/parameters/nested", "Y"), Warn, "nested=Y"),
    ("kvm-nested", |m| m.remove("/sys/module/kvm_intel"), Warn, UNSEEN),
    ("kvm-nx-huge-pages", |m| { m.file("/sys/devices/system/cpu/vulnerabilities/itlb_multihit", "KVM: Vulnerable") }, Fail, "never, and"),
    ("kvm-nx-huge-pages", |m| m.remove("/sys/module/kvm"), Warn, UNSEEN),
    ("kvm-min-timer-period", |m| m.file("/sys/module/kvm/parameters/min_timer_period_us", "20"), Warn, "20 µs"),
    ("kvm-min-timer-period", |m| m.file("/sys/module/kvm/parameters/min_timer_period_us", "soon"), Warn, UNSEEN),
    ("smt", |m| m.file(SMT, "1"), Fail, "active=1"),
    ("smt", |m| m.remove(SMT), Warn, UNSEEN),
    ("smt", |m| m.file(SMT, "maybe"), Warn, UNSEEN),
    ("vulnerability-mds", |m| m.file(MDS, "Vulnerable: Clear CPU buffers attempted, no microcode"), Fail, "Vulnerable"),
    ("vulnerability-mds", |m| m.file(MDS, "Mitigation: Clear CPU buffers; SMT vulnerable"), Warn, "SMT vulnerable"),
    ("vulnerability-mds", |m| m.file(MDS, "Processor vulnerable"), Fail, "Processor vulnerable"),
    ("vulnerability-mds", |m| m.file(MDS, "Unknown: Dependent on hypervisor status"), Warn, UNSEEN),
    ("vulnerability-mds", |m| m.file(MDS, ""), Warn, UNSEEN),
    ("vulnerability", |m| m.remove("/sys/devices/system/cpu/vulnerabilities"), Warn, UNSEEN),
    ("mitigations", |m| m.file(CMDLINE, "quiet mitigations=off"), Fail, "mitigations=off"),
    ("mitigations", |m| m.file(CMDLINE, "mitigations=auto,no_guest_host"), Fail, "no_guest_host"),
    ("mitigations", |m| m.file(CMDLINE, "root=/dev/sda1 nopti"), Fail, "nopti"),
    ("mitigations", |m| m.file(CMDLINE, "note=nopti-is-bad mitigations=auto"), Pass, ""),
    ("mitigations", |m| m.remove(CMDLINE), Warn, UNSEEN),
    ("microcode", |m| m.edit("/proc/cpuinfo", "vmx", "vmx hypervisor"), Warn, UNSEEN),
    ("microcode", |m| m.edit("/proc/cpuinfo", "0xd0003f5", "0x0"), Fail, "none was loaded"),
    ("microcode", |m| { m.file("/sys/devices/system/cpu/vulnerabilities/old_microcode", "Vulnerable") }, Fail, "old"),
    ("microcode", |m| m.edit("/proc/cpuinfo", "microcode", "nothing"), Warn, UNSEEN),
    ("ksm", |m| m.file(KSM, "1"), Fail, "merged"),
    ("ksm", |m| m.file(KSM, "2"), Warn, "run=2"),
    ("ksm", |m| m.remove("/sys/kernel/mm/ksm"), Pass, "not built"),
    ("ksm", |m| m.remove("/sys/kernel/mm"), Warn, UNSEEN),
    ("swap", |m| m.edit(SWAPS, "\n", "\n/swapfile file 1 0 -2\n"), Fail, "/swapfile"),
    ("swap", |m| m.edit(SWAPS, "\n", "\n/dev/sda2 partition 1 0 -2\n"), Fail, "/dev/sda2"),
    ("swap", |m| m.edit(SWAPS, "\n", "\n/dev/zram0 partition 1 0 -2\n"), Pass, "zram0"),
    ("swap", |m| { m.edit(SWAPS, "\n", "\n/dev/dm-1 partition 1 0 -2\n"); m.file("/sys/block/dm-1/dm/uuid", "CRYPT-PLAIN-swap") }, Pass, "dm-1"),
    ("swap", |m| { m.edit(SWAPS, "\n", "\n/dev/dm-1 partition 1 0 -2\n"); m.file("/sys/block/dm-1/dm/uuid", "LVM-x") }, Fail, "dm-1"),
    ("swap", |m| m.file(SWAPS, ""), Warn, UNSEEN),
    ("free-memory", |m| m.file("/proc/meminfo", "MemAvailable: 1000 kB"), Warn, "0 MiB"),
    ("free-memory", |m| m.file("/proc/meminfo", "MemTotal: 1000 kB"), Warn, UNSEEN),
    ("kernel-series", |m| m.file("/proc/sys/kernel/osrelease", "6.12.3"), Warn, "validated are"),
    ("kernel-series", |m| m.file("/proc/sys/kernel/osrelease", "6.10.0"), Warn, "6.10.0"),
    ("kernel-series", |m| m.file("/proc/sys/kernel/osrelease", "Darwin"), Warn, UNSEEN),
    ("kernel-age", |m| m.edit("/proc/version", "(2026-01-31)", "Sat Mar  1 10:00:00 UTC 2025"), Warn, "365 days"),
    ("kernel-age", |m| m.edit("/proc/version", "(2026-01-31)", "Thu Jan 15 10:00:00 UTC 2026"), Pass, "45 days"),
    ("kernel-age", |m| m.edit("/proc/version", "(2026-01-31)", "@0"), Warn, UNSEEN),
    ("kernel-age", |m| m.facts.today = None, Warn, UNSEEN),
    ("kernel-console", |m| m.file(CMDLINE, "root=/dev/sda1"), Warn, "neither"),
    ("kernel-console", |m| m.file(CMDLINE, "quiet loglevel=7"), Warn, "loglevel=7"),
    ("kernel-seccomp", |m| { m.file("/proc/sys/kernel/seccomp/actions_avail", "kill_thread trap errno trace allow") }, Fail, "kill_process"),
    ("kernel-seccomp", |m| m.remove("/proc/sys/kernel/seccomp"), Warn, UNSEEN),
    ("unprivileged-bpf", |m| m.file("/proc/sys/kernel/unprivileged_bpf_disabled", "0"), Fail, "0"),
    ("core-dumps", |m| m.file("/proc/sys/kernel/core_pattern", "|/usr/lib/apport"), Warn, "apport"),
    ("cgroup-version", |m| hybrid(m), Warn, "hybrid"),
    ("cgroup-version", |m| { hybrid(m); m.file(MOUNTS, V1_MOUNTS) }, Warn, "version 1"),
    ("cgroup-version", |m| { hybrid(m); m.file(MOUNTS, "") }, Fail, "no control group"),
    ("cgroup-version", |m| { hybrid(m); m.remove(MOUNTS) }, Warn, UNSEEN),
    ("cgroup-controllers", |m| m.file("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu"), Fail, "memory is missing"),
    ("cgroup-controllers", |m| hybrid(m), Pass, "memory"),
    ("cgroup-controllers", |m| { hybrid(m); m.edit(MOUNTS, "rw,pids", "rw") }, Fail, "pids is missing"),
    ("cgroup-favordynmods", |m| m.edit(MOUNTS, ",favordynmods", ""), Warn, "not set"),
    ("cgroup-favordynmods", |m| { m.edit(MOUNTS, ",favordynmods", ""); m.file("/proc/sys/kernel/osrelease", "5.10.0") }, Pass, "not needed"),
    ("qemu", |m| m.facts.qemu = Tool::default(), Fail, "not installed"),
    ("qemu", |m| m.facts.qemu.version = Some("QEMU emulator version 7.2.1".into()), Fail, "older than 8.2"),
    ("qemu", |m| m.facts.qemu.version = None, Warn, UNSEEN),
    ("firecracker", |m| m.facts.firecracker = Tool::default(), Warn, "not installed"),
    ("firecracker", |m| { m.facts.firecracker = Tool::default(); m.facts.firecracker_required = true }, Fail, "configured"),
    ("firecracker", |m| m.facts.firecracker.version = Some("Firecracker v1.7.0".into()), Fail, "older than 1.15"),
    ("jailer", |m| m.facts.jailer.version = Some("Jailer v1.15.0".into()), Fail, "beside"),
    ("jailer", |m| m.facts.jailer = Tool::default(), Warn, "not installed"),
    ("jailer", |m| m.facts.jailer.version = None, Warn, UNSEEN),
    ("jailer-inputs", |m| m.mode("/srv/jailer", 0o777), Fail, "/srv/jailer is writable by others"),
    ("jailer-inputs", |m| m.mode("/srv", 0o1777), Fail, "/srv is writable by others"),
    ("jailer-inputs", |m| { m.remove("/srv/jailer"); m.mode("/srv", 0o775) }, Fail, "/srv is"),
    ("jailer-inputs", |m| { m.file("/opt/fc/jailer", ""); m.mode("/opt/fc", 0o777); m.link("/usr/bin/jailer", "../../opt/fc/jailer") }, Fail, "/opt/fc is"),
    ("jailer-inputs", |m| m.facts.jailer = Tool::default(), Warn, UNSEEN),
    ("engine-binaries", |m| m.mode("/usr/bin/bwrap", 0o775), Fail, "/usr/bin/bwrap is writable"),
    ("engine-binaries", |m| { m.facts.qemu = Tool::default(); m.facts.bubblewrap = Tool::default() }, Warn, UNSEEN),
    ("bubblewrap", |m| m.facts.bubblewrap = Tool::default(), Fail, "no jail"),
    ("bubblewrap", |m| m.facts.bubblewrap.version = Some("bubblewrap 0.4.1".into()), Fail, "older"),
    ("jail-can-be-made", |m| m.facts.jail = Probe::Fails("bwrap: no permissions".into()), Fail, "no permissions"),
    ("jail-can-be-made", |m| m.facts.jail = Probe::NotTried, Warn, UNSEEN),
    ("user-namespaces", |m| m.file("/proc/sys/user/max_user_namespaces", "0"), Fail, "=0"),
    ("user-namespaces", |m| m.file("/proc/sys/kernel/unprivileged_userns_clone", "0"), Fail, "clone=0"),
    ("user-namespaces", |m| { m.file("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") }, Warn, "apparmor"),
    ("vm-uids", |m| m.edit("/etc/passwd", "1000:1000", "10500:10500"), Fail, "the account ana"),
    ("vm-uids", |m| m.file("/etc/subuid", "ana:10900:65536"), Fail, "subuid"),
    ("vm-uids", |m| m.facts.uids = None, Warn, UNSEEN),
    ("state-dir", |m| m.mode("/var/lib/llm-firecracker", 0o755), Fail, "open to others"),
    ("state-dir", |m| m.mode("/var/lib", 0o777), Fail, "/var/lib is writable"),
    ("state-dir", |m| m.remove("/var/lib/llm-firecracker"), Warn, "not there yet"),
    ("state-dir", |m| m.facts.state_dir = None, Warn, UNSEEN),
    ("config-file", |m| m.mode("/etc/llm-firecracker.toml", 0o644), Fail, "readable by everyone"),
    ("config-file", |m| m.mode("/etc", 0o777), Fail, "/etc is writable"),
    ("config-file", |m| m.remove("/etc/llm-firecracker.toml"), Warn, UNSEEN),
    ("secret-files", |m| m.mode("/etc/llm-firecracker.key", 0o604), Fail, "readable by everyone"),
    ("secret-files", |m| m.mode("/etc/llm-firecracker.key", 0o620), Fail, "/etc/llm-firecracker.key is writable"),
    ("secret-files", |m| m.facts.secrets = Some(vec![]), Pass, "none"),
    ("secret-files", |m| m.facts.secrets = None, Warn, UNSEEN),
    ("image-digests", |m| m.facts.images = Digests::Differ(vec!["python: rootfs differs".into()]), Fail, "rootfs differs"),
    ("image-digests", |m| m.facts.images = Digests::NotCompared, Warn, UNSEEN),
    ("image-age", |m| m.facts.images_built = None, Warn, UNSEEN),
    ("image-age", |m| m.facts.images_built = Some(vec![]), Warn, "none built"),
    ("image-age", |m| m.facts.today = Some(jiff::civil::date(2026, 5, 2)), Pass, "built 90 days ago"),
    ("image-age", |m| m.facts.images_built.as_mut().unwrap()[1].at = "2025-11-01T00:00:00Z".into(), Warn, "bash, built 120 days ago"),
    ("image-age", |m| m.facts.images_built.as_mut().unwrap()[1].at = "lately".into(), Warn, UNSEEN),
    ("guest-kernel-age", |m| m.facts.kernel_built = None, Warn, UNSEEN),
    ("guest-kernel-age", |m| m.facts.today = Some(jiff::civil::date(2026, 5, 3)), Warn, "kernel, built 91 days ago"),
    ("guest-kernel-age", |m| m.facts.today = None, Warn, UNSEEN),
    ("snapshot-digests", |m| m.facts.snapshots = Digests::Differ(vec!["memory differs".into()]), Fail, "memory differs"),
    ("snapshot-digests", |m| m.facts.snapshots = Digests::Nothing, Warn, "none taken"),
    ("free-disk", |m| m.facts.free_disk_bytes = Some(1 << 30), Warn, "1024 MiB"),
    ("free-disk", |m| m.facts.free_disk_bytes = Some(1 << 20), Fail, "1 MiB"),
    ("free-disk", |m| m.facts.free_disk_bytes = None, Warn, UNSEEN),
    ("log-bounds", |m| m.facts.log_bytes_max = Setting::Off, Fail, "no bound"),
    ("log-bounds", |m| m.facts.log_bytes_max = Setting::Untold, Warn, UNSEEN),
    ("log-rotation", |m| m.remove("/etc/systemd"), Warn, "neither"),
    ("log-rotation", |m| { m.remove("/etc/systemd"); m.file("/usr/sbin/logrotate", ""); m.file("/etc/cron.daily/logrotate", "") }, Pass, "logrotate"),
    ("other-workloads", |m| m.file("/run/docker.sock", ""), Warn, "docker"),
    ("other-workloads", |m| m.facts.own_vmms.clear(), Warn, "process 500"),
    ("other-workloads", |m| m.file("/proc/88/comm", "qemu-system-x86"), Warn, "process 88"),
    ("load", |m| m.file("/proc/loadavg", "3.10 1 1 1/2 3"), Warn, "3.1 on 2 CPUs"),
    ("load", |m| m.file("/proc/loadavg", ""), Warn, UNSEEN),
    ("time-sync", |m| m.remove("/proc/77"), Warn, "no time service"),
    ("watchdog", |m| m.facts.watchdog = Setting::Off, Fail, "none"),
    ("watchdog", |m| m.facts.watchdog = Setting::Untold, Warn, UNSEEN),
    ("file-descriptors", |m| m.edit("/proc/self/limits", "20000", "1024"), Warn, "1024"),
    ("file-descriptors", |m| m.file("/proc/self/limits", ""), Warn, UNSEEN),
    ("host-memory-promises", |m| m.file("/proc/sys/vm/overcommit_memory", "2"), Warn, "=2"),
    ("vm-seccomp", |m| m.edit(THREAD, "Seccomp:\t2", "Seccomp:\t0"), Fail, "thread 501 has Seccomp 0"),
    ("vm-seccomp", |m| { m.edit(THREAD, "Seccomp:\t2", "Seccomp:\t0"); m.edit("/proc/500/task/500/status", "Seccomp:\t2", "Seccomp:\t0") }, Fail, "threads 500, 501 have Seccomp 0"),
    ("vm-seccomp", |m| m.edit(THREAD, "Seccomp:\t2\n", ""), Warn, UNSEEN),
    ("vm-seccomp", |m| m.facts.vms = Vms::NotLookedFor, Warn, UNSEEN),
    ("vm-seccomp", |m| m.facts.vms = Vms::NotStarted("no image".into()), Warn, "no image"),
    ("vm-seccomp", |m| m.facts.vms = Vms::Running(vec![999]), Warn, UNSEEN),
    ("vm-seccomp", |m| m.facts.vms = Vms::Started(VM), Pass, "started to be looked at"),
    ("vm-no-new-privs", |m| m.edit(THREAD, "NoNewPrivs:\t1", "NoNewPrivs:\t0"), Fail, "NoNewPrivs 0"),
    ("vm-capabilities", |m| { m.edit(THREAD, "CapEff:\t0000000000000000", "CapEff:\t0000000000200000") }, Fail, "CapEff"),
    ("vm-uid", |m| m.file(THREAD, &made::status(0)), Fail, "root"),
    ("vm-uid", |m| { second_vm(m); m.file("/proc/600/task/600/status", &made::status(10_500)) }, Warn, "uid 10500"),
    ("vm-uid", |m| second_vm(m), Pass, "2 uids"),
    ("vm-groups", |m| m.edit(THREAD, "Groups:\t ", "Groups:\t104 10500 "), Fail, "thread 501 is in groups 104"),
    ("vm-groups", |m| m.edit(THREAD, "Groups:\t ", "Groups:\t10500 "), Pass, "1 running"),
    ("vm-groups", |m| m.edit(THREAD, "Groups:\t \n", ""), Warn, UNSEEN),
    ("vm-namespaces", |m| m.link("/proc/500/ns/net", "net:[1]"), Fail, "host's net namespace"),
    ("vm-namespaces", |m| { firecracker(m); m.link("/proc/500/ns/net", "net:[1]") }, Pass, "1 running"),
    ("vm-namespaces", |m| { firecracker(m); m.link("/proc/500/ns/mnt", "mnt:[1]") }, Fail, "mnt"),
    ("vm-command-line", |m| m.file("/proc/500/cmdline", "firecracker\0--no-seccomp"), Fail, "--no-seccomp"),
    ("vm-command-line", |m| m.file("/proc/500/cmdline", "qemu\0-nodefaults\0-sandbox\0off"), Fail, "without -sandbox on"),
    ("vm-command-line", |m| { firecracker(m); m.edit("/proc/500/cmdline", "--id", "--seccomp-filter=/tmp/x") }, Fail, "--seccomp-filter"),
    ("vm-network", |m| m.file("/proc/500/cmdline", "qemu\0-netdev\0user,id=n"), Fail, "-netdev"),
    ("vm-network", |m| m.link("/proc/500/fd/12", "/dev/net/tun"), Fail, "/dev/net/tun"),
    ("vm-speculation", |m| m.edit(THREAD, "thread force mitigated", "vulnerable"), Fail, "vulnerable"),
    ("vm-cgroup-limits", |m| m.file("/sys/fs/cgroup/llm-firecracker/500/memory.max", "max"), Fail, "memory limit"),
    ("vm-cgroup-limits", |m| m.file("/sys/fs/cgroup/llm-firecracker/500/cpu.max", "max 100000"), Fail, "cpu limit"),
    ("vm-cgroup-limits", |m| m.file("/proc/500/cgroup", "0::/"), Fail, "is absent"),
    ("vm-cgroup-limits", |m| v1_vm(m, "536870912", "50000"), Pass, "1 running"),
    ("vm-cgroup-limits", |m| v1_vm(m, "9223372036854771712", "50000"), Fail, "memory limit"),
    ("vm-cgroup-limits", |m| v1_vm(m, "536870912", "-1"), Fail, "cpu limit"),
    ("vm-cgroup-limits", |m| m.file("/sys/fs/cgroup/llm-firecracker/500/pids.max", "many"), Warn, UNSEEN),
    ("vm-oom", |m| m.file("/proc/500/oom_score_adj", "0"), Fail, "process 500 has oom_score_adj 0"),
    ("vm-oom", |m| m.remove("/proc/500/oom_score_adj"), Warn, UNSEEN),
    ("vm-memory-of-all", |m| m.file("/sys/fs/cgroup/llm-firecracker/memory.max", "max"), Fail, "without a memory limit"),
    ("vm-memory-of-all", |m| m.remove("/sys/fs/cgroup/llm-firecracker/memory.max"), Fail, "is absent"),
    ("vm-memory-of-all", |m| v1_vm(m, "536870912", "50000"), Fail, "memory/memory.limit_in_bytes is absent"),
    ("vm-drives", |m| m.edit("/proc/500/cmdline", ",read-only=on", ""), Fail, "writable drive"),
    ("vm-drives", |m| m.file("/proc/500/cmdline", "qemu\0-drive\0file=/a,readonly=on\0-drive\0file=/b"), Fail, "file=/b"),
    ("vm-drives", |m| m.file("/proc/500/cmdline", "qemu\0-hda\0/a"), Fail, "-hda"),
    ("vm-drives", |m| m.file("/proc/500/cmdline", "qemu\0-blockdev\0{\"driver\":\"raw\",\"read-only\":true}"), Pass, "1 running"),
    ("vm-drives", |m| m.file("/proc/500/cmdline", "qemu\0-blockdev\0{\"file\":{\"read-only\":true},\"read-only\":false}"), Fail, "writable drive"),
    ("vm-drives", |m| firecracker(m), Warn, UNSEEN),
    ("vm-rlimits", |m| { m.edit("/proc/500/limits", "0                    0   ", "0                    unlimited") }, Fail, "dump core"),
    ("vm-rlimits", |m| { m.edit("/proc/500/limits", "1073741824           1073741824", "unlimited            unlimited ") }, Fail, "file size"),
    ("vm-output", |m| m.link("/proc/500/fd/1", "/dev/pts/3"), Fail, "/dev/pts/3"),
    ("vm-output", |m| m.link("/proc/500/fd/2", "/var/log/vm.log"), Pass, "1 running"),
    ("vm-output", |m| { m.link("/proc/500/fd/2", "/var/log/vm.log"); m.edit("/proc/500/limits", "1073741824           1073741824", "unlimited            unlimited ") }, Fail, "vm.log"),
    ("kvm-pit", |m| pit(m, "0::/"), Fail, "outside"),
    ("kvm-pit", |m| pit(m, "0::/llm-firecracker/500"), Pass, "1, each"),
    ("vm-devices", |m| m.link("/proc/500/fd/12", "/dev/sda"), Fail, "/dev/sda open as 12"),
    ("vm-devices", |m| m.link("/proc/500/fd/12", "/dev/kvm"), Pass, "1 running"),
    ("dram", |m| m.folder("/sys/devices/system/edac/mc/mc0"), Warn, "1 memory controllers"),
    ("tenancy", |_| (), Warn, UNSEEN),
    ("vendor-advisories", |_| (), Warn, UNSEEN),
];

/// The same, on a host without KVM where jobs run under User-Mode Linux.
#[rustfmt::skip]
const SPOILT_UML: &[Spoilt] = &[
    ("uml-runs-guests", |m| m.facts.uml.runs = Probe::NotTried, Warn, UNSEEN),
    ("uml-runs-guests", |m| not_running(m), Warn, "no ptrace here; jobs run in software emulation"),
    ("uml-runs-guests", |m| { not_running(m); m.facts.uml.required = true }, Fail, "no job will run"),
    ("uml-runs-guests", |m| { not_running(m); m.facts.engine = Some(Engine::Qemu); m.facts.uml.wanted = false }, Pass, "not needed: engine qemu"),
    ("uml-kernel", |m| m.facts.uml.kernel = UmlKernel::NotLookedFor, Warn, UNSEEN),
    ("uml-kernel", |m| m.facts.uml.kernel = UmlKernel::NotBuilt, Warn, "not built"),
    ("uml-kernel", |m| { m.facts.uml.kernel = UmlKernel::NotBuilt; m.facts.uml.required = true }, Fail, "not built"),
    ("uml-kernel", |m| m.facts.uml.kernel = UmlKernel::Refused("built by another version".into()), Fail, "another version"),
    ("uml-kernel-age", |m| m.facts.today = Some(jiff::civil::date(2026, 5, 2)), Pass, "90 days ago"),
    ("uml-kernel-age", |m| m.facts.today = Some(jiff::civil::date(2026, 5, 3)), Warn, "91 days ago"),
    ("uml-kernel-age", |m| m.facts.uml.kernel = UmlKernel::NotBuilt, Warn, UNSEEN),
    ("uml-kernel-age", |m| m.facts.uml.kernel = UmlKernel::Built { version: String::new(), at: "today".into() }, Warn, UNSEEN),
    ("uml-kernel-age", |m| m.facts.today = None, Warn, UNSEEN),
    ("uml-ptrace", |m| m.file(YAMA, "0"), Pass, "ptrace_scope=0"),
    ("uml-ptrace", |m| m.file(YAMA, "2"), Fail, "ptrace_scope=2"),
    ("uml-ptrace", |m| m.file(YAMA, "3"), Fail, "ptrace_scope=3"),
    ("uml-ptrace", |m| m.file(YAMA, "4"), Warn, UNSEEN),
    ("uml-ptrace", |m| m.remove("/proc/sys/kernel/yama"), Pass, "no Yama"),
    ("uml-ptrace", |m| m.remove("/proc/sys/kernel"), Warn, UNSEEN),
    ("uml-executable-tmpfs", |m| m.facts.uml.executable_tmpfs = Probe::NotTried, Warn, UNSEEN),
    ("uml-executable-tmpfs", |m| m.facts.uml.executable_tmpfs = Probe::Fails("permission denied".into()), Fail, "permission denied"),
    ("uml-branch-predictor", |m| m.file(SPECTRE_V2, "Mitigation: Retpolines; IBPB: conditional"), Warn, "conditional"),
    ("uml-branch-predictor", |m| m.file(SPECTRE_V2, "Not affected"), Pass, "Not affected"),
    ("uml-branch-predictor", |m| m.remove(SPECTRE_V2), Warn, UNSEEN),
    ("kvm-runs-guests", |_| (), Pass, "no hardware wall; kvm: /dev/kvm is absent"),
    ("kvm-runs-guests", |m| m.facts.hardware_required = true, Fail, "no job will run"),
    ("snapshot-digests", |m| m.facts.snapshots = Digests::Differ(vec!["memory differs".into()]), Fail, "memory differs"),
    ("smt", |m| m.file(SMT, "1"), Fail, "active=1"),
    ("vulnerability-mds", |m| m.file(MDS, "Vulnerable"), Fail, "Vulnerable"),
    ("vulnerability-itlb-multihit", |m| m.file(MULTIHIT, "KVM: Vulnerable"), Pass, "not needed: engine uml"),
    ("mitigations", |m| m.file(CMDLINE, "mitigations=auto,no_guest_host kvm.nx_huge_pages=off"), Pass, ""),
    ("mitigations", |m| m.file(CMDLINE, "mitigations=auto,no_user_user"), Fail, "no_user_user"),
    ("vm-seccomp", |m| m.edit(THREAD, "Seccomp_filters:\t2", "Seccomp_filters:\t1"), Fail, "thread 501 has Seccomp_filters 1"),
    ("vm-seccomp", |m| m.edit(PROCESS, "Seccomp_filters:\t2", "Seccomp_filters:\t1"), Fail, "thread 511 has Seccomp_filters 1"),
    ("vm-seccomp", |m| m.edit(PROCESS, "Seccomp:\t2", "Seccomp:\t0"), Fail, "thread 511 has Seccomp 0"),
    ("vm-seccomp", |m| m.edit("/proc/500/status", "Seccomp_filters:\t2\n", ""), Pass, "1 running"),
    ("vm-no-new-privs", |m| m.edit(PROCESS, "NoNewPrivs:\t1", "NoNewPrivs:\t0"), Fail, "thread 511"),
    ("vm-capabilities", |m| m.edit(PROCESS, "CapEff:\t0000000000000000", "CapEff:\t0000000000200000"), Fail, "CapEff"),
    ("vm-uid", |m| m.file(PROCESS, &made::status(0)), Fail, "root"),
    ("vm-namespaces", |m| m.link("/proc/500/ns/net", "net:[1]"), Fail, "host's net namespace"),
    ("vm-namespaces", |m| m.link("/proc/510/ns/net", "net:[1]"), Fail, "process 510 of its guest"),
    ("vm-command-line", |m| m.edit("/proc/500/cmdline", "seccomp=off", "seccomp=on"), Fail, "without seccomp=off"),
    ("vm-command-line", |m| m.edit("/proc/500/cmdline", "seal=4", ""), Fail, "without seal="),
    ("vm-network", |m| m.edit("/proc/500/cmdline", "con=null", "vec0:transport=raw"), Fail, "vec0"),
    ("vm-network", |m| m.edit("/proc/500/cmdline", "con=null", "eth0=tuntap"), Fail, "eth0"),
    ("vm-devices", |m| m.link("/proc/500/fd/12", "/dev/kvm"), Fail, "/dev/kvm"),
    ("vm-devices", |m| m.link("/proc/510/fd/12", "/dev/urandom"), Fail, "/dev/urandom"),
    ("vm-speculation", |m| m.edit(PROCESS, "thread force mitigated", "vulnerable"), Fail, "vulnerable"),
    ("vm-cgroup-limits", |m| m.file("/sys/fs/cgroup/llm-firecracker/500/pids.max", "max"), Fail, "pids limit"),
    ("vm-cgroup-limits", |m| m.file("/proc/510/cgroup", "0::/"), Fail, "process 510 of its guest"),
    ("vm-drives", |m| m.edit("/proc/500/cmdline", "ubd0rd", "ubd0d"), Fail, "ubd0d=/rootfs"),
    ("vm-oom", |m| m.file("/proc/510/oom_score_adj", "500"), Fail, "process 510 has oom_score_adj 500"),
    ("guest-kernel-age", |m| m.facts.kernel_built = None, Pass, "not needed: engine uml"),
    ("vm-rlimits", |m| { m.edit("/proc/500/limits", "1073741824           1073741824", "unlimited            unlimited ") }, Fail, "file size"),
    ("vm-output", |m| m.link("/proc/500/fd/1", "/dev/pts/3"), Fail, "/dev/pts/3"),
];

fn not_running(made: &mut Made) {
    made.facts.uml.runs = Probe::Fails("no ptrace here".into());
}

const V1_MOUNTS: &str = "\
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0
";

fn hybrid(made: &Made) {
    made.remove("/sys/fs/cgroup/cgroup.controllers");
    made.file(
        MOUNTS,
        &format!("{V1_MOUNTS}cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"),
    );
}

fn v1_vm(made: &Made, memory: &str, quota: &str) {
    hybrid(made);
    made.file(
        "/proc/500/cgroup",
        "4:pids:/vm\n3:memory:/vm\n2:cpu,cpuacct:/vm\n0::/\n",
    );
    made.file("/sys/fs/cgroup/memory/vm/memory.limit_in_bytes", memory);
    made.file("/sys/fs/cgroup/pids/vm/pids.max", "64");
    made.file("/sys/fs/cgroup/cpu,cpuacct/vm/cpu.cfs_quota_us", quota);
}

fn second_vm(made: &mut Made) {
    made.vm(SECOND_VM, "qemu-system-x86", "qemu");
    made.facts.vms = Vms::Running(vec![VM, SECOND_VM]);
}

fn firecracker(made: &Made) {
    made.vm(VM, "firecracker", "/firecracker --id a1");
}

fn pit(made: &Made, group: &str) {
    made.file("/proc/700/comm", "kvm-pit/500");
    made.file("/proc/700/cgroup", group);
}

fn row<'a>(rows: &'a [Row], id: &str) -> &'a Row {
    rows.iter()
        .find(|row| row.id == id)
        .unwrap_or_else(|| panic!("no row {id}"))
}

fn assert_well(report: Report) {
    for row in report.rows {
        if NEVER.contains(&row.id.as_str()) {
            assert!(row.status == Warn && row.seen.contains(UNSEEN), "{row:?}");
        } else {
            assert_eq!(row.status, Pass, "{row:?}");
        }
    }
}

#[test]
fn all_is_well_on_the_good_host() {
    assert_well(Made::good().examine());
}

#[test]
fn what_hypervisors_need_is_not_asked_for_where_user_mode_linux_is_the_engine() {
    let report = Made::good_uml().examine();
    for id in [
        "kvm-device",
        "kvm-nested",
        "kernel-series",
        "qemu",
        "firecracker",
        "jailer",
        "jailer-inputs",
        "jailer-mount",
        "snapshot-digests",
        "watchdog",
    ] {
        assert_eq!(row(&report.rows, id).seen, "not needed: engine uml", "{id}");
    }
    assert_well(report);
}

fn assert_spoilt(cases: &[Spoilt], good: fn() -> Made) {
    for (index, (id, spoil, status, seen)) in cases.iter().enumerate() {
        let mut made = good();
        spoil(&mut made);
        let report = made.examine();
        let row = row(&report.rows, id);
        assert!(
            row.status == *status && row.seen.contains(seen),
            "case {index} {id}, wanted {status:?} {seen:?}: {row:?}"
        );
    }
}

#[test]
fn each_spoilt_thing_shows_in_its_row() {
    assert_spoilt(SPOILT, Made::good);
    assert_spoilt(SPOILT_UML, Made::good_uml);
}

#[test]
fn every_check_has_a_case_and_an_id_of_its_own() {
    let mut ids = BTreeSet::new();
    for check in GROUPS.iter().flat_map(|group| group.checks) {
        assert!(ids.insert(check.id), "{} is there twice", check.id);
        let of_check = |case: &&Spoilt| {
            case.2 != Pass
                && (case.0 == check.id
                    || matches!(check.look, Look::Each(_)) && case.0.starts_with(check.id))
        };
        assert!(
            SPOILT.iter().chain(SPOILT_UML).any(|case| of_check(&case)),
            "{} has no case that is not a pass",
            check.id
        );
        for text in [
            check.title,
            check.passes,
            check.why,
            check.fix,
            check.source,
        ] {
            assert!(
                !text.is_empty() && !text.contains('\n'),
                "{}: {text:?}",
                check.id
            );
        }
    }
}

#[test]
fn nothing_is_a_pass_on_a_host_that_shows_nothing() {
    let empty = tempfile::tempdir().unwrap();
    let report = doctor::examine(&doctor::Host::below(empty.path(), doctor::Facts::default()));
    for row in &report.rows {
        // Without a configuration file the defaults are known; nothing else is.
        assert!(row.status != Pass || row.id == "config-file", "{row:?}");
    }
}

/// To give a file away is root's right.
#[test]
fn a_device_that_is_another_users_fails() {
    let made = Made::good();
    if let Err(error) = made.give_away("/dev/kvm", 1000) {
        println!("not run: {error}");
        return;
    }
    let row = row(&made.examine().rows, "kvm-device").clone();
    assert!(
        row.status == Fail && row.seen.contains("uid 1000"),
        "{row:?}"
    );
}

#[test]
fn a_socket_counts_as_the_workload_that_made_it() {
    let made = Made::good();
    made.folder("/run/containerd");
    let path = std::env::temp_dir().join(format!("doctor-{}.sock", std::process::id()));
    let _listener = UnixListener::bind(&path).unwrap();
    made.link("/run/containerd/containerd.sock", path.to_str().unwrap());
    assert!(
        row(&made.examine().rows, "other-workloads")
            .seen
            .contains("containerd")
    );
    std::fs::remove_file(path).unwrap();
}
