//! The files that come with a job, and the program's own: each has a place of its own in the work folder.

use super::{Rejection, shown};
use crate::error_code::ErrorCode;
use crate::job::JobFile;
use crate::limits::{MAX_FILES, MAX_FILES_BYTES};
use crate::path::check_relative;
use std::collections::HashSet;

/// Refuses what could not all be put there: too much, names that leave the folder, names that meet.
pub(super) fn check(entry: &str, files: &[JobFile]) -> Result<(), Rejection> {
    let refuse = |field, message| Err(Rejection::new(ErrorCode::FilesInvalid, field, message));
    if files.len() > MAX_FILES {
        return refuse("files", format!("{} files", files.len()));
    }
    let bytes: usize = files.iter().map(|file| file.data.0.len()).sum();
    if bytes > MAX_FILES_BYTES {
        return refuse("files", format!("files of {bytes} bytes together"));
    }
    if let Err(error) = check_relative(entry) {
        return refuse("entry", format!("entry {}: {error}", shown(entry)));
    }
    let mut seen = HashSet::from([entry]);
    for file in files {
        let path = file.path.as_str();
        if let Err(error) = check_relative(path) {
            return refuse("files", format!("file {}: {error}", shown(path)));
        }
        if path == entry {
            let text = format!(
                "file {} is the program's own; entry gives the program another name",
                shown(path)
            );
            return refuse("files", text);
        }
        if !seen.insert(path) {
            return refuse("files", format!("file {} comes twice", shown(path)));
        }
    }
    match seen
        .iter()
        .find_map(|path| Some((*path, file_above(path, &seen)?)))
    {
        None => Ok(()),
        Some((path, above)) => {
            let text = format!(
                "file {} cannot lie below {}, which is a file, too",
                shown(path),
                shown(above)
            );
            refuse("files", text)
        }
    }
}

/// One of the files, in whose place this path would need a folder.
fn file_above<'a>(path: &'a str, files: &HashSet<&str>) -> Option<&'a str> {
    let mut folders = path.match_indices('/').map(|(end, _)| &path[..end]);
    folders.find(|folder| files.contains(folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judged(entry: &str, paths: &[&str]) -> Result<(), (&'static str, String)> {
        let files: Vec<JobFile> = paths
            .iter()
            .map(|path| JobFile {
                path: (*path).into(),
                data: Vec::new().into(),
            })
            .collect();
        check(entry, &files).map_err(|rejection| {
            assert_eq!(rejection.code, ErrorCode::FilesInvalid);
            (rejection.field, rejection.message)
        })
    }

    #[test]
    fn names_that_meet_are_refused_in_either_order() {
        for (entry, paths, field, word) in [
            ("main.py", &["a", "a"][..], "files", "twice"),
            ("main.py", &["data", "data/a.txt"], "files", "below"),
            ("main.py", &["data/a.txt", "data"], "files", "below"),
            ("main.py", &["a/b/c", "x", "a"], "files", "below"),
            ("main.py", &["main.py/x"], "files", "below"),
            ("src/app.py", &["src"], "files", "below"),
            ("main.py", &["main.py"], "files", "program's own"),
            ("../x.py", &[], "entry", "'..'"),
            ("", &[], "entry", "bytes"),
        ] {
            let (seen_field, text) = judged(entry, paths).unwrap_err();
            assert_eq!(seen_field, field, "{entry} {paths:?}");
            assert!(text.contains(word), "{entry} {paths:?}: {text}");
        }
        assert_eq!(
            judged("src/app.py", &["src/a", "srca", "main.py", "src.py"]),
            Ok(())
        );
    }

    proptest! {
        #[test]
        fn what_is_accepted_can_be_laid_out(paths in proptest::collection::vec("[ab]{1,2}(/[ab]{1,2}){0,2}", 0..5)) {
            let words: Vec<&str> = paths.iter().map(String::as_str).collect();
            if judged("main", &words).is_ok() {
                let folder = tempfile::tempdir().unwrap();
                for path in words {
                    let at = folder.path().join(path);
                    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
                    std::fs::write(at, "x").unwrap();
                }
            }
        }
    }
}
