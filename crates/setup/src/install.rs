//! Fetch, check, unpack, put into place: in this order, and the first program is put into place
//! only when both are ready.

use crate::archive::{self, PROGRAMS};
use crate::error::{SetupError, io};
use crate::fetch;
use crate::release::Release;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Where an archive comes from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// The release's own address.
    Network,
    /// A file on this host.
    File(&'a Path),
}

/// What is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The VMM.
    pub firecracker: PathBuf,
    /// Its jailer.
    pub jailer: PathBuf,
}

/// Installs a release into a folder, which is made if it is not there. An archive with another digest
/// than the release's is refused before anything in it is read.
pub fn install(release: &Release, source: Source, into: &Path) -> Result<Installed, SetupError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(into)
        .map_err(io("making", into))?;
    let (from, fetched) = match source {
        Source::Network => (release.url.clone(), fetch::download(&release.url, into)?),
        Source::File(path) => (path.display().to_string(), fetch::copy(path, into)?),
    };
    if !fetched.sha256.eq_ignore_ascii_case(&release.sha256) {
        return Err(SetupError::Mismatch {
            from,
            wanted: release.sha256.clone(),
            seen: fetched.sha256,
        });
    }
    let programs = archive::unpack(&from, fetched.file, &release.arch, into)?;
    for (program, name) in programs.into_iter().zip(PROGRAMS) {
        let path = into.join(name);
        program
            .persist(&path)
            .map_err(|e| io("putting into place", &path)(e.error))?;
    }
    File::open(into)
        .and_then(|folder| folder.sync_all())
        .map_err(io("syncing", into))?;
    Ok(Installed {
        firecracker: into.join(PROGRAMS[0]),
        jailer: into.join(PROGRAMS[1]),
    })
}
