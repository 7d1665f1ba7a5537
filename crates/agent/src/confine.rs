//! The last steps of a program before its first instruction, in the child that becomes it.

use crate::cell::Program;
use crate::filter::Filter;
use crate::view::Failure;
use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask,
};
use protocol::wire::GuestLimits;
use std::os::fd::{AsRawFd, RawFd};

/// The job's uid and gid.
pub const JOB_ID: u32 = 10_000;
/// The highest capability number asked of the kernel; it refuses those it does not know.
const LAST_CAPABILITY: libc::c_ulong = 63;
/// No later step gives anything back. From <linux/securebits.h>: NOROOT, NOROOT_LOCKED,
/// KEEP_CAPS_LOCKED, NO_CAP_AMBIENT_RAISE, NO_CAP_AMBIENT_RAISE_LOCKED.
const SECUREBITS: libc::c_ulong = 1 | 1 << 1 | 1 << 5 | 1 << 6 | 1 << 7;

/// The walls of one program.
pub struct Confinement {
    /// Resource limits, soft and hard.
    pub rlimits: Vec<(Resource, u64, u64)>,
    /// System-call filters, all of which must allow a call.
    pub filters: Vec<Filter>,
}

/// The rlimits of a job.
pub fn rlimits(limits: &GuestLimits) -> Vec<(Resource, u64, u64)> {
    let same = |resource, value| (resource, value, value);
    vec![
        // A second more for a program that handles SIGXCPU; then it is killed.
        (
            Resource::RLIMIT_CPU,
            limits.cpu_seconds,
            limits.cpu_seconds.saturating_add(1),
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

/// Turns this process into the job; comes back only with what failed.
pub fn become_job(program: &Program<'_>, stdio: &[RawFd; 3]) -> Failure {
    match prepare(program, stdio) {
        Ok(()) => {}
        Err(failure) => return failure,
    }
    let Some(path) = program.argv.first() else {
        return ("exec", Errno::EINVAL);
    };
    match nix::unistd::execve(path, program.argv, program.env) {
        Ok(never) => match never {},
        Err(errno) => ("exec the program", errno),
    }
}

fn prepare(program: &Program<'_>, stdio: &[RawFd; 3]) -> Result<(), Failure> {
    nix::unistd::setsid().map_err(|e| ("setsid", e))?;
    lend(program, stdio)?;
    nix::unistd::chdir(protocol::language::WORK_DIR).map_err(|e| ("chdir", e))?;
    std::fs::write("/proc/self/oom_score_adj", "0").map_err(|e| {
        (
            "oom_score_adj",
            Errno::from_raw(e.raw_os_error().unwrap_or(libc::EIO)),
        )
    })?;
    for (resource, soft, hard) in &program.confinement.rlimits {
        setrlimit(*resource, *soft, *hard).map_err(|e| ("setrlimit", e))?;
    }
    drop_identity()?;
    default_signals()?;
    for filter in &program.confinement.filters {
        filter.install().map_err(|e| ("seccomp", e))?;
    }
    Ok(())
}

/// Puts stdio and the lent descriptors at 0, 1, 2, 3, …; all others close on exec.
fn lend(program: &Program<'_>, stdio: &[RawFd; 3]) -> Result<(), Failure> {
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

/// From root with everything to uid 10000 with nothing, for good.
fn drop_identity() -> Result<(), Failure> {
    prctl(libc::PR_SET_SECUREBITS, SECUREBITS).map_err(|e| ("securebits", e))?;
    empty_bounding_set()?;
    let (uid, gid) = (
        nix::unistd::Uid::from_raw(JOB_ID),
        nix::unistd::Gid::from_raw(JOB_ID),
    );
    nix::unistd::setgroups(&[]).map_err(|e| ("setgroups", e))?;
    nix::unistd::setresgid(gid, gid, gid).map_err(|e| ("setresgid", e))?;
    nix::unistd::setresuid(uid, uid, uid).map_err(|e| ("setresuid", e))?;
    drop_capabilities()
}

/// Gives up every capability of this process and any way to new ones.
pub fn drop_capabilities() -> Result<(), Failure> {
    const CLEAR_ALL: libc::c_ulong = libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong;
    prctl(libc::PR_CAP_AMBIENT, CLEAR_ALL).map_err(|e| ("ambient capabilities", e))?;
    // struct __user_cap_header_struct of version 3 (this process), and two of data, all zero.
    let header: [u32; 2] = [0x2008_0522, 0];
    let data = [0u32; 6];
    // SAFETY: both arrays have the layout and size that version 3 of capset reads.
    let result = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), data.as_ptr()) };
    Errno::result(result).map_err(|e| ("capset", e))?;
    nix::sys::prctl::set_no_new_privs().map_err(|e| ("no_new_privs", e))
}

fn empty_bounding_set() -> Result<(), Failure> {
    for capability in 0..=LAST_CAPABILITY {
        match prctl(libc::PR_CAPBSET_DROP, capability) {
            Ok(()) => {}
            // The first number that the kernel does not know.
            Err(Errno::EINVAL) => break,
            Err(errno) => return Err(("bounding set", errno)),
        }
    }
    Ok(())
}

/// The agent ignores SIGPIPE; a program expects the defaults.
fn default_signals() -> Result<(), Failure> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: sets a default disposition, no handler runs.
    unsafe { sigaction(Signal::SIGPIPE, &default) }.map_err(|e| ("sigaction", e))?;
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
        .map_err(|e| ("sigprocmask", e))
}

fn prctl(option: libc::c_int, argument: libc::c_ulong) -> nix::Result<()> {
    // SAFETY: the options used here take one number and no pointer.
    Errno::result(unsafe { libc::prctl(option, argument, 0, 0, 0) }).map(drop)
}
