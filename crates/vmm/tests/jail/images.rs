//! Images that were built before, where the tool keeps them: `LLM_FIRECRACKER_STATE_DIR`, or its default.

use crate::host::copy;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    let state = std::env::var_os("LLM_FIRECRACKER_STATE_DIR");
    PathBuf::from(state.unwrap_or("/var/lib/llm-firecracker".into())).join("images")
}

fn find(folder: &Path, start: &str, end: &str) -> Option<PathBuf> {
    let entries = folder.read_dir().ok()?.flatten();
    entries.map(|entry| entry.path()).find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(start) && name.ends_with(end)
    })
}

/// A root file system, whatever language's: the smallest.
pub fn rootfs() -> Option<PathBuf> {
    let entries = folder().join("rootfs").read_dir().ok()?.flatten();
    let images = entries.filter(|entry| entry.path().extension() == Some("erofs".as_ref()));
    let smallest = images.min_by_key(|entry| entry.metadata().map_or(u64::MAX, |m| m.len()));
    smallest.map(|entry| entry.path())
}

/// Of QEMU's and Firecracker's guests: a kernel, an initramfs and a root file system.
pub fn of_virtual_machines() -> Option<[PathBuf; 3]> {
    Some([
        find(&folder().join("kernel"), "vmlinux-", "")?,
        find(&folder().join("initramfs"), "", ".cpio")?,
        rootfs()?,
    ])
}

/// A kernel of User-Mode Linux; its initramfs is each test's own, see `guest`.
pub fn uml_kernel() -> Option<PathBuf> {
    let folder = folder().join("uml");
    let manifest = std::fs::read(folder.join("manifest.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
    Some(folder.join(manifest["kernel"]["file"].as_str()?))
}

/// The guest's PID 1 as `make agent` left it; a test that runs one as another user gives him a copy.
pub fn agent() -> Option<PathBuf> {
    if let Some(copy) = std::env::var_os("JAIL_TEST_AGENT") {
        return Some(copy.into());
    }
    let built = [
        concat!(env!("CARGO_TARGET_TMPDIR"), "/../release"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/release"),
    ];
    let paths = built.map(|folder| Path::new(folder).join("llm-firecracker-agent"));
    paths.into_iter().find(|path| path.is_file())
}

/// Copies all that a guest of User-Mode Linux needs to a folder that is laid out as the tool's; `None`
/// where something was not built.
pub fn copy_uml(to: &Path) -> Option<()> {
    for (folder, file) in [("uml", uml_kernel()?), ("rootfs", rootfs()?)] {
        let folder = to.join("images").join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        copy(&file, &folder.join(file.file_name()?));
    }
    let manifest = Path::new("images/uml/manifest.json");
    let from = folder().parent()?.join(manifest);
    copy(&from, &to.join(manifest));
    copy(&agent()?, &to.join("agent"));
    Some(())
}
