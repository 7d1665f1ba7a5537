//! What a cell sees of the machine: its own `/proc`, the small `/dev`, nothing of `/sys`.
//!
//! Runs in the cell's init, in its own mount namespace, before the program exists.

use crate::devices::JOB_DEV;
use crate::wake::{BOOT_ID_FILE, NAME_FILES};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

/// The step that failed and the kernel's answer.
pub type Failure = (&'static str, Errno);

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
const READ_ONLY: &[&str] = &["/proc/sys", "/proc/irq", "/proc/sysrq-trigger"];
/// Folders of `/proc` that are shown empty.
const EMPTY: &[&str] = &[
    "/proc/acpi",
    "/proc/scsi",
    "/proc/fs",
    "/proc/bus",
    "/proc/driver",
    "/proc/tty",
];

/// Lays it all out.
pub fn enter() -> Result<(), Failure> {
    // Only now, inside the cell's cgroup: `/proc/self/cgroup` then says `/`.
    unshare(CloneFlags::CLONE_NEWCGROUP).map_err(|e| ("unshare cgroup", e))?;
    umount2("/sys", MntFlags::MNT_DETACH).map_err(|e| ("hide /sys", e))?;
    umount2("/proc", MntFlags::MNT_DETACH).map_err(|e| ("hide /proc", e))?;
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
    }
    bind(JOB_DEV, "/dev", MsFlags::MS_REC).map_err(|e| ("bind /dev", e))
}

fn mask_proc() -> Result<(), Failure> {
    for path in MASKED {
        absent_is_fine(bind("/dev/null", path, MsFlags::empty()))
            .map_err(|e| ("mask in /proc", e))?;
    }
    for path in READ_ONLY {
        absent_is_fine(bind(path, path, MsFlags::empty())).map_err(|e| ("bind in /proc", e))?;
    }
    bind(
        BOOT_ID_FILE,
        "/proc/sys/kernel/random/boot_id",
        MsFlags::empty(),
    )
    .map_err(|e| ("bind boot_id", e))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC | MsFlags::MS_RDONLY;
    for path in READ_ONLY {
        let sealed = mount(
            None::<&str>,
            *path,
            None::<&str>,
            flags | MsFlags::MS_REMOUNT | MsFlags::MS_BIND,
            None::<&str>,
        );
        absent_is_fine(sealed).map_err(|e| ("seal in /proc", e))?;
    }
    for path in EMPTY {
        let covered = mount(
            Some("tmpfs"),
            *path,
            Some("tmpfs"),
            flags,
            Some("size=4k,nr_inodes=1"),
        );
        absent_is_fine(covered).map_err(|e| ("cover in /proc", e))?;
    }
    Ok(())
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
