//! Snapshots of images that programs' packages made. Clients choose the packages, so these are counted: the one that was
//! not used for longest makes room.

use super::{SnapshotError, SnapshotStore, io, remove_folder};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Each takes what its VM's memory holds, some 100 MiB.
const MAX_SETS: usize = 8;
/// Says that a snapshot is one of these; its time is that of the last use.
const MARK: &str = "package-set";

/// Marks a snapshot that is being made.
pub(super) fn mark(folder: &Path) -> Result<(), SnapshotError> {
    let path = folder.join(MARK);
    File::create(&path).map(drop).map_err(io("creating", &path))
}

/// Notes that a snapshot is used, if it is one of these. That it could not be noted only makes it go earlier.
pub(super) fn note_use(folder: &Path) {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    };
    let times = Timestamps {
        last_access: now,
        last_modification: now,
    };
    // There is none in the others.
    let _ = utimensat(CWD, folder.join(MARK), &times, AtFlags::empty());
}

impl SnapshotStore {
    /// Removes those that are too many. Clones that run keep what they mapped.
    pub(super) fn evict_sets(&self) -> Result<(), SnapshotError> {
        let entries = fs::read_dir(&self.root).map_err(io("listing", &self.root))?;
        let used = |path: PathBuf| -> Option<(SystemTime, PathBuf)> {
            let is_made = !path.file_name()?.to_str()?.starts_with('.');
            let at = fs::metadata(path.join(MARK)).ok()?.modified().ok()?;
            is_made.then_some((at, path))
        };
        let mut sets: Vec<_> = entries
            .flatten()
            .filter_map(|entry| used(entry.path()))
            .collect();
        sets.sort();
        let too_many = sets.len().saturating_sub(MAX_SETS);
        sets.iter()
            .take(too_many)
            .try_for_each(|(_, folder)| remove_folder(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_one_that_was_not_used_for_longest_makes_room_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let store = SnapshotStore::open(dir.path()).unwrap();
        let folder = |name: &str| dir.path().join(name);
        for name in ["bash-own", ".making-python-set"] {
            fs::create_dir(folder(name)).unwrap();
        }
        mark(&folder(".making-python-set")).unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(3600);
        for number in 0..=MAX_SETS {
            let set = folder(&format!("python-{number}"));
            fs::create_dir(&set).unwrap();
            mark(&set).unwrap();
            let age = Duration::from_secs(number as u64);
            let mark = File::options().write(true).open(set.join(MARK)).unwrap();
            mark.set_modified(long_ago + age).unwrap();
        }
        note_use(&folder("python-0"));
        note_use(&folder("bash-own"));
        store.evict_sets().unwrap();
        let gone: Vec<usize> = (0..=MAX_SETS)
            .filter(|number| !folder(&format!("python-{number}")).exists())
            .collect();
        assert_eq!(gone, [1]);
        for name in ["bash-own", ".making-python-set"] {
            assert!(folder(name).exists(), "{name}");
        }
        assert!(!folder("bash-own").join(MARK).exists());
    }
}
