//! Readings that several checks share.

use crate::facts::Built;
use crate::host::{Gap, Host, strange};
use crate::outcome::Outcome;
use jiff::civil::Date;

/// The value of a field of the first processor in `/proc/cpuinfo`.
pub(crate) fn cpu_field(host: &Host, name: &str) -> Result<Option<String>, Gap> {
    let text = host.read("/proc/cpuinfo")?;
    let value = |line: &str| {
        let (field, value) = line.split_once(':')?;
        (field.trim() == name).then(|| value.trim().to_owned())
    };
    Ok(text.lines().find_map(value))
}

/// The first processor's flags (`Features` on ARM).
pub(crate) fn cpu_flags(host: &Host) -> Result<Vec<String>, Gap> {
    let flags = match cpu_field(host, "flags")? {
        Some(flags) => Some(flags),
        None => cpu_field(host, "Features")?,
    };
    match flags {
        Some(flags) => Ok(flags.split_whitespace().map(str::to_owned).collect()),
        None => Err(Gap::Untold("/proc/cpuinfo names no flags".to_owned())),
    }
}

/// `MemAvailable`, in bytes.
pub(crate) fn available_memory_bytes(host: &Host) -> Result<u64, Gap> {
    let text = host.read("/proc/meminfo")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib: Option<u64> = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    kib.map(|kib| kib * 1024)
        .ok_or_else(|| strange("/proc/meminfo", &text))
}

/// How control groups are mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    V1,
    Hybrid,
    V2,
    Nothing,
}

/// Version 2 has its controllers at the root of the tree; hybrid has it at `unified`.
pub(crate) fn cgroup_layout(host: &Host) -> Result<Layout, Gap> {
    if host.exists("/sys/fs/cgroup/cgroup.controllers") {
        return Ok(Layout::V2);
    }
    let mounts = host.read("/proc/self/mounts")?;
    let has = |kind: &str| {
        mounts
            .lines()
            .any(|line| line.split_whitespace().nth(2) == Some(kind))
    };
    Ok(match (has("cgroup"), has("cgroup2")) {
        (true, true) => Layout::Hybrid,
        (true, false) => Layout::V1,
        (false, true) => Layout::V2,
        (false, false) => Layout::Nothing,
    })
}

/// Where a control group's file of `controller` is for a process: `(version 2, folder)`.
pub(crate) fn cgroup_folder(
    host: &Host,
    pid: i32,
    controller: &str,
) -> Result<(bool, String), Gap> {
    let path = format!("/proc/{pid}/cgroup");
    let text = host.read(&path)?;
    let mut unified = None;
    for line in text.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(id), Some(controllers), Some(group)) =
            (fields.next(), fields.next(), fields.next())
        else {
            return Err(strange(&path, line));
        };
        let group = group.trim_end_matches('/');
        if controllers.split(',').any(|name| name == controller) {
            let mount = v1_mount(host, controller)?;
            return Ok((false, format!("{mount}{group}")));
        }
        if id == "0" {
            unified = Some(format!("/sys/fs/cgroup{group}"));
        }
    }
    match unified {
        Some(folder) => Ok((true, folder)),
        None => Err(Gap::Untold(format!(
            "process {pid} is in no {controller} group"
        ))),
    }
}

/// Version 1 controllers may share a mount (`cpu,cpuacct`) under any name.
fn v1_mount(host: &Host, controller: &str) -> Result<String, Gap> {
    let mounts = host.read("/proc/self/mounts")?;
    let of_controller = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, at, "cgroup", options, ..] = fields.as_slice() else {
            return None;
        };
        options
            .split(',')
            .any(|option| option == controller)
            .then(|| (*at).to_owned())
    };
    mounts
        .lines()
        .find_map(of_controller)
        .ok_or_else(|| Gap::Untold(format!("no {controller} controller is mounted")))
}

/// A series of kernels, and a release of Debian between its points, gets fixes for a little more than a cycle of a
/// kernel's development, which is nine or ten weeks.
const MAX_AGE_DAYS: i32 = 90;

/// When something was built, and how many days ago, from the time in its manifest (RFC 3339).
fn age(host: &Host, at: &str) -> Result<(Date, i32), Gap> {
    let built: Option<Date> = at.split('T').next().and_then(|date| date.parse().ok());
    let built = built.ok_or_else(|| strange("the manifest's time", at))?;
    let today = host.facts.today;
    let today: Date = today.ok_or_else(|| Gap::Untold("nobody told the date".to_owned()))?;
    Ok((built, (today - built).get_days()))
}

/// How many days are left to one, `YYYY-MM-DD`.
pub(crate) fn days_left(host: &Host, day: &str) -> Result<i32, Gap> {
    let last: Date = day.parse().map_err(|_| strange("the last day", day))?;
    let today = host.facts.today;
    let today: Date = today.ok_or_else(|| Gap::Untold("nobody told the date".to_owned()))?;
    Ok((last - today).get_days())
}

/// Passes what was built lately.
pub(crate) fn judge_age(host: &Host, at: &str) -> Result<Outcome, Gap> {
    let (built, days) = age(host, at)?;
    let seen = format!("built on {built}, {days} days ago");
    Ok(match days {
        ..=MAX_AGE_DAYS => Outcome::pass(seen),
        _ => Outcome::warn(seen),
    })
}

/// The same of several: those that are old are named, else the oldest is.
pub(crate) fn judge_ages(host: &Host, all: &[Built]) -> Result<Outcome, Gap> {
    let mut ages = Vec::new();
    for built in all {
        let (_, days) = age(host, &built.at)?;
        ages.push((days, &built.name));
    }
    let told = |(days, name): &(i32, &String)| format!("{name}, built {days} days ago");
    let old = ages.iter().filter(|(days, _)| *days > MAX_AGE_DAYS);
    let old: Vec<String> = old.map(told).collect();
    Ok(match (old.is_empty(), ages.iter().max()) {
        (false, _) => Outcome::warn(old.join("; ")),
        (true, Some(oldest)) => Outcome::pass(format!("the oldest is {}", told(oldest))),
        (true, None) => Outcome::unknown("there is none"),
    })
}
