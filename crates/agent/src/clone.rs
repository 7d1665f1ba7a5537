//! A fork into other namespaces and a cgroup, in one call.

use crate::cgroup::Cgroup;
use nix::errno::Errno;
use nix::unistd::Pid;
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// From <linux/sched.h>; the libc crate's is truncated to 32 bits.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// A report's descriptor in a child, out of the way of those that a program gets.
const REPORT_FD: RawFd = 128;

/// Where `fork_into` came back.
pub enum Fork {
    /// In the new process.
    Child,
    /// In the agent.
    Parent(Forked),
}

/// A new process, as its parent knows it.
pub struct Forked {
    /// Its number in the agent's namespace.
    pub pid: Pid,
    /// Readable once it has ended.
    pub pidfd: OwnedFd,
}

/// `clone3` like a fork, into the cgroup and new `namespaces` (`CLONE_NEW…`). EAGAIN: the cgroup, or one above it, has
/// as many processes as it may.
pub fn fork_into(cgroup: &Cgroup, namespaces: libc::c_int) -> nix::Result<Fork> {
    let mut pidfd: RawFd = -1;
    // SAFETY: all-zero is a valid clone_args; it is plain numbers.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = (namespaces | libc::CLONE_PIDFD) as u64 | CLONE_INTO_CGROUP;
    args.exit_signal = libc::SIGCHLD as u64;
    args.pidfd = &raw mut pidfd as u64;
    args.cgroup = cgroup.folder().as_raw_fd() as u64;
    // SAFETY: without CLONE_VM the child gets a copy of this single-threaded process and goes on
    // on its own copy of the stack, as after fork. `args` and `pidfd` outlive the call.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            &raw const args,
            size_of::<libc::clone_args>(),
        )
    };
    match Errno::result(pid)? {
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(Forked {
            pid: Pid::from_raw(pid as i32),
            // SAFETY: the kernel has just made it for us; nothing else owns it.
            pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) },
        })),
    }
}

/// Moves a report's descriptor out of the way; it closes when the child becomes another program.
pub fn keep_report(report: &OwnedFd) -> Option<File> {
    let moved = nix::fcntl::fcntl(report, nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(REPORT_FD)).ok()?;
    // SAFETY: just duplicated, so nothing else owns it.
    Some(unsafe { File::from_raw_fd(moved) })
}

/// Closes every descriptor of a child but these.
pub fn close_all_but(kept: &[RawFd]) {
    let mut kept: Vec<u32> = kept.iter().map(|fd| *fd as u32).collect();
    kept.sort_unstable();
    let mut from = 0;
    for number in kept {
        if number > from {
            // SAFETY: closes descriptors that nothing in this child uses again.
            unsafe { libc::close_range(from, number - 1, 0) };
        }
        from = number + 1;
    }
    // SAFETY: as above.
    unsafe { libc::close_range(from, u32::MAX, 0) };
}

/// Leaves a child without running anything of the agent's.
pub fn exit(code: i32) -> ! {
    // SAFETY: _exit takes any number and does not return.
    unsafe { libc::_exit(code) }
}
