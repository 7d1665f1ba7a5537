//! A jail's root: the VMM, the libraries it links, its firmware, and nothing else. Made once for
//! each version of those files and shared, read-only, by all VMs: one mount a jail instead of sixty.

use crate::error::{Step, VmmError};
use crate::state::StateDir;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The name of a root that is being made, by whoever holds the lock.
const DRAFT: &str = "draft";
const LOCK: &str = "jail";

/// What a root is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootSpec {
    /// Host file → path in the jail, absolute.
    pub files: BTreeMap<PathBuf, PathBuf>,
    /// Empty files to mount a VM's own files on, absolute.
    pub placeholders: Vec<&'static str>,
    /// Empty folders to mount file systems on, absolute.
    pub folders: Vec<&'static str>,
}

impl RootSpec {
    /// A program and all it links, at the paths that it expects them at.
    pub fn of_program(program: &Path) -> Result<Self, VmmError> {
        let unusable = |reason: String| VmmError::Unusable {
            program: program.to_path_buf(),
            reason,
        };
        // ldd runs the program's own loader, which knows the host's search paths as no parser does.
        let output = Command::new("ldd")
            .arg(program)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .output()
            .map_err(|e| {
                unusable(format!(
                    "ldd cannot be run: {e}; it is in Debian's libc-bin"
                ))
            })?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut files = linked(&text).map_err(|line| unusable(format!("ldd says: {line}")))?;
        files.insert(program.to_path_buf());
        Ok(Self {
            files: files.into_iter().map(|file| (file.clone(), file)).collect(),
            placeholders: Vec::new(),
            folders: Vec::new(),
        })
    }

    /// Makes the root, or finds it made. Returns its folder.
    pub fn build(&self, state: &StateDir) -> Result<PathBuf, VmmError> {
        let failed = |source| VmmError::Io {
            step: Step::Prepare,
            what: format!("making the jail's root in {}", state.jails().display()),
            source,
        };
        let path = state.jails().join(self.digest().map_err(failed)?);
        if path.is_dir() {
            return Ok(path);
        }
        // Of many that open a fresh state folder at once, one makes the root and the others find it.
        let _lock = state.lock(LOCK).map_err(failed)?;
        if path.is_dir() {
            return Ok(path);
        }
        // Renamed when complete, so there is never half a root; what a crash left of one goes first.
        let draft = state.jails().join(DRAFT);
        remove_folder(&draft).map_err(failed)?;
        let made = self.fill(&draft).and_then(|()| fs::rename(&draft, &path));
        made.inspect_err(|_| drop(remove_folder(&draft)))
            .map_err(failed)?;
        Ok(path)
    }

    fn fill(&self, draft: &Path) -> io::Result<()> {
        let folder = |path: &Path| DirBuilder::new().recursive(true).mode(0o755).create(path);
        folder(draft)?;
        // `mode` is subject to the umask, which must not decide what a jail can read.
        fs::set_permissions(draft, Permissions::from_mode(0o755))?;
        for (source, at) in &self.files {
            let target = below(draft, at);
            if let Some(parent) = target.parent() {
                folder(parent)?;
            }
            fs::copy(source, &target)?;
            let executable = source.metadata()?.mode() & 0o111 != 0;
            let mode = if executable { 0o755 } else { 0o644 };
            fs::set_permissions(&target, Permissions::from_mode(mode))?;
        }
        for at in &self.folders {
            folder(&below(draft, Path::new(at)))?;
        }
        for at in &self.placeholders {
            let target = below(draft, Path::new(at));
            if let Some(parent) = target.parent() {
                folder(parent)?;
            }
            fs::write(target, "")?;
        }
        // Folders made on the way, for the same reason as above.
        let files = self.files.values().map(PathBuf::as_path);
        let placeholders = self.placeholders.iter().map(Path::new);
        let folders = self.folders.iter().map(Path::new);
        for at in files.chain(placeholders) {
            for parent in at.ancestors().skip(1) {
                fs::set_permissions(below(draft, parent), Permissions::from_mode(0o755))?;
            }
        }
        for at in folders {
            for parent in at.ancestors() {
                fs::set_permissions(below(draft, parent), Permissions::from_mode(0o755))?;
            }
        }
        Ok(())
    }

