//! From a spec to a running VM. Each step has its deadline; whatever fails, nothing is left.

use super::FirecrackerEngine;
use super::calls;
use super::chroot::{Chroot, Inside};
use super::client::Client;
use super::jailer::{self, Jailer};
use super::layout::{self, at};
use super::vm::FirecrackerVm;
use crate::cgroup::Limits;
use crate::console::Tail;
use crate::engine::{SnapshotFiles, VmSpec};
use crate::error::{Step, VmmError};
use crate::jail::child::{ChildSetup, FIRST_FD, Privileged};
use crate::jail::process::{Held, Process, this_process};
use crate::jail::{entrances, files, has_child, inspect, make_cgroup, pipe, slots};
use crate::running::Running;
use crate::saved::MAX_STATE_BYTES;
use crate::state::RunFolder;
use rustix::process::Resource;
use std::ffi::CString;
use std::io::{Error, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
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
    inside: Inside,
    pipes: Vec<OwnedFd>,
    console: OwnedFd,
    stderr: OwnedFd,
}

impl FirecrackerEngine {
    pub(super) async fn launch(
        self: &Arc<Self>,
        spec: VmSpec,
        snapshot: Option<SnapshotFiles>,
    ) -> Result<FirecrackerVm, VmmError> {
        let (engine, wanted, from) = (self.clone(), spec.clone(), snapshot.clone());
        // Forking and waiting for bubblewrap's first word blocks; the forking thread is another still.
        let spawned = tokio::task::spawn_blocking(move || engine.spawn(&wanted, from.as_ref()))
            .await
            .map_err(|e| VmmError::io(Step::Start, "the starting task")(Error::other(e)))??;
        let mut vm = self.attach(spec, spawned).await?;
        self.check_confinement(&vm, false)?;
        match snapshot {
            None => {
                let args = super::cmdline::kernel_command_line();
                let configure = calls::boot(&self.config, &vm.spec, &args);
                vm.send_all(&configure).await?;
                vm.send(&calls::start()).await?;
                self.check_filtered(&vm).await?;
            }
            Some(_) => {
                vm.send_all(&calls::load()).await?;
                self.check_filtered(&vm).await?;
                vm.send(&calls::resume()).await?;
            }
        }
        vm.start_watchdog(&self.config);
        Ok(vm)
    }

    /// Makes everything that a VM holds of the host, and starts the jailer in it.
    fn spawn(&self, spec: &VmSpec, snapshot: Option<&SnapshotFiles>) -> Result<Spawned, VmmError> {
        let prepare = |what: &str| VmmError::io(Step::Prepare, what);
        let limits = Limits::of_vm(&self.config, spec.memory_mib, spec.vcpus);
        let run = RunFolder::create(&self.state, &spec.id)?;
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
        let chroot = Chroot::create(&self.base, &spec.id, &run)?;
        let cgroup = make_cgroup(self.place.as_ref().ok(), &run, &spec.id, limits)?;
        let inside = chroot.inside();
        let pipes = inside
            .make_pipes(uid)
            .map_err(prepare("making the pipes of log and metrics"))?;
        let files = layout::files(spec, snapshot);
        let mut mounts = Vec::new();
        for (source, name) in &files {
            let target = chroot
                .make_mount_point(name)
                .map_err(prepare("making a mount point"))?;
            if self.jailed() {
                let mount = files::detached(source, false, uid);
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
        let file_bytes = match snapshot {
            // A template's RAM is written whole.
            None => (u64::from(spec.memory_mib) << 20) + MAX_STATE_BYTES,
            Some(_) => MAX_STATE_BYTES,
        };
        let args = match &self.jailer {
            Some(jailer) => {
                let jail = Jailer {
                    id: &spec.id,
                    firecracker: &self.program,
                    jailer,
                    uid,
                    base: &self.base,
                    cgroup_version: self.cgroup_version(),
                    parent_cgroup: self.place.as_ref().map_or("", |place| place.path()),
                    limits,
                    file_bytes,
                };
                let mut args = jail.supervisor_arguments(chroot.folder(), FIRST_FD, FIRST_FD + 1);
                args.extend(jail.arguments());
                args
            }
            None => jailer::unjailed_arguments(
                &spec.id,
                &self.program,
                &chroot.root(),
                &files,
                FIRST_FD,
            ),
        };
        let setup = ChildSetup {
            tool: this_process().map_err(prepare("opening the tool's own process"))?,
            cgroups: entrances(cgroup.as_deref())?,
            privileged: self.jailed().then_some(Privileged { uid: None, mounts }),
            rlimits: RLIMITS,
            fds,
        };
        let command = setup.command(&self.bwrap, args, stdout, stderr);
        let held = Held {
            cgroup: cgroup.clone(),
            run,
            chroot: Some(chroot),
            slot,
        };
        let process = Process::spawn(command, held, spec.id.as_str(), self.jailed())?;
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
    async fn attach(&self, spec: VmSpec, spawned: Spawned) -> Result<FirecrackerVm, VmmError> {
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
            spec,
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
            match self.check_confinement(vm, true) {
                Err(VmmError::LimitNotHeld { .. }) if tokio::time::Instant::now() < end => {
                    tokio::time::sleep(ASK_AGAIN).await;
                }
                checked => return checked,
            }
        }
    }

    /// Reads back what the kernel holds this Firecracker to.
    fn check_confinement(&self, vm: &FirecrackerVm, filtered: bool) -> Result<(), VmmError> {
        let pid = vm.running.process.pid();
        if let Some(cgroup) = &vm.running.cgroup {
            cgroup.check_member(pid)?;
            // The jailer wrote them anew.
            cgroup.check(Limits::of_vm(
                &self.config,
                vm.spec.memory_mib,
                vm.spec.vcpus,
            ))?;
        }
        if !self.jailed() {
            return Ok(());
        }
        inspect::check(inspect::fault_by(pid, |thread| {
            let open = filtered && thread.seccomp != 2;
            thread
                .fault_of_jailer(vm.running.uid)
                .or_else(|| open.then(|| "it has no seccomp filter".into()))
        }))
    }
}

/// Asks for the API's socket until it is there, Firecracker has ended, or the deadline has passed.
async fn connect_api(running: &Running, inside: &Inside) -> Result<Client, VmmError> {
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
