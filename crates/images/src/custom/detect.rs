//! Which languages' programs run in a tree: those whose interpreter, or compiler, is there.

use crate::error::ImageError;
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use std::fs::File;
use std::path::Path;

/// Held to be there where nothing is, so that an image of one program has something to be called by.
const LAST: &str = "bash";
/// Starts what is known by more than its name; whether that is there cannot be told.
const SHELL: &str = "/bin/sh";

/// By their order; at least one.
pub(super) fn languages(root: &Path) -> Result<Vec<String>, ImageError> {
    let root = File::open(root).map_err(ImageError::io("opening", root))?;
    let runs = |language: &languages::Language| {
        let row = language.row();
        let programs = [Some(&row.run), row.compile.as_ref()];
        let first = programs
            .into_iter()
            .flatten()
            .filter_map(|words| words.first());
        let mut fixed = first.filter(|program| program.starts_with('/')).peekable();
        fixed.peek().is_some() && fixed.all(|program| program != SHELL && is_there(&root, program))
    };
    let mut found: Vec<String> = languages::all()
        .filter(runs)
        .map(|language| language.name().to_owned())
        .collect();
    // What most mean who name an image alone.
    found.sort_by_key(|name| name != "python");
    if found.is_empty() {
        found.push(LAST.to_owned());
    }
    Ok(found)
}

/// Whether the path leads to a file, as a guest would see it.
pub(super) fn is_there(root: &File, path: &str) -> bool {
    let path = path.trim_start_matches('/');
    let opened = openat2(
        root,
        path,
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
    );
    let metadata = opened
        .ok()
        .map(File::from)
        .and_then(|file| file.metadata().ok());
    metadata.is_some_and(|metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn languages_are_found_by_their_programs_within_the_tree() {
        let tree = tempfile::tempdir().unwrap();
        let root = tree.path();
        assert_eq!(languages(root).unwrap(), [LAST]);
        fs::create_dir_all(root.join("usr/bin")).unwrap();
        // Absolute, as packages make them: it leads within the tree.
        symlink("/usr/bin", root.join("bin")).unwrap();
        fs::write(root.join("usr/bin/bash"), "").unwrap();
        symlink("python3.13", root.join("usr/bin/python3")).unwrap();
        assert_eq!(languages(root).unwrap(), ["bash"]);
        fs::write(root.join("usr/bin/python3.13"), "").unwrap();
        assert_eq!(languages(root).unwrap(), ["python", "bash"]);
    }
}
