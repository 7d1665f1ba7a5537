//! The VMMs, and the programs that jail them.

use super::jails::weak;
use super::{Check, Group, Look, Needs};
use crate::facts::Tool;
use crate::host::{Gap, Host};
use crate::outcome::Outcome;

pub(super) const GROUP: Group = Group {
    title: "Engines",
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
        look: Look::For(Needs::Hypervisors, qemu),
    },
    Check {
        id: "firecracker",
        title: "Firecracker",
        passes: "a release that Firecracker supports: 1.15 or newer",
        why: "the engine that production runs; older releases get no security updates",
        fix: "llm-firecracker setup",
        source: "FC: RELEASE_POLICY (as of release 1.16)",
        look: Look::For(Needs::Hypervisors, firecracker),
    },
    Check {
        id: "jailer",
        title: "jailer",
        passes: "of the same release as Firecracker",
        why: "Firecracker outside its jailer has one wall less; both are released and tested together",
        fix: "llm-firecracker setup",
        source: "FC: prod-host-setup, 'Jailer Configuration'",
        look: Look::For(Needs::Hypervisors, jailer),
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
        why: "the jail around QEMU and User-Mode Linux, and around Firecracker's jailer; 0.8 is the first with --disable-userns",
        fix: "apt-get install bubblewrap",
        source: "bubblewrap's release notes, 0.8.0",
        look: Look::Once(bubblewrap),
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
        false => Outcome::fail("not installed: VMs have no jail, and no job will run"),
    };
    Ok(at_least(&host.facts.bubblewrap, (0, 8), absent))
}
