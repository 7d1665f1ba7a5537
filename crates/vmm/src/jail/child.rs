//! What happens between fork and exec, in this order, each step with its reason. Everything that
//! could fail or allocate was done before the fork; here are system calls only.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::CWD;
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::mount::{MountPropagationFlags, MoveMountFlags, mount_change, move_mount};
use rustix::process::{Gid, Resource, Rlimit, Signal, Uid};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::{Error, ErrorKind, Result, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The first descriptor after stdin, stdout and stderr that a jail inherits.
pub const FIRST_FD: i32 = 3;

/// Where the jail's root is assembled, in a mount namespace that only the child sees. bubblewrap
/// itself needs this folder to exist.
pub const STAGE: &str = "/tmp";

/// The limits of QEMU and of bubblewrap around it (`setrlimit`).
pub const RLIMITS: &[(Resource, u64)] = &[
    // QEMU polls some thirty descriptors
    (Resource::Nofile, 128),
    // a core would hold the guest's memory
    (Resource::Core, 0),
    // nothing in the jail is to grow a file: RAM files have their size before
    (Resource::Fsize, 0),
    (Resource::Memlock, 0),
    (Resource::Msgqueue, 0),
    // no real-time priority, no raised priority
    (Resource::Rtprio, 0),
    (Resource::Nice, 0),
];

/// The uid of a VM and the mounts that make up its root; only root's tool can set them up.
#[derive(Debug)]
pub struct Privileged {
    /// uid and gid to become; `None`: the program, Firecracker's jailer, does that.
    pub uid: Option<u32>,
    /// Mounts from [`super::files::detached`] and where they go, in this order.
    pub mounts: Vec<(OwnedFd, CString)>,
}

/// Where the kernel puts a program's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// Anywhere, another place each time.
    Random,
    /// Where the program was linked to be: User-Mode Linux has its guest's memory beside itself.
    Fixed,
}

/// All that the child needs.
#[derive(Debug)]
pub struct ChildSetup {
    /// The tool.
    pub tool: OwnedFd,
    /// Opened [`crate::cgroup::VmCgroup::entrances`].
    pub cgroups: Vec<File>,
    /// When the tool is root.
    pub privileged: Option<Privileged>,
    /// Limits of each process in the jail.
    pub rlimits: Vec<(Resource, u64)>,
    /// Of each program in the jail.
    pub addresses: Addresses,
    /// Inherited as [`FIRST_FD`] and following.
    pub fds: Vec<OwnedFd>,
}

/// Where a jailed program writes.
pub struct OutputFds {
    /// Descriptor 1.
    pub stdout: OwnedFd,
    /// Descriptor 2.
    pub stderr: OwnedFd,
}

impl ChildSetup {
    /// bubblewrap, ready to be started with these arguments and nothing else of the tool's.
    pub fn command(
        mut self,
        bwrap: &Path,
        args: impl IntoIterator<Item = OsString>,
        outputs: OutputFds,
    ) -> Command {
        let mut command = Command::new(bwrap);
        command
            .args(args)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(outputs.stdout)
            .stderr(outputs.stderr);
        // SAFETY: `enter` makes system calls only: no allocation, no lock.
        unsafe { command.pre_exec(move || self.enter()) };
        command
    }

    /// Runs in the child.
    fn enter(&mut self) -> Result<()> {
        for mut procs in &self.cgroups {
            procs.write_all(b"0")?;
        }
        be_first_to_go()?;
        if let Some(privileged) = &self.privileged {
            privileged.stage()?;
        }
        // Before the limits: a service with many connections has its descriptors far above 128.
        self.place_fds()?;
        for (resource, limit) in &self.rlimits {
            let both = Some(*limit);
            rustix::process::setrlimit(
                *resource,
                Rlimit {
                    current: both,
                    maximum: both,
                },
            )?;
        }
        if self.addresses == Addresses::Fixed {
            // SAFETY: takes one number; what is mapped already stays where it is.
            let before = unsafe { libc::personality(libc::ADDR_NO_RANDOMIZE as libc::c_ulong) };
            if before < 0 {
                return Err(Error::last_os_error());
            }
        }
        if let Some(uid) = self.privileged.as_ref().and_then(|p| p.uid) {
            drop_root(uid)?;
        }
        // After the uid changed, which clears it. Tied to the thread that forked: see `process`.
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        let mut ended = [PollFd::new(&self.tool, PollFlags::IN)];
        if poll(&mut ended, Some(&Timespec::default()))? > 0 {
            // The tool died before the signal was asked for; nobody would end this jail. (The parent's
            // id would not tell: a process id namespace may be in between.)
            return Err(Error::from(ErrorKind::NotConnected));
        }
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        Ok(())
    }

