//! Rights, and the parts of the host's kernel that ask for them.

use super::{
    Attack, Refused, SYS, Succeeds, attack, call, ends, every, invalid_is_allowed, uml, unproven,
};
use std::ffi::CString;

pub const ROWS: &[Attack] = &[
    unproven("mount", every(SYS), |_| {
        let root = CString::new("/")?;
        let at = root.as_ptr() as i64;
        call(libc::SYS_mount, [at, at, 0, libc::MS_BIND as i64, 0])
    }),
    unproven("unmount", every(SYS), |_| {
        call(libc::SYS_umount2, [c"/".as_ptr() as i64, 0, 0, 0, 0])
    }),
    attack("new-user-namespace", every(SYS), |_| {
        // A test's process has more than one thread: a mount namespace is what it could have.
        call(libc::SYS_unshare, [libc::CLONE_NEWNS as i64, 0, 0, 0, 0])
    }),
    attack("chroot", every(SYS), |_| {
        call(libc::SYS_chroot, [c"/".as_ptr() as i64, 0, 0, 0, 0])
    }),
    attack("become-root", every(SYS), |_| {
        call(libc::SYS_setuid, [0; 5])
    }),
    attack("bpf", every(SYS), |_| {
        call(libc::SYS_bpf, [0, 0, 0, 0, 0]).or_else(invalid_is_allowed)
    }),
    attack("kernel-log", every(SYS), |_| {
        call(libc::SYS_syslog, [10, 0, 0, 0, 0])
    }),
    attack("keyring", every(SYS), |_| {
        call(libc::SYS_keyctl, [0, -3, 0, 0, 0]).or_else(invalid_is_allowed)
    }),
    attack("io-uring", ends(Refused, SYS, SYS), |_| {
        call(libc::SYS_io_uring_setup, [0; 5]).or_else(invalid_is_allowed)
    }),
    attack("real-time-priority", every(SYS), |_| {
        call(libc::SYS_setpriority, [0, 0, -5, 0, 0])
    }),
    attack("raise-limits", ends(Refused, Refused, SYS), |_| {
        // A jail has 128.
        let more = libc::rlimit {
            rlim_cur: 256,
            rlim_max: 256,
        };
        let files = libc::RLIMIT_NOFILE as i64;
        call(
            libc::SYS_prlimit64,
            [0, files, (&raw const more) as i64, 0, 0],
        )
    }),
    unproven("push-into-a-terminal", ends(SYS, Refused, SYS), |_| {
        let key = c"x".as_ptr() as i64;
        call(libc::SYS_ioctl, [0, libc::TIOCSTI as i64, key, 0, 0])
    }),
    // A kernel's memory of the host's, for whoever asks.
    attack("grow-a-pipe", uml(Succeeds, SYS), |_| {
        call(
            libc::SYS_fcntl,
            [1, libc::F_SETPIPE_SZ as i64, 1 << 20, 0, 0],
        )
    }),
    #[cfg(target_arch = "x86_64")]
    unproven("call-of-another-machine", every(SYS), |_| {
        // getpid(2) as 32-bit programs ask for it: other numbers, which a list of numbers misreads.
        let mut number = 20i64;
        // SAFETY: it reads nothing and writes to one register.
        unsafe {
            std::arch::asm!("int 0x80", inout("rax") number, out("r8") _, out("r9") _, out("r10") _, out("r11") _)
        };
        match number {
            1.. => Ok(()),
            _ => Err(std::io::Error::from_raw_os_error(libc::ENOSYS)),
        }
    }),
];
