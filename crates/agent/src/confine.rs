//! The last steps of a program before its first instruction, in the child that becomes it.

use crate::error::SetupFailure;
use crate::filter::Filter;
use crate::identity;
use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask,
};
use protocol::supervisor::{ProcessLimits, ProcessUser, StartStep};
use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

/// What to start.
pub struct Program<'a> {
    /// argv; the first is the path, or a name to be looked for in `PATH`.
    pub argv: &'a [CString],
    /// The whole environment, `NAME=value` each.
    pub env: &'a [CString],
    /// The folder that it starts in.
    pub cwd: &'a CStr,
    /// Its walls.
    pub confinement: &'a Confinement,
    /// Becomes its descriptors 3, 4, …
    pub lent: &'a [BorrowedFd<'a>],
    /// Its standard input is a terminal, and becomes the one that controls it.
    pub terminal: bool,
}

/// The walls of one program.
pub struct Confinement {
    /// Resource limits, soft and hard.
    pub rlimits: Vec<(Resource, u64, u64)>,
    /// System-call filters, all of which must allow a call.
    pub filters: Vec<Filter>,
    /// As whom it runs.
    pub user: ProcessUser,
}

/// The rlimits of a process.
pub fn rlimits(limits: &ProcessLimits) -> Vec<(Resource, u64, u64)> {
    let same = |resource, value| (resource, value, value);
    // 0: no bound (RLIM_INFINITY).
    let cpu_seconds = match limits.cpu_seconds {
        0 => u64::MAX,
        seconds => seconds,
    };
    vec![
        // A second more for a program that handles SIGXCPU; then it is killed.
        (
            Resource::RLIMIT_CPU,
            cpu_seconds,
            cpu_seconds.saturating_add(1),
        ),
        same(Resource::RLIMIT_NOFILE, limits.open_files),
        same(Resource::RLIMIT_FSIZE, limits.file_size_bytes),
        same(Resource::RLIMIT_CORE, 0),
        same(Resource::RLIMIT_MEMLOCK, 8 << 20),
        same(Resource::RLIMIT_MSGQUEUE, 819_200),
        // The cgroup's pids limit is reached first and counts what it refuses.
        same(
            Resource::RLIMIT_NPROC,
            limits.pids.saturating_mul(2).saturating_add(64),
        ),
        same(Resource::RLIMIT_NICE, 0),
        same(Resource::RLIMIT_RTPRIO, 0),
    ]
}

