//! The tool's own files.

use super::{Check, Group, Look, Needs, not_needed};
use crate::facts::{Built, Digests, Engine, Runtime, Setting};
use crate::host::{Gap, Host};
use crate::lookup::{days_left, judge_ages};
use crate::outcome::Outcome;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

pub(super) const GROUP: Group = Group {
    title: "Files",
    checks: CHECKS,
};

const CHECKS: &[Check] = &[
    Check {
        id: "state-dir",
        title: "state folder",
        passes: "mode 0711 or 0700, with `run`, `jail`, `snapshots`, `saved` and `audit` in it 0700, and no folder above it is writable by others",
        why: "it holds images and snapshots: who can change one decides what runs in every VM, who can read a snapshot reads guests' memory",
        fix: "chmod 711 STATE_DIR && (cd STATE_DIR && chmod -f 700 run jail snapshots saved audit) && chown \"$(id -u)\" STATE_DIR   # and chmod go-w each folder named",
        source: "FC: snapshotting/snapshot-support, 'Snapshot security and uniqueness'",
        look: Look::Once(state_dir),
    },
    Check {
        id: "config-file",
        title: "configuration file",
        passes: "not writable by others, nor is any folder above it",
        why: "it decides how strong every wall is; it holds no secrets, which are in files of their own",
        fix: "chmod go-w CONFIG_FILE   # and each folder named",
        source: "this project, docs/deploy.md",
        look: Look::Once(config_file),
    },
    Check {
        id: "secret-files",
        title: "files with keys",
        passes: "the file of API keys and the certificate's key are not readable by everyone, nor are they or a folder above them writable by others; or there is none",
        why: "whoever reads the certificate's key is the service to its clients; whoever writes a key lets themselves in",
        fix: "chmod 600 FILE   # and chmod go-w each folder named",
        source: "this project, docs/deploy.md",
        look: Look::Once(secret_files),
    },
    Check {
        id: "image-digests",
        title: "image digests",
        passes: "every kernel, initramfs and root file system is as it was built",
        why: "a changed image runs in every VM",
        fix: "llm-firecracker images build --force   # builds them anew",
        source: "this project, docs/decisions",
        look: Look::Once(images),
    },
    Check {
        id: "image-age",
        title: "age of images",
        passes: "each language's root file system was built at most 90 days ago",
        why: "interpreters, compilers and libraries in it are as old as its build, and a job's own guest is what their flaws open; nobody builds it anew unasked",
        fix: "llm-firecracker images build --force --unlocked   # of the newest packages",
        source: "this project; Debian's security archive",
        look: Look::Once(image_age),
    },
    Check {
        id: "runtime-support",
        title: "support of runtimes",
        passes: "the makers of each language's runtime still mend it, and will for 90 days",
        why: "a flaw in an interpreter that nobody mends any more stays open in every job",
        fix: "llm-firecracker images outdated   # says which; a newer version of the tool has newer ones",
        source: "the makers' own pages, named in crates/languages/data",
        look: Look::Once(runtime_support),
    },
    Check {
        id: "guest-kernel-age",
        title: "age of the guest kernel",
        passes: "the kernel that QEMU and Firecracker boot was taken from its package at most 90 days ago",
        why: "a job that becomes guest root meets this kernel, and devices of the VMM behind it; its flaws are mended every few weeks",
        fix: "llm-firecracker images build --kernel virtual --force",
        source: "K: process/2.Process, 'The big picture'",
        look: Look::For(Needs::Hypervisors, guest_kernel_age),
    },
    Check {
        id: "snapshot-digests",
        title: "snapshot digests",
        passes: "every snapshot's memory and state are as they were taken; or there is none, and jobs run under User-Mode Linux, which has none",
        why: "Firecracker's snapshots carry a CRC against accidents and nothing against intent",
        fix: "llm-firecracker snapshots rm   # removes all; they are taken anew",
        source: "FC: snapshotting/snapshot-support, 'Snapshot security and uniqueness'",
        look: Look::Once(snapshots),
    },
    Check {
        id: "free-disk",
        title: "free disk space",
        passes: "at least 5 GiB where the state folder is",
        why: "images take 0.1 to 1 GiB a language, a snapshot as much as its VM's memory; a full disk refuses jobs",
        fix: "llm-firecracker clean; or set state_dir to a larger disk",
        source: "this project's measurements",
        look: Look::Once(free_disk),
    },
    Check {
        id: "log-bounds",
        title: "bounds of logs",
        passes: "event and console logs have a bound",
        why: "a guest can make its VMM write: without a bound it fills the host's disk",
        fix: "set events.max_bytes in the configuration file",
        source: "FC: prod-host-setup, 'Log files', '8250 Serial Device'",
        look: Look::Once(log_bounds),
    },
    Check {
        id: "log-rotation",
        title: "rotation of the host's logs",
        passes: "journald bounds its journal, or logrotate is installed and scheduled",
        why: "what the service and the kernel write about guests grows with what guests do",
        fix: "mkdir -p /etc/systemd/journald.conf.d && printf '[Journal]\\nSystemMaxUse=1G\\n' >/etc/systemd/journald.conf.d/size.conf && systemctl restart systemd-journald",
        source: "FC: prod-host-setup, 'Log files'",
        look: Look::Once(log_rotation),
    },
];

