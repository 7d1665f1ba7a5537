//! What a VMM that a guest has taken over may try, one a function. `Ok` is a wall that gave way. They
//! run in a jail as this very test program, which is then the stand-in; see `hostile`.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{Error, Result, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::ptr::null_mut;

/// What is attacked: things of the host's that were made for this.
pub struct Targets(Vec<String>);

impl Targets {
    /// From `name=value` arguments.
    pub fn from_arguments() -> Self {
        Self(std::env::args().collect())
    }

    fn get(&self, name: &str) -> &str {
        let value = |word: &'_ String| -> Option<usize> {
            word.strip_prefix(name)?.strip_prefix('=').map(str::len)
        };
        let word = self.0.iter().find(|word| value(word).is_some());
        word.map_or("", |word| &word[name.len() + 1..])
    }

    fn pid(&self) -> i32 {
        self.get("pid").parse().unwrap()
    }
}

/// How an attack ends in a jail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With an error that the attacker sees.
    Refused,
    /// With the attacker's death by this signal.
    Killed(i32),
}
use End::{Killed, Refused};

/// A row of the table.
pub struct Attack {
    pub name: &'static str,
    pub run: fn(&Targets) -> Result<()>,
    pub end: End,
    /// It succeeds for root outside a jail, which shows that it is the jail that refuses it. Not tried
    /// where success would hurt the host or take the test's process away.
    pub control: bool,
}

const fn attack(name: &'static str, end: End, run: fn(&Targets) -> Result<()>) -> Attack {
    Attack {
        name,
        run,
        end,
        control: true,
    }
}

const fn unproven(name: &'static str, end: End, run: fn(&Targets) -> Result<()>) -> Attack {
    Attack {
        control: false,
        ..attack(name, end, run)
    }
}

const SYS: End = Killed(libc::SIGSYS);

