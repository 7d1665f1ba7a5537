//! What a session's program left in `/work/out`: the difference between two looks at it.

use crate::mcp::file_facts::FileFacts;
use crate::mcp::picture::{MAX_PICTURE_BYTES, Pictures, Shown, mime_of};
use crate::mcp::place::Place;
use crate::sandboxes::table::UsedSandbox;
use protocol::environment::OUT_DIR;
use sandbox::live::EntryKind;
use std::collections::BTreeMap;

/// Levels of folders below it that are looked at.
const DEPTH: u32 = 4;

/// Files of a folder: path → size and time of the last change.
pub(super) type Look = BTreeMap<String, (u64, i64)>;

/// What is there now. One that cannot be looked at has nothing.
pub(super) async fn look(used: &UsedSandbox) -> Look {
    let Ok(listing) = used.live.list(OUT_DIR, DEPTH).await else {
        return Look::new();
    };
    let files = listing.entries.into_iter();
    let files = files.filter(|entry| entry.kind == EntryKind::File);
    files
        .map(|entry| (entry.path, (entry.size, entry.modified_millis)))
        .collect()
}

/// What is new or changed since then.
pub(super) fn changed(before: &Look, after: Look) -> Vec<(String, u64)> {
    let is_new = |(path, look): &(String, (u64, i64))| before.get(path) != Some(look);
    let new = after.into_iter().filter(is_new);
    new.map(|(path, (size, _))| (path, size)).collect()
}

/// The facts of these files; those that are pictures are taken in as far as they have room.
pub(super) async fn facts(
    place: &Place,
    id: &str,
    files: Vec<(String, u64)>,
    pictures: &mut Pictures,
) -> Vec<FileFacts> {
    let mut facts = Vec::new();
    for (path, size) in files {
        let mut fact = FileFacts::new(id, &path, size);
        let looks_like_one = fact.mime_type.starts_with("image/");
        if looks_like_one && size <= MAX_PICTURE_BYTES as u64 {
            let most = |first: &[u8]| mime_of(first).map_or(0, |_| MAX_PICTURE_BYTES);
            // It may be gone again: then it is no picture.
            if let Ok(part) = place.read(&path, 0, most).await {
                fact.shown = pictures.take(part.bytes) == Shown::Yes;
            }
        }
        facts.push(fact);
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_or_changed_is_told_and_what_stayed_is_not() {
        let look = |files: &[(&str, u64, i64)]| -> Look {
            let entry = |(path, size, at): &(&str, u64, i64)| ((*path).to_owned(), (*size, *at));
            files.iter().map(entry).collect()
        };
        let before = look(&[("/a", 1, 1), ("/b", 1, 1), ("/c", 1, 1), ("/gone", 1, 1)]);
        let after = look(&[("/a", 1, 1), ("/b", 2, 1), ("/c", 1, 2), ("/d", 5, 1)]);
        let told = changed(&before, after);
        let paths: Vec<&str> = told.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["/b", "/c", "/d"]);
    }
}
