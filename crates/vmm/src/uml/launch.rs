//! From a spec to a kernel that has sealed itself. Each step has its deadline; whatever fails, nothing
//! is left.

use super::UmlEngine;
use super::args::{self, Machine, Purpose, at};
use super::vm::UmlVm;
use crate::cgroup::Limits;
use crate::config::VmmConfig;
use crate::console::Tail;
use crate::engine::{VmId, VmSpec};
use crate::error::{Step, VmmError};
use crate::jail::files::JailFile;
use crate::jail::{JailRequest, Jailed, Scratch, inspect, pipe, socket_pair};
use crate::running::Running;
use crate::state::{RunFolder, StateDir};
use std::io::{Error, ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// The host's processes of one VM: each of a guest's is one. Twice what a job may have at most, for the
/// agent's own and those that are just ending.
const MAX_PROCESSES: u64 = 2 * 4096;

/// Kept in the state folder.
const CPUINFO: &str = "cpuinfo";

/// What of the first block of `/proc/cpuinfo` the kernel reads.
const CPU_FIELDS: [&str; 2] = ["flags", "cache_alignment"];

/// The host's ends of what a kernel is connected to.
struct HostEnds {
    channel: StdUnixStream,
    seal: StdUnixStream,
    console: OwnedFd,
    stderr: OwnedFd,
}

/// What one kernel is given.
pub(super) struct UmlStart {
    pub(super) machine: Machine,
    pub(super) kernel: PathBuf,
    pub(super) initramfs: PathBuf,
    /// None for a probe.
    pub(super) rootfs: Option<PathBuf>,
}

impl UmlEngine {
    /// Boots a guest; its kernel is sealed when this returns.
    pub(super) async fn launch(&self, spec: VmSpec) -> Result<UmlVm, VmmError> {
        if spec.vcpus > super::MAX_VCPUS {
            let reason = format!("a VM of this engine has one CPU, not {}", spec.vcpus);
            return Err(VmmError::State {
                step: Step::Prepare,
                reason,
            });
        }
        let start = UmlStart {
            machine: Machine {
                id: spec.id,
                memory_mib: spec.memory_mib,
                purpose: Purpose::Guest,
            },
            kernel: spec.kernel,
            initramfs: spec.initramfs,
            rootfs: Some(spec.rootfs),
        };
        let (vm, seal) = self.start(start).await?;
        wait_for_seal(&vm, seal).await?;
        check_confinement(&vm).await?;
        Ok(vm)
    }

    /// A jailed kernel that boots, and the host's end of its seal, which it closes when it is sealed.
    pub(super) async fn start(&self, start: UmlStart) -> Result<(UmlVm, UnixStream), VmmError> {
        let id = start.machine.id.clone();
        let (request, ends) = self.request(start)?;
        let jail = self.jail.clone();
        // Forking and waiting for bubblewrap's first word blocks; the forking thread is another still.
        let jailed = tokio::task::spawn_blocking(move || jail.spawn(request))
            .await
            .map_err(|e| VmmError::io(Step::Start, "the starting task")(Error::other(e)))??;
        self.connect_ends(id, jailed, ends)
    }

    fn request(&self, start: UmlStart) -> Result<(JailRequest, HostEnds), VmmError> {
        let id = start.machine.id.clone();
        let (channel, channel_inside) = socket_pair()?;
        let (seal, seal_inside) = socket_pair()?;
        let (console, console_inside) = pipe()?;
        let (stderr, stderr_inside) = pipe()?;
        let mut files = vec![
            JailFile::read_only(&start.kernel, at::KERNEL),
            JailFile::read_only(&start.initramfs, at::INITRAMFS),
            JailFile::read_only(&self.cpuinfo, at::CPUINFO),
        ];
        files.extend(
            start
                .rootfs
                .as_deref()
                .map(|rootfs| JailFile::read_only(rootfs, at::ROOTFS)),
        );
        let memory_mib = start.machine.memory_mib;
        let request = JailRequest {
            run: RunFolder::create(&self.state, &id)?,
            id,
            args: args::arguments(&start.machine),
            files,
            scratch: Some(scratch(memory_mib)),
            // In the order of `args::fd`.
            fds: vec![channel_inside.into(), seal_inside.into()],
            stdout: console_inside,
            stderr: stderr_inside,
            limits: limits(&self.config, memory_mib),
        };
        let ends = HostEnds {
            channel,
            seal,
            console,
            stderr,
        };
        Ok((request, ends))
    }

    fn connect_ends(
        &self,
        id: VmId,
        jailed: Jailed,
        ends: HostEnds,
    ) -> Result<(UmlVm, UnixStream), VmmError> {
        let stream = |end: StdUnixStream| -> Result<UnixStream, Error> {
            end.set_nonblocking(true)?;
            UnixStream::from_std(end)
        };
        let (console, stderr) = (
            Tail::new(self.config.console_bytes),
            Tail::new(self.config.console_bytes),
        );
        let connected = (|| {
            console.drain(ends.console)?;
            let stderr_drained = stderr.drain(ends.stderr)?;
            hand_over(&ends.seal, &self.seal)?;
            Ok((stderr_drained, stream(ends.channel)?, stream(ends.seal)?))
        })();
        let (stderr_drained, channel, seal) = connected.map_err(VmmError::io(
            Step::Start,
            "watching the VM's sockets and pipes",
        ))?;
        let vm = UmlVm {
            id,
            running: Running {
                process: Arc::new(jailed.process),
                uid: jailed.uid,
                cgroup: jailed.cgroup,
                console,
                stderr,
                stderr_drained,
            },
            channel: Some(channel),
        };
        Ok((vm, seal))
    }
}

/// Gives the kernel its filter, which is smaller than a socket's buffer. A kernel that is gone already,
/// or never came to be, is told of by its end and its last words.
fn hand_over(seal: &StdUnixStream, filter: &[u8]) -> Result<(), Error> {
    let mut writer = seal;
    match writer.write_all(filter) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(e) => Err(e),
        Ok(()) => seal.shutdown(std::net::Shutdown::Write),
    }
}

