//! A root that can be written: a tmpfs of bounded size over the image, for one sandbox's mount namespace alone.
//!
//! ```text
//!   /sys (a tmpfs, while it is put together)
//!     upper, work    what is written
//!     root           the overlay: upper over the image; /dev, /tmp, /work and /home are moved into it; becomes `/`
//! ```
//!
//! The agent's own root stays the image: nothing that is written here is ever read or run by it.

use crate::error::SetupFailure;
use crate::root;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use protocol::environment::JOB_ID;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::Path;

/// Where it is put together; what the kernel shows there is hidden from programs anyway.
const STAGE: &str = "/sys";
const ROOT: &str = "/sys/root";
/// Mounts that go along.
const MOVED: &[&str] = &["dev", "tmp", "work"];
/// What the sandbox's own user may install into, with the folders below; the rest of the root is root's.
const USERS: &[&str] = &["usr/local", "opt"];
/// Where installers expect to find a folder.
const MADE: &[&str] = &["usr/local/bin", "usr/local/lib", "usr/local/share", "opt"];
/// Levels of folders below those, at most.
const USERS_DEPTH: u32 = 4;
const HARMLESS: MsFlags = MsFlags::MS_NOSUID
    .union(MsFlags::MS_NODEV)
    .union(MsFlags::MS_NOATIME);
/// Renaming a folder of the image works, too.
const OPTIONS: &str = "lowerdir=/,upperdir=/sys/upper,workdir=/sys/work,redirect_dir=on";

/// Makes a root that takes in so many bytes this process' own, and that of its mount namespace.
pub fn enter(bytes: u64) -> Result<(), SetupFailure> {
    let options = format!("mode=0755,{}", root::size_options(bytes));
    let options = Some(options.as_str());
    mount(Some("tmpfs"), STAGE, Some("tmpfs"), HARMLESS, options)
        .map_err(|e| ("mount a tmpfs for the writable root", e))?;
    for folder in ["upper", "work", "root"] {
        make(&format!("{STAGE}/{folder}"))?;
    }
    let kind = Some("overlay");
    mount(kind, ROOT, kind, HARMLESS, Some(OPTIONS))
        .map_err(|e| ("mount the overlay; a kernel built before has none", e))?;
    for folder in MADE {
        make(&format!("{ROOT}/{folder}"))?;
    }
    for folder in USERS {
        let folder = format!("{ROOT}/{folder}");
        give(Path::new(&folder), USERS_DEPTH)
            .map_err(|e| ("give folders to the user", errno(&e)))?;
    }
    for name in MOVED {
        shift(&format!("/{name}"), &format!("{ROOT}/{name}"))?;
    }
    std::env::set_current_dir(ROOT).map_err(|e| ("enter the writable root", errno(&e)))?;
    if root::has_home() {
        shift("/home", &format!("{ROOT}/home"))?;
    }
    shift(".", "/")?;
    nix::unistd::chroot(".").map_err(|e| ("chroot to the writable root", e))?;
    std::env::set_current_dir("/").map_err(|e| ("enter the writable root", errno(&e)))
}

fn shift(from: &str, to: &str) -> Result<(), SetupFailure> {
    let none = None::<&str>;
    mount(Some(from), to, none, MsFlags::MS_MOVE, none)
        .map_err(|e| ("move a mount to the writable root", e))
}

fn make(path: &str) -> Result<(), SetupFailure> {
    let made = DirBuilder::new().recursive(true).mode(0o755).create(path);
    made.map_err(|e| ("make a folder of the writable root", errno(&e)))
}

/// Gives a folder and those below it to the sandbox's user; links are not followed.
fn give(folder: &Path, depth: u32) -> std::io::Result<()> {
    chown(folder, Some(JOB_ID), Some(JOB_ID))?;
    if depth == 0 {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            give(&entry.path(), depth - 1)?;
        }
    }
    Ok(())
}

fn errno(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))
}
