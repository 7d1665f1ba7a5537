//! What a crash left behind, and only that: never what a live tool holds, never what does not carry
//! our mark.
//!
//! A VM's handle is its run folder. Its tool holds the folder's lock for as long as it lives, so a
//! folder whose lock is free is what a crash left, and names all the rest: the cgroups in its note,
//! the chroot, the mounts below both, the processes that were told its id. In this order: processes, mounts,
//! cgroups, folder; what is interrupted is found again.

use crate::abandoned::Abandoned;
use crate::cgroup::leftover;
use crate::config::VmmConfig;
use crate::error::VmmError;
use crate::jail::root;
use crate::mark;
use crate::state::{CHROOT_FILE, StateDir};
use rustix::mount::{UnmountFlags, unmount};
use serde::Serialize;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the kernel may take to let go of what was killed.
const DEADLINE: Duration = Duration::from_secs(5);

/// One thing that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// `process`, `mount`, `cgroup`, `chroot`, `run folder`, `jail root`, and of those who keep
    /// snapshots `snapshot`.
    pub kind: &'static str,
    /// Which one.
    pub name: String,
}

impl Removed {
    fn new(kind: &'static str, name: impl ToString) -> Self {
        let name = name.to_string();
        Self { kind, name }
    }
}

/// Removes the leftovers of VMs whose tool is gone. VMs of live tools are left alone. Without any it
/// takes some microseconds. What cannot be removed does not keep the rest from being removed.
pub async fn sweep(config: &VmmConfig) -> Result<Vec<Removed>, VmmError> {
    let state_dir = config.state_dir.clone();
    let swept = tokio::task::spawn_blocking(move || sweep_state(&StateDir::open(&state_dir)?));
    swept.await.unwrap_or_else(|e| {
        let left = format!("the sweep's task ended: {e}");
        Err(VmmError::Leftover { left })
    })
}

fn sweep_state(state: &StateDir) -> Result<Vec<Removed>, VmmError> {
    let (mut removed, mut left) = (Vec::new(), Vec::new());
    match root::sweep(state) {
        Ok(true) => removed.push(Removed::new("jail root", "half made")),
        Ok(false) => {}
        Err(e) => left.push(format!("a half made jail root: {e}")),
    }
    match Abandoned::take(state) {
        Ok(folders) => {
            for folder in folders {
                left.extend(sweep_vm(folder, &mut removed).err());
            }
        }
        Err(e) => left.push(format!("{}: {e}", state.run().display())),
    }
    match left.is_empty() {
        true => Ok(removed),
        false => Err(VmmError::Leftover {
            left: left.join(", "),
        }),
    }
}

fn sweep_vm(folder: Abandoned, removed: &mut Vec<Removed>) -> Result<(), String> {
    let id = &folder.id;
    let chroot = chroot(&folder);
    let cgroups = leftover::noted(folder.path(), id);
    let killed = leftover::kill(&cgroups, DEADLINE)?;
    removed.extend(killed.into_iter().map(|p| Removed::new("process", p)));
    let killed = mark::kill(id, DEADLINE)?;
    removed.extend(killed.into_iter().map(|p| Removed::new("process", p)));
    let folders = [Some(folder.path()), chroot.as_deref()];
    for mount in folders.into_iter().flatten().flat_map(mounts_below) {
        // Detached, for a process elsewhere may still have its folder open.
        let flags = UnmountFlags::DETACH | UnmountFlags::NOFOLLOW;
        unmount(&mount, flags).map_err(|e| format!("{}: {e}", mount.display()))?;
        removed.push(Removed::new("mount", mount.display()));
    }
    for cgroup in cgroups {
        leftover::remove(&cgroup, DEADLINE)?;
        removed.push(Removed::new("cgroup", cgroup.display()));
    }
    if let Some(chroot) = chroot {
        std::fs::remove_dir_all(&chroot).map_err(|e| format!("{}: {e}", chroot.display()))?;
        removed.push(Removed::new("chroot", chroot.display()));
    }
    let path = folder.path().display().to_string();
    folder.remove()?;
    removed.push(Removed::new("run folder", path));
    Ok(())
}

/// The chroot that the folder's note names. Believed only where it ends in the VM's id and no link is
/// on the way.
fn chroot(folder: &Abandoned) -> Option<PathBuf> {
    let noted = std::fs::read_to_string(folder.path().join(CHROOT_FILE)).ok()?;
    let path = PathBuf::from(noted);
    let direct = path.canonicalize().is_ok_and(|real| real == path);
    (direct && path.file_name() == Some(folder.id.as_str().as_ref())).then_some(path)
}

/// What is mounted below a folder, the last mounted first.
fn mounts_below(folder: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points = text.lines().filter_map(|line| line.split(' ').nth(4));
    let mut below: Vec<PathBuf> = points
        .map(unescape)
        .filter(|path| path.starts_with(folder))
        .collect();
    below.reverse();
    below
}

/// `mountinfo` writes space, tab, newline and backslash as an octal number (proc(5)).
fn unescape(text: &str) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let octal = (first == b'\\')
            .then(|| std::str::from_utf8(after.get(..3)?).ok())
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(octal.unwrap_or(first));
        rest = &after[if octal.is_some() { 3 } else { 0 }..];
    }
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_with_a_space_is_found() {
        assert_eq!(unescape(r"/a\040b\134c"), Path::new(r"/a b\c"));
        assert_eq!(unescape(r"/a\0"), Path::new(r"/a\0"));
        assert!(mounts_below(Path::new("/proc")).contains(&"/proc".into()));
    }
}
