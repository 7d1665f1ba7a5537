//! From a spec to a running VM. Each step has its deadline; whatever fails, nothing is left.

use super::FirecrackerEngine;
use super::calls;
use super::chroot::{Chroot, ChrootDir};
use super::client::Client;
use super::jailer::{Jailer, Unjailed};
use super::layout::{self, at};
use super::standby::FirecrackerStandby;
use super::vm::FirecrackerVm;
use crate::cgroup::Limits;
use crate::console::Tail;
use crate::engine::{SnapshotFiles, StandbySize, VmSpec};
use crate::error::{Step, VmmError};
use crate::jail::child::{Addresses, ChildSetup, FIRST_FD, OutputFds, Privileged};
use crate::jail::files::{self, Access};
use crate::jail::process::{Held, PidNamespace, Process, this_process};
use crate::jail::{entrances, has_child, inspect, make_cgroup, pipe, slots};
use crate::running::Running;
use crate::saved::MAX_STATE_BYTES;
use crate::state::RunFolder;
use rustix::process::Resource;
use std::ffi::CString;
use std::io::{Error, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How long to wait before asking again for a socket: Firecracker has no way to say that it is up.
const ASK_AGAIN: Duration = Duration::from_millis(2);

/// How long Firecracker's own thread may take to put its filter on: it does so after it has answered
/// and before it does anything for the guest.
const FILTER_DEADLINE: Duration = Duration::from_secs(2);

/// Limits that the jailer does not set. Those that it does set must be above its own here.
const RLIMITS: &[(Resource, u64)] = &[
    // a core would hold the guest's memory
    (Resource::Core, 0),
    (Resource::Msgqueue, 0),
    // no real-time priority, no raised priority
    (Resource::Rtprio, 0),
    (Resource::Nice, 0),
];

/// A jail with a Firecracker in it, as it comes from the blocking part.
struct Spawned {
    process: Process,
    uid: u32,
    cgroup: Option<Arc<crate::cgroup::VmCgroup>>,
    inside: ChrootDir,
    pipes: Vec<OwnedFd>,
    console: OwnedFd,
    stderr: OwnedFd,
}

/// What a chroot is made for.
#[derive(Debug, Clone)]
enum Start {
    Boot(VmSpec),
    Clone(VmSpec, SnapshotFiles),
    /// Its files are mounted later.
    StandBy(StandbySize),
}

impl Start {
    fn size(&self) -> StandbySize {
        match self {
            Start::Boot(spec) | Start::Clone(spec, _) => StandbySize::of(spec),
            Start::StandBy(size) => size.clone(),
        }
    }

    fn files(&self) -> Vec<(PathBuf, &'static str)> {
        match self {
            Start::Boot(spec) => layout::of_boot(spec),
            Start::Clone(spec, snapshot) => layout::of_clone(spec, snapshot),
            Start::StandBy(_) => vec![],
        }
    }

    /// The largest file that its Firecracker may write, bytes.
    fn file_bytes(&self) -> u64 {
        match self {
            // A template's RAM is written whole.
            Start::Boot(spec) => (u64::from(spec.memory_mib) << 20) + MAX_STATE_BYTES,
            Start::Clone(..) | Start::StandBy(_) => MAX_STATE_BYTES,
        }
    }
}

/// How far the system-call filters of a Firecracker's threads are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filters {
    /// It installs them when it starts its guest.
    NotYet,
    /// Each thread has its own.
    Installed,
}

impl FirecrackerEngine {
    /// Boots a kernel.
    pub(super) async fn boot(self: &Arc<Self>, spec: VmSpec) -> Result<FirecrackerVm, VmmError> {
        let args = super::cmdline::kernel_command_line();
        let configure = calls::boot(&self.config, &spec, &args);
        let mut vm = self.start(Start::Boot(spec)).await?;
        vm.send_all(&configure).await?;
        vm.send(&calls::start()).await?;
        self.check_filtered(&vm).await?;
        vm.start_watchdog(&self.config);
        Ok(vm)
    }

    /// Makes a clone.
    pub(super) async fn clone_of(
        self: &Arc<Self>,
        spec: VmSpec,
        snapshot: &SnapshotFiles,
    ) -> Result<FirecrackerVm, VmmError> {
        let vm = self.start(Start::Clone(spec, snapshot.clone())).await?;
        self.load(vm).await
    }

    /// Starts one that waits for its snapshot; `None` without a jailer, whose mount namespace it is that
    /// a file is shown in later.
    pub(super) async fn wait_for_snapshot(
        self: &Arc<Self>,
        size: StandbySize,
    ) -> Result<Option<FirecrackerStandby>, VmmError> {
        if !self.jailed() {
            return Ok(None);
        }
        let vm = self.start(Start::StandBy(size)).await?;
        let engine = self.clone();
        Ok(Some(FirecrackerStandby { vm, engine }))
    }

