//! Processes: others', and new ones.

use super::{
    Attack, Refused, SYS, Succeeds, Targets, attack, call, ends, every, not_starting, sealed, uml,
    unproven,
};
use std::io::{Error, Result};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

/// What a stub is cloned with: it shares its parent's memory until it becomes a program, and its parent
/// waits for that.
const STUB: libc::c_int = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;

/// Traces without stopping; libc has no name for it.
const PTRACE_SEIZE: i64 = 0x4206;

/// Lets a process that is traced make calls that its filter forbids (ptrace(2)).
const PTRACE_O_SUSPEND_SECCOMP: i64 = 1 << 21;

pub const ROWS: &[Attack] = &[
    unproven("exec-shell", ends(Refused, Refused, SYS), |_| {
        use std::os::unix::process::CommandExt;
        Err(std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg("echo gave way")
            .exec())
    }),
    // The filter sees a flag and no path. There is one program to find, the kernel.
    unproven("exec-shell-as-stub", uml(Refused, Refused), |_| {
        execveat(libc::AT_FDCWD, "/bin/sh", libc::AT_EMPTY_PATH)
    }),
    // The kernel's own program may be executed again: behind a seal it gets no further than its loader.
    unproven("exec-itself-as-stub", sealed(SYS), |_| {
        let program = std::env::args().next().unwrap();
        execveat(libc::AT_FDCWD, &program, libc::AT_EMPTY_PATH)
    }),
    unproven("exec-by-path", sealed(SYS), |_| {
        execveat(libc::AT_FDCWD, "/bin/sh", 0)
    }),
    // The guest's memory is open for writing, and such a file is no program.
    unproven("exec-guest-memory", uml(Refused, Refused), |t| {
        execveat(t.ram()?.as_raw_fd(), "", libc::AT_EMPTY_PATH)
    }),
    unproven("fork", not_starting(SYS, SYS), |_| {
        call(libc::SYS_fork, [0; 5])
    }),
    attack("vfork-by-clone", not_starting(SYS, SYS), |_| {
        let child = std::process::Command::new("/bin/true").spawn();
        child.and_then(|mut child| child.wait()).map(drop)
    }),
    unproven("clone-with-a-namespace", ends(SYS, Refused, SYS), |_| {
        clone(libc::CLONE_NEWUSER | libc::SIGCHLD)
    }),
    unproven("stub-with-a-namespace", ends(SYS, Refused, SYS), |_| {
        clone(STUB | libc::CLONE_NEWNS)
    }),
    unproven("clone-a-thread", sealed(SYS), |_| {
        clone(libc::CLONE_VM | libc::CLONE_SIGHAND | libc::CLONE_THREAD)
    }),
    unproven("clone3", ends(Refused, Refused, SYS), |_| {
        call(libc::SYS_clone3, [0; 5])
    }),
    attack("many-threads", ends(Refused, Refused, SYS), |_| {
        many_threads()
    }),
    unproven("many-stubs", uml(Refused, Refused), |_| many_stubs()),
    attack("ptrace", ends(SYS, Refused, SYS), |t| {
        ptrace(libc::PTRACE_ATTACH.into(), t, 0)
    }),
    attack("ptrace-seize", ends(SYS, Refused, SYS), |t| {
        ptrace(PTRACE_SEIZE, t, 0)
    }),
    // A request of the kernel's own, with a process that is not its child.
    unproven("ptrace-registers", ends(SYS, Refused, Refused), |t| {
        ptrace(libc::PTRACE_GETREGS.into(), t, 0)
    }),
    unproven("ptrace-memory", ends(SYS, Refused, SYS), |t| {
        ptrace(libc::PTRACE_PEEKDATA.into(), t, 0)
    }),
    unproven("ptrace-without-filter", ends(SYS, Refused, SYS), |t| {
        ptrace(libc::PTRACE_SETOPTIONS.into(), t, PTRACE_O_SUSPEND_SECCOMP)
    }),
    unproven("process-vm-readv", every(SYS), |t| {
        call(libc::SYS_process_vm_readv, [t.pid(), 0, 0, 0, 0])
    }),
    // A kernel signals its own processes; no other has a number in its namespace.
    attack("signal", ends(SYS, Refused, Refused), |t| {
        call(libc::SYS_kill, [t.pid(), 0, 0, 0, 0])
    }),
    unproven("signal-everyone", ends(SYS, Refused, Refused), |_| {
        call(libc::SYS_kill, [-1, libc::SIGKILL.into(), 0, 0, 0])
    }),
    attack("signal-thread", every(Refused), |t| {
        call(libc::SYS_tgkill, [t.pid(), t.pid(), 0, 0, 0])
    }),
    attack("signal-by-pidfd", every(SYS), |t| {
        call(libc::SYS_pidfd_open, [t.pid(), 0, 0, 0, 0])
    }),
    attack("signal-by-descriptor", every(Refused), |t| {
        call(libc::SYS_fcntl, [1, libc::F_SETOWN.into(), t.pid(), 0, 0])
    }),
    attack("move-to-another-cpu", every(Refused), |t| {
        let all = [u8::MAX; 128];
        let set = (&raw const all) as i64;
        call(
            libc::SYS_sched_setaffinity,
            [t.pid(), size_of_val(&all) as i64, set, 0, 0],
        )
    }),
    // A stub asks to die with its kernel; who asks for less could outlive its tool.
    unproven("outlive-its-parent", uml(Succeeds, SYS), |_| {
        call(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG.into(), 0, 0, 0, 0])
    }),
];

