//! How much memory there is for VMs: the host's, or less where a cgroup above the tool holds it to less.

use super::layout::{Layout, Version};
use super::place::this_layout;
use std::path::Path;

/// The part of it that running VMs may have together when nobody says another: the rest is the host's, the tool's, and
/// what VMs that wait hold.
const RUNNING_PERCENT: u64 = 75;

/// The part that the cgroup of all VMs is held to: those that run, and those that wait or are on their way out.
const CAP_PERCENT: u64 = 85;

/// MiB that running VMs may have together by default.
pub fn default_running_mib() -> u64 {
    of_host_mib() * RUNNING_PERCENT / 100
}

/// MiB that the cgroup of all VMs is held to by default.
pub fn default_cap_mib() -> u64 {
    of_host_mib() * CAP_PERCENT / 100
}

/// MiB of this host's memory that the tool and its VMs can have. A host that does not tell has none to give.
fn of_host_mib() -> u64 {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let held_to = this_layout().map(|layout| limits(&layout));
    smallest(&meminfo, &held_to.unwrap_or_default()) >> 20
}

/// The limits of the tool's own cgroup and of each above it, as the kernel writes them.
fn limits(layout: &Layout) -> Vec<String> {
    let controller = match layout.version {
        Version::V1 => "memory",
        Version::V2 => "",
    };
    let file = layout.version.memory_file();
    let Some(tree) = layout.trees.get(controller) else {
        return Vec::new();
    };
    let read = |folder: &Path| std::fs::read_to_string(tree.mount.join(folder).join(file)).ok();
    tree.own.ancestors().filter_map(read).collect()
}

/// Bytes: `MemTotal`, or the smallest limit below it. Pure.
fn smallest(meminfo: &str, limits: &[String]) -> u64 {
    let total = meminfo.lines().find_map(|line| {
        let kib = line.strip_prefix("MemTotal:")?.split_whitespace().next()?;
        kib.parse::<u64>().ok()
    });
    // `max` is no number; version 1 writes no limit as one near 2^63.
    let held_to = limits.iter().filter_map(|text| text.trim().parse().ok());
    held_to.fold(total.unwrap_or(0).saturating_mul(1024), u64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MEMINFO: &str = "MemTotal:       16000000 kB\nMemFree:          100 kB\n";

    #[test]
    fn the_smallest_of_the_host_and_the_cgroups_counts() {
        for (limits, bytes) in [
            (&[][..], 16_000_000 * 1024),
            (&["max\n"], 16_000_000 * 1024),
            (&["9223372036854771712\n"], 16_000_000 * 1024),
            (&["max\n", "1073741824\n", "2147483648\n"], 1 << 30),
        ] {
            let limits: Vec<String> = limits.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(smallest(MEMINFO, &limits), bytes, "{limits:?}");
        }
        assert_eq!(smallest("", &[]), 0);
    }

    #[test]
    fn this_host_has_memory_and_running_vms_get_less_than_the_cap() {
        assert!(default_running_mib() > 0);
        assert!(default_running_mib() < default_cap_mib());
        assert!(default_cap_mib() < of_host_mib());
    }

    proptest! {
        #[test]
        fn no_limit_gives_more_than_the_host_has(limits in proptest::collection::vec("[0-9]{0,20}|max", 0..5)) {
            prop_assert!(smallest(MEMINFO, &limits) <= 16_000_000 * 1024);
        }
    }
}
