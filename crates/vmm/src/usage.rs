//! What a VMM costs its host, as the kernel tells it.

use crate::cgroup::VmCgroup;
use crate::engine::VmUsage;
use crate::jail::inspect;
use std::time::Duration;

/// Reads what there is; a process that is gone costs nothing.
pub fn of(pid: i32, cgroup: Option<&VmCgroup>) -> VmUsage {
    let memory = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    VmUsage {
        pid,
        cpu: cpu_time(&inspect::stat(pid).unwrap_or_default()),
        pss_bytes: kib(&memory, "Pss:") << 10,
        private_bytes: (kib(&memory, "Private_Clean:") + kib(&memory, "Private_Dirty:")) << 10,
        memory_peak_bytes: cgroup.map_or(0, VmCgroup::memory_peak_bytes),
    }
}

/// The same of a VMM whose guest's processes are its children: all of them, and those that were.
pub fn of_family(pid: i32, cgroup: Option<&VmCgroup>) -> VmUsage {
    let mut whole = of(pid, cgroup);
    whole.cpu += childrens_cpu_time(&inspect::stat(pid).unwrap_or_default());
    for child in inspect::children_of(pid) {
        let one = of(child, None);
        whole.cpu += one.cpu;
        whole.pss_bytes += one.pss_bytes;
        whole.private_bytes += one.private_bytes;
    }
    whole
}

/// Of children that were waited for: fields 16 and 17 of `stat`.
fn childrens_cpu_time(stat: &str) -> Duration {
    ticks(stat, 13)
}

/// User and system time: fields 14 and 15 of `stat`, here counted from the state (field 3) on.
fn cpu_time(stat: &str) -> Duration {
    ticks(stat, 11)
}

/// Two fields of clock ticks, those after the first `skipped`.
fn ticks(stat: &str, skipped: usize) -> Duration {
    let ticks: u64 = stat
        .split_whitespace()
        .skip(skipped)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Duration::from_secs_f64(ticks as f64 / per_second as f64)
}

fn kib(rollup: &str, name: &str) -> u64 {
    rollup
        .lines()
        .find_map(|line| {
            line.strip_prefix(name)?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_process_costs_and_a_gone_one_does_not() {
        let own = of(std::process::id() as i32, None);
        assert!(own.pss_bytes > 0 && own.private_bytes > 0);
        let gone = of(i32::MAX, None);
        assert_eq!((gone.pss_bytes, gone.cpu), (0, Duration::ZERO));
    }

    #[test]
    fn cpu_time_is_user_and_system() {
        let stat = "S 1 2 3 4 5 6 7 8 9 10 150 50 0 0";
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        assert_eq!(cpu_time(stat), Duration::from_secs_f64(200.0 / ticks));
        let stat = "S 1 2 3 4 5 6 7 8 9 10 150 50 7 3 0";
        let children = Duration::from_secs_f64(10.0 / ticks);
        assert_eq!(childrens_cpu_time(stat), children);
    }
}
