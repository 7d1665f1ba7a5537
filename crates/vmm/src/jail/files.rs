//! The files that a jail shows, and how a VMM of another uid can read them though they are 0600.
//!
//! Root's tool opens each file and hands the jail a detached mount of it ([`detached`]). Where the
//! file is for its owner only, the mount is idmapped: in it, and only in it, the file's owner
//! appears as the VM's uid. Nothing on disk changes, and the mount is read-only.
//! A user's tool needs none of that: its VMMs have its own uid, bubblewrap binds the paths.

use rustix::fs::AtFlags;
use rustix::mount::{OpenTreeFlags, open_tree};
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What a VMM may do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read it.
    ReadOnly,
    /// Write to it, too (a booted VM's RAM; the file is then the VM's uid's).
    Writable,
}

/// A host file inside the jail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JailFile {
    /// On the host.
    pub source: PathBuf,
    /// In the jail; the jail's root holds an empty file of this name to mount on.
    pub at: &'static str,
    /// What the VMM may do with it.
    pub access: Access,
}

impl JailFile {
    /// Nobody in the jail can write to it.
    pub fn read_only(source: &Path, at: &'static str) -> Self {
        Self {
            source: source.to_path_buf(),
            at,
            access: Access::ReadOnly,
        }
    }
}

/// A mount of `path` that is in no mount table, to be moved into a jail's.
pub fn detached(path: &Path, access: Access, uid: u32) -> Result<OwnedFd> {
    let tree = open_tree(
        rustix::fs::CWD,
        path,
        OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_SYMLINK_NOFOLLOW,
    )?;
    let meta = path.symlink_metadata()?;
    let mut attr = MountAttr {
        set: MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
        ..MountAttr::default()
    };
    if access == Access::ReadOnly {
        attr.set |= MOUNT_ATTR_RDONLY;
    }
    let readable = meta.uid() == uid || meta.permissions().mode() & 0o004 != 0;
    let users;
    if !readable {
        users = UserNamespace::mapping(meta.uid(), meta.gid(), uid)?;
        attr.set |= MOUNT_ATTR_IDMAP;
        attr.userns_fd = users.0.as_raw_fd() as u64;
    }
    set_attributes(&tree, &attr).map_err(|e| {
        if readable {
            return e;
        }
        Error::new(
            e.kind(),
            format!(
                "{} is for its owner only and its file system cannot show it to uid {uid} \
                 (idmapped mounts: Linux 5.12 with ext4, xfs or btrfs; {e}); \
                 put the state folder on such a file system",
                path.display()
            ),
        )
    })?;
    Ok(tree)
}

// include/uapi/linux/mount.h
const MOUNT_ATTR_RDONLY: u64 = 0x1;
const MOUNT_ATTR_NOSUID: u64 = 0x2;
const MOUNT_ATTR_NODEV: u64 = 0x4;
const MOUNT_ATTR_IDMAP: u64 = 0x0010_0000;

#[repr(C)]
#[derive(Default)]
struct MountAttr {
    set: u64,
    clear: u64,
    propagation: u64,
    userns_fd: u64,
}

fn set_attributes(tree: &OwnedFd, attr: &MountAttr) -> Result<()> {
    // SAFETY: the kernel reads `attr`, whose size is given, and an empty C string; both outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            AtFlags::EMPTY_PATH.bits(),
            std::ptr::from_ref(attr),
            size_of::<MountAttr>(),
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(Error::last_os_error()),
    }
}

/// A user namespace that exists only to say how ids map.
struct UserNamespace(File);

impl UserNamespace {
    /// The files' `owner` and `group` appear as `uid`; all others as nobody.
    fn mapping(owner: u32, group: u32, uid: u32) -> Result<Self> {
        let child = Holder::start()?;
        let proc = PathBuf::from(format!("/proc/{}", child.pid));
        std::fs::write(proc.join("uid_map"), format!("{owner} {uid} 1"))?;
        std::fs::write(proc.join("gid_map"), format!("{group} {uid} 1"))?;
        File::open(proc.join("ns/user")).map(Self)
    }
}

/// A child in a user namespace of its own that waits to be killed.
struct Holder {
    pid: libc::pid_t,
}

impl Holder {
    fn start() -> Result<Self> {
        let (ready, ours) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        // SAFETY: the child calls only async-signal-safe functions and never returns.
        let pid = unsafe { libc::fork() };
        if pid < 0 {
            return Err(Error::last_os_error());
        }
        if pid == 0 {
            // SAFETY: plain system calls on valid arguments.
            unsafe {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                let ok = libc::unshare(libc::CLONE_NEWUSER) == 0;
                libc::write(ours.as_raw_fd(), [u8::from(ok)].as_ptr().cast(), 1);
                libc::pause();
                libc::_exit(0)
            }
        }
        let child = Self { pid };
        drop(ours);
        // SAFETY: the descriptor is ours alone; `into_raw_fd` gives it up.
        let mut ready = unsafe { File::from_raw_fd(std::os::fd::IntoRawFd::into_raw_fd(ready)) };
        let mut ok = [0u8];
        std::io::Read::read_exact(&mut ready, &mut ok)?;
        match ok {
            [1] => Ok(child),
            _ => Err(Error::new(
                ErrorKind::PermissionDenied,
                "a user namespace for an idmapped mount was refused",
            )),
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // SAFETY: `pid` is our child and not yet waited for, so the number is still its own.
        unsafe {
            libc::kill(self.pid, libc::SIGKILL);
            libc::waitpid(self.pid, std::ptr::null_mut(), 0);
        }
    }
}
