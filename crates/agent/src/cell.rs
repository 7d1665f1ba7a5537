//! One set of namespaces with one program in it, and the small init that holds it together.
//!
//! ```text
//!   agent (PID 1 of the VM)
//!     └ init   PID 1 of the cell's pid namespace: reaps orphans, tells how the program ended,
//!        │     then exits, whereupon the kernel kills whatever is left in the cell
//!        └ program   confined; its own session; descriptors 0, 1, 2 and those lent to it
//! ```
//!
//! The init is there because a program that is PID 1 itself would not die of its own signals.

use crate::cgroup::Cgroup;
use crate::confine::{self, Confinement, JOB_ID};
use crate::error::{AgentError, Step};
use crate::view;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fchown, pipe2};
use std::ffi::CString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// The report's descriptor in the init, out of the way of those that the program gets.
const REPORT_FD: RawFd = 128;

/// From <linux/sched.h>; the libc crate's is truncated to 32 bits.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// What to start.
pub struct Program<'a> {
    /// argv; the first is the path.
    pub argv: &'a [CString],
    /// The whole environment, `NAME=value` each.
    pub env: &'a [CString],
    /// Its walls.
    pub confinement: &'a Confinement,
    /// Becomes its descriptors 3, 4, …
    pub lent: &'a [BorrowedFd<'a>],
    /// Gets a pipe as standard input; `/dev/null` otherwise.
    pub stdin: bool,
    /// Its standard output goes where its standard error goes (compilers).
    pub merged: bool,
}

/// A running program, the agent's end of it. Dropped, everything in it is killed and reaped.
pub struct Cell {
    init: Pid,
    /// Readable once the program ended, or the whole cell is gone.
    pub report: File,
    /// Write end of its standard input.
    pub stdin: Option<OwnedFd>,
    /// Read end of its standard output; `None` once taken.
    pub stdout: Option<OwnedFd>,
    /// Read end of its standard error; `None` once taken.
    pub stderr: Option<OwnedFd>,
    reaped: bool,
}

/// How the program ended, as far as its init could tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The wait status of the program.
    Ended(i32),
    /// It never ran: which step of confining it failed.
    NotStarted {
        /// The step's name.
        step: String,
        /// The kernel's answer.
        errno: Errno,
    },
    /// The cell was killed as a whole.
    Killed,
}

impl Cell {
    /// Starts `program` inside `cgroup`.
    pub fn start(cgroup: &Cgroup, program: &Program<'_>) -> Result<Cell, AgentError> {
        let (report, report_end) = pipe("report", OFlag::O_CLOEXEC)?;
        let (stdout, stdout_end) = jobs_pipe("stdout")?;
        let (stderr, stderr_end) = jobs_pipe("stderr")?;
        let (stdin_end, stdin) = match program.stdin {
            true => jobs_pipe("stdin").map(|(read, write)| (read, Some(write)))?,
            false => (
                File::open("/dev/null").step(|| "open /dev/null")?.into(),
                None,
            ),
        };
        let printed_to = if program.merged {
            &stderr_end
        } else {
            &stdout_end
        };
        let stdio = [
            stdin_end.as_raw_fd(),
            printed_to.as_raw_fd(),
            stderr_end.as_raw_fd(),
        ];
        let Some(init) = clone_into(cgroup)? else {
            init_main(program, &stdio, &report_end);
        };
        for ours in [Some(&stdout), Some(&stderr), stdin.as_ref()]
            .into_iter()
            .flatten()
        {
            set_nonblocking(ours.as_fd())?;
        }
        Ok(Cell {
            init,
            report: File::from(report),
            stdin,
            stdout: Some(stdout),
            stderr: Some(stderr),
            reaped: false,
        })
    }

    /// What the init told once [`Cell::report`] is readable. Afterwards nothing of the cell runs
    /// any more, but for an init that may still be taking the namespaces down.
    pub fn outcome(&mut self) -> Result<Outcome, AgentError> {
        let mut text = [0u8; 256];
        let length = self
            .report
            .read(&mut text)
            .step(|| "read the init's report")?;
        let (outcome, alone) = parse_report(&String::from_utf8_lossy(&text[..length]));
        if !alone {
            self.kill();
            self.reap();
        }
        Ok(outcome)
    }

    /// Its init as the agent numbers it.
    pub fn init_pid(&self) -> i32 {
        self.init.as_raw()
    }

    /// Kills the init and with it, by the kernel, all of the cell.
    pub fn kill(&self) {
        let _ = nix::sys::signal::kill(self.init, nix::sys::signal::SIGKILL);
    }

    fn reap(&mut self) {
        while !self.reaped {
            match waitpid(self.init, Some(WaitPidFlag::__WALL)) {
                Err(Errno::EINTR) => {}
                _ => self.reaped = true,
            }
        }
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        if !self.reaped {
            self.kill();
            self.reap();
        }
    }
}

/// Makes a pipe, both ends close-on-exec.
pub fn pipe(what: &'static str, flags: OFlag) -> Result<(OwnedFd, OwnedFd), AgentError> {
    pipe2(flags | OFlag::O_CLOEXEC).step(|| format!("pipe for {what}"))
}

/// A pipe that the job's user may open again by its name in `/proc/self/fd`, as `/dev/stdout` is.
fn jobs_pipe(what: &'static str) -> Result<(OwnedFd, OwnedFd), AgentError> {
    let (read, write) = pipe(what, OFlag::O_CLOEXEC)?;
    // Of the pipe, whichever end it is done by.
    let job = (Some(JOB_ID.into()), Some(JOB_ID.into()));
    fchown(&read, job.0, job.1).step(|| format!("give the job its {what}"))?;
    Ok((read, write))
}

