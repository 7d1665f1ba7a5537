//! First act: the kernel's own file systems, on the initramfs.

use crate::error::{AgentError, Step};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::stat::Mode;

/// Where the agent sees what the kernel shows; `root::switch` moves these along.
/// The initramfs may lack the folders.
pub const KERNEL_VIEWS: &[(&str, &str)] =
    &[("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")];

/// Mounts `/proc`, `/sys` and `/dev`.
pub fn mount_kernel_views() -> Result<(), AgentError> {
    // A job's processes are forked from this one: files they make are for them to open up.
    nix::sys::stat::umask(Mode::from_bits_truncate(0o022));
    for (kind, target) in KERNEL_VIEWS {
        make_folder(target)?;
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
        match mount(Some(*kind), *target, Some(*kind), flags, None::<&str>) {
            // devtmpfs may have been mounted by the kernel.
            Ok(()) | Err(Errno::EBUSY) => {}
            Err(source) => return Err(source).step(|| format!("mount {kind} on {target}")),
        }
    }
    Ok(())
}

/// Makes a folder; one that is there is fine.
pub fn make_folder(path: &str) -> Result<(), AgentError> {
    match nix::unistd::mkdir(path, Mode::from_bits_truncate(0o755)) {
        Ok(()) | Err(Errno::EEXIST) => Ok(()),
        Err(source) => Err(source).step(|| format!("mkdir {path}")),
    }
}
