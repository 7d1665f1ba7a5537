//! The disk is full while a snapshot is made: one clear error, nothing half-made stays, a job is run by a
//! booted VM, and once there is room the same sandbox makes the snapshot.

use crate::host::Host;
use protocol::job::JobRequest;
use protocol::language::named;
use protocol::result::{BootPath, Status};
use sandbox::drive::JobIo;
use sandbox::sandbox::Sandbox;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A file system of its own, so that filling it hurts nobody.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    /// `None` where this user may not mount.
    fn mount(at: &'a Path, mib: u32) -> Option<Disk<'a>> {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={mib}m,mode=0700");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "state"])
            .arg(at)
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Disk(at))
    }

    fn grow(&self, mib: u32) {
        let size = format!("remount,size={mib}m");
        let grown = Command::new("mount")
            .args(["-o", &size])
            .arg(self.0)
            .status();
        assert!(grown.unwrap().success());
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        // Lazily: a VM that a failed test left may still be ending.
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        // A lock is a file that stays; whoever holds it is what counts.
        .filter(|name| !name.ends_with(".lock"))
        .collect()
}

#[tokio::test]
async fn a_full_disk_leaves_no_half_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("state");
    // Room for the jail's root (its libraries) and little else at first.
    let Some(disk) = Disk::mount(&at, 110) else {
        println!("not run: this user may not mount a file system of its own");
        return;
    };
    // Nobody stands by: what is in the run folder is what was left there.
    let alone = "[snapshots]\nstandby = 0\n";
    let Some(host) = Host::configured(&at, "full", 42300, alone).await else {
        return;
    };
    let sandbox = host.sandbox(|engine| engine);
    let shape = sandbox.supply().default_shape();
    let mut failures = 0;
    // From no room for RAM at all to none for its last pages.
    for mib in (110..300).step_by(8) {
        disk.grow(mib);
        let Err(no) = sandbox.supply().create_snapshot(named("bash"), shape).await else {
            break;
        };
        failures += 1;
        if failures == 1 {
            job_by_boot(host.sandbox(|engine| engine)).await;
        }
        println!("{mib} MiB: {no}");
        assert!(no.to_string().contains("room"), "{no}");
        assert_eq!(entries(&at.join("snapshots")), Vec::<String>::new());
        assert_eq!(entries(&at.join("run")), Vec::<String>::new());
        assert_eq!(host.traces(), Vec::<std::path::PathBuf>::new());
    }
    assert!(failures > 0, "the disk was never full");
    disk.grow(1024);
    let made = sandbox
        .supply()
        .create_snapshot(named("bash"), shape)
        .await
        .unwrap();
    assert!(made.memory.exists() && made.state.exists());
    assert_eq!(entries(&at.join("snapshots")).len(), 1);
    sandbox.close(Duration::from_secs(10)).await;
}

/// A job that would be the first to use a snapshot.
async fn job_by_boot(sandbox: Sandbox) {
    let request = JobRequest {
        language: "bash".into(),
        code: "echo hello".into(),
        ..JobRequest::default()
    };
    let job = sandbox.admit(request).unwrap();
    let result = sandbox.run(job, JobIo::default()).await;
    assert_eq!(result.status, Status::Ok, "{:?}", result.failure);
    assert_eq!(result.stdout, b"hello\n");
    assert_eq!(result.timings.path, Some(BootPath::Boot));
    sandbox.close(Duration::from_secs(10)).await;
}
