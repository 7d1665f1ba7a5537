//! What each running VMM may use of the host.

use super::vm_confinement::{each_vm, running};
use super::vm_processes::{arguments, engine, processes};
use super::{Check, Group, Look};
use crate::facts::Engine;
use crate::host::{Gap, Host, strange};
use crate::lookup::cgroup_folder;
use crate::outcome::Outcome;

pub(super) const GROUP: Group = Group {
    title: "Running VMs: bounds",
    checks: CHECKS,
};

const CHECKS: &[Check] = &[
    Check {
        id: "vm-cgroup-limits",
        title: "control group limits",
        passes: "memory, pids and cpu of each VMM's group are finite (versions 1 and 2), and every process of a User-Mode Linux guest is in its VMM's groups",
        why: "the jailer goes on outside any limit when a version 2 parent group is missing, and says nothing",
        fix: "stop the VMs named and start them with this tool, which reads its limits back before the guest runs",
        source: "FC: prod-host-setup, 'Memory', 'vCPU'; jailer, '--cgroup'; K: admin-guide/cgroup-v2, cgroup-v1",
        look: Look::Once(|host| each_vm(host, cgroup_limits)),
    },
    Check {
        id: "vm-rlimits",
        title: "resource limits",
        passes: "no core dumps; file size and open files are finite",
        why: "a core dump writes guest memory to the disk, a file without an end fills it",
        fix: "stop the VMs named and start them with this tool; with the jailer: --resource-limit fsize=…",
        source: "FC: prod-host-setup, 'Disk'; getrlimit(2)",
        look: Look::Once(|host| each_vm(host, rlimits)),
    },
    Check {
        id: "vm-oom",
        title: "the first to go where memory is short",
        passes: "oom_score_adj of each VMM, and of each process of a User-Mode Linux guest, is 1000",
        why: "where the host runs out of memory its kernel ends the process with the highest score: it must be a VM, not the service that holds all of them",
        fix: "stop the VMs named and start them with this tool",
        source: "proc_pid_oom_score_adj(5)",
        look: Look::Once(|host| each_vm(host, oom_score)),
    },
    Check {
        id: "vm-memory-of-all",
        title: "memory of all VMs together",
        passes: "the group above each VMM's has a finite memory limit",
        why: "each VM's own limit says nothing of their sum: without one over all they can take the host's memory",
        fix: "stop the VMs named and start them with this tool, which caps their parent; vmm.all_memory_mib sets it",
        source: "FC: prod-host-setup, 'Memory'; K: admin-guide/cgroup-v2, 'memory.max'",
        look: Look::Once(|host| each_vm(host, memory_of_all)),
    },
    Check {
        id: "vm-drives",
        title: "drives",
        passes: "each drive of each VMM is read-only",
        why: "what a guest writes fills the host's page cache and slows its neighbours' disks, and a writable image carries from one job to the next",
        fix: "stop the VMs named and start them with this tool; with Firecracker: is_read_only in PUT /drives, or a rate limiter",
        source: "FC: prod-host-setup, 'Mitigating Noisy-Neighbour Storage Device Contention'",
        look: Look::Once(|host| each_vm(host, drives)),
    },
    Check {
        id: "vm-output",
        title: "console and output",
        passes: "fds 1 and 2 are /dev/null, a pipe or a socket with a bounded reader, or a file under a size limit",
        why: "a guest can write to its serial port for ever, also when its kernel was told to have none",
        fix: "stop the VMs named and start them with this tool",
        source: "FC: prod-host-setup, '8250 Serial Device'",
        look: Look::Once(|host| each_vm(host, output)),
    },
    Check {
        id: "kvm-pit",
        title: "kvm-pit threads",
        passes: "each kvm-pit/PID kernel thread is in its VMM's cpu group, or there is none",
        why: "it starts in the root group, where a guest's timer interrupts burn the host's time without a bound",
        fix: "for t in $(pgrep kvm-pit); do echo $t >CGROUP_OF_ITS_VMM/cgroup.procs; done",
        source: "FC: prod-host-setup, 'Constrain CPU overhead caused by kvm-pit kernel threads'",
        look: Look::Once(kvm_pit),
    },
];

/// A controller, the file of its limit in version 2 and in version 1.
const LIMITS: [(&str, &str, &str); 3] = [
    ("memory", "memory.max", "memory.limit_in_bytes"),
    ("pids", "pids.max", "pids.max"),
    ("cpu", "cpu.max", "cpu.cfs_quota_us"),
];