/// Sets a limit of another process, soft and hard; where it is gone, nothing happens.
pub fn set_limit_of(pid: i32, resource: Resource, soft: u64, hard: u64) -> nix::Result<()> {
    let limit = libc::rlimit {
        rlim_cur: soft,
        rlim_max: hard,
    };
    // SAFETY: the kernel reads one rlimit from this stack and writes none back.
    let set = unsafe { libc::prlimit(pid, resource as _, &raw const limit, std::ptr::null_mut()) };
    match Errno::result(set) {
        Ok(_) | Err(Errno::ESRCH) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Turns this process into the job; comes back only with what failed.
pub fn become_job(program: &Program<'_>, stdio: &[RawFd; 3]) -> (StartStep, SetupFailure) {
    match prepare(program, stdio) {
        Ok(()) => {}
        Err(failure) => return (StartStep::Launch, failure),
    }
    let Some(name) = program.argv.first() else {
        return (StartStep::Launch, ("exec", Errno::EINVAL));
    };
    let mut failure = Errno::ENOENT;
    for path in candidates(name, program.env) {
        failure = match nix::unistd::execve(&path, program.argv, program.env) {
            Ok(never) => match never {},
            // As shells do: what cannot be run is not the answer while another folder may have it.
            Err(Errno::ENOENT | Errno::ENOTDIR) => failure,
            Err(errno) => errno,
        };
        if !matches!(failure, Errno::ENOENT | Errno::EACCES) {
            break;
        }
    }
    (of_exec(failure), ("exec the program", failure))
}

/// What execve(2) could not do, as env(1) tells it apart.
fn of_exec(errno: Errno) -> StartStep {
    match errno {
        Errno::ENOENT | Errno::ENOTDIR => StartStep::Absent,
        Errno::EACCES | Errno::EPERM | Errno::ENOEXEC | Errno::EISDIR | Errno::ETXTBSY => {
            StartStep::Forbidden
        }
        _ => StartStep::Launch,
    }
}

/// Where a program may be: at its path, or under its name in the folders of its own `PATH`.
fn candidates(name: &CStr, env: &[CString]) -> Vec<CString> {
    if name.to_bytes().contains(&b'/') {
        return vec![name.to_owned()];
    }
    let path = env
        .iter()
        .find_map(|it| it.to_bytes().strip_prefix(b"PATH="));
    let folders = path.unwrap_or_default().split(|byte| *byte == b':');
    folders
        .filter(|folder| !folder.is_empty())
        .filter_map(|folder| CString::new([folder, b"/", name.to_bytes()].concat()).ok())
        .collect()
}

fn prepare(program: &Program<'_>, stdio: &[RawFd; 3]) -> Result<(), SetupFailure> {
    nix::unistd::setsid().map_err(|e| ("setsid", e))?;
    lend(program, stdio)?;
    if program.terminal {
        // SAFETY: takes one number; standard input is a terminal's end, and this process leads a new session.
        let taken = unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) };
        Errno::result(taken).map_err(|e| ("controlling terminal", e))?;
    }
    std::fs::write("/proc/self/oom_score_adj", "0").map_err(|e| {
        (
            "oom_score_adj",
            Errno::from_raw(e.raw_os_error().unwrap_or(libc::EIO)),
        )
    })?;
    for (resource, soft, hard) in &program.confinement.rlimits {
        setrlimit(*resource, *soft, *hard).map_err(|e| ("setrlimit", e))?;
    }
    identity::become_user(program.confinement.user)?;
    // As the user that it runs as: root would come into any folder.
    nix::unistd::chdir(program.cwd).map_err(|e| ("change to its folder", e))?;
    default_signals()?;
    for filter in &program.confinement.filters {
        filter.install().map_err(|e| ("seccomp", e))?;
    }
    Ok(())
}

/// Puts stdio and the lent descriptors at 0, 1, 2, 3, …; all others close on exec.
fn lend(program: &Program<'_>, stdio: &[RawFd; 3]) -> Result<(), SetupFailure> {
    let lent = program.lent.iter().map(|fd| fd.as_raw_fd());
    let sources: Vec<RawFd> = stdio.iter().copied().chain(lent).collect();
    let count = sources.len() as RawFd;
    let mut moved = Vec::with_capacity(sources.len());
    for source in sources {
        // First out of the way of the numbers to fill.
        // SAFETY: duplicates an open descriptor; the kernel picks a free number.
        let copy = unsafe { libc::fcntl(source, libc::F_DUPFD_CLOEXEC, 64) };
        moved.push(Errno::result(copy).map_err(|e| ("fcntl", e))?);
    }
    for (target, source) in moved.into_iter().enumerate() {
        // SAFETY: overwrites low descriptors of this child, which nothing here uses again; the
        // init's report has a high number.
        let result = unsafe { libc::dup2(source, target as RawFd) };
        Errno::result(result).map_err(|e| ("dup2", e))?;
    }
    // SAFETY: only marks descriptors.
    let marked =
        unsafe { libc::close_range(count as u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC as i32) };
    Errno::result(marked)
        .map(drop)
        .map_err(|e| ("close_range", e))
}

/// The agent ignores SIGPIPE; a program expects the defaults.
fn default_signals() -> Result<(), SetupFailure> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: sets a default disposition, no handler runs.
    unsafe { sigaction(Signal::SIGPIPE, &default) }.map_err(|e| ("sigaction", e))?;
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
        .map_err(|e| ("sigprocmask", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_for_in_its_own_path() {
        let env = |text: &str| vec![c"A=1".to_owned(), CString::new(text).unwrap()];
        for (name, path, expected) in [
            (
                c"ls",
                "PATH=/bin:/usr/bin",
                vec![c"/bin/ls", c"/usr/bin/ls"],
            ),
            (c"ls", "PATH=::/bin:", vec![c"/bin/ls"]),
            (c"ls", "NOPATH=/bin", vec![]),
            (c"./ls", "PATH=/bin", vec![c"./ls"]),
        ] {
            assert_eq!(candidates(name, &env(path)), expected, "{name:?} {path}");
        }
    }
}
