//! The two profiles that a kernel of User-Mode Linux is held by, call by call: a filter sees numbers only,
//! so each that it looks at is a row here.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod bpf;

use bpf::Call;
use seccomp::condition::Operator;
use seccomp::{Arch, Profile, Program};

/// The kernel's `SECCOMP_RET_ALLOW`.
const ALLOW: u32 = 0x7fff_0000;

const STUB: u64 = (libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD) as u64;
const SETOPTIONS: u64 = libc::PTRACE_SETOPTIONS as u64;
const SUSPEND_SECCOMP: u64 = 1 << 21;
const EMPTY_PATH: u64 = libc::AT_EMPTY_PATH as u64;

/// What a kernel that has sealed itself, and its stubs, still ask for.
const ALLOWED: &[(&str, [u64; 6])] = &[
    ("clone", [STUB, 0, 0, 0, 0, 0]),
    ("execveat", [5, 0, 0, 0, EMPTY_PATH, 0]),
    ("ptrace", [libc::PTRACE_TRACEME as u64, 0, 0, 0, 0, 0]),
    ("ptrace", [SETOPTIONS, 7, 0, 1, 0, 0]),
    ("ptrace", [31, 7, 0, 0, 0, 0]),
    ("prctl", [libc::PR_SET_PDEATHSIG as u64, 9, 0, 0, 0, 0]),
    ("prctl", [libc::PR_SET_NO_NEW_PRIVS as u64, 1, 0, 0, 0, 0]),
    ("socketpair", [1, 1, 0, 0, 0, 0]),
    ("fallocate", [5, 3, 0, 4096, 0, 0]),
    ("fcntl", [3, libc::F_SETFL as u64, 0, 0, 0, 0]),
    // The disk's thread starts when it is scheduled, which may be after the seal.
    ("rseq", [0; 6]),
    ("time", [0; 6]),
    ("set_robust_list", [0; 6]),
];

/// What it is killed for.
const KILLED: &[(&str, [u64; 6])] = &[
    ("clone", [STUB | libc::CLONE_NEWUSER as u64, 0, 0, 0, 0, 0]),
    ("clone", [STUB | libc::CLONE_THREAD as u64, 0, 0, 0, 0, 0]),
    ("clone", [STUB | 1 << 32, 0, 0, 0, 0, 0]),
    ("clone", [libc::SIGCHLD as u64, 0, 0, 0, 0, 0]),
    ("clone3", [0; 6]),
    ("fork", [0; 6]),
    ("execve", [0; 6]),
    ("execveat", [5, 0, 0, 0, 0, 0]),
    ("execveat", [5, 0, 0, 0, EMPTY_PATH | 0x100, 0]),
    ("ptrace", [libc::PTRACE_ATTACH as u64, 7, 0, 0, 0, 0]),
    ("ptrace", [0x4206, 7, 0, 0, 0, 0]),
    ("ptrace", [libc::PTRACE_PEEKDATA as u64, 7, 0, 0, 0, 0]),
    ("ptrace", [libc::PTRACE_POKEDATA as u64, 7, 0, 0, 0, 0]),
    ("ptrace", [SETOPTIONS, 7, 0, 1 | SUSPEND_SECCOMP, 0, 0]),
    ("ptrace", [SETOPTIONS, 7, 0, 1 | 1 << 32, 0, 0]),
    ("prctl", [libc::PR_SET_PDEATHSIG as u64, 0, 0, 0, 0, 0]),
    ("prctl", [libc::PR_SET_PDEATHSIG as u64, 15, 0, 0, 0, 0]),
    (
        "prctl",
        [libc::PR_SET_PDEATHSIG as u64, 9 | 1 << 32, 0, 0, 0, 0],
    ),
    ("prctl", [libc::PR_SET_DUMPABLE as u64, 1, 0, 0, 0, 0]),
    ("prctl", [libc::PR_SET_SECCOMP as u64, 2, 0, 0, 0, 0]),
    ("seccomp", [1, 0, 0, 0, 0, 0]),
    ("socket", [1, 1, 0, 0, 0, 0]),
    ("socketpair", [libc::AF_TIPC as u64, 1, 0, 0, 0, 0]),
    ("socketpair", [1, libc::SOCK_DGRAM as u64, 0, 0, 0, 0]),
    ("sendmsg", [0; 6]),
    ("recvmsg", [0; 6]),
    ("open", [0; 6]),
    ("openat", [0; 6]),
    ("memfd_create", [0; 6]),
    ("ftruncate", [0; 6]),
    ("fallocate", [5, 0, 0, 4096, 0, 0]),
    ("fcntl", [3, libc::F_SETPIPE_SZ as u64, 0, 0, 0, 0]),
    ("fcntl", [3, libc::F_ADD_SEALS as u64, 0, 0, 0, 0]),
    ("ioctl", [0, libc::TIOCSTI, 0, 0, 0, 0]),
    ("ioctl", [0, libc::TCSETS, 0, 0, 0, 0]),
    ("pidfd_open", [0; 6]),
    ("process_vm_readv", [0; 6]),
    ("setsid", [0; 6]),
    ("prlimit64", [0; 6]),
];

fn compiled(name: &str) -> Program {
    let profile = Profile::builtin(name).unwrap();
    profile.compile_for(Arch::X86_64).unwrap()
}

fn passes(program: &Program, call: &str, args: [u64; 6]) -> bool {
    let number = Arch::X86_64.number(call).unwrap();
    bpf::run(program, &Call::new(number, args)) == ALLOW
}

#[test]
fn a_sealed_kernel_may_what_the_table_says() {
    let sealed = compiled(seccomp::builtin::UML);
    for (rows, expected) in [(ALLOWED, true), (KILLED, false)] {
        for (call, args) in rows {
            assert_eq!(passes(&sealed, call, *args), expected, "{call} {args:x?}");
        }
    }
}

/// Both filters hold a sealed kernel: what the first does not let through, the second need not allow.
#[test]
fn what_a_sealed_kernel_may_it_may_from_its_start_on() {
    let starting = compiled(seccomp::builtin::UML_START);
    for filter in Profile::builtin(seccomp::builtin::UML).unwrap().filters {
        let mut args = [0u64; 6];
        for condition in &filter.conditions {
            assert_eq!(condition.op, Operator::Eq, "{}", filter.syscall);
            args[usize::from(condition.index)] = condition.val;
        }
        assert!(
            passes(&starting, &filter.syscall, args),
            "{}",
            filter.syscall
        );
    }
}
