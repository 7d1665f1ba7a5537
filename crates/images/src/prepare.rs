//! What every root file system has besides its language's files: users, mount points, names. And what
//! none has: setuid bits, modes that differ from build to build.

use crate::error::ImageError;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// Folders that guests mount over, or that programs look for.
pub(crate) const FOLDERS: &[&str] = &["dev", "etc", "home", "proc", "sys", "tmp", "work"];
const MERGED: &[&str] = &["bin", "lib", "lib64", "sbin"];

/// Path, permissions, content.
pub(crate) type PlainFile = (&'static str, u32, &'static str);

pub(crate) const FILES: &[PlainFile] = &[
    (
        "etc/passwd",
        0o644,
        "root:x:0:0:root:/:/bin/sh\njob:x:10000:10000:job:/work:/bin/sh\n",
    ),
    ("etc/group", 0o644, "root:x:0:\njob:x:10000:\n"),
    // Nobody can log in; the file is there so that reading it is refused rather than absent.
    ("etc/shadow", 0o600, "root:*:::::::\njob:*:::::::\n"),
    ("etc/hosts", 0o644, "127.0.0.1 localhost\n::1 localhost\n"),
    // There is no network: a name that is not in /etc/hosts is asked of a port of this very VM where
    // nobody listens, so a look-up fails at once with the resolver's own error. 'files' alone would
    // have Go report no error and no address.
    (
        "etc/nsswitch.conf",
        0o644,
        "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
    ),
    (
        "etc/resolv.conf",
        0o644,
        "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    ),
    ("etc/hostname", 0o644, "localhost\n"),
];

/// Makes the folders, links and files that programs run while the image is made need as well.
pub(crate) fn rootfs(
    root: &Path,
    links: &[(&str, &str)],
    files: &[(&str, &[u8])],
) -> Result<(), ImageError> {
    for name in FOLDERS {
        let folder = root.join(name);
        fs::create_dir_all(&folder).map_err(ImageError::io("creating", &folder))?;
    }
    let merged = MERGED.iter().map(|name| (*name, format!("usr/{name}")));
    for (name, target) in merged {
        let folder = root.join(&target);
        fs::create_dir_all(&folder).map_err(ImageError::io("creating", &folder))?;
        link(&root.join(name), &target)?;
    }
    for (name, target) in links {
        link(&root.join(name), target)?;
    }
    let fixed = FILES
        .iter()
        .map(|(name, _, content)| (*name, content.as_bytes()));
    for (name, content) in fixed.chain(files.iter().copied()) {
        let path = root.join(name);
        let folder = path.parent().unwrap_or(root);
        fs::create_dir_all(folder).map_err(ImageError::io("creating", folder))?;
        remove_link(&path)?;
        fs::write(&path, content).map_err(ImageError::io("writing", &path))?;
    }
    Ok(())
}

fn remove_link(path: &Path) -> Result<(), ImageError> {
    match path.is_symlink() {
        true => fs::remove_file(path).map_err(ImageError::io("removing", path)),
        false => Ok(()),
    }
}

fn link(path: &Path, target: &str) -> Result<(), ImageError> {
    remove_link(path)?;
    symlink(target, path).map_err(ImageError::io("linking", path))
}

/// Gives every file plain permissions, and those that every image has their own.
pub(crate) fn plain_permissions(root: &Path) -> Result<(), ImageError> {
    plain_modes(root)?;
    for (name, mode, _) in FILES {
        set_mode(&root.join(name), *mode)?;
    }
    set_mode(&root.join("tmp"), 0o1777)
}

/// Makes every file readable by all, executable if it was, and nothing more. Follows no link.
pub(crate) fn plain_modes(root: &Path) -> Result<(), ImageError> {
    for entry in walkdir::WalkDir::new(root) {
        let entry = entry.map_err(|error| ImageError::io("listing", root)(error.into()))?;
        let kind = entry.file_type();
        if kind.is_symlink() {
            continue;
        }
        let metadata = entry
            .metadata()
            .map_err(|error| ImageError::io("looking at", entry.path())(error.into()))?;
        let executable = kind.is_dir() || metadata.permissions().mode() & 0o111 != 0;
        set_mode(entry.path(), if executable { 0o755 } else { 0o644 })?;
    }
    Ok(())
}

pub(crate) fn set_mode(path: &Path, mode: u32) -> Result<(), ImageError> {
    let permissions = Permissions::from_mode(mode);
    fs::set_permissions(path, permissions).map_err(ImageError::io("setting the mode of", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_setuid_or_writable_is_left() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("usr/bin")).unwrap();
        let program = root.path().join("usr/bin/su");
        fs::write(&program, b"").unwrap();
        set_mode(&program, 0o6777).unwrap();
        rootfs(root.path(), &[("usr/bin/sh", "dash")], &[]).unwrap();
        rootfs(root.path(), &[("usr/bin/sh", "bash")], &[]).unwrap();
        plain_permissions(root.path()).unwrap();
        let mode = |path: &str| {
            fs::metadata(root.path().join(path))
                .unwrap()
                .permissions()
                .mode()
                & 0o7777
        };
        assert_eq!(mode("usr/bin/su"), 0o755);
        assert_eq!(mode("etc/passwd"), 0o644);
        assert_eq!(mode("etc/shadow"), 0o600);
        assert_eq!(mode("tmp"), 0o1777);
        assert_eq!(mode("work"), 0o755);
        assert_eq!(
            fs::read_link(root.path().join("usr/bin/sh")).unwrap(),
            Path::new("bash")
        );
        assert_eq!(
            fs::read_link(root.path().join("bin")).unwrap(),
            Path::new("usr/bin")
        );
    }
}
