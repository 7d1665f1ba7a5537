//! What the kernel still allows root is closed, loopback comes up, the agent is put out of reach.

use crate::error::report;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use std::os::fd::AsRawFd;

/// Settings written once, after the last module. A kernel that lacks one has nothing to close.
const SYSCTLS: &[(&str, &str)] = &[
    ("kernel/dmesg_restrict", "1"),
    ("kernel/kptr_restrict", "2"),
    ("kernel/unprivileged_bpf_disabled", "2"),
    ("kernel/perf_event_paranoid", "3"),
    ("kernel/yama/ptrace_scope", "2"),
    ("kernel/kexec_load_disabled", "1"),
    ("kernel/sysrq", "0"),
    ("kernel/core_pattern", "/dev/null/no-cores"),
    ("kernel/io_uring_disabled", "2"),
    ("kernel/unprivileged_userns_clone", "0"),
    ("kernel/ftrace_enabled", "0"),
    ("kernel/oops_limit", "1"),
    ("kernel/printk", "4 4 1 4"),
    ("net/core/bpf_jit_harden", "2"),
    // Only what ended a process: a profile's refusals would flood the log (see `audit`).
    (
        "kernel/seccomp/actions_logged",
        "kill_process kill_thread trap",
    ),
    ("vm/unprivileged_userfaultfd", "0"),
    ("vm/mmap_min_addr", "65536"),
    // What a program reserves is free; what it touches ends at the job's limit, and says so. The
    // default guesses, and a refused malloc would hide an allocation beyond memory as an exit code.
    ("vm/overcommit_memory", "1"),
    ("fs/protected_hardlinks", "1"),
    ("fs/protected_symlinks", "1"),
    ("fs/protected_fifos", "2"),
    ("fs/protected_regular", "2"),
    ("fs/suid_dumpable", "0"),
    ("user/max_user_namespaces", "0"),
    ("kernel/modprobe", "/nonexistent"),
    ("kernel/modules_disabled", "1"),
];

/// Carries all of it out. What fails is told on the console; the walls that a job's own
/// confinement puts up do not lean on any of it.
pub fn restrict() {
    for (name, value) in SYSCTLS {
        match std::fs::write(format!("/proc/sys/{name}"), value) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => report(&format_args!("sysctl {name}={value}: {error}")),
        }
    }
    if let Err(error) = std::fs::write("/proc/self/oom_score_adj", "-1000") {
        report(&format_args!("oom_score_adj: {error}"));
    }
    if let Err(error) = nix::sys::prctl::set_dumpable(false) {
        report(&format_args!("not dumpable: {error}"));
    }
    if let Err(error) = run_first() {
        report(&format_args!("run first: {error}"));
    }
    if let Err(error) = loopback_up() {
        report(&format_args!("lo up: {error}"));
    }
}

/// The agent runs as soon as it has something to do, whatever else would: so what a job writes is seen in the
/// order of writing, and its deadlines are kept. What it starts is scheduled as usual.
fn run_first() -> nix::Result<()> {
    let policy = libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK;
    // SAFETY: an all-zero sched_param is a valid value.
    let mut lowest: libc::sched_param = unsafe { std::mem::zeroed() };
    lowest.sched_priority = 1;
    // SAFETY: the kernel reads one sched_param, which lives on this stack.
    let result = unsafe { libc::sched_setscheduler(0, policy, &raw const lowest) };
    nix::errno::Errno::result(result).map(drop)
}

/// Programs talk to themselves over 127.0.0.1, and a resolver without a server is refused at
/// once instead of waiting: both need `lo`, the only interface there is.
fn loopback_up() -> nix::Result<()> {
    let socket = socket(
        AddressFamily::Inet,
        SockType::Datagram,
        SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    // SAFETY: an all-zero ifreq is a valid value; every field is a plain number or array.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (slot, byte) in request.ifr_name.iter_mut().zip(b"lo") {
        *slot = *byte as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the socket is open and the kernel reads one ifreq, which lives on this stack.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &request) };
    nix::errno::Errno::result(result).map(drop)
}