/// Permission bits of group and others to read and to write: coming through is what images need that others may read.
const OTHERS_LOOK: u32 = 0o066;
/// What of the state folder is nobody else's: VMs, memory of VMs, the log.
const PRIVATE_FOLDERS: [&str; 5] = ["run", "jail", "snapshots", "saved", "audit"];

fn state_dir(host: &Host) -> Result<Outcome, Gap> {
    let Some(path) = &host.facts.state_dir else {
        return Ok(Outcome::unknown("the state folder was not told"));
    };
    let name = path.display().to_string();
    if !host.exists(&name) {
        return Ok(Outcome::warn(format!(
            "{name} is not there yet; the first command makes it 0711"
        )));
    }
    let mut wrong = host.weak_spots(path)?;
    let mode = host.metadata(&name)?.mode() & 0o7777;
    if mode & OTHERS_LOOK != 0 && wrong.is_empty() {
        wrong.push(format!("{name} is open to others (mode {mode:04o})"));
    }
    for private in PRIVATE_FOLDERS.map(|folder| format!("{name}/{folder}")) {
        if host.exists(&private) {
            let mode = host.metadata(&private)?.mode() & 0o7777;
            if mode & 0o077 != 0 {
                wrong.push(format!("{private} is open to others (mode {mode:04o})"));
            }
        }
    }
    Ok(Outcome::none_of(&wrong, format!("{name}, mode {mode:04o}")))
}

fn config_file(host: &Host) -> Result<Outcome, Gap> {
    let Some(path) = &host.facts.config_file else {
        return Ok(Outcome::pass("none: the built-in defaults hold"));
    };
    let wrong = host.weak_spots(path)?;
    let name = path.display().to_string();
    let mode = host.metadata(&name)?.mode() & 0o7777;
    Ok(Outcome::none_of(&wrong, format!("{name}, mode {mode:04o}")))
}

fn secret_files(host: &Host) -> Result<Outcome, Gap> {
    let Some(secrets) = &host.facts.secrets else {
        return Ok(Outcome::unknown("the files were not told"));
    };
    let (mut wrong, mut seen) = (Vec::new(), Vec::new());
    for path in secrets {
        let (spots, told) = judge_secret(host, path)?;
        wrong.extend(spots);
        seen.push(told);
    }
    Ok(match secrets.is_empty() {
        true => Outcome::pass("none"),
        false => Outcome::none_of(&wrong, seen.join("; ")),
    })
}

/// What is wrong with a file that not everyone may read, and what it is like.
fn judge_secret(host: &Host, path: &Path) -> Result<(Vec<String>, String), Gap> {
    let name = path.display().to_string();
    let mut wrong = host.weak_spots(path)?;
    let mode = host.metadata(&name)?.mode() & 0o7777;
    if mode & 0o004 != 0 {
        wrong.push(format!("{name} is readable by everyone (mode {mode:04o})"));
    }
    Ok((wrong, format!("{name}, mode {mode:04o}")))
}

fn digests(found: &Digests, what: &str, nothing: &str) -> Outcome {
    match found {
        Digests::NotCompared => Outcome::unknown(format_args!("{what} were not compared")),
        Digests::Equal(count) => Outcome::pass(format!("{count} {what}, all as they were made")),
        Digests::Nothing => Outcome::warn(nothing),
        Digests::Differ(lines) => Outcome::fail(lines.join("; ")),
    }
}

fn images(host: &Host) -> Result<Outcome, Gap> {
    let found = &host.facts.images;
    let outcome = digests(found, "images", "none built yet: no job can run");
    Ok(match found {
        Digests::Nothing => outcome.with_fix("llm-firecracker images build"),
        _ => outcome,
    })
}

