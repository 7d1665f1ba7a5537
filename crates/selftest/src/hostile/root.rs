//! A program as root in the guest: no namespace, no filter, every capability, every device.

use crate::agent::File;
use crate::boot::{mount_view, report};
use crate::error::{Broken, Tried as _};
use crate::honest;
use crate::line::Line;
use nix::mount::{MsFlags, mount};
use protocol::link::{Frame, MAX_DATA_BYTES};
use protocol::supervisor::{GuestControl, OutputKind, ProcessReport, StartProcess};
use std::io::Read as _;
use std::os::unix::fs::chroot;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Stdio};

/// Where the image is mounted.
const ROOT: &str = "/newroot";
/// The image's disk, where the kernel's command line names no other.
const DISK: &str = "/dev/vda";

/// Runs it and reports how it ended, if this VM still stands then.
pub fn run(
    program: &str,
    files: &[File],
    start: &StartProcess,
    line: &mut Line,
) -> Result<(), Broken> {
    write_files(program, files)?;
    honest::begin(start, line)?;
    let output = start.output.unwrap_or_default();
    let mut child = spawn(start)?;
    let mut printed = child.stdout.take();
    let mut buffer = vec![0; MAX_DATA_BYTES - 1];
    while let Some(stream) = &mut printed {
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => {
                line.put(output, honest::record(OutputKind::Stdout, &buffer[..count]))?;
            }
            _ => printed = None,
        }
    }
    let status = child.wait().tried("wait")?;
    line.say(&GuestControl::Ended {
        process: start.process,
        report: ProcessReport {
            exit_code: status.code(),
            signal: status.signal(),
            ..honest::report()
        },
    })?;
    line.send(&[Frame::End(output)]);
    Ok(())
}

/// The image as `/`, everything in it within reach.
fn write_files(program: &str, files: &[File]) -> Result<(), Broken> {
    std::fs::create_dir_all(ROOT).tried("mkdir")?;
    let named = guest_channel::kernel_word("root")?;
    let disk = named.as_deref().unwrap_or(DISK);
    mount(
        Some(disk),
        ROOT,
        Some("erofs"),
        MsFlags::MS_RDONLY,
        None::<&str>,
    )
    .tried(format!("mount {disk}"))?;
    for (kind, target) in [
        ("proc", "proc"),
        ("sysfs", "sys"),
        ("devtmpfs", "dev"),
        ("tmpfs", "tmp"),
        ("tmpfs", "work"),
    ] {
        let target = format!("{ROOT}/{target}");
        if let Err(error) = mount_view(kind, &target) {
            report(&error);
        }
    }
    let work = std::path::Path::new(ROOT).join("work");
    for (path, content) in files {
        std::fs::write(work.join(path), content).tried(path)?;
    }
    // It is the last of them, without its first line.
    match files.last() {
        Some((path, _)) => std::fs::write(work.join(path), program).tried(path),
        None => Ok(()),
    }
}

fn spawn(start: &StartProcess) -> Result<Child, Broken> {
    let mut command = Command::new(&start.argv[0]);
    command
        .args(&start.argv[1..])
        .env_clear()
        .envs(start.env.iter().cloned())
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", "/work")
        .env("AS_ROOT", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    // SAFETY: one thread, and between fork and exec only system calls are made.
    unsafe {
        command.pre_exec(|| {
            chroot(ROOT)?;
            std::env::set_current_dir("/work")?;
            nix::unistd::dup2_stderr(std::io::stdout())?;
            Ok(())
        })
    };
    command.spawn().tried(&start.argv[0])
}
