//! The namespaces that all processes of a sandbox share, held by a small init of their own.
//!
//! ```text
//!   agent (PID 1 of the VM)
//!     ├ init      PID 1 of the sandbox: mounts what its processes see, then only reaps orphans
//!     ├ process   a child of the agent's, put into the init's namespaces; a cgroup of its own
//!     └ …         they see each other, and nothing else
//! ```

use crate::cgroup::Cgroup;
use crate::clone::{self, Fork, Forked, exit};
use crate::error::{AgentError, SetupFailure, Step};
use crate::identity;
use crate::pipes;
use crate::view::{self, Root};
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::wait::{WaitPidFlag, waitpid};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Made anew for the init.
const NEW: libc::c_int = libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_NEWIPC;
/// What its report says when all is mounted.
const READY: &[u8] = b"ready";

/// The sandbox's namespaces. Dropped, everything in them is killed.
pub struct Namespaces {
    init: Forked,
    _cgroup: Cgroup,
}

impl Namespaces {
    /// Makes them, with this root; the init is in `cgroup`. From here on all children of the agent are in the PID
    /// namespace.
    pub fn create(cgroup: Cgroup, root: Root) -> Result<Namespaces, AgentError> {
        // Of a sandbox before this one the agent may have left nothing but its name.
        let own = File::open("/proc/self/ns/pid").step(|| "open the own PID namespace")?;
        setns(&own, CloneFlags::CLONE_NEWPID).step(|| "leave a PID namespace")?;
        let (report, report_end) = pipes::pipe("the init")?;
        let init = match clone::fork_into(&cgroup, NEW).step(|| "clone3")? {
            Fork::Child => init_main(&report_end, root),
            Fork::Parent(init) => init,
        };
        drop(report_end);
        let mut text = Vec::new();
        File::from(report)
            .read_to_end(&mut text)
            .step(|| "read the init's report")?;
        if text != READY {
            return Err(Errno::ECHILD)
                .step(|| format!("the sandbox's init: {}", String::from_utf8_lossy(&text)));
        }
        setns(&init.pidfd, CloneFlags::CLONE_NEWPID).step(|| "enter the PID namespace")?;
        Ok(Namespaces {
            init,
            _cgroup: cgroup,
        })
    }

    /// Readable when the init is gone, and with it every process.
    pub fn gone(&self) -> BorrowedFd<'_> {
        self.init.pidfd.as_fd()
    }

    /// Puts a child of the agent's into the others; its PID namespace is right already.
    pub fn enter(&self) -> Result<(), SetupFailure> {
        let others = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC;
        setns(&self.init.pidfd, others).map_err(|errno| ("enter the namespaces", errno))?;
        // Of its own cgroup: `/proc/self/cgroup` then says `/`.
        unshare(CloneFlags::CLONE_NEWCGROUP).map_err(|errno| ("unshare cgroup", errno))
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        let _ = nix::sys::signal::kill(self.init.pid, nix::sys::signal::SIGKILL);
        let _ = waitpid(self.init.pid, Some(WaitPidFlag::__WALL));
    }
}

fn init_main(report: &OwnedFd, root: Root) -> ! {
    let Some(mut report) = clone::keep_report(report) else {
        exit(1)
    };
    // As a session of its own it gets no signal that is meant for others.
    let begun = nix::unistd::setsid().map_err(|errno| ("setsid", errno));
    let begun = begun
        .and_then(|_| reap_by_itself())
        .and_then(|()| view::enter(root));
    if let Err((step, errno)) = begun.and_then(|()| retire(&report)) {
        let _ = report.write_all(format!("{step}: {errno}").as_bytes());
        exit(1);
    }
    let _ = report.write_all(READY);
    drop(report);
    loop {
        nix::unistd::pause();
    }
}

/// The init keeps nothing but its report: no descriptor, no capability.
fn retire(report: &File) -> Result<(), SetupFailure> {
    clone::close_all_but(&[report.as_raw_fd()]);
    identity::drop_capabilities()
}

/// The kernel reaps the children of who ignores their ends.
fn reap_by_itself() -> Result<(), SetupFailure> {
    let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    // SAFETY: sets a disposition, no handler runs.
    let set = unsafe { sigaction(Signal::SIGCHLD, &ignore) };
    set.map(drop).map_err(|errno| ("sigaction", errno))
}
