//! VMMs that stand by: a job's clone is one of them, in the walls of any clone; one that died is no
//! loss; none is left.

use crate::host::Host;
use async_trait::async_trait;
use protocol::job::JobRequest;
use protocol::result::{BootPath, JobResult, Status};
use rustix::process::{Pid, Signal, kill_process};
use sandbox::drive::JobIo;
use sandbox::sandbox::Sandbox;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use vmm::{
    Engine, EngineIdentity, SnapshotFiles, Snapshots, Standby, StandbySize, Vm, VmId, VmSpec,
    VmmError,
};

/// The real engine; notes what it was asked for.
struct Noted {
    engine: Arc<dyn Engine>,
    notes: Arc<Notes>,
}

#[derive(Default)]
struct Notes {
    standbys: Mutex<Vec<VmId>>,
    clones: AtomicUsize,
}

#[async_trait]
impl Engine for Noted {
    fn identity(&self) -> &EngineIdentity {
        self.engine.identity()
    }

    async fn boot(&self, spec: VmSpec) -> Result<Box<dyn Vm>, VmmError> {
        self.engine.boot(spec).await
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        self.engine.snapshots().map(|_| self as &dyn Snapshots)
    }
}

impl Noted {
    fn real(&self) -> &dyn Snapshots {
        self.engine.snapshots().unwrap()
    }
}

#[async_trait]
impl Snapshots for Noted {
    async fn boot_template(&self, spec: VmSpec) -> Result<Box<dyn Vm>, VmmError> {
        self.real().boot_template(spec).await
    }

    async fn restore(
        &self,
        spec: VmSpec,
        snapshot: &SnapshotFiles,
    ) -> Result<Box<dyn Vm>, VmmError> {
        self.notes.clones.fetch_add(1, Ordering::SeqCst);
        self.real().restore(spec, snapshot).await
    }

    async fn load_saved(&self, spec: VmSpec, folder: &Path) -> Result<Box<dyn Vm>, VmmError> {
        self.real().load_saved(spec, folder).await
    }

    async fn stand_by(&self, size: StandbySize) -> Result<Option<Box<dyn Standby>>, VmmError> {
        self.notes.standbys.lock().unwrap().push(size.id.clone());
        self.real().stand_by(size).await
    }
}

/// The process of a VMM by the id in its command line.
fn vmm_of(id: &VmId) -> Option<Pid> {
    let name = format!("-name\0{id}\0");
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .find_map(|entry| {
            let words = std::fs::read(entry.path().join("cmdline")).ok()?;
            // bubblewrap's own command line ends with the same words.
            let is_vmm = words.starts_with(b"/usr/bin/qemu")
                && String::from_utf8_lossy(&words).contains(&name);
            let pid = entry.file_name().to_str()?.parse().ok()?;
            is_vmm.then(|| Pid::from_raw(pid)).flatten()
        })
}

async fn until(what: &str, seen: impl Fn() -> bool) {
    let polled = async {
        while !seen() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), polled).await;
    in_time.unwrap_or_else(|_| panic!("not within a minute: {what}"));
}

async fn settled(sandbox: &Sandbox) {
    until("a VMM stands by", || sandbox.supply().is_settled()).await;
}

async fn run(sandbox: &Sandbox, code: &str) -> JobResult {
    let request = JobRequest {
        language: "bash".into(),
        code: code.into(),
        ..JobRequest::default()
    };
    let job = sandbox.admit(request).unwrap();
    sandbox.run(job, JobIo::default()).await
}

#[tokio::test]
async fn a_clone_is_the_vmm_that_stood_by_and_no_less_confined() {
    let Some(host) = Host::new("standby", 42200).await else {
        return;
    };
    let notes = Arc::new(Notes::default());
    let sandbox = host.sandbox(|engine| {
        let notes = notes.clone();
        Arc::new(Noted { engine, notes })
    });
    let shape = sandbox.supply().default_shape();
    let bash = protocol::language::named("bash");
    sandbox.supply().create_snapshot(bash, shape).await.unwrap();
    sandbox.supply().start_pool();
    settled(&sandbox).await;
    let first = notes.standbys.lock().unwrap()[0].clone();
    let Some(vmm) = vmm_of(&first) else {
        println!("not run: this user or engine has no VMMs that stand by");
        return;
    };
    // While it waits: no image of anybody's is mounted.
    let mounts =
        std::fs::read_to_string(format!("/proc/{}/mountinfo", vmm.as_raw_nonzero())).unwrap();
    assert!(
        !mounts.contains("snapshots") && !mounts.contains("images"),
        "{mounts}"
    );

    let job = run(&sandbox, "echo one; sleep 2");
    let during = async {
        // The mounts come before the guest runs.
        let path = format!("/proc/{}/mountinfo", vmm.as_raw_nonzero());
        let mounts = || std::fs::read_to_string(&path).unwrap_or_default();
        let mounted = || {
            [" /ram ", " /rootfs "]
                .iter()
                .all(|at| mounts().contains(at))
        };
        until("RAM and root file system are mounted", mounted).await;
        let mounts = mounts();
        let writable = |line: &&str| {
            let fields: Vec<&str> = line.split(' ').collect();
            !fields[5].split(',').any(|option| option == "ro")
        };
        let open: Vec<&str> = mounts.lines().filter(writable).collect();
        assert!(open.is_empty(), "mounted writable: {open:?}");
    };
    let (result, ()) = tokio::join!(job, during);
    assert_eq!(
        (result.status, &result.stdout[..]),
        (Status::Ok, &b"one\n"[..]),
        "{result:?}"
    );
    assert_eq!(result.timings.path, Some(BootPath::Clone));
    assert_eq!(
        notes.clones.load(Ordering::SeqCst),
        0,
        "the job's VM was another"
    );
    // The answer comes before the end of its VM.
    until("the first VM is gone", || vmm_of(&first).is_none()).await;

    // The next waits by now or soon. It dies while it waits: the job is a plain clone's.
    settled(&sandbox).await;
    let second = notes.standbys.lock().unwrap()[1].clone();
    kill_process(vmm_of(&second).unwrap(), Signal::KILL).unwrap();
    let result = run(&sandbox, "echo two").await;
    assert_eq!(
        (result.status, &result.stdout[..]),
        (Status::Ok, &b"two\n"[..]),
        "{result:?}"
    );
    assert_eq!(result.timings.path, Some(BootPath::Clone));
    assert_eq!(notes.clones.load(Ordering::SeqCst), 1);

    // What waits at the end is ended.
    settled(&sandbox).await;
    sandbox.close(Duration::from_secs(10)).await;
    assert_eq!(host.traces(), Vec::<std::path::PathBuf>::new());
}
