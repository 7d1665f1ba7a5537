//! A guest's memory is its VM's cgroup's: a job that takes all it can get grows the host by no more than its
//! VM was given.

use crate::cases::MEMORY_TIMEOUT;
use crate::tool::{PATIENCE, Tool};
use crate::{host, lab};
use rustix::process::Pid;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

const MEMORY_MIB: u64 = 256;
/// A job that got less has not shown anything.
const AT_LEAST_MIB: u64 = MEMORY_MIB / 2;
/// In files and in processes of its own, until a limit ends it.
const HOG: &str = "head -c 1000000000 /dev/zero > /tmp/full 2> /dev/null\n\
                   head -c 1000000000 /dev/zero > /dev/shm/full 2> /dev/null\n\
                   x=0123456789abcdef\nwhile :; do x+=$x; done";

/// The cgroup of a process that accounts for memory: of its own hierarchy, or of the one that is for all.
fn cgroup(pid: Pid) -> Option<PathBuf> {
    let file = format!("/proc/{}/cgroup", pid.as_raw_nonzero());
    let text = std::fs::read_to_string(file).ok()?;
    let line = |wanted: &str| {
        text.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            let of_it = controllers.split(',').any(|name| name == wanted);
            of_it.then(|| path.trim_start_matches('/').to_owned())
        })
    };
    let root = Path::new("/sys/fs/cgroup");
    line("memory")
        .map(|path| root.join("memory").join(path))
        .or_else(|| line("").map(|path| root.join(path)))
}

/// Memory that cannot be given back, in bytes: of processes, and of files in memory. What was read of an
/// image can.
fn held_bytes(cgroup: &Path) -> Option<u64> {
    let stat = std::fs::read_to_string(cgroup.join("memory.stat")).ok()?;
    let value = |name: &str| -> Option<u64> {
        let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
        stat.lines().find_map(value)
    };
    Some(value("rss").or_else(|| value("anon"))? + value("shmem")?)
}

#[test]
fn a_job_cannot_grow_the_host_by_more_than_its_vms_memory() {
    if !lab::lab().has("bash") {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        println!("not run: the tests are not root's, so VMs may have no cgroup");
        return;
    }
    let _alone = lab::alone();
    let memory = MEMORY_MIB.to_string();
    let mut tool = Tool::run("sh", HOG)
        .args(["--memory", &memory, "--scan", "off"])
        .args(["--timeout", MEMORY_TIMEOUT])
        .start();
    tool.close_stdin();
    let (mut most, mut looks) = (0, 0);
    let end = Instant::now() + PATIENCE;
    while tool.is_alive() {
        assert!(Instant::now() < end, "it does not end");
        let groups: Vec<PathBuf> = host::vm_processes()
            .into_iter()
            .filter_map(cgroup)
            .collect();
        let own = |group: &&PathBuf| group.to_string_lossy().contains(lab::PLACE.cgroup);
        let held = groups.iter().find(own).and_then(|group| held_bytes(group));
        most = most.max(held.unwrap_or(0));
        looks += 1;
        thread::yield_now();
    }
    let done = tool.finish(PATIENCE);
    println!("{most} bytes at most, seen in {looks} looks");
    assert_eq!(done.code(), Some(137), "{}", done.err());
    let bound = (MEMORY_MIB + lab::engine().own_memory_mib) << 20;
    assert!(most > AT_LEAST_MIB << 20, "the VM held but {most} bytes");
    assert!(most <= bound, "the VM held {most} bytes, more than {bound}");
}
