//! The drivers of waiting interpreters and compilers: files that the host put into the initramfs, a folder for each
//! language. Whose they are and what they do is the host's business.

use crate::boot::make_folder;
use crate::error::{AgentError, Step};
use nix::errno::Errno;
use protocol::interpreter::DRIVERS_IN_INITRAMFS;
use std::path::Path;

/// Folder, name and content of each, between two roots.
pub struct Drivers(Vec<(String, String, Vec<u8>)>);

impl Drivers {
    /// Takes them out of the initramfs; none where it has none.
    pub fn read() -> Result<Drivers, AgentError> {
        let mut files = Vec::new();
        for folder in names(Path::new(DRIVERS_IN_INITRAMFS))? {
            let inside = Path::new(DRIVERS_IN_INITRAMFS).join(&folder);
            for name in names(&inside)? {
                let path = inside.join(&name);
                let content = std::fs::read(&path).step(|| format!("read {}", path.display()))?;
                files.push((folder.clone(), name, content));
            }
        }
        Ok(Drivers(files))
    }

    /// Puts them below a folder.
    pub fn write(&self, below: &str) -> Result<(), AgentError> {
        for (folder, name, content) in &self.0 {
            let inside = format!("{below}/{folder}");
            make_folder(&inside)?;
            let path = format!("{inside}/{name}");
            std::fs::write(&path, content).step(|| format!("write {path}"))?;
        }
        Ok(())
    }
}

/// The host chose them, of plain letters.
fn names(folder: &Path) -> Result<Vec<String>, AgentError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.step(|| format!("list {}", folder.display()))?,
    };
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.step(|| format!("list {}", folder.display()))?;
        let name = entry.file_name().into_string();
        name.map_err(|_| Errno::EILSEQ)
            .step(|| format!("list {}", folder.display()))
    };
    entries.map(name).collect()
}
