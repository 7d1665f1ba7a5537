//! One look at the host, and the difference of two.

use super::{Watch, others, processes, sockets};
use crate::error::SelftestError;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// How deep below a cgroup mount the VMs' parent is looked for: a tool in a unit in a slice.
const CGROUP_DEPTH: usize = 6;

/// The folders of a state folder whose files nobody may write.
const IMAGES: &str = "images";
const SNAPSHOTS: &str = "snapshots";

/// What the host knows of its own images' digests: written at the second use of an image that was just made.
const DIGESTS: &str = "digests.json";

/// What a file that nobody may write looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Inode, size in bytes, and the time of the last change in nanoseconds; 0 where changes are in order.
    pub of: (u64, u64, i128),
}

/// What is there at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Pid and start time (a pid alone is no identity), and what it is.
    pub processes: BTreeMap<(i32, u64), String>,
    /// Files and folders below the state folder.
    pub files: BTreeMap<PathBuf, Stamp>,
    /// Mount points below the state folder.
    pub mounts: BTreeSet<String>,
    /// Sockets that our processes listen on.
    pub sockets: BTreeSet<String>,
    /// Cgroups of VMs.
    pub cgroups: BTreeSet<PathBuf>,
}

impl Snapshot {
    /// Looks.
    pub fn take(watch: &Watch) -> Result<Snapshot, SelftestError> {
        let processes = processes::ours(watch)?;
        let mounts = mounts()?;
        Ok(Snapshot {
            sockets: sockets::listening(processes.keys().map(|(pid, _)| *pid), watch.pid)?,
            files: files(watch),
            cgroups: cgroups(&mounts, &watch.cgroup_parent),
            mounts: below(&watch.state_dir, mounts),
            processes,
        })
    }

    /// What is there now and was not `before`, or is another.
    pub fn since(&self, before: &Snapshot) -> Vec<String> {
        let processes = self
            .processes
            .iter()
            .filter(|(key, _)| !before.processes.contains_key(key))
            .map(|((pid, _), what)| format!("process {pid} ({what})"));
        let files = self.files.iter().filter_map(|(path, stamp)| {
            let path_text = path.display();
            match before.files.get(path) {
                None => Some(format!("file {path_text}")),
                Some(old) if old != stamp => Some(format!("changed file {path_text}")),
                Some(_) => None,
            }
        });
        let lost = before
            .files
            .iter()
            .filter(|(path, stamp)| **stamp != Stamp::default() && !self.files.contains_key(*path))
            .map(|(path, _)| format!("lost file {}", path.display()));
        let cgroups = self
            .cgroups
            .difference(&before.cgroups)
            .map(|path| format!("cgroup {}", path.display()));
        processes
            .chain(files)
            .chain(lost)
            .chain(added("mount", &self.mounts, &before.mounts))
            .chain(added("listening socket", &self.sockets, &before.sockets))
            .chain(cgroups)
            .collect()
    }
}

fn added(
    what: &'static str,
    now: &BTreeSet<String>,
    before: &BTreeSet<String>,
) -> impl Iterator<Item = String> {
    let new: Vec<String> = now.difference(before).cloned().collect();
    new.into_iter().map(move |name| format!("{what} {name}"))
}

/// All mount points with their file systems' types.
fn mounts() -> Result<Vec<(PathBuf, String)>, SelftestError> {
    let mounts = procfs::process::Process::myself()
        .and_then(|me| me.mountinfo())
        .map_err(|error| SelftestError::Host {
            what: "/proc/self/mountinfo",
            source: error.into(),
        })?;
    Ok(mounts
        .into_iter()
        .map(|mount| (mount.mount_point, mount.fs_type))
        .collect())
}

fn below(folder: &Path, mounts: Vec<(PathBuf, String)>) -> BTreeSet<String> {
    mounts
        .into_iter()
        .filter(|(point, _)| point.starts_with(folder) && point != folder)
        .map(|(point, kind)| format!("{} ({kind})", point.display()))
        .collect()
}

/// Everything below the state folder but other living tools' VMs. Images and snapshots may not even
/// change.
fn files(watch: &Watch) -> BTreeMap<PathBuf, Stamp> {
    let state_dir = &watch.state_dir;
    let others = others::run_folders(state_dir, watch.pid);
    let mut found = BTreeMap::new();
    let mut folders = vec![state_dir.clone()];
    while let Some(folder) = folders.pop() {
        // A folder that goes away meanwhile is just what is hoped for.
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(metadata) = path.symlink_metadata() else {
                continue;
            };
            if others.contains(&path) {
                continue;
            }
            // Images that several state folders share are behind a link.
            let leads_to_images = path == state_dir.join(IMAGES) && path.is_dir();
            if metadata.is_dir() || leads_to_images {
                folders.push(path.clone());
            }
            found.insert(path.clone(), stamp(state_dir, &path, &metadata));
        }
    }
    found
}

fn stamp(state_dir: &Path, path: &Path, metadata: &std::fs::Metadata) -> Stamp {
    let immutable = metadata.is_file()
        && [IMAGES, SNAPSHOTS]
            .iter()
            .any(|name| path.starts_with(state_dir.join(name)))
        && path.extension().is_none_or(|extension| extension != "lock")
        && path.file_name().is_none_or(|name| name != DIGESTS);
    if !immutable {
        return Stamp::default();
    }
    let changed = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    Stamp {
        of: (metadata.ino(), metadata.size(), changed),
    }
}

/// The children of every cgroup with the parent's name, in every hierarchy.
fn cgroups(mounts: &[(PathBuf, String)], parent: &str) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders: Vec<(PathBuf, usize)> = mounts
        .iter()
        .filter(|(_, kind)| kind.starts_with("cgroup"))
        .map(|(point, _)| (point.clone(), 0))
        .collect();
    while let Some((folder, depth)) = folders.pop() {
        let is_parent = folder.file_name().is_some_and(|name| name == parent);
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            if is_parent {
                found.insert(entry.path());
            } else if depth < CGROUP_DEPTH {
                folders.push((entry.path(), depth + 1));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
