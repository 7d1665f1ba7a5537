//! The proxy locks itself in, once it has read what it needs: policies, secrets, certificates, whom to ask for names. What is
//! left to it is sockets.
//!
//! | wall | how |
//! |---|---|
//! | no files | a root of its own that is empty, and a filter without a call that opens |
//! | no programs, no processes | the filter; no core is left of it, no other process of its user reads its memory |
//! | nobody's user | a uid of its own, no groups, no capabilities, none to be had again |
//! | of the kernel only sockets and memory | `seccomp/profiles/egress.json`, all else ends it |

use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use rustix::process::{Gid, Resource, Rlimit, Uid};
use rustix::thread::UnshareFlags;

/// Descriptors: 32 connections of some hundred VMs, two each.
const OPEN_FILES: u64 = 16 * 1024;

/// A step that failed.
#[derive(Debug, thiserror::Error)]
#[error("{step}")]
pub struct LockError {
    /// Which.
    pub step: &'static str,
    /// The kernel's answer.
    #[source]
    pub source: Errno,
}

trait Step<T> {
    fn step(self, step: &'static str) -> Result<T, LockError>;
}

impl<T> Step<T> for Result<T, Errno> {
    fn step(self, step: &'static str) -> Result<T, LockError> {
        self.map_err(|source| LockError { step, source })
    }
}

/// Locks this process in, for good. It has one thread. `uid`: whose it is from here on, where it is root's now.
pub fn lock_in(uid: Option<u32>) -> Result<(), LockError> {
    limit(Resource::Core, 0).step("leave no core")?;
    limit(Resource::Fsize, 0).step("write no file")?;
    let most = rustix::process::getrlimit(Resource::Nofile).maximum;
    let files = most.map_or(OPEN_FILES, |most| most.min(OPEN_FILES));
    limit(Resource::Nofile, files).step("bound descriptors")?;
    rustix::thread::set_no_new_privs(true).step("gain no privileges")?;
    if rustix::process::geteuid().is_root() {
        leave_files()?;
        if let Some(uid) = uid {
            become_nobody(uid).step("become a user of its own")?;
        }
    }
    let dumpable = rustix::process::DumpableBehavior::NotDumpable;
    rustix::process::set_dumpable_behavior(dumpable).step("be not dumpable")?;
    let signal = Some(rustix::process::Signal::KILL);
    rustix::process::set_parent_process_death_signal(signal).step("end with the service")?;
    filter().step("install the filter")
}

fn limit(resource: Resource, most: u64) -> Result<(), Errno> {
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    rustix::process::setrlimit(resource, limit)
}

/// A mount namespace with nothing in it.
fn leave_files() -> Result<(), LockError> {
    // SAFETY: this process has one thread, and no descriptor table is shared.
    unsafe {
        rustix::thread::unshare_unsafe(
            UnshareFlags::NEWNS | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS,
        )
    }
    .step("namespaces of its own")?;
    let alone = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", alone).step("mounts of its own")?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    // Any folder that every host has: it is covered for this process alone.
    rustix::mount::mount(
        "none",
        "/tmp",
        "tmpfs",
        flags,
        c"size=4k,nr_inodes=2,mode=0555",
    )
    .step("an empty root")?;
    rustix::process::chdir("/tmp").step("enter the empty root")?;
    rustix::process::pivot_root(".", ".").step("make it the root")?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).step("let go of all files")?;
    let read_only = flags | MountFlags::RDONLY;
    rustix::mount::mount_remount("/", read_only, c"").step("a root that cannot be written")?;
    rustix::process::chdir("/").step("enter it")
}

fn become_nobody(uid: u32) -> Result<(), Errno> {
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(uid));
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(gid, gid, gid)?;
    // The capabilities go with it.
    rustix::thread::set_thread_res_uid(uid, uid, uid)
}

/// The one of `seccomp/profiles/egress.json`.
fn filter() -> Result<(), Errno> {
    let profile = seccomp::Profile::builtin(seccomp::builtin::EGRESS);
    let program = profile.and_then(|profile| profile.compile());
    let bytes = program.map_err(|_| Errno::INVAL)?.to_bytes();
    let length = u16::try_from(bytes.len() / size_of::<libc::sock_filter>());
    // Aligned as the kernel reads it.
    let words: Vec<libc::sock_filter> = bytes
        .chunks_exact(size_of::<libc::sock_filter>())
        .map(|it| libc::sock_filter {
            code: u16::from_ne_bytes([it[0], it[1]]),
            jt: it[2],
            jf: it[3],
            k: u32::from_ne_bytes([it[4], it[5], it[6], it[7]]),
        })
        .collect();
    let program = libc::sock_fprog {
        len: length.map_err(|_| Errno::INVAL)?,
        filter: words.as_ptr().cast_mut(),
    };
    // SAFETY: the kernel reads `len` instructions, which live as long as `words`.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_LOG,
            &raw const program,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)),
    }
}