    /// Names the content: any file replaced on the host gives another root.
    fn digest(&self) -> io::Result<String> {
        let mut hash = Sha256::new();
        for (source, at) in &self.files {
            let m = source.metadata()?;
            let line = format!(
                "{}\0{}\0{}\0{}\0{}\0{}\n",
                source.display(),
                at.display(),
                m.ino(),
                m.len(),
                m.mtime(),
                m.mtime_nsec()
            );
            hash.update(line);
        }
        hash.update(self.placeholders.join("\0"));
        hash.update(self.folders.join("\0"));
        Ok(hash.finalize()[..12]
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect())
    }
}

/// Removes what a crash left of a root that was being made; says whether there was any.
pub fn sweep(state: &StateDir) -> io::Result<bool> {
    let draft = state.jails().join(DRAFT);
    if !draft.exists() {
        return Ok(false);
    }
    // Whoever makes one now holds the lock, and has renamed or removed it when we have it.
    let _lock = state.lock(LOCK)?;
    let left = draft.exists();
    remove_folder(&draft).map(|()| left)
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn below(root: &Path, absolute: &Path) -> PathBuf {
    root.join(absolute.strip_prefix("/").unwrap_or(absolute))
}

/// The files in ldd's output; `Err` is the line about one that is missing.
fn linked(ldd: &str) -> Result<std::collections::BTreeSet<PathBuf>, String> {
    let mut files = std::collections::BTreeSet::new();
    for line in ldd.lines().map(str::trim) {
        if line.ends_with("not found") {
            return Err(line.to_string());
        }
        let path = line.split(" => ").last().unwrap_or(line);
        let path = path.split(" (0x").next().unwrap_or(path);
        if path.starts_with('/') {
            files.insert(PathBuf::from(path));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ldd_is_understood() {
        let text = "\tlinux-vdso.so.1 (0x00007ffe)\n\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        let files: Vec<_> = linked(text).unwrap().into_iter().collect();
        assert_eq!(
            files,
            [
                PathBuf::from("/lib/x86_64-linux-gnu/libz.so.1"),
                PathBuf::from("/lib64/ld-linux-x86-64.so.2")
            ]
        );
        assert!(linked("\tlibx.so => not found\n").is_err());
        assert!(linked("\tstatically linked\n").unwrap().is_empty());
    }

    #[test]
    fn many_at_once_make_one_root() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().join("s");
        let roots: Vec<PathBuf> = std::thread::scope(|scope| {
            let build = || {
                let state = StateDir::open(&at).unwrap();
                RootSpec::of_program(Path::new("/bin/true"))
                    .unwrap()
                    .build(&state)
                    .unwrap()
            };
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(build)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(roots.iter().all(|root| *root == roots[0]));
        let made = roots[0].parent().unwrap().read_dir().unwrap();
        assert_eq!(made.count(), 1);
    }

    #[test]
    fn a_root_holds_just_the_table_and_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(&dir.path().join("s")).unwrap();
        let mut spec = RootSpec::of_program(Path::new("/bin/true")).unwrap();
        spec.placeholders = vec!["/ram"];
        let root = spec.build(&state).unwrap();
        let inode = root.metadata().unwrap().ino();
        assert_eq!(spec.build(&state).unwrap(), root);
        assert_eq!(root.metadata().unwrap().ino(), inode);
        assert!(below(&root, Path::new("/bin/true")).is_file());
        assert_eq!(below(&root, Path::new("/ram")).metadata().unwrap().len(), 0);
        assert_eq!(state.jails().read_dir().unwrap().count(), 1);
        // A crash in the middle of making another.
        fs::create_dir_all(state.jails().join(DRAFT).join("half")).unwrap();
        assert!(sweep(&state).unwrap());
        assert!(!sweep(&state).unwrap());
        assert_eq!(state.jails().read_dir().unwrap().count(), 1);
        let ran = Command::new(below(&root, Path::new("/bin/true"))).status();
        assert!(ran.unwrap().success());
    }
}
