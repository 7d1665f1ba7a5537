//! Who knows of a limit besides the signal that speaks of it: the kernel's log, and the files.

use crate::audit::KernelLog;
use crate::devices::SHM;
use crate::ending::Witnesses;
use protocol::environment::WORK_DIR;
use std::path::Path;

/// Where a process' files can be.
const FOLDERS: [&str; 3] = [WORK_DIR, "/tmp", SHM];
/// Folders within folders, at most.
const MAX_DEPTH: usize = 16;
/// Entries looked at, at most.
const MAX_ENTRIES: usize = 16 * 1024;

/// The witnesses of a process that is over.
pub struct OfJob<'a>(pub &'a mut KernelLog);

impl Witnesses for OfJob<'_> {
    fn forbidden_call(&mut self) -> Option<i64> {
        self.0.forbidden_call()
    }

    /// One that was removed while it was written speaks for nobody.
    fn full_file(&mut self, bytes: u64) -> bool {
        let mut left = MAX_ENTRIES;
        let mut folders = FOLDERS.iter();
        folders.any(|folder| has_file(Path::new(folder), bytes, MAX_DEPTH, &mut left))
    }
}

/// Whether a regular file of so many bytes is below a folder; links are not followed.
fn has_file(folder: &Path, bytes: u64, depth: usize, left: &mut usize) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let Some(fewer) = left.checked_sub(1) else {
            return false;
        };
        *left = fewer;
        let Ok(known) = entry.metadata() else {
            continue;
        };
        let found = match known.is_dir() {
            true => depth > 1 && has_file(&entry.path(), bytes, depth - 1, left),
            false => known.is_file() && known.len() >= bytes,
        };
        if found {
            return true;
        }
    }
    false
}
