//! The kernel's source: the distribution's package, and of its hundred thousand files those that a
//! build for User-Mode Linux may read.

use super::config::PACKAGE;
use crate::child::Tool;
use crate::debian::Request;
use crate::debian::sources::{Sources, Suite};
use crate::error::ImageError;
use crate::manifest::Package;
use crate::progress::Phases;
use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::process::{ChildStdout, Command};
use std::time::Duration;

/// Newer kernels than the release's own are here. The release of the images has none that works.
const SUITE: Suite = Suite::Backports("trixie");
/// Seconds on any machine; a disk that hangs ends here.
const UNPACK_DEADLINE: Duration = Duration::from_secs(10 * 60);
/// Bounds what is unpacked, in bytes: three times the source.
const MAX_SOURCE_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// Not read by any build. All folders keep their `Kconfig` and `Makefile`, which others name.
const LEFT_OUT: &[&str] = &["Documentation", "LICENSES", "rust", "samples", "sound"];
/// Folders of which only some are read, and which.
const READ_IN: &[(&str, &[&str])] = &[
    ("arch", &["um", "x86"]),
    (
        "drivers",
        &["base", "block", "char", "net", "pps", "ptp", "tty"],
    ),
    ("tools", &["include"]),
];
/// A read folder of which only the files are, not the folders.
const FILES_ONLY: &str = "drivers/net";

/// The unpacked source, and the package that it comes from.
pub(crate) struct Source {
    pub(crate) folder: PathBuf,
    pub(crate) package: Package,
}

/// Brings the source into the folder `scratch`. Takes steps from 0 to 12 of the progress.
pub(crate) fn fetch(
    mirror: Option<&str>,
    scratch: &Path,
    phases: &Phases<'_>,
) -> Result<Source, ImageError> {
    let tree = scratch.join("tree");
    let request = Request {
        sources: Sources::newest(SUITE, mirror),
        packages: &[PACKAGE],
        keep: |path| path == archive_in(Path::new("")),
    };
    let unpacked = request.unpack(&tree, 8, phases)?;
    phases.at(8, "unpacking the kernel's source");
    unpack(&archive_in(&tree), scratch)?;
    fs::remove_dir_all(&tree).map_err(ImageError::io("removing", &tree))?;
    Ok(Source {
        folder: scratch.join(PACKAGE),
        package: crate::rootfs::package_of(PACKAGE, &unpacked)?,
    })
}

/// Where the package has the source.
fn archive_in(tree: &Path) -> PathBuf {
    tree.join("usr/src").join(format!("{PACKAGE}.tar.xz"))
}

fn unpack(archive: &Path, into: &Path) -> Result<(), ImageError> {
    let mut command = Command::new("xz");
    command
        .args(["--decompress", "--stdout", "--threads=0"])
        .arg(archive);
    let tool = Tool {
        name: "xz",
        doing: "unpacking the kernel's source",
        deadline: UNPACK_DEADLINE,
    };
    tool.run_reading(&mut command, |_| {}, |stdout| untar(stdout, into))
}

fn untar(stdout: ChildStdout, into: &Path) -> Result<(), ImageError> {
    let failed = || ImageError::io("unpacking the kernel's source into", into);
    let mut archive = tar::Archive::new(stdout.take(MAX_SOURCE_BYTES));
    // The times are the package's: 'make' only asks which file is newer, and all are its input.
    archive.set_preserve_ownerships(false);
    archive.set_unpack_xattrs(false);
    for entry in archive.entries().map_err(failed())? {
        let mut entry = entry.map_err(failed())?;
        let kind = entry.header().entry_type();
        let plain = kind.is_file() || kind.is_symlink() || kind.is_hard_link();
        if plain && is_read(&entry.path().map_err(failed())?) {
            entry.unpack_in(into).map_err(failed())?;
        }
    }
    Ok(())
}

/// Whether a build may read this file of the archive, whose top folder has the package's name.
fn is_read(path: &Path) -> bool {
    let mut parts = path.components();
    let inside = parts.next() == Some(Component::Normal(PACKAGE.as_ref()));
    inside && (describes_a_build(path) || is_source_read(parts.as_path()))
}

fn describes_a_build(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let starts = ["Kbuild", "Kconfig", "Makefile"];
    name.is_some_and(|name| starts.iter().any(|start| name.starts_with(start)))
}

fn is_source_read(path: &Path) -> bool {
    if LEFT_OUT.iter().any(|folder| path.starts_with(folder)) {
        return false;
    }
    if path.starts_with(FILES_ONLY) {
        return path.parent() == Some(Path::new(FILES_ONLY));
    }
    let partly = READ_IN.iter().find(|(folder, _)| path.starts_with(folder));
    partly.is_none_or(|(folder, read)| {
        let read = read
            .iter()
            .any(|name| path.starts_with(Path::new(folder).join(name)));
        read || path.parent() == Some(Path::new(folder))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_build_reads_is_unpacked() {
        for (path, expected) in [
            ("Makefile", true),
            ("kernel/fork.c", true),
            ("include/linux/fs.h", true),
            ("arch/Kconfig", true),
            ("arch/um/drivers/line.c", true),
            ("arch/x86/um/ptrace.c", true),
            ("arch/arm64/kernel/head.S", false),
            ("arch/arm64/Kconfig", true),
            ("drivers/Makefile", true),
            ("drivers/base/core.c", true),
            ("drivers/gpu/drm/drm_drv.c", false),
            ("drivers/gpu/drm/Kconfig.debug", true),
            ("drivers/net/loopback.c", true),
            ("drivers/net/ethernet/intel/e100.c", false),
            ("drivers/net/ethernet/intel/Makefile", true),
            ("Documentation/index.rst", false),
            ("sound/core/init.c", false),
            ("tools/include/linux/types.h", true),
            ("tools/perf/perf.c", false),
        ] {
            let path = Path::new(PACKAGE).join(path);
            assert_eq!(is_read(&path), expected, "{}", path.display());
        }
        for outside in [
            "Makefile",
            "other/kernel/fork.c",
            "/Makefile",
            "../Makefile",
            "",
        ] {
            assert!(!is_read(Path::new(outside)), "{outside}");
        }
    }
}
