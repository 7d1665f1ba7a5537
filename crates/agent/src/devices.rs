//! The `/dev` that a job sees: a handful of harmless nodes, its shared memory and its terminals.
//!
//! Made once at boot below the agent's own `/dev`; `view` lays it over `/dev` in the job's mount
//! namespace. The channel's port, the disk, the console and `/dev/vsock` are not in it.

use crate::boot::make_folder;
use crate::drivers::Drivers;
use crate::error::{AgentError, Step};
use nix::mount::{MsFlags, mount};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use protocol::interpreter::{MAX_DRIVERS, MAX_DRIVERS_BYTES};
use protocol::supervisor::{MAX_TRUST_BYTES, TRUST_FILE};
use std::os::unix::fs::symlink;

/// Where the agent keeps the job's `/dev`.
pub const JOB_DEV: &str = "/dev/job";
/// The job's shared memory as the agent names it; `root` mounts and caps it.
pub const SHM: &str = "/dev/job/shm";

/// Where the drivers of interpreters go; for programs it is [`protocol::interpreter::DRIVERS_DIR`].
const ZYGOTE_FOLDER: &str = "zygote";
/// Nodes, links and folders, besides what the drivers take.
const OWN_INODES: usize = 64;
const OWN_KIB: usize = 128;
/// How it is mounted.
const FLAGS: MsFlags = MsFlags::MS_NOSUID
    .union(MsFlags::MS_NOEXEC)
    .union(MsFlags::MS_NOATIME);
/// Character devices of major 1, by minor number.
const NODES: &[(&str, u64)] = &[
    ("null", 3),
    ("zero", 5),
    ("full", 7),
    ("random", 8),
    ("urandom", 9),
];
/// What shells and programs expect to find.
const LINKS: &[(&str, &str)] = &[
    ("/proc/self/fd", "fd"),
    ("/proc/self/fd/0", "stdin"),
    ("/proc/self/fd/1", "stdout"),
    ("/proc/self/fd/2", "stderr"),
    ("pts/ptmx", "ptmx"),
];

/// Builds it.
pub fn build(drivers: &Drivers) -> Result<(), AgentError> {
    let in_dev = |name: &str| format!("{JOB_DEV}/{name}");
    make_folder(JOB_DEV)?;
    // A file takes whole pages.
    let kib = OWN_KIB + MAX_TRUST_BYTES / 1024 + MAX_DRIVERS_BYTES / 1024 + 4 * MAX_DRIVERS;
    // Each may be alone in its folder.
    let inodes = OWN_INODES + 2 * MAX_DRIVERS;
    let options = format!("mode=0755,size={kib}k,nr_inodes={inodes}");
    mount(
        Some("tmpfs"),
        JOB_DEV,
        Some("tmpfs"),
        FLAGS,
        Some(options.as_str()),
    )
    .step(|| format!("mount tmpfs on {JOB_DEV}"))?;
    // The umask would take the group's and others' write permission away.
    let mask = nix::sys::stat::umask(Mode::empty());
    for (name, minor) in NODES {
        mknod(
            in_dev(name).as_str(),
            SFlag::S_IFCHR,
            Mode::from_bits_truncate(0o666),
            makedev(1, *minor),
        )
        .step(|| format!("mknod {name}"))?;
    }
    nix::sys::stat::umask(mask);
    for (target, name) in LINKS {
        symlink(target, in_dev(name)).step(|| format!("symlink {name}"))?;
    }
    for folder in [SHM, "/dev/job/pts"] {
        make_folder(folder)?;
    }
    make_folder(&in_dev(ZYGOTE_FOLDER))?;
    drivers.write(&in_dev(ZYGOTE_FOLDER))?;
    let options = "newinstance,ptmxmode=0666,mode=0620,max=256";
    mount(
        Some("devpts"),
        "/dev/job/pts",
        Some("devpts"),
        MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC,
        Some(options),
    )
    .step(|| "mount devpts")?;
    seal()
}

/// Nobody writes to it, by this mount or by those that are made of it.
fn seal() -> Result<(), AgentError> {
    remount(MsFlags::MS_RDONLY).step(|| format!("make {JOB_DEV} read-only"))
}

fn remount(more: MsFlags) -> nix::Result<()> {
    let flags = FLAGS | MsFlags::MS_REMOUNT | MsFlags::MS_BIND | more;
    mount(None::<&str>, JOB_DEV, None::<&str>, flags, None::<&str>)
}

/// Puts certificates there that programs are to believe; they see them as `TRUST_FILE`.
pub fn write_trust(certificates: &[u8]) -> Result<(), AgentError> {
    if certificates.len() > MAX_TRUST_BYTES {
        return Err(AgentError::OutOfTurn("more certificates than there may be"));
    }
    remount(MsFlags::empty()).step(|| format!("write to {JOB_DEV}"))?;
    let file = format!("{JOB_DEV}{}", TRUST_FILE.trim_start_matches("/dev"));
    let written = std::fs::write(&file, certificates).step(|| format!("write {file}"));
    seal()?;
    written
}
