//! What a sandboxed process sees of the machine: its own `/proc`, the small `/dev`, nothing of `/sys`; the image as its root.
//!
//! Runs in the sandbox's init, in its own mount namespace, before the program exists.

use crate::devices::JOB_DEV;
use crate::error::SetupFailure;
use crate::overlay;
use crate::resume::{BOOT_ID_FILE, NAME_FILES};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

/// Files of `/proc` that tell about the kernel or the host and that no program needs.
const MASKED: &[&str] = &[
    "/proc/kcore",
    "/proc/kallsyms",
    "/proc/kmsg",
    "/proc/keys",
    "/proc/key-users",
    "/proc/timer_list",
    "/proc/sched_debug",
    "/proc/latency_stats",
    "/proc/cmdline",
    "/proc/modules",
    "/proc/iomem",
    "/proc/ioports",
    "/proc/vmallocinfo",
    "/proc/slabinfo",
    "/proc/pagetypeinfo",
    "/proc/config.gz",
    "/proc/mtrr",
];
/// What of `/proc` is shown but cannot be written, whoever owns what is in them.
const READ_ONLY: &[&str] = &[
    "/proc/sys",
    "/proc/irq",
    "/proc/sysrq-trigger",
    // Of User-Mode Linux: the number that its kernel ends with.
    "/proc/exitcode",
];
/// Where programs read the boot's id.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const SEALED: MsFlags = MsFlags::MS_NOSUID
    .union(MsFlags::MS_NODEV)
    .union(MsFlags::MS_NOEXEC)
    .union(MsFlags::MS_RDONLY);
/// Folders of `/proc` that are shown empty.
const EMPTY: &[&str] = &[
    "/proc/acpi",
    "/proc/scsi",
    "/proc/fs",
    "/proc/bus",
    "/proc/driver",
    "/proc/tty",
];

/// The root that programs see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// The image.
    ReadOnly,
    /// The image under a tmpfs of so many bytes.
    Writable(u64),
}

/// Lays it all out.
pub fn enter(root: Root) -> Result<(), SetupFailure> {
    // Only now, inside the sandbox's cgroup: `/proc/self/cgroup` then says `/`.
    unshare(CloneFlags::CLONE_NEWCGROUP).map_err(|e| ("unshare cgroup", e))?;
    umount2("/sys", MntFlags::MNT_DETACH).map_err(|e| ("hide /sys", e))?;
    umount2("/proc", MntFlags::MNT_DETACH).map_err(|e| ("hide /proc", e))?;
    if let Root::Writable(bytes) = root {
        overlay::enter(bytes)?;
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    // hidepid: the init is root's, so the job sees its own processes and nothing else.
    mount(
        Some("proc"),
        "/proc",
        Some("proc"),
        flags,
        Some("hidepid=invisible"),
    )
    .map_err(|e| ("mount /proc", e))?;
    mask_proc()?;
    for (file, at) in NAME_FILES {
        bind(file, at, MsFlags::empty()).map_err(|e| ("bind in /etc", e))?;
        seal(at).map_err(|e| ("seal in /etc", e))?;
    }
    bind(JOB_DEV, "/dev", MsFlags::MS_REC).map_err(|e| ("bind /dev", e))
}

fn mask_proc() -> Result<(), SetupFailure> {
    for path in MASKED {
        absent_is_fine(bind("/dev/null", path, MsFlags::empty()))
            .map_err(|e| ("mask in /proc", e))?;
    }
    for path in READ_ONLY {
        absent_is_fine(bind(path, path, MsFlags::empty())).map_err(|e| ("bind in /proc", e))?;
    }
    bind(BOOT_ID_FILE, BOOT_ID, MsFlags::empty()).map_err(|e| ("bind boot_id", e))?;
    // Also for root: what is written to the agent's file system counts towards nobody's limit of files.
    seal(BOOT_ID).map_err(|e| ("seal boot_id", e))?;
    for path in READ_ONLY {
        absent_is_fine(seal(path)).map_err(|e| ("seal in /proc", e))?;
    }
    for path in EMPTY {
        let covered = mount(
            Some("tmpfs"),
            *path,
            Some("tmpfs"),
            SEALED,
            Some("size=4k,nr_inodes=1"),
        );
        absent_is_fine(covered).map_err(|e| ("cover in /proc", e))?;
    }
    Ok(())
}

/// Makes a mount read-only.
fn seal(path: &str) -> nix::Result<()> {
    let none = None::<&str>;
    let again = MsFlags::MS_REMOUNT | MsFlags::MS_BIND;
    mount(none, path, none, SEALED | again, none)
}

fn bind(from: &str, to: &str, more: MsFlags) -> nix::Result<()> {
    mount(
        Some(from),
        to,
        None::<&str>,
        MsFlags::MS_BIND | more,
        None::<&str>,
    )
}

/// A kernel without the file has nothing to hide there.
fn absent_is_fine(result: nix::Result<()>) -> nix::Result<()> {
    match result {
        Err(Errno::ENOENT) => Ok(()),
        other => other,
    }
}