/// Version 1 says 'no limit' with the largest page-aligned number (mm/page_counter.c), on any page size.
const V1_NO_LIMIT: i64 = i64::MAX - 0xFFFF;

fn cgroup_limits(host: &Host, pid: i32) -> Result<Vec<String>, Gap> {
    let mut wrong = Vec::new();
    for (controller, v2, v1) in LIMITS {
        let (is_v2, folder) = cgroup_folder(host, pid, controller)?;
        let path = format!("{folder}/{}", if is_v2 { v2 } else { v1 });
        // The root group has no such file: that is what a VMM outside any limit looks like.
        match host.read_if_there(&path)? {
            None => wrong.push(format!("has no {controller} limit ({path} is absent)")),
            Some(value) if is_finite(&path, &value)? => {}
            Some(value) => wrong.push(format!("has no {controller} limit ({path} is {value})")),
        }
    }
    let own = host.read(&format!("/proc/{pid}/cgroup"))?;
    for process in processes(host, pid)? {
        // One that ended meanwhile uses nothing.
        let groups = host.read_if_there(&format!("/proc/{process}/cgroup"))?;
        if groups.is_some_and(|groups| groups != own) {
            wrong.push(format!("process {process} of its guest is in other groups"));
        }
    }
    Ok(wrong)
}

/// The highest there is.
const FIRST_TO_GO: i64 = 1000;

fn oom_score(host: &Host, pid: i32) -> Result<Vec<String>, Gap> {
    let mut wrong = Vec::new();
    for process in processes(host, pid)? {
        match host.number(&format!("/proc/{process}/oom_score_adj")) {
            // A process of the guest's that ended meanwhile.
            Err(Gap::Absent(_)) if process != pid => {}
            Ok(FIRST_TO_GO) => {}
            score => wrong.push(format!("process {process} has oom_score_adj {}", score?)),
        }
    }
    Ok(wrong)
}

fn memory_of_all(host: &Host, pid: i32) -> Result<Vec<String>, Gap> {
    let (is_v2, folder) = cgroup_folder(host, pid, "memory")?;
    let (_, v2, v1) = LIMITS[0];
    let Some((parent, _)) = folder.rsplit_once('/') else {
        return Err(Gap::Untold(format!("{folder} has no group above it")));
    };
    let path = format!("{parent}/{}", if is_v2 { v2 } else { v1 });
    Ok(match host.read_if_there(&path)? {
        Some(value) if is_finite(&path, &value)? => Vec::new(),
        Some(value) => vec![format!(
            "shares a group without a memory limit ({path} is {value})"
        )],
        None => vec![format!(
            "shares a group without a memory limit ({path} is absent)"
        )],
    })
}

/// Version 2 says `max` (`max 100000` for cpu); version 1 says -1 or a number near 2^63.
fn is_finite(path: &str, value: &str) -> Result<bool, Gap> {
    match value.split(' ').next().unwrap_or("") {
        "max" => Ok(false),
        number => {
            let number: i64 = number.parse().map_err(|_| strange(path, value))?;
            Ok((0..V1_NO_LIMIT).contains(&number))
        }
    }
}

/// The hard limit of a row of `/proc/PID/limits`, whose columns are wide: name, soft, hard, unit.
fn hard_limit<'a>(text: &'a str, path: &str, name: &str) -> Result<&'a str, Gap> {
    let rest = text
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .ok_or_else(|| strange(path, name))?;
    rest.split_whitespace()
        .nth(1)
        .ok_or_else(|| strange(path, rest))
}

fn rlimits(host: &Host, pid: i32) -> Result<Vec<String>, Gap> {
    let path = format!("/proc/{pid}/limits");
    let text = host.read(&path)?;
    let mut wrong = Vec::new();
    let core = hard_limit(&text, &path, "Max core file size")?;
    if core != "0" {
        wrong.push(format!("may dump core ({core} bytes)"));
    }
    for (name, what) in [
        ("Max file size", "file size"),
        ("Max open files", "open files"),
    ] {
        if hard_limit(&text, &path, name)? == "unlimited" {
            wrong.push(format!("has no limit of {what}"));
        }
    }
    Ok(wrong)
}

