//! First act: the kernel's own file systems, on the initramfs.

use crate::error::{AgentError, Step};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::ForkResult;
use protocol::wire::{PROBE_ANSWER, PROBE_WORD};

/// Where the agent sees what the kernel shows; `root::switch` moves these along.
/// The initramfs may lack the folders.
pub const KERNEL_VIEWS: &[(&str, &str)] =
    &[("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")];

/// How the probe's process ends: by a number that nothing else ends by.
const PROBE_CODE: i32 = 77;

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

/// Whether the host only wants to see that a process runs here: then this shows it, by one that ends as
/// it should.
pub fn answered_probe() -> Result<bool, AgentError> {
    let words = std::fs::read_to_string("/proc/cmdline").step(|| "read /proc/cmdline")?;
    if !words
        .split_ascii_whitespace()
        .any(|word| word == PROBE_WORD)
    {
        return Ok(false);
    }
    // SAFETY: this process has one thread; the child does nothing but end.
    match unsafe { nix::unistd::fork() }.step(|| "fork")? {
        // SAFETY: _exit takes any number and does not return.
        ForkResult::Child => unsafe { libc::_exit(PROBE_CODE) },
        ForkResult::Parent { child } => {
            let ended = waitpid(child, None).step(|| "wait for the probe's process")?;
            if ended == WaitStatus::Exited(child, PROBE_CODE) {
                println!("{PROBE_ANSWER}");
            }
        }
    }
    Ok(true)
}

/// Makes a folder; one that is there is fine.
pub fn make_folder(path: &str) -> Result<(), AgentError> {
    match nix::unistd::mkdir(path, Mode::from_bits_truncate(0o755)) {
        Ok(()) | Err(Errno::EEXIST) => Ok(()),
        Err(source) => Err(source).step(|| format!("mkdir {path}")),
    }
}
