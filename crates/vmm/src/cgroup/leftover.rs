//! The cgroups that a crash left, found by the note in the VM's run folder.

use super::remove_folders;
use crate::engine::VmId;
use crate::mark::Orphan;
use crate::state::CGROUPS_FILE;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// `CGROUP_SUPER_MAGIC` and `CGROUP2_SUPER_MAGIC`, linux/magic.h.
const MAGIC: [rustix::fs::FsWord; 2] = [0x0027_e0eb, 0x6367_7270];

/// The cgroups in the note that are still there. A line that does not name a cgroup of this VM's
/// (on a cgroup file system, ending in its id, without a detour) is not believed.
pub fn noted(run_folder: &Path, id: &VmId) -> Vec<PathBuf> {
    let note = std::fs::read_to_string(run_folder.join(CGROUPS_FILE)).unwrap_or_default();
    note.lines()
        .map(PathBuf::from)
        .filter(|path| {
            let direct = path.canonicalize().is_ok_and(|real| real == *path);
            let named = path.file_name() == Some(id.as_str().as_ref());
            let kind = rustix::fs::statfs(path).map(|fs| fs.f_type);
            direct && named && kind.is_ok_and(|kind| MAGIC.contains(&kind))
        })
        .collect()
}

/// Kills every process in them; returns what they were. New ones cannot get away: v2 kills the group
/// as a whole, v1 is frozen meanwhile.
pub fn kill(folders: &[PathBuf], deadline: Duration) -> Result<Vec<String>, String> {
    let end = Instant::now() + deadline;
    let freeze = |state: &str| {
        for folder in folders.iter().filter(|f| f.join("freezer.state").exists()) {
            let _ = std::fs::write(folder.join("freezer.state"), state);
        }
    };
    let mut killed = Vec::new();
    loop {
        let pids: BTreeSet<i32> = folders.iter().flat_map(|folder| members(folder)).collect();
        if pids.is_empty() {
            return Ok(killed);
        }
        freeze("FROZEN");
        let inside = |pid| folders.iter().any(|folder| members(folder).contains(&pid));
        let orphans: Result<Vec<_>, _> = pids
            .into_iter()
            .map(|pid| Orphan::kill(pid, || inside(pid)))
            .collect();
        for folder in folders {
            // Kernels before 5.14 and v1 have no such file.
            let _ = std::fs::write(folder.join("cgroup.kill"), "1");
        }
        freeze("THAWED");
        for process in orphans?.into_iter().flatten() {
            killed.push(process.gone(end)?);
        }
        if Instant::now() > end {
            return Err(format!("{folders:?} do not get empty"));
        }
    }
}

/// Removes one, and the folder of all VMs' cgroups with the last of them.
pub fn remove(folder: &Path, deadline: Duration) -> Result<(), String> {
    remove_folders(&[folder.to_path_buf()], deadline)?;
    // With others in it, this fails.
    let _ = folder.parent().map(std::fs::remove_dir);
    Ok(())
}

fn members(folder: &Path) -> Vec<i32> {
    let text = std::fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_not_believed_where_it_names_no_cgroup_of_this_vm() {
        let dir = tempfile::tempdir().unwrap();
        let id = VmId::new("vm").unwrap();
        let folder = dir.path().join("vm");
        std::fs::create_dir(&folder).unwrap();
        let note = format!("{}\n/\n/sys/fs/cgroup\nrelative\n\n", folder.display());
        std::fs::write(dir.path().join(CGROUPS_FILE), note).unwrap();
        assert!(noted(dir.path(), &id).is_empty());
        assert!(noted(Path::new("/nonexistent"), &id).is_empty());
    }
}
