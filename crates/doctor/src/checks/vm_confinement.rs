//! The walls around each running VMM, read from the kernel's own account of it. Under User-Mode Linux the
//! processes of a guest are processes of the host: what is asked of the VMM, is asked of them.

use super::vm_processes::{arguments, engine, processes};
use super::{Check, Group, Look, vm_groups};
use crate::facts::{Engine, Vms};
use crate::host::{Gap, Host, strange};
use crate::outcome::Outcome;
use std::collections::BTreeMap;

pub(super) const GROUP: Group = Group {
    title: "Running VMs: walls",
    checks: CHECKS,
};

const CHECKS: &[Check] = &[
    Check {
        id: "vm-seccomp",
        title: "system-call filter on every thread",
        passes: "each thread of each VMM, and of each process of a User-Mode Linux guest, has Seccomp 2; there it is two filters",
        why: "filters are per thread: one thread without it is a VMM without it. The second of User-Mode Linux is the one that it seals itself with",
        fix: "stop the VMs named and start them with this tool; remove --no-seccomp from whatever started them",
        source: "FC: prod-host-setup, 'Seccomp'; K: userspace-api/seccomp_filter",
        look: Look::Once(|host| each_vm(host, seccomp)),
    },
    Check {
        id: "vm-no-new-privs",
        title: "no new privileges",
        passes: "each thread, as above, has NoNewPrivs 1",
        why: "without it a setuid program in reach gives a taken-over VMM root",
        fix: "stop the VMs named and start them with this tool",
        source: "K: userspace-api/no_new_privs",
        look: Look::Once(|host| each_vm(host, no_new_privs)),
    },
    Check {
        id: "vm-capabilities",
        title: "no capabilities",
        passes: "CapEff, CapPrm, CapInh and CapAmb of each thread, as above, are 0",
        why: "a capability is a piece of root",
        fix: "stop the VMs named and start them with this tool",
        source: "FC: jailer; capabilities(7)",
        look: Look::Once(|host| each_vm(host, capabilities)),
    },
    Check {
        id: "vm-uid",
        title: "one uid a VM, never root",
        passes: "no VMM is root, and no two have one uid",
        why: "a VMM that broke out reaches the files and processes of its uid: they should be its own only",
        fix: "run the service as root: it gives each VMM an unprivileged uid of its own from vmm.uid_base on",
        source: "FC: prod-host-setup, 'Jailer Configuration'",
        look: Look::Once(uids),
    },
    Check {
        id: "vm-groups",
        title: "no supplementary groups",
        passes: "no thread, as above, is in a group besides its own; where the tool is a user's, its VMMs keep that user's and it is a warning",
        why: "a group opens files and devices as a uid does: kvm, disk or docker is as good as root",
        fix: "run the service as root, which takes all groups from each VMM; as a user: from an account that is in none",
        source: "FC: jailer, 'Jailer Operation'; credentials(7)",
        look: Look::Once(vm_groups::groups),
    },
    Check {
        id: "vm-namespaces",
        title: "own namespaces",
        passes: "mount and pid namespaces differ from the host's; for QEMU and User-Mode Linux also user, net, ipc, uts and cgroup",
        why: "in the host's namespaces a taken-over VMM sees the host's files, processes and network",
        fix: "stop the VMs named and start them with this tool",
        source: "FC: jailer; namespaces(7)",
        look: Look::Once(|host| each_vm(host, namespaces)),
    },
    Check {
        id: "vm-command-line",
        title: "no switch weakens a VMM",
        passes: "no --no-seccomp, no --seccomp-filter; QEMU with -sandbox on and -nodefaults; User-Mode Linux with seccomp=off, which traces, and a seal",
        why: "Firecracker's own filters are the tightest known to work; QEMU's defaults bring devices that no job needs; under seccomp=on a process of a User-Mode Linux guest can write all of its guest's memory",
        fix: "stop the VMs named and start them with this tool",
        source: "FC: prod-host-setup, 'Seccomp'; QEMU 'Security'",
        look: Look::Once(|host| each_vm(host, command_line)),
    },
    Check {
        id: "vm-network",
        title: "no network device",
        passes: "no VMM has one on its command line (User-Mode Linux: eth0, vec0) or a tap or vhost-net descriptor open",
        why: "a job without a network cannot exfiltrate, scan, or ask the metadata address 169.254.169.254",
        fix: "stop the VMs named and start them with this tool",
        source: "FC: prod-host-setup, 'Filtering Guest Egress Network Traffic'",
        look: Look::Once(|host| each_vm(host, network)),
    },
    Check {
        id: "vm-devices",
        title: "no device of the host's",
        passes: "below /dev a VMM has /dev/null open, and QEMU and Firecracker /dev/kvm and /dev/urandom; User-Mode Linux nothing else",
        why: "a device's driver is kernel code that a taken-over VMM could call",
        fix: "stop the VMs named and start them with this tool",
        source: "FC: jailer, 'Jailer Operation'; docs/uml.md",
        look: Look::Once(|host| each_vm(host, devices)),
    },
    Check {
        id: "vm-speculation",
        title: "speculative store bypass",
        passes: "no VMM's Speculation_Store_Bypass says 'vulnerable'",
        why: "with spectre variant 4 a guest may read what its VMM holds",
        fix: "add spec_store_bypass_disable=seccomp to the kernel's command line, or update the microcode",
        source: "K: userspace-api/spec_ctrl; FC: prod-host-setup (older editions, 'SSBD')",
        look: Look::Once(|host| each_vm(host, speculation)),
    },
];

