//! How old files are, and folders whose files go when they are too old.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Since it was written last; a clock that went back says just now. `None`: it is not there, or does not say.
pub(crate) fn of(path: &Path) -> Option<Duration> {
    let modified = fs::metadata(path).ok()?.modified().ok()?;
    let age = SystemTime::now().duration_since(modified);
    Some(age.unwrap_or_default())
}

/// Removes the files of a folder that are older. What cannot be removed stays: another may have been first.
pub(crate) fn sweep(folder: &Path, bound: Duration) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if of(&entry.path()).is_some_and(|age| age > bound) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_goes_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, age: i64| {
            let path = folder.path().join(name);
            let file = fs::File::create(&path).unwrap();
            let now = SystemTime::now();
            let shift = Duration::from_secs(age.unsigned_abs());
            let at = if age < 0 { now + shift } else { now - shift };
            file.set_modified(at).unwrap();
            path
        };
        let (old, young, ahead) = (file("old", 100), file("young", 10), file("ahead", -100));
        assert_eq!(of(&ahead), Some(Duration::ZERO));
        assert_eq!(of(&folder.path().join("absent")), None);
        sweep(folder.path(), Duration::from_secs(60));
        assert!(!old.exists() && young.exists() && ahead.exists());
    }
}
