//! What every guest needs to find in its root file system, put into a tree of somebody else's: folders to mount over, the
//! user of jobs, names without a network. What is there stays, but for names and addresses.

use super::add::write;
use super::spec::AddedFile;
use crate::error::ImageError;
use crate::prepare::{self, FILES, FOLDERS};
use crate::target::Target;
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use std::fs::{self, File, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Of `/etc/passwd` and the like, in bytes; a longer one is replaced.
const MAX_TABLE_BYTES: u64 = 1 << 20;
/// They are kept, and have lines added.
const TABLES: &[&str] = &["etc/passwd", "etc/group", "etc/shadow"];
/// Never the image's own: they say what there is no network to say otherwise.
const REPLACED: &[&str] = &["etc/hosts", "etc/resolv.conf", "etc/hostname"];

/// Puts it there.
pub(super) fn tree(root: &Path) -> Result<(), ImageError> {
    let folder = File::open(root).map_err(ImageError::io("opening", root))?;
    for name in FOLDERS {
        mount_point(root, name)?;
    }
    let mut target = Target::own(root);
    for (name, mode, content) in FILES {
        let own = read(&folder, name);
        let content = match own {
            Some(own) if TABLES.contains(name) => with_lines(&own, content),
            Some(_) if !REPLACED.contains(name) => continue,
            _ => content.as_bytes().to_vec(),
        };
        let file = AddedFile {
            content,
            is_executable: false,
        };
        write(&mut target, Path::new(name), &file)?;
        prepare::set_mode(&root.join(name), *mode)?;
    }
    prepare::set_mode(&root.join("tmp"), 0o1777)
}

/// Guests mount over it: a folder, whatever was there.
fn mount_point(root: &Path, name: &str) -> Result<(), ImageError> {
    let path = root.join(name);
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => return Ok(()),
        Ok(_) => fs::remove_file(&path).map_err(ImageError::io("removing", &path))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(ImageError::io("looking at", &path)(error)),
    }
    fs::create_dir(&path).map_err(ImageError::io("creating", &path))?;
    let permissions = Permissions::from_mode(0o755);
    fs::set_permissions(&path, permissions).map_err(ImageError::io("setting the mode of", &path))
}

/// The tree's own file, which no link leads to.
fn read(root: &File, name: &str) -> Option<Vec<u8>> {
    let opened = openat2(
        root,
        name,
        OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK,
        Mode::empty(),
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
    );
    let file = File::from(opened.ok()?);
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || metadata.len() > MAX_TABLE_BYTES {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(MAX_TABLE_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Its lines, and ours of whom it does not name: one name is one user.
fn with_lines(own: &[u8], ours: &str) -> Vec<u8> {
    let mut all = own.to_vec();
    if !all.is_empty() && !all.ends_with(b"\n") {
        all.push(b'\n');
    }
    for line in ours.lines() {
        let name = line.split(':').next().unwrap_or_default();
        let start = format!("{name}:");
        let has = own
            .split(|byte| *byte == b'\n')
            .any(|line| line.starts_with(start.as_bytes()));
        if !has {
            all.extend(line.as_bytes());
            all.push(b'\n');
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_tree_gets_what_guests_need_and_keeps_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("etc")).unwrap();
        fs::write(
            root.join("etc/passwd"),
            "root:x:0:0:me:/root:/bin/ash\nnode:x:1000:1000::/:",
        )
        .unwrap();
        fs::write(root.join("etc/resolv.conf"), "nameserver 8.8.8.8\n").unwrap();
        fs::write(root.join("etc/nsswitch.conf"), "hosts: files\n").unwrap();
        fs::write(root.join("work"), "a file").unwrap();
        tree(root).unwrap();
        let text = |name: &str| fs::read_to_string(root.join(name)).unwrap();
        assert!(
            text("etc/passwd")
                .starts_with("root:x:0:0:me:/root:/bin/ash\nnode:x:1000:1000::/:\njob:x:10000:")
        );
        assert!(text("etc/resolv.conf").contains("127.0.0.1"));
        assert_eq!(text("etc/nsswitch.conf"), "hosts: files\n");
        assert!(root.join("work").is_dir() && root.join("proc").is_dir());
    }

    #[test]
    fn links_out_of_the_tree_lead_nowhere() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (root, outside) = (folder.path(), outside.path());
        fs::write(outside.join("passwd"), "victim\n").unwrap();
        symlink(outside, root.join("tmp")).unwrap();
        fs::create_dir(root.join("etc")).unwrap();
        symlink(outside.join("passwd"), root.join("etc/passwd")).unwrap();
        tree(root).unwrap();
        assert_eq!(
            fs::read_to_string(outside.join("passwd")).unwrap(),
            "victim\n"
        );
        assert!(
            !fs::read_to_string(root.join("etc/passwd"))
                .unwrap()
                .contains("victim")
        );
        assert_eq!(
            fs::metadata(outside).unwrap().permissions().mode() & 0o1000,
            0
        );

        fs::remove_dir_all(root.join("etc")).unwrap();
        symlink(outside, root.join("etc")).unwrap();
        tree(root).unwrap();
        assert_eq!(fs::read_dir(outside).unwrap().count(), 1);
    }
}