/// Judges every running VMM; one that ended meanwhile is skipped.
pub(super) fn each_vm(
    host: &Host,
    judge: fn(&Host, i32) -> Result<Vec<String>, Gap>,
) -> Result<Outcome, Gap> {
    let pids = running(host)?;
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for pid in pids {
        match judge(host, pid) {
            Err(Gap::Absent(_)) if !host.exists(&format!("/proc/{pid}")) => {}
            Err(gap) => return Err(gap),
            Ok(found) => {
                seen += 1;
                wrong.extend(found.into_iter().map(|what| format!("VMM {pid}: {what}")));
            }
        }
    }
    if seen == 0 {
        return Ok(Outcome::unknown(ENDED));
    }
    let pass = match host.facts.vms {
        Vms::Started(_) => "a VM that was started to be looked at".to_owned(),
        _ => format!("{seen} running VMs"),
    };
    Ok(Outcome::none_of(&wrong, pass))
}

/// Every VM that was to be looked at is gone.
const ENDED: &str = "the VMs ended while they were looked at";

/// The process ids of the VMMs, or why there is nothing to look at.
pub(super) fn running(host: &Host) -> Result<Vec<i32>, Gap> {
    let untold = |why: String| Err(Gap::Untold(why));
    match &host.facts.vms {
        Vms::NotLookedFor => untold("nobody told which VMs are running".to_owned()),
        Vms::NotStarted(why) => untold(format!("no VM runs and none could be started: {why}")),
        Vms::Started(pid) => Ok(vec![*pid]),
        Vms::Running(pids) => Ok(pids.clone()),
    }
}

/// A field of a `status` file.
pub(super) fn field<'a>(status: &'a str, path: &str, name: &str) -> Result<&'a str, Gap> {
    let value = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.map(str::trim).ok_or_else(|| strange(path, name))
}

/// What fields of a VM's threads say, where that is not `wanted`; threads that say the same are told as one.
fn threads(
    host: &Host,
    pid: i32,
    names: &[&str],
    wanted: fn(&str) -> bool,
) -> Result<Vec<String>, Gap> {
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (tid, path, status) in statuses(host, pid)? {
        for name in names {
            let value = field(&status, &path, name)?;
            if !wanted(value) {
                let said = wrong.entry(format!("{name} {value}")).or_default();
                said.push(tid.clone());
            }
        }
    }
    let told = |(said, tids): (String, Vec<String>)| match tids.as_slice() {
        [tid] => format!("thread {tid} has {said}"),
        _ => format!("threads {} have {said}", tids.join(", ")),
    };
    Ok(wrong.into_iter().map(told).collect())
}