    /// Loads the snapshot that is mounted in its chroot, and lets it run.
    pub(super) async fn load(&self, mut vm: FirecrackerVm) -> Result<FirecrackerVm, VmmError> {
        vm.send(&calls::load()).await?;
        self.check_filtered(&vm).await?;
        vm.send(&calls::resume()).await?;
        vm.start_watchdog(&self.config);
        Ok(vm)
    }

    /// A jailed Firecracker that answers, its confinement read back, without a guest.
    async fn start(self: &Arc<Self>, start: Start) -> Result<FirecrackerVm, VmmError> {
        let (engine, size) = (self.clone(), start.size());
        // Forking and waiting for bubblewrap's first word blocks; the forking thread is another still.
        let spawned = tokio::task::spawn_blocking(move || engine.spawn(&start))
            .await
            .map_err(|e| VmmError::io(Step::Start, "the starting task")(Error::other(e)))??;
        let mut vm = self.attach(size, spawned).await?;
        self.check_confinement(&vm, Filters::NotYet)?;
        vm.send_all(&calls::observe()).await?;
        Ok(vm)
    }

    /// Makes everything that a VM holds of the host, and starts the jailer in it.
    fn spawn(&self, start: &Start) -> Result<Spawned, VmmError> {
        let prepare = |what: &str| VmmError::io(Step::Prepare, what);
        let StandbySize {
            id,
            memory_mib,
            vcpus,
        } = start.size();
        let limits = Limits::of_vm(&self.config, memory_mib, vcpus);
        let run = RunFolder::create(&self.state, &id)?;
        let slot = match self.jailed() {
            true => Some(slots::take(
                &self.state,
                self.config.uid_base,
                self.config.uid_count,
            )?),
            false => None,
        };
        let uid = match &slot {
            Some(slot) => slot.uid,
            None => rustix::process::geteuid().as_raw(),
        };
        let chroot = Chroot::create(&self.base, &id, &run)?;
        let cgroup = make_cgroup(self.place.as_ref().ok(), &run, &id, limits)?;
        let inside = chroot.inside();
        let pipes = inside
            .make_pipes(uid)
            .map_err(prepare("making the pipes of log and metrics"))?;
        let files = start.files();
        if let Start::StandBy(_) = start {
            for name in layout::CLONE {
                chroot
                    .make_mount_point(name)
                    .map_err(prepare("making a mount point"))?;
            }
        }
        let mut mounts = Vec::new();
        for (source, name) in &files {
            let target = chroot
                .make_mount_point(name)
                .map_err(prepare("making a mount point"))?;
            if self.jailed() {
                let mount = files::detached(source, Access::ReadOnly, uid);
                let target = CString::new(target.as_os_str().as_bytes());
                mounts.push((
                    mount.map_err(prepare(&format!("mounting {}", source.display())))?,
                    target.map_err(|e| prepare("naming a mount")(Error::other(e)))?,
                ));
            }
        }
        let (info_reader, info_writer) = pipe()?;
        let (console, stdout) = pipe()?;
        let (stderr_reader, stderr) = pipe()?;
        let mut fds = vec![info_writer];
        if let Some(slot) = &slot {
            let copy = slot.lock.try_clone();
            fds.push(copy.map_err(prepare("copying the uid's lock"))?.into());
        }
        let args = match &self.jailer {
            Some(jailer) => {
                let jail = Jailer {
                    id: &id,
                    firecracker: &self.program,
                    jailer,
                    uid,
                    base: &self.base,
                    cgroup_version: self.cgroup_version(),
                    parent_cgroup: self.place.as_ref().map_or("", |place| place.path()),
                    limits,
                    file_bytes: start.file_bytes(),
                };
                let mut args = jail.supervisor_arguments(chroot.folder(), FIRST_FD, FIRST_FD + 1);
                args.extend(jail.arguments());
                args
            }
            None => {
                let unjailed = Unjailed {
                    id: &id,
                    firecracker: &self.program,
                    root: &chroot.root(),
                    files: &files,
                };
                unjailed.arguments(FIRST_FD)
            }
        };
        let setup = ChildSetup {
            tool: this_process().map_err(prepare("opening the tool's own process"))?,
            cgroups: entrances(cgroup.as_deref())?,
            privileged: self.jailed().then_some(Privileged { uid: None, mounts }),
            rlimits: RLIMITS.to_vec(),
            addresses: Addresses::Random,
            fds,
        };
        let command = setup.command(&self.bwrap, args, OutputFds { stdout, stderr });
        let held = Held {
            cgroup: cgroup.clone(),
            run,
            chroot: Some(chroot),
            slot,
        };
        let namespace = match self.jailed() {
            true => PidNamespace::Own,
            false => PidNamespace::Hosts,
        };
        let process = Process::spawn(command, held, id.as_str(), namespace)?;
        // If not, it failed, and its stderr says why.
        let _ = has_child(info_reader);
        Ok(Spawned {
            process,
            uid,
            cgroup,
            inside,
            pipes,
            console,
            stderr: stderr_reader,
        })
    }