fn execveat(folder: libc::c_int, path: &str, flags: libc::c_int) -> Result<()> {
    let path = std::ffi::CString::new(path)?;
    let arguments = [path.as_ptr(), std::ptr::null()];
    call(
        libc::SYS_execveat,
        [
            folder.into(),
            path.as_ptr() as i64,
            arguments.as_ptr() as i64,
            0,
            flags.into(),
        ],
    )
}

fn ptrace(request: i64, t: &Targets, data: i64) -> Result<()> {
    call(libc::SYS_ptrace, [request, t.pid(), 0, data, 0])
}

/// A child that came of it ends at once.
fn clone(flags: libc::c_int) -> Result<()> {
    extern "C" fn end(_: *mut libc::c_void) -> libc::c_int {
        0
    }
    clone_into(flags, end, std::ptr::null_mut())
}

/// With a stack of its own, for it may share this one's memory.
fn clone_into(
    flags: libc::c_int,
    run: extern "C" fn(*mut libc::c_void) -> libc::c_int,
    argument: *mut libc::c_void,
) -> Result<()> {
    let stack = vec![0u128; 1 << 12].leak();
    // SAFETY: the stack is as long as its process lives; `run` is given what it expects.
    match unsafe { libc::clone(run, stack.as_mut_ptr_range().end.cast(), flags, argument) } {
        -1 => Err(Error::last_os_error()),
        _ => Ok(()),
    }
}

fn many_threads() -> Result<()> {
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let stopped = std::sync::Arc::new(std::sync::Mutex::new(stopped));
    let threads: Result<Vec<_>> = (0..100)
        .map(|_| {
            let wait = stopped.clone();
            let builder = std::thread::Builder::new().stack_size(64 << 10);
            builder.spawn(move || drop(wait.lock().map(|gate| gate.recv())))
        })
        .collect();
    drop(stop);
    threads.map(drop)
}

/// What a chain of processes shares, each of which waits for the next one's end.
#[derive(Default)]
struct Chain {
    length: AtomicU32,
    error: AtomicI32,
}

/// As many as a jail lets there be; each is cloned as a stub is.
fn many_stubs() -> Result<()> {
    extern "C" fn next(chain: *mut libc::c_void) -> libc::c_int {
        // SAFETY: `many_stubs` owns it and waits for this process.
        let shared = unsafe { &*chain.cast::<Chain>() };
        if shared.length.fetch_add(1, Ordering::Relaxed) < 100
            && let Err(e) = clone_into(STUB, next, chain)
        {
            shared
                .error
                .store(e.raw_os_error().unwrap_or(0), Ordering::Relaxed);
        }
        0
    }
    let mut chain = Chain::default();
    next((&raw mut chain).cast());
    match chain.error.into_inner() {
        0 => Ok(()),
        error => Err(Error::from_raw_os_error(error)),
    }
}