/// The threads of a VM's processes: a number, the file that tells of it, and what that says.
pub(super) fn statuses(host: &Host, pid: i32) -> Result<Vec<(String, String, String)>, Gap> {
    let mut found = Vec::new();
    for process in processes(host, pid)? {
        let tids = match host.list(&format!("/proc/{process}/task")) {
            // A process of the guest's that ended meanwhile.
            Err(Gap::Absent(_)) if process != pid => continue,
            tids => tids?,
        };
        for tid in tids {
            let path = format!("/proc/{process}/task/{tid}/status");
            let status = host.read_if_there(&path)?;
            found.extend(status.map(|status| (tid, path, status)));
        }
    }
    Ok(found)
}

fn seccomp(host: &Host, pid: i32) -> Result<Vec<String>, Gap> {
    let wrong = threads(host, pid, &["Seccomp"], |value| value == "2")?;
    match engine(host, pid)? {
        // The jail's filter, and its own. Kernels before 5.9 do not count them.
        Engine::Uml if wrong.is_empty() && counts_filters(host, pid)? => {
            threads(host, pid, &["Seccomp_filters"], |value| value != "1")
        }
        _ => Ok(wrong),
    }
}

fn counts_filters(host: &Host, pid: i32) -> Result<bool, Gap> {
    let path = format!("/proc/{pid}/status");
    Ok(field(&host.read(&path)?, &path, "Seccomp_filters").is_ok())
}

fn no_new_privs(host: &Host, pid: i32) -> Result<Vec<String>, Gap> {
    threads(host, pid, &["NoNewPrivs"], |value| value == "1")
}

fn capabilities(host: &Host, pid: i32) -> Result<Vec<String>, Gap> {
    let none = |value: &str| !value.is_empty() && value.bytes().all(|digit| digit == b'0');
    threads(host, pid, &["CapEff", "CapPrm", "CapInh", "CapAmb"], none)
}

fn speculation(host: &Host, pid: i32) -> Result<Vec<String>, Gap> {
    threads(host, pid, &["Speculation_Store_Bypass"], |value| {
        value != "vulnerable"
    })
}

fn uids(host: &Host) -> Result<Outcome, Gap> {
    let mut owners: BTreeMap<u32, Vec<i32>> = BTreeMap::new();
    for pid in running(host)? {
        let statuses = match statuses(host, pid) {
            Err(Gap::Absent(_)) if !host.exists(&format!("/proc/{pid}")) => continue,
            statuses => statuses?,
        };
        for (_, path, status) in statuses {
            // Real, effective, saved and file system uid: any of them counts.
            for uid in field(&status, &path, "Uid")?.split_whitespace() {
                let uid = uid.parse().map_err(|_| strange(&path, uid))?;
                owners.entry(uid).or_default().push(pid);
            }
        }
    }
    owners.values_mut().for_each(Vec::dedup);
    if owners.is_empty() {
        return Ok(Outcome::unknown(ENDED));
    }
    if let Some(pids) = owners.get(&0) {
        return Ok(Outcome::fail(format!("root: VMM {pids:?}")));
    }
    let shared: Vec<String> = owners
        .iter()
        .filter(|(_, pids)| pids.len() > 1)
        .map(|(uid, pids)| format!("uid {uid} has VMMs {pids:?}"))
        .collect();
    Ok(if shared.is_empty() {
        Outcome::pass(format!("{} uids", owners.len()))
    } else {
        Outcome::warn(shared.join("; "))
    })
}

/// The jailer makes the first two; bubblewrap makes all.
const JAILER_NAMESPACES: &[&str] = &["mnt", "pid"];
const BUBBLEWRAP_NAMESPACES: &[&str] = &["mnt", "pid", "user", "net", "ipc", "uts", "cgroup"];