    /// Watches its pipes and connects to its API as soon as that is there.
    async fn attach(&self, size: StandbySize, spawned: Spawned) -> Result<FirecrackerVm, VmmError> {
        let watching = |e| VmmError::io(Step::Start, "watching the VM's pipes")(e);
        let tail = || Tail::new(self.config.console_bytes);
        let (console, stderr) = (tail(), tail());
        console.drain(spawned.console).map_err(watching)?;
        let stderr_drained = stderr.drain(spawned.stderr).map_err(watching)?;
        let mut drains = Vec::new();
        // The log is the VMM's own words; of the metrics the last ones are kept.
        for (pipe, tail) in spawned.pipes.into_iter().zip([stderr.clone(), tail()]) {
            drains.push(tail.drain(pipe).map_err(watching)?);
        }
        let running = Running {
            process: Arc::new(spawned.process),
            uid: spawned.uid,
            cgroup: spawned.cgroup,
            console,
            stderr,
            stderr_drained,
        };
        let api = connect_api(&running, &spawned.inside).await?;
        Ok(FirecrackerVm {
            size,
            running,
            inside: spawned.inside,
            api: Arc::new(Mutex::new(api)),
            drains,
            watchdog: None,
            connected: false,
            paused: false,
        })
    }

    /// The same with the filter of every thread, as soon as all have theirs.
    async fn check_filtered(&self, vm: &FirecrackerVm) -> Result<(), VmmError> {
        let end = tokio::time::Instant::now() + FILTER_DEADLINE;
        loop {
            match self.check_confinement(vm, Filters::Installed) {
                Err(VmmError::LimitNotHeld { .. }) if tokio::time::Instant::now() < end => {
                    tokio::time::sleep(ASK_AGAIN).await;
                }
                checked => return checked,
            }
        }
    }

    /// Reads back what the kernel holds this Firecracker to.
    fn check_confinement(&self, vm: &FirecrackerVm, filters: Filters) -> Result<(), VmmError> {
        let pid = vm.running.process.pid();
        if let Some(cgroup) = &vm.running.cgroup {
            cgroup.check_member(pid)?;
            // The jailer wrote them anew.
            cgroup.check(Limits::of_vm(
                &self.config,
                vm.size.memory_mib,
                vm.size.vcpus,
            ))?;
        }
        if !self.jailed() {
            return Ok(());
        }
        inspect::check(inspect::fault_by(pid, |thread| {
            let open = filters == Filters::Installed && thread.seccomp != 2;
            thread
                .fault_of_jailer(vm.running.uid)
                .or_else(|| open.then(|| "it has no seccomp filter".into()))
        }))
    }
}

/// Asks for the API's socket until it is there, Firecracker has ended, or the deadline has passed.
async fn connect_api(running: &Running, inside: &ChrootDir) -> Result<Client, VmmError> {
    let step = Step::Start;
    let socket = inside.reach(at::API);
    let connected = timeout(step.deadline(), async {
        loop {
            match UnixStream::connect(&socket).await {
                Err(e) if not_yet(&e) => tokio::time::sleep(ASK_AGAIN).await,
                other => return other,
            }
        }
    });
    let stream = tokio::select! {
        connected = connected => match connected {
            Ok(Ok(stream)) => stream,
            Ok(Err(e)) => return Err(VmmError::io(step, "connecting to the API's socket")(e)),
            Err(_) => return Err(running.late(step, step.deadline())),
        },
        exit = running.exit(None) => {
            return Err(VmmError::Ended { step, exit: Box::new(exit) });
        }
    };
    // The kernel says who listens: a process of this VM's uid, in this VM's jail, or nobody's.
    let peer = stream
        .peer_cred()
        .map_err(VmmError::io(step, "asking who listens"))?;
    if peer.uid() != running.uid {
        let reason = format!(
            "uid {} listens at the API's socket, not {}",
            peer.uid(),
            running.uid
        );
        return Err(VmmError::Protocol { step, reason });
    }
    running.process.set_vmm(peer.pid().unwrap_or(0))?;
    Client::new(stream)
        .await
        .map_err(|e| VmmError::io(step, "talking to the API")(Error::other(e)))
}

fn not_yet(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::ConnectionRefused
    )
}
