//! The sandbox that programs run in while an image is made: no network, no capabilities, no process
//! of the host in sight, an environment of two variables. Callers add what of the file system it sees.

use std::process::Command;

/// For errors.
pub(crate) const PROGRAM: &str = "bwrap";
/// Mounts that are the sandbox's own; to be given after what is bound to `/`.
pub(crate) const FRESH: &[&str] = &["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"];

/// The start of a command line.
pub(crate) fn command() -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .args(["--unshare-all", "--die-with-parent", "--new-session"])
        .args(["--cap-drop", "ALL", "--clearenv"])
        .args(["--setenv", "PATH", "/usr/bin"])
        .args(["--setenv", "HOME", "/tmp"]);
    command
}