fn namespaces(host: &Host, pid: i32) -> Result<Vec<String>, Gap> {
    let wanted = match engine(host, pid)? {
        Engine::Firecracker => JAILER_NAMESPACES,
        Engine::Qemu | Engine::Uml => BUBBLEWRAP_NAMESPACES,
    };
    let mut wrong = Vec::new();
    for name in wanted {
        let of_host = host.link(&format!("/proc/self/ns/{name}"))?;
        if host.link(&format!("/proc/{pid}/ns/{name}"))? == of_host {
            wrong.push(format!("is in the host's {name} namespace"));
        }
        for process in processes(host, pid)? {
            // One that ended meanwhile is in none.
            let of_process = host.link(&format!("/proc/{process}/ns/{name}"));
            if process != pid && of_process.as_ref() == Ok(&of_host) {
                wrong.push(format!(
                    "process {process} of its guest is in the host's {name} namespace"
                ));
            }
        }
    }
    Ok(wrong)
}

fn command_line(host: &Host, pid: i32) -> Result<Vec<String>, Gap> {
    let arguments = arguments(host, pid)?;
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let mut wrong: Vec<String> = arguments
        .iter()
        .filter(|word| {
            ["--no-seccomp", "--seccomp-filter"].contains(&word.split('=').next().unwrap_or(""))
        })
        .map(|word| format!("runs with {word}"))
        .collect();
    let (sandboxed, sealed) = (
        arguments
            .windows(2)
            .any(|pair| pair[0] == "-sandbox" && pair[1].split(',').next() == Some("on")),
        arguments.iter().any(|word| word.starts_with("seal=")),
    );
    let wanted: &[(&str, bool)] = match engine(host, pid)? {
        Engine::Firecracker => &[],
        Engine::Qemu => &[
            ("-sandbox on", sandboxed),
            ("-nodefaults", has("-nodefaults")),
        ],
        Engine::Uml => &[("seccomp=off", has("seccomp=off")), ("seal=", sealed)],
    };
    let lacking = wanted.iter().filter(|(_, there)| !there);
    wrong.extend(lacking.map(|(word, _)| format!("runs without {word}")));
    Ok(wrong)
}

/// What begins the words for network devices of User-Mode Linux, before a number.
const UML_NETWORK: [&str; 2] = ["eth", "vec"];

fn network(host: &Host, pid: i32) -> Result<Vec<String>, Gap> {
    let is_uml = engine(host, pid)? == Engine::Uml;
    let numbered = |word: &String, start: &str| {
        let rest = word.strip_prefix(start);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let names_one = |word: &String| {
        ["-netdev", "-nic", "-net"].contains(&word.as_str())
            || word.contains("virtio-net")
            || is_uml && UML_NETWORK.iter().any(|start| numbered(word, start))
    };
    let mut wrong: Vec<String> = arguments(host, pid)?
        .into_iter()
        .filter(names_one)
        .map(|word| format!("runs with {word}"))
        .collect();
    for (fd, target) in descriptors(host, pid)? {
        if ["/dev/net/tun", "/dev/vhost-net"].contains(&target.as_str()) {
            wrong.push(format!("has {target} open as {fd}"));
        }
    }
    Ok(wrong)
}

fn devices(host: &Host, pid: i32) -> Result<Vec<String>, Gap> {
    let known: &[&str] = match engine(host, pid)? {
        Engine::Uml => &["/dev/null"],
        Engine::Qemu | Engine::Firecracker => &["/dev/null", "/dev/kvm", "/dev/urandom"],
    };
    let is_another = |target: &str| target.starts_with("/dev/") && !known.contains(&target);
    let mut wrong = Vec::new();
    for process in processes(host, pid)? {
        let open = match descriptors(host, process) {
            // A process of the guest's that ended meanwhile.
            Err(Gap::Absent(_)) if process != pid => continue,
            open => open?,
        };
        let others = open.into_iter().filter(|(_, target)| is_another(target));
        wrong.extend(others.map(|(fd, target)| format!("has {target} open as {fd}")));
    }
    Ok(wrong)
}

/// What a process has open: a number, and what it leads to. One that was closed meanwhile leads nowhere.
fn descriptors(host: &Host, pid: i32) -> Result<Vec<(String, String)>, Gap> {
    let fds = host.list(&format!("/proc/{pid}/fd"))?;
    let target = |fd: &str| host.link(&format!("/proc/{pid}/fd/{fd}"));
    let open = fds.into_iter().map(|fd| {
        let target = target(&fd).unwrap_or_default();
        (fd, target)
    });
    Ok(open.collect())
}
