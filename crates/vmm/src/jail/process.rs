//! The jailed process and everything that goes when it goes, owned by one thread.
//!
//! The thread forks the jail and lives until the jail is gone: the kernel sends the parent-death
//! signal when the *thread* that forked ends, so a runtime's worker or blocking thread would do for
//! neither. It reaps, gives back cgroup, run folder and uid in that order, and says so.

use crate::cgroup::VmCgroup;
use crate::error::{Step, VmmError};
use crate::firecracker::chroot::Chroot;
use crate::jail::slots::UidSlot;
use crate::state::RunFolder;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;
use tokio::sync::watch;

/// How long the thread waits for the kernel to let go of a dead VM's cgroup.
const RELEASE_DEADLINE: Duration = Duration::from_secs(5);

/// What a VM holds of the host besides its process.
#[derive(Debug)]
pub struct Held {
    /// `None` where the tool's user may not make any.
    pub cgroup: Option<Arc<VmCgroup>>,
    /// Its run folder.
    pub run: RunFolder,
    /// Firecracker's, when it is one.
    pub chroot: Option<Chroot>,
    /// Its uid, when the tool is root.
    pub slot: Option<UidSlot>,
}

/// How the jailed process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Exit code of the VMM.
    pub code: Option<i32>,
    /// Signal that ended the VMM.
    pub signal: Option<i32>,
    /// Its cgroup ran out of memory.
    pub oom: bool,
}

/// The states that [`Process`] passes through, in order.
#[derive(Debug, Clone)]
enum State {
    Running,
    Ended(Ended),
    Gone { ended: Ended, left: Vec<String> },
}

/// A jailed process. Dropping it kills and waits, within reason.
#[derive(Debug)]
pub struct Process {
    outer_pid: Pid,
    outer: OwnedFd,
    vmm: Arc<OnceLock<(Pid, OwnedFd)>>,
    state: watch::Receiver<State>,
    finished: std::sync::Mutex<mpsc::Receiver<()>>,
}

/// Among which processes a jailed program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PidNamespace {
    /// It is process 1 of a namespace, so that the kernel ends all that it made as soon as it ends: bubblewrap
    /// ties its child to itself only after some milliseconds. Making one is root's right.
    Own,
    /// The host's.
    Hosts,
}

impl Process {
    /// Starts `command` from a thread of its own.
    pub fn spawn(
        mut command: Command,
        held: Held,
        name: &str,
        namespace: PidNamespace,
    ) -> Result<Self, VmmError> {
        let failed = |what: &str, source| VmmError::Io {
            step: Step::Start,
            what: what.to_string(),
            source,
        };
        let (state_in, state) = watch::channel(State::Running);
        let (started_in, started) = mpsc::sync_channel(1);
        let (finished_in, finished) = mpsc::channel();
        let vmm = Arc::new(OnceLock::new());
        let vmm_of_thread = Arc::clone(&vmm);
        std::thread::Builder::new()
            .name(format!("vm-{name}"))
            .stack_size(128 * 1024)
            .spawn(move || {
                let _finished = finished_in;
                let spawned = match namespace {
                    PidNamespace::Own => new_pid_namespace().and_then(|()| command.spawn()),
                    PidNamespace::Hosts => command.spawn(),
                };
                drop(command); // the child's ends of pipes and sockets
                let mut child = match spawned {
                    Ok(child) => child,
                    Err(e) => {
                        let _ = release(held);
                        let _ = started_in.send(Err(e));
                        return;
                    }
                };
                // Not yet waited for, so the number is still this child's.
                let pid = Pid::from_child(&child);
                let _ = started_in.send(
                    pidfd_open(pid, PidfdFlags::empty())
                        .map(|fd| (pid, fd))
                        .map_err(Into::into),
                );
                let status = child.wait();
                wait_dead(&vmm_of_thread);
                let ended = ended(status.ok(), &held);
                let _ = state_in.send(State::Ended(ended));
                let left = release(held);
                let _ = state_in.send(State::Gone { ended, left });
            })
            .map_err(|e| failed("starting the VM's thread", e))?;
        let (outer_pid, outer) = started
            .recv()
            .unwrap_or_else(|e| Err(std::io::Error::other(e)))
            .map_err(|e| failed("starting bubblewrap", e))?;
        Ok(Self {
            outer_pid,
            outer,
            vmm,
            state,
            finished: std::sync::Mutex::new(finished),
        })
    }

    /// Finds the VMM where bubblewrap's one child is it. None is there when it has ended already; then
    /// [`Process::wait`] tells how.
    pub fn find_vmm(&self) -> Result<(), VmmError> {
        let jail = self.outer_pid.as_raw_nonzero().get();
        let Some(child) = super::inspect::child_of(jail) else {
            return Ok(());
        };
        match self.set_vmm(child) {
            Err(_) if super::inspect::child_of(jail).is_none() => Ok(()),
            known => known,
        }
    }

