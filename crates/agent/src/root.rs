//! The read-only image becomes `/`, and the initramfs is emptied.

use crate::boot::{KERNEL_VIEWS, make_folder};
use crate::devices;
use crate::error::{AgentError, Step};
use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use protocol::environment::{HOME_DIR, WORK_DIR};
use protocol::interpreter::DRIVERS_IN_INITRAMFS;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// The image's disk, where the kernel's command line names no other: the first one that the VMM attaches.
const ROOT_DISK: &str = "/dev/vda";
/// How long its driver may take to show it.
const DISK_DEADLINE: Duration = Duration::from_secs(5);
/// Where users' homes are.
const HOMES: &str = "/home";
/// Where the image is put together before it becomes `/`.
const NEW_ROOT: &str = "/newroot";

/// Folders that jobs write to, each a tmpfs of its own; sizes are set per job by [`resize`].
const WRITABLE: &[(&str, &str, MsFlags)] = &[
    ("/tmp", "mode=1777", HARMLESS),
    ("/work", "mode=0755,uid=10000,gid=10000", HARMLESS),
    (
        devices::SHM,
        "mode=1777",
        HARMLESS.union(MsFlags::MS_NOEXEC),
    ),
];
/// A compiled program runs from `/work`, a `go build` from `/tmp`: executable, and no more.
const HARMLESS: MsFlags = MsFlags::MS_NOSUID
    .union(MsFlags::MS_NODEV)
    .union(MsFlags::MS_NOATIME);
/// What a tmpfs may hold until a job says otherwise.
const TMPFS_START: &str = "size=64m,nr_inodes=65536";
/// Inodes that a tmpfs may have for each 4 KiB page of its size, floor [`MIN_INODES`].
const MIN_INODES: u64 = 4096;

/// Waits for the disk, mounts it and moves there.
pub fn switch() -> Result<(), AgentError> {
    let named = guest_channel::kernel_word("root")?;
    let device = named.as_deref().unwrap_or(ROOT_DISK);
    wait_for(device)?;
    make_folder(NEW_ROOT)?;
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NODEV | MsFlags::MS_NOSUID | MsFlags::MS_NOATIME;
    mount(Some(device), NEW_ROOT, Some("erofs"), flags, None::<&str>)
        .step(|| format!("mount {device} (erofs)"))?;
    for (_, view) in KERNEL_VIEWS {
        let target = format!("{NEW_ROOT}{view}");
        mount(
            Some(*view),
            target.as_str(),
            None::<&str>,
            MsFlags::MS_MOVE,
            None::<&str>,
        )
        .step(|| format!("move {view} to {target}; does the image have this folder?"))?;
    }
    free_initramfs();
    std::env::set_current_dir(NEW_ROOT).step(|| "chdir to the image")?;
    mount(Some("."), "/", None::<&str>, MsFlags::MS_MOVE, None::<&str>)
        .step(|| "move the image to /")?;
    nix::unistd::chroot(".").step(|| "chroot to the image")?;
    std::env::set_current_dir("/").step(|| "chdir /")?;
    Ok(())
}

/// Throws away what is in `/tmp`, `/work` and `/dev/shm`, and leaves the folders, which an interpreter may have open.
pub fn empty() -> Result<(), AgentError> {
    for (target, _, _) in WRITABLE {
        let entries = std::fs::read_dir(target).step(|| format!("list {target}"))?;
        for entry in entries {
            let entry = entry.step(|| format!("list {target}"))?;
            let path = entry.path();
            let removed = match entry.file_type() {
                Ok(kind) if kind.is_dir() => std::fs::remove_dir_all(&path),
                _ => std::fs::remove_file(&path),
            };
            removed.step(|| format!("remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Mounts the folders that jobs write to.
pub fn mount_writable() -> Result<(), AgentError> {
    for (target, owner, flags) in WRITABLE {
        let options = format!("{owner},{TMPFS_START}");
        mount(
            Some("tmpfs"),
            *target,
            Some("tmpfs"),
            *flags,
            Some(options.as_str()),
        )
        .step(|| format!("mount tmpfs on {target}"))?;
    }
    Ok(())
}

/// Shows the work folder as a user's home, too, where the image leaves `/home` empty: programs expect one there. Nothing
/// else can be written below `/home`.
pub fn mount_home() -> Result<(), AgentError> {
    let entries = std::fs::read_dir(HOMES);
    if !entries.is_ok_and(|mut entries| entries.next().is_none()) {
        return Ok(());
    }
    let (none, tmpfs) = (None::<&str>, Some("tmpfs"));
    let flags = HARMLESS | MsFlags::MS_NOEXEC;
    let options = Some("mode=0755,size=16k,nr_inodes=4");
    mount(tmpfs, HOMES, tmpfs, flags, options).step(|| format!("mount tmpfs on {HOMES}"))?;
    make_folder(HOME_DIR)?;
    mount(Some(WORK_DIR), HOME_DIR, none, MsFlags::MS_BIND, none)
        .step(|| format!("show {WORK_DIR} at {HOME_DIR}"))?;
    let sealed = flags | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(none, HOMES, none, sealed, none).step(|| format!("seal {HOMES}"))
}

/// Whether [`mount_home`] made one.
pub fn has_home() -> bool {
    let device = |path: &str| std::fs::metadata(path).map(|metadata| metadata.dev()).ok();
    device(HOMES) != device("/")
}

/// Sets what `/tmp`, `/work` and `/dev/shm` may hold: `bytes` each, and inodes in proportion.
pub fn resize(bytes: u64) -> Result<(), AgentError> {
    let options = size_options(bytes);
    for (target, _, flags) in WRITABLE {
        let flags = *flags | MsFlags::MS_REMOUNT;
        mount(
            None::<&str>,
            *target,
            None::<&str>,
            flags,
            Some(options.as_str()),
        )
        .step(|| format!("resize {target} to {bytes} bytes"))?;
    }
    Ok(())
}

/// What tmpfs is told for a size: inodes are in proportion.
pub fn size_options(bytes: u64) -> String {
    // Zero would mean 'no limit' to tmpfs.
    let bytes = bytes.max(4096);
    let inodes = (bytes / 4096).max(MIN_INODES);
    format!("size={bytes},nr_inodes={inodes}")
}

/// The disk is mostly there already; else the kernel's making of the node wakes us.
fn wait_for(device: &str) -> Result<(), AgentError> {
    let disk = Path::new(device);
    if disk.exists() {
        return Ok(());
    }
    let watch = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).step(|| "inotify")?;
    watch
        .add_watch("/dev", AddWatchFlags::IN_CREATE)
        .step(|| "watch /dev")?;
    let deadline = Instant::now() + DISK_DEADLINE;
    while !disk.exists() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(AgentError::NoDisk {
                device: device.to_owned(),
                seconds: DISK_DEADLINE.as_secs(),
            });
        }
        let millis = u16::try_from(left.as_millis() + 1).unwrap_or(u16::MAX);
        poll(&mut [PollFd::new(watch.as_fd(), PollFlags::POLLIN)], millis).step(|| "poll /dev")?;
        let _ = watch.read_events();
    }
    Ok(())
}

/// Unlinks the agent's own file, the modules and the drivers, so that their pages are given back.
fn free_initramfs() {
    let _ = std::fs::remove_file("/init");
    let _ = std::fs::remove_dir_all("/modules");
    let _ = std::fs::remove_dir_all(DRIVERS_IN_INITRAMFS);
}
