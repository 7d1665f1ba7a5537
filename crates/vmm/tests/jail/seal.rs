//! What the kernel's `os_seal` does (`images/uml/0003-seal.patch`), for the program that stands for it.

use std::io::{Error, Result};
use std::os::fd::{FromRawFd, OwnedFd};

/// The size of a filter's instruction.
const INSTRUCTION: usize = size_of::<libc::sock_filter>();

/// Reads the filter from this descriptor, has it hold all threads, and closes the descriptor.
pub fn take(from: i32) -> Result<()> {
    // SAFETY: the jail put it there for this; nobody else in this program knows of it.
    let seal = unsafe { OwnedFd::from_raw_fd(from) };
    let (mut filter, mut buffer) = (Vec::new(), [0u8; 4096]);
    loop {
        match rustix::io::read(&seal, &mut buffer)? {
            0 => break,
            read => filter.extend_from_slice(&buffer[..read]),
        }
    }
    install(&filter)
}

/// Has a filter hold all threads of this process.
pub fn install(filter: &[u8]) -> Result<()> {
    let program = libc::sock_fprog {
        len: (filter.len() / INSTRUCTION) as u16,
        filter: filter.as_ptr().cast_mut().cast(),
    };
    let every_thread = libc::SECCOMP_FILTER_FLAG_TSYNC;
    // SAFETY: the kernel copies the program, which outlives the calls.
    let installed = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                every_thread,
                &raw const program,
            ) == 0
    };
    match installed {
        true => Ok(()),
        false => Err(Error::last_os_error()),
    }
}