    /// Says which process in the jail is the VMM. Fails when it is no child of the jail's, nor one of
    /// the init's that bubblewrap keeps there.
    pub fn set_vmm(&self, pid: i32) -> Result<(), VmmError> {
        let wrong = |reason: String| VmmError::Protocol {
            step: Step::Start,
            reason,
        };
        let pid = Pid::from_raw(pid).ok_or_else(|| wrong(format!("pid {pid}")))?;
        let fd = pidfd_open(pid, PidfdFlags::empty())
            .map_err(|e| wrong(format!("pid {pid:?} is gone: {e}")))?;
        // Checked after opening: from here the descriptor cannot come to mean another process.
        let jail = self.outer_pid.as_raw_nonzero().get();
        let parent = super::inspect::parent_of(pid.as_raw_nonzero().get());
        let grandparent = parent.and_then(super::inspect::parent_of);
        if ![parent, grandparent].contains(&Some(jail)) {
            return Err(wrong(format!("pid {pid:?} is no child of the jail's")));
        }
        let _ = self.vmm.set((pid, fd));
        Ok(())
    }

    /// The VMM's process id, as the host sees it; the jail's own before the VMM is known.
    pub fn pid(&self) -> i32 {
        let pid = self.vmm.get().map_or(self.outer_pid, |(pid, _)| *pid);
        pid.as_raw_nonzero().get()
    }

    /// A descriptor of the VMM's process, which cannot come to mean another.
    pub fn vmm_fd(&self) -> Option<BorrowedFd<'_>> {
        self.vmm.get().map(|(_, fd)| fd.as_fd())
    }

    /// Kills the VMM and its jail, by descriptors that cannot mean anyone else.
    pub fn kill(&self) {
        if let Some((_, vmm)) = self.vmm.get() {
            let _ = pidfd_send_signal(vmm, Signal::KILL);
        } else {
            let _ = pidfd_send_signal(&self.outer, Signal::KILL);
        }
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<Ended> {
        match &*self.state.borrow() {
            State::Running => None,
            State::Ended(ended) | State::Gone { ended, .. } => Some(*ended),
        }
    }

    /// Resolves when it has ended.
    pub async fn wait(&self) -> Ended {
        let mut state = self.state.clone();
        loop {
            if let Some(ended) = self.ended() {
                return ended;
            }
            if state.changed().await.is_err() {
                // The thread died without a word; it does not panic, so this is not reached.
                return self.ended().unwrap_or(Ended {
                    code: None,
                    signal: None,
                    oom: false,
                });
            }
        }
    }

    /// Resolves when nothing of it is left; the list says what could not be given back.
    pub async fn gone(&self) -> Vec<String> {
        let mut state = self.state.clone();
        loop {
            if let State::Gone { left, .. } = &*state.borrow_and_update() {
                return left.clone();
            }
            if state.changed().await.is_err() {
                return vec!["the VM's thread ended early".into()];
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let gone = matches!(&*self.state.borrow(), State::Gone { .. });
        if !gone {
            let _ = pidfd_send_signal(&self.outer, Signal::KILL);
            self.kill();
            if let Ok(finished) = self.finished.lock() {
                // Some ten milliseconds; the bound is for a kernel that does not let go.
                let _ = finished.recv_timeout(Duration::from_secs(2));
            }
        }
    }
}

/// The tool, for the child to see whether it has ended.
pub fn this_process() -> std::io::Result<OwnedFd> {
    Ok(pidfd_open(getpid(), PidfdFlags::empty())?)
}

/// For the children of this thread.
fn new_pid_namespace() -> std::io::Result<()> {
    // SAFETY: a process id namespace has nothing that other threads share.
    unsafe { unshare_unsafe(UnshareFlags::NEWPID)? };
    Ok(())
}

/// bubblewrap may be gone a moment before the VMM, whose death it causes.
fn wait_dead(vmm: &OnceLock<(Pid, OwnedFd)>) {
    if let Some((_, fd)) = vmm.get() {
        let _ = pidfd_send_signal(fd, Signal::KILL);
        let deadline = Timespec {
            tv_sec: RELEASE_DEADLINE.as_secs() as i64,
            tv_nsec: 0,
        };
        let _ = poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&deadline));
    }
}

fn ended(status: Option<ExitStatus>, held: &Held) -> Ended {
    // bubblewrap tells a signal as 128 plus its number.
    let (code, signal) = match status {
        Some(status) => match (status.code(), status.signal()) {
            (Some(code @ 129..), _) => (None, Some(code - 128)),
            other => other,
        },
        None => (None, None),
    };
    let oom = held.cgroup.as_ref().is_some_and(|c| c.ran_out_of_memory());
    Ended { code, signal, oom }
}

fn release(held: Held) -> Vec<String> {
    let mut left = Vec::new();
    if let Some(cgroup) = &held.cgroup {
        left.extend(cgroup.remove(RELEASE_DEADLINE).err());
    }
    // Before the run folder, which says where it is.
    left.extend(held.chroot.and_then(|chroot| chroot.remove().err()));
    left.extend(held.run.remove().err());
    drop(held.slot);
    left
}
