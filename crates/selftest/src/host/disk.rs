//! How many bytes running VMs had on the host's disk, at their highest.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often it is measured.
const EVERY: Duration = Duration::from_millis(100);
/// A booted VM's RAM, where it is a file; the VM's size bounds it.
const RAM: &str = "ram";

/// Measures in the background until dropped.
pub struct DiskPeak {
    peak: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl DiskPeak {
    /// Watches the folders of running VMs.
    pub fn watch(state_dir: &Path) -> DiskPeak {
        let peak = Arc::new(AtomicU64::new(0));
        let (folder, shared) = (state_dir.join("run"), peak.clone());
        let task = tokio::spawn(async move {
            loop {
                shared.fetch_max(bytes_below(&folder), Ordering::Relaxed);
                tokio::time::sleep(EVERY).await;
            }
        });
        DiskPeak { peak, task }
    }

    /// The most so far, in MiB.
    pub fn mib(&self) -> u64 {
        self.peak.load(Ordering::Relaxed) >> 20
    }
}

impl Drop for DiskPeak {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn bytes_below(folder: &Path) -> u64 {
    let mut bytes = 0;
    let mut folders: Vec<PathBuf> = vec![folder.into()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.path().symlink_metadata() else {
                continue;
            };
            if metadata.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name() != RAM {
                bytes += metadata.blocks() * 512;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_counts_and_ram_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let vm = dir.path().join("vm-1");
        std::fs::create_dir(&vm).unwrap();
        std::fs::write(vm.join("ram"), vec![1; 1 << 20]).unwrap();
        assert_eq!(bytes_below(dir.path()), 0);
        std::fs::write(vm.join("console"), vec![1; 1 << 20]).unwrap();
        assert!(bytes_below(dir.path()) >= 1 << 20);
    }
}
