//! The log's files: `audit-<number of its first record>.jsonl`, oldest first.

use crate::error::{AuditError, io};
use std::path::{Path, PathBuf};

/// One file of the log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    /// The number of its first record, as its name says.
    pub first_seq: u64,
    /// Where it is.
    pub path: PathBuf,
}

/// The name of the segment that begins with this record.
pub fn path(dir: &Path, first_seq: u64) -> PathBuf {
    dir.join(name(first_seq))
}

/// The same without the folder.
pub fn name(first_seq: u64) -> String {
    format!("audit-{first_seq:020}.jsonl")
}

/// All segments, oldest first. A folder that is not there has none.
pub fn list(dir: &Path) -> Result<Vec<Segment>, AuditError> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io("reading", dir)(error)),
    };
    let mut segments = Vec::new();
    for entry in entries {
        let entry = entry.map_err(io("reading", dir))?;
        let name = entry.file_name();
        let first_seq = name
            .to_str()
            .and_then(|name| name.strip_prefix("audit-")?.strip_suffix(".jsonl"))
            .and_then(|digits| digits.parse().ok());
        if let Some(first_seq) = first_seq {
            segments.push(Segment {
                first_seq,
                path: entry.path(),
            });
        }
    }
    segments.sort();
    Ok(segments)
}
