//! A child of the agent's in the sandbox's namespaces: a program, or a piece of the agent's own work on files.

use super::namespaces::Namespaces;
use super::sandbox::Sandbox;
use crate::cgroup::Cgroup;
use crate::clone::{self, Fork, Forked, exit};
use crate::confine::{self, Program};
use crate::error::{AgentError, SetupFailure, Step};
use crate::identity;
use crate::pipes;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use protocol::supervisor::{ProcessUser, StartStep};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

/// Why a program does not start where there are too many.
const NO_PLACE: &str = "the sandbox has as many processes as it may";

/// Why one does not start that another program stopped.
const STOPPED: &str = "it was stopped before it began";
/// How often a child that reports nothing is looked at.
const LOOK_MILLIS: u8 = 20;

/// How starting a program went.
pub enum Spawned {
    /// It runs.
    Running(Forked),
    /// It never did.
    Failed(NoStart),
}

/// Why a process did not start.
pub struct NoStart {
    /// What failed.
    pub step: StartStep,
    /// Why.
    pub reason: String,
}

impl From<String> for NoStart {
    fn from(reason: String) -> NoStart {
        NoStart {
            step: StartStep::Launch,
            reason,
        }
    }
}

/// A report's first byte, and what it means.
const STEPS: [(u8, StartStep); 3] = [
    (b'a', StartStep::Absent),
    (b'f', StartStep::Forbidden),
    (b'l', StartStep::Launch),
];

/// Starts a program with these descriptors as its standard input, output and error.
pub fn spawn(
    namespaces: &Namespaces,
    cgroup: &Cgroup,
    program: &Program<'_>,
    stdio: [RawFd; 3],
) -> Result<Spawned, AgentError> {
    let (report, report_end) = pipes::pipe("a start's report")?;
    let forked = match clone::fork_into(cgroup, 0) {
        Err(Errno::EAGAIN) => return Ok(Spawned::Failed(NO_PLACE.to_owned().into())),
        Err(source) => return Err(source).step(|| "clone3"),
        Ok(Fork::Child) => {
            let failure = match namespaces.enter() {
                Ok(()) => confine::become_job(program, &stdio),
                Err(failure) => (StartStep::Launch, failure),
            };
            if let Some(mut report) = clone::keep_report(&report_end) {
                let _ = report.write_all(&reported(failure));
            }
            exit(127)
        }
        Ok(Fork::Parent(forked)) => forked,
    };
    drop(report_end);
    // Ends when the program begins: its end of the pipe closes then.
    if is_stopped_before(&report, &forked)? {
        let _ = nix::sys::signal::kill(forked.pid, nix::sys::signal::SIGKILL);
        reap(&forked);
        return Ok(Spawned::Failed(STOPPED.to_owned().into()));
    }
    let mut said = Vec::new();
    File::from(report)
        .read_to_end(&mut said)
        .step(|| "read a start's report")?;
    match heard(&said) {
        None => Ok(Spawned::Running(forked)),
        Some(why) => {
            reap(&forked);
            Ok(Spawned::Failed(why))
        }
    }
}

/// What a child says of why it did not become the program.
fn reported((step, (what, errno)): (StartStep, SetupFailure)) -> Vec<u8> {
    let known = STEPS.iter().find(|(_, known)| *known == step);
    let mut report: Vec<u8> = known.map(|(byte, _)| *byte).into_iter().collect();
    report.extend_from_slice(format!("{what}: {}", errno.desc()).as_bytes());
    report
}

/// The same as it is heard; `None`: nothing was said.
fn heard(report: &[u8]) -> Option<NoStart> {
    let (first, rest) = report.split_first()?;
    let known = STEPS.iter().find(|(byte, _)| byte == first);
    Some(NoStart {
        step: known.map_or(StartStep::Launch, |(_, step)| *step),
        reason: String::from_utf8_lossy(rest).into_owned(),
    })
}

/// Whether the child is stopped before it has anything to report: it has the user of the sandbox's other programs,
/// which may signal it. The agent must not wait for one that waits for them.
fn is_stopped_before(report: &OwnedFd, forked: &Forked) -> Result<bool, AgentError> {
    loop {
        let mut fds = [PollFd::new(report.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, LOOK_MILLIS) {
            Ok(0) => {}
            Ok(_) => return Ok(false),
            Err(Errno::EINTR) => continue,
            Err(source) => return Err(source).step(|| "wait for a start's report"),
        }
        // SAFETY: all zeroes is a value of this plain C struct, which the kernel fills.
        let mut told: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let options = libc::WSTOPPED | libc::WNOHANG | libc::WNOWAIT | libc::__WALL;
        let pid = forked.pid.as_raw() as libc::id_t;
        // SAFETY: asks about a child of this process and writes one siginfo_t.
        let asked = unsafe { libc::waitid(libc::P_PID, pid, &raw mut told, options) };
        if asked == 0 && told.si_signo == libc::SIGCHLD {
            return Ok(true);
        }
    }
}

/// Starts `work` as the sandbox's user; it tells what came of it on the pipe whose reading end is given back. `None`:
/// the sandbox has no place for one more process.
pub fn spawn_work(
    sandbox: &Sandbox,
    lent: Option<OwnedFd>,
    work: impl FnOnce(File, Option<OwnedFd>),
) -> Result<Option<(Forked, OwnedFd)>, AgentError> {
    let (report, report_end) = pipes::pipe("a piece of work")?;
    match clone::fork_into(&sandbox.files_cgroup, 0) {
        Err(Errno::EAGAIN) => Ok(None),
        Err(source) => Err(source).step(|| "clone3"),
        Ok(Fork::Child) => {
            if become_user(&sandbox.namespaces).is_ok() {
                // Nothing is replaced by another program here, so nothing closes by itself: an end of a pipe that
                // stays open in this child would keep its reader waiting for more.
                let kept = std::iter::once(&report_end).chain(lent.as_ref());
                clone::close_all_but(&kept.map(AsRawFd::as_raw_fd).collect::<Vec<_>>());
                work(File::from(report_end), lent);
            }
            exit(0)
        }
        Ok(Fork::Parent(forked)) => Ok(Some((forked, report))),
    }
}

fn become_user(namespaces: &Namespaces) -> Result<(), SetupFailure> {
    namespaces.enter()?;
    nix::unistd::setsid().map_err(|errno| ("setsid", errno))?;
    identity::become_user(ProcessUser::Sandbox)
}

/// Waits for a child that has ended or is about to; its wait status.
pub fn reap(forked: &Forked) -> Option<i32> {
    let mut status = 0;
    loop {
        // SAFETY: waits for a child of this process and writes one int.
        let pid = unsafe { libc::waitpid(forked.pid.as_raw(), &raw mut status, libc::__WALL) };
        match Errno::result(pid) {
            Err(Errno::EINTR) => {}
            Err(_) => return None,
            Ok(_) => return Some(status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_child_reports_is_heard() {
        assert!(heard(b"").is_none());
        for (step, errno) in [
            (StartStep::Absent, Errno::ENOENT),
            (StartStep::Forbidden, Errno::EACCES),
            (StartStep::Launch, Errno::ENOMEM),
        ] {
            let why = heard(&reported((step, ("exec the program", errno)))).unwrap();
            assert_eq!(why.step, step);
            assert_eq!(why.reason, format!("exec the program: {}", errno.desc()));
        }
    }
}
