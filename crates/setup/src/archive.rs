//! The two programs out of a release archive:
//! `release-vVERSION-ARCH/firecracker-vVERSION-ARCH` and `…/jailer-vVERSION-ARCH`. Names in the archive
//! decide what is taken, never where it goes.

use crate::error::{SetupError, io};
use flate2::read::GzDecoder;
use std::fs::{File, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::NamedTempFile;

/// The programs, by the names they are installed under.
pub(crate) const PROGRAMS: [&str; 2] = ["firecracker", "jailer"];

/// The most that a program may have unpacked, bytes. v1.16's have 5 MB at most.
const MAX_PROGRAM_BYTES: u64 = 64 << 20;

/// Members looked at before an archive is given up; a release has some twenty.
const MAX_MEMBERS: usize = 1000;

/// Unpacks both programs into temporary files in `into`, executable and safe on disk.
pub(crate) fn unpack(
    from: &str,
    archive: File,
    arch: &str,
    into: &Path,
) -> Result<[NamedTempFile; 2], SetupError> {
    let wrong = |reason: String| SetupError::NotAnArchive {
        from: from.into(),
        reason,
    };
    let mut found: [Option<NamedTempFile>; 2] = [None, None];
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    let members = archive.entries().map_err(|e| wrong(e.to_string()))?;
    for member in members.take(MAX_MEMBERS) {
        let mut member = member.map_err(|e| wrong(e.to_string()))?;
        let path = member
            .path()
            .map_err(|e| wrong(e.to_string()))?
            .into_owned();
        let Some(index) = PROGRAMS
            .iter()
            .position(|name| is_program(&path, name, arch))
        else {
            continue;
        };
        if !member.header().entry_type().is_file() || member.size() > MAX_PROGRAM_BYTES {
            return Err(wrong(format!("{} is no program", path.display())));
        }
        found[index] = Some(write(&mut member, into).map_err(io("unpacking into", into))?);
    }
    let missing = |name: &str| wrong(format!("it holds no {name} for {arch}"));
    let [firecracker, jailer] = found;
    Ok([
        firecracker.ok_or_else(|| missing(PROGRAMS[0]))?,
        jailer.ok_or_else(|| missing(PROGRAMS[1]))?,
    ])
}

/// `release-X/NAME-X` where `X` ends with the architecture.
fn is_program(path: &Path, name: &str, arch: &str) -> bool {
    let Some((folder, file)) = path.to_str().and_then(|path| path.split_once('/')) else {
        return false;
    };
    let tag = folder.strip_prefix("release-");
    let own = file
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('-'));
    tag.is_some() && tag == own && tag.is_some_and(|tag| tag.ends_with(&format!("-{arch}")))
}

fn write(member: &mut impl Read, into: &Path) -> std::io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(into)?;
    std::io::copy(member, &mut file)?;
    file.as_file()
        .set_permissions(Permissions::from_mode(0o755))?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_programs_of_this_architecture_are_taken() {
        let is = |path: &str, name| is_program(Path::new(path), name, "x86_64");
        assert!(is(
            "release-v1.16.1-x86_64/firecracker-v1.16.1-x86_64",
            "firecracker"
        ));
        assert!(is("release-v1.16.1-x86_64/jailer-v1.16.1-x86_64", "jailer"));
        for other in [
            "release-v1.16.1-x86_64/firecracker-v1.16.1-x86_64.debug",
            "release-v1.16.1-aarch64/firecracker-v1.16.1-aarch64",
            "release-v1.16.1-x86_64/firecracker-v1.15.0-x86_64",
            "../firecracker-v1.16.1-x86_64",
            "firecracker-v1.16.1-x86_64",
            "release-v1.16.1-x86_64/sub/firecracker-v1.16.1-x86_64",
        ] {
            assert!(!is(other, "firecracker"), "{other}");
        }
    }
}
