//! What clients send about a sandbox's files, and get from them.

use super::path;
use crate::problem::Problem;
use protocol::supervisor::{Entry, EntryKind};
use sandbox::live::Listing;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A folder that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"path": "/work/data/new"}))]
pub struct FolderRequest {
    /// Absolute; folders above it are made, too.
    pub path: String,
}

impl FolderRequest {
    /// Its path.
    pub fn taken(self) -> Result<String, Problem> {
        path::check("path", &self.path)?;
        Ok(self.path)
    }
}

/// Another path for an entry.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "/work/a.txt", "to": "/work/b.txt"}))]
pub struct MoveRequest {
    /// From where; absolute.
    pub from: String,
    /// To where; absolute. A file that is there is replaced.
    pub to: String,
}

impl MoveRequest {
    /// Both paths.
    pub fn taken(self) -> Result<(String, String), Problem> {
        path::check("from", &self.from)?;
        path::check("to", &self.to)?;
        Ok((self.from, self.to))
    }
}

/// A file that was written.
#[derive(Debug, Serialize, ToSchema)]
pub struct WrittenBody {
    /// Its path.
    pub path: String,
    /// In bytes.
    pub size: u64,
}

/// An entry of a folder.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryBody {
    /// Absolute.
    pub path: String,
    /// `file`, `folder`, `link` or `other`.
    pub kind: &'static str,
    /// In bytes.
    pub size: u64,
    /// Its permission bits, in octal.
    pub mode: String,
    /// When its content changed last (RFC 3339, UTC); absent where the sandbox's clock says nonsense.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<String>,
    /// Where a link leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

impl From<Entry> for EntryBody {
    fn from(entry: Entry) -> Self {
        let modified = jiff::Timestamp::from_millisecond(entry.modified_millis);
        EntryBody {
            path: entry.path,
            kind: match entry.kind {
                EntryKind::File => "file",
                EntryKind::Folder => "folder",
                EntryKind::Link => "link",
                EntryKind::Other => "other",
            },
            size: entry.size,
            mode: format!("{:04o}", entry.mode & 0o7777),
            modified_at: modified.ok().map(|time| time.to_string()),
            target: entry.target,
        }
    }
}

/// A folder's entries.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntriesBody {
    /// In order of their paths.
    pub entries: Vec<EntryBody>,
    /// There were more.
    pub truncated: bool,
}

impl From<Listing> for EntriesBody {
    fn from(listing: Listing) -> Self {
        EntriesBody {
            entries: listing.entries.into_iter().map(EntryBody::from).collect(),
            truncated: listing.truncated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::supervisor::Metadata;

    #[test]
    fn an_entry_is_shown_whatever_the_guest_says_of_it() {
        for (mode, modified_millis, shown, at) in [
            (0o100_644, 1_500, "0644", Some("1970-01-01T00:00:01.5Z")),
            (0o1777, -1, "1777", Some("1969-12-31T23:59:59.999Z")),
            (u32::MAX, i64::MAX, "7777", None),
            (0, i64::MIN, "0000", None),
        ] {
            let body = EntryBody::from(Entry {
                path: "/work".into(),
                kind: EntryKind::Folder,
                size: 0,
                mode,
                uid: 0,
                gid: 0,
                modified_millis,
                target: None,
                metadata: Metadata::default(),
            });
            assert_eq!(
                (body.mode.as_str(), body.modified_at.as_deref()),
                (shown, at)
            );
        }
    }

    #[test]
    fn both_paths_of_a_move_are_looked_at() {
        for (from, to, field) in [
            ("/a", "/b", None),
            ("a", "/b", Some("from")),
            ("/a", "", Some("to")),
        ] {
            let (from, to) = (from.to_owned(), to.to_owned());
            let wrong = MoveRequest { from, to }.taken().err();
            assert_eq!(wrong.and_then(|problem| problem.field).as_deref(), field);
        }
    }
}