/// Waits until the kernel has closed its end: booted, and its second filter in force; or dead, which
/// the next step finds.
async fn wait_for_seal(vm: &UmlVm, mut seal: UnixStream) -> Result<(), VmmError> {
    let step = Step::Start;
    let mut none = [0u8; 1];
    let read = timeout(step.deadline(), seal.read(&mut none)).await;
    match read {
        Ok(Ok(0)) => Ok(()),
        Ok(Ok(_)) => {
            let reason = "the kernel wrote where it only reads".into();
            Err(VmmError::Protocol { step, reason })
        }
        Ok(Err(e)) => Err(vm.running.broken(step, "the seal".into(), e).await),
        Err(_) => Err(vm.running.late(step, step.deadline())),
    }
}

/// Reads back, before anything of a job's is there, what the host's kernel holds this one to.
async fn check_confinement(vm: &UmlVm) -> Result<(), VmmError> {
    let Err(unheld) = read_back(&vm.running) else {
        return Ok(());
    };
    // Of one that died there is more to say; that it did may take a moment to be known.
    let source = Error::other(unheld.to_string());
    match vm
        .running
        .broken(Step::Start, "the jail".into(), source)
        .await
    {
        ended @ VmmError::Ended { .. } => Err(ended),
        _ => Err(unheld),
    }
}

fn read_back(running: &Running) -> Result<(), VmmError> {
    let pid = running.process.pid();
    inspect::check(inspect::fault_by(pid, |thread| {
        let sealed = thread.filters.is_none_or(|filters| filters >= 2);
        let unsealed = || (!sealed).then(|| "it has not sealed itself".to_string());
        thread.fault(running.uid).or_else(unsealed)
    }))?;
    match &running.cgroup {
        Some(cgroup) => cgroup.check_member(pid),
        None => Ok(()),
    }
}

/// The guest's RAM, and a little for the two small files that the kernel makes beside it.
pub fn scratch(memory_mib: u32) -> Scratch {
    Scratch {
        at: at::SCRATCH,
        bytes: (u64::from(memory_mib) + 1) << 20,
    }
}

/// What one VM may use of the host.
pub fn limits(config: &VmmConfig, memory_mib: u32) -> Limits {
    Limits {
        pids: MAX_PROCESSES,
        ..Limits::of_vm(config, memory_mib, super::MAX_VCPUS)
    }
}

/// What guests are told of the CPU: its features, not how many there are or whose.
pub(super) fn write_cpuinfo(state: &StateDir) -> Result<PathBuf, VmmError> {
    let path = state.root().join(CPUINFO);
    let told = cpu_features(&std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default());
    if std::fs::read_to_string(&path).is_ok_and(|kept| kept == told) {
        return Ok(path);
    }
    let failed = VmmError::io(Step::Prepare, &format!("writing {}", path.display()));
    let _lock = state.lock(CPUINFO).map_err(&failed)?;
    state.keep(CPUINFO, told.as_bytes()).map_err(&failed)?;
    Ok(Path::new(&path).to_path_buf())
}

fn cpu_features(cpuinfo: &str) -> String {
    let line = |name: &&str| {
        let named = |line: &&str| {
            line.split(':')
                .next()
                .is_some_and(|key| key.trim() == *name)
        };
        cpuinfo.lines().find(named).map(|line| format!("{line}\n"))
    };
    CPU_FIELDS.iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_hears_of_features_alone() {
        let host = "processor\t: 0\nmodel name\t: X\nflags\t\t: fpu avx2\nbugs\t: y\ncache_alignment\t: 64\n\nprocessor\t: 1\nflags\t\t: other\n";
        assert_eq!(
            cpu_features(host),
            "flags\t\t: fpu avx2\ncache_alignment\t: 64\n"
        );
        assert_eq!(cpu_features(""), "");
    }
}
