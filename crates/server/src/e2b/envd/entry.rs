//! An entry of a folder, in the words of E2B's daemon.

use jiff::Timestamp;
use protocol::supervisor::{Entry, EntryKind, Metadata};
use sandbox::live::LiveSandbox;
use serde::Serialize;
use std::collections::BTreeMap;

/// Links that one path is followed through, as Linux does (path_resolution(7)).
const MAX_LINKS: usize = 40;
/// What a pair of texts costs besides their letters, in bytes.
const PAIR_BYTES: usize = 64;
/// The sandbox's own user, and its group.
const USER_ID: u32 = protocol::environment::JOB_ID;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryInfo {
    name: String,
    #[serde(rename = "type")]
    kind: FileType,
    path: String,
    /// 64-bit numbers are texts in protobuf's JSON.
    size: String,
    mode: u32,
    permissions: String,
    owner: String,
    group: String,
    modified_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    symlink_target: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
}

/// The same for clients of 2024, whose parser fails over a field that it does not know.
#[derive(Debug, Serialize)]
pub struct ShortEntry {
    name: String,
    #[serde(rename = "type")]
    kind: FileType,
    path: String,
}

impl From<EntryInfo> for ShortEntry {
    fn from(info: EntryInfo) -> ShortEntry {
        ShortEntry {
            name: info.name,
            kind: info.kind,
            path: info.path,
        }
    }
}

/// What an entry is; of a link, what it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum FileType {
    #[serde(rename = "FILE_TYPE_UNSPECIFIED")]
    Unspecified,
    #[serde(rename = "FILE_TYPE_FILE")]
    File,
    #[serde(rename = "FILE_TYPE_DIRECTORY")]
    Directory,
    #[serde(rename = "FILE_TYPE_SYMLINK")]
    Symlink,
}

/// The last part of a path.
pub fn name(path: &str) -> &str {
    match path.rsplit('/').next() {
        Some("") | None => "/",
        Some(name) => name,
    }
}

impl EntryInfo {
    /// What a client is told of it; a link is followed to what it is.
    pub async fn of(live: &LiveSandbox, entry: Entry) -> EntryInfo {
        match entry.kind {
            EntryKind::Link => EntryInfo::of_link(live, entry).await,
            _ => EntryInfo::plain(entry),
        }
    }

    /// What it costs to keep, in bytes.
    pub fn bytes(&self) -> usize {
        let target = self.symlink_target.as_ref().map_or(0, String::len);
        let attached = self.metadata.iter();
        let attached: usize = attached
            .map(|(key, value)| key.len() + value.len() + PAIR_BYTES)
            .sum();
        size_of::<EntryInfo>() + self.name.len() + self.path.len() + target + attached
    }

    fn plain(entry: Entry) -> EntryInfo {
        EntryInfo {
            name: name(&entry.path).to_owned(),
            kind: file_type(entry.kind),
            size: entry.size.to_string(),
            mode: entry.mode,
            permissions: permissions(entry.kind, entry.mode),
            owner: user(entry.uid),
            group: user(entry.gid),
            modified_time: modified(entry.modified_millis),
            symlink_target: None,
            metadata: map(&entry.metadata),
            path: entry.path,
        }
    }

    async fn of_link(live: &LiveSandbox, link: Entry) -> EntryInfo {
        let first = target(&link);
        let mut followed = link.clone();
        for _ in 0..MAX_LINKS {
            if followed.kind != EntryKind::Link {
                break;
            }
            // One that leads nowhere, or may not be followed, stays a link.
            let Ok(next) = live.stat(&target(&followed)).await else {
                break;
            };
            followed = next;
        }
        let of_target = EntryInfo::plain(followed.clone());
        let resolved = match followed.kind {
            EntryKind::Link => first,
            _ => followed.path,
        };
        EntryInfo {
            symlink_target: Some(resolved),
            kind: of_target.kind,
            size: of_target.size,
            mode: of_target.mode,
            metadata: of_target.metadata,
            ..EntryInfo::plain(link)
        }
    }
}

/// What is attached to a file, by its keys.
pub fn map(metadata: &Metadata) -> BTreeMap<String, String> {
    let pairs = metadata.pairs();
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Where a link leads, absolute.
fn target(link: &Entry) -> String {
    let target = link.target.as_deref().unwrap_or_default();
    match target.starts_with('/') {
        true => target.to_owned(),
        false => {
            let folder = link.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{folder}/{target}")
        }
    }
}

fn file_type(kind: EntryKind) -> FileType {
    match kind {
        EntryKind::File => FileType::File,
        EntryKind::Folder => FileType::Directory,
        EntryKind::Link => FileType::Symlink,
        EntryKind::Other => FileType::Unspecified,
    }
}

/// As `ls -l` writes them.
fn permissions(kind: EntryKind, mode: u32) -> String {
    let first = match kind {
        EntryKind::Folder => 'd',
        EntryKind::Link => 'L',
        EntryKind::File | EntryKind::Other => '-',
    };
    let bit = |shift: u32, letter: char| match mode >> shift & 1 {
        1 => letter,
        _ => '-',
    };
    let letters = ['r', 'w', 'x'].into_iter().cycle();
    let bits = (0..9)
        .rev()
        .zip(letters)
        .map(|(shift, letter)| bit(shift, letter));
    std::iter::once(first).chain(bits).collect()
}

/// A user, or a group, as E2B's clients know them.
fn user(id: u32) -> String {
    match id {
        0 => super::user::ROOT.to_owned(),
        USER_ID => super::user::USER.to_owned(),
        other => other.to_string(),
    }
}

fn modified(millis: i64) -> String {
    Timestamp::from_millisecond(millis)
        .unwrap_or_default()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_told_as_the_daemon_tells_it() {
        let mut metadata = Metadata::default();
        assert!(metadata.add("author".to_owned(), "mish".to_owned()));
        let entry = Entry {
            path: "/home/user/a.txt".into(),
            kind: EntryKind::File,
            size: 5,
            mode: 0o644,
            uid: USER_ID,
            gid: 0,
            modified_millis: 1_700_000_000_000,
            target: None,
            metadata,
        };
        let told = serde_json::to_value(EntryInfo::plain(entry)).unwrap();
        assert_eq!(
            told,
            serde_json::json!({
                "name": "a.txt", "type": "FILE_TYPE_FILE", "path": "/home/user/a.txt", "size": "5", "mode": 0o644,
                "permissions": "-rw-r--r--", "owner": "user", "group": "root", "modifiedTime": "2023-11-14T22:13:20Z",
                "metadata": {"author": "mish"},
            })
        );
    }

    #[test]
    fn permissions_are_as_ls_writes_them() {
        for (kind, mode, text) in [
            (EntryKind::Folder, 0o755, "drwxr-xr-x"),
            (EntryKind::File, 0o4711, "-rwx--x--x"),
            (EntryKind::Link, 0o777, "Lrwxrwxrwx"),
        ] {
            assert_eq!(permissions(kind, mode), text);
        }
        assert_eq!((name("/"), name("/a/b"), name("/a")), ("/", "b", "a"));
    }
}
