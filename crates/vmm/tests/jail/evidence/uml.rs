//! A kernel of User-Mode Linux, and the processes of its guest: what a job is on the host.

use super::{
    assert_cgroup, assert_goes_first, assert_namespaces, assert_rlimits, assert_root,
    assert_status, field, open_files,
};
use crate::host::{Host, host};
use crate::uml::{Live, MEMORY_MIB, uml};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use vmm::jail::inspect::children_of;
use vmm::uml::{limits, scratch};

/// The jail's filter, and the one that the kernel sealed itself with.
const FILTERS: u32 = 2;

/// No other test's VM has this id: who runs is found by it.
const ID: &str = "uml-one";

/// What holds for the kernel and for each process of its guest.
fn assert_jailed(pid: i32, other: &Live, id: &str, host: &Host) {
    assert_goes_first(pid);
    assert_status(pid, host.uids(), FILTERS);
    assert_namespaces(pid, other.kernel);
    assert_rlimits(pid, scratch(MEMORY_MIB).bytes);
    assert_cgroup(pid, id, limits(&host.config, MEMORY_MIB), host);
    // The kernel's number is the one file that it left: its RAM is open and has no name.
    let table = ["/kernel", "/initramfs", "/rootfs", "/proc/cpuinfo"].map(PathBuf::from);
    let mut table: BTreeSet<PathBuf> = table.into();
    table.insert(format!("/tmp/{id}/pid").into());
    assert_root(pid, &table, &["/tmp"], Some("/kernel"));
}

/// What a kernel has open; of the host's files that is the disk alone.
fn assert_kernels_files(pid: i32) {
    let mut files = open_files(pid);
    files.sort();
    println!("kernel: {files:?}");
    let is_known = |target: &String| {
        let nameless = ["socket:[", "pipe:[", "anon_inode:["];
        nameless.iter().any(|kind| target.starts_with(kind))
            || target == "/dev/null"
            || target == "/rootfs"
            || target == "/memfd:uml-userspace (deleted)"
            || (target.starts_with("/tmp/#") && target.ends_with("(deleted)"))
    };
    let unknown: Vec<_> = files.iter().filter(|file| !is_known(file)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// A job's process is traced by its kernel, so none of its calls is the host's, and has nothing open
/// but its memory.
fn assert_jobs_own(pid: i32, kernel: i32) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    assert_eq!(field(&status, "TracerPid"), [kernel.to_string()]);
    assert_eq!(field(&status, "PPid"), [kernel.to_string()]);
    let files = open_files(pid);
    println!("job: {files:?}");
    assert!(
        files.len() == 1 && files[0].starts_with("/tmp/#"),
        "{files:?}"
    );
}

#[tokio::test]
async fn a_live_uml_kernel_and_its_jobs_process_are_held_as_the_table_says() {
    let Some(host) = host("uml") else { return };
    let Some(uml) = uml(&host).await else { return };
    let (one, two) = (uml.live(ID).await, uml.live("uml-two").await);
    assert_jailed(one.kernel, &two, ID, &host);
    assert_kernels_files(one.kernel);
    assert!(children_of(one.kernel).contains(&one.job));
    assert_jailed(one.job, &two, ID, &host);
    assert_jobs_own(one.job, one.kernel);
    let uid = |pid: i32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        field(&status, "Uid")
    };
    assert_eq!(uid(one.kernel), uid(one.job));
    assert_ne!(uid(one.kernel), uid(two.kernel), "each VM its own");
    let running = vmm::running_vmms(&host.config.state_dir);
    let running: BTreeSet<i32> = running.iter().map(|vmm| vmm.pid).collect();
    assert_eq!(running, BTreeSet::from([one.kernel, two.kernel]));
    one.vm.close().await.unwrap();
    two.vm.close().await.unwrap();
    assert!(host.runs().is_empty() && host.cgroups().is_empty());
}
