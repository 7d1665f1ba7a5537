//! From a spec to a running VM. Each step has its deadline; whatever fails, nothing is left.

use super::QemuEngine;
use super::args::{self, Machine, QemuStart, RamIn, at};
use super::cmdline;
use super::standby::QemuStandby;
use super::vm::QemuVm;
use crate::cgroup::Limits;
use crate::config::Accelerator;
use crate::console::Tail;
use crate::engine::{SnapshotFiles, StandbySize, VmSpec};
use crate::error::{Step, VmmError};
use crate::jail::files::{Access, JailFile};
use crate::jail::{JailRequest, Jailed, inspect, pipe, socket_pair};
use crate::qmp::Qmp;
use crate::running::Running;
use crate::saved::STREAM;
use crate::state::{RunFolder, private_file};
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;
use std::sync::Arc;
use tokio::net::UnixStream;
use tokio::sync::Mutex;

/// The RAM file of a template, in its run folder.
const RAM_FILE: &str = "ram";

/// What a QEMU is given of the host's files.
#[derive(Default)]
struct HostFiles {
    /// After the control socket's and the channel's, in the order of [`args::fd`].
    fds: Vec<OwnedFd>,
    files: Vec<JailFile>,
}

/// What a QEMU holds of the host while it runs.
struct Given {
    inside: HostFiles,
    run: RunFolder,
}

/// The host's ends of what a QEMU is connected to.
struct HostEnds {
    qmp: StdUnixStream,
    channel: StdUnixStream,
    console: OwnedFd,
    stderr: OwnedFd,
}

impl QemuEngine {
    /// Boots a kernel.
    pub(super) async fn launch(&self, spec: VmSpec, ram_in: RamIn) -> Result<QemuVm, VmmError> {
        let run = RunFolder::create(&self.state, &spec.id)?;
        let ram = run.path().join(RAM_FILE);
        let mut inside = HostFiles {
            fds: vec![open_read(&spec.rootfs)?.into()],
            files: vec![
                JailFile::read_only(&spec.kernel, at::KERNEL),
                JailFile::read_only(&spec.initramfs, at::INITRAMFS),
            ],
        };
        if ram_in == RamIn::File {
            make_ram(&ram, spec.memory_mib)?;
            inside.files.push(JailFile {
                source: ram.clone(),
                at: at::RAM,
                access: Access::Writable,
            });
        }
        let start = QemuStart::Boot {
            command_line: cmdline::kernel_command_line(self.accelerator, self.tsc_khz),
            ram_in,
        };
        let size = StandbySize::of(&spec);
        let mut vm = self.start(size, start, Given { inside, run }).await?;
        vm.execute(Step::Run, "cont", json!({})).await?;
        vm.ram = (ram_in == RamIn::File).then_some(ram);
        vm.start_watchdog(&self.config);
        Ok(vm)
    }

    /// Makes a clone.
    pub(super) async fn clone_of(
        &self,
        spec: VmSpec,
        snapshot: &SnapshotFiles,
    ) -> Result<QemuVm, VmmError> {
        check_ram(&snapshot.memory, spec.memory_mib)?;
        let run = RunFolder::create(&self.state, &spec.id)?;
        let inside = HostFiles {
            fds: vec![
                open_read(&spec.rootfs)?.into(),
                open_read(&snapshot.state)?.into(),
            ],
            files: vec![JailFile::read_only(&snapshot.memory, at::RAM)],
        };
        self.go_on(&spec, QemuStart::Clone, Given { inside, run })
            .await
    }

    /// Makes a VM of what was saved of one.
    pub(super) async fn saved(&self, spec: VmSpec, folder: &Path) -> Result<QemuVm, VmmError> {
        let run = RunFolder::create(&self.state, &spec.id)?;
        let inside = HostFiles {
            fds: vec![
                open_read(&spec.rootfs)?.into(),
                open_read(&folder.join(STREAM))?.into(),
            ],
            files: vec![],
        };
        self.go_on(&spec, QemuStart::Saved, Given { inside, run })
            .await
    }

    /// Starts one whose state it is given, and has it go on from there.
    async fn go_on(
        &self,
        spec: &VmSpec,
        start: QemuStart,
        given: Given,
    ) -> Result<QemuVm, VmmError> {
        let mut vm = self.start(StandbySize::of(spec), start, given).await?;
        vm.load(at::STATE).await?;
        vm.execute(Step::Run, "cont", json!({})).await?;
        vm.start_watchdog(&self.config);
        Ok(vm)
    }

    /// Starts one that waits for its snapshot; `None` where no file can be shown to it later.
    pub(super) async fn wait_for_snapshot(
        &self,
        size: StandbySize,
    ) -> Result<Option<QemuStandby>, VmmError> {
        if !self.jail.shows_deferred() {
            return Ok(None);
        }
        let given = Given {
            inside: HostFiles::default(),
            run: RunFolder::create(&self.state, &size.id)?,
        };
        let vm = self.start(size.clone(), QemuStart::StandBy, given).await?;
        Ok(Some(QemuStandby {
            vm,
            size,
            config: self.config.clone(),
        }))
    }

