//! The VMMs and what jails them.

use super::{Check, Group, Look};
use crate::facts::{Probe, Tool};
use crate::host::{Gap, Host};
use crate::outcome::Outcome;
use std::path::Path;

pub(super) const GROUP: Group = Group {
    title: "Engines and jails",
    checks: CHECKS,
};

const CHECKS: &[Check] = &[
    Check {
        id: "qemu",
        title: "QEMU",
        passes: "8.2 or newer is installed",
        why: "the engine that works everywhere; 8.2 is the first that maps a snapshot's memory from a file it cannot write",
        fix: "scripts/setup-debian.sh   # or: apt-get install qemu-system-x86",
        source: "this project, docs/decisions",
        look: Look::Once(qemu),
    },
    Check {
        id: "firecracker",
        title: "Firecracker",
        passes: "a release that Firecracker supports: 1.15 or newer",
        why: "the engine that production runs; older releases get no security updates",
        fix: "llm-firecracker setup",
        source: "FC: RELEASE_POLICY (as of release 1.16)",
        look: Look::Once(firecracker),
    },
    Check {
        id: "jailer",
        title: "jailer",
        passes: "of the same release as Firecracker",
        why: "Firecracker outside its jailer has one wall less; both are released and tested together",
        fix: "llm-firecracker setup",
        source: "FC: prod-host-setup, 'Jailer Configuration'",
        look: Look::Once(jailer),
    },
    Check {
        id: "jailer-inputs",
        title: "the jailer's inputs",
        passes: "the jailer, --exec-file, --chroot-base-dir and every folder above them are root's and not writable by others, links followed",
        why: "the jailer trusts its inputs: who can change one is root",
        fix: "chown root:root PATH && chmod go-w PATH   # for each path named",
        source: "FC: prod-host-setup, 'Jailer Configuration'",
        look: Look::Once(jailer_inputs),
    },
    Check {
        id: "engine-binaries",
        title: "QEMU's and bubblewrap's files",
        passes: "each and every folder above it is root's (or the tool's user's) and not writable by others",
        why: "who can replace the VMM or its jail decides what holds a job",
        fix: "chown root:root PATH && chmod go-w PATH   # for each path named",
        source: "FC: prod-host-setup, 'Jailer Configuration', applied to the other engine",
        look: Look::Once(engine_binaries),
    },
    Check {
        id: "bubblewrap",
        title: "bubblewrap",
        passes: "0.8 or newer is installed",
        why: "the jail around QEMU; 0.8 is the first with --disable-userns",
        fix: "apt-get install bubblewrap",
        source: "bubblewrap's release notes, 0.8.0",
        look: Look::Once(bubblewrap),
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
        why: "QEMU's jail needs one a VM; without it no job starts",
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
];

/// The first `major.minor` in a program's word about its version.
fn version(text: &str) -> Option<(u32, u32)> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .find_map(|word| {
            let mut parts = word.split('.');
            let major = parts.next()?.parse().ok()?;
            Some((major, parts.next()?.parse().ok()?))
        })
}

fn at_least(tool: &Tool, minimum: (u32, u32), absent: Outcome) -> Outcome {
    let Some(path) = &tool.path else {
        return absent;
    };
    let Some(said) = &tool.version else {
        return Outcome::unknown(format_args!("{} does not say its version", path.display()));
    };
    let seen = format!("{said} ({})", path.display());
    match version(said) {
        None => Outcome::unknown(seen),
        Some(found) if found >= minimum => Outcome::pass(seen),
        Some(_) => Outcome::fail(format!("{seen} is older than {}.{}", minimum.0, minimum.1)),
    }
}

fn qemu(host: &Host) -> Result<Outcome, Gap> {
    let absent = match host.facts.firecracker_required {
        true => Outcome::warn("not installed; the firecracker engine is configured"),
        false => Outcome::fail("not installed: no job can run on the qemu engine"),
    };
    Ok(at_least(&host.facts.qemu, (8, 2), absent))
}

fn firecracker_absent(host: &Host, what: &str) -> Outcome {
    if host.facts.firecracker_required {
        Outcome::fail(format!(
            "{what} is not installed, and the firecracker engine is configured"
        ))
    } else {
        Outcome::warn(format!("{what} is not installed; the qemu engine is used"))
    }
}

fn firecracker(host: &Host) -> Result<Outcome, Gap> {
    Ok(at_least(
        &host.facts.firecracker,
        (1, 15),
        firecracker_absent(host, "firecracker"),
    ))
}

fn jailer(host: &Host) -> Result<Outcome, Gap> {
    let (jailer, firecracker) = (&host.facts.jailer, &host.facts.firecracker);
    if jailer.path.is_none() {
        return Ok(firecracker_absent(host, "jailer"));
    }
    let number = |tool: &Tool| tool.version.as_deref().and_then(version);
    Ok(match (number(jailer), number(firecracker)) {
        (Some(one), Some(other)) if one == other => {
            Outcome::pass(format!("{}.{}, as Firecracker", one.0, one.1))
        }
        (Some(one), Some(other)) => Outcome::fail(format!(
            "jailer {}.{} beside firecracker {}.{}",
            one.0, one.1, other.0, other.1
        )),
        _ => Outcome::unknown("jailer or firecracker does not say its version"),
    })
}

fn weak(host: &Host, paths: &[Option<&Path>]) -> Result<Outcome, Gap> {
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
    // The base is made by the first VM: until then what counts is the folder that it will be in.
    let base = facts.chroot_base.as_deref().and_then(|base| {
        base.ancestors()
            .find(|part| host.exists(&part.display().to_string()))
    });
    weak(
        host,
        &[
            facts.jailer.path.as_deref(),
            facts.firecracker.path.as_deref(),
            base,
        ],
    )
}

fn engine_binaries(host: &Host) -> Result<Outcome, Gap> {
    weak(
        host,
        &[
            host.facts.qemu.path.as_deref(),
            host.facts.bubblewrap.path.as_deref(),
        ],
    )
}

fn bubblewrap(host: &Host) -> Result<Outcome, Gap> {
    let absent = match host.facts.firecracker_required {
        true => Outcome::warn("not installed; the firecracker engine is configured"),
        false => Outcome::fail("not installed: QEMU has no jail, and no job will run"),
    };
    Ok(at_least(&host.facts.bubblewrap, (0, 8), absent))
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