/// What makes a drive of what follows, with options that can say that it is read-only.
const DRIVES: &[&str] = &["-drive", "-blockdev"];
/// What makes a drive of a file, always writable (QEMU, 'Invocation').
const WRITABLE_DRIVES: &[&str] = &[
    "-hda",
    "-hdb",
    "-hdc",
    "-hdd",
    "-sd",
    "-mtdblock",
    "-pflash",
];

fn drives(host: &Host, pid: i32) -> Result<Vec<String>, Gap> {
    let arguments = arguments(host, pid)?;
    let writable: Vec<String> = match engine(host, pid)? {
        Engine::Firecracker => {
            let why = format!("VMM {pid} is Firecracker, whose drives are told over its API alone");
            return Err(Gap::Untold(why));
        }
        Engine::Qemu => arguments
            .windows(2)
            .filter(|pair| is_writable_drive(pair))
            .map(|pair| format!("{} {}", pair[0], pair[1]))
            .collect(),
        Engine::Uml => arguments
            .into_iter()
            .filter(|word| is_writable_disk(word))
            .collect(),
    };
    let told = writable
        .into_iter()
        .map(|drive| format!("has a writable drive: {drive}"));
    Ok(told.collect())
}

fn is_writable_drive(pair: &[String]) -> bool {
    WRITABLE_DRIVES.contains(&pair[0].as_str())
        || (DRIVES.contains(&pair[0].as_str()) && !is_read_only(&pair[1]))
}

/// Options of a drive are a list, or an object as QEMU's protocol has it.
fn is_read_only(options: &str) -> bool {
    if let Ok(object) = serde_json::from_str::<serde_json::Value>(options) {
        return object["read-only"] == true;
    }
    let mut options = options.split(',');
    options.any(|option| ["read-only=on", "readonly=on"].contains(&option))
}

/// A disk of User-Mode Linux is `ubd`, its number, flags of a letter each, `=`, its file; `r` is read-only.
fn is_writable_disk(word: &str) -> bool {
    let flags = word
        .strip_prefix("ubd")
        .and_then(|rest| rest.split_once('='));
    flags.is_some_and(|(flags, _)| !flags.contains('r'))
}

fn output(host: &Host, pid: i32) -> Result<Vec<String>, Gap> {
    let path = format!("/proc/{pid}/limits");
    let bounded = hard_limit(&host.read(&path)?, &path, "Max file size")? != "unlimited";
    let mut wrong = Vec::new();
    for fd in [1, 2] {
        let target = match host.link(&format!("/proc/{pid}/fd/{fd}")) {
            Err(Gap::Absent(_)) => continue,
            other => other?,
        };
        let held = ["/dev/null", "pipe:", "socket:"]
            .iter()
            .any(|kind| target.starts_with(kind));
        if !held && (target.starts_with("/dev/") || !bounded) {
            wrong.push(format!("writes fd {fd} to {target}"));
        }
    }
    Ok(wrong)
}

fn kvm_pit(host: &Host) -> Result<Outcome, Gap> {
    let pids = running(host)?;
    let mut wrong = Vec::new();
    let mut threads = 0;
    for task in host
        .list("/proc")?
        .iter()
        .filter_map(|name| name.parse::<i32>().ok())
    {
        let name = host.read(&format!("/proc/{task}/comm")).unwrap_or_default();
        let Some(of) = name
            .strip_prefix("kvm-pit/")
            .and_then(|pid| pid.parse::<i32>().ok())
        else {
            continue;
        };
        if pids.contains(&of) {
            threads += 1;
            if cgroup_folder(host, task, "cpu")? != cgroup_folder(host, of, "cpu")? {
                wrong.push(format!("{name} (thread {task}) is outside its VMM's group"));
            }
        }
    }
    let seen = if threads == 0 {
        "no kvm-pit thread".to_owned()
    } else {
        format!("{threads}, each in its VMM's group")
    };
    Ok(Outcome::none_of(&wrong, seen))
}

#[cfg(test)]
mod tests {
    use super::is_writable_drive;

    #[test]
    fn a_drive_that_says_read_only_in_either_form_is_no_writable_one() {
        for (options, writable) in [
            ("id=root,file=/rootfs,read-only=on", false),
            ("{\"driver\":\"file\",\"read-only\":true}", false),
            ("id=root,file=/rootfs", true),
            ("{\"driver\":\"file\",\"read-only\":false}", true),
            ("{\"driver\":\"file\"}", true),
        ] {
            let pair = ["-blockdev".to_owned(), options.to_owned()];
            assert_eq!(is_writable_drive(&pair), writable, "{options}");
        }
    }
}
