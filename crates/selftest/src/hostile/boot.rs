//! As much of a boot as the channel needs: the kernel's views and the modules.

use crate::error::{Broken, Tried as _};
use nix::errno::Errno;
use nix::kmod::{ModuleInitFlags, finit_module};
use nix::mount::{MsFlags, mount};
use protocol::wire::{PROBE_ANSWER, PROBE_WORD};
use std::fs::File;
use std::io::Write as _;

/// Mounts `/proc`, `/sys` and `/dev`, loads `/modules` in the order of its names.
pub fn boot() -> Result<(), Broken> {
    for (kind, target) in [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")] {
        mount_view(kind, target)?;
    }
    let Ok(entries) = std::fs::read_dir("/modules") else {
        return Ok(());
    };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    for path in files {
        let file = File::open(&path).tried(format!("open {}", path.display()))?;
        match finit_module(&file, c"", ModuleInitFlags::empty()) {
            Ok(()) | Err(Errno::EEXIST) => {}
            // What this kernel has built in or cannot use; what needs it says so later.
            Err(error) => report(&format_args!("{}: {error}", path.display())),
        }
    }
    Ok(())
}

/// Whether the host only asks if a guest runs here. It does: the host must believe so, or the attacks would
/// be made on another engine than the one that is to be attacked.
pub fn answered_probe() -> Result<bool, Broken> {
    let words = std::fs::read_to_string("/proc/cmdline").tried("read /proc/cmdline")?;
    let asked = words
        .split_ascii_whitespace()
        .any(|word| word == PROBE_WORD);
    if asked {
        println!("{PROBE_ANSWER}");
    }
    Ok(asked)
}

/// Mounts one of the kernel's file systems.
pub fn mount_view(kind: &str, target: &str) -> Result<(), Broken> {
    std::fs::create_dir_all(target).tried(format!("mkdir {target}"))?;
    match mount(
        Some(kind),
        target,
        Some(kind),
        MsFlags::empty(),
        None::<&str>,
    ) {
        Ok(()) | Err(Errno::EBUSY) => Ok(()),
        Err(error) => Err(error).tried(format!("mount {target}")),
    }
}

/// Says something on the console.
pub fn report(what: &dyn std::fmt::Display) {
    if let Ok(mut console) = File::options().write(true).open("/dev/console") {
        let _ = writeln!(console, "hostile agent: {what}");
    }
}
