//! System-call filters: the agent's own, always there, and the request's on top of it.
//!
//! The agent's is the `default` profile of the `seccomp` crate, compiled when the agent is built
//! (`build.rs`): what no job needs and what has been a way out of containers fails with an error
//! that a program can go on from.

use nix::errno::Errno;

// BASELINE: &[u64], the profile's program, an instruction each.
include!(concat!(env!("OUT_DIR"), "/baseline.rs"));

/// One classic BPF program.
pub struct Filter {
    instructions: Vec<libc::sock_filter>,
}

impl Filter {
    /// The agent's own.
    pub fn baseline() -> Filter {
        Filter {
            instructions: BASELINE.iter().map(instruction).collect(),
        }
    }

    /// A program as the host sends it; `None` when it sends none.
    pub fn from_words(words: &[u64]) -> Option<Filter> {
        (!words.is_empty()).then(|| Filter {
            instructions: words.iter().map(instruction).collect(),
        })
    }

    /// Puts this process and all that come from it under the filter; needs `no_new_privs`.
    pub fn install(&self) -> nix::Result<()> {
        let program = libc::sock_fprog {
            len: u16::try_from(self.instructions.len()).map_err(|_| Errno::EINVAL)?,
            filter: self.instructions.as_ptr().cast_mut(),
        };
        // LOG makes the kernel name the call that ended a process, see `audit`.
        let flags = libc::SECCOMP_FILTER_FLAG_LOG;
        // SAFETY: the kernel reads `len` instructions, which live as long as `self`.
        let result = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                flags,
                &raw const program,
            )
        };
        Errno::result(result).map(drop)
    }
}

/// `code << 48 | jt << 40 | jf << 32 | k`, as on the wire.
fn instruction(word: &u64) -> libc::sock_filter {
    libc::sock_filter {
        code: (word >> 48) as u16,
        jt: (word >> 40) as u8,
        jf: (word >> 32) as u8,
        k: *word as u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_words_become_instructions() {
        assert!(Filter::from_words(&[]).is_none());
        let filter =
            Filter::from_words(&[(6 << 48) | (1 << 40) | (2 << 32) | 0x7fff_0000]).unwrap();
        let only = filter.instructions[0];
        let allow = libc::SECCOMP_RET_ALLOW;
        assert_eq!((only.code, only.jt, only.jf, only.k), (6, 1, 2, allow));
    }

    #[test]
    fn the_kernel_takes_the_agents_own() {
        nix::sys::prctl::set_no_new_privs().unwrap();
        // Filters hold for this thread alone.
        Filter::baseline().install().unwrap();
        let refused = nix::unistd::chroot("/").unwrap_err();
        assert_eq!(refused, Errno::EPERM);
        let family = libc::AF_VSOCK;
        // SAFETY: makes no socket, or one that this process closes at its end.
        let socket = Errno::result(unsafe { libc::socket(family, libc::SOCK_STREAM, 0) });
        assert_eq!(socket, Err(Errno::EPERM));
        assert!(std::fs::read("/proc/self/stat").is_ok());
    }
}
