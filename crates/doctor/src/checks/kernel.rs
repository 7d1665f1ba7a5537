//! The host's kernel.

use super::{Check, Group, Look, Needs};
use crate::host::{Gap, Host, strange};
use crate::outcome::Outcome;
use jiff::civil::Date;

pub(super) const GROUP: Group = Group {
    title: "Kernel",
    checks: CHECKS,
};

const CHECKS: &[Check] = &[
    Check {
        id: "kernel-series",
        title: "kernel version",
        passes: "5.10, 6.1 or 6.18: the series that Firecracker validates",
        why: "other kernels work, but nobody tests Firecracker's security and performance on them",
        fix: "apt-get install linux-image-amd64 && reboot   # a distribution with one of these series",
        source: "FC: kernel-policy, 'Host Kernel'",
        look: Look::For(Needs::Hypervisors, series),
    },
    Check {
        id: "kernel-age",
        title: "kernel build",
        passes: "it was built at most 180 days ago",
        why: "flaws in KVM, in ptrace, in namespaces and in seccomp are mended every few weeks; an old kernel has them still",
        fix: "apt-get update && apt-get install --only-upgrade linux-image-amd64 && reboot",
        source: "FC: prod-host-setup, first paragraph (kernels and microcode regularly patched)",
        look: Look::Once(age),
    },
    Check {
        id: "kernel-console",
        title: "quiet kernel console",
        passes: "'quiet' or loglevel of at most 4 on the kernel's command line",
        why: "performance: messages on a slow console cost milliseconds in each VM's start",
        fix: "add 'quiet loglevel=1' to GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub && reboot",
        source: "FC: prod-host-setup, 'Logging and performance'",
        look: Look::Once(console),
    },
    Check {
        id: "kernel-seccomp",
        title: "system-call filters",
        passes: "the kernel knows kill_process, trap, errno and log",
        why: "the filters around the VMM and in it are made of these",
        fix: "use a kernel with CONFIG_SECCOMP_FILTER=y, 4.14 or newer",
        source: "K: userspace-api/seccomp_filter",
        look: Look::Once(seccomp),
    },
    Check {
        id: "unprivileged-bpf",
        title: "unprivileged BPF",
        passes: "kernel.unprivileged_bpf_disabled is 1 or 2",
        why: "spectre variant 2 is mostly exploited through BPF programs of unprivileged users",
        fix: "sysctl -w kernel.unprivileged_bpf_disabled=1   # lasting: in /etc/sysctl.d",
        source: "K: hw-vuln/spectre, admin-guide/sysctl/kernel",
        look: Look::Once(bpf),
    },
    Check {
        id: "core-dumps",
        title: "core dumps are not piped to a program",
        passes: "kernel.core_pattern does not begin with '|'",
        why: "a VMM's core dump holds its guest's memory; a pipe handler runs as root and on some kernels despite a core limit of 0",
        fix: "sysctl -w kernel.core_pattern=core   # lasting: in /etc/sysctl.d",
        source: "K: admin-guide/sysctl/kernel, 'core_pattern'; core(5)",
        look: Look::Once(core_pattern),
    },
];

/// Firecracker 1.17, docs/kernel-policy.md.
const VALIDATED: &[&str] = &["5.10", "6.1", "6.18"];

fn series(host: &Host) -> Result<Outcome, Gap> {
    let release = host.read("/proc/sys/kernel/osrelease")?;
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    let (Some(major), Some(minor)) = (numbers.next().filter(|n| !n.is_empty()), numbers.next())
    else {
        return Err(strange("/proc/sys/kernel/osrelease", &release));
    };
    let series = format!("{major}.{minor}");
    Ok(if VALIDATED.contains(&series.as_str()) {
        Outcome::pass(release)
    } else {
        Outcome::warn(format!("{release}; validated are {}", VALIDATED.join(", ")))
    })
}

/// Two of Debian's point releases, about: whoever patches is never this far behind.
const MAX_AGE_DAYS: i64 = 180;

fn age(host: &Host) -> Result<Outcome, Gap> {
    const PATH: &str = "/proc/version";
    let version = host.read(PATH)?;
    let built = build_date(&version).ok_or_else(|| strange(PATH, &version))?;
    let now = host
        .facts
        .today
        .ok_or(Gap::Untold("nobody told the date".to_owned()))?;
    let days = (now - built).get_days();
    Ok(match i64::from(days) {
        days if days > MAX_AGE_DAYS => Outcome::warn(format!("built on {built}, {days} days ago")),
        days => Outcome::pass(format!("built on {built}, {days} days ago")),
    })
}

/// The end of `/proc/version`: Debian's `(2026-01-31)`, or the compiler's `Sat Jan 31 10:00:00 UTC 2026`.
fn build_date(version: &str) -> Option<Date> {
    let last = version.rsplit(' ').next()?;
    if let Some(date) = last
        .strip_prefix('(')
        .and_then(|date| date.strip_suffix(')'))
    {
        return date.parse().ok();
    }
    let words: Vec<&str> = version.split_whitespace().collect();
    let [.., month, day, _, _, year] = words.as_slice() else {
        return None;
    };
    Date::strptime("%b %d %Y", format!("{month} {day} {year}")).ok()
}

fn console(host: &Host) -> Result<Outcome, Gap> {
    let words = host.command_line()?;
    let level = words
        .iter()
        .rev()
        .find_map(|word| word.strip_prefix("loglevel=")?.parse::<u32>().ok());
    let quiet = words.iter().any(|word| word == "quiet");
    Ok(match level {
        Some(level) if level <= 4 => Outcome::pass(format!("loglevel={level}")),
        None if quiet => Outcome::pass("quiet"),
        Some(level) => Outcome::warn(format!("loglevel={level}")),
        None => Outcome::warn("neither quiet nor loglevel"),
    })
}

fn seccomp(host: &Host) -> Result<Outcome, Gap> {
    let actions = host.read("/proc/sys/kernel/seccomp/actions_avail")?;
    let lacks = |action: &&str| !actions.split_whitespace().any(|known| known == *action);
    let missing: Vec<String> = ["kill_process", "trap", "errno", "log"]
        .iter()
        .filter(|a| lacks(a))
        .map(|a| format!("{a} is missing"))
        .collect();
    Ok(Outcome::none_of(&missing, actions))
}

fn bpf(host: &Host) -> Result<Outcome, Gap> {
    let value = host.read("/proc/sys/kernel/unprivileged_bpf_disabled")?;
    Ok(match value.as_str() {
        "1" | "2" => Outcome::pass(value),
        _ => Outcome::fail(format!("{value}: every user may load BPF programs")),
    })
}

fn core_pattern(host: &Host) -> Result<Outcome, Gap> {
    let pattern = host.read("/proc/sys/kernel/core_pattern")?;
    Ok(if pattern.starts_with('|') {
        Outcome::warn(pattern)
    } else {
        Outcome::pass(pattern)
    })
}
