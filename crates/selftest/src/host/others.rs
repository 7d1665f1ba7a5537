//! Run folders of VMs that another living tool has: it holds their locks.

use procfs::{LockType, ProcResult};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use vmm::state::LOCK_FILE;

/// The run folders below a state folder whose lock another process than `own` holds. A kernel that does
/// not tell who holds locks (`/proc/locks`) leaves none out.
pub fn run_folders(state_dir: &Path, own: i32) -> BTreeSet<PathBuf> {
    let held = held_by_others(own).unwrap_or_default();
    let folders = std::fs::read_dir(state_dir.join("run"));
    folders
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|folder| {
            let lock = folder.join(LOCK_FILE).symlink_metadata();
            lock.is_ok_and(|lock| held.contains(&(lock.dev(), lock.ino())))
        })
        .collect()
}

/// Device and inode of each file that others hold a `flock` on.
fn held_by_others(own: i32) -> ProcResult<BTreeSet<(u64, u64)>> {
    let locks = procfs::locks()?;
    let others = locks.into_iter().filter(|lock| {
        lock.lock_type == LockType::FLock && lock.pid.is_some_and(|pid| pid > 0 && pid != own)
    });
    let file = |lock: procfs::Lock| (nix::libc::makedev(lock.devmaj, lock.devmin), lock.inode);
    Ok(others.map(file).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_folder_that_another_process_holds_is_its_own_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("run/vm-1");
        std::fs::create_dir_all(&folder).unwrap();
        let lock = std::fs::File::create(folder.join(LOCK_FILE)).unwrap();
        let own = std::process::id() as i32;
        // Ours: held by this process.
        let ours = nix::fcntl::Flock::lock(lock, nix::fcntl::FlockArg::LockExclusive).unwrap();
        assert!(run_folders(dir.path(), own).is_empty());
        drop(ours);
        // Another's: it says when it has the lock, and holds it until its input ends.
        let mut child = Command::new("flock")
            .arg(folder.join(LOCK_FILE))
            .args(["-c", "echo locked; cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let output = child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut said).unwrap();
        assert_eq!(
            run_folders(dir.path(), own),
            BTreeSet::from([folder.clone()])
        );
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(run_folders(dir.path(), own).is_empty());
    }
}
