//! Memory: too much of it, and code in it.

use super::{Attack, Killed, attack, every};

pub const ROWS: &[Attack] = &[
    attack("much-memory", every(Killed(libc::SIGKILL)), |_| {
        let mut pages = vec![0u8; 512 << 20];
        for byte in pages.iter_mut().step_by(4096) {
            *byte = 1;
        }
        std::hint::black_box(&pages);
        Ok(())
    }),
    // A VMM that translates, and a kernel whose guest's programs run beside it, cannot do without memory
    // that can be executed. What runs there meets the same filter.
    #[cfg(target_arch = "x86_64")]
    attack("code-of-its-own", every(super::SYS), |_| own_code()),
    #[cfg(target_arch = "x86_64")]
    super::unproven(
        "code-in-guest-memory",
        super::uml(super::SYS, super::SYS),
        |t| {
            use std::os::fd::AsRawFd;
            run_code(libc::MAP_SHARED, t.ram()?.as_raw_fd())
        },
    ),
];

#[cfg(target_arch = "x86_64")]
fn own_code() -> std::io::Result<()> {
    run_code(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1)
}

/// Asks for a socket, by instructions that no compiler made.
#[cfg(target_arch = "x86_64")]
fn run_code(flags: libc::c_int, file: libc::c_int) -> std::io::Result<()> {
    use std::io::Error;
    // mov eax, socket; mov edi, AF_INET; mov esi, SOCK_STREAM; xor edx, edx; syscall; ret
    const CODE: [u8; 20] = [
        0xb8,
        libc::SYS_socket as u8,
        0,
        0,
        0,
        0xbf,
        libc::AF_INET as u8,
        0,
        0,
        0,
        0xbe,
        libc::SOCK_STREAM as u8,
        0,
        0,
        0,
        0x31,
        0xd2,
        0x0f,
        0x05,
        0xc3,
    ];
    let rights = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
    // SAFETY: a new mapping; the kernel chooses its place.
    let page = unsafe { libc::mmap(std::ptr::null_mut(), 4096, rights, flags, file, 0) };
    if page == libc::MAP_FAILED {
        return Err(Error::last_os_error());
    }
    // SAFETY: the page is ours, writable and larger than the code, which takes nothing and returns a
    // number as a C function does.
    let answer = unsafe {
        std::ptr::copy_nonoverlapping(CODE.as_ptr(), page.cast(), CODE.len());
        let code: extern "C" fn() -> i64 = std::mem::transmute(page);
        code()
    };
    match answer {
        0.. => Ok(()),
        error => Err(Error::from_raw_os_error(-error as i32)),
    }
}
