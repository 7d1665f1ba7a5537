//! Loads the initramfs' kernel modules in the order of their file names.
//!
//! `/modules/10-virtio_blk.ko` is module `virtio_blk`; its parameters are the words
//! `virtio_blk.NAME=VALUE` of the kernel's command line, as the kernel does for built-in code.

use crate::error::{AgentError, Step, report};
use nix::errno::Errno;
use nix::kmod::{ModuleInitFlags, finit_module};
use std::ffi::CString;
use std::fs::File;
use std::path::Path;

/// Where the initramfs keeps them.
const MODULES_DIR: &str = "/modules";

/// Loads all of them. One that does not fit this machine is told on the console and left out:
/// what really needed it names what it misses.
pub fn load_all() -> Result<(), AgentError> {
    let Ok(entries) = std::fs::read_dir(MODULES_DIR) else {
        return Ok(());
    };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let command_line = std::fs::read_to_string("/proc/cmdline").step(|| "read /proc/cmdline")?;
    for file in files
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "ko"))
    {
        load(file, &command_line)?;
    }
    Ok(())
}

fn load(path: &Path, command_line: &str) -> Result<(), AgentError> {
    let name = module_name(path);
    let file = File::open(path).step(|| format!("open {}", path.display()))?;
    let parameters =
        CString::new(parameters_of(&name, command_line)).map_err(|_| AgentError::Nul {
            what: "the kernel command line",
        })?;
    match finit_module(&file, &parameters, ModuleInitFlags::empty()) {
        Ok(()) | Err(Errno::EEXIST) => {}
        Err(error) => report(&format_args!("module {name} not loaded: {error}")),
    }
    Ok(())
}

/// `10-virtio-rng.ko` → `virtio_rng`.
fn module_name(path: &Path) -> String {
    let stem = path
        .file_stem()
        .map(|s| s.to_string_lossy())
        .unwrap_or_default();
    let name = stem.trim_start_matches(|c: char| c.is_ascii_digit());
    let name = if name.len() < stem.len() {
        name.trim_start_matches('-')
    } else {
        name
    };
    normal(name)
}

/// The words meant for `module`, without the prefix, as the kernel wants them.
fn parameters_of(module: &str, command_line: &str) -> String {
    let words = command_line.split_ascii_whitespace().filter_map(|word| {
        let (key, _) = word.split_once('=')?;
        let (prefix, _) = key.split_once('.')?;
        (normal(prefix) == module).then(|| &word[prefix.len() + 1..])
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Module names spell `-` and `_` alike.
fn normal(name: &str) -> String {
    name.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_gives_the_module_name() {
        for (file, name) in [
            ("/modules/10-virtio-rng.ko", "virtio_rng"),
            ("/modules/virtio_mmio.ko", "virtio_mmio"),
            ("/modules/02-9p.ko", "9p"),
        ] {
            assert_eq!(module_name(Path::new(file)), name);
        }
    }

    #[test]
    fn only_a_modules_own_words_reach_it() {
        let line = "quiet virtio-mmio.device=4K@0xd0000000:5 virtio_mmio.device=4K@0xd0001000:6 x.y root=/dev/vda a.b=c\n";
        assert_eq!(
            parameters_of("virtio_mmio", line),
            "device=4K@0xd0000000:5 device=4K@0xd0001000:6"
        );
        assert_eq!(parameters_of("a", line), "b=c");
        assert_eq!(parameters_of("virtio", line), "");
    }
}
