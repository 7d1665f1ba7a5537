//! The sandbox that programs run in while an image is made: no network, no capabilities, no process
//! of the host in sight, an environment of two variables. Callers add what of the file system it sees; the resolvers' adds the network.

use std::process::Command;

/// For errors.
pub(crate) const PROGRAM: &str = "bwrap";
/// Mounts that are the sandbox's own; to be given after what is bound to `/`.
pub(crate) const FRESH: &[&str] = &["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"];
/// The same for those whose `/tmp` has a bound.
pub(crate) const FRESH_BUT_TMP: &[&str] = &["--proc", "/proc", "--dev", "/dev"];

/// On Debian these are links into `/usr`; a loader's path is fixed in every program.
const LINKS: &[(&str, &str)] = &[
    ("usr/bin", "/bin"),
    ("usr/sbin", "/sbin"),
    ("usr/lib", "/lib"),
    ("usr/lib64", "/lib64"),
];

/// The start of a command line whose program is one of the host's: of all else of the host it sees nothing.
pub(crate) fn host_program() -> Command {
    let mut command = command();
    command.args(["--ro-bind", "/usr", "/usr"]);
    for (target, link) in LINKS {
        command.args(["--symlink", target, link]);
    }
    command
}

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
