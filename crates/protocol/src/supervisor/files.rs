//! What host and guest say of a sandbox's files.

use super::metadata::Metadata;
use crate::link::StreamId;
use serde::{Deserialize, Serialize};

/// File operations at one time.
pub const MAX_FILE_OPERATIONS: usize = 64;
/// Entries of one listing; what is over is left out, and said.
pub const MAX_ENTRIES: usize = 4096;
/// The longest absolute path, in bytes (Linux's `PATH_MAX`).
pub const MAX_PATH_BYTES: usize = 4096;
/// Watches at one time, besides the operations above.
pub const MAX_WATCHES: usize = 16;
/// Folders that one watch watches; those over it are told as an overflow.
pub const MAX_WATCHED_FOLDERS: usize = 1024;
/// The longest line of a watch, in bytes (64 KiB): two paths, whose every byte may be six in JSON.
pub const MAX_EVENT_BYTES: usize = 64 * 1024;

/// Something to do with files. Paths are absolute and seen as the sandbox's processes see them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FileOperation {
    /// Tell of one entry; of a link, not of what it leads to.
    Stat {
        /// Its path in the guest.
        path: String,
    },
    /// Tell of a folder's entries, in order of their paths.
    List {
        /// Which folder.
        path: String,
        /// How many levels of folders; 1: its own entries.
        depth: u32,
    },
    /// Make a folder and those above it; one that is there is fine.
    MakeFolder {
        /// Its path in the guest.
        path: String,
    },
    /// Give an entry another path; a file that is there is replaced.
    Move {
        /// From where.
        from: String,
        /// To where.
        to: String,
    },
    /// Remove an entry; a folder with all that is in it.
    Remove {
        /// Its path in the guest.
        path: String,
    },
    /// Send a file's content.
    Read {
        /// Which file.
        path: String,
        /// Comes in at the host.
        stream: StreamId,
    },
    /// Send the regular files below a folder, in the form of [`crate::collection`]. A folder that is not there has none.
    Collect {
        /// Which folder.
        path: String,
        /// Bytes of all files together, at most; what is over is left out.
        max_bytes: u64,
        /// Files at most.
        max_files: u32,
        /// Comes in at the host.
        stream: StreamId,
    },
    /// Take a file's content; folders above it are made, a file that is there is replaced as a whole.
    Write {
        /// Which file.
        path: String,
        /// Goes to the guest.
        stream: StreamId,
        /// What is attached to it, in place of what was attached to a file that is replaced.
        #[serde(default, skip_serializing_if = "Metadata::is_empty")]
        metadata: Metadata,
    },
    /// Tell what changes in a folder, until it goes or the operation is stopped.
    Watch {
        /// Which folder.
        path: String,
        /// How many levels of folders; 1: its own entries.
        depth: u32,
        /// Comes in at the host: a [`WatchEvent`] a line.
        stream: StreamId,
    },
}

/// One thing that a watch tells. Paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum WatchEvent {
    /// It begins: whatever changes from here on is told. The first of all.
    Watching {
        /// Folders that it watches now.
        folders: u32,
    },
    /// There is a new entry; one in a new folder may be told twice.
    Created {
        /// Its path in the guest.
        path: String,
    },
    /// A file's content changed.
    Modified {
        /// Its path in the guest.
        path: String,
    },
    /// An entry is gone, or was moved to where nobody watches.
    Removed {
        /// Its path in the guest.
        path: String,
    },
    /// An entry has another path.
    Moved {
        /// The old one.
        from: String,
        /// The new one.
        path: String,
    },
    /// Something is not told.
    Overflow {
        /// What.
        of: Overflow,
    },
}

/// What a watch cannot tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// More happened than was taken: look again.
    Events,
    /// There are more folders than are watched.
    Folders,
}

/// What came of a file operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FileAnswer {
    /// It is done; of a read or a write, all bytes.
    Done {
        /// Bytes read or written; 0 for what moves none.
        bytes: u64,
    },
    /// To `Stat`.
    Entry {
        /// What is there.
        entry: Entry,
    },
    /// To `List`.
    Entries {
        /// At most [`MAX_ENTRIES`].
        entries: Vec<Entry>,
        /// There were more.
        truncated: bool,
    },
    /// It failed.
    Failed {
        /// The kernel's number for why (`errno`).
        errno: i32,
        /// At which step.
        step: String,
    },
}

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Absolute.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its size, bytes.
    pub size: u64,
    /// Its permission bits.
    pub mode: u32,
    /// Whose it is.
    pub uid: u32,
    /// Which group's.
    pub gid: u32,
    /// When its content changed last, milliseconds since 1970-01-01 UTC.
    pub modified_millis: i64,
    /// Where a link leads.
    pub target: Option<String>,
    /// What is attached to a file or a folder, in order of the keys; what is over its bound, or no text, is left out.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A device, a pipe, a socket.
    Other,
}
