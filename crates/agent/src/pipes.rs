//! Pipes between the agent and what it starts.

use crate::error::{AgentError, Step};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::{fchown, pipe2};
use protocol::environment::JOB_ID;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Makes a pipe, both ends close-on-exec: the reading end, then the writing one.
pub fn pipe(what: &'static str) -> Result<(OwnedFd, OwnedFd), AgentError> {
    pipe2(OFlag::O_CLOEXEC).step(|| format!("pipe for {what}"))
}

/// What a program reads: its end, then ours, which does not block.
pub fn input(what: &'static str) -> Result<(OwnedFd, OwnedFd), AgentError> {
    let (theirs, ours) = programs_pipe(what)?;
    set_nonblocking(ours.as_fd())?;
    Ok((theirs, ours))
}

/// What a program writes: our end, which does not block, then its.
pub fn output(what: &'static str) -> Result<(OwnedFd, OwnedFd), AgentError> {
    let (ours, theirs) = programs_pipe(what)?;
    set_nonblocking(ours.as_fd())?;
    Ok((ours, theirs))
}

/// A pipe that a program may open again by its name in `/proc/self/fd`, as `/dev/stdout` is.
fn programs_pipe(what: &'static str) -> Result<(OwnedFd, OwnedFd), AgentError> {
    let (read, write) = pipe(what)?;
    // Of the pipe, whichever end it is done by.
    let owner = (Some(JOB_ID.into()), Some(JOB_ID.into()));
    fchown(&read, owner.0, owner.1).step(|| format!("give a program its {what}"))?;
    Ok((read, write))
}

/// Makes reads and writes answer `EAGAIN` instead of waiting.
pub fn set_nonblocking(fd: BorrowedFd<'_>) -> Result<(), AgentError> {
    let flags = FcntlArg::F_SETFL(OFlag::O_NONBLOCK);
    fcntl(fd, flags).step(|| "O_NONBLOCK").map(drop)
}
