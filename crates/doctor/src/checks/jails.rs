//! What jails are made of and with.

use super::{Check, Group, Look, Needs};
use crate::facts::Probe;
use crate::host::{Gap, Host};
use crate::outcome::Outcome;
use std::path::Path;

pub(super) const GROUP: Group = Group {
    title: "Jails",
    checks: CHECKS,
};

const CHECKS: &[Check] = &[
    Check {
        id: "jailer-inputs",
        title: "the jailer's inputs",
        passes: "the jailer, --exec-file, --chroot-base-dir and every folder above them are root's and not writable by others, links followed",
        why: "the jailer trusts its inputs: who can change one is root",
        fix: "chown root:root PATH && chmod go-w PATH   # for each path named",
        source: "FC: prod-host-setup, 'Jailer Configuration'",
        look: Look::For(Needs::Hypervisors, jailer_inputs),
    },
    Check {
        id: "jail-can-be-made",
        title: "a jail can be made",
        passes: "bubblewrap made one with all namespaces just now",
        why: "sysctls, AppArmor and container runtimes may forbid the namespaces that the jail is made of",
        fix: "sysctl -w user.max_user_namespaces=15000 kernel.apparmor_restrict_unprivileged_userns=0   # in a container: allow user namespaces",
        source: "K: admin-guide/namespaces, admin-guide/sysctl/user",
        look: Look::Once(jail),
    },
    Check {
        id: "user-namespaces",
        title: "user namespaces",
        passes: "user.max_user_namespaces is above 0 and no switch forbids them",
        why: "the jail of QEMU and of User-Mode Linux needs one a VM; without it no job starts",
        fix: "sysctl -w user.max_user_namespaces=15000; sysctl -w kernel.unprivileged_userns_clone=1",
        source: "K: admin-guide/sysctl/user; user_namespaces(7)",
        look: Look::Once(user_namespaces),
    },
    Check {
        id: "vm-uids",
        title: "uids of the VMMs",
        passes: "no account and no subordinate range of the host overlaps them",
        why: "a uid that a VMM shares with an account reaches that account's files and processes once the jail is broken",
        fix: "set vmm.uid_base in the configuration file to a range that /etc/passwd and /etc/subuid do not use",
        source: "FC: prod-host-setup, 'Jailer Configuration' (dedicated user)",
        look: Look::Once(uids),
    },
    Check {
        id: "jailer-mount",
        title: "the mount that jails are made on",
        passes: "--chroot-base-dir is on a mount without nodev and noexec",
        why: "the jailer makes /dev/kvm in each jail and runs Firecracker from there: on such a mount no VM starts",
        fix: "mount -o remount,dev,exec MOUNT   # or set another chroot base",
        source: "FC: jailer, 'Jailer Operation' (mknod, exec)",
        look: Look::For(Needs::Hypervisors, jailer_mount),
    },
    Check {
        id: "mounts",
        title: "number of mounts",
        passes: "at most 200",
        why: "performance: making a jail copies the host's mount table; some 500 mounts make it ten times slower, and a growing number is a leak",
        fix: "findmnt -l | awk '{print $1}' | sort | uniq -c | sort -rn | head   # and unmount what is not needed",
        source: "FC: jailer, 'Known limitations'; this project's sweep after a crash",
        look: Look::Once(mounts),
    },
];

/// The paths, or whatever of them and of the folders above them others could change.
pub(super) fn weak(host: &Host, paths: &[Option<&Path>]) -> Result<Outcome, Gap> {
    let mut seen = Vec::new();
    let mut spots = Vec::new();
    for path in paths.iter().flatten() {
        spots.extend(host.weak_spots(path)?);
        seen.push(path.display().to_string());
    }
    spots.sort();
    spots.dedup();
    if seen.is_empty() {
        return Ok(Outcome::unknown("none of them is installed"));
    }
    Ok(Outcome::none_of(&spots, seen.join(", ")))
}

fn jailer_inputs(host: &Host) -> Result<Outcome, Gap> {
    let facts = &host.facts;
    if facts.jailer.path.is_none() || facts.firecracker.path.is_none() {
        return Ok(Outcome::unknown("firecracker and jailer are not installed"));
    }
    weak(
        host,
        &[
            facts.jailer.path.as_deref(),
            facts.firecracker.path.as_deref(),
            chroot_base(host),
        ],
    )
}