    /// A jailed QEMU that answers, its confinement read back, without a guest that runs.
    async fn start(
        &self,
        size: StandbySize,
        start: QemuStart,
        given: Given,
    ) -> Result<QemuVm, VmmError> {
        let (request, ends) = self.request(&size, start, given)?;
        let jail = self.jail.clone();
        // Forking and waiting for bubblewrap's first word blocks; the forking thread is another still.
        let jailed = tokio::task::spawn_blocking(move || jail.spawn(request))
            .await
            .map_err(|e| VmmError::io(Step::Start, "the starting task")(Error::other(e)))??;
        let mut vm = self.connect_ends(size, jailed, ends)?;
        vm.greet().await?;
        self.check_confinement(&vm)?;
        Ok(vm)
    }

    fn request(
        &self,
        size: &StandbySize,
        start: QemuStart,
        Given { inside, run }: Given,
    ) -> Result<(JailRequest, HostEnds), VmmError> {
        let (qmp, qmp_inside) = socket_pair()?;
        let (channel, channel_inside) = socket_pair()?;
        let (console, console_inside) = pipe()?;
        let (stderr, stderr_inside) = pipe()?;
        let mut fds: Vec<OwnedFd> = vec![qmp_inside.into(), channel_inside.into()];
        fds.extend(inside.fds);
        if self.accelerator == Accelerator::Kvm {
            let kvm = OpenOptions::new().read(true).write(true).open("/dev/kvm");
            fds.push(
                kvm.map_err(VmmError::io(Step::Prepare, "opening /dev/kvm"))?
                    .into(),
            );
        }
        let machine = Machine {
            id: size.id.clone(),
            accelerator: self.accelerator,
            memory_mib: size.memory_mib,
            vcpus: size.vcpus,
            start,
        };
        let request = JailRequest {
            id: size.id.clone(),
            run,
            args: args::arguments(&machine),
            files: inside.files,
            scratch: None,
            fds,
            stdout: console_inside,
            stderr: stderr_inside,
            limits: Limits::of_vm(&self.config, size.memory_mib, size.vcpus),
        };
        Ok((
            request,
            HostEnds {
                qmp,
                channel,
                console,
                stderr,
            },
        ))
    }

    fn connect_ends(
        &self,
        size: StandbySize,
        jailed: Jailed,
        ends: HostEnds,
    ) -> Result<QemuVm, VmmError> {
        let stream = |end: StdUnixStream| -> Result<UnixStream, Error> {
            end.set_nonblocking(true)?;
            UnixStream::from_std(end)
        };
        let failed = VmmError::io(Step::Start, "watching the VM's sockets and pipes");
        let (console, stderr) = (
            Tail::new(self.config.console_bytes),
            Tail::new(self.config.console_bytes),
        );
        let connected = (|| {
            console.drain(ends.console)?;
            let stderr_drained = stderr.drain(ends.stderr)?;
            Ok((stderr_drained, stream(ends.qmp)?, stream(ends.channel)?))
        })();
        let (stderr_drained, qmp, channel) = connected.map_err(failed)?;
        Ok(QemuVm {
            id: size.id,
            running: Running {
                process: Arc::new(jailed.process),
                uid: jailed.uid,
                cgroup: jailed.cgroup,
                console,
                stderr,
                stderr_drained,
            },
            qmp: Arc::new(Mutex::new(Qmp::new(qmp))),
            watchdog: None,
            memory_mib: size.memory_mib,
            channel: Some(channel),
            paused: false,
            ram: None,
        })
    }

    /// Reads back, before the first guest instruction, what the kernel holds this QEMU to.
    fn check_confinement(&self, vm: &QemuVm) -> Result<(), VmmError> {
        let running = &vm.running;
        // A tool that is root has a uid to give; a user's has its own, which may not be root's.
        inspect::check(inspect::fault(running.process.pid(), running.uid))?;
        match &running.cgroup {
            Some(cgroup) => cgroup.check_member(running.process.pid()),
            None => Ok(()),
        }
    }
}

pub(super) fn open_read(path: &Path) -> Result<File, VmmError> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(path)
        .map_err(VmmError::io(
            Step::Prepare,
            &format!("opening {}", path.display()),
        ))
}

/// QEMU would pad or cut a file of another size; a template must be exactly its VM's RAM.
pub(super) fn check_ram(path: &Path, memory_mib: u32) -> Result<(), VmmError> {
    let reading = VmmError::io(Step::Prepare, &format!("reading {}", path.display()));
    let meta = path.symlink_metadata().map_err(&reading)?;
    if !meta.is_file() || meta.len() != u64::from(memory_mib) << 20 {
        let seen = format!("{} bytes, not {memory_mib} MiB", meta.len());
        return Err(reading(Error::new(ErrorKind::InvalidData, seen)));
    }
    Ok(())
}

fn make_ram(path: &Path, memory_mib: u32) -> Result<(), VmmError> {
    private_file(path)
        .and_then(|file| file.set_len(u64::from(memory_mib) << 20))
        .map_err(VmmError::io(
            Step::Prepare,
            &format!("making {}", path.display()),
        ))
}
