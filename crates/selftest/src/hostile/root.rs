//! A program as root in the guest: no namespace, no filter, every capability, every device.

use crate::boot::{complain, mount_view};
use crate::channel::Channel;
use crate::error::{Broken, Tried as _};
use crate::honest;
use nix::mount::{MsFlags, mount};
use protocol::language::LanguageSpec;
use protocol::wire::{GuestMessage, JobReport, MAX_CHUNK_BYTES, Phase, RunRequest};
use std::io::Read as _;
use std::os::unix::fs::chroot;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Stdio};

/// Where the image is mounted.
const ROOT: &str = "/newroot";
/// The image's disk, where the kernel's command line names no other.
const DISK: &str = "/dev/vda";

/// Runs it and reports how it ended, if this VM still stands then.
pub fn run(program: &str, request: &RunRequest, channel: &mut Channel) -> Result<(), Broken> {
    lay_out(program, request)?;
    channel.say(&GuestMessage::Started {
        phase: Phase::Execute,
    })?;
    let mut child = start(request)?;
    let mut output = child.stdout.take();
    let mut buffer = vec![0; MAX_CHUNK_BYTES];
    while let Some(stream) = &mut output {
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => channel.say(&GuestMessage::Stdout {
                data: buffer[..count].into(),
            })?,
            _ => output = None,
        }
    }
    let status = child.wait().tried("wait")?;
    channel.say(&GuestMessage::Finished(Box::new(JobReport {
        exit_code: status.code(),
        signal: status.signal(),
        ..honest::report(request)
    })))
}

/// The image as `/`, everything in it within reach.
fn lay_out(program: &str, request: &RunRequest) -> Result<(), Broken> {
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
            complain(&error);
        }
    }
    let work = std::path::Path::new(ROOT).join("work");
    for file in &request.files {
        std::fs::write(work.join(&file.path), &file.data.0).tried(&file.path)?;
    }
    let source = &request.entry;
    std::fs::write(work.join(source), program).tried(source)
}

fn start(request: &RunRequest) -> Result<Child, Broken> {
    let argv = LanguageSpec::argv(request.language.spec().run, &request.entry);
    let mut command = Command::new(&argv[0]);
    command
        .args(&argv[1..])
        .args(&request.args)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", "/work")
        .env("AS_ROOT", "1")
        .envs(request.env.iter().cloned())
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
    command.spawn().tried(&argv[0])
}
