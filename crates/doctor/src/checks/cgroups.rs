//! Control groups: what bounds a VMM's memory, processes and time.

use super::{Check, Group, Look};
use crate::host::{Gap, Host};
use crate::lookup::{Layout, cgroup_layout};
use crate::outcome::Outcome;

pub(super) const GROUP: Group = Group {
    title: "Control groups",
    checks: CHECKS,
};

const CHECKS: &[Check] = &[
    Check {
        id: "cgroup-version",
        title: "control groups",
        passes: "version 2, alone",
        why: "every VMM is bounded by one; version 1 and hybrid work too, but on them restoring a snapshot is slower, and a group cannot be killed as one",
        fix: "add systemd.unified_cgroup_hierarchy=1 to GRUB_CMDLINE_LINUX, then update-grub && reboot",
        source: "FC: snapshotting/snapshot-support, 'Limitations'; K: admin-guide/cgroup-v2",
        look: Look::Once(version),
    },
    Check {
        id: "cgroup-controllers",
        title: "controllers",
        passes: "memory, pids and cpu are to be had",
        why: "without one of them a VMM has no bound on that resource",
        fix: "remove cgroup_disable= from the kernel's command line; in a container: mount /sys/fs/cgroup with these controllers",
        source: "FC: prod-host-setup, 'Jailer Configuration'",
        look: Look::Once(controllers),
    },
    Check {
        id: "cgroup-favordynmods",
        title: "favordynmods",
        passes: "kernel older than 6.0, or mounted with favordynmods",
        why: "performance: on Linux 6.0 and later moving a process into its group, part of each VM's start, waits for a grace period without it",
        fix: "mount -o remount,favordynmods /sys/fs/cgroup   # version 1: cgroup_favordynmods=true on the kernel's command line",
        source: "FC: prod-host-setup, 'Linux 6.1 boot time regressions'",
        look: Look::Once(favordynmods),
    },
];

const NEEDED: [&str; 3] = ["memory", "pids", "cpu"];

fn version(host: &Host) -> Result<Outcome, Gap> {
    Ok(match cgroup_layout(host)? {
        Layout::V2 => Outcome::pass("version 2"),
        Layout::Hybrid => {
            Outcome::warn("hybrid: version 1 controllers beside an empty version 2 tree")
        }
        Layout::V1 => Outcome::warn("version 1"),
        Layout::Nothing => Outcome::fail("no control group tree is mounted"),
    })
}

fn controllers(host: &Host) -> Result<Outcome, Gap> {
    let known: Vec<String> = match cgroup_layout(host)? {
        Layout::V2 => host
            .read("/sys/fs/cgroup/cgroup.controllers")?
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        _ => mount_options(host, "cgroup")?,
    };
    let missing: Vec<String> = NEEDED
        .iter()
        .filter(|name| !known.iter().any(|k| k == *name))
        .map(|name| format!("{name} is missing"))
        .collect();
    Ok(Outcome::none_of(&missing, NEEDED.join(", ")))
}

fn favordynmods(host: &Host) -> Result<Outcome, Gap> {
    let release = host.read("/proc/sys/kernel/osrelease")?;
    let major: u32 = release
        .split('.')
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    if major < 6 {
        return Ok(Outcome::pass(format!("not needed on {release}")));
    }
    let told = host
        .command_line()?
        .iter()
        .any(|word| word == "cgroup_favordynmods=true" || word == "cgroup_favordynmods=1");
    let mut options = mount_options(host, "cgroup2")?;
    options.extend(mount_options(host, "cgroup")?);
    Ok(
        if told || options.iter().any(|option| option == "favordynmods") {
            Outcome::pass("set")
        } else {
            Outcome::warn(format!("not set on {release}: VMs start slower"))
        },
    )
}

/// The options of all mounts of one file system type; version 1 names its controllers there.
fn mount_options(host: &Host, kind: &str) -> Result<Vec<String>, Gap> {
    let mounts = host.read("/proc/self/mounts")?;
    let of_kind = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields.get(2) == Some(&kind)).then(|| {
            fields
                .get(3)
                .map_or(Vec::new(), |o| o.split(',').map(str::to_owned).collect())
        })
    };
    Ok(mounts.lines().filter_map(of_kind).flatten().collect())
}