/// Makes reads and writes answer `EAGAIN` instead of waiting.
pub fn set_nonblocking(fd: BorrowedFd<'_>) -> Result<(), AgentError> {
    let flags = nix::fcntl::FcntlArg::F_SETFL(OFlag::O_NONBLOCK);
    nix::fcntl::fcntl(fd, flags).step(|| "O_NONBLOCK").map(drop)
}

/// `clone3` like a fork, into new namespaces and the cgroup; `None` in the child.
fn clone_into(cgroup: &Cgroup) -> Result<Option<Pid>, AgentError> {
    // SAFETY: all-zero is a valid clone_args; it is plain numbers.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    let namespaces = libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_NEWIPC;
    args.flags = namespaces as u64 | CLONE_INTO_CGROUP;
    args.exit_signal = libc::SIGCHLD as u64;
    args.cgroup = cgroup.folder().as_raw_fd() as u64;
    // SAFETY: without CLONE_VM the child gets a copy of this single-threaded process and goes on
    // on its own copy of the stack, as after fork. `args` outlives the call.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            &raw const args,
            size_of::<libc::clone_args>(),
        )
    };
    match Errno::result(pid).step(|| "clone3")? {
        0 => Ok(None),
        pid => Ok(Some(Pid::from_raw(pid as i32))),
    }
}

/// The init: lays out the view, starts the program, reaps until the program is gone.
fn init_main(program: &Program<'_>, stdio: &[RawFd; 3], report: &OwnedFd) -> ! {
    let Ok(report) = nix::fcntl::fcntl(report, nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(REPORT_FD))
    else {
        exit(1)
    };
    // SAFETY: just duplicated, so nothing else owns it.
    let mut report = unsafe { File::from_raw_fd(report) };
    let started = view::enter()
        // SAFETY: this process has one thread, so the child may go on with anything.
        .and_then(|()| unsafe { nix::unistd::fork() }.map_err(|errno| ("fork", errno)));
    let child = match started {
        Ok(ForkResult::Parent { child }) => child,
        Ok(ForkResult::Child) => {
            let (step, errno) = confine::become_job(program, stdio);
            tell_failure(&mut report, step, errno);
            exit(127)
        }
        Err((step, errno)) => {
            tell_failure(&mut report, step, errno);
            exit(1)
        }
    };
    if let Err((step, errno)) = retire(&report) {
        tell_failure(&mut report, step, errno);
        exit(1);
    }
    loop {
        match waitpid(None, Some(WaitPidFlag::__WALL)) {
            Ok(status) if status.pid() == Some(child) => {
                if let Some(raw) = raw_status(status) {
                    let word = if is_alone() { "alone" } else { "orphans" };
                    // One write, so that it is read whole.
                    let _ = report.write_all(format!("ended {raw} {word}\n").as_bytes());
                    exit(0);
                }
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => exit(1),
        }
    }
}

/// The init keeps nothing but its report: no descriptor, no capability.
fn retire(report: &File) -> Result<(), (&'static str, Errno)> {
    let number = report.as_raw_fd() as u32;
    // SAFETY: closes descriptors that nothing in this process uses again; the report stays open.
    unsafe {
        libc::close_range(0, number - 1, 0);
        libc::close_range(number + 1, u32::MAX, 0);
    }
    confine::drop_capabilities()
}

fn tell_failure(report: &mut File, step: &str, errno: Errno) {
    let _ = report.write_all(format!("failed {} {step}\n", errno as i32).as_bytes());
}

/// Says whether the program left no other process; all it left are this init's children now.
fn is_alone() -> bool {
    loop {
        match waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => return true,
            Ok(WaitStatus::StillAlive) | Err(_) => return false,
            // One that had ended already.
            Ok(_) => {}
        }
    }
}

/// Leaves without running anything of the agent's.
fn exit(code: i32) -> ! {
    // SAFETY: _exit takes any number and does not return.
    unsafe { libc::_exit(code) }
}

fn raw_status(status: WaitStatus) -> Option<i32> {
    match status {
        WaitStatus::Exited(_, code) => Some((code & 0xff) << 8),
        WaitStatus::Signaled(_, signal, _) => Some(signal as i32),
        _ => None,
    }
}

/// How the program ended, and whether it was the last in its cell.
fn parse_report(text: &str) -> (Outcome, bool) {
    for line in text.lines() {
        let mut words = line.splitn(3, ' ');
        let kind = words.next();
        let number = words.next().and_then(|number| number.parse().ok());
        let rest = words.next().unwrap_or_default();
        match (kind, number) {
            // What failed comes before the exit that follows from it.
            (Some("failed"), Some(errno)) => {
                let step = rest.to_owned();
                let errno = Errno::from_raw(errno);
                return (Outcome::NotStarted { step, errno }, false);
            }
            (Some("ended"), Some(status)) => return (Outcome::Ended(status), rest == "alone"),
            _ => {}
        }
    }
    (Outcome::Killed, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_back() {
        assert_eq!(parse_report(""), (Outcome::Killed, false));
        assert_eq!(
            parse_report("ended 768 alone\n"),
            (Outcome::Ended(768), true)
        );
        assert_eq!(
            parse_report("ended 9 orphans\n"),
            (Outcome::Ended(9), false)
        );
        let step = "mount proc".to_owned();
        assert_eq!(
            parse_report("failed 1 mount proc\nended 32512 alone\n"),
            (
                Outcome::NotStarted {
                    step,
                    errno: Errno::EPERM
                },
                false
            )
        );
    }
}
