//! System-call filters: the agent's own, always there, and the request's on top of it.
//!
//! The agent's lists what no job needs and what has been a way out of containers. It answers
//! `EPERM`, so that a program sees an error and goes on.

use nix::errno::Errno;

/// One classic BPF program.
pub struct Filter {
    instructions: Vec<libc::sock_filter>,
}

/// Calls that are refused whatever their arguments.
const REFUSED: &[libc::c_long] = &[
    // mounts and roots
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_setns,
    // kernel code and kernel memory
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // keys belong to a user, not to a namespace
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // handles reach files past their folders
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    // the machine as a whole
    libc::SYS_reboot,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_settimeofday,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_lookup_dcookie,
    libc::SYS_nfsservctl,
    libc::SYS_uselib,
    libc::SYS_ustat,
    libc::SYS_sysfs,
    libc::SYS_fanotify_init,
];

/// Namespaces that `clone` and `unshare` may not make.
const NAMESPACES: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u32
    | CLONE_NEWTIME;
const CLONE_NEWTIME: u32 = 0x80;

/// Sockets that a job may make; with no network device they reach the VM itself only. vsock,
/// which would reach the host, and packet sockets are not among them.
const FAMILIES: &[libc::c_int] = &[
    libc::AF_UNIX,
    libc::AF_INET,
    libc::AF_INET6,
    libc::AF_NETLINK,
];

// Offsets in struct seccomp_data.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENT_0: u32 = 16;
/// AUDIT_ARCH_X86_64 of <linux/audit.h>.
const X86_64: u32 = 0xc000_003e;
/// Set in the numbers of the x32 calls.
const X32_BIT: u32 = 0x4000_0000;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const IF_AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const IF_BITS: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;
const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
/// 'This kernel has no such call': makes the C library use the older one.
const UNKNOWN: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

impl Filter {
    /// The agent's own.
    pub fn baseline() -> Filter {
        let mut program = vec![
            op(LOAD, 0, 0, ARCHITECTURE),
            op(IF_EQUAL, 1, 0, X86_64),
            op(RETURN, 0, 0, KILL),
            op(LOAD, 0, 0, NUMBER),
            op(IF_AT_LEAST, 0, 1, X32_BIT),
            op(RETURN, 0, 0, UNKNOWN),
        ];
        for number in REFUSED {
            program.extend([op(IF_EQUAL, 0, 1, *number as u32), op(RETURN, 0, 0, REFUSE)]);
        }
        // clone3 hides its flags behind a pointer that a filter cannot follow.
        program.extend([
            op(IF_EQUAL, 0, 1, libc::SYS_clone3 as u32),
            op(RETURN, 0, 0, UNKNOWN),
        ]);
        for number in [libc::SYS_clone, libc::SYS_unshare] {
            program.extend([
                op(IF_EQUAL, 0, 4, number as u32),
                op(LOAD, 0, 0, ARGUMENT_0),
                op(IF_BITS, 0, 1, NAMESPACES),
                op(RETURN, 0, 0, REFUSE),
                op(RETURN, 0, 0, ALLOW),
            ]);
        }
        let families = FAMILIES.len() as u8;
        program.extend([
            op(IF_EQUAL, 0, families + 2, libc::SYS_socket as u32),
            op(LOAD, 0, 0, ARGUMENT_0),
        ]);
        for (index, family) in FAMILIES.iter().enumerate() {
            program.push(op(IF_EQUAL, families - index as u8, 0, *family as u32));
        }
        program.extend([op(RETURN, 0, 0, REFUSE), op(RETURN, 0, 0, ALLOW)]);
        Filter {
            instructions: program,
        }
    }

    /// A program as the host sends it; `None` when it sends none.
    pub fn from_words(words: &[u64]) -> Option<Filter> {
        let instructions = words
            .iter()
            .map(|word| {
                op(
                    (word >> 48) as u16,
                    (word >> 40) as u8,
                    (word >> 32) as u8,
                    *word as u32,
                )
            })
            .collect();
        (!words.is_empty()).then_some(Filter { instructions })
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

fn op(code: u16, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a filter as the kernel does, as far as its instructions go here.
    fn verdict(filter: &Filter, architecture: u32, number: i64, argument: u32) -> u32 {
        let mut data = [0u8; 64];
        data[..4].copy_from_slice(&(number as u32).to_ne_bytes());
        data[4..8].copy_from_slice(&architecture.to_ne_bytes());
        data[16..20].copy_from_slice(&argument.to_ne_bytes());
        let (mut at, mut word) = (0usize, 0u32);
        loop {
            let step = filter.instructions[at];
            let jump = |yes| 1 + usize::from(if yes { step.jt } else { step.jf });
            at += match step.code {
                LOAD => {
                    let from = step.k as usize;
                    word = u32::from_ne_bytes(data[from..from + 4].try_into().unwrap());
                    1
                }
                IF_EQUAL => jump(word == step.k),
                IF_AT_LEAST => jump(word >= step.k),
                IF_BITS => jump(word & step.k != 0),
                RETURN => return step.k,
                other => panic!("instruction {other:#x}"),
            };
        }
    }

    #[test]
    fn the_baseline_judges_call_by_call() {
        let filter = Filter::baseline();
        let judge = |number, argument| verdict(&filter, X86_64, number, argument);
        for number in REFUSED {
            assert_eq!(judge(*number, 0), REFUSE, "{number}");
        }
        for number in [
            libc::SYS_read,
            libc::SYS_execve,
            libc::SYS_ptrace,
            libc::SYS_accept4,
        ] {
            assert_eq!(judge(number, 0), ALLOW, "{number}");
        }
        let thread = (libc::CLONE_VM | libc::CLONE_THREAD) as u32;
        assert_eq!(judge(libc::SYS_clone, thread), ALLOW);
        assert_eq!(
            judge(libc::SYS_clone, libc::CLONE_NEWUSER as u32 | thread),
            REFUSE
        );
        assert_eq!(judge(libc::SYS_unshare, libc::CLONE_FILES as u32), ALLOW);
        assert_eq!(judge(libc::SYS_unshare, libc::CLONE_NEWNS as u32), REFUSE);
        assert_eq!(judge(libc::SYS_clone3, 0), UNKNOWN);
        for family in FAMILIES {
            assert_eq!(judge(libc::SYS_socket, *family as u32), ALLOW);
        }
        for family in [libc::AF_VSOCK, libc::AF_PACKET, libc::AF_BLUETOOTH, 0] {
            assert_eq!(judge(libc::SYS_socket, family as u32), REFUSE, "{family}");
        }
    }

    #[test]
    fn other_architectures_and_x32_do_not_get_round_it() {
        let filter = Filter::baseline();
        assert_eq!(verdict(&filter, 0x4000_0003, libc::SYS_read, 0), KILL);
        assert_eq!(verdict(&filter, X86_64, i64::from(X32_BIT), 0), UNKNOWN);
    }

    #[test]
    fn the_hosts_words_become_instructions() {
        assert!(Filter::from_words(&[]).is_none());
        let filter = Filter::from_words(&[(6 << 48) | 0x7fff_0000]).unwrap();
        let only = filter.instructions[0];
        assert_eq!((only.code, only.jt, only.jf, only.k), (RETURN, 0, 0, ALLOW));
    }
}
