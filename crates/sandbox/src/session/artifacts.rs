//! What a program of a session left in `/work/out`: what changed, not all that is there.

use crate::live::{Entry, EntryKind, LiveError, LiveSandbox};
use protocol::environment::OUT_DIR;
use protocol::path::check_relative;
use protocol::result::ArtifactFile;
use protocol::wire::MAX_ARTIFACTS;
use std::collections::BTreeMap;

/// Levels of folders that are looked into.
const DEPTH: u32 = 16;

/// Files that were there, with their size and when they changed last.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<String, (u64, i64)>);

/// What is there now; a folder that cannot be listed has nothing.
pub(super) async fn seen(live: &LiveSandbox) -> Seen {
    let listing = live.list(OUT_DIR, DEPTH).await;
    let entries = listing.map_or(Vec::new(), |listing| listing.entries);
    let files = entries.into_iter().filter(|it| it.kind == EntryKind::File);
    Seen(
        files
            .map(|it| (it.path, (it.size, it.modified_millis)))
            .collect(),
    )
}

/// Files that are new or other than before, `most` bytes and [`MAX_ARTIFACTS`] files at most; whether some were left out.
pub(super) async fn changed(
    live: &LiveSandbox,
    before: &Seen,
    most: u64,
) -> (Vec<ArtifactFile>, bool) {
    let Ok(listing) = live.list(OUT_DIR, DEPTH).await else {
        return (Vec::new(), false);
    };
    let mut truncated = listing.truncated;
    let (mut files, mut left) = (Vec::new(), most);
    for entry in listing.entries {
        let is_known = before.0.get(&entry.path) == Some(&(entry.size, entry.modified_millis));
        if entry.kind != EntryKind::File || is_known {
            continue;
        }
        let fits = files.len() < MAX_ARTIFACTS && entry.size <= left;
        match fits.then(|| relative(&entry)).flatten() {
            Some(path) => match read(live, &entry.path, left).await {
                Ok(Some(data)) => {
                    left -= data.len() as u64;
                    let size = data.len() as u64;
                    let data = data.into();
                    files.push(ArtifactFile { path, size, data });
                }
                Ok(None) | Err(_) => truncated = true,
            },
            None => truncated = true,
        }
    }
    (files, truncated)
}

fn relative(entry: &Entry) -> Option<String> {
    let path = entry.path.strip_prefix(OUT_DIR)?.strip_prefix('/')?;
    check_relative(path).is_ok().then(|| path.to_owned())
}

/// A file's content; `None`: it is larger than that.
async fn read(live: &LiveSandbox, path: &str, most: u64) -> Result<Option<Vec<u8>>, LiveError> {
    let mut reader = live.read_file(path).await?;
    let mut data = Vec::new();
    while let Some(more) = reader.next().await? {
        data.extend(more);
        if data.len() as u64 > most {
            return Ok(None);
        }
    }
    Ok(Some(data))
}