    /// Puts each descriptor at its number and leaves no other to the jail.
    fn place_fds(&mut self) -> Result<()> {
        let after = FIRST_FD + self.fds.len() as i32;
        // First out of the way of all targets, or one could overwrite another's source; the tool's is
        // asked after this.
        for fd in self.fds.iter_mut().chain([&mut self.tool]) {
            *fd = fcntl_dupfd_cloexec(fd.as_fd(), after + 64)?;
        }
        for (target, fd) in (FIRST_FD..).zip(&self.fds) {
            // SAFETY: nothing in the child owns the target number after this point but the exec'd program.
            let mut target = std::mem::ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(target) });
            rustix::io::dup2(fd, &mut target)?;
            fcntl_setfd(target.as_fd(), FdFlags::empty())?;
        }
        // SAFETY: only marks descriptors; the standard library's own error pipe is marked already.
        let marked = unsafe {
            libc::syscall(
                libc::SYS_close_range,
                after as libc::c_uint,
                libc::c_uint::MAX,
                libc::CLOSE_RANGE_CLOEXEC,
            )
        };
        if marked != 0 {
            return Err(Error::last_os_error());
        }
        Ok(())
    }
}

impl Privileged {
    /// Assembles the root where the VM's uid can reach it, though the state folder is closed to it.
    fn stage(&self) -> Result<()> {
        // SAFETY: the child has one thread, and no file system state is shared with the parent.
        unsafe { unshare_unsafe(UnshareFlags::NEWNS)? };
        // Else the mounts below would appear on the host.
        let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
        mount_change("/", private)?;
        for (mount, target) in &self.mounts {
            let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
            move_mount(mount, "", CWD, target.as_c_str(), flags)?;
        }
        Ok(())
    }
}

/// How willingly the kernel ends a process where memory is short: the most (proc(5)).
const OOM_SCORE: &[u8] = b"1000";

/// Where the host is out of memory, the kernel ends a VM and not the tool or anything else. Every program in the jail
/// inherits it, and none may lower it again.
fn be_first_to_go() -> Result<()> {
    let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::CLOEXEC;
    let mode = rustix::fs::Mode::empty();
    let file = rustix::fs::open(c"/proc/self/oom_score_adj", flags, mode)?;
    rustix::io::write(file, OOM_SCORE)?;
    Ok(())
}

/// Groups first: without root they could not be dropped any more.
fn drop_root(uid: u32) -> Result<()> {
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(uid));
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(gid, gid, gid)?;
    rustix::thread::set_thread_res_uid(uid, uid, uid)?;
    Ok(())
}

/// A file in memory with `bytes`, to be read by the child from its start.
pub fn memory_file(name: &str, bytes: &[u8]) -> Result<OwnedFd> {
    let fd = rustix::fs::memfd_create(name, rustix::fs::MemfdFlags::CLOEXEC)?;
    // SAFETY: `fd` is owned here and given up by `into_raw_fd`.
    let mut file = unsafe { File::from_raw_fd(fd.into_raw_fd()) };
    file.write_all(bytes)?;
    rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(0))?;
    debug_assert!(file.as_raw_fd() >= 0);
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_ends_a_jail_before_the_tool() {
        let setup = ChildSetup {
            fds: Vec::new(),
            tool: super::super::process::this_process().unwrap(),
            cgroups: Vec::new(),
            privileged: None,
            rlimits: Vec::new(),
            addresses: Addresses::Random,
        };
        let (output, stdout) = rustix::pipe::pipe().unwrap();
        let stderr = stdout.try_clone().unwrap();
        let path = OsString::from("/proc/self/oom_score_adj");
        let mut command =
            setup.command(Path::new("/bin/cat"), [path], OutputFds { stdout, stderr });
        assert!(command.status().unwrap().success());
        drop(command);
        let said = std::io::read_to_string(File::from(output)).unwrap();
        assert_eq!(said, "1000\n");
        let own = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap();
        assert!(own.trim().parse::<i32>().unwrap() < 1000, "{own}");
    }

    /// A memory file can always be read: in the tool's place it would say that the tool has ended.
    #[test]
    fn a_descriptor_that_is_placed_where_the_tools_was_does_not_end_the_jail() {
        let tool = super::super::process::this_process().unwrap();
        let number = tool.as_raw_fd();
        let file = |_| memory_file("placed", b"x").unwrap();
        let setup = ChildSetup {
            fds: (FIRST_FD..=number).map(file).collect(),
            tool,
            cgroups: Vec::new(),
            privileged: None,
            rlimits: Vec::new(),
            addresses: Addresses::Random,
        };
        let (_output, stdout) = rustix::pipe::pipe().unwrap();
        let stderr = stdout.try_clone().unwrap();
        let mut command = setup.command(Path::new("/bin/true"), [], OutputFds { stdout, stderr });
        assert!(command.status().unwrap().success());
    }
}