fn image_age(host: &Host) -> Result<Outcome, Gap> {
    judge_built(host, host.facts.images_built.as_deref())
}

/// As long before a runtime's end its operator is to hear of it, days.
const NOTICE_DAYS: i32 = 90;

fn runtime_support(host: &Host) -> Result<Outcome, Gap> {
    let Some(runtimes) = &host.facts.runtimes else {
        return Ok(Outcome::unknown("nobody told the runtimes"));
    };
    let mut ending = Vec::new();
    for Runtime { name, end_of_life } in runtimes {
        let Some(day) = end_of_life else { continue };
        let left = days_left(host, day)?;
        if left < NOTICE_DAYS {
            ending.push(format!("{name}, until {day}"));
        }
    }
    Ok(match (ending.is_empty(), runtimes.is_empty()) {
        (false, _) => Outcome::warn(ending.join("; ")),
        (true, true) => Outcome::warn("no image is built yet: no job can run"),
        (true, false) => Outcome::pass(format!("{} runtimes", runtimes.len())),
    })
}

fn guest_kernel_age(host: &Host) -> Result<Outcome, Gap> {
    judge_built(host, host.facts.kernel_built.as_deref())
}

fn judge_built(host: &Host, built: Option<&[Built]>) -> Result<Outcome, Gap> {
    match built {
        None => Ok(Outcome::unknown("nobody told when it was built")),
        Some([]) => Ok(Outcome::warn("none built yet: no job can run")
            .with_fix("llm-firecracker images build")),
        Some(all) => judge_ages(host, all),
    }
}

fn snapshots(host: &Host) -> Result<Outcome, Gap> {
    let found = &host.facts.snapshots;
    let outcome = digests(found, "snapshots", "none taken yet: every job boots its VM");
    Ok(match found {
        Digests::Nothing if host.facts.engine == Some(Engine::Uml) => not_needed(Engine::Uml),
        Digests::Nothing => outcome.with_fix("llm-firecracker snapshots create"),
        _ => outcome,
    })
}

const FREE_DISK_BYTES: u64 = 5 << 30;

fn free_disk(host: &Host) -> Result<Outcome, Gap> {
    let Some(bytes) = host.facts.free_disk_bytes else {
        return Ok(Outcome::unknown("free space was not told"));
    };
    let seen = format!("{} MiB free", bytes >> 20);
    Ok(match bytes {
        FREE_DISK_BYTES.. => Outcome::pass(seen),
        bytes if bytes > FREE_DISK_BYTES / 10 => Outcome::warn(seen),
        _ => Outcome::fail(seen),
    })
}

fn log_bounds(host: &Host) -> Result<Outcome, Gap> {
    Ok(match host.facts.log_bytes_max {
        Setting::Is(bytes) => Outcome::pass(format!("at most {} MiB", bytes.div_ceil(1 << 20))),
        Setting::Off => Outcome::fail("no bound is configured"),
        Setting::Untold => Outcome::unknown("the bound was not told"),
    })
}

const JOURNALD: &str = "/etc/systemd/journald.conf";

fn log_rotation(host: &Host) -> Result<Outcome, Gap> {
    let drop_ins = host
        .list("/etc/systemd/journald.conf.d")
        .unwrap_or_default();
    let files = std::iter::once(JOURNALD.to_owned())
        .chain(drop_ins.iter().map(|name| format!("{JOURNALD}.d/{name}")));
    for file in files {
        let text = host.read_if_there(&file)?.unwrap_or_default();
        if let Some(line) = text
            .lines()
            .find(|line| line.trim_start().starts_with("SystemMaxUse="))
        {
            return Ok(Outcome::pass(format!("{file}: {}", line.trim())));
        }
    }
    if host.exists("/run/systemd/journal/socket") {
        // Its own default: a tenth of the file system, at most 4 GiB (journald.conf(5)).
        return Ok(Outcome::pass("journald runs with its default bound"));
    }
    let scheduled = [
        "/etc/cron.daily/logrotate",
        "/lib/systemd/system/logrotate.timer",
        "/usr/lib/systemd/system/logrotate.timer",
    ];
    match (
        host.exists("/usr/sbin/logrotate"),
        scheduled.iter().find(|path| host.exists(path)),
    ) {
        (true, Some(by)) => Ok(Outcome::pass(format!("logrotate, by {by}"))),
        _ => Ok(Outcome::warn(
            "neither journald nor a scheduled logrotate was found",
        )),
    }
}
