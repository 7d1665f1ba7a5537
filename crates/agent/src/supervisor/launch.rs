//! From what the host asks for to a running process: its folder's cgroup, its pipes or its terminal, its walls.

use super::input::{Input, InputKind};
use super::process::{Ends, Process, set_size};
use super::sandbox::{CGROUP, Sandbox};
use super::spawn::{NoStart, Spawned, spawn};
use crate::cgroup::Cgroup;
use crate::confine::{Confinement, Program, rlimits};
use crate::devices::JOB_DEV;
use crate::error::{AgentError, Step};
use crate::filter::Filter;
use crate::identity;
use crate::pipes;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::fchown;
use protocol::supervisor::{OutputKind, StartProcess, TerminalSize};
use std::ffi::{CString, NulError};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

/// How a start went.
pub enum Launched {
    /// It runs, under this number.
    Running(u32),
    /// It did not come to that, for a reason of the request's.
    Refused(NoStart),
}

/// Both ends of what a process is given.
struct Stdio {
    /// The process': standard input, output and error.
    theirs: [OwnedFd; 3],
    /// The process': for orders and answers, where it has them.
    lent: Vec<OwnedFd>,
    ours: Ends,
}

/// Starts it in the sandbox; `Err` inside: it did not come to that, for a reason of the request's.
pub fn launch(
    start: &StartProcess,
    sandbox: &Sandbox,
) -> Result<Result<Process, NoStart>, AgentError> {
    let Ok((argv, env, cwd)) = words(start) else {
        let reason = "a NUL byte where the kernel wants none".to_owned();
        return Ok(Err(reason.into()));
    };
    let cgroup = Cgroup::create(&format!("{CGROUP}/p{}", start.process))?;
    cgroup.limit(start.limits.memory_bytes, start.limits.pids)?;
    let stdio = match start.terminal {
        Some(size) => terminal(start, size),
        None => piped(start),
    };
    // A program may have taken all terminals there are.
    let stdio = match stdio {
        Ok(stdio) => stdio,
        Err(error) => return Ok(Err(error.to_string().into())),
    };
    let lent: Vec<_> = stdio.lent.iter().map(AsFd::as_fd).collect();
    let program = Program {
        argv: &argv,
        env: &env,
        cwd: &cwd,
        confinement: &Confinement {
            rlimits: rlimits(&start.limits),
            user: start.user,
            filters: std::iter::once(Filter::baseline())
                .chain(Filter::from_words(&sandbox.seccomp_program))
                .collect(),
        },
        lent: &lent,
        terminal: start.terminal.is_some(),
    };
    let fds = [0, 1, 2].map(|place: usize| stdio.theirs[place].as_raw_fd());
    match spawn(&sandbox.namespaces, &cgroup, &program, fds)? {
        Spawned::Running(forked) => Ok(Ok(Process::new(start, forked, cgroup, stdio.ours))),
        Spawned::Failed(why) => Ok(Err(why)),
    }
}

/// Arguments, variables and folder as the kernel wants them.
fn words(start: &StartProcess) -> Result<(Vec<CString>, Vec<CString>, CString), NulError> {
    let argv = start.argv.iter().map(|word| CString::new(word.as_str()));
    let env = start.env.iter();
    let env = env.map(|(name, value)| CString::new(format!("{name}={value}")));
    let cwd = CString::new(start.cwd.as_str())?;
    Ok((
        argv.collect::<Result<_, _>>()?,
        env.collect::<Result<_, _>>()?,
        cwd,
    ))
}

fn piped(start: &StartProcess) -> Result<Stdio, AgentError> {
    let mut inputs = Vec::new();
    let stdin = match start.stdin {
        Some(stream) => {
            let (theirs, ours) = pipes::input("stdin")?;
            inputs.push(Input::new(InputKind::Stdin, stream, ours));
            theirs
        }
        None => File::open("/dev/null").step(|| "open /dev/null")?.into(),
    };
    let (stdout, stdout_end) = pipes::output("stdout")?;
    let (stderr, stderr_end) = pipes::output("stderr")?;
    let mut stdio = Stdio {
        theirs: [stdin, stdout_end, stderr_end],
        lent: vec![],
        ours: Ends {
            outputs: vec![(OutputKind::Stdout, stdout), (OutputKind::Stderr, stderr)],
            inputs,
            terminal: None,
        },
    };
    if let Some(stream) = start.orders {
        let (orders_end, orders) = pipes::input("orders")?;
        let (answers, answers_end) = pipes::output("answers")?;
        stdio.lent = vec![orders_end, answers_end];
        let orders = Input::new(InputKind::Orders, stream, orders);
        stdio.ours.inputs.push(orders);
        for kind in OutputKind::lanes(start.lanes) {
            let (ours, theirs) = pipes::output("a lane")?;
            stdio.lent.push(theirs);
            stdio.ours.outputs.push((kind, ours));
        }
        // The last of the outputs: see `Process::read`.
        stdio.ours.outputs.push((OutputKind::Control, answers));
    }
    Ok(stdio)
}

/// A terminal of those that the sandbox sees below `/dev/pts`.
fn terminal(start: &StartProcess, size: TerminalSize) -> Result<Stdio, AgentError> {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    let path = format!("{JOB_DEV}/pts/ptmx");
    let ours = open(path.as_str(), flags, Mode::empty()).step(|| format!("open {path}"))?;
    let unlocked: libc::c_int = 0;
    // SAFETY: the kernel reads one int, which lives on this stack.
    let unlock = unsafe { libc::ioctl(ours.as_raw_fd(), libc::TIOCSPTLCK, &raw const unlocked) };
    Errno::result(unlock).step(|| "unlock a terminal")?;
    let peer = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: takes one number and gives a new descriptor, or an error.
    let theirs = unsafe { libc::ioctl(ours.as_raw_fd(), libc::TIOCGPTPEER, peer) };
    let theirs = Errno::result(theirs).step(|| "open a terminal's other end")?;
    // SAFETY: the kernel has just made it for us; nothing else owns it.
    let theirs = unsafe { OwnedFd::from_raw_fd(theirs) };
    // By its name, as `tmux` and `script` open it.
    fchown(&theirs, Some(identity::uid(start.user)), None).step(|| "give the terminal away")?;
    set_size(ours.as_fd(), size)?;
    let clone = |fd: &OwnedFd| fd.try_clone().step(|| "duplicate a terminal");
    let inputs = match start.stdin {
        Some(stream) => vec![Input::new(InputKind::Terminal, stream, clone(&ours)?)],
        None => vec![],
    };
    Ok(Stdio {
        theirs: [clone(&theirs)?, clone(&theirs)?, theirs],
        lent: vec![],
        ours: Ends {
            inputs,
            terminal: Some(clone(&ours)?),
            outputs: vec![(OutputKind::Terminal, ours)],
        },
    })
}