/// All attacks.
pub const ATTACKS: &[Attack] = &[
    attack("host-file", Refused, |_| {
        File::open("/etc/passwd").map(drop)
    }),
    attack("host-file-by-dots", Refused, |_| {
        File::open("../../../../../../../../etc/passwd").map(drop)
    }),
    attack("proc-of-others", Refused, |t| {
        File::open(format!("/proc/{}/environ", t.pid())).map(drop)
    }),
    attack("proc-of-self", Refused, |_| {
        File::open("/proc/self/mem").map(drop)
    }),
    attack("other-vms-memory", Refused, |t| {
        File::open(t.get("ram")).map(drop)
    }),
    attack("other-vms-socket", Refused, |t| {
        UnixStream::connect(t.get("socket")).map(drop)
    }),
    attack("abstract-socket", Refused, |t| {
        let address = SocketAddr::from_abstract_name(t.get("abstract"))?;
        UnixStream::connect_addr(&address).map(drop)
    }),
    attack("tcp", SYS, |t| TcpStream::connect(t.get("tcp")).map(drop)),
    attack("udp", SYS, |_| UdpSocket::bind("127.0.0.1:0").map(drop)),
    attack("netlink", SYS, |_| {
        call(
            libc::SYS_socket,
            [libc::AF_NETLINK as i64, libc::SOCK_RAW as i64, 0, 0, 0],
        )
    }),
    unproven("write-root", Refused, |_| fs::write("/new", "x")),
    unproven("write-own-program", Refused, |_| {
        let program = std::env::args().next().unwrap();
        OpenOptions::new().write(true).open(program).map(drop)
    }),
    unproven("kvm", Refused, |_| File::open("/dev/kvm").map(drop)),
    attack("descriptors-of-the-host", Refused, |_| {
        // 3 is the first beyond the table of a jail that was given none.
        match (3..4096)
            .find(|fd| call(libc::SYS_fcntl, [*fd, libc::F_GETFD as i64, 0, 0, 0]).is_ok())
        {
            Some(_) => Ok(()),
            None => Err(Error::from_raw_os_error(libc::EBADF)),
        }
    }),
    unproven("exec-shell", Refused, |_| {
        use std::os::unix::process::CommandExt;
        Err(std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg("echo gave way")
            .exec())
    }),
    unproven("fork", SYS, |_| call(libc::SYS_fork, [0; 5])),
    attack("vfork-by-clone", SYS, |_| {
        let child = std::process::Command::new("/bin/true").spawn();
        child.and_then(|mut child| child.wait()).map(drop)
    }),
    attack("ptrace", SYS, |t| {
        call(
            libc::SYS_ptrace,
            [libc::PTRACE_ATTACH as i64, t.pid().into(), 0, 0, 0],
        )
    }),
    unproven("process-vm-readv", SYS, |t| {
        call(libc::SYS_process_vm_readv, [t.pid().into(), 0, 0, 0, 0])
    }),
    attack("signal", SYS, |t| {
        call(libc::SYS_kill, [t.pid().into(), 0, 0, 0, 0])
    }),
    attack("signal-thread", Refused, |t| {
        call(libc::SYS_tgkill, [t.pid().into(), t.pid().into(), 0, 0, 0])
    }),
    attack("signal-by-pidfd", SYS, |t| {
        call(libc::SYS_pidfd_open, [t.pid().into(), 0, 0, 0, 0])
    }),
    unproven("mount", SYS, |_| {
        let root = CString::new("/")?;
        let at = root.as_ptr() as i64;
        call(libc::SYS_mount, [at, at, 0, libc::MS_BIND as i64, 0])
    }),
    unproven("unmount", SYS, |_| {
        call(libc::SYS_umount2, [c"/".as_ptr() as i64, 0, 0, 0, 0])
    }),
    attack("new-user-namespace", SYS, |_| {
        // A test's process has more than one thread: a mount namespace is what it could have.
        call(libc::SYS_unshare, [libc::CLONE_NEWNS as i64, 0, 0, 0, 0])
    }),
    attack("chroot", SYS, |_| {
        call(libc::SYS_chroot, [c"/".as_ptr() as i64, 0, 0, 0, 0])
    }),
    attack("become-root", SYS, |_| call(libc::SYS_setuid, [0; 5])),
    attack("device-node", SYS, |_| {
        let path = c"/tmp/llm-firecracker-test-node";
        call(
            libc::SYS_mknod,
            [path.as_ptr() as i64, libc::S_IFCHR as i64, 0x103, 0, 0],
        )?;
        fs::remove_file("/tmp/llm-firecracker-test-node")
    }),
    attack("bpf", SYS, |_| {
        call(libc::SYS_bpf, [0, 0, 0, 0, 0]).or_else(invalid_is_allowed)
    }),
    attack("kernel-log", SYS, |_| {
        call(libc::SYS_syslog, [10, 0, 0, 0, 0])
    }),
    attack("keyring", SYS, |_| {
        call(libc::SYS_keyctl, [0, -3, 0, 0, 0]).or_else(invalid_is_allowed)
    }),
    attack("io-uring", Refused, |_| {
        call(libc::SYS_io_uring_setup, [0; 5]).or_else(invalid_is_allowed)
    }),
    attack("real-time-priority", SYS, |_| {
        call(libc::SYS_setpriority, [0, 0, -5, 0, 0])
    }),
    // The limit's signal does not end process 1 of a namespace; the write fails.
    attack("fill-memory-file", Refused, |_| {
        let file = rustix::fs::memfd_create("fill", rustix::fs::MemfdFlags::CLOEXEC)?;
        File::from(file).write_all(b"more than nothing")
    }),
    attack("many-threads", Refused, |_| {
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
    }),
    attack("much-memory", Killed(libc::SIGKILL), |_| {
        let mut pages = vec![0u8; 512 << 20];
        for byte in pages.iter_mut().step_by(4096) {
            *byte = 1;
        }
        std::hint::black_box(&pages);
        Ok(())
    }),
];

/// The kernel looked at the arguments: it would have done a sensible request.
fn invalid_is_allowed(error: Error) -> Result<()> {
    match error.raw_os_error() {
        Some(libc::EINVAL | libc::EFAULT) => Ok(()),
        _ => Err(error),
    }
}

fn call(number: libc::c_long, [a, b, c, d, e]: [i64; 5]) -> Result<()> {
    // SAFETY: the requests above touch nothing of this process's memory but read constant strings.
    match unsafe { libc::syscall(number, a, b, c, d, e, null_mut::<u8>()) } {
        -1 => Err(Error::last_os_error()),
        _ => Ok(()),
    }
}
