//! Artifacts on the host: a program named them, so nothing on the way to one may lead elsewhere.

use anyhow::Context as _;
use protocol::result::ArtifactFile;
use rustix::fs::{Access, CWD, Mode, OFlags, ResolveFlags, mkdirat, openat, openat2};
use rustix::io::Errno;
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Makes the folder for them, before anything runs: an error is the user's to mend.
pub fn make_ready(dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir)
        .with_context(|| format!("--output {} cannot be a folder", dir.display()))?;
    rustix::fs::access(dir, Access::WRITE_OK | Access::EXEC_OK)
        .with_context(|| format!("--output {} cannot be written to", dir.display()))
}

/// Writes them below `dir`, which may itself be behind a link: its name is the user's. Below it none is followed, and no
/// file that is there is written over.
pub fn save(dir: &Path, artifacts: &[ArtifactFile]) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    let root = openat(CWD, dir, FOLDER, Mode::empty())
        .with_context(|| format!("opening {}", dir.display()))?;
    for artifact in artifacts {
        write(root.as_fd(), &artifact.path, &artifact.data.0).map_err(|error| {
            let path = dir.join(&artifact.path);
            anyhow::anyhow!("saving {}: {}", path.display(), hindrance(error))
        })?;
    }
    Ok(())
}

/// What is in the way. The program chose the name, so it takes no file's place, and no link is followed.
fn hindrance(error: std::io::Error) -> String {
    match error.kind() {
        ErrorKind::AlreadyExists => {
            "it is there already, and is kept: remove it, or name another folder with --output"
                .into()
        }
        _ => format!("{error} (no link on the way is followed)"),
    }
}

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

fn write(root: BorrowedFd<'_>, path: &str, data: &[u8]) -> std::io::Result<()> {
    for (end, _) in path.match_indices('/') {
        make_folder(root, &path[..end])?;
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = beneath(root, path, flags, Mode::from_raw_mode(0o666))?;
    File::from(file).write_all(data)
}

fn make_folder(root: BorrowedFd<'_>, path: &str) -> rustix::io::Result<()> {
    let (parent, name) = path.rsplit_once('/').unwrap_or((".", path));
    let parent = beneath(root, parent, FOLDER, Mode::empty())?;
    match mkdirat(parent, name, Mode::from_raw_mode(0o777)) {
        // A link in a folder's place is refused when what is below it is opened.
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error),
    }
}

fn beneath(
    root: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    mode: Mode,
) -> rustix::io::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    openat2(root, path, flags, mode, resolve)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn artifact(path: &str) -> ArtifactFile {
        ArtifactFile {
            path: path.into(),
            size: 3,
            data: b"new".to_vec().into(),
        }
    }

    #[test]
    fn artifacts_are_below_their_folder_and_the_folder_may_be_a_link() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("real")).unwrap();
        let out = dir.path().join("out");
        symlink("real", &out).unwrap();
        save(&out, &[artifact("a"), artifact("b/c/d"), artifact("b/c/e")]).unwrap();
        for path in ["a", "b/c/d", "b/c/e"] {
            assert_eq!(
                fs::read(dir.path().join("real").join(path)).unwrap(),
                b"new"
            );
        }
    }

    /// An artifact's path, and what stands in its way.
    #[test]
    fn an_artifact_is_not_written_outside_its_folder_nor_over_a_file() {
        type Obstacle = fn(&Path, &Path);
        let obstacles: &[(&str, Obstacle)] = &[
            ("link/x", |out, elsewhere| {
                symlink(elsewhere, out.join("link")).unwrap()
            }),
            ("link/new/x", |out, elsewhere| {
                symlink(elsewhere, out.join("link")).unwrap()
            }),
            ("a/link/x", |out, elsewhere| {
                fs::create_dir(out.join("a")).unwrap();
                symlink(elsewhere, out.join("a/link")).unwrap();
            }),
            ("x", |out, elsewhere| {
                symlink(elsewhere.join("x"), out.join("x")).unwrap()
            }),
            ("victim", |out, elsewhere| {
                symlink(elsewhere.join("victim"), out.join("victim")).unwrap();
            }),
            ("old", |out, _| fs::write(out.join("old"), "old").unwrap()),
            ("../elsewhere/x", |_, _| ()),
            ("/tmp/x-of-nobody/x", |_, _| ()),
        ];
        for (path, obstacle) in obstacles {
            let dir = tempfile::tempdir().unwrap();
            let (out, elsewhere) = (dir.path().join("out"), dir.path().join("elsewhere"));
            fs::create_dir(&out).unwrap();
            fs::create_dir(&elsewhere).unwrap();
            fs::write(elsewhere.join("victim"), "old").unwrap();
            obstacle(&out, &elsewhere);
            let error = save(&out, &[artifact(path)]).unwrap_err();
            assert!(format!("{error:#}").contains("saving"), "{path}: {error:#}");
            if *path == "old" {
                let said = error.to_string();
                assert!(
                    said.contains("remove it, or name another folder with --output"),
                    "{said}"
                );
            }
            let names = fs::read_dir(&elsewhere).unwrap().flatten();
            let names: Vec<_> = names.map(|entry| entry.file_name()).collect();
            assert_eq!(names, ["victim"], "{path}");
            assert_eq!(
                fs::read(elsewhere.join("victim")).unwrap(),
                b"old",
                "{path}"
            );
            assert!(!out.join("old").exists() || fs::read(out.join("old")).unwrap() == b"old");
        }
    }
}
