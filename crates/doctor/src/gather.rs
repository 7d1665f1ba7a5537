//! Asks what is in no file: where programs are, what version they say, free space, what jail can be
//! made. The only part that runs anything; every wait has an end.

use crate::facts::{Probe, Tool};
use std::env;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take to say its version, or to make an empty jail.
const DEADLINE: Duration = Duration::from_secs(10);

/// Bytes read of what a program says.
const MAX_OUTPUT_BYTES: u64 = 64 * 1024;

/// Finds a program — `configured`, else `name` in `PATH` — and asks its version.
pub fn tool(name: &str, configured: Option<&Path>) -> Tool {
    let Some(path) = configured.map(Path::to_owned).or_else(|| in_path(name)) else {
        return Tool::default();
    };
    if !is_executable(&path) {
        return Tool::default();
    }
    let version = run(Command::new(&path).arg("--version"))
        .ok()
        .filter(|(status, _)| status.success());
    let version = version.and_then(|(_, said)| said.lines().next().map(str::to_owned));
    Tool {
        path: Some(path),
        version,
    }
}

/// Whether `bwrap` can make a jail with every namespace, as the VMM's is.
pub fn jail(bubblewrap: &Tool) -> Probe {
    in_jail(bubblewrap, &["--", "/bin/true"])
}

/// Whether a program runs from a tmpfs of such a jail, as the memory of a User-Mode Linux guest must.
pub fn executable_tmpfs(bubblewrap: &Tool) -> Probe {
    let copied = "cp /bin/true /tmp/program && exec /tmp/program";
    in_jail(
        bubblewrap,
        &["--tmpfs", "/tmp", "--", "/bin/sh", "-c", copied],
    )
}

fn in_jail(bubblewrap: &Tool, more: &[&str]) -> Probe {
    let Some(bwrap) = &bubblewrap.path else {
        return Probe::Fails("bubblewrap is not installed".to_owned());
    };
    let mut command = Command::new(bwrap);
    command.args([
        "--unshare-user",
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-uts",
        "--unshare-cgroup",
    ]);
    command.args(["--die-with-parent", "--cap-drop", "ALL"]);
    command.args(["--ro-bind", "/", "/"]).args(more);
    match run(&mut command) {
        Ok((status, _)) if status.success() => Probe::Works,
        Ok((status, said)) => Probe::Fails(format!("bwrap: {status}: {}", said.trim())),
        Err(error) => Probe::Fails(format!("bwrap: {error}")),
    }
}

/// Bytes that this user may still write where `path`, or the nearest folder above it, is.
pub fn free_disk_bytes(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|part| part.exists())?;
    let found = rustix::fs::statvfs(there).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

fn in_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Runs to the end or to the deadline. Output goes to an unnamed file: no pipe can block the program,
/// and a child of its own that keeps the file open cannot block us.
fn run(command: &mut Command) -> io::Result<(ExitStatus, String)> {
    let mut output: File = tempfile::tempfile()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?)
        .spawn()?;
    let status = wait(&mut child)?;
    output.rewind()?;
    let mut bytes = Vec::new();
    output.take(MAX_OUTPUT_BYTES).read_to_end(&mut bytes)?;
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}

fn wait(child: &mut Child) -> io::Result<ExitStatus> {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no end within {} s", DEADLINE.as_secs()),
            ));
        }
        // The standard library waits without an end or not at all.
        std::thread::sleep(Duration::from_millis(5));
    }
}
