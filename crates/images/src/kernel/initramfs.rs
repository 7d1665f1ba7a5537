//! The initramfs' archive with the agent in it.

use crate::cpio::{Archive, CpioError};
use crate::digest;
use crate::error::ImageError;
use protocol::interpreter::DRIVERS_IN_INITRAMFS;
use std::fs;
use std::path::{Path, PathBuf};

/// The agent as `/init`, what it mounts over, and the drivers of all languages. Goes before the archive of modules, if
/// there is one.
pub(crate) fn agent_archive(agent: &Path, sha256: &str) -> Result<Vec<u8>, ImageError> {
    let bytes = fs::read(agent).map_err(ImageError::io("reading the agent", agent))?;
    if digest::sha256(&bytes) != sha256 {
        return Err(ImageError::Agent {
            path: agent.to_path_buf(),
            what: "it changed while it was read",
        });
    }
    check_agent(agent, &bytes)?;
    let write = || -> Result<Vec<u8>, CpioError> {
        let mut archive = Archive::default();
        for folder in ["dev", "newroot", "proc", "sys"] {
            archive.folder(folder)?;
        }
        // The kernel opens it for PID 1 before anything is mounted.
        archive.device("dev/console", 5, 1)?;
        archive.file("init", 0o755, &bytes)?;
        put_drivers(&mut archive)?;
        Ok(archive.finish())
    };
    write().map_err(|source| ImageError::Initramfs {
        entry: "init".to_owned(),
        source,
    })
}

/// A folder for each language that has some.
fn put_drivers(archive: &mut Archive) -> Result<(), CpioError> {
    let root = DRIVERS_IN_INITRAMFS.trim_start_matches('/');
    archive.folder(root)?;
    for language in languages::all() {
        let mut drivers = language.drivers().peekable();
        if drivers.peek().is_some() {
            archive.folder(&format!("{root}/{language}"))?;
        }
        for driver in drivers {
            let path = format!("{root}/{language}/{}", driver.name);
            archive.file(&path, 0o644, driver.content)?;
        }
    }
    Ok(())
}

/// What the archive depends on besides the agent: the drivers' names and contents.
pub(crate) fn drivers_sha256() -> Result<String, ImageError> {
    let mut archive = Archive::default();
    put_drivers(&mut archive).map_err(|source| ImageError::Initramfs {
        entry: DRIVERS_IN_INITRAMFS.to_owned(),
        source,
    })?;
    Ok(digest::sha256(&archive.finish()))
}

fn check_agent(path: &Path, bytes: &[u8]) -> Result<(), ImageError> {
    let wrong = |what| ImageError::Agent {
        path: PathBuf::from(path),
        what,
    };
    let elf = goblin::elf::Elf::parse(bytes).map_err(|_| wrong("it is no ELF program"))?;
    if elf.interpreter.is_some() || !elf.libraries.is_empty() {
        return Err(wrong("it is not linked statically"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_that_a_kernel_cannot_start_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("agent");
        fs::write(&text, "#!/bin/sh").unwrap();
        let try_it = |path: &Path| {
            let (sha256, _) = digest::sha256_file(path).unwrap();
            agent_archive(path, &sha256).unwrap_err().to_string()
        };
        let error = try_it(&text);
        assert!(error.contains("no ELF program"), "{error}");
        let error = try_it(Path::new("/bin/true"));
        assert!(error.contains("statically"), "{error}");
    }
}
