//! Who knows of a limit besides the signal that speaks of it: the kernel's log, and the files.

use crate::artifacts;
use crate::audit::KernelLog;
use crate::devices::SHM;
use crate::ending::Witnesses;
use crate::files::Folder;
use protocol::language::WORK_DIR;

/// Where a job's files can be.
const FOLDERS: [&str; 3] = [WORK_DIR, "/tmp", SHM];

/// The witnesses of a job that is over.
pub struct OfJob<'a>(pub &'a mut KernelLog);

impl Witnesses for OfJob<'_> {
    fn forbidden_call(&mut self) -> Option<i64> {
        self.0.forbidden_call()
    }

    /// One that was removed while it was written speaks for nobody.
    fn full_file(&mut self, bytes: u64) -> bool {
        FOLDERS.iter().any(|folder| {
            let files =
                Folder::open(folder).map(|folder| artifacts::list(&folder, artifacts::EVER));
            files.is_ok_and(|found| found.files.iter().any(|file| file.size >= bytes))
        })
    }
}