fn jail(host: &Host) -> Result<Outcome, Gap> {
    Ok(match &host.facts.jail {
        Probe::NotTried => Outcome::unknown("it was not tried"),
        Probe::Works => Outcome::pass("made one, with all namespaces"),
        Probe::Fails(why) => Outcome::fail(why),
    })
}

fn user_namespaces(host: &Host) -> Result<Outcome, Gap> {
    let most = host.number("/proc/sys/user/max_user_namespaces")?;
    let switch = host.read_if_there("/proc/sys/kernel/unprivileged_userns_clone")?;
    let apparmor = host.read_if_there("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")?;
    if most < 1 {
        return Ok(Outcome::fail("user.max_user_namespaces=0"));
    }
    if switch.as_deref() == Some("0") {
        return Ok(Outcome::fail("kernel.unprivileged_userns_clone=0"));
    }
    if apparmor.as_deref() == Some("1") {
        return Ok(Outcome::warn(
            "kernel.apparmor_restrict_unprivileged_userns=1: only profiled programs may make one",
        ));
    }
    Ok(Outcome::pass(format!("up to {most}")))
}

fn uids(host: &Host) -> Result<Outcome, Gap> {
    let Some((base, count)) = host.facts.uids else {
        return Ok(Outcome::unknown("the range of uids was not told"));
    };
    let range = base..base.saturating_add(count);
    let mut taken = Vec::new();
    for line in host.read("/etc/passwd")?.lines() {
        let mut fields = line.split(':');
        let (name, uid) = (
            fields.next().unwrap_or(""),
            fields.nth(1).and_then(|uid| uid.parse::<u32>().ok()),
        );
        taken.extend(
            uid.filter(|uid| range.contains(uid))
                .map(|uid| format!("uid {uid} is the account {name}")),
        );
    }
    for line in host
        .read_if_there("/etc/subuid")?
        .unwrap_or_default()
        .lines()
    {
        let mut fields = line.split(':');
        let name = fields.next().unwrap_or("");
        let mut number = || fields.next().and_then(|n| n.parse::<u32>().ok());
        if let (Some(first), Some(many)) = (number(), number())
            && first < range.end
            && range.start < first.saturating_add(many)
        {
            taken.push(format!("{first} and on are {name}'s in /etc/subuid"));
        }
    }
    Ok(Outcome::none_of(
        &taken,
        format!("{} to {}", range.start, range.end.saturating_sub(1)),
    ))
}

/// The base is made by the first VM: until then what counts is the folder that it will be in.
fn chroot_base(host: &Host) -> Option<&Path> {
    let base = host.facts.chroot_base.as_deref()?;
    base.ancestors()
        .find(|part| host.exists(&part.display().to_string()))
}

fn jailer_mount(host: &Host) -> Result<Outcome, Gap> {
    let Some(base) = chroot_base(host) else {
        return Ok(Outcome::unknown("the chroot base was not told"));
    };
    let text = host.read("/proc/self/mounts")?;
    // The last of those that hold it with the longest path is the one that is seen.
    let holding = text.lines().filter_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (at, options) = (fields.next()?, fields.nth(1)?);
        base.starts_with(at).then_some((at, options))
    });
    let Some((at, options)) = holding.max_by_key(|(at, _)| at.len()) else {
        return Ok(Outcome::unknown("/proc/self/mounts names no root"));
    };
    let wrong: Vec<String> = options
        .split(',')
        .filter(|option| ["nodev", "noexec"].contains(option))
        .map(|option| format!("{at} is mounted {option}"))
        .collect();
    let outcome = Outcome::none_of(&wrong, format!("{at} ({options})"));
    // Without Firecracker nobody makes a jail there.
    let needed = host.facts.firecracker_required || wrong.is_empty();
    Ok(if needed {
        outcome
    } else {
        Outcome::warn(outcome.seen)
    })
}

/// Their measurements: twice as slow with ten jails made at once, ten times with 500 mounts.
const MOUNTS_MAX: usize = 200;

fn mounts(host: &Host) -> Result<Outcome, Gap> {
    let count = host.read("/proc/self/mounts")?.lines().count();
    Ok(if count <= MOUNTS_MAX {
        Outcome::pass(format!("{count}"))
    } else {
        Outcome::warn(format!("{count}"))
    })
}
