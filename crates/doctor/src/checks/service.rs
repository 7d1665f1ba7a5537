//! The host around the service.

use super::{Check, Group, Look, Needs};
use crate::facts::Setting;
use crate::host::{Gap, Host, strange};
use crate::lookup::available_memory_bytes;
use crate::outcome::Outcome;

pub(super) const GROUP: Group = Group {
    title: "Host and service",
    checks: CHECKS,
};

const CHECKS: &[Check] = &[
    Check {
        id: "other-workloads",
        title: "other workloads",
        passes: "no container engine, libvirt or foreign VMM was seen",
        why: "whatever else runs here shares caches, memory and the kernel with unread code: keep such hosts for it alone",
        fix: "systemctl disable --now docker containerd podman.socket libvirtd kubelet   # those named",
        source: "FC: prod-host-setup, 'Mitigating hardware vulnerabilities' (single tenant)",
        look: Look::Once(other_workloads),
    },
    Check {
        id: "load",
        title: "load",
        passes: "the load of the last minute is below the number of CPUs",
        why: "on a busy host time-outs hit programs that did nothing wrong",
        fix: "stop other workloads, or lower the number of jobs at once in the configuration file",
        source: "K: filesystems/proc, 'loadavg'",
        look: Look::Once(load),
    },
    Check {
        id: "time-sync",
        title: "time synchronisation",
        passes: "a time service is running, or a paravirtual clock is",
        why: "guests get the host's clock when they start; logs and certificates depend on it",
        fix: "apt-get install chrony && systemctl enable --now chrony",
        source: "FC: snapshotting/snapshot-support (guest clocks)",
        look: Look::Once(time_sync),
    },
    Check {
        id: "watchdog",
        title: "watchdog of VMMs",
        passes: "a VMM that does not answer is killed",
        why: "Firecracker's signal handlers can deadlock on its log; such a VM holds its memory for ever. A User-Mode Linux kernel has no control socket that could be asked: a job's deadline ends it",
        fix: "set vmm.watchdog_deadline in the configuration file",
        source: "FC: prod-host-setup, 'Logging and signal handlers'",
        look: Look::For(Needs::Hypervisors, watchdog),
    },
    Check {
        id: "file-descriptors",
        title: "file descriptors",
        passes: "this process may open at least 4096",
        why: "a running VM takes about ten; without them jobs are refused",
        fix: "ulimit -n 65536   # in a systemd unit: LimitNOFILE=65536",
        source: "this project's measurements",
        look: Look::Once(descriptors),
    },
    Check {
        id: "host-memory-promises",
        title: "overcommitted memory",
        passes: "vm.overcommit_memory is 0 or 1",
        why: "clones map one memory file many times; with 2 the kernel refuses the second one",
        fix: "sysctl -w vm.overcommit_memory=0   # lasting: in /etc/sysctl.d",
        source: "K: mm/overcommit-accounting",
        look: Look::Once(overcommit),
    },
];

/// A socket or pid file that is there while the workload runs, and its name.
const WORKLOADS: &[(&str, &str)] = &[
    ("/run/docker.sock", "docker"),
    ("/run/containerd/containerd.sock", "containerd"),
    ("/run/crio/crio.sock", "cri-o"),
    ("/run/podman/podman.sock", "podman"),
    ("/run/libvirt/libvirt-sock", "libvirt"),
    ("/var/lib/kubelet/pki", "kubelet"),
    ("/var/run/lxd.sock", "lxd"),
];

/// Programs whose running says the same; compared with the kernel's 15 characters of a name.
const WORKLOAD_PROGRAMS: &[&str] = &[
    "dockerd",
    "containerd",
    "kubelet",
    "libvirtd",
    "virtqemud",
    "crio",
    "qemu-system-x86",
    "firecracker",
    "cloud-hypervis",
];

fn other_workloads(host: &Host) -> Result<Outcome, Gap> {
    let ours = &host.facts.own_vmms;
    let mut found: Vec<String> = WORKLOADS
        .iter()
        .filter(|(path, _)| host.exists(path))
        .map(|(path, name)| format!("{name} ({path})"))
        .collect();
    for pid in host
        .list("/proc")?
        .iter()
        .filter_map(|name| name.parse::<i32>().ok())
    {
        // One that ended meanwhile is none.
        let name = host.read(&format!("/proc/{pid}/comm")).unwrap_or_default();
        if WORKLOAD_PROGRAMS.contains(&name.as_str()) && !ours.contains(&pid) {
            found.push(format!("{name} (process {pid})"));
        }
    }
    Ok(if found.is_empty() {
        Outcome::pass("none was seen")
    } else {
        Outcome::warn(found.join(", "))
    })
}

fn load(host: &Host) -> Result<Outcome, Gap> {
    let text = host.read("/proc/loadavg")?;
    let minute: f64 = text
        .split(' ')
        .next()
        .and_then(|n| n.parse().ok())
        .ok_or_else(|| strange("/proc/loadavg", &text))?;
    let cpus = host
        .read("/proc/cpuinfo")?
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let seen = format!(
        "{minute} on {cpus} CPUs, {} MiB of memory available",
        available_memory_bytes(host)? >> 20
    );
    Ok(if minute < cpus as f64 {
        Outcome::pass(seen)
    } else {
        Outcome::warn(seen)
    })
}

const TIME_PROGRAMS: &[&str] = &[
    "chronyd",
    "ntpd",
    "systemd-timesyn",
    "openntpd",
    "ntpd-rs",
    "phc2sys",
];

fn time_sync(host: &Host) -> Result<Outcome, Gap> {
    if host.exists("/run/systemd/timesync/synchronized") {
        return Ok(Outcome::pass("systemd-timesyncd has synchronised"));
    }
    for pid in host
        .list("/proc")?
        .iter()
        .filter(|name| name.bytes().all(|b| b.is_ascii_digit()))
    {
        let name = host.read(&format!("/proc/{pid}/comm")).unwrap_or_default();
        if TIME_PROGRAMS.contains(&name.as_str()) {
            return Ok(Outcome::pass(format!("{name} is running")));
        }
    }
    Ok(Outcome::warn("no time service was seen"))
}

fn watchdog(host: &Host) -> Result<Outcome, Gap> {
    Ok(match host.facts.watchdog {
        Setting::Is(deadline) => Outcome::pass(format!("after {} s", deadline.as_secs())),
        Setting::Off => Outcome::fail("none is configured"),
        Setting::Untold => Outcome::unknown("the watchdog's deadline was not told"),
    })
}

const MIN_DESCRIPTORS: u64 = 4096;

fn descriptors(host: &Host) -> Result<Outcome, Gap> {
    let path = "/proc/self/limits";
    let text = host.read(path)?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .ok_or_else(|| strange(path, &text))?;
    let soft = line.split_whitespace().next().unwrap_or("");
    let enough = soft == "unlimited"
        || soft
            .parse::<u64>()
            .is_ok_and(|most| most >= MIN_DESCRIPTORS);
    Ok(if enough {
        Outcome::pass(soft)
    } else {
        Outcome::warn(format!("only {soft}"))
    })
}

fn overcommit(host: &Host) -> Result<Outcome, Gap> {
    let mode = host.number("/proc/sys/vm/overcommit_memory")?;
    let seen = format!("vm.overcommit_memory={mode}");
    Ok(match mode {
        0 | 1 => Outcome::pass(seen),
        _ => Outcome::warn(seen),
    })
}
