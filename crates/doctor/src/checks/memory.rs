//! Memory that could tell on others.

use super::{Check, Group, Look};
use crate::host::{Gap, Host, strange};
use crate::lookup::available_memory_bytes;
use crate::outcome::Outcome;

pub(super) const GROUP: Group = Group {
    title: "Memory",
    checks: CHECKS,
};

const CHECKS: &[Check] = &[
    Check {
        id: "ksm",
        title: "kernel same-page merging",
        passes: "ksm/run is 0, or the kernel has none",
        why: "a guest can tell by the time of a write what pages others hold",
        fix: "echo 2 >/sys/kernel/mm/ksm/run   # unmerges; then: systemctl disable --now ksm ksmtuned",
        source: "FC: prod-host-setup, 'Disable Kernel Samepage Merging'; K: admin-guide/mm/ksm",
        look: Look::Once(ksm),
    },
    Check {
        id: "swap",
        title: "swap",
        passes: "none; or only zram, or encrypted devices (dm-crypt)",
        why: "guest memory on a disk outlives its VM and its tenant; a swap file is as bad as a partition",
        fix: "swapoff -a && sed -i '/\\sswap\\s/s/^/#/' /etc/fstab",
        source: "FC: prod-host-setup, 'Disabling swapping to disk or enabling secure swap'",
        look: Look::Once(swap),
    },
    Check {
        id: "free-memory",
        title: "free memory",
        passes: "at least 1 GiB is available",
        why: "a VM with the default limits needs up to half a GiB; when the host runs out, its OOM killer chooses",
        fix: "stop other workloads, or lower the pool's size in the configuration file",
        source: "this project's defaults",
        look: Look::Once(free),
    },
];

fn ksm(host: &Host) -> Result<Outcome, Gap> {
    // /sys/kernel/mm is there on every kernel with sysfs: only then does absence mean 'not built in'.
    if !host.exists("/sys/kernel/mm/ksm") && host.exists("/sys/kernel/mm") {
        return Ok(Outcome::pass("not built into this kernel"));
    }
    let run = host.read("/sys/kernel/mm/ksm/run")?;
    Ok(match run.as_str() {
        "0" => Outcome::pass("run=0"),
        "1" => Outcome::fail("run=1: pages are merged"),
        "2" => Outcome::warn("run=2: pages were unmerged; set it to 0 so that it stays so"),
        other => return Err(strange("/sys/kernel/mm/ksm/run", other)),
    })
}

fn swap(host: &Host) -> Result<Outcome, Gap> {
    let text = host.read("/proc/swaps")?;
    if !text.starts_with("Filename") {
        return Err(strange("/proc/swaps", &text));
    }
    let names: Vec<&str> = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    if names.is_empty() {
        return Ok(Outcome::pass("none"));
    }
    let mut open = Vec::new();
    for name in &names {
        if !is_secure_swap(host, name) {
            open.push(format!("{name} is neither zram nor seen to be encrypted"));
        }
    }
    Ok(Outcome::none_of(&open, names.join(", ")))
}

/// zram stays in memory; a device-mapper device says in its uuid what it is.
fn is_secure_swap(host: &Host, name: &str) -> bool {
    let device = name.rsplit('/').next().unwrap_or(name);
    name.starts_with("/dev/zram")
        || (name.starts_with("/dev/dm-")
            && host
                .read(&format!("/sys/block/{device}/dm/uuid"))
                .is_ok_and(|uuid| uuid.starts_with("CRYPT-")))
}

/// One VM with default limits and its overhead, twice.
const FREE_MEMORY_BYTES: u64 = 1 << 30;

fn free(host: &Host) -> Result<Outcome, Gap> {
    let bytes = available_memory_bytes(host)?;
    let seen = format!("{} MiB available", bytes >> 20);
    Ok(if bytes >= FREE_MEMORY_BYTES {
        Outcome::pass(seen)
    } else {
        Outcome::warn(seen)
    })
}
